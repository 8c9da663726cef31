"""The words beside each image and each table, for a reader who has only that file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from specgl.bundle import names
from specgl.bundle.contents import Contents
from specgl.bundle.maps import MapFile
from specgl.bundle.shuffled import compared_as
from specgl.bundle.statistics import Statistic
from specgl.design import Contrast, Design
from specgl.inference import Inferred

_ABOUT_CLUSTERS = frozenset({"cluster_extent", "cluster_mass"})
_OF_CLUSTER = " Said in the row of the cluster's highest peak alone."

CLUSTER_COLUMNS: dict[str, tuple[str, str | None]] = {
    "cluster": ("Number of the cluster, from 1: positive ones first, each sign by falling peak.", None),
    "peak": ("Number of the peak within its cluster, from 1, the highest first.", None),
    "sign": ("Sign of the statistic in the cluster.", None),
    "x": ("Position of the peak along the first axis of the images' space, to the right in RAS+.", "mm"),
    "y": ("Position of the peak along the second axis, to the front in RAS+.", "mm"),
    "z": ("Position of the peak along the third axis, upwards in RAS+.", "mm"),
    "statistic": ("Test statistic at the peak.", None),
    "z_score": ("The statistic at the peak as a standard normal deviate.", None),
    "size": ("Number of locations in the cluster." + _OF_CLUSTER, None),
    "size_mm3": ("Volume of the cluster." + _OF_CLUSTER, "mm3"),
    "mass": ("Sum of the statistic's magnitude over the cluster." + _OF_CLUSTER, None),
    "center_x": ("Centre of mass of the cluster, x." + _OF_CLUSTER, "mm"),
    "center_y": ("Centre of mass of the cluster, y." + _OF_CLUSTER, "mm"),
    "center_z": ("Centre of mass of the cluster, z." + _OF_CLUSTER, "mm"),
    "p_corrected": (
        "Corrected p-value, of the peak or of the cluster, whichever the inference is about.",
        None,
    ),
    "tdp": ("Lower bound on the share of true discoveries in the cluster.", None),
    "threshold": ("Magnitude of the statistic from which a location survives.", None),
    "region": ("Region of an atlas.", None),
}
"""Columns of cluster tables, with their meanings and units; a table has those that its inference has."""


def map_sidecar(map_file: MapFile, contents: Contents) -> dict[str, Any]:
    """The sidecar of an image: meaning, contrast, statistic, inference, and where it comes from."""
    told: dict[str, Any] = {"Description": map_file.meaning, "Units": map_file.unit}
    if map_file.statistic is not None:
        told |= _contrast_words(map_file.statistic, contents.design)
    if map_file.inferred is not None:
        told |= _inference_words(map_file.inferred, contents.spec.resolved)
    told["OutsideMask"] = "NaN" if np.isnan(map_file.fill) else map_file.fill
    told["DataType"] = map_file.dtype
    told["SpecDigest"] = contents.spec.digest
    told["Sources"] = [f"bids::{path}" for path in _sources(map_file, contents)]
    return told


def cluster_sidecar(inferred: Inferred, contents: Contents, statistic: Statistic) -> dict[str, Any]:
    """The sidecar of a cluster table: its columns, and which result it lists."""
    columns: dict[str, Any] = {}
    meanings = CLUSTER_COLUMNS | _of_clusters(inferred, contents.spec.resolved, statistic)
    for column in inferred.clusters.columns:
        meaning, unit = meanings[str(column)]
        columns[str(column)] = {"Description": meaning} | ({"Units": unit} if unit is not None else {})
    thresholded = names.stat_map(
        statistic.kind,
        contrast=inferred.contrast,
        inference=inferred.inference,
        space=contents.space.label,
    )
    return {
        **columns,
        **_contrast_words(statistic, contents.design),
        **_inference_words(inferred, contents.spec.resolved),
        "SpecDigest": contents.spec.digest,
        "Sources": [f"bids::{thresholded}"],
    }


def _of_clusters(
    inferred: Inferred, resolved: Mapping[str, Any], statistic: Statistic
) -> dict[str, tuple[str, str | None]]:
    """What columns mean where an inference by permutation is about clusters."""
    settings = resolved.get("inference", {}).get(inferred.inference, {})
    if settings.get("method") != "permutation" or settings.get("statistic") not in _ABOUT_CLUSTERS:
        return {}
    scale = compared_as(settings, statistic)
    above = " above the threshold" if settings.get("mass") == "excess" else ""
    return {
        "mass": (f"Sum of the magnitude of {scale}{above} over the cluster." + _OF_CLUSTER, None),
        "threshold": (f"Magnitude of {scale} from which locations form clusters.", None),
    }


def weights_by_name(contrast: Contrast, design: Design) -> list[dict[str, float]]:
    """Weights of a contrast by regressor, one mapping a row; weights of 0 are left out."""
    regressors = [regressor.name for regressor in design.regressors]
    return [
        {name: float(weight) for name, weight in zip(regressors, row, strict=True) if weight != 0}
        for row in contrast.weights
    ]


def _contrast_words(statistic: Statistic, design: Design | None) -> dict[str, Any]:
    told: dict[str, Any] = {"Contrast": statistic.contrast}
    if design is not None:
        contrast = next(c for c in design.contrasts if c.name == statistic.contrast)
        told["Hypothesis"] = list(contrast.words)
        told["Weights"] = weights_by_name(contrast, design)
    told["StatisticType"] = statistic.kind
    told["Alternative"] = statistic.alternative
    numbers = {
        "DegreesOfFreedomNumerator": statistic.dof1,
        "DegreesOfFreedom": statistic.dof,
        "NumberOfObservations": statistic.n,
    }
    if statistic.dof_min != statistic.dof:
        numbers["DegreesOfFreedomSmallest"] = statistic.dof_min
    if statistic.n_min != statistic.n:
        numbers["NumberOfObservationsSmallest"] = statistic.n_min
    return told | {key: value for key, value in numbers.items() if value is not None}


def _inference_words(inferred: Inferred, resolved: Mapping[str, Any]) -> dict[str, Any]:
    settings = resolved.get("inference", {}).get(inferred.inference, {})
    return {
        "Inference": {"Name": inferred.inference, **settings},
        "Threshold": inferred.threshold,
        "Survivors": inferred.n_surviving,
    }


def _sources(map_file: MapFile, contents: Contents) -> list[str]:
    if map_file.inferred is not None and map_file.statistic is not None:
        unthresholded = "stat" in contents.maps
        space = contents.space.label
        statistic = map_file.statistic
        source = names.stat_map(statistic.kind, contrast=statistic.contrast, space=space)
        return [source] if unthresholded else [names.INPUTS]
    return [names.INPUTS, names.DESIGN_TABLE] if contents.design is not None else [names.INPUTS]
