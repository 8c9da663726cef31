"""Headers of image files, read and judged before any voxel is."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from itertools import product
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import numpy.typing as npt
from nibabel.spatialimages import HeaderDataError

from specgl.engines import Threads
from specgl.errors import Finding, ImageError
from specgl.images.bids import parse_name
from specgl.images.grid import Grid
from specgl.images.paths import ImageRef, Where

MAX_VOXELS = 500_000_000
"""More voxels than this in one file are refused: 0.5 mm whole-brain images have 5e7."""

MAX_EDGE = 32_767
"""Longest axis that a NIfTI-1 file, the form of all results, can hold."""

MAX_BEYOND = 2**26
"""So many bytes beyond the last voxel are inflated to look for the end of a compressed file."""

MAX_DEFLATE = 1_032
"""Deflate turns one byte into at most this many (RFC 1951: 258 bytes in two bits)."""

DISAGREEMENT = 0.1
"""Shift of a corner voxel, in voxels, from which qform and sform are said to disagree."""

_GZIP = b"\x1f\x8b"
_KINDS: dict[int, tuple[Any, bytes]] = {
    348: (nib.Nifti1Header, b"n+1"),
    540: (nib.Nifti2Header, b"n+2"),
}


@dataclass(frozen=True, eq=False)
class Header:
    """What a file says of itself.

    Attributes
    ----------
    path, name
        The file, and how messages call it.
    grid
        Its voxel grid.
    n_volumes
        Number of volumes.
    dtype
        Stored type of a value, with its byte order.
    slope, inter
        A value is ``slope * stored + inter``.
    offset
        Bytes before the first value (inflated).
    size
        Bytes on disk.
    compressed
        Whether the file is gzipped, by its first bytes and not by its name.
    findings
        Warnings.
    where
        Keys of the spec that lead to the file.
    """

    path: Path
    name: str
    grid: Grid
    n_volumes: int
    dtype: np.dtype[Any]
    slope: float
    inter: float
    offset: int
    size: int
    compressed: bool
    findings: tuple[Finding, ...] = ()
    where: Where = ()

    @property
    def scaled(self) -> bool:
        """Whether stored values are not yet the values."""
        return (self.slope, self.inter) != (1.0, 0.0)

    @property
    def held_dtype(self) -> np.dtype[np.float32] | np.dtype[np.float64]:
        """Smallest of float32 and float64 that holds every value of the file exactly, or float64."""
        if not self.scaled and np.can_cast(self.dtype, np.float32, "safe"):
            return np.dtype(np.float32)
        return np.dtype(np.float64)


@dataclass(frozen=True, eq=False)
class Headers:
    """The headers of a set of images.

    Attributes
    ----------
    refs
        What was asked for, by name (an observation's id).
    by_name
        Header of each readable image.
    findings
        Every fault (E300 to E316) and warning.
    """

    refs: Mapping[str, ImageRef]
    by_name: dict[str, Header]
    findings: tuple[Finding, ...]


def read_headers(
    refs: Mapping[str, ImageRef], engine: Threads, *, where: Where = ("data", "images")
) -> Headers:
    """Read the headers of images, several at a time, each file once.

    Parameters
    ----------
    refs
        Images by name.
    engine
        Where it runs.
    where
        Keys of the spec for findings.

    Returns
    -------
    Headers
        Faults are in its findings; nothing is raised for them.
    """
    first = {ref.path: ref for ref in reversed(list(refs.values()))}
    paths = list(first)
    outcomes = dict(zip(paths, engine.map(lambda p: _try_header(first[p], where), paths), strict=True))
    findings = [finding for path in paths for finding in outcomes[path].findings]
    by_name: dict[str, Header] = {}
    for name, ref in refs.items():
        outcome = outcomes[ref.path]
        if isinstance(outcome, Header):
            fault = _volume_fault(name, ref, outcome, where)
            findings.extend(fault)
            if not fault:
                by_name[name] = outcome
    return Headers(dict(refs), by_name, tuple(findings))


def read_header(ref: ImageRef, *, where: Where = ()) -> Header:
    """Read and judge the header of one file.

    Parameters
    ----------
    ref
        The image.
    where
        Keys of the spec for findings.

    Returns
    -------
    Header

    Raises
    ------
    ImageError
        E309 (no such file), E310 (no NIfTI image), E311 (damaged), E312 (dimensions), E313 (too large), E314
        (declares more than it can hold), E315 (values that are no real numbers), E316 (affine).
    """

    def fault(code: str, message: str, hint: str | None = None) -> ImageError:
        return ImageError(Finding(code, f"'{ref.shown}' {message}", where, help=hint))

    try:
        size = ref.path.stat().st_size
        with ref.path.open("rb") as file:
            start = file.read(4096)
            compressed = start.startswith(_GZIP)
            if compressed and size >= 18:
                file.seek(-4, 2)
                declared_end = int.from_bytes(file.read(4), "little")
            else:
                declared_end = 0
    except OSError as error:
        raise fault("E309", f"cannot be opened: {error.strerror}") from None
    if compressed:
        start = _inflate_start(start, fault)
    raw = _parse(start, fault)
    shape, n_volumes = _dimensions(raw, fault)
    dtype = _stored_type(raw, fault)
    slope, inter = _scaling(raw, fault)
    offset = max(int(raw["vox_offset"]), int(raw["sizeof_hdr"]) + 4)
    total = offset + int(np.prod(shape)) * n_volumes * dtype.itemsize
    _can_hold(total, size, compressed, fault)
    if compressed and declared_end != total % 2**32:
        _check_stream(ref.path, total, fault)
    label = (parse_name(ref.path.name) or {}).get("space")
    grid = Grid(shape, _affine(raw, fault), int(raw["qform_code"]), int(raw["sform_code"]), label)
    return Header(
        ref.path, ref.shown, grid, n_volumes, dtype, slope, inter, offset, size, compressed,
        _form_warnings(raw, grid, ref.shown, where), where,
    )  # fmt: skip


def _try_header(ref: ImageRef, where: Where) -> Header | ImageError:
    try:
        return read_header(ref, where=where)
    except ImageError as error:
        return error


def _inflate_start(start: bytes, fault: Any) -> bytes:
    stream = zlib.decompressobj(wbits=31)
    try:
        inflated = stream.decompress(start, 2048)
    except zlib.error as error:
        raise fault("E311", f"is damaged: the compressed data do not decode ({error})", _AGAIN) from None
    if not inflated and not stream.eof:
        raise fault("E311", "is damaged: the compressed data end too early", _AGAIN)
    return inflated


_AGAIN = "copy or make the file again"
_NIFTI = "specgl reads NIfTI-1 and NIfTI-2 in one file: .nii or .nii.gz"


def _parse(start: bytes, fault: Any) -> Any:
    """Return nibabel's header of the first bytes, or raise E310 or E311."""
    for order in ("little", "big"):
        length = int.from_bytes(start[:4], order)
        if length in _KINDS:
            break
    else:
        kind = (
            "is empty" if not start else "is text, not an image" if _is_text(start) else "is no NIfTI image"
        )
        raise fault("E310", kind, _NIFTI)
    factory, magic = _KINDS[length]
    if len(start) < length:
        raise fault("E311", "is damaged: it ends within its header", _AGAIN)
    raw = factory.from_fileobj(BytesIO(start[:length]), check=False)
    if raw["magic"].tobytes()[:3] != magic:
        raise fault("E310", "is no single-file NIfTI image", _NIFTI)
    return raw


def _is_text(start: bytes) -> bool:
    try:
        text = start[:512].decode()
    except UnicodeDecodeError:
        return False
    return "\0" not in text


def _dimensions(raw: Any, fault: Any) -> tuple[tuple[int, int, int], int]:
    dim = [int(d) for d in raw["dim"]]
    n_dim = dim[0]
    if not 1 <= n_dim <= 7 or any(d < 1 for d in dim[1 : n_dim + 1]):
        raise fault("E310", f"has no valid dimensions (dim is {dim})", _AGAIN)
    shape = dim[1 : n_dim + 1]
    size = " x ".join(map(str, shape))
    if n_dim < 3 or any(d > 1 for d in shape[4:]):
        hint = "a CIFTI or other vector file cannot be used here" if n_dim > 4 else None
        raise fault("E312", f"is no volume: it has dimensions {size}; 3-D or 4-D is expected", hint)
    voxels = 1
    for d in shape:
        voxels *= d
    if voxels > MAX_VOXELS or max(shape[:3]) > MAX_EDGE:
        raise fault(
            "E313", f"declares {size} voxels; at most {MAX_VOXELS:.0e} and {MAX_EDGE} along an axis are read"
        )
    return (shape[0], shape[1], shape[2]), shape[3] if n_dim > 3 else 1


def _stored_type(raw: Any, fault: Any) -> np.dtype[Any]:
    try:
        dtype: np.dtype[Any] = raw.get_data_dtype()
    except (HeaderDataError, KeyError):
        raise fault("E315", f"stores values of an unknown type ({int(raw['datatype'])})", _AGAIN) from None
    if dtype.kind not in "iuf" or dtype.itemsize == 0:
        kind = (
            "complex numbers" if dtype.kind == "c" else "colours" if dtype.names else f"{dtype.name} values"
        )
        raise fault(
            "E315", f"stores {kind}; one real number a voxel is expected", "take its magnitude or a channel"
        )
    return dtype


def _scaling(raw: Any, fault: Any) -> tuple[float, float]:
    try:
        slope, inter = raw.get_slope_inter()
    except HeaderDataError:
        raise fault("E310", "has an intercept that is no number (scl_inter)", _AGAIN) from None
    return (1.0, 0.0) if slope is None else (float(slope), float(inter))


def _can_hold(total: int, size: int, compressed: bool, fault: Any) -> None:
    most = size * MAX_DEFLATE if compressed else size
    if total <= most:
        return
    if compressed:
        raise fault("E314", f"declares {total:,} bytes, which {size:,} bytes of gzip cannot hold", _AGAIN)
    raise fault("E311", f"is damaged: it has {size:,} bytes and declares {total:,}", _AGAIN)


def _check_stream(path: Path, total: int, fault: Any) -> None:
    """Inflate a whole gzip file whose last bytes are not the length that its header leads to.

    Files of several members, or with bytes after the voxels, are sound and rare; a truncated file is caught
    here, before anything is computed.
    """
    stream = zlib.decompressobj(wbits=31)
    try:
        with path.open("rb") as file:
            pending = file.read(1 << 18)
            inflated = 0
            while pending:
                inflated += len(stream.decompress(pending, 1 << 22))
                if stream.eof or inflated > total + MAX_BEYOND:
                    return  # whatever follows the voxels is judged when they are read
                pending = stream.unconsumed_tail or file.read(1 << 18)
    except (OSError, zlib.error) as error:
        raise fault("E311", f"is damaged: the compressed data do not decode ({error})", _AGAIN) from None
    raise fault("E311", "is damaged: the compressed data end too early", _AGAIN)


def _affine(raw: Any, fault: Any) -> npt.NDArray[np.float64]:
    try:
        affine = np.asarray(raw.get_best_affine(), dtype=np.float64)
    except (HeaderDataError, ValueError) as error:
        raise fault("E316", f"has no usable affine: {error}") from None
    if not np.isfinite(affine).all() or abs(np.linalg.det(affine[:3, :3])) < 1e-12:
        raise fault("E316", "has no usable affine: it is singular or not finite", "set its sform or qform")
    return affine


def _form_warnings(raw: Any, grid: Grid, name: str, where: Where) -> tuple[Finding, ...]:
    if grid.qform_code == 0 and grid.sform_code == 0:
        message = f"'{name}' says neither by qform nor by sform where it lies; coordinates in mm are a guess"
        return (Finding("W301", message, where, help="set its sform"),)
    if grid.qform_code == 0 or grid.sform_code == 0:
        return ()
    try:
        qform = np.asarray(raw.get_qform(), dtype=np.float64)
    except (HeaderDataError, ValueError):
        return ()
    ends = [(0, n - 1) for n in grid.shape]
    corners = np.array([(*corner, 1) for corner in product(*ends)], dtype=np.float64)
    shift = np.linalg.norm(corners @ (qform - grid.affine).T, axis=1).max()
    if shift <= DISAGREEMENT * grid.zooms.min():
        return ()
    message = f"qform and sform of '{name}' disagree by up to {shift:.3g} mm; the sform is used"
    return (Finding("W300", message, where, help="other tools may use the qform: make them equal"),)


def _volume_fault(who: str, ref: ImageRef, header: Header, where: Where) -> list[Finding]:
    if ref.volume is None and header.n_volumes > 1:
        message = f"'{ref.shown}' of '{who}' has {header.n_volumes} volumes; one is expected"
        return [Finding("E312", message, where, help="split it, or use {file: …, index: column}")]
    if ref.volume is not None and ref.volume >= header.n_volumes:
        message = (
            f"'{who}' asks for volume {ref.volume} of '{ref.shown}', which has {header.n_volumes} (from 0)"
        )
        return [Finding("E308", message, where)]
    return []
