"""What a float32 map tells for certain of what float64 would say: the interval each measured value lies in.

Maps under shuffles are float32, since nearly all of them are far from whatever they are compared with. Their
heights come from float64 and are rounded at the end, so that each is known up to a small error; and extents,
masses and enhanced values rise with every height. Raising all heights by that error, and lowering them,
therefore encloses the float64 value. Where a comparison comes out alike at both ends it is decided; what is
left is for `specgl.inference.permutation.decisive`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from specgl.inference.permutation.measures import Enhancement, Measure, Scale, Sizes
from specgl.inference.permutation.spatial import Heights, cluster_maxima, enhanced_map, enhanced_maximum
from specgl.kernels.extremes import comes_near
from specgl.kernels.statistics import ShuffledStatistic
from specgl.kernels.tfce import Graph, Work

Floats = NDArray[np.float64]

MARGIN = 4
"""Errors of a height within which it may stand on either side of a threshold: also for float32 arithmetic."""

_SMALLEST = 1e-300  # a threshold is above 0


@dataclass(frozen=True, slots=True)
class Rounding:
    """How far a float32 height is from the float64 one: `relative` times the height, or times `floor`.

    Attributes
    ----------
    relative
        Largest error for each unit of height.
    floor
        Height below which the error does not become smaller; 0 where it always does.
    """

    relative: float
    floor: float

    def of(self, heights: Heights) -> Heights:
        """A margin of `MARGIN` errors for each height, (n_loc,)."""
        return np.float32(MARGIN * self.relative) * np.maximum(np.abs(heights), np.float32(self.floor))

    def at(self, height: float) -> float:
        """The same for one height."""
        return MARGIN * self.relative * max(abs(height), self.floor)


def rounding_of(statistic: ShuffledStatistic, scale: Scale) -> Rounding:
    """How far the heights of a statistic's maps are from float64.

    A statistic itself is rounded once, by 2^-24 of it. z takes a second rounding and a table, which is good
    to 1e-7 or better: relative to the larger of 1 and z, and for t relative to z however small it is. z of F
    rises by up to the root of half the numerator degrees of freedom with the logarithm of F, and so much is
    made of its first rounding.

    Parameters
    ----------
    statistic
        Whose maps.
    scale
        On which scale.
    """
    if scale == "t" and not statistic.varying:
        return Rounding(6.5e-8, 0.0)
    if statistic.kind == "t":
        return Rounding(3e-7, 0.0)
    return Rounding(3e-7 if statistic.signed else 1e-6, 1.0)


def measured(
    measure: Measure, heights: Heights, graph: Graph, room: Work | None, rounding: Rounding
) -> Floats:
    """Maxima of a float32 map, and where float64's lie.

    Parameters
    ----------
    measure
        What is measured.
    heights
        One side of a map, (n_loc,).
    graph, room
        The neighbourhood, and memory to enhance in.
    rounding
        How exact the heights are.

    Returns
    -------
    found
        (3, n_columns): the maxima, the least and the most that they may be.
    """
    if isinstance(measure, Sizes):
        return _sizes(measure, heights, graph, rounding)
    assert isinstance(measure, Enhancement)
    value = enhanced_maximum(heights, graph, measure, room)
    if measure.dh is None:
        error = value * float(_relative(measure, np.asarray(heights.max(initial=0.0)), graph, rounding))
        return np.array([[value], [value - error], [value + error]])
    if not _near_a_step(measure.dh, heights, rounding):
        return np.array([[value], [value], [value]])
    ends = [enhanced_maximum(one, graph, measure, room) for one in _moved(heights, rounding)]
    return np.array([[value], [min(value, ends[0])], [max(value, ends[1])]])


def enclosed(
    measure: Enhancement,
    enhanced: Floats,
    heights: Heights,
    graph: Graph,
    room: Work | None,
    rounding: Rounding,
) -> Floats:
    """The least and the most that each value of an enhanced map may be, (2, n_loc)."""
    if measure.dh is None:
        error = enhanced * _relative(measure, heights, graph, rounding)
        return np.stack([enhanced - error, enhanced + error])
    if not _near_a_step(measure.dh, heights, rounding):
        return np.stack([enhanced, enhanced])
    ends = [enhanced_map(one, graph, measure, room) for one in _moved(heights, rounding)]
    return np.stack([np.minimum(enhanced, ends[0]), np.maximum(enhanced, ends[1])])


def _sizes(measure: Sizes, heights: Heights, graph: Graph, rounding: Rounding) -> Floats:
    """Clusters: a height that lies on the threshold is a whole location more or less."""
    u = measure.threshold
    value = np.array(cluster_maxima(heights, graph, u))
    least = most = value
    margin = rounding.at(u)
    # In float32, without a copy: the threshold is rounded too, which the margin allows for.
    if comes_near(heights, np.float32(u), np.float32(margin)):
        least = np.array(cluster_maxima(heights, graph, u + margin))
        most = np.array(cluster_maxima(heights, graph, max(u - margin, _SMALLEST)))
    # All of a mass's heights may be off in one direction; the excess is as exact as the mass is.
    share = rounding.relative * max(1.0, rounding.floor / u) * np.array([0.0, 1.0, 1.0])
    return np.stack([value, np.maximum(least - share * least[1], 0.0), most + share * most[1]])


def _relative(
    measure: Enhancement, heights: NDArray[np.floating], graph: Graph, rounding: Rounding
) -> Floats:
    """Largest relative error of exact enhanced values at locations of these heights.

    Heights all c times as large enhance to c^(H+1) times as much. Where the error has a floor, the heights h'
    are h + d at most: the integral of e^E h^H below a height p grows by d times that of e^E H h^(H-1), beside
    a beginning of W d^(H+1). With extents between the smallest and W^(1/E) times as much, and falling with h,
    the ratio of those integrals is at most (H / p) (W / H)^(1/(H+1)).
    """
    H, error = measure.H, rounding.relative
    relative = np.full(heights.shape, error * (H + 1.0) + 1e-11)
    if rounding.floor > 0.0:
        whole, least = (
            (graph.n_locations, 1.0) if graph.size is None else (graph.size.sum(), graph.size.min())
        )
        most = float(whole / least) ** measure.E
        floor = error * rounding.floor / np.maximum(np.asarray(heights, dtype=np.float64), 1e-6)
        steepness = H * (most / H) ** (1.0 / (H + 1.0)) if H > 0.0 else 0.0
        relative += floor * steepness + most * floor ** (H + 1.0)
    return relative


def _near_a_step(dh: float, heights: Heights, rounding: Rounding) -> bool:
    """Whether some height may stand on either side of a step of the summed form."""
    positive = heights[heights > 0]
    above = positive.astype(np.float64) / dh
    return bool(np.any(np.abs(above - np.rint(above)) * dh <= rounding.of(positive)))


def _moved(heights: Heights, rounding: Rounding) -> tuple[Heights, Heights]:
    """Positive heights lowered and raised by more than their error."""
    margin = np.where(heights > 0, rounding.of(heights), np.float32(0.0))
    return heights - margin, heights + margin
