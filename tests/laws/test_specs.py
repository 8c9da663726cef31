"""A spec is what it asks: not its file, its order of keys, its comments or its name."""

from __future__ import annotations

import copy
import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import specgl
from specgl.spec import digest, resolve

Spec = dict[str, Any]

BASE: Spec = {
    "specgl": 1,
    "name": "groups",
    "data": {
        "table": "participants.tsv",
        "id": "participant_id",
        "images": "maps/{participant_id}.nii.gz",
        "missing": {"covariate": "drop", "voxel": {"available": 0.8}},
        "include": {"group": ["control", "patient"]},
    },
    "mask": {"image": "mask.nii.gz", "threshold": 0.5},
    "variables": {
        "group": {"type": "categorical", "levels": ["control", "patient"]},
        "sex": {"type": "categorical", "levels": ["F", "M"], "coding": "sum"},
        "age": {"type": "continuous", "center": 40, "unit": "year"},
    },
    "model": {"formula": "group + sex + age"},
    "contrasts": {
        "difference": "group[patient] - group[control]",
        "slope": {"hypothesis": "age", "alternative": "greater"},
        "any": {"hypothesis": ["age", "sex[M] - sex[F]"]},
    },
    "inference": {
        "fdr": {"method": "parametric", "correction": "fdr_bh", "alpha": 0.05},
        "high": {"method": "parametric", "correction": "none", "alpha": 0.001, "min_cluster_size": 10},
    },
}


def changed(spec: Spec, value: object, *keys: str) -> Spec:
    """A copy with one key set."""
    result = copy.deepcopy(spec)
    part = result
    for key in keys[:-1]:
        part = part.setdefault(key, {})
    part[keys[-1]] = value
    return result


# Every one asks for other numbers than the base, and than every other one.
OTHERS: dict[str, tuple[object, tuple[str, ...]]] = {
    "table": ("others.tsv", ("data", "table")),
    "id": ("subject", ("data", "id")),
    "images": ("other/{participant_id}.nii.gz", ("data", "images")),
    "images in a column": ({"column": "map"}, ("data", "images")),
    "images in one file": ({"file": "all.nii.gz", "index": "volume"}, ("data", "images")),
    "own masks": ("masks/{participant_id}.nii.gz", ("data", "masks")),
    "include": ({"group": ["patient", "control"], "sex": ["F"]}, ("data", "include")),
    "exclude": ({"participant_id": ["sub-01"]}, ("data", "exclude")),
    "missing image": ("drop", ("data", "missing", "image")),
    "missing covariate": ("error", ("data", "missing", "covariate")),
    "share of rows": ({"available": 0.75}, ("data", "missing", "voxel")),
    "complete voxels": ("complete", ("data", "missing", "voxel")),
    "zeros": ("data", ("data", "missing", "zero")),
    "smoothing": (6, ("data", "smoothing_fwhm")),
    "resampling": ({"to": "mask"}, ("data", "resample")),
    "resampling by the nearest": ({"to": "mask", "interpolation": "nearest"}, ("data", "resample")),
    "mask": ("mask.nii.gz", ("mask",)),
    "threshold of the mask": (0.6, ("mask", "threshold")),
    "mask from the images": ({"absolute_threshold": 0.5}, ("mask",)),
    "levels": (["patient", "control"], ("variables", "group", "levels")),
    "coding": ("helmert", ("variables", "sex", "coding")),
    "centre": ("mean", ("variables", "age", "center")),
    "scale": ("sd", ("variables", "age", "scale")),
    "formula": ("group * sex + age", ("model", "formula")),
    "block": ("family", ("model", "block")),
    "hypothesis": ("group[control] - group[patient]", ("contrasts", "difference")),
    "alternative": ("less", ("contrasts", "slope", "alternative")),
    "a row less": (["age"], ("contrasts", "any", "hypothesis")),
    "term": ({"term": "sex"}, ("contrasts", "any")),
    "weights": ({"weights": {"age": 1}}, ("contrasts", "slope")),
    "a contrast more": ("mean", ("contrasts", "grand")),
    "correction": ("fdr_by", ("inference", "fdr", "correction")),
    "alpha": (0.01, ("inference", "fdr", "alpha")),
    "cluster size": (11, ("inference", "high", "min_cluster_size")),
    "connectivity": (6, ("inference", "high", "connectivity")),
    "family": ("contrasts", ("inference", "fdr", "across")),
    "no inference": ({}, ("inference",)),
}


@pytest.fixture(scope="module")
def file_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], specgl.AnalysisSpec]:
    """Function from a suffix and a text to the spec that is read from such a file."""
    folder, number = tmp_path_factory.mktemp("specs"), itertools.count()

    def read(suffix: str, text: str) -> specgl.AnalysisSpec:
        path = Path(folder / f"{next(number)}{suffix}")
        path.write_text(text, encoding="utf-8")
        return specgl.read(path)

    return read


def identity(spec: specgl.AnalysisSpec) -> str:
    return digest(resolve(spec))


