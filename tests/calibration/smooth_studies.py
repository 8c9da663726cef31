"""Studies in a smooth volume: data sets drawn one by one, and what every inference says of each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import xarray as xr
from scipy import ndimage

from specgl.design.records import Contrast, Design
from specgl.engines import Threads
from specgl.images.grid import Grid
from specgl.images.space import Space
from specgl.inference import (
    AllResolutions,
    Forming,
    Inference,
    Inferred,
    Lattice,
    Permutation,
    Permuted,
    Provisions,
    RandomField,
    Regions,
    Sets,
    Simulated,
    infer,
)
from specgl.kernels.shuffles import build_tree
from specgl.models import contrast_maps, fit
from specgl.models.schemes import make_schemes
from specgl.models.shuffled import shuffled_model
from specgl.models.smoothness import residual_smoothness

SIDE = 20
N_LOC = SIDE**3
SUBJECTS = 20
EDGE = 2.0
"""Of a voxel, in mm."""
SHUFFLES = 200
ALPHA = 0.05
SEED = 20261122
ENGINE = Threads(1)

SPACE = Space.from_mask(np.ones((SIDE,) * 3, dtype=bool), Grid((SIDE,) * 3, np.diag([EDGE, EDGE, EDGE, 1.0])))
LATTICE = Lattice(SPACE.voxels, (EDGE, EDGE, EDGE))
IDS = tuple(f"sub-{i:02}" for i in range(SUBJECTS))
TREE = build_tree(SUBJECTS, ())


def one_sample(alternative: str) -> Design:
    """The mean of all subjects against 0."""
    contrast = Contrast("c", np.ones((1, 1)), "t", alternative, ("c",))
    return Design(np.ones((SUBJECTS, 1)), (), IDS, (contrast,), None, 1, SUBJECTS - 1, "x", {}, (), None)


@dataclass(frozen=True)
class Noise:
    """Gaussian noise of a known smoothness, exactly: no edge is thinner or wraps around.

    Attributes
    ----------
    name
        Its name in the documentation.
    fwhm
        Full width at half maximum along each axis, in voxels: at the first voxel and at the last; between
        them it grows evenly.
    """

    name: str
    fwhm: tuple[tuple[float, float], ...]

    @cached_property
    def roots(self) -> list[np.ndarray]:
        """A root of each axis' covariance, (SIDE, SIDE).

        White noise smoothed by a kernel of FWHM f has the correlation ``exp(−2 ln 2 (d / f)²)``; where f
        grows, d / f is the integral of 1 / f between two voxels.
        """
        made = []
        for first, last in self.fwhm:
            slope = (last - first) / (SIDE - 1)
            x = np.arange(SIDE)
            place = x / first if slope == 0 else np.log(first + slope * x) / slope
            covariance = np.exp(-2 * np.log(2) * (place[:, None] - place) ** 2)
            values, vectors = np.linalg.eigh(covariance)
            made.append(vectors * np.sqrt(np.clip(values, 0, None)))
        return made

    def draw(self, data_set: int) -> np.ndarray:
        """Errors of all subjects, (SUBJECTS, N_LOC), of variance 1."""
        field = np.random.default_rng((SEED, data_set)).standard_normal((SUBJECTS, SIDE, SIDE, SIDE))
        for axis, root in enumerate(self.roots, start=1):
            field = np.moveaxis(np.moveaxis(field, axis, -1) @ root.T, -1, axis)
        return field.reshape(SUBJECTS, N_LOC)


def even(name: str, fwhm: float) -> Noise:
    """Noise as smooth everywhere."""
    return Noise(name, ((fwhm, fwhm),) * 3)


@dataclass(frozen=True, eq=False)
class Analysed:
    """A data set after the fit."""

    stats: xr.Dataset
    provisions: Provisions

    def infer(self, asked: Sequence[Inference]) -> tuple[Inferred, ...]:
        return infer(self.stats, SPACE, asked, self.provisions)


def analyse(y: np.ndarray, seed: int, alternative: str = "greater") -> Analysed:
    """Fit a data set (SUBJECTS, N_LOC), and gather what inference needs."""
    design = one_sample(alternative)
    data = xr.Dataset({"effect": (("observation", "location"), y)}, coords={"observation": list(IDS)})
    fitted = fit(data, design, engine=ENGINE)
    smoothness = residual_smoothness(data, design, fitted, SPACE, engine=ENGINE)
    (scheme,) = make_schemes(
        design, TREE, exchange=None, n=SHUFFLES, seed=seed, nuisance="freedman_lane", contrasts=None
    )
    everywhere = {"c": np.ones(N_LOC, dtype=bool)}
    statistics = shuffled_model(data, design, (scheme,), everywhere, nuisance="freedman_lane")
    permuted = Permuted(statistics, (scheme,), ENGINE)
    return Analysed(contrast_maps(fitted, design), Provisions(permuted, LATTICE, smoothness))


def data_sets(
    noise: Noise, n: int, effect: np.ndarray | float = 0.0, alternative: str = "greater"
) -> Iterator[Analysed]:
    """Data sets, one after the other."""
    for number in range(n):
        yield analyse(noise.draw(number) + effect, SEED + number, alternative)


# Where nothing is -------------------------------------------------------------------------------

NULL_SETS = 500

NOISES = {
    noise.name: noise
    for noise in (
        even("smooth", 4.0),
        even("rough", 2.5),
        Noise("varying", ((2.5, 7.5), (2.5, 7.5), (4.0, 4.0))),
    )
}
"""From side to side of the third the resels per voxel fall to a ninth."""

FORMING = {"0.001": Forming(p=0.001), "0.01": Forming(p=0.01)}

ON_EACH: tuple[Inference, ...] = (
    RandomField("peaks, random field", "voxel"),
    Permutation("peaks, permutation", "voxel"),
    *(
        one
        for p, forming in FORMING.items()
        for one in (
            RandomField(f"clusters at {p}, random field", "cluster_extent", forming=forming),
            RandomField(f"clusters at {p}, resels", "cluster_extent", forming=forming, extent="resels"),
            Permutation(f"clusters at {p}, permutation", "cluster_extent", forming=forming),
        )
    ),
)
"""What is asked of every data set by itself."""

SIMULATIONS = 1000


def simulated_for(noise: Noise) -> tuple[Inference, ...]:
    """What is asked of all data sets at once: the smoothness is known, so that one null serves them all.

    Of noise whose smoothness varies the FWHM is that of the mean resels per voxel, the same along all axes.
    """
    widths = [np.linspace(first, last, SIDE) for first, last in noise.fwhm]
    widths_mm = (EDGE * float(np.prod([np.mean(1 / width) for width in widths])) ** (-1 / 3),) * 3
    return tuple(
        Simulated(f"clusters at {p}, simulated", "cluster_extent", forming, SIMULATIONS, SEED, fwhm=widths_mm)
        for p, forming in FORMING.items()
    )


def error_rates(noise: Noise, n_sets: int = NULL_SETS) -> dict[str, float]:
    """Share of data sets without any effect in which something survives, by inference."""
    found: dict[str, int] = {}
    kept = []
    for number, analysed in enumerate(data_sets(noise, n_sets)):
        for one in analysed.infer(ON_EACH):
            found[one.inference] = found.get(one.inference, 0) + (one.n_surviving > 0)
        kept.append(analysed.stats.assign_coords(contrast=[f"c{number}"]))
    together = xr.concat(kept, "contrast", data_vars="all")
    for one in infer(together, SPACE, simulated_for(noise), Provisions(lattice=LATTICE, engine=ENGINE)):
        found[one.inference] = found.get(one.inference, 0) + (one.n_surviving > 0)
    return {name: count / n_sets for name, count in found.items()}


# Where something is -----------------------------------------------------------------------------

SIGNAL_SETS = 400
SIGNAL = 1.0
"""Mean of the effect, in standard deviations of the errors."""
HEIGHTS = (2.5, 3.1)


def effect() -> np.ndarray:
    """Where there is an effect: a large cube, a small one and a rod, (N_LOC,)."""
    there = np.zeros((SIDE,) * 3, dtype=bool)
    there[2:9, 2:9, 2:9] = True
    there[12:16, 12:16, 12:16] = True
    there[14:17, 3:6, :] = True
    return there.reshape(-1)


def octants() -> Regions:
    """Eight regions."""
    half = np.arange(SIDE) // (SIDE // 2)
    codes = 1 + 4 * half[:, None, None] + 2 * half[:, None] + half
    return Regions(codes.reshape(-1), {code: f"octant {code}" for code in range(1, 9)})


def asked_for_tdp() -> tuple[Inference, ...]:
    sets = {**{f"{z}": Sets(forming_z=(z,)) for z in HEIGHTS}, "regions": Sets(regions=True)}
    return tuple(
        one
        for name, some in sets.items()
        for one in (
            AllResolutions(f"all_resolutions {name}", some, alpha=ALPHA),
            Permutation(f"permutation {name}", "voxel", correction="tdp", alpha=ALPHA, sets=some),
        )
    )


def claimed_too_much(one: Inferred, z: np.ndarray, there: np.ndarray, codes: np.ndarray) -> bool:
    """Whether in some cluster or region fewer locations have an effect than are said to."""
    where = one.inference.split()[-1]
    if where == "regions":
        groups = [codes == code for code in range(1, 9)]
    else:
        groups = []
        for sign in (1, -1):
            above = (sign * z >= float(where)).reshape((SIDE,) * 3)
            labels, n = ndimage.label(above, np.ones((3, 3, 3)))
            groups += [labels.reshape(-1) == label for label in range(1, n + 1)]
    assert one.tdp is not None
    tdp = one.tdp
    return any(there[group].mean() < tdp[group][0] - 1e-9 for group in groups)


def bounds(signal: float = SIGNAL, n_sets: int = SIGNAL_SETS) -> dict[str, dict[str, float]]:
    """How often any bound claims too much, and the mean share of the true discoveries that it claims."""
    there, regions, asked = effect(), octants(), asked_for_tdp()
    wrong = {"all_resolutions": 0, "permutation": 0}
    claimed = {"all_resolutions": 0.0, "permutation": 0.0}
    everywhere = {one.name: regions for one in asked if one.name.endswith("regions")}
    for analysed in data_sets(NOISES["smooth"], n_sets, signal * there, alternative="two-sided"):
        with_regions = replace(analysed, provisions=replace(analysed.provisions, regions=everywhere))
        found = with_regions.infer(asked)
        z = analysed.stats["z"].values[0]
        for method in wrong:
            mine = [one for one in found if one.inference.startswith(method)]
            wrong[method] += any(claimed_too_much(one, z, there, regions.codes) for one in mine)
            assert mine[0].discoveries is not None
            claimed[method] += mine[0].discoveries.at_least / there.sum()
    return {
        "too much": {method: n / n_sets for method, n in wrong.items()},
        "claimed": {method: share / n_sets for method, share in claimed.items()},
    }
