"""README.md of a bundle: what it is, in words, for whoever opens the folder."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from specgl.bundle import names
from specgl.bundle.contents import Contents, Failure
from specgl.bundle.results import describe_findings, describe_results, result_rows
from specgl.bundle.shuffled import shuffling_words
from specgl.bundle.statistics import SEVERAL, Statistic, statistics_of
from specgl.version import __version__


def readme(contents: Contents, warnings: Sequence[Mapping[str, Any]]) -> str:
    """The text, made from the resolved spec and the results; the same for every run of the same spec.

    Parameters
    ----------
    contents
        What is told of.
    warnings
        What was doubtful on the way, as the manifest has it.
    """
    resolved = contents.spec.resolved
    return "\n".join(
        [
            f"# {contents.name}",
            "",
            *_description(resolved),
            f"A group analysis of brain images, made with specgl {__version__}.",
            "",
            "## What was asked",
            "",
            *_data(contents),
            *_model(contents),
            "",
            "| contrast | statistic | hypothesis |",
            "| --- | --- | --- |",
            *(_contrast(contents, s) for s in statistics_of(contents.stats).values()),
            "",
            *_inferences(resolved),
            *_shuffling(contents),
            "## What came out",
            "",
            *(f"- {line}" for line in describe_results(result_rows(contents))),
            *([] if contents.inferred else ["No inference was asked for: the maps are not thresholded."]),
            "",
            *_warnings(warnings),
            *_how_to(contents),
        ]
    )


def failure_readme(failure: Failure, message: str) -> str:
    """The text of the record of a run that did not end well."""
    return "\n".join(
        [
            f"# {failure.name}",
            "",
            f"The run with specgl {__version__} is {failure.status.value}: it ended in the stage "
            f"`{failure.stage}`, and there are no results.",
            "",
            *(f"    {line}" for line in message.splitlines()),
            "",
            f"`{names.MANIFEST}` has all findings and `{names.LOG}` what happened before. "
            "The next run to this folder replaces it.",
            "",
        ]
    )


def _description(resolved: Mapping[str, Any]) -> Iterator[str]:
    described = resolved.get("description")
    if isinstance(described, str) and described.strip():
        yield from (f"> {line}" for line in described.strip().splitlines())
        yield ""


def _data(contents: Contents) -> Iterator[str]:
    space = contents.space
    yield f"- Locations: {space.n_locations:,} voxels of {space.measure:.4g} mm³ each."
    if contents.rows is not None:
        kept, dropped = len(contents.rows.kept), len(contents.rows.dropped)
        left_out = f", {dropped} left out (why: `{names.OBSERVATIONS}`)" if dropped else ""
        yield f"- Observations: {kept} of {kept + dropped} rows of the table{left_out}."


def _model(contents: Contents) -> Iterator[str]:
    design = contents.design
    if design is None:
        yield "- Ready-made maps: no model was fitted."
        return
    yield (
        f"- Model: `image ~ {design.formula}`, {len(design.regressors)} regressors of rank {design.rank}, "
        f"{design.dof} residual degrees of freedom (`{names.DESIGN_TABLE}`, `{names.DESIGN_WORDS}`)."
    )
    if design.block is not None:
        yield f"- The means of the {len(design.block.labels)} blocks of `{design.block.name}` are taken out."
    if design.variance_groups is not None:
        groups = design.variance_groups
        yield f"- The {len(groups.labels)} groups of `{groups.name}` have variances of their own (v, G)."


def _contrast(contents: Contents, statistic: Statistic) -> str:
    words: tuple[str, ...] = ()
    if contents.design is not None:
        words = contents.design.asked[statistic.contrast].words
    asked = ", ".join(f"`{_cell(word)}`" for word in words) or "a ready-made map"
    direction = "" if statistic.kind in SEVERAL else f", {statistic.alternative}"
    return f"| {statistic.contrast} | {statistic.kind}{direction} | {asked} |"


def _inferences(resolved: Mapping[str, Any]) -> Iterator[str]:
    for name, settings in resolved.get("inference", {}).items():
        told = ", ".join(_setting(key, value) for key, value in settings.items() if value is not None)
        yield f"- Inference `{name}`: {told}."
    if resolved.get("inference"):
        yield ""


def _setting(key: str, value: Any) -> str:
    if isinstance(value, Mapping):
        told = ", ".join(_setting(inner, held) for inner, held in value.items() if held is not None)
        return f"{key} ({told})"
    if isinstance(value, list):
        return f"{key} {', '.join(map(str, value))}"
    return f"{key} {value}"


def _shuffling(contents: Contents) -> Iterator[str]:
    yield from shuffling_words(contents)
    if contents.schemes:
        yield ""


def _warnings(warnings: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    if warnings:
        yield from ("## Warnings", "")
        yield from (f"- {line}" for line in describe_findings(warnings))
        yield ""
        yield f"`{names.MANIFEST}` has their places; `specgl explain CODE` says more of each."
        yield ""


def _how_to(contents: Contents) -> Iterator[str]:
    yield from ("## How to use it", "")
    spec = names.RESOLVED
    if contents.spec.original is not None:
        spec = names.original_spec(contents.spec.suffix)
    yield (
        f"- `{names.REPORT}`, where it was made, shows all of this in a browser; `specgl report .` makes it "
        "anew."
    )
    yield f"- `{names.MANIFEST}` lists every file with its SHA-256. Check them with `specgl verify .`."
    yield "- In Python: `specgl.open('.')` gives the maps (read when needed), the tables and the design."
    yield "- Each map and table has a JSON file beside it that says what its numbers mean."
    yield (
        f"- To run it again: put `{spec}` where its relative paths lead to the inputs (`{names.INPUTS}` has "
        "their digests), and call `specgl run` on it. The inputs themselves are not in this folder."
    )
    yield ""


def _cell(word: str) -> str:
    """A word that breaks neither a table's row nor its code marks."""
    return re.sub(r"\s+", " ", word).replace("|", "\\|").replace("`", "'")
