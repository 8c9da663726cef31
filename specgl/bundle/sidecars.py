"""The words beside each image and each table, for a reader who has only that file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from specgl.bundle import names
from specgl.bundle.columns import describe_columns
from specgl.bundle.contents import Contents
from specgl.bundle.maps import LIMITS, TOST, MapFile
from specgl.bundle.statistics import Statistic
from specgl.design import Conjunction, Contrast, Design
from specgl.inference import Inferred


def map_sidecar(map_file: MapFile, contents: Contents) -> dict[str, Any]:
    """The sidecar of an image: meaning, contrast, statistic, inference, and where it comes from."""
    told: dict[str, Any] = {"Description": map_file.meaning, "Units": map_file.unit}
    if map_file.statistic is not None:
        told |= _contrast_words(map_file.statistic, contents.design)
    told |= _asked_words(map_file, contents)
    if map_file.inferred is not None:
        told |= _inference_words(map_file.inferred, contents.spec.resolved)
    told["OutsideMask"] = "NaN" if np.isnan(map_file.fill) else map_file.fill
    told["DataType"] = map_file.dtype
    told["SpecDigest"] = contents.spec.digest
    told["Sources"] = [f"bids::{path}" for path in _sources(map_file, contents)]
    return told


def cluster_sidecar(inferred: Inferred, contents: Contents, statistic: Statistic) -> dict[str, Any]:
    """The sidecar of a cluster table: its columns, and which result it lists."""
    settings = contents.spec.resolved.get("inference", {}).get(inferred.inference, {})
    columns = describe_columns([str(name) for name in inferred.clusters.columns], settings, statistic)
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
        contrast = design.asked[statistic.contrast]
        told["Hypothesis"] = list(contrast.words)
        if isinstance(contrast, Conjunction):
            told["Conjunction"] = list(contrast.members)
        else:
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


def _asked_words(map_file: MapFile, contents: Contents) -> dict[str, Any]:
    """What the meaning leaves open: level of limits, margin of an equivalence test, groups of volumes."""
    resolved, variable = contents.spec.resolved, map_file.label.variable or ""
    if variable.endswith(LIMITS):
        return {"ConfidenceLevel": resolved.get("output", {}).get("level")}
    if variable == TOST:
        contrast = resolved.get("contrasts", {}).get(map_file.label.contrast, {})
        return {"Margin": contrast.get("margin")}
    if variable == "tau2" and map_file.values.ndim > 1 and contents.design is not None:
        groups = contents.design.variance_groups
        if groups is not None:
            return {"VarianceGroups": [f"{groups.name}[{one}]" for one in groups.labels]}
    return {}


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
