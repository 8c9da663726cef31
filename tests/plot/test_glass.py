"""Glass brains show the strongest value along each line of sight, wherever the map lies in storage."""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations, product
from typing import Any

import numpy as np
import pytest
from matplotlib.text import Text

from specgl.errors import UsageError
from specgl.plot import glass_brain
from specgl.plot.figure import Figure

from .conftest import AFFINE, SHAPE, array, ellipsoid, smooth


def drawn(figure: Figure) -> list[tuple[np.ndarray[Any, Any], tuple[float, ...]]]:
    """Values and extents of the pictures in a figure, clear places as NaN."""
    return [
        (np.ma.filled(image.get_array().astype(float), np.nan), tuple(image.get_extent()))  # type: ignore[union-attr]
        for axes in figure.axes
        for image in axes.images
    ]


def texts(figure: Figure) -> str:
    return " | ".join(text.get_text() for text in figure.findobj(Text) if text.get_text())


def thresholded(seed: int = 1) -> np.ndarray[Any, Any]:
    values = np.where(ellipsoid(), smooth(seed), 0)
    return np.where(np.abs(values) > 1.5, values, 0)


def test_panels_show_the_strongest_value_of_each_line() -> None:
    values = thresholded()
    pictures = drawn(glass_brain(array(values), mask=array(ellipsoid())))
    assert len(pictures) == 3
    for axis, (shown, _) in enumerate(pictures):
        for at in np.ndindex(*shown.shape):
            line = np.moveaxis(values, axis, 0)[(slice(None), *at[::-1])]
            strongest = line[np.abs(line).argmax()]
            assert np.isnan(shown[at]) if strongest == 0 else shown[at] == strongest


def test_of_opposite_values_as_strong_the_positive_one_is_shown() -> None:
    values = np.zeros(SHAPE)
    values[3, 4, 5], values[6, 4, 5] = -2.0, 2.0
    sagittal, _ = drawn(glass_brain(array(values), mask=array(ellipsoid())))[0]
    assert sagittal[5, 4] == 2.0


@pytest.mark.parametrize(
    ("order", "flips"), list(product(permutations(range(3)), product((1, -1), repeat=3)))[::5]
)
def test_storage_changes_nothing_that_is_drawn(order: tuple[int, ...], flips: tuple[int, ...]) -> None:
    def moved(values: np.ndarray[Any, Any]) -> Any:
        affine = AFFINE.copy()
        for axis, flip in enumerate(flips):
            if flip < 0:
                affine[:3, 3] += affine[:3, axis] * (values.shape[axis] - 1)
                affine[:3, axis] *= -1
                values = np.flip(values, axis)
        affine[:3, :3] = affine[:3, list(order)]
        return array(values.transpose(order), affine)

    one = drawn(glass_brain(array(thresholded()), mask=array(ellipsoid())))
    other = drawn(glass_brain(moved(thresholded()), mask=moved(ellipsoid())))
    for (values, extent), (values_too, extent_too) in zip(one, other, strict=True):
        np.testing.assert_array_equal(values, values_too)
        np.testing.assert_allclose(extent, extent_too, atol=1e-9)


def test_right_is_on_the_right() -> None:
    values = np.zeros(SHAPE)
    values[-3, 8, 4] = 5.0  # x = +12 mm
    figure = glass_brain(array(values), mask=array(ellipsoid()))
    for panel in figure.axes[1:3]:
        shown = np.ma.filled(panel.images[0].get_array().astype(float), 0)
        left, right, _, _ = panel.images[0].get_extent()
        column = int(shown.max(axis=0).argmax())
        assert left + (column + 0.5) * (right - left) / shown.shape[1] == pytest.approx(12.0)
        assert panel.get_xlim()[0] < panel.get_xlim()[1]
        assert (panel.get_title("left"), panel.get_title("right")) == ("L", "R")


