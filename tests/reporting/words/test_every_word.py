"""Each word that a spec may choose changes what is told; a new one fails here until it has its own."""

from __future__ import annotations

import typing
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pydantic import BaseModel

from specgl.reporting.words.asking import ask
from specgl.reporting.words.facts import Facts
from specgl.reporting.words.writing import write_methods
from specgl.spec import AnalysisSpec

Chosen = tuple[str, str]
"""A class of the language, and its key."""

SHUFFLED = {"plain": {"method": "permutation", "statistic": "voxel"}}


def parts_in(annotation: Any) -> Iterator[type[BaseModel]]:
    """Classes of the language within an annotation."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in typing.get_args(annotation):
        yield from parts_in(inner)


def literals_in(annotation: Any) -> tuple[Any, ...]:
    """Words within an annotation, but not within classes."""
    if typing.get_origin(annotation) is typing.Literal:
        return typing.get_args(annotation)
    return tuple(word for inner in typing.get_args(annotation) for word in literals_in(inner))


def every_part(start: type[BaseModel], seen: dict[str, type[BaseModel]]) -> dict[str, type[BaseModel]]:
    """All classes of the language, by name."""
    if start.__name__ not in seen:
        seen[start.__name__] = start
        for field in start.model_fields.values():
            for part in parts_in(field.annotation):
                every_part(part, seen)
    return seen


PARTS = every_part(AnalysisSpec, {})
WORDS: dict[Chosen, tuple[Any, ...]] = {
    (name, key): literals_in(field.annotation)
    for name, part in PARTS.items()
    for key, field in part.model_fields.items()
    if literals_in(field.annotation)
}

SILENT: dict[Chosen, str] = {
    ("AnalysisSpec", "specgl"): "the version of the language",
    ("Missing", "image"): "rows that were left out are told with their reason",
    ("Missing", "covariate"): "rows that were left out are told with their reason",
    ("Output", "maps"): "changes no result",
    ("TdpPermutation", "scale"): "bounds count p-values, which know no scale",
    ("GroupsFromBlocks", "source"): "the only word",
}
"""Choices that change no words, and why."""

INFERENCES = (
    "Parametric",
    "VoxelPermutation",
    "TdpPermutation",
    "ExtentPermutation",
    "MassPermutation",
    "TfcePermutation",
    "VoxelField",
    "ExtentField",
    "AllResolutions",
    "ExtentSimulated",
    "MassSimulated",
)

GIVEN: dict[Chosen, Any] = {
    ("PermutationSettings", "tau2"): None,
    ("Missing", "voxel"): {"available": 0.8},
    ("Continuous", "center"): 40.5,
    ("Continuous", "scale"): 10.0,
    ("PermutationSettings", "n"): 500,
    ("Tfce", "dh"): 0.1,
    **{(name, "smoothness"): {"fwhm": [6, 6, 6]} for name in INFERENCES},
}
"""What may stand instead of a word."""


def _inference(name: str, key: str, value: Any) -> dict[str, Any]:
    fixed = {k: words[0] for (part, k), words in WORDS.items() if part == name and len(words) == 1}
    seed = {"seed": 7} if "Simulated" in name else {}
    corrected = {"correction": "holm"} if name == "Parametric" else {}  # a family is of what is corrected
    settings = {**fixed, **seed, **corrected, key: value}
    shuffles = {"permutation": {"n": 500, "seed": 3}} if settings["method"] == "permutation" else {}
    return {"inference": {"plain": settings}, **shuffles}


def _variable(key: str, value: Any, kind: str) -> dict[str, Any]:
    variables: dict[str, dict[str, Any]] = {
        "group": {"type": "categorical", "levels": ["control", "patient"]},
        "age": {"type": "continuous", "unit": "year"},
    }
    variables[kind][key] = value
    return {"variables": variables}


def _shuffled(**settings: Any) -> dict[str, Any]:
    return {"inference": SHUFFLED, "permutation": {"seed": 3, **settings}}


def _estimated(estimator: dict[str, str]) -> dict[str, Any]:
    return {"model": {"formula": "group + age", "estimator": estimator}}


def _maps(part: str, value: str) -> dict[str, Any]:
    dof = {"TMap": 13, "FMap": [2, 13], "Chi2Map": 3}.get(part)
    said = {"image": "map.nii.gz", "statistic": value} | ({"dof": dof} if dof else {})
    without = dict.fromkeys(("data", "variables", "model", "contrasts"))
    return {"maps": {"motor": said}, **without}


SECTIONS: dict[Chosen, Callable[[Any], dict[str, Any]]] = {
    **{
        (name, key): lambda value, name=name, key=key: _inference(name, key, value)
        for (name, key) in WORDS
        if name in INFERENCES
    },
    ("Tfce", "dh"): lambda value: {
        "inference": {"plain": {"method": "permutation", "statistic": "tfce", "tfce": {"dh": value}}},
        "permutation": {"n": 500, "seed": 3},
    },
    ("Missing", "voxel"): lambda value: {"data": _data(missing={"voxel": value})},
    ("Missing", "zero"): lambda value: {"data": _data(missing={"zero": value})},
    ("Resample", "interpolation"): lambda value: {
        "data": _data(resample={"to": "mask", "interpolation": value})
    },
    ("Categorical", "type"): lambda value: {},
    ("Continuous", "type"): lambda value: {},
    ("Categorical", "coding"): lambda value: _variable("coding", value, "group"),
    ("Continuous", "center"): lambda value: _variable("center", value, "age"),
    ("Continuous", "scale"): lambda value: _variable("scale", value, "age"),
    **{
        (name, key): lambda value, fixed=fixed, key=key: _estimated({**fixed, key: value})
        for name, fixed in (
            ("OlsEstimator", {}),
            ("FixedEffects", {}),
            ("MixedEffects", {"method": "mixed_effects"}),
            ("RobustEstimator", {"method": "robust"}),
        )
        for key in ("method", "tau2", "adjustment", "loss")
        if (name, key) in WORDS
    },
    **{
        (name, key): lambda value, fixed=fixed, key=key: {
            "model": {"formula": "group + age", "errors": {**fixed, key: value}}
        }
        for name, fixed in (
            ("HomoscedasticErrors", {}),
            ("HcErrors", {}),
            ("ClusterErrors", {"type": "cluster", "by": "family"}),
        )
        for key in ("type", "correction")
        if (name, key) in WORDS
    },
    ("PermutationSettings", "tau2"): lambda value: {
        **_estimated({"method": "mixed_effects"}),
        **(_shuffled(tau2=value) if value else {}),
    },
    ("PermutationSettings", "n"): lambda value: _shuffled(n=value),
    ("PermutationSettings", "exchange"): lambda value: _shuffled(exchange=value),
    ("PermutationSettings", "nuisance"): lambda value: _shuffled(nuisance=value),
    ("PermutationSettings", "tail"): lambda value: _shuffled(tail=value),
    ("BlockLevel", "shuffle"): lambda value: _shuffled(blocks={"by": "family", "shuffle": value}),
    **{
        (name, "alternative"): lambda value, key=key, said=said: {
            "contrasts": {"a": "group[control]", "b": "age", "c": {key: said, "alternative": value}}
        }
        for name, key, said in (
            ("HypothesisT", "hypothesis", "age"),
            ("WeightsT", "weights", {"age": 1.0}),
            ("Conjunction", "conjunction", ["a", "b"]),
        )
    },
    **{
        (name, "statistic"): lambda value, name=name: _maps(name, value)
        for name in ("TMap", "FMap", "Chi2Map", "ZMap")
    },
}
"""What a spec says differently where one of its words does."""


def _data(**changed: Any) -> dict[str, Any]:
    return {"table": "participants.tsv", "images": "{participant_id}.nii.gz", **changed}


def told(facts: Facts) -> str:
    """Everything that is told of an analysis."""
    asked, done = ask(facts), write_methods(facts)
    return "\n".join(
        [asked.lead, *(" ".join(pair) for pair in (*asked.contrasts, *asked.inferences)), done.markdown()]
    )


def test_every_choice_of_the_language_is_known_here() -> None:
    assert set(WORDS) == set(SECTIONS) | set(SILENT)


@pytest.mark.parametrize("chosen", [one for one in SECTIONS if one in WORDS], ids=".".join)
def test_each_word_is_told_in_its_own_way(chosen: Chosen, make_facts: Callable[..., Facts]) -> None:
    values = [*WORDS[chosen], *([GIVEN[chosen]] if chosen in GIVEN else [])]
    texts = [told(make_facts(**SECTIONS[chosen](value))) for value in values if chosen not in SILENT]
    assert len(set(texts)) == len(texts)


@pytest.mark.parametrize("n", [500, "all"])
def test_silence_is_only_where_it_is_meant(make_facts: Callable[..., Facts], n: Any) -> None:
    tdp = {"method": "permutation", "statistic": "voxel", "correction": "tdp"}
    texts = [
        told(make_facts(inference={"plain": {**tdp, "scale": scale}}, permutation={"n": n, "seed": 3}))
        for scale in ("t", "z")
    ]
    assert texts[0] == texts[1]
