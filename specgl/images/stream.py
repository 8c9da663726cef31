"""Bytes of an image file, read once: hashed as they lie on disk, inflated, cut into volumes."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from specgl.errors import Finding, ImageError
from specgl.images.headers import MAX_BEYOND, Header

_CHUNK = 1 << 18
"""Bytes taken from disk at a time: memory beside the volume itself stays under a few MB."""

GZIP_MAGIC = b"\x1f\x8b"


class Damaged(Exception):
    """The bytes of a file end early or do not decode."""


class _Bytes(Protocol):
    def read_into(self, view: memoryview) -> None: ...
    def finish(self) -> None: ...


class _Plain:
    """An uncompressed file."""

    def __init__(self, path: Path, digest: hashlib._Hash) -> None:
        self._file = path.open("rb")
        self._digest = digest

    def read_into(self, view: memoryview) -> None:
        done = 0
        while done < len(view):
            n = self._file.readinto(view[done : done + (_CHUNK << 4)])
            if not n:
                raise Damaged(f"the file ends {len(view) - done} bytes too early")
            self._digest.update(view[done : done + n])
            done += n

    def finish(self) -> None:
        while chunk := self._file.read(_CHUNK):
            self._digest.update(chunk)

    def close(self) -> None:
        self._file.close()


class _Inflated:
    """A gzip file of one or several members, inflated as far as asked for and no further."""

    def __init__(self, path: Path, digest: hashlib._Hash) -> None:
        self._file = path.open("rb")
        self._digest = digest
        self._zlib = zlib.decompressobj(wbits=31)
        self._pending = b""

    def _more(self) -> bool:
        chunk = self._file.read(_CHUNK)
        self._digest.update(chunk)
        self._pending += chunk
        return bool(chunk)

    def _inflate(self, limit: int) -> bytes:
        """Return at most ``limit`` bytes; none only at the end of the last member."""
        while True:
            if self._zlib.eof and not self._next_member():
                return b""
            if not self._pending and not self._more():
                raise Damaged("the compressed data end too early")
            try:
                out = self._zlib.decompress(self._pending, limit)
            except zlib.error as error:
                raise Damaged(f"the compressed data do not decode ({error})") from None
            self._pending = self._zlib.unused_data if self._zlib.eof else self._zlib.unconsumed_tail
            if out:
                return out

    def _next_member(self) -> bool:
        while len(self._pending) < len(GZIP_MAGIC) and self._more():
            pass
        if not self._pending.startswith(GZIP_MAGIC):
            return False
        self._zlib = zlib.decompressobj(wbits=31)
        return True

    def read_into(self, view: memoryview) -> None:
        done = 0
        while done < len(view):
            out = self._inflate(len(view) - done)
            if not out:
                raise Damaged(f"the data end {len(view) - done} bytes too early")
            view[done : done + len(out)] = out
            done += len(out)

    def finish(self) -> None:
        # To the true end, where zlib compares its checksum: damage may have made the data longer.
        beyond = 0
        while out := self._inflate(_CHUNK):
            beyond += len(out)
            if beyond > MAX_BEYOND:
                raise Damaged("the data go on far beyond the voxels that the header declares")
        while self._more():
            self._pending = b""

    def close(self) -> None:
        self._file.close()


class VolumeReader:
    """The volumes of one file in turn.

    Parameters
    ----------
    header
        Header of the file, already checked.

    Attributes
    ----------
    sha256
        Digest of the file as it is stored, in hex; empty until all volumes were read.
    """

    def __init__(self, header: Header) -> None:
        self.header = header
        self.sha256 = ""

    def volumes(self, wanted: frozenset[int]) -> Iterator[tuple[int, npt.NDArray[np.generic]]]:
        """Read the file to its end.

        Parameters
        ----------
        wanted
            Volumes to give; the others are skipped.

        Yields
        ------
        tuple
            The volume's number, and its stored values in the order of the file, ``(n_voxels,)``, i fastest,
            in the stored type and byte order.

        Raises
        ------
        ImageError
            E311 when the file ends early or does not decode.
        """
        digest = hashlib.sha256()
        header = self.header
        try:
            stream = (_Inflated if header.compressed else _Plain)(header.path, digest)
            try:
                stream.read_into(memoryview(bytearray(header.offset)))
                skipped: npt.NDArray[np.generic] | None = None
                for number in range(header.n_volumes):
                    if number in wanted:
                        values = np.empty(header.grid.n_voxels, dtype=header.dtype)
                        stream.read_into(values.view(np.uint8).data)
                        yield number, values
                        del values
                    else:
                        skipped = np.empty(header.grid.n_voxels, header.dtype) if skipped is None else skipped
                        stream.read_into(skipped.view(np.uint8).data)
                stream.finish()
            finally:
                stream.close()
        except (Damaged, OSError) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            raise ImageError(_damaged(header, str(reason))) from None
        self.sha256 = digest.hexdigest()


def _damaged(header: Header, reason: str) -> Finding:
    message = f"'{header.name}' is damaged: {reason}"
    return Finding("E311", message, header.where, help="copy or make the file again")
