"""Maps into texts of base64, with as many bits as there is room for."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from specgl.engines import Threads, default_threads
from specgl.reporting.viewer.maps import GIVING_WAY, Map
from specgl.reporting.viewer.volumes import as_text, pack, pack_bits, quantise

LEVELS = (16, 14, 12, 10, 8)
"""Bits that a value may have, the most first."""

_SURE = 0.9
"""Share of a size told by one map that the whole surely has."""

_AROUND = 100
"""Bytes of the element around a block, and of what stands around the words about a contrast, at most."""

_SHARE = 0.9
"""Of the voxels: those whose magnitude is below the first threshold, where no inference says one."""


@dataclass(frozen=True, slots=True, eq=False)
class Packed:
    """Maps as a page holds them.

    Attributes
    ----------
    facts
        What the script is told of each map, contrast by contrast.
    blocks
        Texts by the names that the facts give them.
    bits
        Bits of a value.
    left_out
        Maps for which there was no room.
    """

    facts: tuple[dict[str, Any], ...]
    blocks: Mapping[str, str]
    bits: int
    left_out: tuple[Map, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """One map, packed."""

    map: Map
    facts: dict[str, Any]
    blocks: dict[str, str]

    @property
    def size(self) -> int:
        """Bytes in the page."""
        words = len(as_json(self.facts)) + len(as_json(self.map.contrast))
        return words + _AROUND + sum(len(text) + _AROUND for text in self.blocks.values())


def pack_at(maps: tuple[Map, ...], inside: NDArray[np.bool_], bits: int) -> tuple[Part, ...]:
    """Pack maps with so many bits a value, on all cores.

    Parameters
    ----------
    maps
        The maps, contrast by contrast.
    inside
        ``(i, j, k)``: the mask in its box.
    bits
        One of `LEVELS`.
    """
    numbered = [(f"map-{number}", held) for number, held in enumerate(maps)]
    packed = Threads(default_threads()).map(lambda one: _pack(one[1], inside, bits, one[0]), numbered)
    return tuple(packed)


def fit_maps(parts: tuple[Part, ...], inside: NDArray[np.bool_], room: int) -> Packed:
    """Fit maps into so many bytes.

    Parameters
    ----------
    parts
        The maps, packed with the most bits.
    inside
        ``(i, j, k)``: the mask in its box.
    room
        Bytes that they may take.

    Returns
    -------
    packed
        With the most bits of `LEVELS` that fit; where the fewest do not, with maps left out in the order of
        `GIVING_WAY`, those of the last contrast first.
    """
    maps, bits = tuple(part.map for part in parts), LEVELS[0]
    for level in _promising(maps, inside, sum(part.size for part in parts), room):
        parts, bits = pack_at(maps, inside, level), level
        if sum(part.size for part in parts) <= room:
            break
    left_out = set(_without(parts, room))
    kept = [part for number, part in enumerate(parts) if number not in left_out]
    return Packed(
        facts=_grouped(kept),
        blocks={name: text for part in kept for name, text in part.blocks.items()},
        bits=bits,
        left_out=tuple(part.map for number, part in enumerate(parts) if number in left_out),
    )


def as_json(held: object) -> str:
    """JSON that may stand in a script element, whatever its texts are."""
    return (
        json.dumps(held, allow_nan=False)
        .replace("<", "\\u003c")
        .replace(">", "\\u003e")
        .replace("&", "\\u0026")
    )


def _promising(maps: tuple[Map, ...], inside: NDArray[np.bool_], whole: int, room: int) -> Iterator[int]:
    """Levels below the first that may fit, as one map tells of all; and the last, in any case."""
    if whole <= room:
        return
    held = next((m for m in maps if m.values is not None), None)
    sizes = [1] * len(LEVELS) if held is None else [_pack(held, inside, level, "").size for level in LEVELS]
    for level, size in zip(LEVELS[1:-1], sizes[1:-1], strict=True):
        if _SURE * whole * size / sizes[0] <= room:
            yield level
    yield LEVELS[-1]


def _without(parts: tuple[Part, ...], room: int) -> Iterator[int]:
    """Numbers of the maps that have to be left out."""
    size = sum(part.size for part in parts)
    for kind in GIVING_WAY:
        for number in reversed(range(len(parts))):
            if size <= room:
                return
            if parts[number].map.kind == kind:
                size -= parts[number].size
                yield number


def _pack(held: Map, inside: NDArray[np.bool_], bits: int, name: str) -> Part:
    facts: dict[str, Any] = {
        "key": held.key,
        "kind": held.kind,
        "label": held.label,
        "symbol": held.symbol,
        "unit": held.unit,
        "colours": held.colours,
    }
    blocks = {}
    if held.values is not None:
        rounded = quantise(held.values, bits)
        known = rounded.codes[rounded.codes != rounded.missing]
        magnitude = np.abs(known.astype(np.int64)) * rounded.step
        top = float(magnitude.max(initial=0.0))
        start = (
            held.start
            if np.isfinite(held.start)
            else float(np.quantile(magnitude, _SHARE))
            if known.size
            else 0.0
        )
        facts |= {"block": name, "step": rounded.step, "missing": rounded.missing, "top": top}
        # A threshold that nothing reaches would show an empty brain.
        facts["start"] = start if start < top else 0.0
        blocks[name] = as_text(pack(rounded.codes, inside))
    if held.survives is not None:
        facts["survives"] = f"{name}-survives"
        blocks[f"{name}-survives"] = as_text(pack_bits(held.survives))
    return Part(held, facts, blocks)


def _grouped(parts: list[Part]) -> tuple[dict[str, Any], ...]:
    names = dict.fromkeys(part.map.contrast for part in parts)
    return tuple(
        {"name": name, "maps": [part.facts for part in parts if part.map.contrast == name]} for name in names
    )
