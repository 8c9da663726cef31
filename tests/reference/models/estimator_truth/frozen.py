"""cases.json and frozen.json as arrays."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

import numpy as np

FOLDER = Path(__file__).parents[1]

TAU2 = {"DL": "dl", "HE": "hedges", "PM": "pm", "ML": "ml", "REML": "reml"}
"""metafor's names of the estimators of tau2, and ours."""
HC = ("HC0", "HC1", "HC2", "HC3", "HC4")
CLUSTER = {"HC0": "c0", "HC1": "c1", "HC2": "c2", "HC3": "c3"}
"""sandwich's names of the corrections of clustered residuals, and ours."""
LOSSES = ("huber", "bisquare")


@functools.cache
def _read(name: str) -> dict[str, Any]:
    with (FOLDER / name).open(encoding="utf-8") as file:
        made: dict[str, Any] = json.load(file)
    return made


def cases() -> dict[str, Any]:
    """The inputs."""
    return _read("cases.json")


def frozen() -> dict[str, Any]:
    """What R made of them."""
    return _read("frozen.json")


def design(name: str) -> np.ndarray:
    """Design matrix of a name, ``(n, p)``."""
    return np.array(cases()["designs"][name])


def columns(rows: list[Any]) -> np.ndarray:
    """Values with the location first, as they stand in the files, with the location last."""
    return np.moveaxis(np.array(rows, dtype=float), 0, -1)


def vectors(rows: list[Any]) -> np.ndarray:
    """``(p, m)`` of one vector a location; a vector of length 1 was written as a number."""
    return np.array(rows, dtype=float).reshape(len(rows), -1).T


def matrices(rows: list[Any]) -> np.ndarray:
    """``(p, p, m)`` of one matrix a location."""
    values = np.array(rows, dtype=float).reshape(len(rows), -1)
    p = round(np.sqrt(values.shape[1]))
    return np.moveaxis(values.reshape(len(rows), p, p), 0, -1)


def orthonormal(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Basis ``(n, p)`` with orthonormal columns, and spread ``(p, p)``: coefficients = spread @ scores."""
    q, r = np.linalg.qr(matrix)
    return np.ascontiguousarray(q), np.linalg.inv(r)
