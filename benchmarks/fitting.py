"""One fit in a process of its own: how long it takes once everything is compiled, and the memory at its peak.

    python benchmarks/fitting.py NAME FOLDER CORES REPEATS

FOLDER holds the arrays that `write_arrays` made. NAME is one of `FITS`, or of `PEERS` for PyMARE's
estimators. The result is a line of JSON.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import xarray as xr
from brain import Brain
from numpy.typing import NDArray

from specgl.design import Block, Contrast, Design, Regressor
from specgl.engines import Threads
from specgl.models import (
    Clustered,
    Estimation,
    FixedEffects,
    Hc,
    LeastSquares,
    MixedEffects,
    Robust,
    contrast_maps,
    fit,
)

Singles = NDArray[np.float32]

SEED = 20261122
MISSING = 0.1  # share of the values
TAU2 = 0.5  # beside first-level variances around 1
_FAMILY = 3  # observations of a cluster
_SMALL = 512  # locations on which kernels are compiled before the clock runs


@dataclass(frozen=True)
class Way:
    """What is fitted.

    Attributes
    ----------
    estimation
        How, given the design's observations.
    groups, voxelwise, missing
        Whether there are variance groups, a voxelwise covariate, values that are missing.
    """

    estimation: Callable[[int], Estimation]
    groups: bool = False
    voxelwise: bool = False
    missing: bool = False


def _same(estimation: Estimation) -> Callable[[int], Estimation]:
    return lambda n: estimation


def _families(n: int) -> Block:
    codes = np.arange(n, dtype=np.int64) // _FAMILY
    return Block("family", codes, tuple(str(code) for code in range(int(codes.max()) + 1)))


FITS: dict[str, Way] = {
    "ols": Way(_same(LeastSquares())),
    "fixed_effects": Way(_same(FixedEffects())),
    "mixed, dl": Way(_same(MixedEffects("dl"))),
    "mixed, hedges": Way(_same(MixedEffects("hedges"))),
    "mixed, pm": Way(_same(MixedEffects("pm"))),
    "mixed, ml": Way(_same(MixedEffects("ml"))),
    "mixed, reml": Way(_same(MixedEffects("reml"))),
    "mixed, reml, knapp_hartung": Way(_same(MixedEffects("reml", "knapp_hartung"))),
    "mixed, reml, 2 variance groups": Way(_same(MixedEffects("reml")), groups=True),
    "robust, huber": Way(_same(Robust("huber"))),
    "robust, bisquare": Way(_same(Robust("bisquare"))),
    "ols, hc3": Way(_same(LeastSquares(Hc("hc3")))),
    "ols, cluster": Way(lambda n: LeastSquares(Clustered(_families(n)))),
    "ols, a voxelwise covariate": Way(_same(LeastSquares()), voxelwise=True),
    f"ols, {MISSING:.0%} missing": Way(_same(LeastSquares()), missing=True),
}
"""Every estimator whose fit is timed."""

PEERS: dict[str, str] = {"PyMARE, dl": "mixed, dl", "PyMARE, reml": "mixed, reml"}
"""PyMARE's estimators, each with the fit that is the same."""


def write_arrays(brain: Brain, subjects: int, folder: Path) -> None:
    """Smooth maps with first-level variances around 1 and a variance between subjects, float32."""
    between, within, spread, tissue = (brain.group(subjects, SEED + step) for step in range(4))
    for maps in (between, within, spread, tissue):
        maps /= maps.std()
    variance = np.exp(np.float32(0.5) * spread)
    data = np.float32(np.sqrt(TAU2)) * between + np.sqrt(variance) * within
    np.save(folder / "effect.npy", data)
    np.save(folder / "variance.npy", variance)
    np.save(folder / "covariate.npy", np.float32(0.5) + np.float32(0.1) * tissue)
    lost = np.random.default_rng(SEED).random((subjects, 1)) * brain.n_voxels
    # Each subject lacks a stretch of locations, as where fields of view differ: patterns, not single voxels.
    away = (np.arange(brain.n_voxels) - lost) % brain.n_voxels < MISSING * brain.n_voxels
    np.save(folder / "lacking.npy", np.where(away, np.float32(np.nan), data))


