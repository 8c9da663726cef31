"""Finished pieces of long work on disk, so that a run that was stopped can be gone on with."""

from __future__ import annotations

import os
import re
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from specgl.errors import Finding

_KEY = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*")
_HALF = ".half"
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the first moment a zip file can tell: equal arrays are equal bytes


class ChunkStore:
    """A folder with one `.npz` file for each finished chunk.

    Each file is written under another name, flushed, and renamed: a process killed at any instant leaves
    whole files only. What cannot be read as it was written (each array has a checksum) counts as absent.
    Nothing in it is ever unpickled.

    Parameters
    ----------
    folder
        Where the chunks lie; its name should hold the identity of the work, so that chunks of other work are
        never found. It is made when the first chunk is put.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.findings: tuple[Finding, ...] = ()
        self._ready = False

    def get(self, key: str) -> dict[str, NDArray[Any]] | None:
        """Arrays of a chunk by their names; None if the chunk is not there, or is damaged."""
        path = self._path(key)
        if self.folder.is_symlink() or path.is_symlink():
            return None
        try:
            return _read(path)
        except Exception:
            # Cut short, changed or unreadable: whatever is wrong with it, the chunk can be computed again.
            return None

    def put(self, key: str, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Keep a chunk.

        Where the disk refuses, the work goes on without being kept, and `findings` has a warning: hours of
        work are not given up because they cannot be saved halfway.

        Parameters
        ----------
        key
            Name of the chunk: letters, digits, dot, dash and underscore.
        arrays
            What it holds; arrays of Python objects are refused.

        Raises
        ------
        ValueError
            For another kind of key, or an array of objects.
        """
        path = self._path(key)
        if self.findings:
            return
        half = path.with_name(f".{path.name}.{os.getpid()}{_HALF}")
        try:
            self._prepare()
            with half.open("wb") as file:
                _write(file, arrays)
                file.flush()
                os.fsync(file.fileno())
            half.replace(path)
        except OSError as error:
            self.findings = (_not_kept(error),)
        finally:
            with suppress(OSError):
                half.unlink(missing_ok=True)

    def _path(self, key: str) -> Path:
        if _KEY.fullmatch(key) is None:
            raise ValueError(f"'{key}' is no name for a chunk")
        return self.folder / f"{key}.npz"

    def _prepare(self) -> None:
        if self._ready:
            return
        if self.folder.is_symlink():
            raise OSError(f"'{self.folder.name}' is a link")
        self.folder.mkdir(parents=True, exist_ok=True)
        for half in self.folder.glob(f".*{_HALF}"):  # of a process that was killed while it wrote
            half.unlink(missing_ok=True)
        self._ready = True


def _write(file: Any, arrays: Mapping[str, NDArray[Any]]) -> None:
    # `np.savez` takes names as keywords, so that some words could not be names.
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, array in arrays.items():
            with archive.open(zipfile.ZipInfo(f"{name}.npy", _EPOCH), "w", force_zip64=True) as entry:
                np.lib.format.write_array(entry, np.asarray(array), allow_pickle=False)


def _read(path: Path) -> dict[str, NDArray[Any]]:
    with zipfile.ZipFile(path) as archive:
        found = {}
        for entry in archive.infolist():
            # What is not compressed cannot be larger in memory than it is on disk.
            if entry.compress_type != zipfile.ZIP_STORED or not entry.filename.endswith(".npy"):
                raise ValueError(f"'{entry.filename}' was not written by specgl")
            content = BytesIO(archive.read(entry))
            array = np.lib.format.read_array(content, allow_pickle=False)
            found[entry.filename.removesuffix(".npy")] = array
        return found


def _not_kept(error: OSError) -> Finding:
    return Finding(
        "W420",
        f"finished shuffles are not kept on disk: {error.strerror or error}",
        help="the results are the same; but if this run is stopped, the next one begins again",
    )
