"""The fragment: within its budget, everything escaped, the same each time."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest
import xarray as xr

import specgl
from specgl.reporting.viewer import Viewer, make_viewer, making
from specgl.reporting.viewer.grids import box_around
from specgl.reporting.viewer.niivue import UnknownLayoutError

from .conftest import StandIn, volume

PLENTY = 10**8


def made(bundle: Any, budget: int = PLENTY) -> Viewer:
    viewer = make_viewer(bundle, budget=budget)
    assert viewer is not None
    return viewer


def facts(viewer: Viewer) -> dict[str, Any]:
    found = re.search(r'id="specgl-viewer-facts">(.*?)</script>', viewer.html)
    assert found is not None
    held: dict[str, Any] = json.loads(found[1])
    return held


def block(viewer: Viewer, name: str) -> bytes:
    found = re.search(rf'id="specgl-block-{name}">([^<]*)<', viewer.html)
    assert found is not None
    return gzip.decompress(base64.b64decode(found[1]))


def test_the_policy_allows_what_is_run_and_nothing_else(bundle: StandIn) -> None:
    viewer = made(bundle)

    script = base64.b64encode(hashlib.sha256(block(viewer, "niivue")).digest()).decode()
    style = re.search("<style>(.*?)</style>", viewer.html, re.DOTALL)
    assert style is not None
    styled = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert dict(viewer.csp) == {
        "script-src": f"'sha256-{script}'",
        "style-src": f"'sha256-{styled}'",
        "img-src": "data:",
    }
    assert "unsafe" not in " ".join(viewer.csp.values())
    assert "style=" not in re.sub(r"<style>.*?</style>", "", viewer.html, flags=re.DOTALL)


def test_the_same_bundle_gives_the_same_bytes(bundle: StandIn) -> None:
    assert made(bundle) == made(bundle)


def test_the_budget_is_kept_and_what_is_left_out_is_said(bundle: StandIn) -> None:
    whole = made(bundle)
    size = len(whole.html.encode()) + sum(len(text.encode()) for text in whole.scripts)
    assert "were left out" not in whole.html
    assert "Values are rounded" not in whole.html

    maps = sum(map(len, re.findall(r'id="specgl-block-map-[^"]*">([^<]*)<', whole.html)))
    budgets = [size - int(share * maps) for share in (0.2, 0.7)]
    fewer, least = (made(bundle, budget) for budget in budgets)

    for viewer, budget in zip((fewer, least), budgets, strict=True):
        assert len(viewer.html.encode()) + sum(len(text.encode()) for text in viewer.scripts) <= budget
    assert "Values are rounded to" in fewer.html
    assert "were left out: Statistic as z of faces" in least.html
    assert len(facts(least)["contrasts"][0]["maps"]) < 7


@pytest.mark.parametrize("budget", [0, 1000])
def test_no_room_at_all_is_said(bundle: StandIn, budget: int) -> None:
    viewer = made(bundle, budget)

    assert viewer.scripts == ()
    assert "no room" in viewer.html
    assert dict(viewer.csp) == {}


def test_without_the_package_it_says_how_to_get_it(bundle: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(making, "read_niivue", lambda: None)

    viewer = made(bundle)

    assert viewer.scripts == ()
    assert "pip install ipyniivue" in viewer.html


def test_with_an_unknown_package_the_page_does_without(
    bundle: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown() -> None:
        raise UnknownLayoutError("NiiVue's class cannot be found in ipyniivue 9")

    monkeypatch.setattr(making, "read_niivue", unknown)
    viewer = made(bundle)
    assert viewer.scripts == ()
    assert "class cannot be found in ipyniivue 9" in viewer.html


def test_no_maps_no_viewer(bundle: StandIn) -> None:
    empty = StandIn(xr.Dataset(), bundle.mask, {"results": []})
    nothing = StandIn(bundle.maps, volume(np.zeros(bundle.mask.shape, dtype=bool)), bundle.manifest)

    assert make_viewer(empty, budget=PLENTY) is None  # type: ignore[arg-type]
    assert make_viewer(nothing, budget=PLENTY) is None  # type: ignore[arg-type]


class _Elements(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)


def elements(html: str) -> list[str]:
    parser = _Elements()
    parser.feed(html)
    return parser.tags


HOSTILE = "</script><script>alert(1)</script> <!-- {{ 7 * 7 }} \" ' & \u2028 \u202e"


def test_strangers_words_come_out_as_text(make_stand_in: Callable[..., StandIn]) -> None:
    plain = make_stand_in({"name": "t"}, ("inference",))
    bundle = make_stand_in({HOSTILE: "t"}, (HOSTILE,))
    for held in (plain, bundle):
        held.regions = (
            volume(np.ones(held.mask.shape, dtype=np.int32)),
            {1: HOSTILE if held is bundle else "x"},
        )

    viewer = made(bundle)

    assert elements(viewer.html) == elements(made(plain).html)
    assert facts(viewer)["contrasts"][0]["name"] == HOSTILE
    assert facts(viewer)["regions"] == [HOSTILE]
    size = len(viewer.html) + sum(map(len, viewer.scripts))
    tight = next(
        held for less in range(0, size, 2000) if "left out" in (held := made(bundle, size - less)).html
    )
    assert "<script>alert" not in tight.html


def test_codes_of_regions_are_counted_anew(bundle: StandIn) -> None:
    viewer = made(bundle)

    held = facts(viewer)
    codes = np.frombuffer(block(viewer, "regions"), "<u2").reshape(held["shape"], order="F")
    assert held["regions"] == ["left half", "right <b>half</b>"]
    assert bundle.regions is not None
    box = box_around(bundle.mask)
    assert box is not None
    np.testing.assert_array_equal(codes == 1, bundle.regions[0].values[box.slices] == 40_000)


def test_a_bundle_from_a_run(study: Any) -> None:
    bundle = specgl.run(specgl.read(study.spec))

    held = facts(made(bundle))

    assert [c["name"] for c in held["contrasts"]] == ["patientGtControl", "ageSlope", "any"]
    assert [m["label"] for m in held["contrasts"][2]["maps"]][:2] == ["Statistic F", "Statistic as z"]
