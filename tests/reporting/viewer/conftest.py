"""Stand-ins for bundles, with what a viewer reads of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
import xarray as xr

AFFINE = np.array([[-3.0, 0, 0, 30], [0, 3, 0, -36], [0, 0, 4, -20], [0, 0, 0, 1]])
"""Flipped along the first axis, as radiological images are."""

SHAPE = (18, 22, 12)
DIMS = ("i", "j", "k")


def volume(values: np.ndarray, affine: np.ndarray = AFFINE, **attributes: Any) -> xr.DataArray:
    """An array with its affine."""
    return xr.DataArray(values, dims=DIMS, attrs={"affine": affine.tolist(), **attributes})


def ball(shape: tuple[int, ...] = SHAPE) -> np.ndarray:
    """A mask that is no box."""
    centre = (np.array(shape) - 1) / 2
    where = np.moveaxis(np.indices(shape), 0, -1)
    return (((where - centre) / np.maximum(0.46 * np.array(shape), 0.6)) ** 2).sum(-1) < 1


@dataclass
class StandIn:
    """What `make_viewer` reads of a bundle."""

    maps: xr.Dataset
    mask: xr.DataArray
    manifest: dict[str, Any]
    underlay: xr.DataArray | None = None
    regions: tuple[xr.DataArray, dict[int, str]] | None = None
    truth: dict[str, np.ndarray] = field(default_factory=dict)


def stand_in(
    kinds: Mapping[str, str] | None = None,
    inferences: tuple[str, ...] = ("fdr", "clusters"),
    mask: np.ndarray | None = None,
    affine: np.ndarray = AFFINE,
    seed: int = 3,
) -> StandIn:
    """A bundle of one contrast or several, by the kinds of their statistics."""
    kinds = {"faces": "t", "age": "t"} if kinds is None else kinds
    mask = ball() if mask is None else mask
    rng = np.random.default_rng(seed)
    names = list(kinds)
    made: dict[str, np.ndarray] = {"stat": 2 * rng.standard_normal((len(names), *mask.shape))}
    made["stat"][[kind not in "tvz" for kind in kinds.values()]] **= 2
    made["effect"] = 0.01 * made["stat"]
    made["z"] = 0.9 * made["stat"]
    for number, inference in enumerate(inferences):
        made[f"logp_{inference}"] = np.maximum(np.abs(made["stat"]) - 1 - number, 0)
        made[f"stat_{inference}"] = np.where(np.abs(made["stat"]) > 3 + number, made["stat"], 0)
    maps = xr.Dataset(
        {
            name: (
                ("contrast", *DIMS),
                np.where(mask, held, np.nan).astype(np.float32),
                {"affine": affine.tolist()},
            )
            for name, held in made.items()
        },
        coords={"contrast": names, "kind": ("contrast", list(kinds.values()))},
    )
    maps["effect"].attrs["units"] = "data"
    x, y, z = (affine @ [*(length // 2 + 1 for length in mask.shape), 1])[:3].tolist()
    peak = {"x": x, "y": y, "z": z, "z_score": 4.0}
    rows = [
        {"contrast": name, "inference": inference, "threshold": 3.0 + number, "peak": peak}
        for name in names
        for number, inference in enumerate(inferences)
    ]
    return StandIn(
        maps, volume(mask, affine), {"results": rows}, truth={k: np.asarray(v) for k, v in maps.items()}
    )


@pytest.fixture
def bundle() -> StandIn:
    """Two contrasts, two inferences, an underlay of its own grid and an atlas."""
    made = stand_in()
    fine = np.array([[1.5, 0, 0, -40], [0, 1.5, 0, -50], [0, 0, 1.5, -40], [0, 0, 0, 1]])
    grey = np.random.default_rng(1).uniform(50, 200, (60, 68, 56)).astype(np.float32)
    made.underlay = volume(grey, fine, source="underlay")
    codes = np.zeros(SHAPE, dtype=np.int32)
    codes[:9], codes[9:] = 40_000, 7
    made.regions = (volume(codes), {40_000: "right <b>half</b>", 7: "left half"})
    return made


@pytest.fixture
def make_stand_in() -> Callable[..., StandIn]:
    """Makes bundles of other kinds."""
    return stand_in
