"""How much memory and time a run will want, from headers alone."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from math import prod
from pathlib import Path

# A brain fills between a fifth and a third of the box it is stored in.
_BRAIN_SHARE = 0.3
# Reading, unpacking and hashing, in bytes of file a second and thread: measured at 40 to 90 MB of voxels a
# second with gzip, of which a float32 map keeps about nine tenths.
_BYTES_PER_SECOND = 4e7
# Interpreter, libraries and what they keep, measured on an empty run.
_BASE_BYTES = 180 * 2**20


@dataclass(frozen=True)
class Estimate:
    """What a run is expected to take.

    Attributes
    ----------
    memory
        Bytes at the peak, when a brain of the usual size is masked.
    memory_bound
        Bytes at the peak, were every voxel of the grid analysed.
    seconds
        Time of the whole run, within a factor of about two.
    """

    memory: int
    memory_bound: int
    seconds: float


def estimate(shape: tuple[int, ...], files: Iterable[Path], *, n_maps: int, threads: int) -> Estimate:
    """Estimate a run from the grid's shape and the sizes of the files.

    Parameters
    ----------
    shape
        Of the voxel grid.
    files
        One an observation or ready-made map.
    n_maps
        Maps that will be written.
    threads
        How many read at once.
    """
    sizes = [path.stat().st_size for path in files]
    voxels = prod(shape)
    workers = max(1, min(threads, len(sizes), os.cpu_count() or 1))
    one_image = 4 * voxels

    def peak(share: float) -> int:
        held = 4 * len(sizes) * share * voxels
        derived = 8 * n_maps * share * voxels
        return int(_BASE_BYTES + 2 * held + derived + workers * 3 * one_image)

    seconds = 1.5 + sum(sizes) / (_BYTES_PER_SECOND * workers) + n_maps * voxels / (2e7 * workers)
    return Estimate(peak(_BRAIN_SHARE), peak(1.0), seconds)
