"""Parametric inference: corrections over locations that act on the statistics' own p-values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from specgl.inference.corrected import correct, neglog10
from specgl.inference.records import Inferred, Neighbourhood, Parametric, Peak
from specgl.inference.tables import ClusterRows, cluster_table
from specgl.kernels.clusters import find_clusters
from specgl.kernels.multiplicity import ADJUST, Adjustment
from specgl.kernels.tails import Alternative

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]

SIDES: dict[Alternative, tuple[int, ...]] = {"two-sided": (1, -1), "greater": (1,), "less": (-1,)}
"""Signs that can survive, by the contrast's alternative."""

ONE_TAIL: dict[str, Alternative] = {"F": "greater"}
"""Kinds of statistic that have one tail only, whatever the alternative says."""


@dataclass(frozen=True, eq=False)
class _Contrast:
    """One contrast's maps, each (n_loc,), and what may survive in them."""

    name: str
    stat: Floats
    z: Floats
    p: Floats
    tail: Alternative
    sides: tuple[int, ...]

    @property
    def analysed(self) -> Booleans:
        """Where there is a p-value: the contrast's share of the family, (n_loc,)."""
        return np.isfinite(self.p)

    @property
    def logs(self) -> Floats:
        """−log10 of p, finite where p underflows, (n_loc,)."""
        return neglog10(self.p, self.z, self.tail)


def parametric(stats: xr.Dataset, space: Neighbourhood, asked: Parametric) -> tuple[Inferred, ...]:
    """One parametric inference about every contrast.

    Parameters
    ----------
    stats
        Statistics as `specgl.inference.infer` takes them.
    space
        What makes the locations neighbours.
    asked
        Which correction, over which family, at which level.

    Returns
    -------
    inferred
        A record for each contrast, in order.
    """
    contrasts = _contrasts(stats)
    families = FAMILIES[asked.across](contrasts)
    corrected = [pair for family in families for pair in _correct_family(family, ADJUST[asked.correction])]
    return tuple(
        _inferred(contrast, *pair, space, asked) for contrast, pair in zip(contrasts, corrected, strict=True)
    )


FAMILIES: dict[str, Callable[[list[_Contrast]], list[list[_Contrast]]]] = {
    "none": lambda contrasts: [[contrast] for contrast in contrasts],
    "contrasts": lambda contrasts: [contrasts],
}
"""How contrasts are gathered into families, by ``across``; the order of contrasts is kept."""


def _contrasts(stats: xr.Dataset) -> list[_Contrast]:
    """The data set's contrasts, one by one."""
    rows = {
        name: np.asarray(stats[name].transpose("contrast", "location").values, dtype=np.float64)
        for name in ("stat", "z", "p")
    }
    tails = [
        ONE_TAIL.get(str(kind), alternative)
        for kind, alternative in zip(stats["kind"].values, stats["alternative"].values, strict=True)
    ]
    return [
        _Contrast(
            name=str(name),
            stat=rows["stat"][row],
            z=rows["z"][row],
            p=rows["p"][row],
            tail=tail,
            sides=SIDES[tail],
        )
        for row, (name, tail) in enumerate(zip(stats["contrast"].values, tails, strict=True))
    ]


def _correct_family(family: list[_Contrast], adjust: Adjustment) -> list[tuple[Floats, Floats]]:
    """Corrected p and its −log10 of each contrast of a family, (n_loc,) each, NaN where not analysed."""
    p = np.concatenate([contrast.p[contrast.analysed] for contrast in family])
    logs = np.concatenate([contrast.logs[contrast.analysed] for contrast in family])
    corrected, logp = correct(p, logs, adjust)
    ends = np.cumsum([np.count_nonzero(contrast.analysed) for contrast in family])[:-1]
    shares = zip(family, np.split(corrected, ends), np.split(logp, ends), strict=True)
    return [(_spread(one, contrast), _spread(log, contrast)) for contrast, one, log in shares]


def _spread(values: Floats, contrast: _Contrast) -> Floats:
    """Values of the analysed locations among all locations, NaN elsewhere."""
    spread = np.full(contrast.p.size, np.nan)
    spread[contrast.analysed] = values
    return spread


def _inferred(
    contrast: _Contrast, p_corrected: Floats, logp: Floats, space: Neighbourhood, asked: Parametric
) -> Inferred:
    """Threshold one contrast, take small clusters away and set up its table."""
    significant = contrast.analysed & (np.nan_to_num(p_corrected, nan=np.inf) <= asked.alpha)
    height = np.inf
    thresholded = np.zeros(contrast.p.size)
    sides = []
    for sign in contrast.sides:
        members = np.flatnonzero(significant & (sign * contrast.stat > 0.0))
        heights = sign * contrast.stat[members]
        height = min(height, heights.min(initial=np.inf))
        side = _side(sign, members, heights, space, asked)
        kept = members[side.clusters.labels >= 0]
        thresholded[kept] = contrast.stat[kept]
        sides.append(side)
    threshold = float(height) if np.isfinite(height) else None
    return Inferred(
        inference=asked.name,
        contrast=contrast.name,
        thresholded=thresholded,
        p_corrected=p_corrected,
        logp=logp,
        threshold=threshold,
        n_surviving=int(np.count_nonzero(thresholded)),
        min_p=float(np.nanmin(p_corrected)) if contrast.analysed.any() else float("nan"),
        peak=_strongest(contrast, p_corrected, space),
        clusters=cluster_table(sides, space, contrast.stat, contrast.z, p_corrected, threshold),
    )


def _side(
    sign: int, members: NDArray[np.int64], heights: Floats, space: Neighbourhood, asked: Parametric
) -> ClusterRows:
    """Clusters of one sign that are large enough."""
    within = np.zeros(len(space.coordinates), dtype=bool)
    within[members] = True
    adjacency = space.adjacency(asked.connectivity, within)
    clusters = find_clusters(heights, np.ones(members.size, dtype=bool), adjacency)
    large = clusters.keep(clusters.sizes >= asked.min_cluster_size)
    return ClusterRows(sign, members, heights, adjacency, large)


def _strongest(contrast: _Contrast, p_corrected: Floats, space: Neighbourhood) -> Peak | None:
    """The location with the smallest p-value; of equals the most extreme, then the first."""
    analysed = np.flatnonzero(contrast.analysed)
    if analysed.size == 0:
        return None
    logs = contrast.logs[analysed]
    equals = analysed[logs == logs.max()]
    extreme = np.max([sign * contrast.stat[equals] for sign in contrast.sides], axis=0)
    location = int(equals[np.argmax(extreme)])
    x, y, z = (float(value) for value in space.coordinates[location])
    return Peak(
        x, y, z, float(contrast.stat[location]), float(contrast.z[location]), float(p_corrected[location])
    )
