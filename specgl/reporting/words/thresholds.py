"""How each inference was made, as a paper's methods say it."""

from __future__ import annotations

from collections.abc import Callable

from specgl.bundle.columns import is_about_discoveries
from specgl.bundle.shuffled import compared_as
from specgl.bundle.statistics import statistic_of_row
from specgl.reporting.words.citations import Citations
from specgl.reporting.words.corrections import CORRECTIONS, family
from specgl.reporting.words.facts import Facts, Row, Settings
from specgl.reporting.words.forming import EXTENT, clusters_words, neighbours, size_words
from specgl.reporting.words.language import counted, listed, name, number, p_text
from specgl.reporting.words.noise import smoothness_words
from specgl.reporting.words.shares import discoveries_words

Sentences = list[str]


def inference_text(label: str, facts: Facts, cite: Citations) -> str:
    """How one inference was made.

    Parameters
    ----------
    label
        Its name.
    facts
        The analysis.
    cite
        Gathers what is cited.
    """
    settings = facts.inferences[label]
    if is_about_discoveries(settings):
        told = discoveries_words(settings, facts, cite)
    else:
        told = _BY_METHOD[str(settings["method"])](label, settings, facts, cite)
    return " ".join(one for one in told if one)


def _held(what: str, how: str, settings: Settings, facts: Facts) -> str:
    """That the family-wise error rate was controlled, and by what."""
    told = family(settings, facts)
    over = f"over the {what}{' ' if told else ''}{told}"
    return f"The family-wise error rate {over} was controlled at {p_text(settings['alpha'])} by {how}"


def _parametric(label: str, settings: Settings, facts: Facts, cite: Citations) -> Sentences:
    told = [_corrected(settings, facts, cite, "parametric p-values")]
    if settings["min_cluster_size"] > 1:
        told.append(
            f"Clusters of fewer than {counted(settings['min_cluster_size'], 'voxel')} "
            f"({neighbours(settings)}) were left out, which controls no error rate."
        )
    return told


def _corrected(settings: Settings, facts: Facts, cite: Citations, values: str) -> str:
    """How p-values of voxels were corrected."""
    correction, alpha = CORRECTIONS[settings["correction"]], p_text(settings["alpha"])
    if correction.controls == "nothing":
        return (
            f"Voxels were reported where {values} were at most {alpha}, without correction for multiple "
            "comparisons: no error rate over the map was controlled."
        )
    cited = f" {cite(*correction.cites)}" if correction.cites else ""
    holds = f", which is valid where they are {correction.holds}" if correction.holds else ""
    how = f"{correction.procedure}{cited}, applied to {values}{holds}."
    told = _held(f"{facts.n_locations:,} voxels", how, settings, facts)
    if correction.controls == "fdr":
        return told.replace("family-wise error rate", "false discovery rate", 1)
    return told


def _permutation(label: str, settings: Settings, facts: Facts, cite: Citations) -> Sentences:
    if settings["correction"] != "fwe":
        values = "the p-values of each voxel's own permutation test"
        return [_corrected(settings, facts, cite, values), _conjunctions(facts), _on_z(label, facts)]
    told = _PERMUTED[str(settings["statistic"])](label, settings, facts, cite)
    return [*told, _both_signs(settings, facts), _conjunctions(facts), _on_z(label, facts)]


def _maxima(label: str, settings: Settings, facts: Facts, cite: Citations) -> Sentences:
    how = (
        "permutation: each voxel's statistic was compared with the distribution of its maximum over the "
        "voxels "
        f"under shuffles of the data {cite('nichols2002')}."
    )
    return [_held("voxels", how, settings, facts)]


def _clusters(label: str, settings: Settings, facts: Facts, cite: Citations) -> Sentences:
    key = "bullmore1999" if settings["statistic"] == "cluster_mass" else "nichols2002"
    how = f"permutation: each cluster was compared with the largest cluster of each shuffle {cite(key)}."
    return [
        _held("clusters", how, settings, facts),
        f"{clusters_words(label, settings, facts)}; the size of a cluster was {size_words(settings)}.",
    ]


def _enhanced(label: str, settings: Settings, facts: Facts, cite: Citations) -> Sentences:
    weights = settings["tfce"]
    step = (
        "as the exact integral over heights"
        if weights["dh"] == "exact"
        else f"as a sum over heights in steps of {number(weights['dh'], 4)}"
    )
    how = (
        "permutation with threshold-free cluster enhancement (TFCE; "
        f"{cite.bare('smith2009')}): each voxel's enhanced statistic was compared with the distribution of "
        "its "
        "maximum over the voxels under shuffles of the data."
    )
    return [
        _held("voxels", how, settings, facts),
        f"TFCE was computed {step}, with E = {number(weights['E'], 4)} and H = {number(weights['H'], 4)} "
        f"({neighbours(settings)}).",
    ]


