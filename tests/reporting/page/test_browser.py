"""The page in a real browser: it is quiet, sorts, filters, copies, prints, and can be read by everyone."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

AXE = "SPECGL_AXE"
"""Variable that names the file `axe.min.js` of axe-core."""


@pytest.fixture
def opened(browser, page_of, tmp_path) -> Callable[..., object]:
    """Function that opens the page of a kind and gives the browser."""

    def of(kind: str, **how):
        path = tmp_path / f"{kind}.html"
        path.write_text(page_of(kind).html, encoding="utf-8")
        browser.open(path, **how)
        return browser

    return of


@pytest.fixture
def axe() -> str:
    """The text of axe-core."""
    path = os.environ.get(AXE)
    if path is None or not Path(path).is_file():
        required = os.environ.get("SPECGL_BROWSER") == "required"
        (pytest.fail if required else pytest.skip)(f"{AXE} names no file with axe-core")
    return Path(path).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "kind", ["several", "hostile", "ready", "no_inference", "one_voxel", "one_slice", "failed"]
)
def test_the_console_is_quiet_and_nothing_leaves_the_page(opened, kind) -> None:
    browser = opened(kind)
    browser.run("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    assert browser.console() == []
    assert [url for url in browser.requests() if not url.startswith("file:///")] == []


@pytest.mark.parametrize("width", [1280, 400])
@pytest.mark.parametrize("kind", ["several", "hostile", "failed"])
def test_nothing_is_wider_than_the_page(opened, kind, width) -> None:
    browser = opened(kind, width=width)
    browser.run("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    assert browser.run("return document.documentElement.scrollWidth") <= width


def _cells(browser, table: str, column: int) -> list[str]:
    script = """
      return Array.from(document.querySelectorAll(arguments[0] + ' tbody tr'))
        .filter((row) => !row.classList.contains('sub') && !row.parentElement.hidden && !row.hidden)
        .map((row) => row.cells[arguments[1]].textContent.replace(/\\u2212/g, '-'));
    """
    return browser.run(script, table, column)


def test_a_click_on_a_head_sorts_and_another_turns_it_round(opened) -> None:
    browser = opened("plain")
    table = "#data table[data-sorts]"
    head = browser.find(f"{table} thead th:nth-child(3)")
    button = browser.find(f"{table} thead th:nth-child(3) button")
    for wanted, falling in (("ascending", False), ("descending", True)):
        button.click()
        assert head.get_attribute("aria-sort") == wanted
        values = [float(cell) for cell in _cells(browser, table, 2)]
        assert len(values) == 10
        assert values == sorted(values, reverse=falling)
    assert len(browser.find_all(f"{table} th[aria-sort]")) == 1


def test_sub_peaks_stay_under_their_cluster(opened) -> None:
    browser = opened("several")
    table = "#result-patientGtControl-clusters table.clusters"
    before = browser.run(
        "return Array.from(document.querySelectorAll(arguments[0] + ' tbody')).map((b) => b.innerText)", table
    )
    heads = [head.text.split("\n")[0] for head in browser.find_all(f"{table} thead th")]
    if not heads[0]:  # folded
        browser.run("document.getElementById('result-patientGtControl-clusters').open = true")
        heads = [head.text.split("\n")[0] for head in browser.find_all(f"{table} thead th")]
    size = heads.index("Size")
    browser.find(f"{table} thead th:nth-child({size + 1}) button").click()
    after = browser.run(
        "return Array.from(document.querySelectorAll(arguments[0] + ' tbody')).map((b) => b.innerText)", table
    )
    assert len(after) == len(before) > 1
    sizes = [int(cell) for cell in _cells(browser, table, size)]
    assert sizes == sorted(sizes)


def test_a_text_filters_rows(opened) -> None:
    browser = opened("plain")
    box = browser.find("#data .filter input")
    box.send_keys("SUB-03")
    shown = [row for row in browser.find_all("#data table[data-sorts] tbody tr") if row.is_displayed()]
    assert [row.text.split()[0] for row in shown] == ["sub-03"]
    assert browser.find("#data .filter output").text == "1 of 10"
    box.clear()
    box.send_keys("x")
    box.send_keys("\b")
    assert len(_cells(browser, "#data table[data-sorts]", 0)) == 10


def test_a_link_to_a_folded_result_unfolds_it(opened) -> None:
    browser = opened("plain")
    folded = browser.find("#result-ageSlope-clusters")
    assert folded.get_attribute("open") is None
    browser.find('#glance a[href="#result-ageSlope-clusters"]').click()
    browser.until("document.getElementById('result-ageSlope-clusters').open")


def test_the_methods_are_copied_or_at_least_selected(opened) -> None:
    browser = opened("plain")
    browser.find(".copy").click()
    browser.until("document.querySelector('.copied').textContent !== ''")
    assert browser.find(".copied").text in ("Copied.", "Selected: copy it with the keyboard.")


def test_the_page_prints_with_everything_open_and_without_what_only_a_screen_needs(opened) -> None:
    browser = opened("plain")
    printed = browser.print("page")
    assert printed.read_bytes().startswith(b"%PDF")
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    try:
        for selector in ("nav", ".filter", ".copy", "#viewer"):
            assert not browser.find(selector).is_displayed()
        browser.run("dispatchEvent(new Event('beforeprint'))")
        assert browser.run("return document.querySelectorAll('details:not([open])').length") == 0
        browser.run("dispatchEvent(new Event('afterprint'))")
        assert browser.run("return document.querySelectorAll('details:not([open])').length") > 0
    finally:
        browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1280, 400])
@pytest.mark.parametrize("kind", ["several", "hostile", "failed"])
def test_no_violation_of_accessibility_is_found(opened, axe, kind, width, dark) -> None:
    browser = opened(kind, width=width, dark=dark)
    browser.run("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    browser.run("dispatchEvent(new Event('resize'))")
    browser.driver.execute_cdp_cmd("Runtime.evaluate", {"expression": axe})  # past the page's policy
    found = browser.driver.execute_async_script(
        "const done = arguments[arguments.length - 1];"
        "axe.run(document).then((r) => done([r.violations, r.passes.length]), (e) => done(String(e)));"
    )
    assert isinstance(found, list), found
    found, n_passed = found
    assert n_passed > 20  # it has looked at something
    told = [
        (v["id"], v["help"], [n["html"][:200] + " " + n["failureSummary"] for n in v["nodes"][:3]])
        for v in found
    ]
    assert told == []


def test_each_section_is_kept_for_people_to_look_at(opened) -> None:
    for width, dark in ((1280, False), (400, True)):
        browser = opened("several", width=width, dark=dark)
        for name in ("glance", "data", "design", "results", "methods", "provenance"):
            kept = browser.screenshot(f"{name}-{width}-{'dark' if dark else 'light'}", f"#{name}")
            assert kept.read_bytes().startswith(b"\x89PNG")
