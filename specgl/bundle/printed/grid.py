"""Which columns of a cluster table are printed, under which heads, and with how many digits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from specgl.bundle.printed import numbers
from specgl.bundle.printed.about import About
from specgl.bundle.printed.numbers import Floats
from specgl.inference import CONFIDENCE

NUMBER, WORDS, LONG = "number", "words", "long"
"""What a column holds: numbers, a stranger's words, or many of these."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column as it is printed.

    Attributes
    ----------
    head
        Its head, with the unit.
    cells
        A text for each row, empty where there is nothing to say.
    holds
        `NUMBER`, `WORDS` or `LONG`.
    always
        Whether it stands in a table without rows.
    """

    head: str
    cells: tuple[str, ...]
    holds: str = NUMBER
    always: bool = False


@dataclass(frozen=True, slots=True)
class Grid:
    """A table as it is printed.

    Attributes
    ----------
    columns
        The columns from left to right; the first names the row.
    is_sub
        For each row whether it is a sub-peak, which stands indented under its cluster.
    """

    columns: tuple[Column, ...]
    is_sub: tuple[bool, ...]


def make_grid(table: pd.DataFrame, about: About) -> Grid:
    """Choose columns and digits. Columns in which nothing is said are left out.

    Parameters
    ----------
    table
        A table of clusters.
    about
        What it tells of.
    """
    rows = _Rows(table, about)
    columns = [column for column in rows.columns() if any(column.cells) or (column.always and not len(table))]
    return Grid(tuple(columns), tuple(rows.is_sub.tolist()))


class _Rows:
    """Columns of one table, as texts."""

    def __init__(self, table: pd.DataFrame, about: About) -> None:
        self.table = table
        self.about = about
        self.is_sub = self.floats("peak") > 1

    def floats(self, name: str) -> Floats:
        """A column's numbers; NaN where the table has no such column."""
        if name not in self.table.columns:
            return np.full(len(self.table), np.nan)
        return numbers.floats(self.table[name])

    def words(self, name: str) -> tuple[str, ...]:
        if name not in self.table.columns:
            return ("",) * len(self.table)
        return tuple("" if pd.isna(word) else str(word) for word in self.table[name])

    def columns(self) -> Iterator[Column]:
        """All columns in the order of a paper: the cluster, then its peaks."""
        of_regions = self.about.of_regions
        yield Column("No." if of_regions else "Cluster", self._labels(), WORDS, always=True)
        yield Column("Region", self.words("region"), WORDS)
        yield self._threshold()
        yield Column("Size (voxels)", tuple(numbers.counts(self.floats("size"))), always=True)
        yield Column("Volume (mm³)", tuple(self._volumes()))
        yield Column("Mass", tuple(numbers.alike(self.floats("mass"), 4)))
        yield Column("Centre of mass (mm)", self._centres())
        yield Column("True discoveries (at least)", tuple(numbers.counts(self.floats("discoveries"))))
        yield Column("TDP (at least)", tuple(map(numbers.at_least, self.floats("tdp"))))
        if self.about.of_clusters:
            yield self._p("cluster", np.where(self.is_sub, np.nan, self.floats("p_corrected")))
        yield from self._peaks()
        yield Column("Share of the " + ("region" if of_regions else "cluster"), self.words("regions"), LONG)

    def _peaks(self) -> Iterator[Column]:
        for axis, cells in zip("xyz", numbers.millimetres([self.floats(a) for a in "xyz"]), strict=True):
            yield Column(f"{axis} (mm)", tuple(cells), always=True)
        statistic, z_score = self.floats("statistic"), self.floats("z_score")
        yield Column(self.about.kind, tuple(numbers.fixed(v, 2) for v in statistic), always=True)
        if self.about.kind != "z" or not np.array_equal(statistic, z_score, equal_nan=True):
            yield Column("z score", tuple(numbers.fixed(v, 2) for v in z_score))
        yield self._p("peak", self.floats("p_peak" if self.about.of_clusters else "p_corrected"))
        effect, low, high = numbers.alike_together(
            [self.floats(name) for name in ("effect", "effect_low", "effect_high")], 3
        )
        yield Column("Effect", tuple(effect))
        yield Column(
            f"{CONFIDENCE:.0%} CI",
            tuple(f"[{a}, {b}]" if a and b else "" for a, b in zip(low, high, strict=True)),
        )

    def _p(self, of: str, values: Floats) -> Column:
        head = f"p ({of}, {self.about.controlled})"
        return Column(
            head, tuple(map(numbers.p_value, values)), always=(of == "cluster") is self.about.of_clusters
        )

    def _labels(self) -> tuple[str, ...]:
        """Number of the cluster; sub-peaks as 1a, 1b."""
        clusters, peaks = self.floats("cluster"), self.floats("peak")
        return tuple(_label(cluster, peak) for cluster, peak in zip(clusters, peaks, strict=True))

    def _threshold(self) -> Column:
        """What formed each cluster, where that differs; else the note says it."""
        heights = self.floats("threshold")
        differ = np.unique(heights[np.isfinite(heights)]).size > 1
        cells = [numbers.fixed(v, 2) if differ else "" for v in np.where(self.is_sub, np.nan, heights)]
        return Column(f"Threshold ({self.about.scale})", tuple(cells))

    def _volumes(self) -> list[str]:
        volumes = self.floats("size_mm3")
        whole = np.all(np.abs(volumes - np.round(volumes))[np.isfinite(volumes)] <= numbers.WHOLE)
        return [numbers.fixed(v, 0 if whole else 1) for v in volumes]

    def _centres(self) -> tuple[str, ...]:
        centres = [self.floats(f"center_{axis}") for axis in "xyz"]
        cells = zip(*[[numbers.fixed(v, 1) for v in axis] for axis in centres], strict=True)
        return tuple(f"({x}, {y}, {z})" if x and y and z else "" for x, y, z in cells)


def _label(cluster: float, peak: float) -> str:
    number = numbers.fixed(cluster, 0)
    if not peak > 1:
        return number
    return f"{number}{chr(ord('a') + int(peak) - 2)}" if peak <= 27 else f"{number}.{peak:.0f}"
