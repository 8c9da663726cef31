"""Data: which observations and voxels were analysed, and how good they are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from specgl import plot
from specgl.bundle import Quality, names
from specgl.reporting import filenames, telling
from specgl.reporting.album import Shown
from specgl.reporting.held import Held
from specgl.reporting.sections.tables import WORDS, Head, Line, PlainTable, cut

_SPREADS = (
    ("i2", "I²", "the share of the variance between observations that is not first-level variance"),
    ("tau2", "τ²", "the variance between observations beyond their first-level variances"),
)
"""Maps that show how much observations differ, the first that there is; what each is."""

_UNUSUAL = 0.05
_VOLUME = 3

MOST_DROPPED = 200
MOST_OBSERVATIONS = 500
"""Rows of the tables that are shown; a study of thousands keeps the others in its files."""


@dataclass(frozen=True, slots=True)
class Data:
    """The section.

    Attributes
    ----------
    sentences
        How many observations and voxels there are, and why not more.
    dropped
        Rows of the table that were left out, with the reason; None where none was.
    pictures
        Coverage and mask; of a model with first-level variances how much observations differ beyond them.
    observations
        Thumbnails of the observations by their distance.
    quality
        Numbers of each observation.
    """

    sentences: tuple[str, ...]
    dropped: PlainTable | None
    pictures: tuple[Shown, ...]
    observations: Shown | None
    quality: PlainTable | None


def make_data(held: Held) -> Data | None:
    """Say what was analysed; None for ready-made maps, which have no observations.

    Parameters
    ----------
    held
        The bundle.
    """
    rows = held.bundle.observations
    if rows is None:
        return None
    quality = held.bundle.quality
    return Data(
        sentences=(*_sentences(held, rows, quality), *_normality(held)),
        dropped=_dropped(rows),
        pictures=(*_brains(held, quality), *_heterogeneity(held)),
        observations=None if quality is None else _thumbnails(held, quality),
        quality=None if quality is None else _quality(quality),
    )


_COMPANIONS = {
    "without_variance": "a usable variance",
    "without_covariate": "a value of each covariate",
}
"""What locations may be left out for, by its name among the counts."""


def _sentences(held: Held, rows: pd.DataFrame, quality: Quality | None) -> list[str]:
    kept = int((rows["status"] == "kept").sum())
    left_out = len(rows) - kept
    told = [
        f"{kept:,} of {telling.counted(len(rows), 'row')} of the table "
        f"{'was' if kept == 1 else 'were'} analysed"
        + (f", {left_out:,} left out." if left_out else ", none left out.")
    ]
    counts = held.bundle.manifest["counts"]
    if {"mask", "enough", "analysed"} <= counts.keys():
        few, constant = counts["mask"] - counts["enough"], counts.get("constant", 0)
        why = [
            *([f"{few:,} for want of observations (at least {counts['needed']:,})"] if few else []),
            *([f"{constant:,} where all values are equal"] if constant else []),
            *(
                f"{counts[key]:,} for want of observations with {what}"
                for key, what in _COMPANIONS.items()
                if counts.get(key)
            ),
        ]
        told.append(
            f"{counts['analysed']:,} of {telling.counted(counts['mask'], 'voxel')} of the mask were analysed"
            + (f"; left out are {telling.listed(why)}." if why else ".")
        )
    if quality is not None:
        far = [str(name) for name in quality.observations.index[quality.observations["outlier"].astype(bool)]]
        told.append(
            "No observation lies far from the others."
            if not far
            else f"{telling.counted(len(far), 'observation lies', 'observations lie')} far from the others: "
            f"{telling.listed(far[:12]) if len(far) <= 12 else ', '.join(far[:12]) + ' …'}."
        )
    return told


def _model_map(held: Held, name: str) -> NDArray[np.float64] | None:
    """Values of a model's map where it has one, in any order; None where it was not written, or has none."""
    if not any(file.label.variable == name for file in held.bundle.files):
        return None
    values = np.asarray(held.bundle.maps[name].values, dtype=np.float64)
    values = values[np.broadcast_to(held.mask.values.astype(bool), values.shape) & np.isfinite(values)]
    return values if values.size else None


def _normality(held: Held) -> Iterator[str]:
    """How many locations have residuals that look other than normal, where the map was written."""
    if (p := _model_map(held, "normality")) is not None:
        low = int(np.count_nonzero(p <= _UNUSUAL))
        yield (
            f"Residuals depart from normality (p ≤ {_UNUSUAL:g}, uncorrected) at {100 * low / p.size:.1f} % "
            f"of {telling.counted(p.size, 'voxel')}; {100 * _UNUSUAL:.0f} % are expected of normal errors."
        )


def _heterogeneity(held: Held) -> Iterator[Shown]:
    """I² where it was written, else τ² of the whole group."""
    for name, what, long in _SPREADS:
        values = _model_map(held, name)
        if values is None or held.bundle.maps[name].ndim != _VOLUME:
            continue
        low, middle, high = np.percentile(values, [25, 50, 75])
        told = f"median {middle:.3g}, quartiles {low:.3g} and {high:.3g}; 0 at {(values == 0).mean():.0%}"
        yield held.album.show(
            filenames.SPREAD,
            partial(plot.slices, held.bundle, variable=name, underlay=held.underlay),
            alt=f"Slices of {what}: {told} of {values.size:,} voxels.",
            caption=f"{what}, {long}: {told} of the voxels.",
        )
        return


