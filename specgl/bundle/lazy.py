"""Maps on disk as arrays that are read when they are asked for."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from xarray import Variable
from xarray.backends import BackendArray
from xarray.core import indexing

from specgl.errors import Finding, VerificationError
from specgl.images import open_map


class MapStack(BackendArray):
    """Maps of several contrasts, stacked; a contrast without a map is NaN.

    Parameters
    ----------
    paths
        One file a contrast, or None where it has no such map.
    shape
        `(i, j, k)` of each.
    dtype
        Type of the values; a file of a smaller type is widened.

    Attributes
    ----------
    shape
        `(n_contrasts, i, j, k)`.
    """

    def __init__(self, paths: Sequence[Path | None], shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
        self.paths = tuple(paths)
        self.shape = (len(self.paths), *shape)
        self.dtype = dtype

    def __getitem__(self, key: Any) -> Any:
        """Read what a key asks for, and no file beside."""
        return indexing.explicit_indexing_adapter(key, self.shape, indexing.IndexingSupport.BASIC, self._read)

    def _read(self, key: tuple[int | slice, ...]) -> NDArray[Any]:
        which, *within = key
        if isinstance(which, slice):
            paths = self.paths[which]
            return np.stack([self._one(path, tuple(within)) for path in paths]) if paths else self._none(key)
        return self._one(self.paths[which], tuple(within))

    def _one(self, path: Path | None, within: tuple[int | slice, ...]) -> NDArray[Any]:
        if path is None:
            return np.full(self.shape[1:], np.nan, self.dtype)[within]
        return np.asarray(_read(path, self.shape[1:])[within], dtype=self.dtype)

    def _none(self, key: tuple[int | slice, ...]) -> NDArray[Any]:
        return np.empty((0, *self.shape[1:]), self.dtype)[key]


class MapFile(BackendArray):
    """One file, of one volume or several.

    Parameters
    ----------
    path
        The file.
    shape
        `(i, j, k)`, or `(n, i, j, k)`.
    dtype
        Type of the values.
    """

    def __init__(self, path: Path, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
        self.path = path
        self.shape = shape
        self.dtype = dtype

    def __getitem__(self, key: Any) -> Any:
        """Read the file and give what a key asks for."""
        return indexing.explicit_indexing_adapter(key, self.shape, indexing.IndexingSupport.BASIC, self._read)

    def _read(self, key: tuple[int | slice, ...]) -> NDArray[Any]:
        # A file of one volume reads as `(i, j, k)`, even where it stands for one observation.
        return np.asarray(_read(self.path, self.shape)[key], dtype=self.dtype)


def lazy_variable(dims: Sequence[str], array: MapStack | MapFile, attributes: dict[str, Any]) -> Variable:
    """An xarray variable over an array that is not yet read."""
    return Variable(dims, indexing.LazilyIndexedArray(array), attributes)


def _read(path: Path, shape: tuple[int, ...]) -> NDArray[Any]:
    """Values of a map in the shape that the manifest gives it."""
    if path.is_symlink() or path.parent.is_symlink() or (path.exists() and not path.is_file()):
        # A pipe would be waited for without end, and a link may lead anywhere.
        raise VerificationError(Finding("E505", f"'{path}' is a link or no plain file"))
    _, read = open_map(path)
    values = read()
    if values.size != math.prod(shape):
        said, found = (" x ".join(map(str, lengths)) for lengths in (shape, values.shape))
        raise VerificationError(Finding("E510", f"'{path}' has {found} voxels, the manifest says {said}"))
    return values.reshape(shape)
