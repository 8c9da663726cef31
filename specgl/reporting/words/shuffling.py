"""How observations were shuffled, as a paper's methods say it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from specgl.reporting.words.citations import Citations
from specgl.reporting.words.facts import Facts, Row
from specgl.reporting.words.language import arrangements, listed, name, sentence

EXCHANGED = {
    "permute": "observations changed places, which assumes exchangeable errors",
    "flip": "observations changed signs, which assumes errors symmetric about 0",
    "both": "observations changed places and signs, which assumes errors exchangeable and symmetric about 0",
}
"""What a shuffle did."""

INNERMOST = {
    "within": "observations changed places only within the blocks of {}",
    "whole": "blocks of {} that are built alike changed places as wholes{}",
    "both": "blocks of {} that are built alike changed places as wholes{}, and observations within each",
}
"""How the innermost level of blocks was shuffled."""

NESTING = {
    "within": "blocks of {} stayed in place",
    "whole": INNERMOST["whole"],
    "both": INNERMOST["whole"],
}
"""How a level of blocks that holds others was shuffled."""

METHODS = {
    "freedman_lane": (
        "the residuals of a model of the nuisance alone were shuffled, and the whole model fitted to them",
        "freedman1983",
    ),
    "dekker": (
        "the part of the tested regressors that the nuisance does not explain was shuffled, while data and "
        "nuisance stayed in place",
        "dekker2007",
    ),
    "draper_stoneman": (
        "the tested regressors were shuffled, while data and nuisance stayed in place",
        "draper1966",
    ),
    "still_white": (
        "the residuals of a model of the nuisance alone were shuffled, and the tested regressors alone "
        "fitted "
        "to them",
        "still1981",
    ),
    "ter_braak": (
        "the residuals of the whole model were shuffled, and effects tested for their difference from the "
        "estimate",
        "terbraak1992",
    ),
    "manly": ("the data themselves were shuffled, with the nuisance in them", "manly1986"),
    "huh_jhun": (
        "the residuals of a model of the nuisance alone were turned into fewer, exchangeable values, and "
        "these "
        "were shuffled",
        "huh2001",
    ),
}
"""How effects that a contrast does not test were kept, and whose method that is."""

KEPT: dict[str, tuple[str, tuple[str, ...]]] = {
    "reduced_model": (
        "under all shuffles each voxel kept the variance between observations, τ², of the model without what "
        "is tested, and with it the observations' weights; the statistic that was compared, the observed one "
        "too, had these weights and the variance that weighted residuals give, and is what thresholded maps "
        "and tables of these inferences hold",
        ("knapp2003",),
    ),
}
"""What became of the variance between observations under shuffles, and whose statistic that makes."""

TAILS = {
    "counts": ("", ()),
    "gpd": (
        "p-values below .1 were taken from a generalised Pareto distribution fitted to the tail of the "
        "shuffles, "
        "where it fitted",
        ("winkler2016", "knijnenburg2009"),
    ),
    "gamma": (
        "p-values below .1 were taken from a gamma distribution with the first three moments of the shuffles",
        ("winkler2016",),
    ),
}
"""How small p-values were made, and whose method that is."""


def shuffling_text(facts: Facts, cite: Citations) -> str:
    """How observations were shuffled; empty where nothing was."""
    return " ".join(_shuffling(facts, cite)) if facts.schemes else ""


def _shuffling(facts: Facts, cite: Citations) -> Iterator[str]:
    yield f"Permutation followed the framework for the general linear model {cite('winkler2014')}."
    for scheme in facts.schemes:
        whose = f"for {listed(map(name, scheme['contrasts']))}, " if len(facts.contrasts) > 1 else ""
        yield sentence(f"{whose}{EXCHANGED[scheme['exchange']]}; {_how_many(scheme)}")
    seeds = {int(scheme["seed"]) for scheme in facts.schemes if not scheme["exhaustive"]}
    if seeds:
        seed = listed(map(str, sorted(seeds)))
        yield f"Random numbers came from the generator Philox {cite('salmon2011')} with seed {seed}."
    yield from _blocks(facts, cite)
    yield from _nuisance(facts, cite)
    if (kept := facts.section("permutation").get("tau2")) is not None:
        words, keys = KEPT[kept]
        yield f"{sentence(words, '')} {cite(*keys)}."
    yield from _p_values(facts, cite)


def _how_many(scheme: Row) -> str:
    n = int(scheme["n"])
    if scheme["exhaustive"]:
        return f"all {n:,} distinct arrangements were used, each once"
    return (
        f"{n:,} arrangements were used, the observed one among them, drawn without repetition from "
        f"{arrangements(scheme['possible'])} distinct ones"
    )


def _p_values(facts: Facts, cite: Citations) -> Iterator[str]:
    several = sorted({int(scheme["n"]) for scheme in facts.schemes})
    words, keys = TAILS[facts.section("permutation")["tail"]]
    least = "" if words else f"; none is below {listed([f'1/{n:,}' for n in several], 'or')}"
    yield (
        "A p-value is the share of arrangements, the observed one among them, whose statistic or, for "
        "family-wise "
        f"error, maximum is at least as large as what was observed {cite('phipson2010')}{least}."
    )
    if words:
        yield f"{sentence(words, '')} {cite(*keys)}."


def _blocks(facts: Facts, cite: Citations) -> Iterator[str]:
    levels = facts.section("permutation").get("blocks") or ()
    if not levels:
        return
    exchanged = {scheme["exchange"] for scheme in facts.schemes}
    told = []
    if exchanged & {"permute", "both"}:
        for k, level in enumerate(levels):
            words = (INNERMOST if k == len(levels) - 1 else NESTING)[level["shuffle"]]
            told.append(words.format(name(level["by"]), _matched(level)))
    whole = next((level for level in levels if level["shuffle"] != "within"), None)
    if exchanged & {"flip", "both"} and whole is not None:
        told.append(f"all observations of a block of {name(whole['by'])} changed sign together")
    if told:
        yield f"Shuffles kept to exchangeability blocks {cite('winkler2015')}: {'; '.join(told)}."


def _matched(level: Mapping[str, str | None]) -> str:
    by = level.get("order")
    return f", their members matched by {name(by)}" if by else ""


def _nuisance(facts: Facts, cite: Citations) -> Iterator[str]:
    """How nuisance was kept; nothing where no contrast has any."""
    methods = dict.fromkeys(str(s["nuisance"]) for s in facts.schemes if _has_nuisance(s, facts))
    for method in methods:
        words, key = METHODS[method]
        yield f"Effects that a contrast does not test are its nuisance: {words} {cite(key)}."


def _has_nuisance(scheme: Row, facts: Facts) -> bool:
    """Whether a contrast of a scheme tests less than the whole model."""
    design = facts.design or {}
    return any(len(design["contrasts"][label]["weights"]) < design["rank"] for label in scheme["contrasts"])
