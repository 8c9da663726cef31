"""Results: what came of each contrast, one section each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice

import numpy as np

from specgl import plot
from specgl.reporting import filenames, telling
from specgl.reporting.album import Missing, Shown
from specgl.reporting.held import Held
from specgl.reporting.sections.clusters import ClusterTable, make_cluster_table
from specgl.reporting.sections.glance import (
    Glance,
    Headed,
    found_words,
    glass_alt,
    is_empty,
    kind_of,
    p_of,
    result_anchor,
)
from specgl.reporting.sections.spots import Spot, highest, make_spot, surviving_peaks

MOST_PEAKS = 4
"""Peaks of a contrast at which the observations' own values are shown."""

_SHOWN_FIRST = ("stat", "z", "effect")
"""Maps that slices may show, the first that there is."""


@dataclass(frozen=True, slots=True)
class Inferred:
    """What an inference made of a contrast.

    Attributes
    ----------
    name, anchor
        The inference, and its place in the page.
    kind, sentence
        What it controls, in a few words and in a sentence.
    found
        How much was found and the smallest p-value, in words.
    glass
        Glass brain of what survives.
    null
        Null distribution; None where the inference has none.
    table
        Clusters; None where the bundle has no table.
    """

    name: str
    anchor: str
    kind: str
    sentence: str
    found: str
    glass: Shown
    null: Shown | None
    table: ClusterTable | None


@dataclass(frozen=True, slots=True)
class Result:
    """A contrast.

    Attributes
    ----------
    name, anchor
        The contrast, and its place in the page.
    sentence, facts
        What it asks; its statistic with n and degrees of freedom.
    members
        Of a conjunction: the contrasts that it joins, in words.
    brains
        The statistic itself: slices through its highest peak, and side by side.
    inferences
        What each inference made of it.
    peaks
        Observations' values at the highest peaks.
    qq
        Its p-values against those expected without any effect.
    """

    name: str
    anchor: str
    sentence: str
    facts: str
    members: str
    brains: tuple[Shown, ...]
    inferences: tuple[Inferred, ...]
    peaks: tuple[Shown, ...]
    qq: Shown


def make_results(held: Held, glance: Glance) -> tuple[Result, ...]:
    """A section for each contrast.

    Parameters
    ----------
    held
        The bundle.
    glance
        The first section, which says what each contrast asks.
    """
    return tuple(_result(held, told) for told in glance.contrasts)


def _result(held: Held, told: Headed) -> Result:
    contrast = told.name
    members = held.contrasts[contrast].get("members", ())
    sentences = dict(held.question.inferences)
    return Result(
        name=contrast,
        anchor=told.anchor,
        sentence=told.sentence,
        facts=told.facts,
        members=telling.listed(list(members)) if members else "",
        brains=tuple(_brains(held, contrast)),
        inferences=tuple(
            _inferred(held, contrast, inference, sentences.get(inference, ""))
            for inference in held.inferences
            if (contrast, inference) in held.rows
        ),
        peaks=tuple(_values(held, contrast, list(surviving_peaks(held, contrast)))),
        qq=_quantiles(held, contrast),
    )


def _inferred(held: Held, contrast: str, inference: str, sentence: str) -> Inferred:
    about = held.bundle.about(contrast, inference)
    row = held.rows[contrast, inference]
    peak = None if row["peak"] is None else make_spot(held, contrast, row["statistic"], row["peak"])
    least = p_of(about)
    found = found_words(about)
    return Inferred(
        name=inference,
        anchor=result_anchor(contrast, inference),
        kind=kind_of(about),
        sentence=sentence,
        found=f"{found}, smallest {least}" if least else found,
        glass=held.album.show(
            filenames.glass(contrast, inference),
            lambda: plot.glass_brain(held.bundle, contrast=contrast, inference=inference),
            alt=glass_alt(about, peak),
            caption="What survives, the strongest value along each line of sight.",
        ),
        null=_null(held, contrast, inference) if (contrast, inference) in held.bundle.null else None,
        table=make_cluster_table(held, contrast, inference),
    )


_TRANSPARENT = "weaker values are more transparent"


def _brains(held: Held, contrast: str) -> Iterator[Shown]:
    """The statistic, whatever its size, through the highest peak; slices of what survives, or of it all."""
    variable = next((name for name in _SHOWN_FIRST if held.has_map(name, contrast)), None)
    spot = highest(held, contrast)
    if variable is None:
        yield Missing("Slices of the statistic", "the spec's output.maps leaves out stat, z and effect")
    elif not held.rows and variable == "stat":
        yield held.album.show(
            filenames.glass(contrast),
            lambda: plot.glass_brain(held.bundle, contrast=contrast),
            alt=f"Glass brain of the statistic of {contrast}, not thresholded.",
            caption="The statistic, not thresholded: the strongest value along each line of sight.",
        )
    if variable is not None and spot is not None:
        what, through = _named(held, contrast, variable), f"through the highest peak: {spot.in_words}."
        surviving = _surviving(held, contrast) if variable == "stat" else None
        lined = "" if surviving is None else f" A line surrounds what survives {surviving}."
        yield held.album.show(
            filenames.cuts(contrast),
            lambda: plot.slices(
                held.bundle,
                contrast=contrast,
                inference=surviving,
                variable=variable,
                at=spot.at,
                underlay=held.underlay,
                transparent=True,
            ),
            alt=f"Three slices of {what} of {contrast}, not thresholded, {through}{lined}",
            caption=f"{_capital(what)}, not thresholded ({_TRANSPARENT}), {through}{lined}",
        )
    yield from _mosaic(held, contrast, variable)


