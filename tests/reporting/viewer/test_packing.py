"""How many bits, and what is left out."""

from __future__ import annotations

import pytest

from specgl.reporting.viewer.grids import Box, box_around
from specgl.reporting.viewer.maps import GIVING_WAY, Map, maps_of
from specgl.reporting.viewer.packing import LEVELS, Packed, as_json, fit_maps, pack_at

from .conftest import StandIn


@pytest.fixture
def packable(bundle: StandIn) -> tuple[tuple[Map, ...], Box]:
    box = box_around(bundle.mask)
    assert box is not None
    return tuple(maps_of(bundle, box)), box  # type: ignore[arg-type]


def size(packed: Packed) -> int:
    return len(as_json(packed.facts)) + sum(map(len, packed.blocks.values()))


def test_all_bits_where_there_is_room(packable: tuple[tuple[Map, ...], Box]) -> None:
    maps, box = packable

    packed = fit_maps(pack_at(maps, box.inside, LEVELS[0]), box.inside, 10**9)

    assert packed.bits == LEVELS[0]
    assert packed.left_out == ()
    assert [held["name"] for held in packed.facts] == ["faces", "age"]


def test_less_room_is_kept_with_fewer_bits_and_then_fewer_maps(packable: tuple[tuple[Map, ...], Box]) -> None:
    maps, box = packable
    whole = size(fit_maps(pack_at(maps, box.inside, LEVELS[0]), box.inside, 10**9))

    found = [
        fit_maps(pack_at(maps, box.inside, LEVELS[0]), box.inside, int(whole * share))
        for share in (1.2, 0.95, 0.8, 0.7, 0.5, 0.3, 0.1, 0.0)
    ]

    for share, packed in zip((1.2, 0.95, 0.8, 0.7, 0.5, 0.3, 0.1, 0.0), found, strict=True):
        assert size(packed) <= whole * share + 2  # the brackets of an empty list
        assert packed.bits == LEVELS[-1] or not packed.left_out
    assert [p.bits for p in found] == sorted((p.bits for p in found), reverse=True)
    counts = [len(p.left_out) for p in found]
    assert counts == sorted(counts)
    assert counts[-1] == len(maps)


def test_what_is_left_out_first(packable: tuple[tuple[Map, ...], Box]) -> None:
    maps, box = packable
    whole = size(fit_maps(pack_at(maps, box.inside, LEVELS[0]), box.inside, 10**9))

    left = fit_maps(pack_at(maps, box.inside, LEVELS[0]), box.inside, int(whole * 0.35)).left_out

    assert left
    ranks = [GIVING_WAY.index(held.kind) for held in maps if held in left]
    kept = [GIVING_WAY.index(held.kind) for held in maps if held not in left]
    assert max(ranks) <= min(kept)


def test_what_survives_never_stays_without_its_statistic(packable: tuple[tuple[Map, ...], Box]) -> None:
    maps, box = packable
    whole = size(fit_maps(pack_at(maps, box.inside, LEVELS[0]), box.inside, 10**9))

    for share in range(0, 100, 7):
        for contrast in fit_maps(
            pack_at(maps, box.inside, LEVELS[0]), box.inside, int(whole * share / 100)
        ).facts:
            keys = [held["key"] for held in contrast["maps"]]
            assert "statistic" in keys or not any("block" not in held for held in contrast["maps"])


def test_json_may_stand_in_a_script() -> None:
    text = as_json({"a": "</script><!--&\u2028"})

    assert not set("<>&\u2028") & set(text)
