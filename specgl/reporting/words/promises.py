"""What each inference promises, in one sentence: what is controlled, at which level, over what, and how."""

from __future__ import annotations

from collections.abc import Callable

from specgl.bundle.columns import is_about_discoveries
from specgl.reporting.words.corrections import CORRECTIONS, several_families
from specgl.reporting.words.facts import Facts, Settings
from specgl.reporting.words.forming import z_words
from specgl.reporting.words.language import counted, listed, number, p_text, sentence, share


def promise_of(label: str, facts: Facts) -> str:
    """What an inference promises.

    Parameters
    ----------
    label
        Its name.
    facts
        The analysis.
    """
    settings = facts.inferences[label]
    if is_about_discoveries(settings):
        return sentence(_discoveries(settings, facts))
    return sentence(_BY_METHOD[str(settings["method"])](settings, facts))


def _parametric(settings: Settings, facts: Facts) -> str:
    correction = CORRECTIONS[settings["correction"]]
    least = settings["min_cluster_size"]
    small = (
        f"; clusters of fewer than {counted(least, 'voxel')} are left out, which controls nothing"
        if least > 1
        else ""
    )
    if correction.controls == "nothing":
        return f"voxels with p ≤ {p_text(settings['alpha'])} are shown, {_UNCORRECTED}{small}"
    return f"{_controls(correction.controls, 'voxel', settings, facts)}, by {correction.procedure}{small}"


_UNCORRECTED = "each tested by itself: nothing is corrected for the number of voxels"


def _controls(controls: str, what: str, settings: Settings, facts: Facts) -> str:
    """Which error is held at which level over what."""
    level, whose = share(settings["alpha"]), _whose(settings, facts)
    if controls == "fdr":
        return f"of the {what}s reported{_within(whose)}, on average at most {level} are false"
    if what == "cluster":
        return f"the chance of even one false {what}{_within(whose)} is at most {level}"
    among = f"among the {facts.n_locations:,} {f'of {whose}' if whose else 'analysed'}"
    return f"the chance of even one false {what} {among} is at most {level}"


def _within(whose: str) -> str:
    return f" in {whose}" if whose else ""


def _whose(settings: Settings, facts: Facts) -> str:
    """Whose locations make a family; empty where there is one contrast only."""
    if len(facts.contrasts) == 1:
        return ""
    if several_families(settings, facts):
        return "each contrast"
    return f"{'both' if len(facts.contrasts) == 2 else 'all'} contrasts together"


def _permutation(settings: Settings, facts: Facts) -> str:
    statistic, correction = settings["statistic"], settings["correction"]
    shuffles = f"{_shuffles(facts)} of the data"
    if correction == "none":
        return f"voxels with p ≤ {p_text(settings['alpha'])} by {shuffles} are shown, {_UNCORRECTED}"
    if correction == "fdr_bh":
        procedure = CORRECTIONS[correction].procedure
        return f"{_controls('fdr', 'voxel', settings, facts)}, by {procedure} on p-values from {shuffles}"
    what = "cluster" if statistic.startswith("cluster") else "voxel"
    held = _controls("fwe", what, settings, facts)
    return f"{held}, {PERMUTED[statistic]} the largest in each of {shuffles}{_formed(settings)}"


PERMUTED = {
    "voxel": "comparing each voxel's statistic with",
    "cluster_extent": "comparing each cluster's extent with",
    "cluster_mass": "comparing each cluster's mass with",
    "tfce": "comparing each voxel's statistic, enhanced by the support of its neighbours (TFCE), with",
}
"""What is compared with its maxima under shuffles, by the statistic."""


def _shuffles(facts: Facts) -> str:
    """How many shuffles there were, for one set or several."""
    several = sorted({int(scheme["n"]) for scheme in facts.schemes})
    exhaustive = all(scheme["exhaustive"] for scheme in facts.schemes)
    told = listed([f"{n:,}" for n in several], "or") or "the"
    if several == [1]:
        return "1 shuffle"
    return f"all {told} distinct shuffles" if exhaustive and several else f"{told} shuffles"


def _random_field(settings: Settings, facts: Facts) -> str:
    what = "voxel" if settings["statistic"] == "voxel" else "cluster"
    measured = "height" if what == "voxel" else _EXTENT[settings["extent"]]
    held = _controls("fwe", what, settings, facts)
    return f"{held}, by the theory of random fields for {measured}{_formed(settings)}"


def _simulated(settings: Settings, facts: Facts) -> str:
    measured = {"cluster_extent": "extent", "cluster_mass": "mass"}[settings["statistic"]]
    return (
        f"{_controls('fwe', 'cluster', settings, facts)}, comparing each cluster's {measured} with the "
        f"largest in each of {counted(settings['n'], 'simulated map')} of smooth noise{_formed(settings)}"
    )


_EXTENT = {"voxels": "extent", "resels": "extent in resels"}


def _formed(settings: Settings) -> str:
    """What formed the clusters; empty where there are none."""
    if (p := settings.get("cluster_forming_p")) is not None:
        return f"; clusters are of voxels with p ≤ {p_text(p)}"
    if (height := settings.get("cluster_forming_stat")) is not None:
        return f"; clusters are of voxels whose statistic has a magnitude of {number(height, 4)} or more"
    return ""


_BY_METHOD: dict[str, Callable[[Settings, Facts], str]] = {
    "parametric": _parametric,
    "permutation": _permutation,
    "random_field": _random_field,
    "simulated": _simulated,
}


def _discoveries(settings: Settings, facts: Facts) -> str:
    how = (
        "by Hommel's method"
        if settings["method"] == "all_resolutions"
        else f"calibrated by {_shuffles(facts)} of the data"
    )
    over = _within(_whose(settings, facts))
    sure = f"all bounds{over} hold at once with {share(1 - settings['alpha'])} confidence, {how}"
    if settings.get("largest") is not None:
        least = share(settings["largest"]["tdp"])
        what = f"the largest clusters of which at least {least} of the voxels show a true effect"
        return f"found are {what}; {sure}"
    what = f"for {sets_words(settings, facts)}, a lower bound is given on the number of voxels"
    return f"{what} that show a true effect; {sure}"


def sets_words(settings: Settings, facts: Facts) -> str:
    """About which sets of voxels a bound is told, where it is not told about the largest clusters."""
    if settings.get("regions") is not None:
        return "each region of an atlas"
    return f"each cluster formed at {z_words(settings['cluster_forming_z'], facts)}"
