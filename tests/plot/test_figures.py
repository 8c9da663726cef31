"""What holds for every figure: the same bytes each time, whatever the reader's settings and the names."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from itertools import combinations
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from specgl import plot
from specgl.plot.figure import Figure
from specgl.plot.save import png, svg
from specgl.plot.text import NO_GLYPH, millimetres, number, short, width_of

from .conftest import OBSERVATIONS, PEAK

HOSTILE = [
    "x" * 200,
    "$x^2$",
    "$\\frac{",
    "<b>bold</b> & <script>alert(1)</script>",
    "two\nlines\tand more",
    "日本語の名前",
    "{{ 7 * 7 }}",
    "a--b--><!--",
    "\x07bell\x1b[31m",
    "%s %(x)d",
    "עברית",
    "🧠",
    "",
    " ",
]


def every(bundle: Any) -> Iterator[tuple[str, Figure]]:
    yield "glass_brain", plot.glass_brain(bundle, contrast="age", inference="fdr")
    yield "slices at", plot.slices(bundle, contrast="age", inference="fdr", at=PEAK)
    yield "slices", plot.slices(bundle, contrast="age", inference="fdr")
    yield "design_matrix", plot.design_matrix(bundle)
    yield "correlations", plot.correlations(bundle)
    yield "contrast", plot.contrast(bundle)
    yield "null", plot.null(pd.Series(np.linspace(1, 4, 300)), threshold=3.8, label="largest t")
    yield "qq", plot.qq(bundle.maps.p.sel(contrast="age"))
    yield "coverage", plot.coverage(bundle)
    yield "mask", plot.mask(bundle)
    yield "observations", plot.observations(bundle)
    for name in ("patients", "interaction"):
        yield f"peak {name}", plot.peak(bundle, contrast=name, at=PEAK)


def renamed(make_bundle: Callable[..., Any], shift: int) -> Any:
    """A bundle whose regressors, variables, levels, units and observations all bear strangers' names."""
    names = [f"{HOSTILE[(place + shift) % len(HOSTILE)]}{place}" for place in range(len(OBSERVATIONS))]
    bundle = make_bundle()
    words = bundle.design_words
    to = dict(zip(bundle.design.columns, names, strict=False))
    variable = dict(zip(("group", "age"), names[4:], strict=False))
    level = dict(zip(("control", "patient"), names[6:], strict=False))
    words["regressors"] = {
        to[regressor]: {"factors": [{**f, "variable": variable[f["variable"]]} for f in held["factors"]]}
        for regressor, held in words["regressors"].items()
    }
    words["variables"] = {
        variable["group"]: {"type": "categorical", "levels": list(level.values())},
        variable["age"]: {"type": "continuous", "unit": names[8]},
    }
    for held in words["contrasts"].values():
        held["weights"] = [{to[r]: weight for r, weight in row.items()} for row in held["weights"]]
        held["words"] = names[9 : 9 + len(held["weights"])]
    design = bundle.design.rename(columns=to).set_axis(names)
    variables = bundle.variables.replace(level).rename(columns=variable).set_axis(names)
    bundle.quality.peaks.columns = ["x", "y", "z", *names]
    bundle.quality.observations.index = names
    bundle.quality.slices = bundle.quality.slices.assign_coords(observation=names)
    return make_bundle(design=design, variables=variables, design_words=words, quality=bundle.quality)


def named(bundle: Any, label: str) -> Iterator[tuple[str, Figure]]:
    """Figures with a stranger's names in them."""
    yield "label", plot.glass_brain(bundle, contrast="age", inference="fdr", label=label)
    yield "design_matrix", plot.design_matrix(bundle)
    yield "correlations", plot.correlations(bundle)
    yield "contrast", plot.contrast(bundle)
    yield "null", plot.null(pd.Series([3.0, 2.0, 1.5]), label=label)
    yield "observations", plot.observations(bundle)
    for name in bundle.design_words["contrasts"]:
        yield f"peak {name}", plot.peak(bundle, contrast=name, at=PEAK)


