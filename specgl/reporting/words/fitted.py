"""The model: its formula, how its variables were coded, how it was estimated, and its contrasts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from specgl.grammar import AtomKind, read_hypothesis
from specgl.reporting.words.asking import model_words
from specgl.reporting.words.citations import Citations
from specgl.reporting.words.contrasts import estimate_of
from specgl.reporting.words.estimated import by_words, estimation_words, mixed_groups
from specgl.reporting.words.facts import Facts
from specgl.reporting.words.language import counted, listed, name, names, number, sentence, spelt, unit

CODINGS = {
    "treatment": "treatment coding",
    "sum": "sum coding, each level against the mean of all",
    "helmert": "Helmert coding",
    "polynomial": "orthogonal polynomial coding",
    "cell_means": "cell means coding, an indicator of each level",
}
"""How a factor becomes regressors."""


def model_text(facts: Facts, cite: Citations) -> str:
    """The model that was fitted."""
    return " ".join(_model(facts, cite))


def _model(facts: Facts, cite: Citations) -> Iterator[str]:
    design = facts.design or {}
    yield (
        f"At each voxel, a general linear model {cite('friston1994glm')}, {model_words(facts)}, was fitted "
        f"by {by_words(facts)}."
    )
    yield from estimation_words(facts, cite)
    n = len(design["regressors"])
    blocks = " with the blocks" if design["block"] else ""
    yield from _blocks(design)
    yield (
        f"The design had {counted(n, 'regressor')}, rank {design['rank']:,}{blocks} and "
        f"{counted(design['dof'], 'residual degree', 'residual degrees')} of freedom."
    )
    for variable, held in facts.section("variables").items():
        if variable in design["variables"]:
            yield _coded(variable, held, design["variables"][variable])
    yield from _groups(facts, design, cite)
    if facts.varies:
        least = min(row["n_min"] for row in facts.manifest["results"] if row["n_min"] is not None)
        yield (
            "Each voxel was fitted to the observations that have a value there "
            f"({least:,} to {facts.manifest['observations']:,}), with its own degrees of freedom."
        )


def _coded(variable: str, said: Mapping[str, Any], held: Mapping[str, Any]) -> str:
    """How one variable entered the model."""
    if held["type"] == "categorical":
        reference = f", with {name(held['reference'])} as the reference level" if held["reference"] else ""
        levels = names(held["levels"])
        return f"The factor {name(variable)} (levels {levels}) had {CODINGS[held['coding']]}{reference}."
    of = f" {unit(held['unit'])}" if held["unit"] else ""
    return f"The covariate {name(variable)} was {_centred(said, held, of)}{_scaled(said, held, of)}."


def _centred(said: Mapping[str, Any], held: Mapping[str, Any], of: str) -> str:
    if said["center"] == "none":
        return "not centred"
    at = "its mean, " if said["center"] == "mean" else ""
    return f"centred at {at}{number(held['center'], 4)}{of}"


def _scaled(said: Mapping[str, Any], held: Mapping[str, Any], of: str) -> str:
    if said["scale"] == "none":
        return ""
    by = "its standard deviation, " if said["scale"] == "sd" else ""
    return f" and divided by {by}{number(held['scale'], 4)}{of}"


def _blocks(design: Mapping[str, Any]) -> Iterator[str]:
    if (block := design["block"]) is not None:
        yield (
            f"Observations of one {name(block['column'])} were modelled as a block: the means of the "
            f"{counted(block['n_blocks'], 'block')} were taken out of data and design."
        )


def _groups(facts: Facts, design: Mapping[str, Any], cite: Citations) -> Iterator[str]:
    groups = design["variance_groups"]
    if groups is None:
        return
    if facts.section("model")["variance_groups"] == {"from": "blocks"}:
        of = f"{counted(len(groups['counts']), 'group')} that follow from the exchangeability blocks"
    else:
        sizes = listed(f"{n:,} {name(label)}" for label, n in groups["counts"].items())
        of = f"group of {name(groups['column'])} ({sizes})"
    if facts.section("model")["estimator"]["method"] == "mixed_effects":
        yield mixed_groups(of)
        return
    kinds = {str(contrast["statistic"]) for contrast in facts.contrasts}
    tests = [words for kind, words in _WELCH.items() if kind in kinds]
    yield (
        f"Errors had a variance of their own in each {of}: effects were tested by {listed(tests)} "
        f"{cite('welch1947', 'winkler2014')}, whose degrees of freedom were approximated at each voxel "
        f"{cite('satterthwaite1946')}."
    )


_WELCH = {
    "v": "v (for two groups Welch's t)",
    "G": "G (in the place of F)",
}


def contrasts_text(facts: Facts, cite: Citations) -> str:
    """The contrasts in words, with their directions and tests."""
    return " ".join(_contrasts(facts, cite))


def _contrasts(facts: Facts, cite: Citations) -> Iterator[str]:
    n = len(facts.contrasts)
    what = "contrast" if facts.design is not None else "map"
    told = "; ".join(f"({k}) {estimate_of(c, facts)}" for k, c in enumerate(facts.contrasts, start=1))
    if n == 1:
        yield f"One {what} was tested: {estimate_of(facts.contrasts[0], facts)}."
    else:
        yield f"{sentence(spelt(n), '')} {what}s were tested: {told}."
    if facts.design is not None and _speaks_of_means(facts):
        moving = facts.design.get("voxelwise") or ()
        images = f"; at each voxel {listed(map(name, moving))} stood at 0" if moving else ""
        yield (
            "Means are those that the model predicts, factors that a hypothesis does not name averaged with "
            f"equal weights and covariates at their means {cite('searle1980')}{images}."
        )
    if any("members" in contrast for contrast in facts.contrasts):
        yield (
            "A conjunction was tested at each voxel by the member with the least evidence, against the "
            f"conjunction null hypothesis {cite('nichols2005')}: its p-value is the largest of its members'."
        )
    yield from _sizes(facts, cite)


def _sizes(facts: Facts, cite: Citations) -> Iterator[str]:
    """Tests of equivalence, and Bayes factors, where their maps are written."""
    maps = facts.section("output").get("maps", ())
    contrasts = facts.section("contrasts").items()
    margins = [f"{number(c['margin'], 4)} for {name(label)}" for label, c in contrasts if c.get("margin")]
    if margins and "tost" in maps:
        yield (
            f"Equivalence was tested by two one-sided tests {cite('schuirmann1987')}, not corrected for the "
            f"number of voxels, with a margin on either side of 0 of {listed(margins)}."
        )
    if "bf10" in maps and facts.design is not None:
        yield (
            "Bayes factors compare an effect with none, under a Cauchy prior of scale 0.707 on the "
            f"standardised effect {cite('rouder2009')}."
        )


def _speaks_of_means(facts: Facts) -> bool:
    """Whether a hypothesis is about means of a model that has something to average over."""
    design = facts.design or {}
    for label, asked in design["contrasts"].items():
        if "hypothesis" not in facts.section("contrasts").get(label, {}):
            continue
        for words in asked["words"]:
            atoms = [atom for _, atom in read_hypothesis(words).terms]
            named = {variable for atom in atoms for variable, _ in atom.cell}
            means = any(atom.kind in (AtomKind.MEAN, AtomKind.CELL) for atom in atoms)
            if means and {*design["variables"], *(design.get("voxelwise") or ())} - named:
                return True
    return False
