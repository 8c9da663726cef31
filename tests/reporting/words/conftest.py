"""Facts of analyses that nobody ran, and bundles of some that were."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest

import specgl
from specgl.bundle import Bundle
from specgl.reporting.words.facts import Facts
from specgl.spec import AnalysisSpec
from specgl.spec.identity import resolve

GROUP = {
    "specgl": 1,
    "name": "words",
    "data": {"table": "participants.tsv", "images": "{participant_id}.nii.gz"},
    "mask": "masks/brain.nii.gz",
    "variables": {
        "group": {"type": "categorical", "levels": ["control", "patient"]},
        "age": {"type": "continuous", "unit": "year"},
    },
    "model": {"formula": "group + age"},
    "contrasts": {"differs": "group[patient] - group[control]", "rises": {"hypothesis": "age"}},
    "inference": {"plain": {"method": "parametric", "correction": "fdr_bh"}},
}
"""A small group analysis, as one writes it."""

ENVIRONMENT = {
    "python": "CPython 3.11.7",
    "distributions": dict.fromkeys(("numpy", "scipy", "nibabel", "formulaic", "numba"), "1.2.3"),
}


def _letter(contrast: dict[str, Any], grouped: bool) -> str:
    several = "term" in contrast or any(isinstance(contrast.get(k), list) for k in ("hypothesis", "weights"))
    return ("G" if grouped else "F") if several else ("v" if grouped else "t")


def _words(contrast: dict[str, Any]) -> list[str]:
    for key in ("hypothesis", "weights"):
        if key in contrast:
            held = contrast[key] if isinstance(contrast[key], list) else [contrast[key]]
            return [h if isinstance(h, str) else " + ".join(f"{w:g}*{n}" for n, w in h.items()) for h in held]
    return [f"`{contrast['term']}`"] if "term" in contrast else []


def _design(spec: dict[str, Any], interactions: list[tuple[str, str]], rank: int) -> dict[str, Any]:
    """Meaning of a design, as a bundle keeps it."""
    variables: dict[str, Any] = {}
    regressors: dict[str, Any] = {"Intercept": {"term": "Intercept", "factors": [], "coding": {}}}
    for name, said in spec.get("variables", {}).items():
        if said["type"] == "categorical":
            levels = said["levels"]
            reference = levels[0] if said["coding"] == "treatment" else None
            variables[name] = {
                "type": "categorical",
                "levels": levels,
                "reference": reference,
                "coding": said["coding"],
                "counts": dict.fromkeys(levels, 8),
            }
            level = levels[-1]
        else:
            center = {"mean": 43.0625, "none": 0.0}.get(said["center"], said["center"])
            scale = {"none": 1.0, "sd": 12.25}.get(said["scale"], said["scale"])
            variables[name] = {"type": "continuous", "center": center, "scale": scale, "unit": said["unit"]}
            level = None
        regressors[name] = {"term": name, "factors": [{"variable": name, "level": level}], "coding": {}}
    for one, other in interactions:
        term = f"{one}:{other}"
        factors = [regressors[part]["factors"][0] for part in (one, other)]
        regressors[term] = {"term": term, "factors": factors, "coding": {}}
    model = spec["model"]
    groups, block = model.get("variance_groups"), model.get("block")
    contrasts, conjunctions = {}, {}
    for name, said in spec["contrasts"].items():
        if "conjunction" in said:
            conjunctions[name] = {"alternative": said["alternative"], "members": said["conjunction"]}
            continue
        words = _words(said)
        contrasts[name] = {
            "kind": "F" if _letter(said, False) == "F" else "t",
            "alternative": said.get("alternative", "two-sided"),
            "words": words,
            "weights": [{"x": 1.0} for _ in words],
        }
    return {
        "formula": model["formula"],
        "n_observations": 16,
        "rank": rank,
        "dof": 16 - rank,
        "regressors": regressors,
        "variables": variables,
        "block": None if block is None else {"column": block, "n_blocks": 8},
        "variance_groups": None
        if groups is None
        else {"column": groups if isinstance(groups, str) else "blocks", "counts": {"a": 7, "b": 9}},
        "contrasts": contrasts,
        "conjunctions": conjunctions,
    }


def _row(contrast: dict[str, Any], label: str, settings: dict[str, Any], n_min: int) -> dict[str, Any]:
    """A row of results."""
    kind, method = contrast["statistic"], settings["method"]
    several = kind in ("F", "G", "chi2")
    without = kind in ("z", "p", "chi2")
    field = {
        "source": "residuals",
        "fwhm": [9.04, None, 8.0],
        "fwhm_voxels": [3.01, None, 2.67],
        "resels": [1.0, 20.0, 150.5, 0.0],
    }
    return {
        "contrast": contrast["name"],
        "inference": label,
        "statistic": kind,
        "alternative": contrast["alternative"],
        "n": 16,
        "n_min": n_min,
        "dof_numerator": 2.0 if several else None,
        "dof": None if without else 13.0,
        "dof_min": None if without else 12.5 if kind in ("v", "G") or n_min < 16 else 13.0,
        "threshold": 3.85,
        "shuffled": None,
        "field": field if method in ("random_field", "simulated") else None,
        "simulations": None,
        "discoveries": None,
        "peak": None,
    }


@pytest.fixture(scope="session")
def group_spec() -> dict[str, Any]:
    """A small group analysis, as one writes it."""
    return GROUP


@pytest.fixture(scope="session")
def make_facts() -> Callable[..., Facts]:
    """Function from what differs from `group_spec` to facts, as if the analysis had been run.

    Keywords are sections of the spec; further ones: `interactions`, `rank`, `n_min`, `schemes`, `reasons`
    (of rows that were left out), `values` (of the variables) and `status`.
    """

    def make(
        *,
        interactions: list[tuple[str, str]] | None = None,
        rank: int = 3,
        n_min: int = 16,
        schemes: list[dict[str, Any]] | None = None,
        reasons: list[str] | None = None,
        values: dict[str, list[float]] | None = None,
        status: str = "complete",
        **sections: Any,
    ) -> Facts:
        said = {key: value for key, value in {**GROUP, **sections}.items() if value is not None}
        spec = resolve(AnalysisSpec.model_validate(said))
        ready = "maps" in spec
        listed = _ready(spec) if ready else _asked(spec)
        rows = [
            _row(contrast, label, settings, n_min)
            for label, settings in spec.get("inference", {}).items()
            for contrast in listed
        ]
        shuffled = any(how["method"] == "permutation" for how in spec.get("inference", {}).values())
        labels = [c["name"] for c in listed if "members" not in c]
        manifest = {
            "status": status,
            "stage": "load",
            "name": spec["name"],
            "specgl": "0.1.0",
            "spec_digest": "0" * 64,
            "space": {
                "label": None,
                "shape": [10, 11, 12],
                "affine": np.diag([2, 2, 3, 1]).tolist(),
                "locations": 1200,
            },
            "observations": None if ready else 16,
            "contrasts": listed,
            "counts": {"analysed": 1200} if ready else {"mask": 1300, "constant": 4, "needed": 13},
            "shuffling": (_schemes(spec, labels) if schemes is None else schemes) if shuffled else [],
            "results": rows,
        }
        left = reasons or []
        observations = pd.DataFrame(
            {"status": ["kept"] * 16 + ["dropped"] * len(left), "reason": [None] * 16 + left}
        )
        return Facts(
            manifest=manifest,
            spec=spec,
            design=None if ready else _design(spec, interactions or [], rank),
            environment=ENVIRONMENT,
            observations=None if ready else observations,
            variables=None if values is None else pd.DataFrame(values),
        )

    return make


def _asked(spec: dict[str, Any]) -> list[dict[str, Any]]:
    model = spec["model"]
    grouped = model.get("variance_groups") is not None and model["estimator"]["method"] == "ols"
    told = []
    for name, said in spec["contrasts"].items():
        one = {
            "name": name,
            "statistic": _letter(said, grouped),
            "alternative": said.get("alternative", "two-sided"),
        }
        told.append(one | ({"members": said["conjunction"]} if "conjunction" in said else {}))
    return told


def _ready(spec: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {"name": name, "statistic": said["statistic"], "alternative": "two-sided"}
        for name, said in spec["maps"].items()
    ]


def _schemes(spec: dict[str, Any], labels: list[str]) -> list[dict[str, Any]]:
    settings = spec["permutation"]
    exhaustive = settings["n"] == "all"
    return [
        {
            "exchange": settings["exchange"] or "permute",
            "contrasts": labels,
            "possible": 12870 if exhaustive else 2.65e32,
            "n": 12870 if exhaustive else settings["n"],
            "exhaustive": exhaustive,
            "seed": settings["seed"],
            "nuisance": settings["nuisance"],
        }
    ]


def _example_data(root: Path) -> ModuleType:
    """How the tests of the examples make data for them."""
    place = root / "tests" / "examples" / "conftest.py"
    found = importlib.util.spec_from_file_location("example_data", place)
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def example_bundle(tmp_path_factory: pytest.TempPathFactory, root: Path) -> Callable[[str], Bundle]:
    """Function from an example's name to its bundle, with few shuffles; each is run once."""
    module = _example_data(root)
    made: dict[str, Bundle] = {}

    def make(name: str) -> Bundle:
        if name not in made:
            folder = tmp_path_factory.mktemp(name)
            (folder / "data").mkdir()
            module.save(folder / "data" / "brain_mask.nii.gz", module.INSIDE, np.uint8)
            module.DATA[name](folder / "data", np.random.default_rng(20261122))
            text = (root / "examples" / "specs" / f"{name}.yaml").read_text(encoding="utf-8")
            for many in ("n: 1000", "n: 500"):
                text = text.replace(many, "n: 60")
            spec = folder / f"{name}.yaml"
            spec.write_text(text, encoding="utf-8")
            made[name] = specgl.run(specgl.read(spec), folder / "out", threads=1, report=False)
        return made[name]

    return make
