"""At a glance: the question, and what came of each contrast under each inference."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from specgl.bundle.printed import About
from specgl.reporting import telling
from specgl.reporting.album import Shown
from specgl.reporting.held import Held
from specgl.reporting.sections.findings import Said, say_findings
from specgl.reporting.sections.spots import Spot, make_spot
from specgl.reporting.thumbnails import thumbnail
from specgl.reporting.words.estimated import fitted_by


@dataclass(frozen=True, slots=True)
class Headed:
    """A contrast or an inference, as it stands at the edge of the table.

    Attributes
    ----------
    name
        Its name.
    anchor
        Where the page says more of it; empty for an inference.
    sentence
        What it asks; empty for an inference.
    facts
        Its statistic with n and degrees of freedom, or what it controls.
    """

    name: str
    anchor: str
    sentence: str
    facts: str


@dataclass(frozen=True, slots=True)
class Cell:
    """What came of one contrast under one inference.

    Attributes
    ----------
    anchor
        Where the page says more.
    picture
        A small glass brain of what survives.
    found
        How much was found, in words.
    is_empty
        Whether that is nothing.
    p
        The smallest corrected p-value, in words; empty where there is none.
    peak
        Where the evidence is strongest.
    """

    anchor: str
    picture: Shown
    found: str
    is_empty: bool
    p: str
    peak: Spot | None


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the table; a cell is None where an inference was not asked of a contrast."""

    head: Headed
    cells: tuple[Cell | None, ...]


@dataclass(frozen=True, slots=True)
class Glance:
    """The section.

    Attributes
    ----------
    lead
        The analysis in a sentence.
    facts
        Names and values of what a reader asks first.
    contrasts
        The contrasts.
    corner
        What the rows are: ``Contrast`` or ``Inference``, whichever are more.
    columns, rows
        The table; empty without any inference.
    inferences
        Name and sentence of each inference.
    warnings
        What was doubtful on the way.
    """

    lead: str
    facts: tuple[tuple[str, str], ...]
    contrasts: tuple[Headed, ...]
    corner: str
    columns: tuple[Headed, ...]
    rows: tuple[Row, ...]
    inferences: tuple[tuple[str, str], ...]
    warnings: tuple[Said, ...]


def make_glance(held: Held) -> Glance:
    """Say the question, and what came out, in one table.

    Parameters
    ----------
    held
        The bundle.
    """
    sentences = dict(held.question.contrasts)
    contrasts = tuple(
        Headed(name, result_anchor(name), sentences.get(name, ""), contrast_facts(held, name))
        for name in held.contrasts
    )
    first = {inference: contrast for contrast, inference in reversed(held.rows)}
    inferences = tuple(
        Headed(name, "", "", kind_of(held.bundle.about(first[name], name))) for name in held.inferences
    )
    cells = {pair: _cell(held, *pair) for pair in held.rows}
    flat = len(inferences) <= len(contrasts)
    rows, columns = (contrasts, inferences) if flat else (inferences, contrasts)
    return Glance(
        lead=held.question.lead,
        facts=tuple(_facts(held)),
        contrasts=contrasts,
        corner="Contrast" if flat else "Inference",
        columns=columns if inferences else (),
        rows=tuple(
            Row(one, tuple(cells.get((one.name, c.name) if flat else (c.name, one.name)) for c in columns))
            for one in rows
            if inferences
        ),
        inferences=held.question.inferences,
        warnings=say_findings(held.bundle.manifest["warnings"]),
    )


def contrast_facts(held: Held, contrast: str) -> str:
    """Statistic, direction, n and degrees of freedom of a contrast."""
    row = next((row for (name, _), row in held.rows.items() if name == contrast), None)
    if row is None:
        row = held.contrasts[contrast] | _NOTHING_KNOWN | {"n": held.bundle.manifest["observations"]}
    return telling.statistic_facts(row)


