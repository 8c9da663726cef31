"""Tables of clusters and of the peaks within them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from specgl.inference.contrasts import ContrastMaps
from specgl.inference.records import Neighbourhood
from specgl.inference.sides import Side
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
    "p_peak": "float64",
    "discoveries": "Int64",
    "tdp": "float64",
    "threshold": "float64",
    "effect": "float64",
    "effect_low": "float64",
    "effect_high": "float64",
    "region": "object",
    "regions": "object",
}
"""Columns of the table and their types, in order.

``cluster`` counts from 1, positive clusters first, each sign by descending peak. ``peak`` counts from 1
within the cluster: 1 is its highest, whose row alone says ``size`` (locations), ``size_mm3``, ``mass`` (sum
of |statistic|) and ``center_x`` to ``center_z`` (mm, weighted by |statistic|); they are missing in the rows
of the sub-peaks. ``p_corrected`` is the peak's, and the cluster's where the inference is about clusters;
``mass`` is then summed as that inference does it (on z, or above the threshold, where it says so).
``threshold`` is the smallest |statistic| with a corrected p-value small enough, or what formed the clusters.
A table has further columns where there is something to say: ``p_peak``, the peak's own corrected p-value
where ``p_corrected`` is the cluster's; ``discoveries`` and ``tdp``, how many and what share of the cluster's
locations are true discoveries, at least; ``effect`` with its `CONFIDENCE` interval ``effect_low`` to
``effect_high``, in the data's units; ``region``, the atlas's name of the peak's place, missing outside all
regions; ``regions``, the cluster's shares in them, in the row of its highest peak.
"""

SOMETIMES = frozenset(
    {
        "p_peak",
        "discoveries",
        "tdp",
        "effect",
        "effect_low",
        "effect_high",
        "region",
        "regions",
    }
)
"""Columns that only some tables have."""

PEAK_DISTANCE = 8.0
"""Least distance between two peaks of a cluster, in mm."""

MAX_PEAKS = 4
"""Peaks named in one cluster at most: its highest and three more, the field's habit."""

SIGNS = {1: "+", -1: "-"}

NO_REGION = "none"
"""What stands for locations outside all regions among the shares of a cluster."""


@dataclass(frozen=True, eq=False)
class Further:
    """Columns of a table that only some inferences have, by their names in `CLUSTER_COLUMNS`.

    Attributes
    ----------
    of_clusters
        What is said of each cluster, side by side, (n_clusters,) each; in the row of its highest peak. A
        ``threshold`` of its own stands in all of its rows, instead of one for the whole table.
    at_peaks
        Maps that are read at every peak, (n_loc,).
    """

    of_clusters: Mapping[str, Sequence[NDArray[Any]]] = field(default_factory=dict)
    at_peaks: Mapping[str, NDArray[Any]] = field(default_factory=dict)


NOTHING_MORE = Further()
"""No further columns."""


