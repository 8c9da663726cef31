"""The viewer in a page of its own, looked at with a real browser."""

from __future__ import annotations

import base64
import hashlib
import html
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from specgl.reporting.viewer import make_viewer
from specgl.reporting.viewer.packing import LEVELS

from ..browser import Browser
from .conftest import AFFINE, SHAPE, StandIn, ball, stand_in, volume

PICTURE = "#specgl-viewer .specgl-canvas"
OBLIQUE = np.array([[0.1, -2.0, 0.3, 20], [2.1, 0.2, 0, -20], [0.1, 0.2, 2.4, -10], [0, 0, 0, 1]])


def write(
    folder: Path, bundle: StandIn, peaks: tuple[tuple[str, Any], ...] = (), *, budget: int = 10**8
) -> Path:
    """A page with a viewer far down, under a policy that allows what it needs and nothing else."""
    viewer = make_viewer(bundle, budget=budget)  # type: ignore[arg-type]
    assert viewer is not None
    sources = {"default-src": "'none'", **viewer.csp}
    # The page's own scripts are allowed by their hashes.
    for text in viewer.scripts:
        hashed = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        sources["script-src"] += f" 'sha256-{hashed}'"
    policy = html.escape("; ".join(f"{directive} {value}" for directive, value in sources.items()))
    buttons = "".join(
        f'<p><button data-peak="{" ".join(map(str, at))}" data-contrast="{name}">{name}</button></p>'
        for name, at in peaks
    )
    scripts = "".join(f"<script>{text}</script>" for text in viewer.scripts)
    gap = "<p>down</p>" * 60
    path = folder / "page.html"
    path.write_text(
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>page</title>'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}"></head>'
        f"<body><main><h1>page</h1>{buttons}{gap}{viewer.html}</main>{scripts}</body></html>",
        encoding="utf-8",
    )
    return path


def opened(browser: Browser, page: Path, **how: Any) -> None:
    """Open a page and bring the viewer into view."""
    browser.open(page, **how)
    browser.run("document.getElementById('specgl-viewer').scrollIntoView()")
    assert browser.run("return window.specglViewer.ready") is True, browser.console()


def change(browser: Browser, part: str, value: object, event: str = "change") -> None:
    """Let a reader set a control."""
    script = """const control = document.querySelector(`[data-part="${arguments[0]}"]`);
        control.value = arguments[1]; control.dispatchEvent(new Event(arguments[2], {bubbles: true}));"""
    browser.run(script, part, value, event)


