"""What forms clusters, and which heights that is for each contrast."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from specgl.bundle.columns import is_about_clusters, is_about_discoveries
from specgl.bundle.printed import About
from specgl.bundle.statistics import SEVERAL
from specgl.reporting.words.corrections import NEIGHBOURS
from specgl.reporting.words.facts import Facts, Row, Settings
from specgl.reporting.words.language import listed, name, number, p_text

MASS = {
    "total": "the sum of the statistic over its voxels",
    "excess": "the sum over its voxels of what the statistic has above the cluster-forming threshold",
}
"""How a cluster's mass is summed."""

EXTENT = {
    "voxels": "its number of voxels",
    "resels": "its size in resels, voxel by voxel by the smoothness there",
}
"""How a cluster's extent is counted in a random field."""


def size_words(settings: Settings) -> str:
    """How a cluster is measured."""
    if settings["statistic"] == "cluster_mass":
        return MASS[settings["mass"]]
    return EXTENT[settings.get("extent", "voxels")]


def is_voxelwise(settings: Settings) -> bool:
    """Whether voxels survive one by one, and form clusters in tables only."""
    if is_about_discoveries(settings) or is_about_clusters(settings) or settings.get("statistic") == "tfce":
        return False
    return bool(settings.get("min_cluster_size", 1) == 1)  # else the text has said it already


def neighbours(settings: Settings) -> str:
    """Which voxels are neighbours."""
    return f"{settings['connectivity']} neighbours: {NEIGHBOURS[settings['connectivity']]}"


def clusters_words(label: str, settings: Settings, facts: Facts) -> str:
    """How clusters were formed, for a sentence that begins with them."""
    return (
        f"Clusters of neighbouring voxels ({neighbours(settings)}) were formed at a threshold of "
        f"{threshold_words(label, settings, facts)}"
    )


def threshold_words(label: str, settings: Settings, facts: Facts) -> str:
    """The cluster-forming threshold with its sides, and its height for each contrast."""
    p = settings.get("cluster_forming_p")
    heights = listed(_heights(label, settings, facts))
    if p is None:
        return heights or number(settings["cluster_forming_stat"], 4)
    return f"p ≤ {p_text(p)}{_sides(p, facts)}" + (f", that is {heights}" if heights else "")


def _sides(p: float, facts: Facts) -> str:
    """Of how many sides a cluster-forming p is; empty for statistics that have one only."""
    alternatives = {str(row["alternative"]) for row in facts.contrasts if row["statistic"] not in SEVERAL}
    if not alternatives:
        return ""
    if "two-sided" not in alternatives:
        return " (one-sided)"
    several = len(facts.contrasts) > 1 and alternatives != {"two-sided"}
    return f" ({p_text(p / 2)} on either side{' for two-sided contrasts' if several else ''})"


def _heights(label: str, settings: Settings, facts: Facts) -> list[str]:
    """Height for each contrast, those with equal ones together."""
    by_height: dict[str, list[str]] = {}
    rows = facts.rows(label)
    for row in rows:
        if row["threshold"] is not None:
            by_height.setdefault(height_words(row, settings), []).append(str(row["contrast"]))
    if len(by_height) == 1:
        return list(by_height)
    return [f"{height} for {listed(map(name, who))}" for height, who in by_height.items()]


def z_words(heights: Sequence[float], facts: Facts) -> str:
    """Thresholds of z, in the direction of the contrasts."""
    told = listed([number(height, 4) for height in heights])
    directions = {
        "greater" if row["statistic"] in SEVERAL else str(row["alternative"]) for row in facts.contrasts
    }
    if directions == {"two-sided"}:
        return f"|z| ≥ {told}"
    if directions == {"greater"}:
        return f"z ≥ {told}"
    if directions == {"less"}:
        return f"z ≤ {listed([f'−{number(height, 4)}' for height in heights])}"
    return f"z of {told} in the direction of each contrast"


def height_words(row: Row, settings: Mapping[str, object]) -> str:
    """A height with its letter and its direction: ``|t| ≥ 3.67``."""
    letter, height = About(row, settings).scale, number(float(row["threshold"]))
    if row["statistic"] in SEVERAL or row["alternative"] == "greater":
        return f"{letter} ≥ {height}"
    return f"{letter} ≤ −{height}" if row["alternative"] == "less" else f"|{letter}| ≥ {height}"
