"""What inference needs beside the statistics, gathered by whoever runs it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from specgl.engines import Threads
from specgl.kernels.fields import ResidualSmoothness

if TYPE_CHECKING:  # types only: a parametric run does not wait for what shuffles
    from specgl.engines import ChunkStore, Engine
    from specgl.engines.engine import Progress
    from specgl.kernels.statistics import ShuffledStatistic
    from specgl.models.schemes import Scheme


@dataclass(frozen=True, eq=False)
class Permuted:
    """What inference by permutation needs.

    Attributes
    ----------
    statistics
        Each contrast's statistic, ready to be shuffled.
    schemes
        How observations are shuffled; each contrast belongs to one of them.
    engine
        Where it runs; results do not depend on it.
    store
        Where finished work is kept and looked for; None keeps none.
    progress
        Called with shuffles done and their number.
    memory
        Bytes that maps under shuffles may take at once, over all threads; None for as many as are quick.
    conjunctions
        Names of the members of each conjunction, by its name; these have no statistic of their own.
    restated
        Contrasts whose statistic under shuffles is another than that of their maps: what is told of them is
        the statistic that is compared with its shuffles.
    """

    statistics: Mapping[str, ShuffledStatistic]
    schemes: tuple[Scheme, ...]
    engine: Engine
    store: ChunkStore | None = None
    progress: Progress | None = None
    memory: int | None = None
    conjunctions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    restated: frozenset[str] = frozenset()


@dataclass(frozen=True, eq=False)
class Lattice:
    """Where the locations lie in a grid of voxels.

    Attributes
    ----------
    voxels
        Indices of each location, (n_loc, 3), in C order.
    steps
        Distance between neighbours along each axis, (3,), in mm.
    """

    voxels: NDArray[np.int32]
    steps: tuple[float, float, float]


@dataclass(frozen=True, eq=False)
class Regions:
    """Regions of an atlas or of a label image.

    Attributes
    ----------
    codes
        Region of each location, (n_loc,); 0 for none.
    names
        Name of each code that may occur, whether or not a location has it.
    """

    codes: NDArray[np.int64]
    names: Mapping[int, str]


@dataclass(frozen=True, eq=False)
class Provisions:
    """What inference needs beside the statistics; what nothing asks for may be left out.

    Attributes
    ----------
    permuted
        For inference by permutation.
    lattice
        The voxels, for random fields and simulation.
    smoothness
        Of the fit's residuals, for the same where none is given.
    regions
        For inferences about regions, by the inference's name.
    engine
        Threads for whatever is long.
    progress
        Called with simulations done and their number.
    """

    permuted: Permuted | None = None
    lattice: Lattice | None = None
    smoothness: ResidualSmoothness | None = None
    regions: Mapping[str, Regions] = field(default_factory=dict)
    engine: Threads = field(default_factory=lambda: Threads(1))
    progress: Callable[[int, int], None] | None = None
