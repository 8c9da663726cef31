"""What came of each contrast under each inference, in one row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from specgl.bundle.contents import Contents
from specgl.bundle.shuffled import json_count
from specgl.bundle.statistics import Statistic, statistics_of
from specgl.inference import Inferred, Shuffled


def result_rows(contents: Contents) -> list[dict[str, Any]]:
    """One row for each contrast and inference, in the order of the spec."""
    statistics = statistics_of(contents.stats)
    return [_row(inferred, statistics[inferred.contrast]) for inferred in contents.inferred]


def describe_results(results: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Say each row of results in words."""
    for row in results:
        words = f"`{row['contrast']}`, {row['inference']}: "
        survive = row["n_surviving"]
        words += f"{survive:,} location{'' if survive == 1 else 's'} survive{'s' if survive == 1 else ''}"
        if row["n_clusters"]:
            words += f" in {row['n_clusters']:,} cluster{'' if row['n_clusters'] == 1 else 's'}"
        if row["min_p"] is not None:
            words += f"; smallest p {row['min_p']:.3g}"
        if (shuffled := row.get("shuffled")) is not None:
            fitted = "" if shuffled["tail"] == "counts" else f", tail by {shuffled['tail']}"
            words += f" ({shuffled['n']:,} shuffles{fitted})"
        if (peak := row["peak"]) is not None:
            place = ", ".join(f"{peak[axis]:g}" for axis in "xyz")
            words += f"; peak {row['statistic']} = {peak['statistic']:.3f} at ({place}) mm"
        yield words


def _row(inferred: Inferred, statistic: Statistic) -> dict[str, Any]:
    return {
        "contrast": inferred.contrast,
        "inference": inferred.inference,
        "statistic": statistic.kind,
        "alternative": statistic.alternative,
        "n": statistic.n,
        "n_min": statistic.n_min,
        "dof_numerator": statistic.dof1,
        "dof": statistic.dof,
        "dof_min": statistic.dof_min,
        "threshold": inferred.threshold,
        "n_surviving": int(inferred.n_surviving),
        "n_clusters": int(inferred.clusters["cluster"].nunique()),
        "min_p": inferred.min_p,
        "shuffled": None if inferred.shuffling is None else _shuffled(inferred.shuffling),
        "peak": None if inferred.peak is None else asdict(inferred.peak),
    }


def _shuffled(shuffling: Shuffled) -> dict[str, Any]:
    told = asdict(shuffling)
    return told | {"possible": json_count(shuffling.possible)}
