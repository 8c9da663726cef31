"""What a bundle keeps for those who look: data quality, an underlay, an atlas. No p-value depends on it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from specgl.bundle import names
from specgl.bundle.contents import Contents
from specgl.bundle.files import TextFile
from specgl.bundle.names import Role
from specgl.bundle.text import json_bytes, tsv_bytes
from specgl.images import Grid, MapType
from specgl.variables import WEIGHT

OBSERVATIONS = "Observations"
"""Key of the slices' sidecar under which the ids of its volumes stand."""

_DIGITS = 7
"""Digits of numbers about observations: as many as the data hold in float32."""

_MEANINGS = {
    "observation": "Id of the observation, in the order of design.tsv.",
    "distance": "Root mean square, over the locations, of the internally studentised residual: how far the "
    "observation lies from what the model expects of it; 1 is expected.",
    "outlier": "1 where the distance lies far above those of the others (modified z-score above 3.5).",
    "mahalanobis": "Mahalanobis distance among the leading principal components of the studentised "
    "residuals: large for an observation whose residuals have a pattern that the others' have not.",
    "mean_absolute_residual": "Mean absolute residual over the locations, in the unit of the data.",
    "coverage": "Share of the mask's voxels with a value; without a mask, of the voxels where at least "
    "half of the observations have one.",
    "n_values": "Analysed locations with a value.",
    "leverage": "Leverage in the design, as far as the table gives it: between 0 and 1; their sum is the "
    "rank.",
    "mean_weight": "Mean weight in the robust fit over the locations: 1 where an observation is no outlier "
    "anywhere.",
    "downweighted": "Share of the locations where its weight in the robust fit is below a half.",
}


@dataclass(frozen=True, eq=False)
class VolumeFile:
    """An image that holds no result.

    Attributes
    ----------
    path
        Its name in the bundle.
    role
        What it is for.
    volume
        ``(i, j, k)`` or ``(n, i, j, k)``.
    grid
        Where its voxels lie.
    dtype
        Type in which it is stored.
    words
        Its sidecar.
    """

    path: str
    role: Role
    volume: NDArray[Any]
    grid: Grid
    dtype: MapType
    words: Mapping[str, Any]


def volume_files(contents: Contents) -> Iterator[VolumeFile]:
    """Images of data quality, the underlay and the atlas, as far as there are any."""
    if (quality := contents.quality) is not None:
        grid = contents.space.grid
        yield _image(
            contents,
            names.MEAN,
            contents.space.to_volume(np.asarray(quality.mean, dtype=np.float32), np.nan),
            grid,
            "Mean over the observations that have a value; NaN outside the analysed mask.",
        )
        yield _image(
            contents,
            names.COVERAGE,
            quality.present,
            grid,
            "Number of observations with a value at each voxel of the mask, analysed or not; 0 elsewhere.",
            dtype="int32",
            unit="observations",
        )
        yield _image(
            contents,
            names.SLICES,
            quality.slices,
            quality.slices_grid,
            "One slice of each of these observations' maps (of many, those furthest from the group), one "
            "volume an observation; NaN where it has no value or outside the analysed mask.",
            further={OBSERVATIONS: list(quality.sliced)},
        )
    if (underlay := contents.underlay) is not None:
        yield underlay_file(underlay.shades, underlay.grid, contents.spec.digest)
    if (atlas := contents.atlas) is not None:
        codes = contents.space.to_volume(atlas.codes.astype(np.int32), 0)
        words = f"Region of each location, 0 outside all of them; named in {names.ATLAS_NAMES}."
        yield _image(contents, names.ATLAS, codes, contents.space.grid, words, Role.ATLAS, "int32", "1")


def underlay_file(shades: NDArray[np.uint8], grid: Grid, spec_digest: str | None) -> VolumeFile:
    """The image that figures are drawn on."""
    words = {
        "Description": "What figures are drawn on, in shades of grey from 1 to 255; 0 where it has no value. "
        "No number depends on it.",
        "Units": "1",
        "SpecDigest": spec_digest,
    }
    return VolumeFile(names.UNDERLAY, Role.UNDERLAY, shades, grid, "uint8", words)


def quality_tables(contents: Contents) -> Iterator[TextFile]:
    """Tables of data quality and of the atlas's names, as far as there are any."""
    if (quality := contents.quality) is not None:
        about = quality.observations.astype({"outlier": "int64"}).reset_index()
        yield TextFile(names.QUALITY, Role.QUALITY, tsv_bytes(about, digits=_DIGITS))
        words = {name: {"Description": _MEANINGS[name]} for name in map(str, about.columns)}
        yield TextFile(names.sidecar(names.QUALITY), Role.SIDECAR, json_bytes(words))
        yield TextFile(names.PEAKS, Role.QUALITY, tsv_bytes(quality.peaks, digits=_DIGITS))
        told: dict[str, Any] = {
            "x": {"Description": "Place of the peak, to the right in RAS+.", "Units": "mm"},
            "y": {"Description": "Place of the peak, to the front in RAS+.", "Units": "mm"},
            "z": {"Description": "Place of the peak, upwards in RAS+.", "Units": "mm"},
            "OtherColumns": "One an observation: its value at the peak, as it was analysed.",
        }
        yield TextFile(names.sidecar(names.PEAKS), Role.SIDECAR, json_bytes(told))
        if quality.beside is not None:
            what = {"Description": f"`{WEIGHT}`, or the name of a voxelwise covariate."}
            others = (
                "One an observation: its weight in the fit (of fits by variances, the reciprocal of its "
                "variance and that between observations; of robust fits from 0 to 1), or the covariate's "
                "value."
            )
            yield TextFile(names.BESIDE, Role.QUALITY, tsv_bytes(quality.beside, digits=_DIGITS))
            told = {"what": what, **told, "OtherColumns": others}
            yield TextFile(names.sidecar(names.BESIDE), Role.SIDECAR, json_bytes(told))
    if (atlas := contents.atlas) is not None:
        codes = sorted(int(code) for code in np.unique(atlas.codes) if code)
        table = pd.DataFrame({"index": codes, "name": [atlas.names.get(code, "") for code in codes]})
        yield TextFile(names.ATLAS_NAMES, Role.REGIONS, tsv_bytes(table))


def _image(
    contents: Contents,
    path: str,
    volume: NDArray[Any],
    grid: Grid,
    meaning: str,
    role: Role = Role.QUALITY_IMAGE,
    dtype: MapType = "float32",
    unit: str = "data",
    further: Mapping[str, Any] = MappingProxyType({}),
) -> VolumeFile:
    words = {"Description": meaning, "Units": unit, "SpecDigest": contents.spec.digest, **further}
    return VolumeFile(path, role, volume, grid, dtype, words)
