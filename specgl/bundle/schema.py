"""The form of a manifest, as a JSON Schema for readers in any language."""

from __future__ import annotations

from typing import Any

from specgl.bundle.manifest import FORMAT, VERSION, Status
from specgl.bundle.names import Role

_TEXT = {"type": "string"}
_NUMBER_OR_NONE = {"type": ["number", "null"]}
_COUNT = {"type": "integer", "minimum": 0}
_DIGEST = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
_LABEL = {"type": "string", "pattern": "^[A-Za-z0-9]+$"}


def manifest_schema() -> dict[str, Any]:
    """JSON Schema (draft 7) of `manifest.json`; the folder `schemas` holds the same."""
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "$id": "urn:specgl:bundle-1",
        "title": "Manifest of a specgl results bundle",
        **_record(_always(), optional=_at_times()),
        "if": {"properties": {"status": {"const": Status.COMPLETE.value}}},
        "then": {"required": ["space", "observations", "contrasts", "counts"]},
        "else": {"required": ["stage", "message"]},
    }


def _always() -> dict[str, Any]:
    """What every manifest says."""
    return {
        "format": {"const": FORMAT},
        "version": {"const": VERSION},
        "status": {"enum": [status.value for status in Status]},
        "name": {"type": "string", "description": "Name of the analysis."},
        "specgl": {"type": "string", "description": "Version that wrote the bundle."},
        "spec_digest": {
            "description": "SHA-256 of the resolved spec: the analysis' identity.",
            "oneOf": [_DIGEST, {"type": "null"}],
        },
        "started": {"type": "string", "format": "date-time"},
        "seconds": {"type": "number", "minimum": 0},
        "timings": {
            "description": "Seconds by stage.",
            "type": "object",
            "additionalProperties": {"type": "number", "minimum": 0},
        },
        "peak_memory": {
            "description": "Largest resident size in bytes.",
            "type": ["integer", "null"],
        },
        "threads": {"type": "integer", "minimum": 1},
        "command": {"type": "array", "items": _TEXT},
        "files": {
            "description": "Every file but the manifest itself.",
            "type": "array",
            "items": _file(),
        },
        "results": {
            "description": "One row for each contrast and inference.",
            "type": "array",
            "items": _result(),
        },
        "warnings": {"type": "array", "items": _finding("^W[0-9]{3}$")},
        "errors": {"type": "array", "items": _finding("^E[0-9]{3}$")},
    }


def _at_times() -> dict[str, Any]:
    """What the manifest of a complete bundle says, and what that of a failed run says instead."""
    return {
        "stage": {"type": "string", "description": "Stage in which the run stopped."},
        "message": {"type": "string", "description": "Why it stopped."},
        "space": _space(),
        "observations": {"type": ["integer", "null"], "minimum": 1},
        "contrasts": {"type": "array", "items": _contrast()},
        "counts": {
            "description": "Numbers of locations by kind.",
            "type": "object",
            "additionalProperties": _COUNT,
        },
        "shuffling": {
            "description": "How observations were shuffled; empty without inference by permutation.",
            "type": "array",
            "items": _scheme(),
        },
    }


def _record(required: dict[str, Any], *, optional: dict[str, Any] | None = None) -> dict[str, Any]:
    """An object that holds these keys and no others."""
    return {
        "type": "object",
        "required": list(required),
        "additionalProperties": False,
        "properties": required | (optional or {}),
    }


def _file() -> dict[str, Any]:
    return _record(
        {
            "path": {
                "description": "Place in the bundle; never absolute, never climbing by '..'.",
                "type": "string",
                "pattern": r"^(?!/)(?!.*(^|/)\.{1,2}(/|$))(?!.*//)[^\\:]+$",
            },
            "role": {"enum": [role.value for role in Role]},
            "bytes": _COUNT,
            "sha256": _DIGEST,
        },
        optional={
            "data_sha256": {
                **_DIGEST,
                "description": "Images only: over the voxels as little-endian bytes in the order of the file "
                "and then the affine as 16 little-endian float64.",
            },
            "stat": _LABEL,
            "variable": _TEXT,
            "contrast": _LABEL,
            "inference": _LABEL,
            "dtype": {"enum": ["float32", "float64", "uint8"]},
        },
    )


