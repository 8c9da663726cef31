"""Places in the brain that the page speaks of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from specgl.bundle.printed.numbers import floats
from specgl.reporting import telling
from specgl.reporting.held import Held


@dataclass(frozen=True, slots=True)
class Spot:
    """A peak.

    Attributes
    ----------
    contrast
        The contrast whose peak it is.
    at
        Coordinates in mm.
    value
        The statistic there, such as ``t = 7.54``.
    region
        Name of its region; None where none is known.
    """

    contrast: str
    at: tuple[float, float, float]
    value: str
    region: str | None

    @property
    def place(self) -> str:
        """Coordinates as they are printed."""
        return telling.place(*self.at)

    @property
    def coordinates(self) -> str:
        """Coordinates as the viewer reads them."""
        return telling.coordinates(*self.at)

    @property
    def in_words(self) -> str:
        """Value, place and region."""
        region = "" if self.region is None else f", {self.region}"
        return f"{self.value} at {self.place} mm{region}"


def make_spot(held: Held, contrast: str, kind: str, at: Mapping[str, Any]) -> Spot:
    """The peak of a row of results or of a table.

    Parameters
    ----------
    held
        The bundle.
    contrast, kind
        The contrast and the letter of its statistic.
    at
        ``x``, ``y``, ``z`` in mm and ``statistic``.
    """
    x, y, z = (float(at[axis]) for axis in "xyz")
    value = f"{kind} = {float(at['statistic']):.2f}"
    return Spot(contrast, (x, y, z), value, held.region(x, y, z))


def highest(held: Held, contrast: str) -> Spot | None:
    """Where the evidence for a contrast is strongest, surviving or not; None where that is not known."""
    rows = [row for (name, _), row in held.rows.items() if name == contrast and row["peak"] is not None]
    if not rows:
        return None
    row = max(rows, key=lambda row: abs(row["peak"]["z_score"]))
    return make_spot(held, contrast, row["statistic"], row["peak"])


_MOST = 50
"""Peaks of a table that are looked at."""


def surviving_peaks(held: Held, contrast: str) -> Iterator[Spot]:
    """Highest peaks of the clusters that survive some inference, strongest first, each place once."""
    kind = held.contrasts[contrast]["statistic"]
    found: dict[tuple[float, float, float], tuple[float, Spot]] = {}
    for (name, _), table in held.bundle.tables.items():
        if name != contrast:
            continue
        main = table[floats(table["peak"]) == 1]
        strength = np.nan_to_num(np.abs(floats(main["z_score"])), nan=-1.0)
        for at in np.argsort(-strength, kind="stable")[:_MOST]:
            spot = make_spot(held, contrast, kind, main.iloc[at])
            found.setdefault(spot.at, (float(strength[at]), spot))
    for _, spot in sorted(found.values(), key=lambda pair: -pair[0]):
        yield spot
