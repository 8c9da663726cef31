"""A bundle's maps as one labelled data set."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from specgl.bundle import names
from specgl.bundle.lazy import MapFile, MapStack, lazy_variable
from specgl.bundle.looking import AFFINE
from specgl.bundle.manifest import FileEntry
from specgl.bundle.maps import STAT
from specgl.bundle.names import Role
from specgl.bundle.received import read_json
from specgl.bundle.tables import ID, read_table
from specgl.variables import VARIABLES

_VOXEL = ("i", "j", "k")
_OBSERVATION_DIM = "observation"
_GROUP_DIM = "group"
_MM = "_mm"
"""Ending of coordinates in mm: `z` alone is a statistic."""

_ALIGNED_RTOL = 1e-6
"""Relative to the longest edge of a voxel: headers keep affines in float32, whose digits end at 1e-7."""


def maps_dataset(folder: Path, manifest: Mapping[str, Any], files: Sequence[FileEntry]) -> xr.Dataset:
    """All maps of a bundle, lazily read; see `Bundle.maps`.

    Parameters
    ----------
    folder
        The bundle.
    manifest, files
        Its manifest, and the files this names.
    """
    space = manifest.get("space")
    if space is None:
        return xr.Dataset()
    shape = tuple(space["shape"])
    contrasts = [contrast["name"] for contrast in manifest["contrasts"]]
    grouped: dict[str, list[FileEntry]] = defaultdict(list)
    for file in files:
        if file.role.is_map:
            grouped[_name(file)].append(file)
            if _is_own_statistic(file):  # written once, and found under both names
                grouped[str(file.label.stat)].append(file)
    variables = {
        name: _variable(folder, name, group, contrasts, shape, manifest) for name, group in grouped.items()
    }
    of_contrasts = {
        "contrast": contrasts,
        "kind": ("contrast", [contrast["statistic"] for contrast in manifest["contrasts"]]),
        "alternative": ("contrast", [contrast["alternative"] for contrast in manifest["contrasts"]]),
    }
    data = xr.Dataset(variables, coords=_coordinates(space) | of_contrasts)
    for name in data.coords:
        if str(name).endswith(_MM):
            data = data.set_xindex(str(name))  # so that places can be chosen by mm
    if _OBSERVATION_DIM in data.dims:
        table = read_table(folder, names.DESIGN_TABLE, as_text=(ID,))
        data = data.assign_coords({_OBSERVATION_DIM: table[ID].to_numpy(dtype=object)})
    if _GROUP_DIM in data.dims:
        data = data.assign_coords({_GROUP_DIM: np.array(_groups(folder), dtype=object)})
    return data.assign_attrs(
        name=manifest["name"],
        spec_digest=manifest["spec_digest"],
        space=space["label"],
        **{AFFINE: space["affine"]},
    )


def mask_array(folder: Path, manifest: Mapping[str, Any], files: Sequence[FileEntry]) -> xr.DataArray:
    """The analysed mask `(i, j, k)` as bool.

    Raises
    ------
    LookupError
        When the bundle has no mask, being that of a run that stopped.
    """
    file = next((file for file in files if file.role is Role.MASK), None)
    if file is None:
        raise LookupError("the bundle has no mask: its run did not complete")
    space = manifest["space"]
    stored = MapFile(folder / file.path, tuple(space["shape"]), np.dtype(np.uint8))
    mask = xr.DataArray(lazy_variable(_VOXEL, stored, {}), coords=_coordinates(space), name="mask")
    return mask.astype(bool).assign_attrs({AFFINE: space["affine"]})


def _name(file: FileEntry) -> str:
    variable = file.label.variable or str(file.label.stat)
    return variable if file.label.inference is None else f"{variable}_{file.label.inference}"


def _is_own_statistic(file: FileEntry) -> bool:
    """Whether a map of a statistic is that of z or p too, as of fixed effects and of ready-made maps."""
    label = file.label
    return label.variable == STAT and label.inference is None and label.stat in VARIABLES


def _variable(
    folder: Path,
    name: str,
    files: Sequence[FileEntry],
    contrasts: Sequence[str],
    shape: tuple[int, ...],
    manifest: Mapping[str, Any],
) -> xr.Variable:
    dtype = np.result_type(*(np.dtype(file.label.dtype or "float32") for file in files))
    first = files[0]
    attributes: dict[str, Any] = {AFFINE: manifest["space"]["affine"]}
    if first.label.inference is None and name in VARIABLES:
        attributes |= {"units": VARIABLES[name].unit, "description": VARIABLES[name].meaning}
    if first.label.contrast is not None:
        by_contrast = {file.label.contrast: folder / file.path for file in files}
        stack = MapStack([by_contrast.get(contrast) for contrast in contrasts], shape, dtype)
        return lazy_variable(("contrast", *_VOXEL), stack, attributes)
    dims = VARIABLES[name].dims if name in VARIABLES else ()
    if _OBSERVATION_DIM in dims:
        stored = MapFile(folder / first.path, (manifest["observations"], *shape), dtype)
        return lazy_variable((_OBSERVATION_DIM, *_VOXEL), stored, attributes)
    if _GROUP_DIM in dims and (n_groups := len(_groups(folder))) > 1:
        stored = MapFile(folder / first.path, (n_groups, *shape), dtype)
        return lazy_variable((_GROUP_DIM, *_VOXEL), stored, attributes)
    return lazy_variable(_VOXEL, MapFile(folder / first.path, shape, dtype), attributes)


def _groups(folder: Path) -> tuple[str, ...]:
    """Labels of the variance groups, in the order of the volumes of a map that has one a group."""
    words = read_json(folder, names.DESIGN_WORDS)
    groups = words.get("variance_groups") or {} if isinstance(words, dict) else {}
    return tuple(groups.get("counts", {}))


def _coordinates(space: Mapping[str, Any]) -> dict[str, Any]:
    """Voxel indices, and mm along each axis where the grid is aligned with the axes of its space."""
    shape = space["shape"]
    affine = np.asarray(space["affine"], dtype=np.float64)
    coordinates: dict[str, Any] = {dim: np.arange(length) for dim, length in zip(_VOXEL, shape, strict=True)}
    turn = affine[:3, :3]
    big = np.abs(turn) > _ALIGNED_RTOL * np.abs(turn).max()
    if (big.sum(axis=0) == 1).all() and (big.sum(axis=1) == 1).all():
        for row, axis in enumerate("xyz"):
            column = int(np.argmax(big[row]))
            positions = affine[row, 3] + turn[row, column] * np.arange(shape[column])
            coordinates[axis + _MM] = (_VOXEL[column], positions, {"units": "mm"})
    return coordinates
