"""What each contrast asks: as a question, and as what was estimated and tested."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from specgl.reporting.words.facts import Facts, Row
from specgl.reporting.words.hypotheses import Phrase, as_written, others_words, phrase, plain_hypothesis
from specgl.reporting.words.language import counted, listed, name, number, sentence, unit

SIDES = {"two-sided": "in either direction", "greater": "above 0", "less": "below 0"}
"""Where the effect of a contrast may lie, by its alternative."""

_SIGNS = {
    "two-sided": "{0} positive, or {0} negative,",
    "greater": "{0} positive",
    "less": "{0} negative",
}
"""Which signs the members of a conjunction may have."""


def question_of(contrast: Row, facts: Facts) -> str:
    """The question that a contrast asks, in one sentence.

    Parameters
    ----------
    contrast
        Its name, statistic and alternative.
    facts
        The analysis.
    """
    label, design = str(contrast["name"]), facts.design
    if design is None:
        return sentence(_ready_question(contrast), "?")
    if "members" in contrast:
        return f"Are the effects of {names_of(contrast['members'])} {_signs(contrast)} at the same place?"
    asked = design["contrasts"][label]
    if asked["kind"] == "t":
        told = row_phrase(label, 0, facts)
        return sentence(", ".join([told.asked(asked["alternative"]), *others_words(told, design)]), "?")
    if (term := _term(label, facts)) is not None:
        return sentence(_term_question(term, len(asked["words"]), design), "?")
    told = _rows(label, facts)
    return sentence(", ".join([told.either, *others_words(told, design)]), "?")


def estimate_of(contrast: Row, facts: Facts) -> str:
    """What a contrast estimates and how it was tested, without a capital and without an end."""
    label, design = str(contrast["name"]), facts.design
    test = test_words(contrast, facts)
    if design is None:
        return f"{name(label)}, {_ready_noun(contrast, facts)}"
    if "members" in contrast:
        members = names_of(contrast["members"])
        return f"{name(label)}, the conjunction of {members}, {_signs(contrast).rstrip(',')} ({test})"
    asked = design["contrasts"][label]
    if (term := _term(label, facts)) is not None:
        what = f"the {counted(len(asked['words']), 'regressor')} of the term {name(term)} together"
        return f"{name(label)}, {what} ({test})"
    told = row_phrase(label, 0, facts) if asked["kind"] == "t" else _rows(label, facts)
    words = ", ".join([told.noun, *others_words(told, design)])
    if asked["kind"] == "t" and told.kind != "other":
        details = [told.unit, f"H0: {plain_hypothesis(asked['words'][0])} = 0", test]
        return f"{name(label)}, {words} ({'; '.join(filter(None, details))})"
    return f"{name(label)}, {words} ({test})"


def test_words(contrast: Row, facts: Facts) -> str:
    """The test of a contrast: its letter, its sides and its degrees of freedom."""
    kind, alternative = str(contrast["statistic"]), str(contrast["alternative"])
    dof = _dof(str(contrast["name"]), facts)
    words = f"{kind} test" if kind in ("F", "G", "chi2") else f"{_SIDED[alternative].format(kind)}"
    return f"{words}, {dof}" if dof else words


_SIDED = {
    "two-sided": "two-sided {} test",
    "greater": "one-sided {} test for effects above 0",
    "less": "one-sided {} test for effects below 0",
}


def row_phrase(label: str, row: int, facts: Facts) -> Phrase:
    """One row of a contrast in words."""
    words = str((facts.design or {})["contrasts"][label]["words"][row])
    if "hypothesis" not in facts.section("contrasts").get(label, {}):
        return as_written(words)  # a sum of regressors' own weights, whose names may look like atoms
    return phrase(words, units(facts))


def units(facts: Facts) -> dict[str, str]:
    """What the slope of each continuous variable is told with: its unit, or what it is per."""
    told = {}
    for variable, held in facts.section("variables").items():
        if held["type"] == "continuous":
            told[variable] = _per(held)
    return told


def _per(held: Mapping[str, Any]) -> str:
    told = f"unit: {unit(held['unit'])}" if held.get("unit") else ""
    if held["scale"] == "sd":
        return "per standard deviation"
    if held["scale"] == "none":
        return told
    return f"per {number(held['scale'], 6)}" + (f"; {told}" if told else "")


def names_of(labels: list[str]) -> str:
    """Names of contrasts as a list."""
    return listed(map(name, labels))


def _signs(contrast: Row) -> str:
    """Which signs the members of a conjunction may have."""
    return _SIGNS[contrast["alternative"]].format("both" if len(contrast["members"]) == 2 else "all")


def _rows(label: str, facts: Facts) -> Phrase:
    """Several rows in words, as one."""
    n = len((facts.design or {})["contrasts"][label]["words"])
    told = [row_phrase(label, row, facts) for row in range(n)]
    variables = frozenset().union(*(one.variables for one in told))
    kinds = {one.kind for one in told}
    kind = kinds.pop() if len(kinds) == 1 else "other" if "other" in kinds else "difference"
    nouns = "; ".join(one.noun for one in told)
    if n == 1:
        asked = f"is {nouns} different from 0, in either direction"
        return Phrase(asked, asked, asked, nouns, variables, kind)
    asked = f"is at least one of these different from 0: {nouns}"
    return Phrase(asked, asked, asked, f"{counted(n, 'effect')} together: {nouns}", variables, kind)


def _term(label: str, facts: Facts) -> str | None:
    """The term that a contrast is about; None where it is about something else."""
    term = facts.section("contrasts").get(label, {}).get("term")
    return None if term is None else str(term)


def _term_question(term: str, n: int, design: Mapping[str, Any]) -> str:
    asked = (
        f"do the {counted(n, 'regressor')} of the term {name(term)} explain anything"
        if n > 1
        else f"does the regressor of the term {name(term)} explain anything"
    )
    asked += " beyond the rest of the model"
    if (meaning := _interaction_meaning(term, n, design)) is not None:
        asked += f": {meaning}"
    return asked


def _interaction_meaning(term: str, n: int, design: Mapping[str, Any]) -> str | None:
    """What a whole interaction of two variables asks.

    It is told where both are terms of their own, no larger term holds them, and the term has as many
    regressors as an interaction has: elsewhere the term holds something else too.
    """
    parts = [part.strip() for part in term.split(":")]
    moving = {covariate: {"type": "continuous"} for covariate in design.get("voxelwise") or ()}
    variables = {**design["variables"], **moving}
    if len(parts) != 2 or any(part not in variables for part in parts):
        return None
    pair = frozenset(parts)
    terms = {frozenset(f["variable"] for f in r["factors"]) for r in design["regressors"].values()}
    if not all(frozenset({part}) in terms for part in parts) or any(held > pair for held in terms):
        return None
    sizes = [
        len(variables[part]["levels"]) - 1 if variables[part]["type"] == "categorical" else 1
        for part in parts
    ]
    if sizes[0] * sizes[1] != n:
        return None
    factors = [part for part in parts if variables[part]["type"] == "categorical"]
    covariates = [part for part in parts if part not in factors]
    if not covariates:
        return f"do the differences between the levels of {name(parts[0])} depend on {name(parts[1])}"
    if not factors:
        return f"does the slope of {name(parts[0])} depend on {name(parts[1])}"
    return f"does the slope of {name(covariates[0])} differ between the levels of {name(factors[0])}"


def _ready_question(contrast: Row) -> str:
    kind = str(contrast["statistic"])
    if kind == "p":
        return "where are the p-values of this ready-made map small"
    if kind in ("F", "chi2"):
        return f"where is this ready-made map of {_KINDS[kind]} larger than chance explains"
    return (
        f"where is this ready-made map of {_KINDS[kind]} different from 0, {SIDES[contrast['alternative']]}"
    )


_KINDS = {"t": "t", "F": "F", "chi2": "chi-square", "z": "z", "p": "p", "v": "v", "G": "G"}


def _ready_noun(contrast: Row, facts: Facts) -> str:
    kind = str(contrast["statistic"])
    dof = _dof(str(contrast["name"]), facts)
    told = f"a map of {_KINDS[kind]}" + (f" with {dof}" if dof else "")
    return told if kind in ("F", "chi2", "p") else f"{told} (tested {SIDES[contrast['alternative']]})"


def _dof(label: str, facts: Facts) -> str:
    """Degrees of freedom in words; empty where none are known."""
    row = next((row for row in facts.manifest["results"] if row["contrast"] == label), None)
    if row is None:
        return _dof_without_results(label, facts)
    first, dof, least = row["dof_numerator"], row["dof"], row["dof_min"]
    if dof is None:
        return "" if first is None else _of_freedom(number(first, 4))
    told = number(dof, 4)
    if least is not None and least != dof:
        told = f"{number(least, 3)} to {number(dof, 3)}"
    return _of_freedom(told if first is None else f"{number(first, 4)} and {told}")


def _dof_without_results(label: str, facts: Facts) -> str:
    """Degrees of freedom where nothing was inferred: those of the model, where its contrasts have these."""
    design, model = facts.design, facts.section("model")
    if design is None or label not in design["contrasts"]:
        return ""
    method, errors = model["estimator"]["method"], model["errors"]["type"]
    own = method == "ols" and (design["variance_groups"] or errors == "cluster")
    if own or method == "fixed_effects":
        return ""
    return _of_freedom(number(design["dof"], 4)) if design["contrasts"][label]["kind"] == "t" else ""


def _of_freedom(told: str) -> str:
    return f"{told} degree{'' if told == '1' else 's'} of freedom"