_PERMUTED: dict[str, Callable[[str, Settings, Facts, Citations], Sentences]] = {
    "voxel": _maxima,
    "cluster_extent": _clusters,
    "cluster_mass": _clusters,
    "tfce": _enhanced,
}


def _both_signs(settings: Settings, facts: Facts) -> str:
    """What was done of the two sides; empty where no contrast has two."""
    if not any(_two_sided(contrast) for contrast in facts.contrasts):
        return ""
    if settings["statistic"] == "voxel":
        return "Two-sided contrasts were tested by the magnitude of their statistic."
    return "Both signs of two-sided contrasts were measured apart, against the larger maximum of the two."


def _conjunctions(facts: Facts) -> str:
    """With what conjunctions were compared; empty where there are none."""
    if not any("members" in contrast for contrast in facts.contrasts):
        return ""
    return "Conjunctions were compared with the distribution of each member: the largest p-value counts."


def _two_sided(contrast: Row) -> bool:
    return contrast["statistic"] in ("t", "v", "z") and contrast["alternative"] == "two-sided"


def _on_z(label: str, facts: Facts) -> str:
    """Where statistics were taken on z; empty where all were taken as they are."""
    settings, rows = facts.inferences[label], facts.rows(label)
    on_z = [row for row in rows if compared_as(settings, statistic_of_row(row)) == "z"]
    if not on_z or all(row["statistic"] == "z" for row in on_z):
        return ""
    which = "" if len(on_z) == len(rows) else f" of {listed(name(row['contrast']) for row in on_z)}"
    return f"Statistics{which} were compared as the normal deviates (z) of their p-values."


def _random_field(label: str, settings: Settings, facts: Facts, cite: Citations) -> Sentences:
    smooth = smoothness_words(label, settings, facts, cite)
    if settings["statistic"] == "voxel":
        how = (
            f"the theory of random fields {cite('worsley1996')}: p-values were those of the expected Euler "
            "characteristic at each voxel's height, or Bonferroni's where these were smaller."
        )
        return [_held("voxels", how, settings, facts), _gaussian(label, facts), *smooth]
    how = (
        f"the theory of random fields for the extent of clusters {cite('friston1994extent', 'worsley1996')}."
    )
    cited = f" {cite('hayasaka2004')}" if settings["extent"] == "resels" else ""
    return [
        _held("clusters", how, settings, facts),
        f"{clusters_words(label, settings, facts)}; the extent of a cluster was "
        f"{EXTENT[settings['extent']]}{cited}.",
        _gaussian(label, facts),
        *smooth,
    ]


def _gaussian(label: str, facts: Facts) -> str:
    """Which maps were taken for Gaussian fields though their statistic is none; empty where none were."""
    rows = [
        row for row in facts.rows(label) if row["statistic"] in ("v", "G") or row["dof"] != row["dof_min"]
    ]
    if not rows:
        return ""
    which = (
        "The maps were"
        if len(rows) == len(facts.rows(label))
        else (f"The maps of {listed(name(row['contrast']) for row in rows)} were")
    )
    return f"{which} taken for Gaussian fields, as the normal deviates (z) of their p-values."


def _simulated(label: str, settings: Settings, facts: Facts, cite: Citations) -> Sentences:
    n = counted(settings["n"], "simulated map")
    how = (
        f"simulation: each cluster was compared with the largest cluster of each of {n} of smooth Gaussian "
        "noise "
        f"in the same mask (seed {settings['seed']}; {cite.bare('forman1995')})."
    )
    return [
        _held("clusters", how, settings, facts),
        "A p-value is one plus the number of maps with as large a cluster, over one plus the number of maps"
        f"{_times(settings, facts)}.",
        f"{clusters_words(label, settings, facts)}; the size of a cluster was {size_words(settings)}.",
        *smoothness_words(label, settings, facts, cite),
        f"The noise has a Gaussian autocorrelation; that of images may have longer tails {cite('cox2017')}.",
    ]


def _times(settings: Settings, facts: Facts) -> str:
    n = len(facts.contrasts)
    return f", times {n:,} contrasts" if settings["across"] == "contrasts" and n > 1 else ""


_BY_METHOD: dict[str, Callable[[str, Settings, Facts, Citations], Sentences]] = {
    "parametric": _parametric,
    "permutation": _permutation,
    "random_field": _random_field,
    "simulated": _simulated,
}
