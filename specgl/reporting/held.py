"""What the sections ask of a bundle, read once."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from specgl.bundle import Bundle
from specgl.reporting.album import Album
from specgl.reporting.words import Question

Pair = tuple[str, str]


@dataclass(frozen=True, eq=False)
class Held:
    """A bundle, the figures made of it so far, and the question in words.

    Attributes
    ----------
    bundle
        The bundle.
    question
        What was asked, in words.
    album
        Where figures are kept.
    """

    bundle: Bundle
    question: Question
    album: Album = field(default_factory=Album)

    @cached_property
    def spec(self) -> dict[str, Any]:
        """The resolved spec; empty where there is none."""
        return self.bundle.spec or {}

    @cached_property
    def contrasts(self) -> dict[str, dict[str, Any]]:
        """What the manifest says of each contrast, by name."""
        return {contrast["name"]: contrast for contrast in self.bundle.manifest["contrasts"]}

    @cached_property
    def rows(self) -> dict[Pair, dict[str, Any]]:
        """Rows of results by contrast and inference."""
        return {(row["contrast"], row["inference"]): row for row in self.bundle.manifest["results"]}

    @cached_property
    def inferences(self) -> tuple[str, ...]:
        """Names of the inferences, in the spec's order."""
        return tuple(dict.fromkeys(inference for _, inference in self.rows))

    @cached_property
    def mask(self) -> xr.DataArray:
        """The analysed mask, read."""
        return self.bundle.mask.load()

    @cached_property
    def underlay(self) -> xr.DataArray | None:
        """What figures are drawn on; None where there is nothing."""
        return self.bundle.underlay

    def has_map(self, name: str, contrast: str) -> bool:
        """Whether there is an unthresholded map of this name for a contrast."""
        return any(
            file.label.variable == name and file.label.contrast == contrast and file.label.inference is None
            for file in self.bundle.files
        )

    def region(self, x: float, y: float, z: float) -> str | None:
        """Name of the region at a place in mm; None outside all regions, and without an atlas."""
        if self._regions is None:
            return None
        codes, names, to_voxel = self._regions
        voxel = np.rint(to_voxel @ (x, y, z, 1.0))[:3].astype(int)
        if (voxel < 0).any() or (voxel >= codes.shape).any():
            return None
        return names.get(int(codes[tuple(voxel)]))

    @cached_property
    def _regions(self) -> tuple[NDArray[Any], dict[int, str], NDArray[np.float64]] | None:
        held = self.bundle.regions
        if held is None:
            return None
        codes, names = held
        return codes.values, names, np.linalg.inv(np.asarray(codes.attrs["affine"], dtype=np.float64))