def _result() -> dict[str, Any]:
    peak = {key: {"type": "number"} for key in ("x", "y", "z", "statistic", "z_score")}
    return _record(
        {
            "contrast": _LABEL,
            "inference": _LABEL,
            "statistic": _TEXT,
            "alternative": _TEXT,
            "n": _NUMBER_OR_NONE,
            "n_min": _NUMBER_OR_NONE,
            "dof_numerator": _NUMBER_OR_NONE,
            "dof": _NUMBER_OR_NONE,
            "dof_min": _NUMBER_OR_NONE,
            "threshold": {
                **_NUMBER_OR_NONE,
                "description": "Magnitude from which a location survives, or from which clusters are formed.",
            },
            "n_surviving": _COUNT,
            "n_clusters": _COUNT,
            "min_p": {**_NUMBER_OR_NONE, "description": "Smallest corrected p-value."},
            "peak": {
                "description": "Where the evidence is strongest, whether or not it survives; mm.",
                "oneOf": [_record({**peak, "p_corrected": _NUMBER_OR_NONE}), {"type": "null"}],
            },
        },
        optional={
            "shuffled": {
                "description": "Of an inference by permutation: what its null distribution was made from.",
                "oneOf": [_shuffled(), {"type": "null"}],
            },
            "discoveries": {
                "description": "Of an inference about true discoveries: what holds for every set at once.",
                "oneOf": [_discoveries(), {"type": "null"}],
            },
            "field": {
                "description": "Of random fields and simulation: the field that the map was taken for.",
                "oneOf": [_field(), {"type": "null"}],
            },
            "simulations": {
                "description": "Of an inference by simulation: the maps that clusters were compared with.",
                "oneOf": [_simulations(), {"type": "null"}],
            },
        },
    )


def _shuffled() -> dict[str, Any]:
    return _record(
        {
            "n": {"type": "integer", "minimum": 1},
            "possible": {"type": "number", "description": "Labellings that exist."},
            "exhaustive": {"type": "boolean"},
            "exchange": {"enum": ["permute", "flip", "both"]},
            "tail": {"enum": ["counts", "gpd", "gamma"]},
            "critical": {**_NUMBER_OR_NONE, "description": "Value of the null from which one survives."},
        }
    )


def _discoveries() -> dict[str, Any]:
    return _record(
        {
            "template": {"enum": ["simes", "calibrated"]},
            "factor": {
                **_NUMBER_OR_NONE,
                "description": "p-values are counted in these units: h / alpha, or m / lambda.",
            },
            "n_locations": _COUNT,
            "at_least": {**_COUNT, "description": "True discoveries among all locations, at least."},
            "h": {"type": ["integer", "null"], "description": "Hommel's h."},
        }
    )


def _field() -> dict[str, Any]:
    lengths = {"type": "array", "items": _NUMBER_OR_NONE, "minItems": 3, "maxItems": 3}
    return _record(
        {
            "source": {"enum": ["residuals", "given"]},
            "fwhm": {**lengths, "description": "Along the axes of the grid, in mm."},
            "fwhm_voxels": lengths,
            "resels": {
                "description": "Of the dimensions 0 to 3.",
                "type": "array",
                "items": {"type": "number"},
                "minItems": 4,
                "maxItems": 4,
            },
        }
    )


def _simulations() -> dict[str, Any]:
    return _record(
        {
            "n": {"type": "integer", "minimum": 1},
            "seed": {"type": "integer"},
            "critical": {**_NUMBER_OR_NONE, "description": "What survives surpasses this size or mass."},
        }
    )


def _scheme() -> dict[str, Any]:
    return _record(
        {
            "exchange": {"enum": ["permute", "flip", "both"]},
            "why": _TEXT,
            "contrasts": {"type": "array", "items": _LABEL},
            "possible": {"type": "number", "description": "Labellings that exist."},
            "n": {"type": "integer", "minimum": 1},
            "exhaustive": {"type": "boolean"},
            "seed": {"type": "integer"},
            "generator": _TEXT,
            "nuisance": _TEXT,
            "tree": {"type": "array", "items": _TEXT},
        }
    )


def _finding(code: str) -> dict[str, Any]:
    return _record(
        {"code": {"type": "string", "pattern": code}, "message": _TEXT},
        optional={
            "where": {"type": "array", "items": {"type": ["string", "integer"]}},
            "span": {"type": "array", "items": _COUNT, "minItems": 2, "maxItems": 2},
            "on_key": {"type": "boolean"},
            "file": _TEXT,
            "line": {"type": "integer", "minimum": 1},
            "column": {"type": "integer", "minimum": 1},
            "end_column": {"type": "integer", "minimum": 1},
            "help": _TEXT,
            "notes": {"type": "array", "items": _TEXT},
        },
    )


def _space() -> dict[str, Any]:
    row = {"type": "array", "items": {"type": "number"}, "minItems": 4, "maxItems": 4}
    shape = {"type": "array", "items": {"type": "integer", "minimum": 1}, "minItems": 3, "maxItems": 3}
    return _record(
        {
            "label": {"type": ["string", "null"]},
            "shape": shape,
            "affine": {"type": "array", "items": row, "minItems": 4, "maxItems": 4},
            "locations": _COUNT,
        }
    )


def _contrast() -> dict[str, Any]:
    return _record(
        {
            "name": _LABEL,
            "statistic": {"enum": ["t", "F", "v", "G", "chi2", "z", "p"]},
            "alternative": {"enum": ["two-sided", "greater", "less"]},
        },
        optional={
            "members": {
                "description": "Of a conjunction: the contrasts that it joins.",
                "type": "array",
                "items": _LABEL,
                "minItems": 2,
            }
        },
    )
