"""What the columns of a cluster table mean, by the inference that made it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from specgl.bundle.shuffled import compared_as
from specgl.bundle.statistics import Statistic
from specgl.inference import CONFIDENCE

Meaning = tuple[str, str | None]
"""What a column means, and its unit."""

_OF_CLUSTER = " Said in the row of the cluster's highest peak alone."
_INTERVAL = (
    f"bound of the {CONFIDENCE:.0%} confidence interval of the effect at the peak, by its own degrees of "
    "freedom; not corrected for having looked for the peak."
)

MEANINGS: dict[str, Meaning] = {
    "cluster": ("Number of the cluster, from 1: positive ones first, each sign by falling peak.", None),
    "peak": ("Number of the peak within its cluster, from 1, the highest first.", None),
    "sign": ("Sign of the statistic in the cluster.", None),
    "x": ("Position of the peak along the first axis of the images' space, to the right in RAS+.", "mm"),
    "y": ("Position of the peak along the second axis, to the front in RAS+.", "mm"),
    "z": ("Position of the peak along the third axis, upwards in RAS+.", "mm"),
    "statistic": ("Test statistic at the peak.", None),
    "z_score": ("The statistic at the peak as a standard normal deviate.", None),
    "size": ("Number of locations in the cluster." + _OF_CLUSTER, None),
    "size_mm3": ("Volume of the cluster." + _OF_CLUSTER, "mm3"),
    "mass": ("Sum of the statistic's magnitude over the cluster." + _OF_CLUSTER, None),
    "center_x": ("Centre of mass of the cluster, x." + _OF_CLUSTER, "mm"),
    "center_y": ("Centre of mass of the cluster, y." + _OF_CLUSTER, "mm"),
    "center_z": ("Centre of mass of the cluster, z." + _OF_CLUSTER, "mm"),
    "p_corrected": ("Corrected p-value of the peak.", None),
    "p_peak": ("Corrected p-value of the peak itself.", None),
    "discoveries": ("Number of true discoveries in the cluster, at least." + _OF_CLUSTER, None),
    "tdp": ("Share of true discoveries among the cluster's locations, at least." + _OF_CLUSTER, None),
    "threshold": ("Magnitude of the statistic from which a location survives.", None),
    "effect": ("Effect at the peak, in the units of the data times those of the contrast.", None),
    "effect_low": (f"Lower {_INTERVAL}", None),
    "effect_high": (f"Upper {_INTERVAL}", None),
    "region": ("Region of the atlas in which the peak lies; n/a outside all of them.", None),
    "regions": (
        "Regions of the atlas in which the cluster lies, each with its share of the cluster's locations, "
        "rounded; none: outside all of them." + _OF_CLUSTER,
        None,
    ),
}
"""Columns of cluster tables, with their meanings and units; a table has those that its inference has."""

_ABOUT_CLUSTERS = frozenset({"cluster_extent", "cluster_mass"})


def is_about_clusters(settings: Mapping[str, Any]) -> bool:
    """Whether the corrected p-values of an inference are those of whole clusters.

    Parameters
    ----------
    settings
        The inference, as it was resolved.
    """
    return settings.get("statistic") in _ABOUT_CLUSTERS


def is_about_discoveries(settings: Mapping[str, Any]) -> bool:
    """Whether an inference tells how many true discoveries there are in sets of locations."""
    return settings.get("method") == "all_resolutions" or settings.get("correction") == "tdp"


def describe_columns(
    columns: Sequence[str], settings: Mapping[str, Any], statistic: Statistic
) -> dict[str, dict[str, str]]:
    """Columns of one table as its sidecar says them.

    Parameters
    ----------
    columns
        Names of the columns.
    settings
        The inference, as it was resolved.
    statistic
        The contrast's statistic.
    """
    meanings = dict(MEANINGS)
    if is_about_discoveries(settings):
        meanings |= _of_discoveries(settings)
    elif is_about_clusters(settings):
        meanings |= _of_clusters(settings, statistic)
    told = {}
    for name in columns:
        meaning, unit = meanings[name]
        told[name] = {"Description": meaning} | ({"Units": unit} if unit is not None else {})
    return told


def forming_scale(settings: Mapping[str, Any], statistic: Statistic) -> str:
    """On what scale an inference forms clusters: ``z``, or the letter of the statistic itself.

    Parameters
    ----------
    settings
        The inference, as it was resolved.
    statistic
        The contrast's statistic.
    """
    match settings.get("method"):
        case "permutation":
            return "z" if is_about_discoveries(settings) else compared_as(settings, statistic)
        case "random_field":
            return "z" if statistic.varies else statistic.kind
    return "z"


def _of_clusters(settings: Mapping[str, Any], statistic: Statistic) -> dict[str, Meaning]:
    """What columns mean where an inference is about clusters."""
    scale = forming_scale(settings, statistic)
    above = " above the threshold" if settings.get("mass") == "excess" else ""
    return {
        "mass": (f"Sum of the magnitude of {scale}{above} over the cluster." + _OF_CLUSTER, None),
        "p_corrected": ("Corrected p-value of the cluster.", None),
        "threshold": (f"Magnitude of {scale} from which locations form clusters.", None),
    }


def _of_discoveries(settings: Mapping[str, Any]) -> dict[str, Meaning]:
    """What columns mean where an inference tells true discoveries."""
    by_shuffles = settings.get("method") == "permutation"
    adjusted = "by the shuffles' lowest p-values" if by_shuffles else "by Hommel's procedure"
    told: dict[str, Meaning] = {
        "cluster": (
            "Number of the cluster, from 1: by ascending threshold, at each the positive ones first, each "
            "sign by falling peak.",
            None,
        ),
        "p_corrected": (f"p-value of the peak, corrected {adjusted}.", None),
        "threshold": ("Magnitude of z from which locations form the cluster.", None),
    }
    if settings.get("largest") is not None:
        told["threshold"] = (
            "Least magnitude of z in the cluster, which is the largest with its share of true discoveries.",
            None,
        )
    if settings.get("regions") is not None:
        told |= {
            name: (words.replace("cluster", "region"), unit)
            for name, (words, unit) in (MEANINGS | told).items()
            if name in {"cluster", "peak", "sign", "size", "size_mm3", "mass", "discoveries", "tdp"}
            or name.startswith("center_")
        }
        told["cluster"] = ("Number of the row, from 1, in the order of the regions' codes.", None)
        told["sign"] = ("Sign of the statistic at the peak.", None)
        told["region"] = ("Name of the region.", None)
        told["threshold"] = ("Regions are formed by no threshold.", None)
    return told
