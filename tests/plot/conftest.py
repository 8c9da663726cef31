"""A bundle's stand-in: figures read no more of it than this."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr

AFFINE = np.array([[3.0, 0, 0, -18], [0, 3, 0, -24], [0, 0, 4, -12], [0, 0, 0, 1]])
SHAPE = (13, 17, 9)
OBSERVATIONS = [f"sub-{number:02d}" for number in range(1, 21)]
PEAK = (6.0, 9.0, 4.0)


def array(values: np.ndarray[Any, Any], affine: np.ndarray[Any, Any] = AFFINE, **attrs: Any) -> xr.DataArray:
    """A map with its affine."""
    dims = ("contrast", "i", "j", "k")[-values.ndim :]
    return xr.DataArray(values, dims=dims, attrs={"affine": affine.tolist(), **attrs})


def ellipsoid(shape: tuple[int, ...] = SHAPE) -> np.ndarray[Any, Any]:
    axes = np.meshgrid(*(np.linspace(-1.1, 1.1, length) for length in shape), indexing="ij")
    return np.asarray(sum(axis**2 for axis in axes) < 1)


def smooth(seed: int, shape: tuple[int, ...] = SHAPE) -> np.ndarray[Any, Any]:
    return np.random.default_rng(seed).normal(size=shape).cumsum(axis=0).cumsum(axis=1) / 4


def contrast(*rows: Mapping[str, float]) -> dict[str, Any]:
    return {
        "kind": "t" if len(rows) == 1 else "F",
        "alternative": "two-sided",
        "words": [" + ".join(row) for row in rows],
        "weights": [dict(row) for row in rows],
    }


def factor(variable: str, level: str | None = None) -> dict[str, Any]:
    return {"variable": variable, "level": level}


@pytest.fixture
def make_bundle() -> Callable[..., Any]:
    """A bundle of a design with a group, an age and their interaction; any part may be replaced."""

    def made(**parts: Any) -> Any:
        rng = np.random.default_rng(7)
        n = len(OBSERVATIONS)
        group = np.repeat(["control", "patient"], n // 2)
        age = rng.uniform(20, 60, n)
        patient = (group == "patient").astype(float)
        design = pd.DataFrame(
            {
                "Intercept": np.ones(n),
                "group[T.patient]": patient,
                "age": age - age.mean(),
                "group[T.patient]:age": patient * (age - age.mean()),
            },
            index=pd.Index(OBSERVATIONS, name="observation"),
        )
        variables = pd.DataFrame({"group": group, "age": age}, index=design.index)
        mask = ellipsoid()
        stat = np.stack([smooth(1), smooth(2)]).astype(np.float32)
        stat[:, ~mask] = np.nan
        surviving = np.where(np.abs(np.nan_to_num(stat)) > 2, stat, 0)
        coordinates = {
            "contrast": ["patients", "age"],
            "kind": ("contrast", ["t", "t"]),
            "alternative": ("contrast", ["two-sided", "greater"]),
        }
        maps = xr.Dataset(
            {
                "stat": array(stat, units="1"),
                "stat_fdr": array(surviving),
                "stat_none": array(np.zeros_like(stat)),
                "effect": array(stat / 10, units="data"),
                "p": array(np.exp(-np.abs(stat)), units="1"),
            },
            coords=coordinates,
        )
        y = 1 + 0.5 * patient + 0.05 * design["age"].to_numpy() + rng.normal(0, 0.3, n)
        peaks = pd.DataFrame([[*PEAK, *y], [0.0, 0.0, 0.0, *rng.normal(size=n)]])
        peaks.columns = ["x", "y", "z", *OBSERVATIONS]
        distance = np.linspace(0.6, 1.4, n)[rng.permutation(n)]
        about = pd.DataFrame({"distance": distance, "outlier": distance > 1.35}, index=design.index)
        slab = np.where(mask, rng.normal(size=(n, *SHAPE)), np.nan)[:, :, :, 4:5]
        at = AFFINE.copy()
        at[2, 3] += 4 * at[2, 2]
        slices = xr.DataArray(
            slab,
            dims=("observation", "i", "j", "k"),
            coords={"observation": OBSERVATIONS},
            attrs={"affine": at.tolist()},
        )
        quality = SimpleNamespace(
            peaks=peaks, beside=None, observations=about, slices=slices, coverage=array(np.where(mask, n, 0))
        )
        words = {
            "regressors": {
                "Intercept": {"factors": []},
                "group[T.patient]": {"factors": [factor("group", "patient")]},
                "age": {"factors": [factor("age")]},
                "group[T.patient]:age": {"factors": [factor("group", "patient"), factor("age")]},
            },
            "variables": {
                "group": {"type": "categorical", "levels": ["control", "patient"]},
                "age": {"type": "continuous", "unit": "year"},
            },
            "block": None,
            "variance_groups": None,
            "contrasts": {
                "patients": contrast({"group[T.patient]": 1.0}),
                "age": contrast({"age": 1.0}),
                "both": contrast({"group[T.patient]": 1.0}, {"age": 1.0}),
                "interaction": contrast({"group[T.patient]:age": 1.0}),
                "intercept": contrast({"Intercept": 1.0}),
            },
            "conjunctions": {"and": {"members": ["patients", "age"]}},
        }
        held: dict[str, Any] = {
            "maps": maps,
            "mask": array(mask),
            "underlay": array(np.where(mask, 100 + smooth(3), 0)),
            "quality": quality,
            "design": design,
            "variables": variables,
            "design_words": words,
            "tables": {},
            "null": {},
            "spec": {"inference": {"maxT": {"method": "permutation", "statistic": "voxel"}}},
            "manifest": {"space": {"shape": list(SHAPE)}, "results": []},
        }
        return SimpleNamespace(**(held | parts))

    return made
