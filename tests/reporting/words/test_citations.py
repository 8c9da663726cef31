"""Who is cited is listed, and nobody else; BibTeX is read as it was meant."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from specgl.reporting.words.catalogue import CATALOGUE
from specgl.reporting.words.facts import Facts
from specgl.reporting.words.reference import Reference
from specgl.reporting.words.writing import write_methods

Make = Callable[..., Facts]

PERMUTED = {"inference": {"maxT": {"method": "permutation", "statistic": "voxel"}}}


WITHOUT_LINK = frozenset(
    {
        "holm1979",
        "draper1966",
        "still1981",
        "huh2001",
        "huber1981",
        "hedges1985",
        "raudenbush2009",
        "bell2002",
    }
)
"""What has neither a DOI nor a page of its own."""


def cited_in(text: str) -> set[str]:
    """Citations that a text holds, among what stands in its parentheses."""
    inside = [part for found in re.findall(r"\(([^()]*)\)", text) for part in found.split("; ")]
    return {part for part in inside if re.fullmatch(r"(?:[A-Z]|ter )[^;:=]*, (?:\d{4}|software)", part)}


def _model(estimator: dict[str, str] | None = None, errors: dict[str, str] | None = None) -> dict[str, Any]:
    said = {"estimator": estimator, "errors": errors}
    return {"formula": "group + age", **{key: value for key, value in said.items() if value}}


WHOLE: dict[str, dict[str, Any]] = {
    "parametric": {
        "inference": {
            name: {"method": "parametric", "correction": name.replace("x", "_")}
            for name in ("none", "bonferroni", "holm", "hochberg", "hommel", "fdrxbh", "fdrxby", "fdrxbky")
        },
        "model": {"formula": "group + age", "variance_groups": "site"},
    },
    "permutation": {
        "inference": {
            "voxel": {"method": "permutation", "statistic": "voxel"},
            "extent": {"method": "permutation", "statistic": "cluster_extent"},
            "mass": {"method": "permutation", "statistic": "cluster_mass"},
            "tfce": {"method": "permutation", "statistic": "tfce"},
            "tdp": {"method": "permutation", "statistic": "voxel", "correction": "tdp"},
        },
        "permutation": {"seed": 1, "tail": "gpd", "blocks": {"by": "family"}},
    },
    "fields": {
        "inference": {
            "peaks": {"method": "random_field", "statistic": "voxel"},
            "resels": {"method": "random_field", "statistic": "cluster_extent", "extent": "resels"},
            "noise": {"method": "simulated", "statistic": "cluster_mass", "seed": 3},
            "ari": {"method": "all_resolutions"},
        },
        "contrasts": {"a": "age", "b": "mean", "c": {"conjunction": ["a", "b"]}},
    },
    **{
        tau2: {"model": _model({"method": "mixed_effects", "tau2": tau2, "adjustment": "knapp_hartung"})}
        for tau2 in ("reml", "dl", "pm", "ml", "hedges")
    },
    **{loss: {"model": _model({"method": "robust", "loss": loss})} for loss in ("huber", "bisquare")},
    **{kind: {"model": _model(errors={"type": kind})} for kind in ("hc0", "hc3", "hc4")},
    **{
        correction: {"model": _model(errors={"type": "cluster", "by": "site", "correction": correction})}
        for correction in ("c0", "c2")
    },
    "sizes": {
        "contrasts": {"rises": {"hypothesis": "age", "margin": 0.1}},
        "output": {"maps": ["tost", "bf10"]},
    },
    **{
        method: {**PERMUTED, "permutation": {"seed": 1, "nuisance": method}}
        for method in ("dekker", "draper_stoneman", "still_white", "ter_braak", "manly", "huh_jhun")
    },
}


@pytest.mark.parametrize("sections", WHOLE.values(), ids=list(WHOLE))
def test_who_is_cited_is_listed_and_nobody_else(make_facts: Make, sections: dict[str, Any]) -> None:
    made = write_methods(make_facts(**sections))
    text = " ".join(words for _, words in made.paragraphs)
    assert cited_in(text) == {reference.cited for reference in made.references}
    assert [r.cited.lower() for r in made.references] == sorted(r.cited.lower() for r in made.references)


def test_everybody_in_the_catalogue_is_cited_somewhere(make_facts: Make) -> None:
    cited = {r.key for sections in WHOLE.values() for r in write_methods(make_facts(**sections)).references}
    assert cited == set(CATALOGUE)


def test_no_two_of_the_catalogue_are_cited_alike() -> None:
    assert len({reference.cited for reference in CATALOGUE.values()}) == len(CATALOGUE)


@pytest.mark.parametrize("key", CATALOGUE)
def test_references_are_whole(key: str) -> None:
    reference = CATALOGUE[key]
    assert reference.key == key
    assert reference.link.startswith("https://") or key in WITHOUT_LINK
    assert all(
        re.fullmatch(r"[^,;]+, [A-Z].*\.|The specgl developers", author) for author in reference.authors
    )
    assert not re.search(r"\s\s|\.\.|,,", reference.text())
    assert re.fullmatch(r"(10\.\d{4,9}/[^\s{}]+)?", reference.doi)


# BibTeX and Markdown


def entries_of(text: str) -> dict[str, dict[str, str]]:
    """Entries of a BibTeX file and their fields; it fails where braces do not close as they should."""
    found: dict[str, dict[str, str]] = {}
    place = 0
    while (start := text.find("@", place)) >= 0:
        head = re.compile(r"@(\w+)\{([\w]+),\s*").match(text, start)
        assert head is not None, text[start : start + 40]
        place, fields = head.end(), {}
        while text[place] != "}":
            field = re.compile(r"\s*(\w+) = \{").match(text, place)
            assert field is not None, text[place : place + 40]
            depth, end = 1, field.end()
            while depth:
                step = {"{": 1, "}": -1}.get(text[end], 0) if text[end - 1] != "\\" else 0
                depth, end = depth + step, end + 1
            fields[field[1]] = text[field.end() : end - 1]
            assert text[end] == ","
            place = end + 2
        assert head[2] not in found
        found[head[2]] = fields | {"kind": head[1]}
    return found


def test_bibtex_is_read_as_it_was_meant(make_facts: Make) -> None:
    wanted = {
        "article": "journal",
        "book": "publisher",
        "incollection": "booktitle",
        "inproceedings": "booktitle",
        "misc": "title",
    }
    for sections in WHOLE.values():
        made = write_methods(make_facts(**sections))
        entries = entries_of(made.bibtex())
        assert list(entries) == [reference.key for reference in made.references]
        for key, fields in entries.items():
            assert wanted[fields["kind"]] in fields
            assert fields["title"].startswith("{")
            assert fields["title"].endswith("}")
            if fields["kind"] == "article":
                assert {"author", "year", "volume"} <= set(fields), key


def test_a_hostile_version_breaks_no_entry(make_facts: Make) -> None:
    facts = make_facts()
    facts.manifest["specgl"] = "1.0}}, @evil{x, a = {\n % \\input{x}"
    made = write_methods(facts)
    entries = entries_of(made.bibtex())
    assert list(entries) == [reference.key for reference in made.references]
    assert "@evil" in entries["specgl"]["note"]
    assert r"\textbackslash{}input\{x" in entries["specgl"]["note"]


@pytest.mark.parametrize("reference", CATALOGUE.values(), ids=list(CATALOGUE))
def test_in_text_forms(reference: Reference) -> None:
    assert re.fullmatch(r"[^()]+, (\d{4}|software)", reference.cited)


def test_modules_that_are_told_of_are_there(root: Path) -> None:
    """The catalogue is asked by keys, and no key is written that it lacks."""
    folder = root / "specgl" / "reporting" / "words"
    keys = set()
    for module in folder.glob("*.py"):
        keys |= set(re.findall(r'"([a-z]+(?:18|19|20)\d\d[a-z]*)"', module.read_text(encoding="utf-8")))
    assert keys <= set(CATALOGUE)
