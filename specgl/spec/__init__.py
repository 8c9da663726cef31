"""What is asked: a YAML or JSON text → `AnalysisSpec`, or every fault with its line and column."""

from __future__ import annotations

from specgl.spec.analysis import AnalysisSpec
from specgl.spec.contrasts import (
    AnyContrast,
    Conjunction,
    HypothesisF,
    HypothesisT,
    OneRow,
    TermF,
    WeightsF,
    WeightsT,
)
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
from specgl.spec.discoveries import AllResolutions, DiscoverySets, Largest
from specgl.spec.estimation import (
    AnyErrors,
    AnyEstimator,
    ClusterErrors,
    FixedEffects,
    HcErrors,
    HomoscedasticErrors,
    MixedEffects,
    OlsEstimator,
    RobustEstimator,
)
from specgl.spec.examine import Examination, check, examine, examine_text, read
from specgl.spec.fields import (
    ExtentField,
    ExtentSimulated,
    GivenSmoothness,
    MassSimulated,
    RandomField,
    Simulated,
    VoxelField,
)
from specgl.spec.forming import Forming
from specgl.spec.identity import canonical_json, digest, resolve
from specgl.spec.inference import (
    AnyInference,
    AnyPermutation,
    ClusterPermutation,
    ExtentPermutation,
    MassPermutation,
    Parametric,
    PermutationInference,
    TdpPermutation,
    Tfce,
    TfcePermutation,
    VoxelPermutation,
)
from specgl.spec.labels import LabelImage
from specgl.spec.maps import AnyMap, Chi2Map, FMap, TMap, ZMap
from specgl.spec.model import GroupsFromBlocks, Model
from specgl.spec.permutation import BlockLevel, PermutationSettings
from specgl.spec.schema import json_schema
from specgl.spec.silence import heed
from specgl.spec.source import Source, locate
from specgl.spec.variables import Categorical, Continuous

__all__ = [
    "AllResolutions",
    "AnalysisSpec",
    "AnyContrast",
    "AnyErrors",
    "AnyEstimator",
    "AnyInference",
    "AnyMap",
    "AnyPermutation",
    "Available",
    "BidsImages",
    "BlockLevel",
    "Categorical",
    "Chi2Map",
    "ClusterErrors",
    "ClusterPermutation",
    "ColumnImages",
    "Conjunction",
    "Continuous",
    "Data",
    "DiscoverySets",
    "Examination",
    "ExtentField",
    "ExtentPermutation",
    "ExtentSimulated",
    "FMap",
    "FileImages",
    "FixedEffects",
    "Forming",
    "GivenSmoothness",
    "GroupsFromBlocks",
    "HcErrors",
    "HomoscedasticErrors",
    "HypothesisF",
    "HypothesisT",
    "LabelImage",
    "Largest",
    "MaskImage",
    "MaskThreshold",
    "MassPermutation",
    "MassSimulated",
    "Missing",
    "MixedEffects",
    "Model",
    "OlsEstimator",
    "OneRow",
    "Parametric",
    "PermutationInference",
    "PermutationSettings",
    "RandomField",
    "RobustEstimator",
    "Simulated",
    "Source",
    "TMap",
    "TdpPermutation",
    "TermF",
    "Tfce",
    "TfcePermutation",
    "VoxelField",
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
