"""What formulas, hypotheses and terms say, against what is declared."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from specgl.errors import Finding
from specgl.grammar import Atom, AtomKind, Problem, did_you_mean, read_formula, read_hypothesis
from specgl.spec.outline import Outline, Written

FORMULA = ("model", "formula")
MOST_OPTIONS = 500
MOST_SHOWN = 12


def check_formula(outline: Outline) -> Iterator[Finding]:
    """Grammar, undeclared and unused variables, and a block that is in the formula too."""
    formula = outline.formula
    if formula is None:
        return
    yield from (_problem(problem, FORMULA) for problem in formula.problems)
    known = {*outline.variables, *outline.voxelwise}
    for use in formula.names:
        if use.name == outline.block:
            yield Finding(
                "E119",
                f"`{use.name}` is the model's block: its means are taken out already",
                FORMULA,
                (use.start, use.end),
                help="leave it out of the formula",
            )
        elif use.name not in known and outline.says_variables and not outline.is_partial:
            yield Finding(
                "E110",
                f"`{use.name}` is not declared in `variables`",
                FORMULA,
                (use.start, use.end),
                help=_proposal(use.name, known)
                or f"declare it: `{use.name}: {{type: continuous}}` or `{{type: categorical}}`",
            )
    if not outline.formula_is_sound:
        return
    for name in outline.variables:
        if name not in outline.formula_names and name not in outline.roles:
            yield Finding(
                "W201", f"`{name}` is declared but not in the formula", ("variables", name), on_key=True
            )


def check_hypotheses(outline: Outline) -> Iterator[Finding]:
    """Grammar of hypotheses, and each name and level in them."""
    for written in outline.hypotheses:
        hypothesis = read_hypothesis(written.text)
        yield from (_problem(problem, written.where) for problem in hypothesis.problems)
        if outline.formula is None or outline.is_partial:
            continue
        for _, atom in hypothesis.terms:
            yield from _atom(atom, written, outline)


def check_terms(outline: Outline) -> Iterator[Finding]:
    """Variables of a term against the formula's; the table decides about the term itself."""
    if outline.formula is None or outline.is_partial:
        return
    for written in outline.terms:
        term = read_formula(written.text)
        for problem in term.problems:
            yield _problem(problem, written.where)
        for use in term.names:
            if use.name not in outline.formula_names:
                yield Finding(
                    "E118",
                    f"`{use.name}` is in no term of the formula",
                    written.where,
                    (use.start, use.end),
                    help=_proposal(use.name, outline.formula_names),
                )


def _proposal(word: str, options: Collection[str]) -> str | None:
    """The closest of some options; none of very many, among which a search is slow and says little."""
    return did_you_mean(word, options) if len(options) <= MOST_OPTIONS else None


def _problem(problem: Problem, where: tuple[str | int, ...]) -> Finding:
    return Finding(problem.code, problem.message, where, (problem.start, problem.end), help=problem.help)


def _atom(atom: Atom, written: Written, outline: Outline) -> Iterator[Finding]:
    if atom.kind is AtomKind.INTERCEPT and outline.formula and not outline.formula.has_intercept:
        yield Finding(
            "E114",
            "the formula has no intercept",
            written.where,
            (atom.start, atom.end),
            help="`mean` is the model's grand mean",
        )
    if atom.slope is not None:
        yield from _slope(atom, atom.slope, written, outline)
    for name, level in atom.cell:
        yield from _cell(atom, name, level, written, outline)


def _slope(atom: Atom, name: str, written: Written, outline: Outline) -> Iterator[Finding]:
    span = _inside(atom, written.text, rf"(?<!\w){re.escape(name)}(?!\w)")
    declared = outline.variables.get(name)
    unknown = _unknown(name, span, written, outline)
    if unknown is not None:
        yield unknown
    elif declared is not None and declared.kind == "categorical":
        levels = declared.levels or ("level", "other")
        example = f"{name}[{levels[-1]}] - {name}[{levels[0]}]"
        yield Finding(
            "E117",
            f"`{name}` is categorical and has no slope: name its levels",
            written.where,
            span,
            help=f"such as '{example}'",
        )


def _cell(atom: Atom, name: str, level: str, written: Written, outline: Outline) -> Iterator[Finding]:
    span = _inside(atom, written.text, rf"(?<!\w){re.escape(name)}(?!\w)")
    declared = outline.variables.get(name)
    unknown = _unknown(name, span, written, outline)
    if unknown is not None:
        yield unknown
    elif declared is None and name not in outline.voxelwise:
        return  # what is in the formula and not declared has been told there
    elif declared is None or declared.kind == "continuous":
        yield Finding(
            "E116",
            f"`{name}` is continuous and has no levels",
            written.where,
            span,
            help=f"its slope is '{name}'",
        )
    elif declared.levels is not None and level not in declared.levels:
        place = _inside(atom, written.text, rf"(?<=\[)\s*{re.escape(level)}\s*(?=\])")
        yield Finding(
            "E115",
            f"'{level}' is not a declared level of `{name}`",
            written.where,
            place,
            help=_proposal(level, declared.levels) or f"levels: {_some(declared.levels)}",
        )


def _unknown(name: str, span: tuple[int, int], written: Written, outline: Outline) -> Finding | None:
    """Finding for a name that the model does not have."""
    declared = name in outline.variables or name in outline.voxelwise
    if name in outline.formula_names or (declared and not outline.formula_is_sound):
        return None
    message = f"`{name}` is not in the formula"
    if not declared:
        message = f"`{name}` is neither declared nor in the formula"
    advice = _as_level(name, outline) or _proposal(name, outline.formula_names)
    return Finding("E114", message, written.where, span, help=advice)


def _as_level(word: str, outline: Outline) -> str | None:
    """How a level is written, for a word that is one."""
    for name, declared in outline.variables.items():
        if declared.levels is not None and word in declared.levels and name in outline.formula_names:
            return f"a level is written with its variable: '{name}[{word}]'"
    return None


def _some(words: Collection[str]) -> str:
    """The first of some words, and how many more there are."""
    more = len(words) - MOST_SHOWN
    shown = ", ".join(list(words)[:MOST_SHOWN])
    return f"{shown} and {more} more" if more > 0 else shown


def _inside(atom: Atom, text: str, pattern: str) -> tuple[int, int]:
    """Where in an atom a pattern stands; the whole atom where it does not."""
    match = re.compile(pattern).search(text, atom.start, atom.end)
    return match.span() if match else (atom.start, atom.end)