def kind_of(about: About) -> str:
    """What an inference is about, in a few words: ``clusters, FWE``."""
    if about.of_discoveries:
        return "true discoveries"
    return f"{'clusters' if about.of_clusters else 'voxels'}, {about.controlled}"


def found_words(about: About) -> str:
    """How much was found."""
    row = about.row
    if (told := row.get("discoveries")) is not None:
        among = f"among {told['n_locations']:,} voxels"
        if not told["at_least"]:
            return f"no true discovery is certain {among}"
        noun = "true discovery" if told["at_least"] == 1 else "true discoveries"
        return f"at least {told['at_least']:,} {noun} {among}"
    if not row["n_surviving"]:
        return "no voxel survives"
    survive = "survives" if row["n_surviving"] == 1 else "survive"
    where = f" in {telling.counted(row['n_clusters'], 'cluster')}" if row["n_clusters"] else ""
    return f"{telling.counted(row['n_surviving'], 'voxel')} {survive}{where}"


def is_empty(row: dict[str, Any]) -> bool:
    """Whether nothing was found."""
    told = row.get("discoveries")
    return not (row["n_surviving"] if told is None else told["at_least"])


def p_of(about: About) -> str:
    """The smallest corrected p-value in words."""
    least = about.row["min_p"]
    return "" if least is None else telling.p_words(least)


def glass_alt(about: About, peak: Spot | None) -> str:
    """What a glass brain of surviving voxels shows, in words."""
    least = p_of(about)
    return (
        f"Glass brain of {about.contrast} under {about.inference}: {found_words(about)}"
        + (f", smallest {least}" if least else "")
        + ("." if peak is None else f"; strongest {peak.in_words}.")
    )


def result_anchor(contrast: str, inference: str | None = None) -> str:
    """Identifier of the part of the page on a result."""
    return f"result-{contrast}" + ("" if inference is None else f"-{inference}")


_NOTHING_KNOWN = {"n": None, "n_min": None, "dof": None, "dof_min": None, "dof_numerator": None}


def _cell(held: Held, contrast: str, inference: str) -> Cell:
    about = held.bundle.about(contrast, inference)
    row = held.rows[contrast, inference]
    peak = None if row["peak"] is None else make_spot(held, contrast, row["statistic"], row["peak"])
    alt = glass_alt(about, peak)
    return Cell(
        anchor=result_anchor(contrast, inference),
        picture=thumbnail(
            held.bundle.maps[f"stat_{inference}"].sel(contrast=contrast),
            held.mask,
            most=_largest(held, contrast),
            alt=alt,
        ),
        found=found_words(about),
        is_empty=is_empty(row),
        p=p_of(about),
        peak=peak,
    )


def _largest(held: Held, contrast: str) -> float:
    """Largest known magnitude of a contrast's statistic: its thumbnails share their colours."""
    known = [abs(r["peak"]["statistic"]) for (c, _), r in held.rows.items() if c == contrast and r["peak"]]
    return max(known, default=1.0)


def _facts(held: Held) -> list[tuple[str, str]]:
    manifest = held.bundle.manifest
    told = []
    if manifest["observations"] is not None:
        told.append(("Observations", f"{manifest['observations']:,}"))
    space = manifest["space"]
    told.append(("Voxels analysed", f"{space['locations']:,}"))
    affine = np.asarray(space["affine"], dtype=np.float64)
    edges = np.linalg.norm(affine[:3, :3], axis=0)
    told.append(("Voxel size", f"{' × '.join(f'{edge:.3g}' for edge in edges)} mm"))
    if space["label"]:
        told.append(("Space", str(space["label"])))
    words = held.bundle.design_words
    if words is not None:
        told.append(("Model", str(words["formula"])))
        if estimation := fitted_by(held.spec.get("model") or {}):
            told.append(("Estimation", estimation))
        told.append(("Residual dof", f"{words['dof']:g}"))
    return told