def _dropped(rows: pd.DataFrame) -> PlainTable | None:
    left_out = rows[rows["status"] != "kept"]
    if left_out.empty:
        return None
    every = [
        Line((str(name), "" if pd.isna(reason) else str(reason)))
        for name, reason in zip(left_out.index, left_out["reason"], strict=True)
    ]
    lines, note = cut(every, MOST_DROPPED, names.OBSERVATIONS)
    heads = (Head("Observation", holds=WORDS), Head("Reason", holds=WORDS))
    return PlainTable("Rows of the table that were left out", heads, lines, note)


def _brains(held: Held, quality: Quality | None) -> tuple[Shown, ...]:
    space, counts = held.bundle.manifest["space"], held.bundle.manifest["counts"]
    n = held.bundle.manifest["observations"]
    underlay = held.underlay
    over = "" if underlay is None else f" over the {underlay.attrs['source']}"
    values = None if quality is None else quality.coverage.values
    whole = values is not None and np.array_equal(values, np.where(held.mask.values, n, 0))
    full_words = f" All {n:,} observations have a value at each of its voxels." if whole else ""
    mask = held.album.show(
        filenames.MASK,
        lambda: plot.mask(held.bundle),
        alt=f"Slices of the analysed mask{over}: {space['locations']:,} voxels"
        + (f" of {counts['mask']:,} in the mask." if "mask" in counts else ".")
        + full_words,
        caption=f"The analysed mask{over}.{full_words}",
    )
    if values is None or whole:
        return (mask,)  # a map of one number says no more than the number
    inside = values[values > 0]
    low, high = (int(inside.min()), int(inside.max())) if inside.size else (0, 0)
    full = int(np.count_nonzero(values == n))
    coverage = held.album.show(
        filenames.COVERAGE,
        lambda: plot.coverage(held.bundle),
        alt=f"Slices of coverage: from {low:,} to {high:,} of {n:,} observations have a value at a voxel; "
        f"all have one at {full:,} voxels.",
        caption="Observations with a value at each voxel of the mask.",
    )
    return coverage, mask


def _thumbnails(held: Held, quality: Quality) -> Shown:
    far = quality.observations["outlier"].astype(bool)
    distance = quality.observations["distance"].to_numpy(dtype=np.float64)
    known = distance[np.isfinite(distance)]
    span = f", distances from {known.min():.2f} to {known.max():.2f}" if known.size else ""
    return held.album.show(
        filenames.OBSERVATIONS,
        lambda: plot.observations(held.bundle),
        alt=f"One slice of each of {len(distance):,} observations{span}; "
        f"{telling.counted(int(far.sum()), 'is an outlier', 'are outliers')}.",
        caption="One slice of each observation's map, by distance from the model's fit. Outliers are marked.",
    )


@dataclass(frozen=True, slots=True)
class _Column:
    """A number of each observation: its heading, how it is said, and what it means."""

    name: str
    head: Head
    say: Callable[[float], str]
    meaning: str


_COLUMNS = (
    _Column(
        "distance",
        Head("Distance"),
        telling.decimals,
        "Distance: root mean square of the studentised residual over the voxels; 1 is expected.",
    ),
    _Column(
        "mahalanobis",
        Head("Mahalanobis"),
        telling.decimals,
        "Mahalanobis: distance among the leading components of residuals, large for a pattern of its own.",
    ),
    _Column("mean_absolute_residual", Head("Residual", "mean absolute"), telling.short, ""),
    _Column(
        "coverage",
        Head("Coverage", "%"),
        lambda share: telling.decimals(100 * share, 1),
        "Coverage: share of the mask's voxels with a value.",
    ),
    _Column(
        "leverage",
        Head("Leverage"),
        lambda leverage: telling.decimals(leverage, 3),
        "Leverage: between 0 and 1.",
    ),
    _Column(
        "mean_weight",
        Head("Weight", "mean"),
        telling.decimals,
        "Weight: in the robust fit, over the voxels; 1 where an observation is no outlier anywhere.",
    ),
    _Column(
        "downweighted",
        Head("Half out", "% of voxels"),
        lambda share: telling.decimals(100 * share, 1),
        "Half out: where its weight is below a half.",
    ),
)


def _quality(quality: Quality) -> PlainTable:
    about = quality.observations.sort_values("distance", ascending=False, kind="stable", na_position="last")
    marked = about["outlier"].astype(bool)
    columns = [column for column in _COLUMNS if column.name in about]
    every = [
        Line(
            (
                str(name),
                *(["outlier" if row["outlier"] else ""] if marked.any() else []),
                *(column.say(float(row[column.name])) for column in columns),
            ),
            marked=bool(row["outlier"]),
        )
        for name, row in about.iterrows()
    ]
    lines, note = cut(every, MOST_OBSERVATIONS, names.QUALITY)
    meaning = " ".join(column.meaning for column in columns if column.meaning)
    return PlainTable(
        caption="Quality of each observation, the most distant first",
        heads=(
            Head("Observation", holds=WORDS),
            *([Head("Marked", holds=WORDS)] if marked.any() else []),
            *(column.head for column in columns),
        ),
        lines=lines,
        note=f"{meaning} {note}".strip(),
        sorts=True,
    )
