"""What is asked: a YAML or JSON text → `AnalysisSpec`, or every fault with its line and column."""

from __future__ import annotations

from specgl.spec.analysis import AnalysisSpec
from specgl.spec.contrasts import AnyContrast, HypothesisF, HypothesisT, TermF, WeightsF, WeightsT
from specgl.spec.data import (
    Available,
    BidsImages,
    ColumnImages,
    Data,
    FileImages,
    MaskImage,
    MaskThreshold,
    Missing,
)
from specgl.spec.examine import Examination, check, examine, examine_text, read
from specgl.spec.identity import canonical_json, digest, resolve
from specgl.spec.inference import Parametric
from specgl.spec.maps import AnyMap, FMap, TMap, ZMap
from specgl.spec.model import Model
from specgl.spec.schema import json_schema
from specgl.spec.silence import heed
from specgl.spec.source import Source, locate
from specgl.spec.variables import Categorical, Continuous

__all__ = [
    "AnalysisSpec",
    "AnyContrast",
    "AnyMap",
    "Available",
    "BidsImages",
    "Categorical",
    "ColumnImages",
    "Continuous",
    "Data",
    "Examination",
    "FMap",
    "FileImages",
    "HypothesisF",
    "HypothesisT",
    "MaskImage",
    "MaskThreshold",
    "Missing",
    "Model",
    "Parametric",
    "Source",
    "TMap",
    "TermF",
    "WeightsF",
    "WeightsT",
    "ZMap",
    "canonical_json",
    "check",
    "digest",
    "examine",
    "examine_text",
    "heed",
    "json_schema",
    "locate",
    "read",
    "resolve",
]
