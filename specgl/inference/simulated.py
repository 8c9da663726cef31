"""Clusters against the largest of maps of smooth Gaussian noise (Forman 1995, doi:10.1002/mrm.1910330508).

The noise is that of a stationary field of the given, or the residuals', smoothness. One simulation serves
every inference and contrast with the same locations, smoothness, seed and number of maps: extents and masses
are measured at all cluster-forming thresholds at once.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, cast

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from specgl.errors import Finding
from specgl.inference.asked import Simulated, forming_height
from specgl.inference.contrasts import ONE_TAIL, ContrastMaps, each_contrast
from specgl.inference.families import families
from specgl.inference.noise import analysed_voxels, field_of
from specgl.inference.provisions import Provisions
from specgl.inference.records import Field, Inferred, Neighbourhood, Simulations
from specgl.inference.sides import sides_above
from specgl.inference.surviving import Rule, surviving_clusters
from specgl.kernels.fields import NoiseMaker
from specgl.kernels.tails import height_at

if TYPE_CHECKING:  # types only: graphs import numba, and only simulations wait for it
    from specgl.kernels.tfce import Graph

Floats = NDArray[np.float64]

MEASURES = ("extent", "total", "excess")
"""What is measured of each simulated map's clusters."""


def simulated(
    stats: xr.Dataset, space: Neighbourhood, asked: Sequence[Simulated], provisions: Provisions
) -> list[tuple[Inferred, ...]]:
    """Inferences about clusters of every contrast by simulation.

    Parameters
    ----------
    stats
        Statistics as `specgl.inference.infer` takes them; clusters are formed on z.
    space
        What makes the locations neighbours.
    asked
        How clusters are formed and measured, how many maps are simulated, at which levels.
    provisions
        The lattice, the residuals' smoothness for inferences that give none, threads, and who wants to know
        how far it has come.

    Returns
    -------
    inferred
        For each inference a record for each contrast, in order; with W433 for statistics whose z is not a
        Gaussian field. A cluster's p-value is ``(1 + #{null >= observed}) / (n + 1)``, over contrasts times
        their number.

    Raises
    ------
    ValueError
        When the lattice or the smoothness is missing, or an inference does not say what forms clusters.
    """
    contrasts = each_contrast(stats)
    cases = [[_case(one, contrast, provisions) for contrast in contrasts] for one in asked]
    nulls = _simulate([case for several in cases for case in several], provisions)
    return [
        tuple(
            _conclude(case, nulls, space, len(family))
            for family in families(several, one.across)
            for case in family
        )
        for one, several in zip(asked, cases, strict=True)
    ]


@dataclass(frozen=True, slots=True)
class _Source:
    """Whatever decides the bits of simulated maps; equal where one simulation serves several.

    Attributes
    ----------
    analysed
        The bits of the analysed locations.
    fwhm_voxels
        Of the noise; NaN is 0 here, since NaN does not equal itself.
    seed, n
        Of the random numbers, and how many maps.
    """

    analysed: bytes
    fwhm_voxels: tuple[float, float, float]
    seed: int
    n: int


@dataclass(frozen=True, slots=True)
class _Forming:
    """How the clusters of a simulated map are formed.

    Attributes
    ----------
    threshold
        Height of z.
    connectivity
        What makes voxels neighbours.
    both
        Whether the larger of both signs counts.
    """

    threshold: float
    connectivity: int
    both: bool


@dataclass(frozen=True, eq=False)
class _Case:
    """One inference about one contrast, and which simulation answers it."""

    asked: Simulated
    contrast: ContrastMaps
    voxels: NDArray[np.int32]
    source: _Source
    forming: _Forming
    record: Field


@dataclass(frozen=True, eq=False)
class _Job:
    """What a thread needs to simulate and measure one map.

    Attributes
    ----------
    maker
        Of noise in the bounding box.
    inside
        Flat index in the box of each analysed location.
    graphs
        Neighbourhoods by connectivity.
    formings
        How clusters are formed.
    seed
        Of the random numbers.
    """

    maker: NoiseMaker
    inside: NDArray[np.int64]
    graphs: Mapping[int, Graph]
    formings: tuple[_Forming, ...]
    seed: int


def _case(asked: Simulated, contrast: ContrastMaps, provisions: Provisions) -> _Case:
    voxels = analysed_voxels(asked, contrast, provisions)
    record = field_of(asked, voxels, provisions)
    widths = cast("tuple[float, float, float]", tuple(np.nan_to_num(record.fwhm_voxels).tolist()))
    source = _Source(np.packbits(contrast.analysed).tobytes(), widths, asked.seed, asked.n)
    n_sides = len(contrast.sides)
    threshold = forming_height(asked, lambda p: height_at("z", p / n_sides))
    forming = _Forming(threshold, asked.connectivity, n_sides == 2)
    return _Case(asked, contrast, voxels, source, forming, record)


