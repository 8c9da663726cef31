"""What inference needs beside the statistics: shuffles, smoothness, the voxels' lattice, regions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import xarray as xr

from specgl import images
from specgl.bundle import Place
from specgl.engines import Engine, Threads
from specgl.images import ImageRef, LabelImage, Space
from specgl.inference import Lattice, Permuted, Provisions, Regions
from specgl.planning import Plan
from specgl.running.journey import Journey
from specgl.running.resume import chunk_store
from specgl.running.sources import Statistics


@dataclass(frozen=True)
class Means:
    """With what a run is carried out; no result depends on it.

    Attributes
    ----------
    here
        Threads of this machine, for all that stays here.
    engine
        Where shuffles are computed.
    memory
        Bound on what shuffles work in, in bytes, or None.
    """

    here: Threads
    engine: Engine
    memory: int | None = None


class LabelReader:
    """Reads label images, each once: an atlas is often what inferences are about as well.

    Parameters
    ----------
    space
        The locations.
    journey
        Keeps the files that were read.
    """

    def __init__(self, space: Space, journey: Journey) -> None:
        self._space, self._journey = space, journey
        self._known: dict[tuple[ImageRef, ImageRef | None], Regions] = {}

    def regions(self, asked: LabelImage) -> Regions:
        """The region of each location.

        Raises
        ------
        DataError
            The image or its table cannot be read, or no location lies in any region.
        """
        key = asked.image, asked.labels
        if key not in self._known:
            found = images.read_labels(asked, self._space)
            held = self._journey.inputs
            self._journey.note_inputs(file for file in found.inputs if file not in held)
            self._known[key] = Regions(found.codes, found.names)
        return self._known[key]


def provisions_of(
    source: Statistics,
    plan: Plan,
    place: Place,
    means: Means,
    journey: Journey,
    labels: LabelReader,
    progress: Callable[[int, int], None] | None = None,
) -> Provisions:
    """Gather what the inferences of a plan need.

    Parameters
    ----------
    source
        Statistics and what they were made from.
    plan
        What will be done.
    place
        Where the bundle will stand; finished shuffles are kept beside it.
    means
        With what it is carried out.
    journey
        Keeps stages, findings and the files that were read.
    labels
        Reads the regions that inferences are about.
    progress
        Called with simulations done and their number.

    Raises
    ------
    DataError
        A label image or its table cannot be read.
    """
    return Provisions(
        permuted=_permuted(source, plan, place, means, journey),
        lattice=Lattice(source.space.voxels, _steps(source.space)),
        smoothness=source.smoothness,
        regions={name: labels.regions(image) for name, image in plan.regions.items()},
        engine=means.here,
        progress=progress,
    )


def with_atlas(stats: xr.Dataset, atlas: Regions | None) -> xr.Dataset:
    """Statistics with the name of the atlas's region at each location, where there is an atlas."""
    if atlas is None:
        return stats
    codes, place = np.unique(atlas.codes, return_inverse=True)
    known = np.array([atlas.names.get(int(code), "") for code in codes], dtype=object)
    return stats.assign_coords(region=("location", known[place]))


def _permuted(
    source: Statistics, plan: Plan, place: Place, means: Means, journey: Journey
) -> Permuted | None:
    """What shuffling needs; None where nothing is shuffled."""
    if not source.schemes:
        return None
    store = chunk_store(place.target, plan, source.inputs)
    return Permuted(
        statistics=source.shuffled,
        schemes=source.schemes,
        engine=means.engine,
        store=store,
        progress=journey.counted("shuffles", store),
        memory=means.memory,
        conjunctions={} if source.design is None else {c.name: c.members for c in source.design.conjunctions},
        restated=frozenset(source.shuffled) if source.restated else frozenset(),
    )


def _steps(space: Space) -> tuple[float, float, float]:
    i, j, k = (float(length) for length in space.grid.zooms)
    return i, j, k
