"""How much memory and time a run will want, from headers alone."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING

from specgl.inference import Inference, Permutation, Simulated

if TYPE_CHECKING:  # types only: a spec without shuffles is planned without what makes them
    from specgl.models.schemes import Scheme

# A brain fills between a fifth and a third of the box it is stored in.
_BRAIN_SHARE = 0.3
# Reading, unpacking and hashing, in bytes of file a second and thread: measured at 40 to 90 MB of voxels a
# second with gzip, of which a float32 map keeps about nine tenths.
_BYTES_PER_SECOND = 4e7
# Interpreter, libraries and what they keep, measured on an empty run.
_BASE_BYTES = 180 * 2**20

MEASURE_SECONDS = {"voxel": 1e-9, "cluster_extent": 3e-9, "cluster_mass": 3e-9, "tfce": 4.5e-8}
"""Seconds of one thread for a location of one shuffled map, by what is measured: both signs, measured with
235,000 voxels at 2 mm."""

SORTING_SECONDS = 1e-8
"""The same where maps are sorted, for bounds on true discoveries."""

SIMULATION_SECONDS = 6e-8
"""Seconds of one thread for a voxel of one simulated map: numbers, three convolutions and clusters."""

_PRODUCT_SECONDS = 6e-11  # for an observation at a location: the product that makes a map
_COMPILING = 3.0  # seconds, once compiled kernels are on disk
_NUMBA_BYTES = 120 * 2**20
_MAPS_BYTES = 16 * 4 + 40  # of a location: a block of maps in float32, and a forest over one of them


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


def estimate(
    shape: tuple[int, ...], files: Iterable[Path], *, beside: Iterable[Path] = (), n_maps: int, threads: int
) -> Estimate:
    """Estimate a run from the grid's shape and the sizes of the files.

    Parameters
    ----------
    shape
        Of the voxel grid.
    files
        One an observation or ready-made map.
    beside
        Files that are held beside these: variances and covariates.
    n_maps
        Maps that will be written.
    threads
        How many read at once.
    """
    sizes = [path.stat().st_size for path in files]
    more = [path.stat().st_size for path in beside]
    voxels = prod(shape)
    workers = max(1, min(threads, len(sizes), os.cpu_count() or 1))
    one_image = 4 * voxels

    def peak(share: float) -> int:
        # The effects, and as much again while the model is fitted; what is beside them is not copied.
        held = 4 * (2 * len(sizes) + len(more)) * share * voxels
        derived = 8 * n_maps * share * voxels
        return int(_BASE_BYTES + held + derived + workers * 3 * one_image)

    seconds = 1.5 + sum(sizes + more) / (_BYTES_PER_SECOND * workers) + n_maps * voxels / (2e7 * workers)
    return Estimate(peak(_BRAIN_SHARE), peak(1.0), seconds)


def with_shuffles(
    cost: Estimate,
    shape: tuple[int, ...],
    schemes: Iterable[Scheme],
    inferences: Iterable[Inference],
    *,
    threads: int,
) -> Estimate:
    """Add what shuffles will take.

    Parameters
    ----------
    cost
        The run without them.
    shape
        Of the voxel grid.
    schemes
        How observations are shuffled.
    inferences
        What is asked.
    threads
        How many shuffles are worked on at the same time.
    """
    shuffled = [asked for asked in inferences if isinstance(asked, Permutation)]
    measures = [SORTING_SECONDS if asked.sets else MEASURE_SECONDS[asked.statistic] for asked in shuffled]
    spatial = any(asked.statistic != "voxel" or asked.sets is not None for asked in shuffled)
    locations = _BRAIN_SHARE * prod(shape)
    seconds, held, longest = _COMPILING, 0, 0
    for scheme in schemes:
        n_obs = scheme.tree.n_obs
        longest = max(longest, n_obs)
        held += 5 * scheme.n * n_obs + 4 * scheme.n * len(measures) * len(scheme.contrasts)
        one = locations * (_PRODUCT_SECONDS * n_obs + sum(measures))
        seconds += scheme.n * len(scheme.contrasts) * one / threads

    def more(share: float) -> int:
        # Residuals in float32 beside the data, then a block of maps and a forest in each thread.
        bytes_a_location = 4 * longest + threads * ((_MAPS_BYTES if spatial else 0) + 24)
        return held + int(share * prod(shape) * bytes_a_location)

    return Estimate(
        cost.memory + _NUMBA_BYTES + more(_BRAIN_SHARE),
        cost.memory_bound + _NUMBA_BYTES + more(1.0),
        cost.seconds + seconds,
    )


def with_simulations(
    cost: Estimate, shape: tuple[int, ...], inferences: Iterable[Inference], n_contrasts: int, *, threads: int
) -> Estimate:
    """Add what simulated maps will take.

    Parameters
    ----------
    cost
        The run without them.
    shape
        Of the voxel grid.
    inferences
        What is asked.
    n_contrasts
        How many contrasts; those with the same sides share their simulations.
    threads
        How many maps are made at the same time.
    """
    n = sum(asked.n for asked in inferences if isinstance(asked, Simulated))
    if n == 0:
        return cost
    seconds = _COMPILING + n * min(n_contrasts, 2) * prod(shape) * SIMULATION_SECONDS / threads
    bytes_ = _NUMBA_BYTES + 3 * 4 * threads * prod(shape)
    return Estimate(cost.memory + bytes_, cost.memory_bound + bytes_, cost.seconds + seconds)