def reordered(value: Any, random) -> Any:
    """The same mappings with their keys in another order; lists are left as they are."""
    if isinstance(value, list):
        return [reordered(inner, random) for inner in value]
    if not isinstance(value, dict):
        return value
    keys = random.sample(list(value), len(value))
    return {key: reordered(value[key], random) for key in keys}


def with_comments(text: str, random) -> str:
    """YAML with comments at the ends of lines and between them."""
    lines = []
    for line in text.splitlines():
        lines += [f"{line}  # as agreed: {{x}}"] if random.random() < 0.5 else [line]
        lines += ["    # alpha: 0.5"] if random.random() < 0.3 else []
    return "\n".join(lines) + "\n"


SPECS = st.lists(st.sampled_from(sorted(OTHERS)), max_size=3).map(
    lambda names: [OTHERS[name] for name in names]
)
OUTSIDE = st.fixed_dictionaries(
    {"name": st.from_regex("[A-Za-z0-9]{1,20}", fullmatch=True)},
    optional={
        "description": st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1),
        "metadata": st.dictionaries(st.from_regex("[a-z]{1,8}", fullmatch=True), st.integers(0, 9)),
        "output": st.fixed_dictionaries(
            {"directory": st.sampled_from(["results", "a/b"])},
            optional={"maps": st.just(["effect", "r2"])},
        ),
    },
)


def said(changes: list[tuple[object, tuple[str, ...]]]) -> Spec | None:
    """The base with several changes, where these can stand together."""
    spec = BASE
    for value, keys in changes:
        try:
            spec = changed(spec, value, *keys)
        except (TypeError, AttributeError):  # a mapping has become a word, and has no such key
            return None
    try:
        specgl.AnalysisSpec.model_validate(spec)
    except ValueError:
        return None
    return spec


@given(SPECS, OUTSIDE, st.randoms(use_true_random=False))
@settings(max_examples=40)
def test_what_a_file_looks_like_says_nothing(file_of, changes, outside: Spec, random) -> None:
    """YAML, JSON, order of keys, comments: one spec. Another name or output: another one, same identity."""
    spec = said(changes)
    assume(spec is not None)
    written = file_of(".yaml", yaml.safe_dump(spec))
    for suffix, text in (
        (".json", json.dumps(reordered(spec, random))),
        (".yaml", json.dumps(spec, indent=2)),
        (".yaml", with_comments(yaml.safe_dump(reordered(spec, random), sort_keys=False), random)),
        (".yaml", yaml.safe_dump(spec, default_flow_style=True, width=10**6)),
    ):
        again = file_of(suffix, text)
        assert again == written
        assert identity(again) == identity(written)
    renamed = file_of(".json", json.dumps({**spec, **outside}))
    assert identity(renamed) == identity(written)
    assert (renamed == written) == (resolve(renamed) == resolve(written))


@given(SPECS)
@settings(max_examples=40)
def test_a_resolved_spec_asks_the_same(file_of, changes) -> None:
    """Saying every default, as a bundle does, gives an equal spec, which resolves to itself."""
    spec = said(changes)
    assume(spec is not None)
    first = file_of(".json", json.dumps(spec))
    resolved = json.dumps(resolve(first))
    again = file_of(".json", resolved)
    assert again == first
    assert json.dumps(resolve(again)) == resolved
    assert specgl.AnalysisSpec.model_validate_json(first.model_dump_json()) == first


def test_whatever_can_change_a_number_changes_the_digest(file_of) -> None:
    specs = {name: changed(BASE, value, *keys) for name, (value, keys) in OTHERS.items()}
    digests = {name: identity(file_of(".json", json.dumps(spec))) for name, spec in specs.items()}
    digests["as it was"] = identity(file_of(".json", json.dumps(BASE)))
    by_digest: dict[str, list[str]] = {}
    for name, found in digests.items():
        by_digest.setdefault(found, []).append(name)
    assert [names for names in by_digest.values() if len(names) > 1] == []


@pytest.mark.parametrize(
    ("short", "long"),
    [
        (changed(BASE, "mask.nii.gz", "mask"), changed(BASE, {"image": "mask.nii.gz"}, "mask")),
        (BASE, changed(BASE, ["participant_id"], "data", "id")),
        (
            changed(BASE, "age", "contrasts", "slope"),
            changed(BASE, {"hypothesis": "age", "alternative": "two-sided"}, "contrasts", "slope"),
        ),
        (BASE, changed(BASE, 40.0, "variables", "age", "center")),
        (BASE, changed(BASE, "treatment", "variables", "group", "coding")),
        (BASE, changed(BASE, {"method": "ols"}, "model", "estimator")),
    ],
    ids=["mask", "id", "hypothesis", "whole number", "default coding", "default estimator"],
)
def test_two_ways_to_say_one_thing_have_one_digest(file_of, short: Spec, long: Spec) -> None:
    one, other = (file_of(".json", json.dumps(spec)) for spec in (short, long))
    assert one == other
    assert identity(one) == identity(other)