def written(figure: Figure, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, float, Bbox]]:
    """Every text that is drawn, its rotation, and where, in pixels."""
    drawn: list[Text] = []
    draw = Text.draw

    def seen(text: Text, renderer: Any, *args: Any, **kwargs: Any) -> None:
        if text.get_text().strip() and text.get_visible():
            drawn.append(text)
        draw(text, renderer, *args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(Text, "draw", seen)
        figure.canvas.draw()
    return [(text.get_text(), text.get_rotation(), text.get_window_extent()) for text in drawn]


def trouble(figure: Figure, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Texts that reach over the edge of their figure or touch one another."""
    wide, tall = figure.canvas.get_width_height()
    texts = written(figure, monkeypatch)
    over = [
        f"'{text}' reaches over the edge"
        for text, _, box in texts
        if min(box.x0, box.y0) < -1 or box.x1 > wide + 1 or box.y1 > tall + 1
    ]
    upright = [(text, box.padded(-1)) for text, angle, box in texts if angle % 90 == 0]
    return over + [
        f"'{one}' touches '{other}'"
        for (one, box), (other, box_too) in combinations(upright, 2)
        if box.overlaps(box_too)
    ]


@pytest.mark.parametrize("shift", range(0, len(HOSTILE), 3))
def test_hostile_names_come_out_as_text_and_break_nothing(
    make_bundle: Callable[..., Any], shift: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Warnings are errors here: a missing glyph would be one."""
    for what, figure in named(renamed(make_bundle, shift), HOSTILE[shift]):
        ET.fromstring(svg(figure))  # well formed, whatever stands in it
        assert trouble(figure, monkeypatch) == [], what
        assert max(figure.get_size_inches()) < 12


def test_texts_stay_within_their_figure_and_apart(
    make_bundle: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    for what, figure in every(make_bundle()):
        assert trouble(figure, monkeypatch) == [], what


def test_the_same_figure_gives_the_same_bytes(make_bundle: Callable[..., Any]) -> None:
    bundle = make_bundle()
    for (what, one), (_, other) in zip(every(bundle), every(bundle), strict=True):
        assert svg(one) == svg(other), what
    assert svg(one) == svg(one)
    assert png(one) == png(other)


def test_files_tell_nothing_of_when_and_with_what(make_bundle: Callable[..., Any]) -> None:
    figure = plot.design_matrix(make_bundle())
    assert b"dc:date" not in svg(figure)
    assert b"Matplotlib" not in svg(figure)
    assert b"Software" not in png(figure)


def test_settings_of_the_reader_change_nothing_and_stay(make_bundle: Callable[..., Any]) -> None:
    bundle = make_bundle()
    before = {what: svg(figure) for what, figure in list(every(bundle))[3:8]}
    settings = {"font.size": 30, "axes.facecolor": "black", "image.cmap": "jet", "lines.linewidth": 9}
    with mpl.rc_context(settings):
        for what, figure in every(bundle):
            assert what not in before or svg(figure) == before[what], what
        assert mpl.rcParams["font.size"] == 30
    assert "matplotlib.pyplot" not in plot.__dict__


def test_notebooks_show_figures(make_bundle: Callable[..., Any]) -> None:
    shown = plot.contrast(make_bundle(), "age")._repr_png_()
    assert shown.startswith(b"\x89PNG")


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("most", [5, 28, 40])
def test_short_names_are_short_and_have_glyphs(name: str, most: int) -> None:
    told = short(name, most)
    assert len(told) <= most
    assert told == short(told, most)
    assert "\n" not in told
    width_of(told, 9)


def test_short_names_keep_their_ends() -> None:
    assert short("abcdefghij", 5) == "ab…ij"
    assert short("日本") == 2 * NO_GLYPH
    assert short("e\u0301te\u0301") == "été"


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (0.0, "0"), (-0.0, "0"), (1.0, "1"), (-2.5, "−2.5"), (0.012345, "0.0123"), (1234.5, "1,234"),
        (123456.0, "123,456"), (1e-9, "1.00e−09"), (1e12, "1.00e+12"), (99.96, "100"),
        (float("nan"), "n/a"), (float("inf"), "∞"), (float("-inf"), "−∞"),
    ],
)  # fmt: skip
def test_numbers_have_three_digits(value: float, told: str) -> None:
    assert number(value) == told


@pytest.mark.parametrize(("value", "told"), [(-31.5, "−31.5"), (24.0001, "24"), (-0.0, "0"), (-0.0004, "0")])
def test_coordinates_are_whole_where_they_are(value: float, told: str) -> None:
    assert millimetres(value) == told
