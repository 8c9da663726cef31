"""What a bundle keeps for those who look, read back: see `quality` for how it is written."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from specgl.bundle import names
from specgl.bundle.quality import OBSERVATIONS
from specgl.bundle.received import plain_file, read_json, unreadable
from specgl.bundle.tables import ID, read_table
from specgl.errors import ImageError
from specgl.images import open_map

AFFINE = "affine"
"""Attribute of a map: voxel indices to mm, as rows."""

SOURCE = "source"
"""Attribute of an underlay: `GIVEN` or `OF_DATA`."""

GIVEN = "underlay"
OF_DATA = "mean image"

_VOXEL = ("i", "j", "k")


@dataclass(frozen=True, eq=False)
class Quality:
    """What is told of the data's quality, read when it is asked for.

    Attributes
    ----------
    folder
        The bundle.
    """

    folder: Path

    @cached_property
    def observations(self) -> pd.DataFrame:
        """Indexed by observation: `distance`, `outlier` (bool), `mahalanobis`, `mean_absolute_residual`,
        `coverage`, `n_values` and `leverage`, of robust fits `mean_weight` and `downweighted` too; what each
        means stands in the sidecar.
        """
        table = read_table(self.folder, names.QUALITY, as_text=(ID,)).set_index(ID)
        return table.assign(outlier=table["outlier"].astype(bool))

    @cached_property
    def peaks(self) -> pd.DataFrame:
        """Columns `x`, `y`, `z` (mm), and one an observation: its value at each peak of the tables."""
        return read_table(self.folder, names.PEAKS)

    @cached_property
    def beside(self) -> pd.DataFrame | None:
        """The same with a column `what` before: weights and voxelwise covariates; None without either."""
        return read_table(self.folder, names.BESIDE) if (self.folder / names.BESIDE).exists() else None

    @property
    def mean(self) -> xr.DataArray:
        """Mean over the observations ``(i, j, k)``, NaN outside the analysed mask."""
        return volume(self.folder, names.MEAN)

    @property
    def coverage(self) -> xr.DataArray:
        """Observations with a value at each voxel of the mask ``(i, j, k)``, analysed or not."""
        return volume(self.folder, names.COVERAGE)

    @property
    def slices(self) -> xr.DataArray:
        """One slab of each observation's map ``(observation, i, j, k)``, one voxel along one of the axes.

        Of more than 60 observations those furthest from the group.
        """
        held = volume(self.folder, names.SLICES)
        words = read_json(self.folder, names.sidecar(names.SLICES))
        ids = words.get(OBSERVATIONS) if isinstance(words, dict) else None
        if not isinstance(ids, list) or len(ids) != held.sizes["observation"]:
            raise unreadable(names.sidecar(names.SLICES), "it does not name an observation for each volume")
        return held.assign_coords(observation=np.array([str(name) for name in ids], dtype=object))


def volume(folder: Path, name: str) -> xr.DataArray:
    """An image of a bundle on its own grid.

    Parameters
    ----------
    folder, name
        The bundle, and the image's name in it.

    Returns
    -------
    DataArray
        ``(i, j, k)``, or ``(observation, i, j, k)``, with the attribute `AFFINE`.

    Raises
    ------
    VerificationError
        E505, E507 or E509 where it is no plain file, missing, or no image.
    """
    path = plain_file(folder, name)
    try:
        grid, read = open_map(path)
        values = read()
    except ImageError as error:
        raise unreadable(name, str(error)) from error
    if name == names.SLICES and values.ndim == len(_VOXEL):
        values = values[None]  # a file of one observation has one volume
    dims = _VOXEL if values.ndim == len(_VOXEL) else ("observation", *_VOXEL)
    return xr.DataArray(values, dims=dims, attrs={AFFINE: grid.affine.tolist()})


def read_regions(folder: Path) -> tuple[xr.DataArray, dict[int, str]]:
    """Regions of the atlas ``(i, j, k)``, 0 outside all of them, and their names."""
    codes = volume(folder, names.ATLAS)
    table = read_table(folder, names.ATLAS_NAMES, as_text=("name",))
    if not {"index", "name"} <= set(table.columns):
        raise unreadable(names.ATLAS_NAMES, "it has no columns 'index' and 'name'")
    named = {int(code): str(name) for code, name in zip(table["index"], table["name"], strict=True)}
    return codes.astype(np.int32), named
