"""Inference by the theory of random fields: peaks and clusters of maps whose noise is smooth.

A t of constant degrees of freedom is taken for a t field, and so for F and chi-square; whatever else there
is, as its z, for a Gaussian field. p-values follow Worsley et al. 1996,
doi:10.1002/(SICI)1097-0193(1996)4:1<58::AID-HBM4>3.0.CO;2-O.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from specgl.errors import Finding
from specgl.inference.asked import RandomField, forming_height
from specgl.inference.contrasts import ContrastMaps, each_contrast
from specgl.inference.corrected import from_logs
from specgl.inference.families import families
from specgl.inference.noise import analysed_voxels, field_of
from specgl.inference.provisions import Provisions
from specgl.inference.records import Field, Inferred, Neighbourhood
from specgl.inference.sides import Side, sides_above
from specgl.inference.surviving import Rule, surviving_clusters, surviving_locations
from specgl.inference.tables import Further
from specgl.kernels.fields import (
    Family,
    FormedClusters,
    PeakField,
    dimension,
    height_at,
    log_cluster_p,
    log_peak_p,
)

Floats = NDArray[np.float64]

ROUGH = 3.0
"""FWHM in voxels below which the lattice shows (W431)."""

FEW_DOF = 20.0
"""Degrees of freedom below which the field's tails are doubtful (W432)."""


def random_field(
    stats: xr.Dataset, space: Neighbourhood, asked: Sequence[RandomField], provisions: Provisions
) -> list[tuple[Inferred, ...]]:
    """Inferences by random field theory about every contrast.

    Parameters
    ----------
    stats
        Statistics as `specgl.inference.infer` takes them.
    space
        What makes the locations neighbours.
    asked
        About peaks or clusters, of which extent, over which families, at which levels.
    provisions
        The lattice, and the residuals' smoothness for inferences that give none.

    Returns
    -------
    inferred
        For each inference a record for each contrast, in order; with the warnings W430 to W432 where the
        theory is out of its range.

    Raises
    ------
    ValueError
        When the lattice or the smoothness is missing, or an inference lacks what its statistic needs.
    """
    contrasts = each_contrast(stats)
    return [
        _ABOUT[one.statistic]([_map(contrast, one, provisions) for contrast in contrasts], space, one)
        for one in asked
    ]


@dataclass(frozen=True, eq=False)
class _FieldMap:
    """One contrast's map as a random field.

    Attributes
    ----------
    contrast
        The contrast.
    field
        Its family, the resels of its analysed locations, and its tails.
    values
        The statistic on the field's scale, (n_loc,).
    record
        What is told of the field.
    dimension
        Axes along which the analysed locations are thicker than one voxel.
    density
        Resels per voxel at each location, (n_loc,).
    dof
        Smallest degrees of freedom that the field's noise was estimated with; NaN where it was not.
    """

    contrast: ContrastMaps
    field: PeakField
    values: Floats
    record: Field
    dimension: int
    density: Floats
    dof: float


def _map(contrast: ContrastMaps, asked: RandomField, provisions: Provisions) -> _FieldMap:
    """One contrast's map as a random field with the smoothness that an inference asks for."""
    voxels = analysed_voxels(asked, contrast, provisions)
    record = field_of(asked, voxels, provisions)
    family, values, dof = _family(contrast)
    return _FieldMap(
        contrast,
        PeakField(family, record.resels, len(contrast.sides)),
        values,
        record,
        dimension(voxels),
        _density(asked, contrast, record, provisions),
        dof,
    )


def _density(asked: RandomField, contrast: ContrastMaps, record: Field, provisions: Provisions) -> Floats:
    """Resels per voxel, the mean wherever they are not told by location, (n_loc,)."""
    widths = np.asarray(record.fwhm_voxels)
    mean = float(np.prod(1.0 / widths[np.isfinite(widths)]))
    if asked.extent == "voxels":
        return np.full(contrast.p.shape, mean)
    if asked.fwhm is not None or provisions.smoothness is None:
        raise ValueError(f"inference '{asked.name}': with a given smoothness all voxels have the same resels")
    rpv = provisions.smoothness.rpv
    return np.where(np.isfinite(rpv), rpv, mean)


def _family(contrast: ContrastMaps) -> tuple[Family, Floats, float]:
    """The field that a contrast's map is, its values, and its smallest degrees of freedom."""
    dof = np.atleast_1d(np.asarray(contrast.dof, dtype=np.float64))
    dof = dof[contrast.analysed] if dof.size == contrast.p.size else dof
    known = dof[np.isfinite(dof)]
    least = float(known.min()) if known.size else float("nan")
    constant = known.size == dof.size > 0 and least == known.max()
    match contrast.kind:
        case "t" if constant:
            return Family("t", dof=least), contrast.stat, least
        case "F" if constant:
            return Family("F", dof1=contrast.dof1, dof=least), contrast.stat, least
        case "chi2":
            return Family("chi2", dof1=contrast.dof1), contrast.stat, float("nan")
        case _:
            return Family("z"), contrast.z, least


