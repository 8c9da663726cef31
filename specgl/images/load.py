"""From image files to GroupData: observations by locations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import xarray as xr

from specgl.engines import Threads
from specgl.errors import Finding, ImageError, raise_errors
from specgl.images.attach import Attached, attach
from specgl.images.checks import Summary, check, summarise
from specgl.images.companions import Companions, Stack, read_stacks
from specgl.images.grid import Grid
from specgl.images.headers import Headers, read_header, read_headers
from specgl.images.masks import InputFile, Mask, MaskThreshold, read_mask
from specgl.images.paths import ImageRef, Where, listing
from specgl.images.reading import Counter, Progress, Reading
from specgl.images.space import Space
from specgl.images.stores import MaskedStore, Store, SupportStore, narrow, varying
from specgl.images.transforms import Interpolation, MissingVoxels, Preparation, Smoother
from specgl.images.variances import check_variances

_IMAGES = ("data", "images")
_OWN = ("data", "masks")


@dataclass(frozen=True, eq=False)
class Loaded:
    """GroupData, and where it came from.

    Attributes
    ----------
    data
        ``effect (observation, location)`` float32 or float64, missing = NaN, with coordinates ``observation``
        (str), ``location`` (from 0), ``i``, ``j`` and ``k`` (voxel indices of each location). With companions
        also ``variance (observation, location)`` and ``voxelwise (covariate, observation, location)`` with
        the coordinate ``covariate`` (str), each float32 or float64: wherever there is an effect they have a
        value, and where there is none they mean nothing.
    space
        The analysed voxels.
    inputs
        Every file that was read, each once for each role.
    counts
        ``mask`` (voxels of the mask; without one, voxels where any observation has a value), ``enough`` (of
        these, where enough observations have a value), ``constant`` (of these, where the values do not vary;
        left out), ``analysed``, and ``needed`` (observations that must have a value). With companions also
        ``without_variance`` and ``without_covariate`` (locations that vary, left out since too few effects
        have a usable variance, or then a value of each covariate; or since those that have one do not vary).
    coverage
        Share of the mask's voxels where each observation has a value, ``(n_obs,)``; without a mask, of the
        voxels where at least half of the observations have one. An effect that lacks a companion is no value,
        here and in `n_values` and `present`; that is known at the locations where companions are read, which
        are those with enough effects that vary.
    n_values
        Analysed locations where each observation has a value, ``(n_obs,)`` int64.
    present
        Observations with a value at each voxel, 0 outside the mask, ``(i, j, k)`` int32.
    findings
        Warnings.
    """

    data: xr.Dataset
    space: Space
    inputs: tuple[InputFile, ...]
    counts: dict[str, int]
    coverage: npt.NDArray[np.float64]
    n_values: npt.NDArray[np.int64]
    present: npt.NDArray[np.int32]
    findings: tuple[Finding, ...]


def load(
    refs: Mapping[str, ImageRef],
    grid: Grid,
    *,
    mask: Mask = None,
    missing: MissingVoxels = MissingVoxels(),  # noqa: B008  # frozen, so one default may serve all calls
    own_masks: Mapping[str, ImageRef] | None = None,
    companions: Companions = Companions(),  # noqa: B008  # likewise
    smoothing_fwhm: float | None = None,
    resample: Interpolation | None = None,
    engine: Threads,
    progress: Progress | None = None,
) -> Loaded:
    """Read all images into one array, and what belongs to them into others.

    Each image goes through: its own mask, the rules for missing voxels, resampling, smoothing, the mask.
    Values are held in float32 when every file's are exact in it, else in float64. Memory: with a mask image
    the array of the masked data, taken once and shrunk in place; without one, each image's own support until
    its row is written; beside that one image a thread (three while resampling or smoothing). Companions are
    read after that, at the locations that are left: see `specgl.images.attach`.

    Parameters
    ----------
    refs
        Image by observation id; the order is kept.
    grid
        The grid of the analysis, from `common_grid`.
    mask
        Where to analyse.
    missing
        What counts as missing, and how many observations a location needs.
    own_masks
        Each observation's own mask: outside it, its value is missing.
    companions
        First-level variances and covariates that differ by location. They are resampled as the images are and
        never smoothed: covariates are taken as they are.
    smoothing_fwhm
        Width of the Gaussian in mm; None or 0 for none.
    resample
        How images on another grid are brought onto it; None when all lie on it.
    engine
        Where it runs. The result does not depend on the number of threads.
    progress
        Called with images done and images in all, from any thread, one call at a time.

    Returns
    -------
    Loaded

    Raises
    ------
    ImageError
        With all faults: E300 (an observation without a companion), of single files (E309 to E316), E318 (a
        grid is not what was planned), E320 (no voxel left), E321 (an observation without any value).
    """
    headers, own, stacks = _headers(refs, own_masks, companions, grid, resample, engine)
    dtype = np.result_type(np.float32, *(header.held_dtype for header in headers.by_name.values()))
    smoother = Smoother(smoothing_fwhm, grid) if smoothing_fwhm else None
    store, inputs = _store(len(refs), grid, dtype, mask, resample)
    preparation = Preparation(grid, dtype, missing, resample, smoother)
    counter = Counter(progress, len(refs) * (1 + len(stacks)))
    inputs = [*inputs, *Reading(headers, own, preparation, store, counter).run(engine)]
    gathered = store.gather(missing)
    gathered = narrow(gathered, varying(gathered.values))
    n_constant = gathered.n_enough - gathered.space.n_locations
    attached = attach(
        gathered, stacks, missing=missing, interpolation=resample, engine=engine, counter=counter
    )
    counts = {
        "mask": gathered.n_mask,
        "enough": gathered.n_enough,
        "constant": n_constant,
        **attached.lost,
        "analysed": attached.gathered.space.n_locations,
        "needed": missing.needed(len(refs)),
    }
    return _finish(attached, counts, tuple(refs), tuple(dict.fromkeys((*inputs, *attached.inputs))))


def _headers(
    refs: Mapping[str, ImageRef],
    own_masks: Mapping[str, ImageRef] | None,
    companions: Companions,
    grid: Grid,
    resample: Interpolation | None,
    engine: Threads,
) -> tuple[Headers, Headers, tuple[Stack, ...]]:
    """Read all headers again, and refuse a file that changed since the grid was settled."""
    headers = read_headers(refs, engine, where=_IMAGES)
    own = read_headers(
        {who: ref for who, ref in (own_masks or {}).items() if who in refs}, engine, where=_OWN
    )
    stacks = read_stacks(companions, list(refs), engine)
    findings = [*headers.findings, *own.findings, *(f for stack in stacks for f in stack.headers.findings)]
    findings += [finding for stack in stacks for finding in stack.lacking(refs)]
    lacking = [who for who in refs if own_masks is not None and who not in own_masks]
    if lacking:
        findings.append(
            Finding("E300", f"{len(lacking)} observations have no mask: {listing(lacking)}", _OWN)
        )
    if resample is None:
        both = [*headers.by_name.values(), *own.by_name.values()]
        moved = list(dict.fromkeys(header.name for header in both if not header.grid.same_as(grid)))
        findings += _elsewhere(moved, grid, _IMAGES)
        for stack in stacks:
            findings += _elsewhere(list(stack.elsewhere(grid)), grid, stack.where)
    raise_errors(findings, ImageError)
    return headers, own, stacks


def _elsewhere(names: list[str], grid: Grid, where: Where) -> list[Finding]:
    if not names:
        return []
    message = f"these files do not lie on the analysis' grid: {listing(names)}"
    return [Finding("E318", message, where, notes=(f"the grid: {grid.describe()}",))]


def _store(
    n_obs: int, grid: Grid, dtype: np.dtype[np.generic], mask: Mask, resample: Interpolation | None
) -> tuple[Store, list[InputFile]]:
    if isinstance(mask, MaskThreshold):
        return SupportStore(n_obs, grid, dtype, above=mask.absolute_threshold), []
    if mask is None:
        return SupportStore(n_obs, grid, dtype), []
    header = read_header(mask.image, where=("mask",))
    if resample is None and not header.grid.same_as(grid):
        message = f"the mask '{header.name}' does not lie on the analysis' grid"
        raise ImageError(Finding("E318", message, ("mask",), notes=(f"the grid: {grid.describe()}",)))
    bits, file = read_mask(mask, header, grid)
    if not bits.any():
        rule = "is not 0" if mask.threshold is None else f"is above {mask.threshold:g}"
        raise ImageError(Finding("E320", f"no voxel of the mask '{header.name}' {rule}", ("mask",)))
    space = Space.from_mask(bits.reshape(grid.shape[::-1]).transpose(), grid)
    return MaskedStore(n_obs, space, dtype), [file]


def _finish(
    attached: Attached, counts: dict[str, int], names: tuple[str, ...], inputs: tuple[InputFile, ...]
) -> Loaded:
    gathered = attached.gathered
    values, space = gathered.values, gathered.space
    raise_errors((*_empty(counts, gathered.coverage, names), *attached.findings), ImageError)
    summary: Summary = summarise(values)
    findings = (*check(values, summary, gathered.coverage, names), *attached.findings)
    data = xr.Dataset(
        {"effect": (("observation", "location"), values)},
        coords={
            "observation": np.array(names, dtype=np.str_),
            "location": np.arange(space.n_locations),
            **{axis: ("location", space.voxels[:, n]) for n, axis in enumerate("ijk")},
        },
    )
    if attached.variances is not None:
        data["variance"] = (("observation", "location"), attached.variances)
        findings = (*findings, *check_variances(values, attached.variances, names))
    if attached.covariates is not None:
        data["voxelwise"] = (("covariate", "observation", "location"), attached.covariates)
        data = data.assign_coords(covariate=np.array(attached.names, dtype=np.str_))
    present = gathered.present.reshape(space.grid.shape[::-1]).transpose()
    return Loaded(data, space, inputs, counts, gathered.coverage, summary.n, present, findings)


def _empty(
    counts: Mapping[str, int], coverage: npt.NDArray[np.float64], names: tuple[str, ...]
) -> list[Finding]:
    findings = []
    void = [f"'{who}'" for who, share in zip(names, coverage, strict=True) if share == 0]
    if void:
        message = f"{len(void)} of {len(names)} observations without a value in the mask: {listing(void)}"
        findings.append(Finding("E321", message, _IMAGES, help="check these images, or exclude these rows"))
    if counts["analysed"] == 0:
        findings.append(
            Finding(
                "E320",
                "no voxel is left to analyse",
                _IMAGES,
                help="check the mask and data.missing: voxel {available: 0.8} asks for fewer observations, "
                "zero 'data' takes zeros as values",
                notes=(
                    f"voxels in the mask, or with any value: {counts['mask']}",
                    f"of these, with a value in at least {counts['needed']} of {len(names)} observations: "
                    f"{counts['enough']}",
                    f"of these, without any variation: {counts['constant']}",
                    *(
                        f"of the rest, without enough effects that have a {role}: {counts[f'without_{role}']}"
                        for role in ("variance", "covariate")
                        if f"without_{role}" in counts
                    ),
                ),
            )
        )
    return findings
