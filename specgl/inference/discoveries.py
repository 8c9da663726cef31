"""True discoveries as they are told: in clusters, in regions, and the largest clusters with a given share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from specgl.errors import DataError, Finding, raise_errors
from specgl.inference.asked import Sets
from specgl.inference.contrasts import ContrastMaps
from specgl.inference.provisions import Regions
from specgl.inference.records import Discoveries, Inferred, Neighbourhood
from specgl.inference.sides import Side, make_side
from specgl.inference.surviving import smallest, strongest
from specgl.inference.tables import (
    CLUSTER_COLUMNS,
    SIGNS,
    SOMETIMES,
    Further,
    as_table,
    cluster_table,
    shares_in_words,
)
from specgl.kernels.discoveries import bounds, grow_forest

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class _Told:
    """What is told about the sets of one contrast: two maps (n_loc,) and a table."""

    tdp: Floats
    survives: NDArray[np.bool_]
    table: pd.DataFrame


@dataclass(frozen=True, eq=False)
class _Formed:
    """Clusters of one sign, each with the height of |z| that formed it, (n_clusters,)."""

    side: Side
    thresholds: Floats


def conclude_discoveries(
    asked_name: str,
    sets: Sets,
    contrast: ContrastMaps,
    p_corrected: Floats,
    logp: Floats,
    categories: Integers,
    connectivity: int,
    space: Neighbourhood,
    regions: Regions | None,
    discoveries: Discoveries,
) -> Inferred:
    """Tell one contrast's true discoveries in the sets that are asked about.

    Parameters
    ----------
    asked_name
        Name of the inference.
    sets
        About which sets it is told.
    contrast
        The contrast's maps. Clusters are formed on its z; their masses and peaks are of its statistic.
    p_corrected, logp
        Corrected p-value of each location and its −log10, NaN where nothing was analysed, (n_loc,).
    categories
        Category of each location, as from `specgl.kernels.discoveries.categories`, (n_loc,); whatever where
        nothing was analysed.
    connectivity
        What makes voxels neighbours.
    space
        What makes the locations neighbours.
    regions
        The regions, where `sets` asks about them.
    discoveries
        What holds for every set at once.

    Returns
    -------
    inferred
        The record. `tdp` is, at each location, that of the region, of the found cluster, or of the cluster of
        the greatest threshold that holds it; what survives is each set with a true discovery.

    Raises
    ------
    ValueError
        When `sets` asks about regions and there are none.
    """
    if sets.regions:
        if regions is None:
            raise ValueError(f"inference {asked_name!r} is about regions, and has none")
        told = _of_regions(regions, contrast, categories, space, p_corrected)
    else:
        if sets.largest is None:
            formed = _formed_above(sets.forming_z, contrast, connectivity, space)
        else:
            formed = _largest(sets.largest, contrast, categories, connectivity, space)
        told = _of_clusters(formed, contrast, categories, space, p_corrected)
    thresholded = np.where(told.survives, contrast.stat, 0.0)
    return Inferred(
        inference=asked_name,
        contrast=contrast.name,
        thresholded=thresholded,
        p_corrected=p_corrected,
        logp=logp,
        threshold=min(sets.forming_z, default=None),
        n_surviving=int(np.count_nonzero(thresholded)),
        min_p=smallest(p_corrected, contrast),
        peak=strongest(contrast, p_corrected, contrast.logs, space),
        clusters=told.table,
        tdp=told.tdp,
        discoveries=discoveries,
    )


def check_regions(
    asked: Mapping[str, Sets], contrasts: Sequence[ContrastMaps], regions: Mapping[str, Regions]
) -> None:
    """Refuse regions in which nothing is analysed.

    Parameters
    ----------
    asked
        About which sets inferences are told, by the inference's name.
    contrasts
        The contrasts.
    regions
        Regions by the inference's name.

    Raises
    ------
    DataError
        E325 for each contrast of which no analysed location lies in any region.
    """
    findings = [
        Finding(
            "E325",
            f"none of the {np.count_nonzero(contrast.analysed)} locations that were analysed for contrast "
            f"{contrast.name!r} lies in a region",
            ("inference", name, "regions"),
            help="show the region image over the mask: does it lie in the same space?",
        )
        for name, sets in asked.items()
        if sets.regions and name in regions
        for contrast in contrasts
        if not np.any(contrast.analysed & (regions[name].codes != 0))
    ]
    raise_errors(findings, DataError)


def _formed_above(
    heights: Sequence[float], contrast: ContrastMaps, connectivity: int, space: Neighbourhood
) -> list[_Formed]:
    """Clusters above each height of |z|, ascending, positive before negative."""
    formed = []
    for height in heights:
        for sign in contrast.sides:
            within = contrast.analysed & (sign * contrast.z >= height)
            side = make_side(sign, contrast.stat, within, connectivity, space)
            formed.append(_Formed(side, np.full(side.clusters.count, height)))
    return formed


def _largest(
    share: float, contrast: ContrastMaps, categories: Integers, connectivity: int, space: Neighbourhood
) -> list[_Formed]:
    """The largest clusters with this share of true discoveries, at least, positive before negative.

    They are the components of the union of all clusters with that share, since of two clusters one holds
    the other, or they do not touch.
    """
    formed = []
    for sign in contrast.sides:
        standing = contrast.analysed & (sign * contrast.z > 0.0)
        heights = sign * contrast.z[standing]
        forest = grow_forest(heights, space.adjacency(connectivity, standing))
        within = standing.copy()
        within[standing] = forest.within_largest(share, forest.discoveries(categories[standing]))
        side = make_side(sign, contrast.stat, within, connectivity, space)
        lowest = np.full(side.clusters.count, np.inf)
        np.minimum.at(lowest, side.clusters.labels, sign * contrast.z[side.members])
        formed.append(_Formed(side, lowest))
    return formed


def _of_clusters(
    formed: Sequence[_Formed],
    contrast: ContrastMaps,
    categories: Integers,
    space: Neighbourhood,
    p_corrected: Floats,
) -> _Told:
    """What is told about clusters; of those that hold a location the last one is told there."""
    tdp = np.where(contrast.analysed, 0.0, np.nan)
    survives = np.zeros(tdp.size, dtype=np.bool_)
    found, shares = [], []
    for side in (one.side for one in formed):
        clusters = side.clusters
        found.append(bounds(categories[side.members], clusters.labels, clusters.count))
        shares.append(found[-1] / clusters.sizes)
        tdp[side.members] = shares[-1][clusters.labels]
        survives[side.members] |= found[-1][clusters.labels] > 0
    thresholds = [one.thresholds for one in formed]
    further = Further(of_clusters={"discoveries": found, "tdp": shares, "threshold": thresholds})
    table = cluster_table([one.side for one in formed], contrast, space, p_corrected, None, further)
    return _Told(tdp, survives, table)


def _of_regions(
    regions: Regions,
    contrast: ContrastMaps,
    categories: Integers,
    space: Neighbourhood,
    p_corrected: Floats,
) -> _Told:
    """What is told about regions, in ascending order of their codes."""
    members = np.flatnonzero(contrast.analysed & (regions.codes != 0))
    codes, labels = np.unique(regions.codes[members], return_inverse=True)
    found = bounds(categories[members], labels, codes.size)
    sizes = np.bincount(labels, minlength=codes.size)
    tdp = np.where(contrast.analysed, 0.0, np.nan)
    tdp[members] = (found / sizes)[labels]
    survives = np.zeros(tdp.size, dtype=np.bool_)
    survives[members] = found[labels] > 0
    peaks = _peaks(members, labels, contrast)
    columns: dict[str, Any] = {
        "cluster": np.arange(1, codes.size + 1),
        "peak": np.ones(codes.size, dtype=np.int64),
        "sign": np.array([SIGNS[1 if z >= 0.0 else -1] for z in contrast.z[peaks]], dtype=object),
        "statistic": contrast.stat[peaks],
        "z_score": contrast.z[peaks],
        "size": sizes,
        "p_corrected": p_corrected[peaks],
        "discoveries": found,
        "tdp": found / sizes,
        "threshold": np.full(codes.size, np.nan),
        **dict(zip("xyz", np.asarray(space.coordinates, dtype=np.float64)[peaks].T, strict=True)),
        **_extents(members, labels, codes.size, contrast, space),
        **contrast.told_at(peaks),
        "region": np.array([regions.names.get(int(code), str(code)) for code in codes], dtype=object),
    }
    if contrast.region is not None:
        by_region = np.split(members[np.argsort(labels, kind="stable")], np.cumsum(sizes)[:-1])
        columns["regions"] = [shares_in_words(contrast.region[these]) for these in by_region]
    return _Told(tdp, survives, as_table(columns, CLUSTER_COLUMNS.keys() - SOMETIMES))


def _peaks(members: Integers, labels: Integers, contrast: ContrastMaps) -> Integers:
    """Location of each set's most extreme z in the contrast's direction; of equals the first."""
    extreme = np.max([sign * contrast.z[members] for sign in contrast.sides], axis=0)
    order = np.lexsort((-extreme, labels))
    _, first = np.unique(labels[order], return_index=True)
    peaks: Integers = members[order[first]]
    return peaks


def _extents(
    members: Integers, labels: Integers, count: int, contrast: ContrastMaps, space: Neighbourhood
) -> Mapping[str, Floats]:
    """What each set measures, its mass and its centre of mass; without any mass its plain centre."""

    def sums(values: Floats) -> Floats:
        return np.bincount(labels, values, count).astype(np.float64, copy=False)

    measure = np.broadcast_to(np.asarray(space.measure, dtype=np.float64), contrast.stat.shape)
    weights = np.abs(contrast.stat[members])
    masses = sums(weights)
    weights = np.where(masses[labels] > 0.0, weights, 1.0)
    places = np.asarray(space.coordinates, dtype=np.float64)[members].T
    centers = {
        f"center_{axis}": sums(weights * place) / sums(weights)
        for axis, place in zip("xyz", places, strict=True)
    }
    return {"size_mm3": sums(measure[members]), "mass": masses, **centers}
