"""Design: the model in numbers, pictures and words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from specgl import plot
from specgl.bundle.statistics import SEVERAL
from specgl.reporting import filenames, telling
from specgl.reporting.album import Shown
from specgl.reporting.held import Held
from specgl.reporting.sections.cells import cell_counts, covariates
from specgl.reporting.sections.shuffling import Shuffling, make_shuffling
from specgl.reporting.sections.tables import WORDS, Head, Line, PlainTable
from specgl.reporting.words.estimated import fitted_by

_LISTED = 6
"""Regressors that a caption names."""


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """A contrast in words."""

    name: str
    facts: str
    words: tuple[str, ...]
    weights: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DesignSection:
    """The section.

    Attributes
    ----------
    facts
        Names and values: formula, observations, rank.
    pictures
        The matrix, and correlations between its columns.
    regressors, variables
        Tables of what the model is made of.
    cells, covariates
        How many observations have which levels, and what their covariates are; None where there are none.
    hypotheses, weights
        What is tested, in words and as a picture of its weights.
    conjunctions
        Name and words of each.
    shuffling
        How observations change places or signs.
    """

    facts: tuple[tuple[str, str], ...]
    pictures: tuple[Shown, ...]
    regressors: PlainTable
    variables: PlainTable | None
    cells: PlainTable | None
    covariates: PlainTable | None
    hypotheses: tuple[Hypothesis, ...]
    weights: Shown
    conjunctions: tuple[tuple[str, str], ...]
    shuffling: tuple[Shuffling, ...]


def make_design(held: Held) -> DesignSection | None:
    """Say what the model is; None for ready-made maps.

    Parameters
    ----------
    held
        The bundle.
    """
    words, matrix = held.bundle.design_words, held.bundle.design
    if words is None or matrix is None:
        return None
    rows, columns = matrix.shape
    moving = [str(name) for name, told in words["regressors"].items() if told.get("covariates")]
    varying = [name for name in matrix.columns[matrix.nunique() > 1] if name not in moving]
    drawn = (
        held.album.show(
            filenames.DESIGN,
            lambda: plot.design_matrix(held.bundle),
            alt=f"Design matrix of {telling.counted(rows, 'observation')} and "
            f"{telling.counted(columns, 'regressor')}: {', '.join(map(str, matrix.columns))}.",
            caption=f"Design matrix, a row an observation.{_multiplied(moving)}",
        ),
        *([_correlations(held, words, moving)] if len(varying) > 1 else []),
    )
    hypotheses = tuple(_hypothesis(name, told) for name, told in words["contrasts"].items())
    return DesignSection(
        facts=tuple(_facts(words, held.spec.get("model") or {})),
        pictures=drawn,
        regressors=_regressors(words),
        variables=_variables(words),
        cells=cell_counts(held.bundle.variables, words),
        covariates=covariates(held.bundle.variables, words),
        hypotheses=hypotheses,
        weights=_picture(held, hypotheses),
        conjunctions=tuple(
            (name, telling.listed(list(map(str, told["words"]))))
            for name, told in words["conjunctions"].items()
        ),
        shuffling=make_shuffling(held.bundle.manifest.get("shuffling", ())),
    )


def _multiplied(moving: list[str]) -> str:
    """What the columns of voxelwise covariates are."""
    if not moving:
        return ""
    whose = "The column" if len(moving) == 1 else "The columns"
    shown = moving if len(moving) <= _LISTED else [*moving[:_LISTED], "…"]
    return f" {whose} {telling.listed(shown)}: what the values of the images are multiplied by."


def _correlations(held: Held, words: Mapping[str, Any], moving: list[str]) -> Shown:
    inflated = {name: told.get("vif") for name, told in words["regressors"].items()}
    known = {name: vif for name, vif in inflated.items() if vif is not None}
    alt = "Correlations between the regressors."
    if known:
        worst = max(known, key=lambda name: known[name])
        largest = f"the largest variance inflation is {known[worst]:.2f}, of {worst}"
        alt = f"Correlations between the regressors; {largest}."
    return held.album.show(
        filenames.CORRELATIONS,
        lambda: plot.correlations(held.bundle),
        alt=alt,
        caption="Correlations between regressors"
        + (", but for those that differ from voxel to voxel." if moving else "."),
    )


def _facts(words: Mapping[str, Any], model: Mapping[str, Any]) -> list[tuple[str, str]]:
    told = [
        ("Formula", f"image ~ {words['formula']}"),
        ("Observations", f"{words['n_observations']:,}"),
        ("Regressors", f"{len(words['regressors']):,} of rank {words['rank']:,}"),
        ("Residual dof", f"{words['dof']:g}"),
    ]
    if estimation := fitted_by(model):
        told.append(("Estimation", estimation))
    if (block := words.get("block")) is not None:
        told.append(
            ("Blocks", f"the means of the {block['n_blocks']:,} blocks of {block['column']} are taken out")
        )
    if (groups := words.get("variance_groups")) is not None:
        counts = ", ".join(f"{name} {count:,}" for name, count in groups["counts"].items())
        told.append(("Variance groups", f"{groups['column']}: {counts}"))
    return told


def _regressors(words: Mapping[str, Any]) -> PlainTable:
    lines = []
    for name, told in words["regressors"].items():
        codings = ", ".join(f"{variable}: {coding}" for variable, coding in told["coding"].items())
        vif = told.get("vif")
        times = " × ".join(told.get("covariates", ()))
        lines.append(Line((name, told["term"], codings, times, "" if vif is None else f"{vif:.2f}")))
    heads = [
        Head("Regressor", holds=WORDS),
        Head("Term", holds=WORDS),
        Head("Coding", holds=WORDS),
        Head("Times", "at each voxel", holds=WORDS),
        Head("VIF"),
    ]
    shown = [0, 1, *(column for column in (2, 3, 4) if any(line.cells[column] for line in lines))]
    return PlainTable(
        caption="Regressors",
        heads=tuple(heads[column] for column in shown),
        lines=tuple(Line(tuple(line.cells[column] for column in shown)) for line in lines),
        note="VIF: how much the variance of a coefficient grows because regressors correlate; 1 is least."
        if 4 in shown
        else "",
    )


def _variables(words: Mapping[str, Any]) -> PlainTable | None:
    lines = []
    for name, told in words["variables"].items():
        if told["type"] == "categorical":
            meaning = f"{telling.counted(len(told['levels']), 'level')}, reference {told['reference']}"
            meaning = meaning if told["reference"] is not None else meaning.partition(",")[0]
            lines.append(Line((name, "categorical", meaning)))
            continue
        unit = f" {told['unit']}" if told.get("unit") else ""
        parts = [f"centred at {told['center']:.6g}{unit}"] if told["center"] else []
        parts += [f"divided by {told['scale']:.6g}{unit}"] if told["scale"] != 1 else []
        lines.append(Line((name, "continuous", ", ".join(parts) or f"as it is, in{unit or ' its own unit'}")))
    lines += [Line((name, "voxelwise", "from images, as they are")) for name in words.get("voxelwise", ())]
    if not lines:
        return None
    heads = (Head("Variable", holds=WORDS), Head("Type", holds=WORDS), Head("In the model", holds=WORDS))
    return PlainTable("Variables", heads, tuple(lines))


def _hypothesis(name: str, told: Mapping[str, Any]) -> Hypothesis:
    direction = "" if told["kind"] in SEVERAL else f", {told['alternative']}"
    rows = tuple(_weights(row) for row in told["weights"])
    return Hypothesis(name, f"{told['kind']}{direction}", tuple(map(str, told["words"])), rows)


def _picture(held: Held, hypotheses: tuple[Hypothesis, ...]) -> Shown:
    several = "; ".join(f"{one.name}: {', '.join(one.weights)}" for one in hypotheses)
    return held.album.show(
        filenames.CONTRASTS,
        lambda: plot.contrast(held.bundle),
        alt=f"Weights of the contrasts. {several}.",
        caption="Weights of the contrasts.",
    )


def _weights(row: Mapping[str, float]) -> str:
    """A row of weights as a sum, such as ``1 × group[T.patient] − 0.5 × age``."""
    parts: list[str] = []
    for regressor, weight in row.items():
        sign = "− " if weight < 0 else "+ " if parts else ""
        parts.append(f"{sign}{abs(weight):.4g} × {regressor}")
    return " ".join(parts)
