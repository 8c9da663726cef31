"""From image files to GroupData: observations by locations."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import islice
from threading import Lock

import numpy as np
import numpy.typing as npt
import xarray as xr

from specgl.engines import Threads
from specgl.errors import Finding, ImageError, raise_errors
from specgl.images.checks import Summary, check, summarise
from specgl.images.grid import Grid
from specgl.images.headers import Header, Headers, read_header, read_headers
from specgl.images.masks import InputFile, Mask, MaskImage, MaskThreshold, read_mask
from specgl.images.paths import ImageRef, listing
from specgl.images.space import Space
from specgl.images.stores import Gathered, MaskedStore, Store, SupportStore, keep
from specgl.images.stream import VolumeReader
from specgl.images.transforms import Interpolation, MissingVoxels, Preparation, Real, Smoother

_IMAGES = ("data", "images")
_OWN = ("data", "masks")
Progress = Callable[[int, int], None]


@dataclass(frozen=True, eq=False)
class Loaded:
    """GroupData, and where it came from.

    Attributes
    ----------
    data
        ``effect (observation, location)`` float32 or float64, missing = NaN, with coordinates ``observation``
        (str), ``location`` (from 0), ``i``, ``j`` and ``k`` (voxel indices of each location).
    space
        The analysed voxels.
    inputs
        Every file that was read, each once for each role.
    counts
        ``mask`` (voxels of the mask; without one, voxels where any observation has a value), ``enough`` (of
        these, where enough observations have a value), ``constant`` (of these, where the values do not vary;
        left out), ``analysed``, and ``needed`` (observations that must have a value).
    coverage
        Share of the mask's voxels where each observation has a value, ``(n_obs,)``; without a mask, of the
        voxels where at least half of the observations have one.
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
    smoothing_fwhm: float | None = None,
    resample: Interpolation | None = None,
    engine: Threads,
    progress: Progress | None = None,
) -> Loaded:
    """Read all images into one array.

    Each image goes through: its own mask, the rules for missing voxels, resampling, smoothing, the mask.
    Values are held in float32 when every file's are exact in it, else in float64. Memory: with a mask image
    the array of the masked data, taken once and shrunk in place; without one, each image's own support until
    its row is written; beside that one image a thread (three while resampling or smoothing).

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
        With all faults: of single files (E309 to E316), E318 (a grid is not what was planned), E320 (no voxel
        left), E321 (an observation without any value).
    """
    headers, own = _headers(refs, own_masks, grid, resample, engine)
    dtype = np.result_type(np.float32, *(header.held_dtype for header in headers.by_name.values()))
    smoother = Smoother(smoothing_fwhm, grid) if smoothing_fwhm else None
    store, inputs = _store(len(refs), grid, dtype, mask, resample)
    preparation = Preparation(grid, dtype, missing, resample, smoother)
    reading = _Reading(headers, own, preparation, store, progress)
    inputs = [*inputs, *reading.run(engine)]
    gathered = store.gather(missing)
    return _finish(gathered, tuple(refs), missing.needed(len(refs)), tuple(dict.fromkeys(inputs)))


def _headers(
    refs: Mapping[str, ImageRef],
    own_masks: Mapping[str, ImageRef] | None,
    grid: Grid,
    resample: Interpolation | None,
    engine: Threads,
) -> tuple[Headers, Headers]:
    """Read all headers again, and refuse a file that changed since the grid was settled."""
    headers = read_headers(refs, engine, where=_IMAGES)
    own = read_headers(
        {who: ref for who, ref in (own_masks or {}).items() if who in refs}, engine, where=_OWN
    )
    findings = [*headers.findings, *own.findings]
    lacking = [who for who in refs if own_masks is not None and who not in own_masks]
    if lacking:
        findings.append(
            Finding("E300", f"{len(lacking)} observations have no mask: {listing(lacking)}", _OWN)
        )
    if resample is None:
        both = [*headers.by_name.values(), *own.by_name.values()]
        elsewhere = list(dict.fromkeys(h.name for h in both if not h.grid.same_as(grid)))
        if elsewhere:
            message = f"these files do not lie on the analysis' grid: {listing(elsewhere)}"
            findings.append(Finding("E318", message, _IMAGES, notes=(f"the grid: {grid.describe()}",)))
    raise_errors(findings, ImageError)
    return headers, own


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