def after_drawing(browser: Browser) -> None:
    """Wait until what was asked for is on the screen."""
    browser.run("return new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def drawn(browser: Browser, contrast: int, key: str) -> np.ndarray:
    """A map as the page's script reads it, (i, j, k) in the box."""
    script = """const facts = JSON.parse(document.getElementById("specgl-viewer-facts").textContent);
        const maps = facts.contrasts[arguments[0]].maps;
        const one = (key) => maps.find((map) => map.key === key);
        return SpecglVolumes.open(facts)
            .then((volumes) => volumes.load(one(arguments[1]), one("statistic")))
            .then(({drawn}) => [facts.shape, Array.from(drawn)]);"""
    shape, values = browser.run(script, contrast, key)
    return np.array(values).reshape(shape, order="F")


def boxed(values: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Values within the mask's box, 0 outside the mask."""
    where = np.argwhere(mask)
    cut = tuple(slice(a, b + 1) for a, b in zip(where.min(0), where.max(0), strict=True))
    return np.where(mask, values, 0)[cut]


def place(at: tuple[int, int, int], affine: np.ndarray = AFFINE) -> tuple[float, ...]:
    """A voxel in mm."""
    return tuple(float(x) for x in np.round((affine @ [*at, 1])[:3], 4))


@pytest.fixture
def quiet(browser: Browser) -> Iterator[Browser]:
    """A browser whose console stays silent, and which asks for nothing but the page."""
    yield browser
    assert browser.console() == []
    assert [url for url in browser.requests() if not url.endswith("/page.html")] == []


def test_it_starts_when_it_comes_near(bundle: StandIn, quiet: Browser, tmp_path: Path) -> None:
    quiet.open(write(tmp_path, bundle))
    assert quiet.run("return window.specglViewer.contrast") is None
    assert "comes into view" in quiet.find(".specgl-state").text

    quiet.run("document.getElementById('specgl-viewer').scrollIntoView()")

    assert quiet.run("return window.specglViewer.ready") is True
    assert quiet.find(".specgl-stage").is_displayed()
    assert not quiet.find(".specgl-state").is_displayed()
    assert quiet.run("const v = specglViewer; return [v.contrast, v.map]") == ["faces", "statistic"]
    assert quiet.run("return specglViewer.threshold") == pytest.approx(3.0)
    peak = bundle.manifest["results"][0]["peak"]
    assert quiet.run("return specglViewer.position") == pytest.approx(
        [peak[axis] for axis in "xyz"], abs=1e-3
    )


def test_maps_in_the_page_are_those_of_the_bundle(bundle: StandIn, quiet: Browser, tmp_path: Path) -> None:
    opened(quiet, write(tmp_path, bundle))

    for contrast in (0, 1):
        for key, name in {"statistic": "stat", "effect": "effect", "logp fdr": "logp_fdr"}.items():
            expected = boxed(bundle.truth[name][contrast], ball())
            step = np.abs(expected).max() / (2 ** (LEVELS[0] - 1) - 1)
            # Half a step, and float32.
            np.testing.assert_allclose(drawn(quiet, contrast, key), expected, atol=0.51 * step)
        survives = boxed(bundle.truth["stat_fdr"][contrast], ball()) != 0
        np.testing.assert_array_equal(drawn(quiet, contrast, "surviving fdr") != 0, survives)


def test_a_click_on_a_peak_goes_there(bundle: StandIn, quiet: Browser, tmp_path: Path) -> None:
    peaks = (("age", (12, 8, 5)), ("faces", (6, 14, 7)))
    quiet.open(write(tmp_path, bundle, tuple((name, place(at)) for name, at in peaks)))

    for number, (name, at) in enumerate(peaks):
        button = quiet.find_all("[data-peak]")[number]
        button.click()
        quiet.until(
            "specglViewer.contrast === arguments[0] && specglViewer.position[0] === arguments[1]",
            name,
            place(at)[0],
        )

        found = quiet.run("return specglViewer.position")
        assert np.abs(np.array(found) - place(at)).max() < 1.5, "half of the smallest edge of a voxel"
        value = bundle.truth["stat"][("faces", "age").index(name)][at]
        assert quiet.run("return specglViewer.value") == pytest.approx(value, abs=1e-3)
        region = "left half" if at[0] >= 9 else "right <b>half</b>"
        assert quiet.run("return specglViewer.label") == region
        said = quiet.find(".specgl-readout").text.replace("\N{MINUS SIGN}", "-")
        assert f"x {place(at)[0]:.1f}" in said
        assert region in said
        assert f"x {place(at)[0]:.1f}".replace("-", "\N{MINUS SIGN}") in quiet.find(
            "canvas[role=img]"
        ).get_attribute("aria-label")
        assert quiet.run("return document.activeElement === specglViewer.canvas")
        quiet.find(".specgl-back button").click()
        assert quiet.run("return document.activeElement === arguments[0]", button)


def test_pixels_change_with_the_threshold(bundle: StandIn, quiet: Browser, tmp_path: Path) -> None:
    opened(quiet, write(tmp_path, bundle))
    pictures = []
    for value in (0.5, 3.0, 6.0):
        change(quiet, "slider", value, "input")
        after_drawing(quiet)
        assert quiet.run("return specglViewer.threshold") == pytest.approx(value, abs=0.05)
        assert float(quiet.find("[data-part=number]").get_attribute("value")) == pytest.approx(
            value, abs=0.05
        )
        pictures.append(quiet.pixels(PICTURE))

    assert len(set(pictures)) == 3

    change(quiet, "number", 2.0, "input")
    assert quiet.run("return specglViewer.threshold") == 2.0
    change(quiet, "number", -5, "change")
    assert quiet.run("return specglViewer.threshold") == 0.0
    for share in (100, 50, 0):
        change(quiet, "opacity", share, "input")
        after_drawing(quiet)
        pictures.append(quiet.pixels(PICTURE))
    assert len(set(pictures[3:])) == 3


def test_another_map_is_read_out(bundle: StandIn, quiet: Browser, tmp_path: Path) -> None:
    at = (8, 10, 6)
    opened(quiet, write(tmp_path, bundle, (("faces", place(at)),)))
    quiet.find("[data-peak]").click()
    quiet.until("specglViewer.position[0] === arguments[0]", place(at)[0])

    for key, name in {
        "effect": "effect",
        "logp clusters": "logp_clusters",
        "surviving fdr": "stat_fdr",
    }.items():
        change(quiet, "map", key)
        quiet.until("specglViewer.map === arguments[0]", key)
        assert quiet.run("return specglViewer.value") == pytest.approx(bundle.truth[name][0][at], abs=1e-3)

    change(quiet, "contrast", "age")
    quiet.until("specglViewer.contrast === 'age'")
    assert quiet.run("return specglViewer.map") == "surviving fdr", "the same map of the other contrast"
    assert [o.text for o in quiet.find_all("[data-part=map] option")][3] == "fdr: t where it survives"


def test_outside_the_mask(bundle: StandIn, quiet: Browser, tmp_path: Path) -> None:
    corner = place((1, 1, 1))
    quiet.open(write(tmp_path, bundle, (("faces", corner),)))
    quiet.find("[data-peak]").click()
    quiet.until("specglViewer.position[0] === arguments[0]", corner[0])

    assert "outside the mask" in quiet.find(".specgl-readout").text
    assert quiet.run("return Number.isNaN(specglViewer.value)")


def test_keys_move_by_a_voxel_and_nothing_else(bundle: StandIn, quiet: Browser, tmp_path: Path) -> None:
    at = (8, 10, 6)
    quiet.open(write(tmp_path, bundle, (("faces", place(at)),)))
    quiet.find("[data-peak]").click()
    quiet.until("specglViewer.position[0] === arguments[0]", place(at)[0])
    x, y, z = place(at)
    canvas = quiet.find("canvas[role=img]")

    canvas.send_keys("\ue014")  # right
    canvas.send_keys("\ue013")  # up
    canvas.send_keys("\ue00f")  # page down
    canvas.send_keys("v")
    canvas.send_keys("c")
    canvas.send_keys("?")

    assert quiet.run("return specglViewer.position") == pytest.approx([x + 3, y + 3, z - 4])
    assert quiet.find("[data-layout=planes]").get_attribute("aria-pressed") == "true"


def test_layouts_and_conventions_draw_something_else(bundle: StandIn, quiet: Browser, tmp_path: Path) -> None:
    opened(quiet, write(tmp_path, bundle))
    pictures = [quiet.pixels(PICTURE)]
    for button in quiet.find_all("[data-layout]")[1:]:
        button.click()
        after_drawing(quiet)
        assert button.get_attribute("aria-pressed") == "true"
        pictures.append(quiet.pixels(PICTURE))
    quiet.find("[data-layout=axial]").click()
    quiet.find("[data-part=radiological]").click()
    after_drawing(quiet)
    pictures.append(quiet.pixels(PICTURE))

    assert len(set(pictures)) == len(pictures)


def test_a_page_can_be_scrolled_past_it(bundle: StandIn, quiet: Browser, tmp_path: Path) -> None:
    opened(quiet, write(tmp_path, bundle))
    script = """const {left, top} = specglViewer.canvas.getBoundingClientRect();
        const event = new WheelEvent("wheel",
            {deltaY: 50, bubbles: true, cancelable: true, clientX: left + 50, clientY: top + 50});
        return specglViewer.canvas.dispatchEvent(event);"""

    assert quiet.run(script) is True, "nobody prevented it"
    quiet.run("specglViewer.canvas.focus()")
    assert quiet.run(script) is False, "it moves through slices"


@pytest.mark.parametrize("width", [1280, 400])
@pytest.mark.parametrize("dark", [False, True])
def test_it_fits_the_page(bundle: StandIn, quiet: Browser, tmp_path: Path, width: int, dark: bool) -> None:
    opened(quiet, write(tmp_path, bundle), width=width, dark=dark)

    assert quiet.run("return document.documentElement.scrollWidth <= innerWidth")
    height = quiet.run("return specglViewer.canvas.getBoundingClientRect().height")
    assert 250 <= height <= 0.61 * 900
    quiet.screenshot(f"viewer-{width}-{'dark' if dark else 'light'}", "#specgl-viewer")


@pytest.mark.parametrize("shape", [(18, 22, 1), (18, 1, 12), (1, 22, 12)])
def test_a_single_slice(quiet: Browser, tmp_path: Path, shape: tuple[int, int, int]) -> None:
    bundle = stand_in({"only": "F"}, mask=ball(shape))
    at = tuple(length // 2 for length in shape)
    opened(quiet, write(tmp_path, bundle, (("only", place(at)),)))  # type: ignore[arg-type]

    quiet.find("[data-peak]").click()
    quiet.until("!document.querySelector('.specgl-back').hidden")

    assert quiet.run("return specglViewer.value") == pytest.approx(bundle.truth["stat"][0][at], rel=1e-3)
    layout = quiet.find("[data-layout][aria-pressed=true]").get_attribute("data-layout")
    assert layout == ("sagittal", "coronal", "axial")[shape.index(1)]


def test_an_oblique_grid(quiet: Browser, tmp_path: Path) -> None:
    bundle = stand_in({"only": "t"}, affine=OBLIQUE)
    at = (9, 10, 5)
    opened(quiet, write(tmp_path, bundle, (("only", place(at, OBLIQUE)),)))

    quiet.find("[data-peak]").click()
    quiet.until("!document.querySelector('.specgl-back').hidden")

    assert quiet.run("return specglViewer.position") == pytest.approx(place(at, OBLIQUE), abs=0.01)
    assert quiet.run("return specglViewer.value") == pytest.approx(bundle.truth["stat"][0][at], abs=1e-3)


def test_maps_in_which_nothing_survives(quiet: Browser, tmp_path: Path) -> None:
    bundle = stand_in()
    bundle.maps["stat_fdr"][...] = np.where(ball(), 0.0, np.nan)
    opened(quiet, write(tmp_path, bundle))

    change(quiet, "map", "surviving fdr")
    quiet.until("specglViewer.map === 'surviving fdr'")

    assert quiet.find(".specgl-bar").text == "No voxel survives."
    assert not quiet.find("[data-part=slider]").is_enabled()
    assert "does not survive" in quiet.find(".specgl-readout").text


def test_strangers_words_are_text(
    quiet: Browser, tmp_path: Path, make_stand_in: Callable[..., StandIn]
) -> None:
    hostile = "</script><script>window.broken = true</script><img src=x onerror='broken = 1'>"
    bundle = make_stand_in({hostile: "t"}, (hostile,))
    bundle.regions = (volume(np.ones(SHAPE, dtype=np.int32)), {1: hostile})
    opened(quiet, write(tmp_path, bundle))

    assert quiet.find("[data-part=contrast] option").text == hostile
    assert hostile in quiet.find(".specgl-readout").text
    assert quiet.run("return window.broken") is None


@pytest.mark.parametrize(
    ("lack", "words"),
    [
        ("delete window.DecompressionStream", "cannot decompress data"),
        ("HTMLCanvasElement.prototype.getContext = () => null", "no WebGL 2"),
    ],
)
def test_a_browser_that_cannot_is_told_so(
    bundle: StandIn, quiet: Browser, tmp_path: Path, lack: str, words: str
) -> None:
    added = quiet.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": lack})
    try:
        quiet.open(write(tmp_path, bundle, (("faces", (0, 0, 0)),)))
        quiet.run("document.getElementById('specgl-viewer').scrollIntoView()")

        assert quiet.run("return specglViewer.ready") is False
        assert words in quiet.find(".specgl-state").text
        assert not quiet.find("#specgl-viewer canvas").is_displayed()
        quiet.find("[data-peak]").click()  # and nothing happens
    finally:
        quiet.driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", added)


def test_what_fails_says_why(bundle: StandIn, browser: Browser, tmp_path: Path) -> None:
    page = write(tmp_path, bundle)
    text = page.read_text(encoding="utf-8")
    page.write_text(text.replace('id="specgl-block-mask">', 'id="specgl-block-mask">!'), encoding="utf-8")
    browser.open(page)
    browser.run("document.getElementById('specgl-viewer').scrollIntoView()")

    assert browser.run("return specglViewer.ready") is False
    assert "cannot run in this browser" in browser.find(".specgl-state").text
    assert len(browser.console()) == 1, "an error that is one is logged"


def test_fewer_bits_are_shown_and_said(bundle: StandIn, quiet: Browser, tmp_path: Path) -> None:
    page = write(tmp_path, bundle)
    size = page.stat().st_size
    opened(quiet, write(tmp_path, bundle, budget=size - 45_000))

    held = json.loads(quiet.run("return document.getElementById('specgl-viewer-facts').textContent"))
    statistic = held["contrasts"][0]["maps"][0]
    assert -statistic["missing"] < 2**15
    expected = boxed(bundle.truth["stat"][0], ball())
    np.testing.assert_allclose(drawn(quiet, 0, "statistic"), expected, atol=0.51 * statistic["step"])
    assert "Values are rounded to" in quiet.find(".specgl-note").text


def test_on_paper_there_is_a_sentence(bundle: StandIn, quiet: Browser, tmp_path: Path) -> None:
    opened(quiet, write(tmp_path, bundle))
    quiet.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})

    assert quiet.find(".specgl-on-paper").is_displayed()
    assert not quiet.find("#specgl-viewer canvas").is_displayed()
    after_drawing(quiet)  # and NiiVue does not draw into nothing
    assert quiet.print("viewer").stat().st_size > 1000
    quiet.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
