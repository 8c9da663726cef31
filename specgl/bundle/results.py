"""What came of each contrast under each inference, in one row."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from specgl.bundle.contents import Contents
from specgl.bundle.shuffled import json_count
from specgl.bundle.statistics import Statistic, statistics_of
from specgl.inference import Discoveries, Field, Inferred, Shuffled, Simulations


def result_rows(contents: Contents) -> list[dict[str, Any]]:
    """One row for each contrast and inference, in the order of the spec."""
    statistics = statistics_of(contents.stats)
    return [_row(inferred, statistics[inferred.contrast]) for inferred in contents.inferred]


def describe_results(results: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Say each row of results in words."""
    for row in results:
        words = f"`{row['contrast']}`, {row['inference']}: {_findings_of(row)}"
        if row["min_p"] is not None:
            words += f"; smallest p {row['min_p']:.3g}"
        words += _made_from(row)
        if (peak := row["peak"]) is not None:
            place = ", ".join(f"{peak[axis]:g}" for axis in "xyz")
            words += f"; peak {row['statistic']} = {peak['statistic']:.3f} at ({place}) mm"
        yield words


def describe_findings(findings: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Say each finding in a line; what was found of several inferences alike is said once, with their names.

    Parameters
    ----------
    findings
        ``code``, ``message`` and, where it is known, ``where`` of each, as the manifest has them.
    """
    told: dict[tuple[str, str], dict[str, None]] = {}
    for finding in findings:
        names = told.setdefault((finding["code"], finding["message"]), {})
        where = finding.get("where", ())
        if len(where) > 1 and where[0] == "inference":
            names[str(where[1])] = None
    for (code, message), names in told.items():
        yield f"{code}: {message}" + (f" ({', '.join(names)})" if names else "")


def _findings_of(row: Mapping[str, Any]) -> str:
    """How much was found."""
    survive, clusters = row["n_surviving"], row["n_clusters"]
    if (told := row.get("discoveries")) is not None:
        found = told["at_least"]
        what = "location is a true discovery" if found == 1 else "locations are true discoveries"
        words = f"at least {found:,} {what} (of a family of {told['n_locations']:,})"
        if not found:
            return words
        return (
            f"{words}; the clusters or regions with some hold {survive:,}"
            if survive
            else f"{words}, in no cluster"
        )
    words = f"{survive:,} location{'' if survive == 1 else 's'} survive{'s' if survive == 1 else ''}"
    return f"{words} in {clusters:,} cluster{'' if clusters == 1 else 's'}" if clusters else words


def _made_from(row: Mapping[str, Any]) -> str:
    """What it was compared with."""
    words = ""
    if (shuffled := row.get("shuffled")) is not None:
        fitted = "" if shuffled["tail"] == "counts" else f", tail by {shuffled['tail']}"
        words += f" ({shuffled['n']:,} shuffles{fitted})"
    if (simulated := row.get("simulations")) is not None:
        words += f" ({simulated['n']:,} simulated maps)"
    if (field := row.get("field")) is not None:
        words += f"; FWHM {_lengths(field['fwhm'])} mm, {_resels(field['resels']):.4g} resels"
    return words


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
        **{name: None if told is None else asdict(told) for name, told in _further(inferred).items()},
        "peak": None if inferred.peak is None else asdict(inferred.peak),
    }


def _further(inferred: Inferred) -> dict[str, Discoveries | Field | Simulations | None]:
    """What only some inferences tell."""
    return {
        "discoveries": inferred.discoveries,
        "field": inferred.field,
        "simulations": inferred.simulations,
    }


def _shuffled(shuffling: Shuffled) -> dict[str, Any]:
    told = asdict(shuffling)
    return told | {"possible": json_count(shuffling.possible)}


def _lengths(several: Sequence[float | None]) -> str:
    """Lengths along the axes of the grid; none along an axis of one voxel."""
    return " × ".join("-" if one is None else f"{one:.3g}" for one in several)


def _resels(counts: Sequence[float]) -> float:
    """Resels of the highest dimension that the mask has."""
    return next((count for count in reversed(counts) if count > 0), 0.0)
