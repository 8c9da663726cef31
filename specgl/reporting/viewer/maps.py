"""Which maps a reader can choose, and in what words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from specgl.reporting.viewer.grids import Box

if TYPE_CHECKING:
    from specgl.bundle import Bundle

Colours = Literal["signed", "positive", "sequential"]
Kind = Literal["statistic", "surviving", "logp", "tdp", "effect", "z"]

GIVING_WAY: tuple[Kind, ...] = ("z", "tdp", "logp", "effect", "surviving", "statistic")
"""What is left out first where a page would become too large."""

_SIGNED = frozenset("tvz")
"""Statistics that have a direction."""

_P = "p"
_LOGP = "−log10 p"
_NOTABLE = -np.log10(0.05)
_SMALLEST_P = 1e-300
"""Below it a logarithm would be infinite."""


@dataclass(frozen=True, slots=True, eq=False)
class Map:
    """A map that can be shown.

    Attributes
    ----------
    contrast
        Whose it is.
    kind, inference
        What it holds, and of which inference; None before any.
    label
        As the list of maps says it.
    symbol, unit
        What stands before and after a value.
    colours
        Its colour table.
    start
        Threshold with which it is first shown; NaN leaves it to the values.
    values
        ``(n,)`` of the mask's voxels; None where they are those of the contrast's statistic.
    survives
        ``(n,)`` where it survives, of a map that is shown nowhere else.
    """

    contrast: str
    kind: Kind
    inference: str | None
    label: str
    symbol: str
    unit: str
    colours: Colours
    start: float
    values: NDArray[Any] | None
    survives: NDArray[np.bool_] | None = None

    @property
    def key(self) -> str:
        """Its name among the maps of a contrast."""
        return self.kind if self.inference is None else f"{self.kind} {self.inference}"


def maps_of(bundle: Bundle, box: Box) -> Iterator[Map]:
    """Every map that a viewer shows, contrast by contrast.

    Parameters
    ----------
    bundle
        The bundle.
    box
        The box around its mask.
    """
    if "contrast" not in bundle.maps.dims:
        return
    for contrast, kind in zip(bundle.maps["contrast"].values, bundle.maps["kind"].values, strict=True):
        read = _Reader(bundle, box, str(contrast))
        statistic = read("stat")
        yield from _before(read, str(kind), statistic)
        for row in bundle.manifest["results"]:
            if row["contrast"] == str(contrast):
                yield from _after(read, str(kind), str(row["inference"]), has_statistic=statistic is not None)


@dataclass(frozen=True, slots=True, eq=False)
class _Reader:
    """Maps of one contrast."""

    bundle: Bundle
    box: Box
    contrast: str

    def __call__(self, name: str) -> NDArray[Any] | None:
        """Values ``(n,)`` of a map; None where the contrast has none."""
        if name not in self.bundle.maps or "contrast" not in self.bundle.maps[name].dims:
            return None
        values = self.box.vector(self.bundle.maps[name].sel(contrast=self.contrast).values)
        return values if np.isfinite(values).any() else None

    def unit(self, name: str) -> str:
        """Unit of a map; nothing for a number."""
        unit = str(self.bundle.maps[name].attrs.get("units", "1"))
        return {"1": "", "data": "(unit of the data)"}.get(unit, unit)

    @property
    def threshold(self) -> float:
        """The threshold of the first inference that has one; NaN where none has."""
        held = [
            row["threshold"] for row in self.bundle.manifest["results"] if row["contrast"] == self.contrast
        ]
        return next((abs(float(value)) for value in held if value is not None), np.nan)


def _before(read: _Reader, kind: str, statistic: NDArray[Any] | None) -> Iterator[Map]:
    """Maps that stand before any inference."""
    symbol = _symbol(kind)
    if statistic is not None and kind == _P:
        logp = -np.log10(np.maximum(statistic, _SMALLEST_P, dtype=np.float64))
        yield Map(read.contrast, "statistic", None, symbol, symbol, "", "sequential", _NOTABLE, logp)
    elif statistic is not None:
        label = f"Statistic {kind}"
        yield Map(read.contrast, "statistic", None, label, symbol, "", _sign(kind), read.threshold, statistic)
    if (effect := read("effect")) is not None:
        unit = read.unit("effect")
        yield Map(read.contrast, "effect", None, "Effect", "effect", unit, "signed", np.nan, effect)
    if kind != "z" and (z := read("z")) is not None:
        yield Map(read.contrast, "z", None, "Statistic as z", "z", "", "signed", np.nan, z)


def _after(read: _Reader, kind: str, inference: str, *, has_statistic: bool) -> Iterator[Map]:
    """Maps that an inference made."""
    surviving = read(f"stat_{inference}")
    if surviving is not None and (has_statistic or kind != _P):
        yield Map(
            read.contrast,
            "surviving",
            inference,
            f"{inference}: {_symbol(kind)} where it survives",
            _symbol(kind),
            "",
            "sequential" if kind == _P else _sign(kind),
            0.0,
            None if has_statistic else surviving,
            (surviving != 0) & np.isfinite(surviving),
        )
    if (logp := read(f"logp_{inference}")) is not None:
        label, symbol = f"{inference}: {_LOGP}", _LOGP
        yield Map(read.contrast, "logp", inference, label, symbol, "", "sequential", _NOTABLE, logp)
    if (tdp := read(f"tdp_{inference}")) is not None:
        label = f"{inference}: share of true discoveries"
        yield Map(read.contrast, "tdp", inference, label, "at least", "", "sequential", 0.0, tdp)


def _symbol(kind: str) -> str:
    return _LOGP if kind == _P else kind


def _sign(kind: str) -> Colours:
    return "signed" if kind in _SIGNED else "positive"