class _Reading:
    """One pass over all files."""

    def __init__(
        self,
        headers: Headers,
        own: Headers,
        preparation: Preparation,
        store: Store,
        progress: Progress | None,
    ) -> None:
        self._headers, self._own = headers, own
        self._preparation, self._store = preparation, store
        self._progress = progress
        self._lock = Lock()
        self._done = 0
        self._total = len(headers.by_name)
        rows: dict[tuple[str, int], list[tuple[int, str]]] = {}
        files: dict[str, Header] = {}
        for row, (who, header) in enumerate(headers.by_name.items()):
            path = str(header.path)
            files[path] = header
            rows.setdefault((path, headers.refs[who].volume or 0), []).append((row, who))
        self._rows, self._files = rows, files

    def run(self, engine: Threads) -> list[InputFile]:
        """Read everything; files of one volume side by side, volumes of a 4-D file side by side."""
        inputs: list[InputFile] = []
        findings: list[Finding] = []
        single = [header for header in self._files.values() if header.n_volumes == 1]
        for outcome in engine.map(self._try_file, single):
            if isinstance(outcome, ImageError):
                findings.extend(outcome.findings)
            else:
                inputs.extend(outcome)
        for header in self._files.values():
            if header.n_volumes > 1:
                try:
                    inputs.extend(self._read_stack(header, engine))
                except ImageError as error:
                    findings.extend(error.findings)
        raise_errors(findings, ImageError)
        return inputs

    def _try_file(self, header: Header) -> list[InputFile] | ImageError:
        try:
            reader = VolumeReader(header)
            inputs: list[InputFile] = []
            for number, stored in reader.volumes(frozenset({0})):
                inputs.extend(self._keep(header, number, stored))
            return [_input(header, reader), *inputs]
        except ImageError as error:
            return error

    def _read_stack(self, header: Header, engine: Threads) -> list[InputFile]:
        reader = VolumeReader(header)
        wanted = frozenset(number for path, number in self._rows if path == str(header.path))
        volumes = reader.volumes(wanted)
        inputs: list[InputFile] = []
        while batch := list(islice(volumes, engine.n)):
            for read in engine.map(lambda item: self._keep(header, *item), batch):
                inputs.extend(read)
        return [_input(header, reader), *inputs]

    def _keep(self, header: Header, number: int, stored: npt.NDArray[np.generic]) -> list[InputFile]:
        """Store one volume for every observation that is to have it."""
        inputs = []
        owners = self._rows[str(header.path), number]
        for left, (row, who) in zip(range(len(owners) - 1, -1, -1), owners, strict=True):
            bits = None
            if who in self._own.by_name:
                mask = MaskImage(self._own.refs[who])
                bits, file = read_mask(mask, self._own.by_name[who], header.grid, "observation mask")
                inputs.append(file)
            values = self._preparation.values(
                stored.copy() if left else stored, header, bits, self._store.index
            )
            self._store.put(row, values)
            self._tell()
        return inputs

    def _tell(self) -> None:
        if self._progress is None:
            return
        with self._lock:
            self._done += 1
            self._progress(self._done, self._total)


def _input(header: Header, reader: VolumeReader) -> InputFile:
    return InputFile(header.path, header.size, reader.sha256, "image", header.name)


def _varying(values: Real) -> npt.NDArray[np.bool_]:
    """Tell at which locations the observations that have a value differ, ``(n_loc,)``."""
    low = np.full(values.shape[1], np.nan, dtype=values.dtype)
    high = low.copy()
    for row in values:
        np.fmin(low, row, out=low)
        np.fmax(high, row, out=high)
    result: npt.NDArray[np.bool_] = low < high
    return result


def _finish(gathered: Gathered, names: tuple[str, ...], needed: int, inputs: tuple[InputFile, ...]) -> Loaded:
    varying = _varying(gathered.values)
    values, space = keep(gathered.values, gathered.space, varying)
    counts = {
        "mask": gathered.n_mask,
        "enough": gathered.n_enough,
        "constant": gathered.n_enough - space.n_locations,
        "analysed": space.n_locations,
        "needed": needed,
    }
    raise_errors(_empty(counts, gathered.coverage, names), ImageError)
    summary: Summary = summarise(values)
    findings = check(values, summary, gathered.coverage, names)
    data = xr.Dataset(
        {"effect": (("observation", "location"), values)},
        coords={
            "observation": np.array(names, dtype=np.str_),
            "location": np.arange(space.n_locations),
            **{axis: ("location", space.voxels[:, n]) for n, axis in enumerate("ijk")},
        },
    )
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
                ),
            )
        )
    return findings
