"""What survives: the thresholded map, its threshold, its table of clusters and the map's peak."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from specgl.inference.contrasts import ContrastMaps
from specgl.inference.records import Inferred, Neighbourhood, Peak
from specgl.inference.sides import Side, make_side
from specgl.inference.tables import NOTHING_MORE, Further, cluster_table

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Rule:
    """When a location survives, and how survivors are gathered.

    Attributes
    ----------
    name
        Name of the inference.
    alpha
        A location survives when its p-value is at most this.
    connectivity
        What makes voxels neighbours.
    min_cluster_size
        Clusters of fewer locations are taken away.
    has_height
        Whether survivors are those above a height of the statistic, which is then told.
    """

    name: str
    alpha: float
    connectivity: int
    min_cluster_size: int = 1
    has_height: bool = True


def surviving_locations(
    contrast: ContrastMaps,
    p_corrected: Floats,
    logp: Floats,
    evidence: Floats,
    space: Neighbourhood,
    rule: Rule,
) -> Inferred:
    """Threshold one contrast location by location, take small clusters away and set up its table.

    Parameters
    ----------
    contrast
        The contrast's maps.
    p_corrected, logp
        Corrected p-values and their −log10, NaN where nothing was analysed, (n_loc,) each.
    evidence
        What is greatest at the map's peak, (n_loc,); of equals the most extreme statistic leads.
    space
        What makes the locations neighbours.
    rule
        When a location survives.

    Returns
    -------
    inferred
        The record, without what only shuffles can tell.
    """
    significant = contrast.analysed & (np.nan_to_num(p_corrected, nan=np.inf) <= rule.alpha)
    height = np.inf
    thresholded = np.zeros(contrast.p.size)
    sides = []
    for sign in contrast.sides:
        within = significant & (sign * contrast.stat > 0.0)
        every = make_side(sign, contrast.stat, within, rule.connectivity, space)
        height = min(height, every.heights.min(initial=np.inf))
        side = every.keep(every.clusters.sizes >= rule.min_cluster_size)
        thresholded[side.kept] = contrast.stat[side.kept]
        sides.append(side)
    threshold = float(height) if rule.has_height and np.isfinite(height) else None
    return Inferred(
        inference=rule.name,
        contrast=contrast.name,
        thresholded=thresholded,
        p_corrected=p_corrected,
        logp=logp,
        threshold=threshold,
        n_surviving=int(np.count_nonzero(thresholded)),
        min_p=smallest(p_corrected, contrast),
        peak=strongest(contrast, p_corrected, evidence, space),
        clusters=cluster_table(sides, contrast, space, p_corrected, threshold),
    )


def surviving_clusters(
    contrast: ContrastMaps,
    sides: Sequence[Side],
    found: Sequence[tuple[Floats, Floats]],
    space: Neighbourhood,
    rule: Rule,
    threshold: float,
    further: Further = NOTHING_MORE,
) -> Inferred:
    """Keep the clusters of one contrast whose p-value is small enough, and set up their table.

    Parameters
    ----------
    contrast
        The contrast's maps.
    sides
        Its clusters, positive before negative.
    found
        For each side the clusters' corrected p-values and their −log10, (n_clusters,) each.
    space
        What makes the locations neighbours.
    rule
        When a cluster survives.
    threshold
        What formed the clusters.
    further
        Columns of this inference alone, about all clusters.

    Returns
    -------
    inferred
        The record: a cluster's p-value is that of all its locations, 1 outside clusters.
    """
    p = np.where(contrast.analysed, 1.0, np.nan)
    logp = np.where(contrast.analysed, 0.0, np.nan)
    thresholded = np.zeros(p.size)
    kept = []
    chosen = [of_clusters <= rule.alpha for of_clusters, _ in found]
    for side, (of_clusters, logs), mine in zip(sides, found, chosen, strict=True):
        labels = side.clusters.labels
        p[side.members], logp[side.members] = of_clusters[labels], logs[labels]
        kept.append(side.keep(mine))
        here = kept[-1].kept
        thresholded[here] = contrast.stat[here]
    of_kept = {
        name: [values[mine] for values, mine in zip(several, chosen, strict=True)]
        for name, several in further.of_clusters.items()
    }
    return Inferred(
        inference=rule.name,
        contrast=contrast.name,
        thresholded=thresholded,
        p_corrected=p,
        logp=logp,
        threshold=threshold,
        n_surviving=int(np.count_nonzero(thresholded)),
        min_p=smallest(p, contrast),
        peak=strongest(contrast, p, logp, space),
        clusters=cluster_table(kept, contrast, space, p, threshold, replace(further, of_clusters=of_kept)),
    )


def smallest(p_corrected: Floats, contrast: ContrastMaps) -> float:
    """The smallest corrected p-value; NaN where nothing was analysed."""
    return float(np.nanmin(p_corrected)) if contrast.analysed.any() else float("nan")


def strongest(
    contrast: ContrastMaps, p_corrected: Floats, evidence: Floats, space: Neighbourhood
) -> Peak | None:
    """The location with the strongest evidence; of equals the most extreme, then the first.

    Parameters
    ----------
    contrast
        The contrast's maps.
    p_corrected
        What its p-value is read from, (n_loc,).
    evidence
        What is greatest there, (n_loc,).
    space
        Where it lies.

    Returns
    -------
    peak
        None where nothing was analysed.
    """
    analysed = np.flatnonzero(contrast.analysed)
    if analysed.size == 0:
        return None
    found = evidence[analysed]
    equals = analysed[found == found.max()]
    extreme = np.max([sign * contrast.stat[equals] for sign in contrast.sides], axis=0)
    location = int(equals[np.argmax(extreme)])
    x, y, z = (float(value) for value in space.coordinates[location])
    return Peak(
        x, y, z, float(contrast.stat[location]), float(contrast.z[location]), float(p_corrected[location])
    )