def _simulate(cases: Iterable[_Case], provisions: Provisions) -> dict[tuple[_Source, _Forming], Floats]:
    """Greatest extent, total and excess mass of each simulated map, ``(n, 3)``, by how it was made."""
    grouped: dict[_Source, list[_Case]] = {}
    for case in cases:
        grouped.setdefault(case.source, []).append(case)
    n_maps = sum(source.n for source, mine in grouped.items() if len(mine[0].voxels))
    nulls: dict[tuple[_Source, _Forming], Floats] = {}
    done = 0
    for source, mine in grouped.items():
        formings = tuple(dict.fromkeys(case.forming for case in mine))
        found = np.zeros((source.n, len(formings), len(MEASURES)))
        if len(mine[0].voxels):
            job = _job(source, mine[0].voxels, formings)
            results = provisions.engine.stream(_measure, job, range(source.n))
            # Closed here, so that an interrupt leaves no thread at work.
            with closing(cast("Generator[tuple[int, Floats]]", results)):
                for k, measured in results:
                    found[k] = measured
                    done += 1
                    if provisions.progress is not None:
                        provisions.progress(done, n_maps)
        nulls |= {(source, forming): found[:, place] for place, forming in enumerate(formings)}
    return nulls


def _job(source: _Source, voxels: NDArray[np.int32], formings: tuple[_Forming, ...]) -> _Job:
    from specgl.kernels.tfce import Graph  # imports numba

    low = voxels.min(axis=0)
    shape = tuple((voxels.max(axis=0) - low + 1).tolist())
    graphs = {one: Graph.of_grid(voxels, one) for one in {forming.connectivity for forming in formings}}
    inside = np.ravel_multi_index(tuple((voxels - low).T), shape)
    return _Job(NoiseMaker.of_box(shape, source.fwhm_voxels), inside, graphs, formings, source.seed)


def _measure(job: _Job, k: int) -> Floats:
    """Greatest extent, total and excess mass of simulated map `k` for each forming, ``(n_formings, 3)``."""
    from specgl.kernels.extremes import cluster_extremes  # imports numba

    heights = job.maker.field(job.seed, k).ravel()[job.inside]
    found = np.zeros((len(job.formings), len(MEASURES)))
    for place, forming in enumerate(job.formings):
        for values in (heights, -heights) if forming.both else (heights,):
            one = cluster_extremes(values, job.graphs[forming.connectivity], forming.threshold)
            measured = [float(one.extent), float(one.mass), float(one.excess)]
            found[place] = np.maximum(found[place], measured)
    return found


@dataclass(frozen=True, eq=False)
class MaximaNull:
    """Maxima of simulated maps, and the p-values that they give.

    Attributes
    ----------
    values
        One of each map, ``(n,)``.
    times
        What p-values are multiplied by: the contrasts of the family.
    rising
        The values, sorted.
    """

    values: Floats
    times: int = 1
    rising: Floats = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "rising", np.sort(self.values))

    def p_values(self, observed: Floats) -> Floats:
        """``times (1 + #{null >= observed}) / (n + 1)``, at most 1, of observed maxima ``(m,)``."""
        return self._p(self.values.size - np.searchsorted(self.rising, observed, side="left"))

    def critical(self, alpha: float) -> float:
        """What survives at a level surpasses this; infinite where nothing can."""
        allowed = int(np.count_nonzero(self._p(np.arange(self.values.size + 1)) <= alpha))
        if allowed == 0:
            return float("inf")
        return 0.0 if allowed > self.values.size else float(self.rising[-allowed])

    def _p(self, counts: NDArray[np.int64]) -> Floats:
        p: Floats = np.minimum(self.times * (1 + counts) / (self.values.size + 1), 1.0)
        return p


def _conclude(
    case: _Case, nulls: Mapping[tuple[_Source, _Forming], Floats], space: Neighbourhood, n_contrasts: int
) -> Inferred:
    """One inference about one contrast."""
    asked, contrast, threshold = case.asked, case.contrast, case.forming.threshold
    measure = "extent" if asked.statistic == "cluster_extent" else asked.mass
    null = MaximaNull(nulls[case.source, case.forming][:, MEASURES.index(measure)], n_contrasts)
    over = threshold if measure == "excess" else 0.0
    z = np.where(contrast.analysed, contrast.z, np.nan)
    sides = [
        replace(side, over=over)
        for side in sides_above(contrast.sides, z, threshold, asked.connectivity, space)
    ]
    sizes = [side.extents(space) if measure == "extent" else side.masses(over) for side in sides]
    p = [null.p_values(of_side) for of_side in sizes]
    inferred = surviving_clusters(
        contrast,
        sides,
        [(of_side, 0.0 - np.log10(of_side)) for of_side in p],
        space,
        Rule(asked.name, asked.alpha, asked.connectivity, has_height=False),
        threshold,
    )
    return replace(
        inferred,
        null=null.values.copy(),
        field=case.record,
        simulations=Simulations(asked.n, asked.seed, null.critical(asked.alpha)),
        findings=tuple(_findings(case)),
    )


def _findings(case: _Case) -> list[Finding]:
    kind = case.contrast.kind
    if kind not in ONE_TAIL:
        return []
    return [
        Finding(
            "W433",
            f"the z of contrast '{case.contrast.name}', a map of {kind}, is compared with Gaussian noise",
            where=("inference", case.asked.name),
            help="`method: permutation` simulates nothing, and holds for any statistic",
        )
    ]
