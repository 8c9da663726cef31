"""Tables of clusters and of the peaks within them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_array

from specgl.inference.records import Neighbourhood
from specgl.kernels.clusters import Clusters
from specgl.kernels.peaks import local_maxima, separate

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

CLUSTER_COLUMNS: dict[str, str] = {
    "cluster": "int64",
    "peak": "int64",
    "sign": "object",
    "x": "float64",
    "y": "float64",
    "z": "float64",
    "statistic": "float64",
    "z_score": "float64",
    "size": "Int64",
    "size_mm3": "float64",
    "mass": "float64",
    "center_x": "float64",
    "center_y": "float64",
    "center_z": "float64",
    "p_corrected": "float64",
    "threshold": "float64",
}
"""Columns of the table and their types, in order.

``cluster`` counts from 1, positive clusters first, each sign by descending peak. ``peak`` counts from 1
within the cluster: 1 is its highest, whose row alone says ``size`` (locations), ``size_mm3``, ``mass`` (sum
of |statistic|) and ``center_x`` to ``center_z`` (mm, weighted by |statistic|); they are missing in the rows
of the sub-peaks. ``p_corrected`` is the peak's, and the cluster's where the inference is about clusters;
``mass`` is then summed as that inference does it (on z, or above the threshold, where it says so).
``threshold`` is the smallest |statistic| with a corrected p-value small enough, or what formed the clusters.
"""

PEAK_DISTANCE = 8.0
"""Least distance between two peaks of a cluster, in mm."""

MAX_PEAKS = 4
"""Peaks named in one cluster at most: its highest and three more, the field's habit."""

SIGNS = {1: "+", -1: "-"}


@dataclass(frozen=True, eq=False)
class ClusterRows:
    """What survives with one sign.

    Attributes
    ----------
    sign
        1 or -1.
    members
        Locations, (n,).
    heights
        Their statistic times the sign, (n,).
    adjacency
        Their neighbourhood, (n, n).
    clusters
        Clusters among the members.
    over
        Height from which mass is summed.
    """

    sign: int
    members: Integers
    heights: Floats
    adjacency: csr_array
    clusters: Clusters
    over: float = 0.0


def cluster_table(
    sides: Sequence[ClusterRows],
    space: Neighbourhood,
    stat: Floats,
    z: Floats,
    p_corrected: Floats,
    threshold: float | None,
) -> pd.DataFrame:
    """Table of clusters with their peaks.

    Parameters
    ----------
    sides
        What survives, positive before negative.
    space
        Where the locations are and what each measures.
    stat, z, p_corrected
        Maps to read at the peaks, (n_loc,) each.
    threshold
        Height of the statistic at which it survives.

    Returns
    -------
    table
        A row for each peak with the columns `CLUSTER_COLUMNS`; no row when nothing survives.
    """
    coordinates = np.asarray(space.coordinates, dtype=np.float64)
    measure = np.broadcast_to(np.asarray(space.measure, dtype=np.float64), stat.shape)
    parts = []
    before = 0
    for side in sides:
        if side.clusters.count:
            parts.append(_rows(side, before, coordinates, measure))
            before += side.clusters.count
    if not parts:
        return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in CLUSTER_COLUMNS.items()})
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    at = columns.pop("location")
    columns |= dict(zip("xyz", coordinates[at].T, strict=True))
    columns |= {"statistic": stat[at], "z_score": z[at], "p_corrected": p_corrected[at]}
    columns |= {"threshold": np.full(at.size, np.nan if threshold is None else threshold)}
    return pd.DataFrame(columns)[list(CLUSTER_COLUMNS)].astype(CLUSTER_COLUMNS)


def _rows(
    side: ClusterRows, before: int, coordinates: Floats, measure: Floats
) -> dict[str, NDArray[np.generic]]:
    """Columns of one sign's rows; clusters are counted on from `before`."""
    places = coordinates[side.members]
    cluster, peak, at = _named_peaks(side, places)
    main = peak == 0
    columns: dict[str, NDArray[np.generic]] = {
        "location": side.members[at],
        "cluster": before + 1 + cluster,
        "peak": 1 + peak,
        "sign": np.full(at.size, SIGNS[side.sign], dtype=object),
    }
    clusters = side.clusters
    centers = clusters.centers(places, side.heights)
    of_cluster = {
        "size": clusters.sizes.astype(np.float64),
        "size_mm3": clusters.sums(measure[side.members]),
        "mass": clusters.masses(side.heights, side.over),
        **{f"center_{axis}": center for axis, center in zip("xyz", centers.T, strict=True)},
    }
    return columns | {name: np.where(main, values[cluster], np.nan) for name, values in of_cluster.items()}


def _named_peaks(side: ClusterRows, places: Floats) -> tuple[Integers, Integers, Integers]:
    """Cluster, rank within it and member of each peak that has a row, all counted from 0."""
    maxima = local_maxima(side.heights, side.adjacency, places)
    label = side.clusters.labels[maxima]
    maxima, label = maxima[label >= 0], label[label >= 0]
    order = np.argsort(label, kind="stable")  # within a cluster the maxima stay in descending order
    counts = np.bincount(label, minlength=side.clusters.count)
    groups = [
        group if group.size == 1 else separate(group, places, distance=PEAK_DISTANCE, at_most=MAX_PEAKS)
        for group in np.split(maxima[order], np.cumsum(counts)[:-1])
    ]
    sizes = [group.size for group in groups]
    cluster = np.repeat(np.arange(len(groups)), sizes)
    rank = np.concatenate([np.arange(size) for size in sizes])
    return cluster, rank, np.concatenate(groups)
