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
from specgl.spec.inference import (
    AnyInference,
    AnyPermutation,
    ClusterPermutation,
    ExtentPermutation,
    MassPermutation,
    Parametric,
    PermutationInference,
    Tfce,
    TfcePermutation,
    VoxelPermutation,
)
from specgl.spec.maps import AnyMap, FMap, TMap, ZMap
from specgl.spec.model import GroupsFromBlocks, Model
from specgl.spec.permutation import BlockLevel, PermutationSettings
from specgl.spec.schema import json_schema
from specgl.spec.silence import heed
from specgl.spec.source import Source, locate
from specgl.spec.variables import Categorical, Continuous

__all__ = [
    "AnalysisSpec",
    "AnyContrast",
    "AnyInference",
    "AnyMap",
    "AnyPermutation",
    "Available",
    "BidsImages",
    "BlockLevel",
    "Categorical",
    "ClusterPermutation",
    "ColumnImages",
    "Continuous",
    "Data",
    "Examination",
    "ExtentPermutation",
    "FMap",
    "FileImages",
    "GroupsFromBlocks",
    "HypothesisF",
    "HypothesisT",
    "MaskImage",
    "MaskThreshold",
    "MassPermutation",
    "Missing",
    "Model",
    "Parametric",
    "PermutationInference",
    "PermutationSettings",
    "Source",
    "TMap",
    "TermF",
    "Tfce",
    "TfcePermutation",
    "VoxelPermutation",
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