def _peaks(maps: list[_FieldMap], space: Neighbourhood, asked: RandomField) -> tuple[Inferred, ...]:
    """Locations against the expected Euler characteristic at their height."""
    rule = Rule(asked.name, asked.alpha, asked.connectivity)
    found = []
    for one, (p, logp) in zip(maps, _peak_p(maps, asked), strict=True):
        inferred = surviving_locations(one.contrast, p, logp, one.contrast.logs, space, rule)
        found.append(replace(inferred, field=one.record, findings=_findings(asked, one)))
    return tuple(found)


def _peak_p(maps: list[_FieldMap], asked: RandomField) -> list[tuple[Floats, Floats]]:
    """Corrected p-values of peaks and their −log10, by contrast, (n_loc,) each."""
    found = []
    for family in families(maps, asked.across):
        n = sum(int(np.count_nonzero(one.contrast.analysed)) for one in family)
        for one in family:
            here = one.contrast.analysed
            heights = np.max([sign * one.values[here] for sign in one.contrast.sides], axis=0)
            others = [other.field for other in family if other is not one and other.contrast.analysed.any()]
            if here.any():
                uncorrected = -float(np.log(10.0)) * one.contrast.logs[here]
                logs = log_peak_p(heights, uncorrected, one.field, others, n=n)
            else:
                logs = np.empty(0)
            p, logp = from_logs(logs)
            found.append((one.contrast.spread(p), one.contrast.spread(logp)))
    return found


def _clusters(maps: list[_FieldMap], space: Neighbourhood, asked: RandomField) -> tuple[Inferred, ...]:
    """Clusters against the expected number of clusters as large."""
    thresholds = [_threshold(asked, one) for one in maps]
    formed = [
        FormedClusters.above(u, one.field, one.dimension) for u, one in zip(thresholds, maps, strict=True)
    ]
    peaks = _peak_p(maps, asked)
    rule = Rule(asked.name, asked.alpha, asked.connectivity)
    found = []
    for family in families(list(range(len(maps))), asked.across):
        for i in family:
            one = maps[i]
            sides = sides_above(one.contrast.sides, one.values, thresholds[i], asked.connectivity, space)
            others = [formed[j] for j in family if j != i and maps[j].contrast.analysed.any()]
            p = [_cluster_p(side, one.density, formed[i], others) for side in sides]
            further = Further(at_peaks={"p_peak": peaks[i][0]})
            inferred = surviving_clusters(one.contrast, sides, p, space, rule, thresholds[i], further)
            findings = _findings(asked, one, formed[i], thresholds[i])
            found.append(replace(inferred, field=one.record, findings=findings))
    return tuple(found)


_ABOUT = {"voxel": _peaks, "cluster_extent": _clusters}


def _threshold(asked: RandomField, one: _FieldMap) -> float:
    """Cluster-forming threshold on the field's scale."""
    return forming_height(asked, lambda p: height_at(one.field.family, p / one.field.tails))


def _cluster_p(
    side: Side, density: Floats, formed: FormedClusters, others: Sequence[FormedClusters]
) -> tuple[Floats, Floats]:
    """Corrected p-values of one side's clusters and their −log10, (n_clusters,) each."""
    return from_logs(log_cluster_p(side.clusters.sums(density[side.members]), formed, others))


def _findings(
    asked: RandomField, one: _FieldMap, formed: FormedClusters | None = None, threshold: float = np.nan
) -> tuple[Finding, ...]:
    """Warnings where the theory is out of its range."""
    where = ("inference", asked.name)
    found = []
    if not one.contrast.analysed.any():
        return ()
    if formed is not None and not formed.told:
        found.append(
            Finding(
                "W430",
                f"contrast '{one.contrast.name}': at the cluster-forming threshold {threshold:.3g} the "
                "expected Euler characteristic is no number of clusters; all clusters have p = 1",
                where,
                help="take a smaller cluster_forming_p, such as 0.001, or method: permutation",
            )
        )
    widths = [f"{width:.3g}" for width in one.record.fwhm_voxels if not np.isnan(width)]
    if np.nanmin(np.append(one.record.fwhm_voxels, np.inf)) < ROUGH:
        found.append(
            Finding(
                "W431",
                f"the field's FWHM is {' x '.join(widths)} voxels; the theory wants {ROUGH:g} at least",
                where,
                help="smooth the maps more before the fit, or take method: permutation",
            )
        )
    if one.dof < FEW_DOF:
        found.append(
            Finding(
                "W432",
                f"{one.dof:.3g} degrees of freedom; below {FEW_DOF:g} p-values of random fields are doubtful",
                where,
                help="take method: permutation",
            )
        )
    return tuple(found)
