"""The note under a printed table: what it tells of, in sentences."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from specgl.bundle.printed.about import About
from specgl.bundle.printed.numbers import floats
from specgl.bundle.statistics import SEVERAL
from specgl.inference import MAX_PEAKS, PEAK_DISTANCE


def title_of(about: About) -> str:
    """Contrast and inference, as a title."""
    return f"{about.contrast}, {about.inference}"


def note_of(table: pd.DataFrame, about: About, left_out: int = 0) -> str:
    """What contrast, inference, threshold, numbers and space a table tells of.

    Parameters
    ----------
    table
        What is printed of the table.
    about
        What it tells of.
    left_out
        How many clusters without a true discovery are not printed.
    """
    several = f"{left_out} clusters" if left_out > 1 else "1 cluster"
    more = [f"{several} in which no true discovery is certain left out."] if left_out else []
    return " ".join([*_sentences(table, about), *more])


def _sentences(table: pd.DataFrame, about: About) -> Iterator[str]:
    yield f"Contrast {about.contrast}: {', '.join(statistic_words(about.row))}."
    asked = [*_settings_words(about.settings), *_made_from(about.row)]
    yield f"Inference {about.inference}: {', '.join(asked)}." if asked else f"Inference {about.inference}."
    if (height := _height(table, about)) is not None:
        formed = about.of_clusters or about.of_discoveries
        yield f"{'Clusters formed at' if formed else 'Threshold:'} {_above(about, height)}."
    if not len(table):
        yield f"No {_nothing(about)}."
        return
    space = "" if about.space is None else f" of the space {about.space}"
    yield f"Coordinates in mm{space}."
    if (floats(table["peak"]) > 1).any():
        yield f"Sub-peaks are indented: at most {MAX_PEAKS - 1}, {PEAK_DISTANCE:g} mm or more apart."
    if about.of_discoveries:
        level = about.settings.get("alpha")
        sure = f", all at once with {100 * (1 - level):g}% confidence" if isinstance(level, float) else ""
        yield f"TDP: share of true discoveries, at least{sure}."
    if "effect" in table.columns and table["effect"].notna().any():
        yield "CI: confidence interval of the effect at the peak, not corrected for the choice of the peak."


def _nothing(about: About) -> str:
    """What there is none of in a table without rows."""
    if about.of_regions:
        return "region has a location"
    return "cluster with a true discovery" if about.of_discoveries else "cluster survives"


def statistic_words(row: Mapping[str, Any]) -> Iterator[str]:
    """Statistic, direction, n and degrees of freedom of a row of results, such as ``n = 20``."""
    yield str(row["statistic"])
    if row["statistic"] not in SEVERAL:
        yield str(row["alternative"])
    if row["n"] is not None:
        yield f"n = {_range(row['n_min'], row['n'])}"
    if row["dof"] is not None:
        first = "" if row["dof_numerator"] is None else f"{row['dof_numerator']:g} and "
        yield f"dof = {first}{_range(row['dof_min'], row['dof'])}"
    elif row["dof_numerator"] is not None:
        yield f"dof = {row['dof_numerator']:g}"


def _range(low: float | None, high: float) -> str:
    return f"{high:.4g}" if low is None or low == high else f"{low:.4g} to {high:.4g}"


def _height(table: pd.DataFrame, about: About) -> float | None:
    """The one threshold of the table; None where there is none, or where it differs from row to row."""
    heights = np.unique(floats(table["threshold"]).round(12)) if "threshold" in table.columns else np.empty(0)
    heights = heights[np.isfinite(heights)]
    if heights.size:
        return float(heights[0]) if heights.size == 1 else None
    told = about.row["threshold"]
    return None if told is None else float(told)


def _above(about: About, height: float) -> str:
    """The threshold with its direction."""
    if about.kind in SEVERAL or about.row["alternative"] == "greater":
        return f"{about.scale} ≥ {height:.4g}"
    if about.row["alternative"] == "less":
        return f"{about.scale} ≤ {-height:.4g}"
    return f"|{about.scale}| ≥ {height:.4g}"


def _several(value: Any) -> str:
    return ", ".join(map(_plain, value)) if isinstance(value, list | tuple) else _plain(value)


def _plain(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _inner(value: Any, *keys: str) -> str:
    """A value, or the first of these keys that it has."""
    if isinstance(value, Mapping):
        return next((_several(value[key]) for key in keys if key in value), "")
    return _several(value)


_WORDS: dict[str, Callable[[Any], str]] = {
    "method": lambda v: str(v).replace("_", " "),
    "statistic": lambda v: str(v).replace("_", " "),
    "correction": lambda v: "" if v == "tdp" else "uncorrected" if v == "none" else f"correction {v}",
    "cluster_forming_p": lambda v: f"cluster-forming p {_plain(v)}",
    "cluster_forming_z": lambda v: f"clusters at z {_several(v)}",
    "largest": lambda v: f"largest clusters with a TDP of at least {_inner(v, 'tdp')}",
    "regions": lambda v: f"regions of {_inner(v, 'image')}",
    "mass": lambda v: "mass above the threshold" if v == "excess" else "",
    "extent": lambda v: "extent in resels" if v == "resels" else "",
    "tail": lambda v: "" if v == "counts" else f"tail by {v}",
    "across": lambda v: "over all contrasts" if v == "contrasts" else "",
    "alpha": lambda v: f"alpha {_plain(v)}",
    "min_cluster_size": lambda v: "" if v == 1 else f"clusters of {_plain(v)} voxels or more",
    "connectivity": lambda v: f"{_plain(v)} neighbours",
}
"""What the settings of an inference are called, in the order of the sentence."""


def _settings_words(settings: Mapping[str, Any]) -> list[str]:
    known = {key: value for key, value in settings.items() if value is not None}
    if "regions" in known:
        known.pop("connectivity", None)  # regions are given, whatever touches what
    told = [words(known[key]) for key, words in _WORDS.items() if key in known]
    return [word for word in told if word]


def _made_from(row: Mapping[str, Any]) -> Iterator[str]:
    if (shuffled := row.get("shuffled")) is not None:
        yield f"{shuffled['n']} shuffles"
    if (simulated := row.get("simulations")) is not None:
        yield f"{simulated['n']} simulated maps"
    if (field := row.get("field")) is not None:
        widths = " × ".join("-" if one is None else f"{one:.3g}" for one in field["fwhm"])
        yield f"smoothness {widths} mm FWHM"
    if (told := row.get("discoveries")) is not None:
        noun = "discovery" if told["at_least"] == 1 else "discoveries"
        yield f"at least {told['at_least']} true {noun} among all {told['n_locations']} locations"
