"""The one grid of an analysis: whether all images lie on it, or onto which they are brought."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from specgl.errors import Finding, ImageError, raise_errors
from specgl.images.bids import parse_name, space_label
from specgl.images.companions import Stack
from specgl.images.grid import Grid, group_by_grid
from specgl.images.headers import Header, Headers, read_header
from specgl.images.masks import Mask, MaskImage
from specgl.images.paths import ImageRef, Where, listing
from specgl.images.transforms import Interpolation

_IMAGES = ("data", "images")
_OWN = ("data", "masks")
_RESAMPLE = ("data", "resample", "to")


@dataclass(frozen=True)
class Resample:
    """Bring all images onto one grid.

    Attributes
    ----------
    to
        The mask's grid, the first image's, or that of a file.
    interpolation
        ``linear`` or ``nearest``; masks are always brought by the nearest voxel.
    """

    to: Literal["mask", "first"] | ImageRef
    interpolation: Interpolation = "linear"


@dataclass(frozen=True)
class Agreement:
    """The grid of the analysis, and the warnings met on the way to it."""

    grid: Grid
    findings: tuple[Finding, ...] = ()


def common_grid(
    images: Headers,
    *,
    mask: Mask = None,
    own_masks: Headers | None = None,
    companions: Sequence[Stack] = (),
    resample: Resample | None = None,
) -> Agreement:
    """Settle the grid of an analysis from headers alone.

    Parameters
    ----------
    images
        Headers of the images.
    mask
        The mask; a mask image's header is read here.
    own_masks
        Headers of the observations' own masks.
    companions
        Headers of variances and covariates.
    resample
        What to do about differing grids; without it they are errors.

    Returns
    -------
    Agreement
        The grid, with the template's label where all file names agree on one.

    Raises
    ------
    ImageError
        With every fault of the headers and of their grids: E300, E308 to E319.
    """
    findings = [*images.findings, *(own_masks.findings if own_masks else ())]
    findings += [finding for stack in companions for finding in stack.headers.findings]
    if not images.refs:
        findings.append(Finding("E300", "there is no image to analyse", _IMAGES))
    mask_header = _mask_header(mask, findings)
    label, label_findings = _label(images)
    findings.extend(label_findings)
    if resample is None:
        grid = _shared(images, mask_header, own_masks, findings)
        if grid is not None:
            findings += _companions_elsewhere(companions, grid)
    else:
        grid, label = _target(resample, images, mask_header, findings)
    raise_errors(findings, ImageError)
    if grid is None:
        raise ImageError(Finding("E300", "there is no image to analyse", _IMAGES))
    return Agreement(grid.with_space(label), tuple(findings))


def _mask_header(mask: Mask, findings: list[Finding]) -> Header | None:
    if not isinstance(mask, MaskImage):
        return None
    header = _read(mask.image, ("mask",), findings)
    if header is not None and header.n_volumes > 1 and mask.image.volume is None:
        message = f"the mask '{header.name}' has {header.n_volumes} volumes; one is expected"
        findings.append(Finding("E312", message, ("mask",)))
    return header


def _read(ref: ImageRef, where: tuple[str, ...], findings: list[Finding]) -> Header | None:
    try:
        header = read_header(ref, where=where)
    except ImageError as error:
        findings.extend(error.findings)
        return None
    findings.extend(header.findings)
    return header


def _label(images: Headers) -> tuple[str | None, list[Finding]]:
    names = [header.path.name for header in images.by_name.values()]
    labels = sorted({(parse_name(name) or {}).get("space", "") for name in names} - {""})
    if len(labels) < 2:
        return space_label(names), []
    message = f"the images' names carry different spaces: {listing(labels)}"
    return None, [Finding("W302", message, _IMAGES, help="analyse images of one space together")]


def _shared(
    images: Headers, mask: Header | None, own_masks: Headers | None, findings: list[Finding]
) -> Grid | None:
    """Return the grid that all images share; note E317 and E318 where they do not."""
    by_file = {header.name: header.grid for header in images.by_name.values()}
    groups = group_by_grid(by_file)
    if not groups:
        return None
    if len(groups) > 1:
        findings.append(
            Finding(
                "E317",
                f"the images lie on {len(groups)} different grids",
                _IMAGES,
                help="bring them onto one grid, or ask for it with data.resample: {to: mask}",
                notes=tuple(_group_note(grid, names) for grid, names in groups),
            )
        )
        return None
    grid = next(iter(images.by_name.values())).grid
    if mask is not None and not mask.grid.same_as(grid):
        findings.append(_other_grid({mask.name: mask.grid}, "the mask lies", grid, ("mask",)))
    own = own_masks.by_name if own_masks else {}
    others = {header.name: header.grid for header in own.values() if not header.grid.same_as(grid)}
    if others:
        findings.append(_other_grid(others, f"{len(others)} of the observations' masks lie", grid, _OWN))
    return grid


def _companions_elsewhere(companions: Sequence[Stack], grid: Grid) -> list[Finding]:
    found = []
    for stack in companions:
        others = stack.elsewhere(grid)
        if others:
            what = "variance images" if stack.role == "variance" else f"images of '{stack.name}'"
            whose = f"{len(others)} of the {what} lie"
            found.append(_other_grid(others, whose, grid, stack.where, what="them"))
    return found


def _group_note(grid: Grid, names: list[str]) -> str:
    return f"{len(names)} on {grid.describe()}: {listing(names)}"


def _other_grid(
    others: Mapping[str, Grid], whose: str, grid: Grid, where: Where, *, what: str = "the mask"
) -> Finding:
    return Finding(
        "E318",
        f"{whose} on another grid than the images: {listing(list(others))}",
        where,
        help=f"resample {what} onto the images' grid, or ask for it: data.resample: {{to: first}}",
        notes=(
            f"images: {grid.describe()}",
            *(_group_note(other, names) for other, names in group_by_grid(others)),
        ),
    )


def _target(
    resample: Resample, images: Headers, mask: Header | None, findings: list[Finding]
) -> tuple[Grid | None, str | None]:
    """Return the grid that everything is brought onto, and the label in its file's name."""
    header: Header | None
    if isinstance(resample.to, ImageRef):
        header = _read(resample.to, _RESAMPLE, findings)
    elif resample.to == "first":
        header = next(iter(images.by_name.values()), None)
    else:
        header = mask
        if mask is None and not any(f.is_error and f.where == ("mask",) for f in findings):
            message = "the images are to be resampled to the mask, and no mask image is given"
            findings.append(Finding("E319", message, _RESAMPLE, help="name a mask image, or use 'first'"))
    return (None, None) if header is None else (header.grid, header.grid.space)