def _mosaic(held: Held, contrast: str, variable: str | None) -> Iterator[Shown]:
    """Slices side by side of what survives the first correction, or of the whole map where nothing does."""
    surviving = _surviving(held, contrast)
    over = "" if held.underlay is None else f", over the {held.underlay.attrs['source']}"
    heights = [spot.at[2] for spot in islice(surviving_peaks(held, contrast), MOST_PEAKS)]
    if surviving is not None:
        found = found_words(held.bundle.about(contrast, surviving))
        yield held.album.show(
            filenames.mosaic(contrast, surviving),
            lambda: plot.slices(
                held.bundle,
                contrast=contrast,
                inference=surviving,
                through=heights,
                underlay=held.underlay,
            ),
            alt=f"Slices of {contrast} where it survives {surviving}: {found}.",
            caption=f"What survives {surviving}{over}: {found}. The highest peaks lie in these slices.",
        )
    elif variable is not None:
        what = _named(held, contrast, variable)
        nothing = "no inference was asked for" if not held.rows else "nothing survives any inference"
        yield held.album.show(
            filenames.mosaic(contrast),
            lambda: plot.slices(
                held.bundle, contrast=contrast, variable=variable, underlay=held.underlay, transparent=True
            ),
            alt=f"Slices of {what} of {contrast}, not thresholded: {nothing}.",
            caption=f"{_capital(what)}, not thresholded ({_TRANSPARENT}): {nothing}.",
        )


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]


def _surviving(held: Held, contrast: str) -> str | None:
    """The inference whose survivors are shown first: corrected for the number of tests if any is."""
    return next(
        (i for c, i in _corrected_first(held) if c == contrast and not is_empty(held.rows[c, i])), None
    )


def _corrected_first(held: Held) -> Iterator[tuple[str, str]]:
    """Results in order, those that are corrected for the number of tests before the others."""
    yield from sorted(held.rows, key=lambda pair: held.bundle.about(*pair).controlled == "uncorrected")


def _named(held: Held, contrast: str, variable: str) -> str:
    """A map in words."""
    letter = held.contrasts[contrast]["statistic"]
    return {"stat": f"the statistic {letter}", "z": "the z score"}.get(variable, f"the {variable}")


def _null(held: Held, contrast: str, inference: str) -> Shown:
    row = held.rows[contrast, inference]
    drawn = held.bundle.null[contrast, inference]
    what = "simulated maps" if row.get("simulations") is not None else "shuffles"
    told = row.get("shuffled") or row.get("simulations") or {}
    critical = told.get("critical")
    level = "" if critical is None else f", of which one survives from {critical:.4g}"
    least = p_of(held.bundle.about(contrast, inference))
    return held.album.show(
        filenames.null(contrast, inference),
        lambda: plot.null(held.bundle, contrast=contrast, inference=inference),
        alt=f"Null distribution of the maximum over {len(drawn):,} {what}: median {np.median(drawn):.4g}, "
        f"largest {drawn.max():.4g}{level}; smallest {least}.",
        caption=f"The largest value of each of {len(drawn):,} {what}.",
    )


def _values(held: Held, contrast: str, peaks: list[Spot]) -> Iterator[Shown]:
    """Observations' values at the highest peaks."""
    quality = held.bundle.quality
    if quality is None:
        return
    n = held.bundle.manifest["observations"]
    known = quality.peaks[["x", "y", "z"]].to_numpy(dtype=np.float64)
    kept = (spot for spot in peaks if len(known) and np.abs(known - spot.at).max(axis=1).min() < _SAME)
    for number, spot in enumerate(islice(kept, MOST_PEAKS), start=1):
        yield held.album.show(
            filenames.peak(contrast, number),
            partial(plot.peak, held.bundle, contrast=contrast, at=spot.at),
            alt=f"Values of the {n:,} observations at a peak of {contrast}, {spot.in_words}.",
            caption=f"{spot.in_words}.",
        )


_SAME = 1e-3
"""mm: places nearer than this are the same, told with fewer digits."""


def _quantiles(held: Held, contrast: str) -> Shown:
    if not held.has_map("p", contrast):
        return Missing("QQ plot of the p-values", "the spec's output.maps leaves out p")
    p = held.bundle.maps["p"].sel(contrast=contrast)
    values = p.values[np.isfinite(p.values)]
    low = "" if not values.size else f"; the smallest of {values.size:,} is {values.min():.3g}"
    return held.album.show(
        filenames.qq(contrast),
        lambda: plot.qq(p),
        alt=f"Observed against expected uncorrected p-values of {contrast}{low}.",
        caption="Uncorrected p-values against those expected without any effect.",
    )
