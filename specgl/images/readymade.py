"""Ready-made maps: one image whose values are thresholded, clustered and tabled as they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from specgl.errors import Finding, ImageError, raise_errors
from specgl.images.grid import group_by_grid
from specgl.images.headers import Header, read_header
from specgl.images.masks import InputFile, Mask, MaskImage, MaskThreshold, read_mask
from specgl.images.paths import ImageRef, Where, listing
from specgl.images.space import Space
from specgl.images.stream import VolumeReader
from specgl.images.transforms import decode


@dataclass(frozen=True, eq=False)
class LoadedMap:
    """The values of a ready-made map.

    Attributes
    ----------
    values
        ``(n_loc,)`` float64, all finite.
    space
        Its locations.
    inputs
        The files that were read.
    counts
        ``mask`` (voxels of the mask), ``not_finite`` (of these, without a finite value; left out) and
        ``analysed``.
    findings
        Warnings.
    """

    values: npt.NDArray[np.float64]
    space: Space
    inputs: tuple[InputFile, ...]
    counts: dict[str, int]
    findings: tuple[Finding, ...]


def load_map(ref: ImageRef, *, mask: Mask = None, where: Where = ("maps",)) -> LoadedMap:
    """Read a ready-made map.

    Parameters
    ----------
    ref
        The map.
    mask
        Where to look; voxels that are finite and not 0 when None. Voxels without a finite value are left out
        of a mask image too; zeros inside it stay.
    where
        Keys of the spec for findings.

    Returns
    -------
    LoadedMap

    Raises
    ------
    ImageError
        E309 to E316 (the files), E318 (the mask lies on another grid) or E320 (no voxel left).
    """
    header = _checked(ref, where)
    reader = VolumeReader(header)
    values = np.zeros(0)
    for _, stored in reader.volumes(frozenset({ref.volume or 0})):
        values = decode(stored, header, np.dtype(np.float64))
    inputs = [InputFile(header.path, header.size, reader.sha256, "map", header.name)]
    finite = np.isfinite(values)
    if isinstance(mask, MaskImage):
        inside, file = _mask(mask, header)
        inputs.append(file)
    elif isinstance(mask, MaskThreshold):
        inside = finite & (values > mask.absolute_threshold)
    else:
        inside = finite & (values != 0)
    wanted = inside & finite
    counts = {
        "mask": int(inside.sum()),
        "not_finite": int((inside & ~finite).sum()),
        "analysed": int(wanted.sum()),
    }
    if not counts["analysed"]:
        notes = (f"voxels in the mask: {counts['mask']}", f"of these, not finite: {counts['not_finite']}")
        raise ImageError(Finding("E320", f"no voxel of '{header.name}' is left", where, notes=notes))
    space = Space.from_mask(wanted.reshape(header.grid.shape[::-1]).transpose(), header.grid)
    return LoadedMap(values[space.file_index], space, tuple(inputs), counts, header.findings)


def join_maps(maps: Sequence[LoadedMap]) -> tuple[Space, list[npt.NDArray[np.float64]]]:
    """Put ready-made maps over one set of locations: all that any of them has.

    Parameters
    ----------
    maps
        At least one map; all on one grid.

    Returns
    -------
    space : Space
        The locations of all maps together.
    values : list of ndarray
        Of each map ``(n_loc,)``, NaN where it has no value, so that its own locations stay its family.

    Raises
    ------
    ImageError
        E317 when the maps lie on different grids.
    """
    grid = maps[0].space.grid
    if not all(one.space.grid.same_as(grid) for one in maps):
        groups = group_by_grid({one.inputs[0].name: one.space.grid for one in maps})
        notes = tuple(f"{own.describe()}: {listing(names)}" for own, names in groups)
        raise ImageError(
            Finding("E317", f"the maps lie on {len(groups)} different grids", ("maps",), notes=notes)
        )
    index = maps[0].space.index
    for one in maps[1:]:
        index = np.union1d(index, one.space.index)
    values = []
    for one in maps:
        own = np.full(len(index), np.nan)
        own[np.searchsorted(index, one.space.index)] = one.values
        values.append(own)
    return Space.from_index(index, grid), values


def _checked(ref: ImageRef, where: Where) -> Header:
    header = read_header(ref, where=where)
    if ref.volume is None and header.n_volumes > 1:
        message = f"'{header.name}' has {header.n_volumes} volumes; one is expected"
        raise ImageError(Finding("E312", message, where))
    return header


def _mask(mask: MaskImage, header: Header) -> tuple[npt.NDArray[np.bool_], InputFile]:
    mask_header = _checked(mask.image, ("mask",))
    findings = []
    if not mask_header.grid.same_as(header.grid):
        notes = (f"map: {header.grid.describe()}", f"mask: {mask_header.grid.describe()}")
        message = f"the mask '{mask_header.name}' lies on another grid than the map '{header.name}'"
        findings.append(Finding("E318", message, ("mask",), notes=notes))
    raise_errors(findings, ImageError)
    return read_mask(mask, mask_header, header.grid)