def make_design(n: int, way: Way) -> Design:
    """A mean, a covariate and two groups; the groups' difference is tested."""
    rng = np.random.default_rng(SEED)
    age, group = rng.integers(20, 70, n).astype(np.float64), np.arange(n) % 2
    columns = {"Intercept": np.ones(n), "age": age - age.mean(), "group[T.patient]": group.astype(np.float64)}
    regressors = [
        Regressor("Intercept", "Intercept"),
        Regressor("age", "age"),
        Regressor("group[T.patient]", "group"),
    ]
    if way.voxelwise:
        columns["gm"] = np.ones(n)
        regressors.append(Regressor("gm", "gm", covariates=("gm",)))
    matrix = np.column_stack(list(columns.values()))
    weights = (np.array(list(columns)) == "group[T.patient]").astype(np.float64)[None]
    design = Design(
        matrix=matrix,
        regressors=tuple(regressors),
        observations=tuple(f"sub-{index + 1:03d}" for index in range(n)),
        contrasts=(Contrast("difference", weights, "t", "two-sided", ("group[patient] - group[control]",)),),
        block=None,
        rank=matrix.shape[1],
        dof=n - matrix.shape[1],
        formula="age + group" + (" + gm" if way.voxelwise else ""),
        columns={},
        voxelwise=("gm",) if way.voxelwise else (),
    )
    groups = Block("group", group.astype(np.int64), ("control", "patient"))
    return replace(design, variance_groups=groups) if way.groups else design


def read_data(folder: Path, design: Design, way: Way) -> xr.Dataset:
    """The arrays that a fit uses, and no others."""
    dims = ("observation", "location")
    held = {"effect": (dims, np.load(folder / ("lacking.npy" if way.missing else "effect.npy")))}
    if isinstance(way.estimation(len(design.observations)), FixedEffects | MixedEffects):
        held["variance"] = (dims, np.load(folder / "variance.npy"))
    data = xr.Dataset(held, coords={"observation": list(design.observations)})
    if way.voxelwise:
        maps = np.load(folder / "covariate.npy")[None]
        data = data.assign(voxelwise=(("covariate", *dims), maps)).assign_coords(covariate=["gm"])
    return data


def prepare(name: str, folder: Path, cores: int) -> tuple[Callable[[], object], Callable[[], object]]:
    """Fit and statistics of one contrast by specgl, on a few locations and on all."""
    way = FITS[name]
    n = len(np.load(folder / "effect.npy", mmap_mode="r"))
    design = make_design(n, way)
    data, estimation, engine = read_data(folder, design, way), way.estimation(n), Threads(cores)

    def call(some: xr.Dataset) -> NDArray[np.float64] | None:
        fitted = fit(some, design, engine=engine, estimation=estimation)
        contrast_maps(fitted, design, engine=engine)
        return None if fitted.local is None else fitted.local.maps.get("tau2")

    few = data.isel(location=slice(None, _SMALL))
    return lambda: call(few), lambda: call(data)


def prepare_peer(name: str, folder: Path) -> tuple[Callable[[], object], Callable[[], object]]:
    """Fit and statistics of the same model by PyMARE, on a few locations and on all.

    In float64, converted beforehand, with standard errors as specgl's (Wald's, not Knapp and Hartung's).
    """
    from pymare import Dataset
    from pymare.estimators import DerSimonianLaird, VarianceBasedLikelihoodEstimator

    make = {
        "mixed, dl": lambda: DerSimonianLaird(small_sample_correction="wald"),
        "mixed, reml": lambda: VarianceBasedLikelihoodEstimator(
            method="REML", small_sample_correction="wald"
        ),
    }[PEERS[name]]
    y = np.load(folder / "effect.npy").astype(np.float64)
    v = np.load(folder / "variance.npy").astype(np.float64)
    design = make_design(len(y), FITS[PEERS[name]])
    names = [regressor.name for regressor in design.regressors]

    def call(some: slice) -> NDArray[np.float64]:
        held = Dataset(y=y[:, some], v=v[:, some], X=design.matrix, X_names=names, add_intercept=False)
        estimator = make().fit_dataset(held)
        estimator.summary().get_fe_stats()  # z and p of every coefficient
        return np.atleast_2d(estimator.params_["tau2"])

    return lambda: call(slice(0, _SMALL)), lambda: call(slice(None))


def peak() -> float:
    """Most memory that this process has held, in MiB."""
    scale = 1024**2 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / scale


def main() -> None:
    """Compile, fit, and print seconds of each repeat and MiB before and at the peak."""
    name, folder, cores, repeats = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    warm_up, call = prepare_peer(name, folder) if name in PEERS else prepare(name, folder, cores)
    warm_up()
    before, seconds, tau2 = peak(), [], None
    for _ in range(repeats):
        start = time.perf_counter()
        tau2 = call()
        seconds.append(time.perf_counter() - start)
    if tau2 is not None:
        np.save(folder / f"tau2 {name}.npy", tau2)
    print(json.dumps({"seconds": seconds, "before": before, "peak": peak()}))


if __name__ == "__main__":
    main()