def cluster_table(
    sides: Sequence[Side],
    contrast: ContrastMaps,
    space: Neighbourhood,
    p_corrected: Floats,
    threshold: float | None,
    further: Further = NOTHING_MORE,
) -> pd.DataFrame:
    """Table of clusters with their peaks.

    Parameters
    ----------
    sides
        What survives, positive before negative.
    contrast
        Maps to read at the peaks.
    space
        Where the locations are and what each measures.
    p_corrected
        Corrected p-value, (n_loc,).
    threshold
        Height of the statistic at which it survives; None where there is none.
    further
        Columns of this inference alone.

    Returns
    -------
    table
        A row for each peak, with those of the columns `CLUSTER_COLUMNS` that there are; no row when nothing
        survives.
    """
    coordinates = np.asarray(space.coordinates, dtype=np.float64)
    measure = np.broadcast_to(np.asarray(space.measure, dtype=np.float64), contrast.stat.shape)
    parts = []
    before = 0
    for number, side in enumerate(sides):
        if side.clusters.count:
            of_clusters = {name: values[number] for name, values in further.of_clusters.items()}
            parts.append(_rows(side, before, coordinates, measure, of_clusters))
            before += side.clusters.count
    at = np.concatenate([part["location"] for part in parts]) if parts else np.empty(0, dtype=np.int64)
    columns: dict[str, Any] = {}
    for name in parts[0] if parts else ():
        columns[name] = np.concatenate([part[name] for part in parts])
    columns |= dict(zip("xyz", coordinates[at].T, strict=True))
    columns |= {"statistic": contrast.stat[at], "z_score": contrast.z[at], "p_corrected": p_corrected[at]}
    columns.setdefault("threshold", np.full(at.size, np.nan if threshold is None else threshold))
    columns |= {name: values[at] for name, values in further.at_peaks.items()}
    columns |= contrast.told_at(at)
    columns |= _shares(sides, contrast.region, columns)
    return as_table(columns, {*CLUSTER_COLUMNS.keys() - SOMETIMES, *further.of_clusters})


def as_table(columns: Mapping[str, Any], wanted: Collection[str]) -> pd.DataFrame:
    """Columns as a table, in the order and of the types of `CLUSTER_COLUMNS`; those wanted are there."""
    types = {name: kind for name, kind in CLUSTER_COLUMNS.items() if name in columns or name in wanted}
    return pd.DataFrame({name: pd.Series(columns.get(name, ()), dtype=kind) for name, kind in types.items()})


def _rows(
    side: Side,
    before: int,
    coordinates: Floats,
    measure: Floats,
    further: Mapping[str, NDArray[Any]],
) -> dict[str, NDArray[Any]]:
    """Columns of one sign's rows; clusters are counted on from `before`."""
    places = coordinates[side.members]
    cluster, peak, at = _named_peaks(side, places)
    main = peak == 0
    columns: dict[str, NDArray[Any]] = {
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
        "mass": side.masses(side.over),
        **{f"center_{axis}": center for axis, center in zip("xyz", centers.T, strict=True)},
        **further,
    }
    own = of_cluster.pop("threshold", None)
    columns |= {} if own is None else {"threshold": own[cluster]}
    return columns | {name: np.where(main, values[cluster], np.nan) for name, values in of_cluster.items()}


def _shares(
    sides: Sequence[Side], region: NDArray[Any] | None, columns: Mapping[str, Any]
) -> dict[str, NDArray[Any]]:
    """Share of each cluster in the regions of an atlas, in the row of its highest peak."""
    if region is None:
        return {}
    told: list[str] = []
    for side in sides:
        order = np.argsort(side.clusters.labels, kind="stable")  # those outside clusters come first
        ends = np.cumsum(side.clusters.sizes)
        members = side.members[order][order.size - side.clusters.sizes.sum() :]
        told += [shares_in_words(region[several]) for several in np.split(members, ends)[:-1]]
    words = np.full(np.size(columns.get("peak", ())), None, dtype=object)
    words[np.flatnonzero(np.asarray(columns.get("peak", ())) == 1)] = told
    return {"regions": words}


def shares_in_words(regions: NDArray[Any]) -> str:
    """Shares of regions among locations, the largest first, such as ``insula 62 %; none 38 %``.

    Each share is rounded by itself; one that is not even half a percent is ``<1 %``.

    Parameters
    ----------
    regions
        Name of each location's region, empty outside all of them, (n,).
    """
    names, counts = np.unique(regions.astype(str), return_counts=True)
    order = np.lexsort((names, names == "", -counts))
    return "; ".join(f"{names[i] or NO_REGION} {_percent(counts[i] / regions.size)} %" for i in order)


def _percent(share: float) -> str:
    return "<1" if share < 0.005 else f"{100 * share:.0f}"


def _named_peaks(side: Side, places: Floats) -> tuple[Integers, Integers, Integers]:
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
