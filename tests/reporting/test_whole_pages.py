"""Whole reports as `specgl run` leaves them, in a real browser: the demo's, and one of three contrasts."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import specgl
from specgl.demo import write_demo

from .browser import Browser

pytestmark = pytest.mark.report

SECTIONS = ("glance", "data", "design", "results", "viewer", "methods", "provenance")

TWO = "  ageSlope: {hypothesis: age, alternative: greater}\n"
THREE = TWO + "  both: {hypothesis: [age, 'group[patient] - group[control]']}\n"


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> dict[str, specgl.Bundle]:
    """The demo's bundle; and one of the same data with three contrasts, an F among them, by permutation."""
    spec = write_demo(tmp_path_factory.mktemp("demo"))
    text = spec.read_text(encoding="utf-8")
    more = text.replace(TWO, THREE)
    assert more != text
    begin, end = more.index("inference:"), more.index("output:")
    asked = (
        "inference:\n  maxT: {method: permutation, statistic: voxel}\n"
        "  fdr: {method: parametric, correction: fdr_bh}\n"
        "permutation: {n: 60, seed: 3}\n"
    )
    other = spec.with_name("three.yaml")
    more = more[:begin] + asked + more[end:].replace("directory: results", "directory: three")
    other.write_text(more.replace("name: demo", "name: three"))
    return {
        "demo": specgl.run(specgl.read(spec), report=True),
        "three": specgl.run(specgl.read(other), report=True),
    }


@pytest.fixture
def page(bundles: dict[str, specgl.Bundle], request: pytest.FixtureRequest) -> specgl.Bundle:
    """The bundle that a test names."""
    return bundles[request.param]


@pytest.fixture
def quiet(browser: Browser) -> Iterator[Browser]:
    """A browser that is never told anything bad, and asks for the page alone."""
    yield browser
    assert [line for line in browser.console() if "GPU stall due to ReadPixels" not in line] == []
    assert [url for url in browser.requests() if not url.endswith("/report.html")] == []


def opened(browser: Browser, bundle: specgl.Bundle, **how: Any) -> Browser:
    """The page with its viewer running."""
    assert bundle.report is not None
    browser.open(bundle.report, **how)
    browser.run("document.getElementById('specgl-viewer').scrollIntoView()")
    assert browser.run("return window.specglViewer.ready") is True
    return browser


both = pytest.mark.parametrize("page", ["demo", "three"], indirect=True)


@both
def test_the_page_opens_quietly_from_disk_and_is_small(page: specgl.Bundle, quiet: Browser) -> None:
    page.verify()
    opened(quiet, page)
    assert [quiet.find(f"#{name} h2").is_displayed() for name in SECTIONS] == [True] * len(SECTIONS)
    assert quiet.run("return [...document.images].every((image) => image.complete && image.naturalWidth > 0)")
    assert page.report is not None
    assert page.report.stat().st_size < 15e6


@both
def test_a_click_on_each_rows_peak_goes_there(page: specgl.Bundle, quiet: Browser) -> None:
    opened(quiet, page)
    quiet.run("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    half = 1.5  # mm: half a voxel's edge
    seen = 0
    for (contrast, inference), table in page.tables.items():
        rows = quiet.find_all(f"#result-{contrast}-{inference} table.clusters [data-peak]")
        assert len(rows) == len(table)
        for button, (_, row) in list(zip(rows, table.iterrows(), strict=True))[:3]:
            quiet.run("arguments[0].click()", button)
            place = [row["x"], row["y"], row["z"]]
            near = f"Math.abs(specglViewer.position[0] - {place[0]}) < {half}"
            quiet.until(f"specglViewer.contrast === '{contrast}' && {near}")
            assert quiet.run("return specglViewer.position") == pytest.approx(place, abs=half)
            if quiet.run("return specglViewer.map") == "statistic":
                # Values have 16 bits in the page, of the largest of the map.
                assert quiet.run("return specglViewer.value") == pytest.approx(row["statistic"], abs=2e-3)
            assert quiet.run("return specglViewer.label") == row["region"]
            seen += 1
    assert seen > 3


@both
def test_pixels_change_with_the_slider(page: specgl.Bundle, quiet: Browser) -> None:
    opened(quiet, page)
    before = quiet.pixels(".specgl-canvas canvas")
    quiet.run(
        "const slider = document.querySelector('[data-part=slider]');"
        "slider.value = 0.2 * slider.max; slider.dispatchEvent(new Event('input', {bubbles: true}));"
    )
    quiet.until("specglViewer.threshold > 0")
    assert quiet.pixels(".specgl-canvas canvas") != before


@pytest.mark.parametrize("page", ["three"], indirect=True)
def test_every_contrast_has_its_figures_tables_and_null(page: specgl.Bundle, quiet: Browser) -> None:
    opened(quiet, page)
    for contrast in page.maps["contrast"].values:
        assert quiet.find_all(f"#result-{contrast} figure img"), contrast
        assert f"contrast-{contrast}_desc-maxT_null.svg" in {
            Path(file.path).name for file in page.files if file.path.startswith("figures/")
        }
    assert np.isin(["t", "F"], page.maps["kind"].values).all()


@both
@pytest.mark.parametrize(("width", "dark"), [(1280, False), (400, True)])
def test_everybody_can_read_it_and_look_at_it(
    page: specgl.Bundle, browser: Browser, width: int, dark: bool
) -> None:
    opened(browser, page, width=width, dark=dark)
    browser.run("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    assert browser.run("return document.documentElement.scrollWidth") <= width
    for name in SECTIONS:
        kept = browser.screenshot(f"{page.name}-{name}-{width}-{'dark' if dark else 'light'}", f"#{name}")
        assert kept.stat().st_size > 1000
    path = os.environ.get("SPECGL_AXE")
    if path is None:
        return  # that browsers can look does not wait for axe-core
    browser.driver.execute_cdp_cmd("Runtime.evaluate", {"expression": Path(path).read_text(encoding="utf-8")})
    violations = browser.driver.execute_async_script(
        "const done = arguments[arguments.length - 1];"
        "axe.run(document).then((r) => done(r.violations.map((v) => v.id + ': ' + v.help)));"
    )
    assert violations == []