@pytest.mark.parametrize(
    ("change", "low", "high"),
    [
        (lambda values: values, -1, 1),
        (np.abs, 0, 1),
        (lambda values: -np.abs(values), -1, 0),
    ],
)
def test_the_bar_is_symmetric_or_of_one_side(change: Callable[[Any], Any], low: int, high: int) -> None:
    values = change(thresholded())
    figure = glass_brain(array(values), mask=array(ellipsoid()))
    norm = figure.axes[0].images[0].norm
    largest, smallest = np.abs(values).max(), np.abs(values[values != 0]).min()
    assert norm.vmin == (-largest if low else smallest)
    assert norm.vmax == (largest if high else -smallest)


def test_a_thresholded_map_of_which_most_survives_is_clear_elsewhere() -> None:
    values = np.where(ellipsoid(), smooth(1), 0)
    values = np.where(np.abs(values) > 0.2, values, 0)
    assert 0.5 < (values != 0).sum() / ellipsoid().sum() < 0.98
    figure = glass_brain(array(values), mask=array(ellipsoid()))
    assert figure.axes[0].images[0].cmap(0.5)[3] == 0


def test_scales_can_be_shared() -> None:
    figure = glass_brain(array(thresholded()), mask=array(ellipsoid()), vmax=40.0)
    assert (figure.axes[0].images[0].norm.vmin, figure.axes[0].images[0].norm.vmax) == (-40.0, 40.0)


def test_every_surviving_value_has_a_colour() -> None:
    """The smallest one too, which stands at the edge of what is clear."""
    figure = glass_brain(array(thresholded()), mask=array(ellipsoid()))
    for axes in figure.axes[:3]:
        image = axes.images[0]
        shown = image.get_array()
        assert shown is not None
        alpha = image.cmap(image.norm(shown))[..., 3]
        np.testing.assert_array_equal(alpha == 1, ~np.ma.getmaskarray(shown))


def test_nothing_that_survives_still_has_an_outline(make_bundle: Callable[..., Any]) -> None:
    figure = glass_brain(make_bundle(), contrast="age", inference="none")
    assert drawn(figure) == []
    assert all(len(axes.collections) >= 2 for axes in figure.axes[:3])
    assert "nothing\nsurvives" in texts(figure)


def test_a_bundle_says_its_statistic_and_units(make_bundle: Callable[..., Any]) -> None:
    bundle = make_bundle()
    assert "| t |" in f"| {texts(glass_brain(bundle, contrast='age', inference='fdr'))} |"
    assert "effect (units of the data)" in texts(glass_brain(bundle, contrast="age", variable="effect"))
    assert "mine" in texts(glass_brain(bundle.maps.stat, contrast="age", label="mine"))


def test_one_contrast_need_not_be_named(make_bundle: Callable[..., Any]) -> None:
    bundle = make_bundle()
    one = make_bundle(maps=bundle.maps.isel(contrast=[0]))
    assert len(drawn(glass_brain(one, inference="fdr"))) == 3
    assert len(drawn(glass_brain(bundle.maps.stat_fdr.isel(contrast=1), mask=bundle.mask))) == 3


def test_a_single_plane_is_shown_from_its_side() -> None:
    values, mask = thresholded()[:, 6:7], ellipsoid()[:, 6:7]
    figure = glass_brain(array(values), mask=array(mask))
    ((shown, _),) = drawn(figure)
    np.testing.assert_array_equal(np.nan_to_num(shown), values[:, 0].T)
    assert figure.axes[0].get_title() == "coronal"


def test_nan_and_infinity_are_clear_and_stretch_nothing() -> None:
    values = thresholded()
    values[6, 8, 4], values[6, 8, 5] = np.inf, np.nan
    figure = glass_brain(array(values), mask=array(ellipsoid()))
    assert np.isfinite(figure.axes[0].images[0].norm.vmax)


def test_what_is_not_there_is_said(make_bundle: Callable[..., Any]) -> None:
    bundle = make_bundle()
    with pytest.raises(UsageError, match="which contrast is meant"):
        glass_brain(bundle, inference="fdr")
    with pytest.raises(UsageError, match="did you mean 'patients'"):
        glass_brain(bundle, contrast="patient", inference="fdr")
    with pytest.raises(UsageError, match="there is no map 'stat_fwe'"):
        glass_brain(bundle, contrast="age", inference="fwe")
