"""Where the values of images gather while they are read, in no more memory than they need."""

from __future__ import annotations

from dataclasses import dataclass, replace
from threading import Lock
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from specgl.images.grid import Grid
from specgl.images.space import Space
from specgl.images.transforms import MissingVoxels, Real


@dataclass(frozen=True, eq=False)
class Gathered:
    """All images over candidate locations.

    Attributes
    ----------
    values
        ``(n_obs, n_candidates)`` float32 or float64, C-contiguous and owning its memory, missing = NaN.
    space
        The candidates.
    n_mask
        Voxels of the mask; without one, voxels where at least one observation has a value.
    n_enough
        Of these, voxels where enough observations have a value.
    coverage
        Share of the voxels where a value is expected that have one, ``(n_obs,)``: of the mask; without one,
        of the voxels where at least half of the observations have a value.
    present
        Observations with a value at each voxel of the grid, in the order of files, 0 outside the mask,
        ``(n_voxels,)``.
    n_expected
        Voxels where a value is expected, of which `coverage` is the share.
    least
        Observations with a value that make a voxel one of these; 0 with a mask.
    """

    values: Real
    space: Space
    n_mask: int
    n_enough: int
    coverage: npt.NDArray[np.float64]
    present: npt.NDArray[np.int32]
    n_expected: int
    least: float


class Target(Protocol):
    """What the values of images are put into."""

    @property
    def index(self) -> npt.NDArray[np.intp] | None:
        """Voxels to take of each image, flat in the order of files; all when None."""

    def put(self, row: int, values: Real) -> None:
        """Keep the values of one observation; rows may come in any order and from several threads."""


class Store(Target, Protocol):
    """What loading puts each image into."""

    def gather(self, missing: MissingVoxels) -> Gathered:
        """Return everything that was put; the store is empty afterwards."""


class MaskedStore:
    """Rows over the voxels of a given mask: one array, taken once.

    Parameters
    ----------
    n_obs
        Number of observations.
    space
        The mask's voxels.
    dtype
        float32 or float64.
    """

    def __init__(self, n_obs: int, space: Space, dtype: np.dtype[Any]) -> None:
        self._values: Real = np.empty((n_obs, space.n_locations), dtype=dtype)
        self._space = space

    @property
    def index(self) -> npt.NDArray[np.intp] | None:
        """Voxels of the mask."""
        return self._space.file_index

    def put(self, row: int, values: Real) -> None:
        """Keep the values of one observation, ``(n_mask,)``."""
        self._values[row] = values

    def gather(self, missing: MissingVoxels) -> Gathered:
        """Return the voxels of the mask where enough observations have a value."""
        values, space = self._values, self._space
        n_obs, n_mask = values.shape
        self._values = values[:0]
        counts = np.zeros(n_mask, dtype=np.int32)
        coverage = np.zeros(n_obs)
        for row in range(n_obs):
            present = np.isfinite(values[row])
            counts += present
            coverage[row] = present.mean() if n_mask else 0.0
        enough = counts >= missing.needed(n_obs)
        present = np.zeros(space.grid.n_voxels, dtype=np.int32)
        present[space.file_index] = counts
        values, space = keep(values, space, enough)
        return Gathered(values, space, n_mask, int(enough.sum()), coverage, present, max(1, n_mask), 0)


class Slab:
    """Rows of an array over given locations, for what is read beside the effects.

    Parameters
    ----------
    values
        ``(n_obs, n_loc)``, written to.
    space
        The locations.
    """

    def __init__(self, values: Real, space: Space) -> None:
        self._values, self._space = values, space

    @property
    def index(self) -> npt.NDArray[np.intp] | None:
        """Voxels of the locations."""
        return self._space.file_index

    def put(self, row: int, values: Real) -> None:
        """Keep the values of one observation, ``(n_loc,)``."""
        self._values[row] = values


class SupportStore:
    """Rows without a mask: of each image only its own support is kept, until all are there.

    Parameters
    ----------
    n_obs
        Number of observations.
    grid
        The grid.
    dtype
        float32 or float64.
    above
        A voxel whose value is not above this has none, and then every image is needed; None for no such rule.
    """

    def __init__(self, n_obs: int, grid: Grid, dtype: np.dtype[Any], above: float | None = None) -> None:
        self._grid, self._dtype, self._above = grid, dtype, above
        self._values: list[Real | None] = [None] * n_obs
        self._bits: list[npt.NDArray[np.uint8] | None] = [None] * n_obs
        self._counts = np.zeros(grid.n_voxels, dtype=np.int32)
        self._lock = Lock()

    @property
    def index(self) -> npt.NDArray[np.intp] | None:
        """None: the whole grid is looked at."""
        return None

    def put(self, row: int, values: Real) -> None:
        """Keep the values of one observation, ``(n_voxels,)``."""
        support = np.isfinite(values) if self._above is None else values > self._above
        self._values[row] = values[support]
        self._bits[row] = np.packbits(support)
        with self._lock:
            self._counts += support

    def gather(self, missing: MissingVoxels) -> Gathered:
        """Return the voxels where enough observations have a value, freeing each image once it is copied."""
        n_obs = len(self._values)
        needed = n_obs if self._above is not None else missing.needed(n_obs)
        enough = self._counts >= needed
        least = max(1, n_obs / 2)
        expected = self._counts >= least
        n_expected = max(1, int(expected.sum()))
        volume = enough.reshape(self._grid.shape[::-1]).transpose()
        space = Space.from_mask(volume, self._grid)
        index = space.file_index
        result: Real = np.empty((n_obs, space.n_locations), dtype=self._dtype)
        coverage = np.zeros(n_obs)
        for row in range(n_obs):
            support = self._support(row)
            coverage[row] = np.count_nonzero(support & expected) / n_expected
            self._spread(row, support, index, result[row])
        n_mask = int((self._counts > 0).sum())
        return Gathered(result, space, n_mask, space.n_locations, coverage, self._counts, n_expected, least)

    def _support(self, row: int) -> npt.NDArray[np.bool_]:
        bits = self._bits[row]
        assert bits is not None
        return np.unpackbits(bits, count=self._grid.n_voxels).view(np.bool_)

    def _spread(
        self, row: int, support: npt.NDArray[np.bool_], index: npt.NDArray[np.intp], out: Real
    ) -> None:
        """Write one image's kept values to their locations, and let the image go."""
        values = self._values[row]
        assert values is not None
        rank = np.cumsum(support, dtype=np.int32)
        present = support[index]
        out[~present] = np.nan
        out[present] = values[rank[index[present]] - 1]
        self._values[row] = self._bits[row] = None


def keep(values: Real, space: Space, wanted: npt.NDArray[np.bool_]) -> tuple[Real, Space]:
    """Drop locations in place, so that no second copy of the data is ever held.

    Parameters
    ----------
    values
        ``(n_obs, n_loc)``, C-contiguous, owning its memory, and referred to by nobody else: it is shrunk.
    space
        Its locations.
    wanted
        ``(n_loc,)`` bool.

    Returns
    -------
    tuple
        ``(n_obs, n_wanted)`` in the same memory, and its space.
    """
    if wanted.all():
        return values, space
    n_obs = len(values)
    columns = np.flatnonzero(wanted)
    n = len(columns)
    flat = values.reshape(-1)
    for row in range(n_obs):
        # The target never lies past the source: a row not yet moved is never overwritten.
        flat[row * n : (row + 1) * n] = values[row].take(columns)
    del flat
    values.resize((n_obs, n), refcheck=False)
    return values, Space(space.grid, space.voxels[columns])


def varying(values: Real) -> npt.NDArray[np.bool_]:
    """Tell at which locations the observations that have a value differ, ``(n_loc,)``."""
    low = np.full(values.shape[1], np.nan, dtype=values.dtype)
    high = low.copy()
    for row in values:
        np.fmin(low, row, out=low)
        np.fmax(high, row, out=high)
    result: npt.NDArray[np.bool_] = low < high
    return result


def narrow(gathered: Gathered, wanted: npt.NDArray[np.bool_]) -> Gathered:
    """Drop locations in the memory that the values have, as `keep` does."""
    values, space = keep(gathered.values, gathered.space, wanted)
    return replace(gathered, values=values, space=space)
