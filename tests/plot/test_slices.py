"""Slices cut where they say, and show what is there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from specgl.errors import UsageError
from specgl.plot import slices
from specgl.plot.beneath import beneath
from specgl.plot.slices import moved, places
from specgl.plot.volumes import volume

from .conftest import AFFINE, PEAK, SHAPE, array, ellipsoid, smooth
from .test_glass import drawn, texts, thresholded


def test_three_cuts_go_through_the_place() -> None:
    values = thresholded()
    figure = slices(array(values), at=PEAK, mask=array(ellipsoid()))
    index = np.rint(np.linalg.inv(AFFINE) @ [*PEAK, 1]).astype(int)[:3]
    for axis, (shown, _) in enumerate(drawn(figure)):
        np.testing.assert_array_equal(np.nan_to_num(shown), values.take(index[axis], axis=axis).T)
        across, up = (PEAK[other] for other in range(3) if other != axis)
        lines = figure.axes[axis].lines
        assert {tuple(line.get_xdata()) for line in lines} >= {(across, across)}
        assert {tuple(line.get_ydata()) for line in lines} >= {(up, up)}
    assert [axes.get_title() for axes in figure.axes[:3]] == ["x = 6 mm", "y = 9 mm", "z = 4 mm"]


@pytest.mark.parametrize("axis", ["x", "y", "z"])
def test_a_mosaic_is_labelled_by_where_it_cuts(axis: str) -> None:
    values = thresholded()
    figure = slices(array(values), axis=axis, n=4, mask=array(ellipsoid()))
    number = "xyz".index(axis)
    titles = [panel.get_title() for panel in figure.axes[:4]]
    at = [float(t.removeprefix(f"{axis} = ").removesuffix(" mm").replace("−", "-")) for t in titles]
    for place, (shown, _) in zip(at, drawn(figure), strict=True):
        index = round((place - AFFINE[number, 3]) / AFFINE[number, number])
        np.testing.assert_array_equal(np.nan_to_num(shown), values.take(index, axis=number).T)


@pytest.mark.parametrize("n", [1, 2, 3, 5, 7, 40])
def test_cuts_are_spread_evenly_through_the_mask(n: int) -> None:
    held = volume(ellipsoid(), AFFINE)
    at = places(held, 2, n)
    inside = np.flatnonzero(held.values.any(axis=(0, 1)))
    assert len(at) == min(n, inside.size)
    assert len(set(at)) == len(at)
    steps = np.diff(at) / AFFINE[2, 2]
    assert steps.size == 0 or steps.max() - steps.min() <= 1
    first, last = held.centres(2)[inside[[0, -1]]]
    assert first <= min(at) <= max(at) <= last
    # As much room before the first cut as after the last, within a voxel.
    assert abs((min(at) - first) - (last - max(at))) <= AFFINE[2, 2]


def test_an_underlay_lies_on_its_own_grid() -> None:
    fine = np.random.default_rng(0).uniform(50, 150, size=(40, 50, 30))
    affine = np.array([[-1.0, 0, 0, 20], [0, 1, 0, -25], [0, 0, 1, -15], [0, 0, 0, 1]])
    figure = slices(array(thresholded()), at=PEAK, mask=array(ellipsoid()), underlay=array(fine, affine))
    for axis, (panel, index) in enumerate(zip(figure.axes, (14, 34, 19), strict=False)):
        grey, stat = panel.images
        expected = np.flip(fine, 0).take(40 - 1 - 14 if axis == 0 else index, axis=axis).T
        np.testing.assert_array_equal(grey.get_array(), expected)
        assert grey.get_extent() != stat.get_extent()
    low, high = np.percentile(fine, [2, 98])
    assert grey.get_clim() == (low, high)


def test_zero_and_nan_of_an_underlay_are_clear_and_do_not_count() -> None:
    shades = np.zeros(SHAPE)
    shades[4:8] = np.linspace(100, 200, 4)[:, None, None]
    shades[5] = np.nan
    figure = slices(array(thresholded()), at=PEAK, mask=array(ellipsoid()), underlay=array(shades))
    grey = figure.axes[2].images[0].get_array()
    assert grey is not None
    np.testing.assert_array_equal(~np.ma.getmaskarray(grey)[0], np.isin(np.arange(SHAPE[0]), [4, 6, 7]))
    assert figure.axes[2].images[0].get_clim()[0] > 50


@pytest.mark.parametrize("most", [0, 1, 2, 9, 255])
def test_shades_of_grey_have_the_same_window_as_other_numbers(most: int) -> None:
    shades = np.random.default_rng(most).integers(0, most, size=SHAPE, endpoint=True)
    mask = volume(ellipsoid(), AFFINE)
    by_counts = beneath(mask, array(shades.astype(np.uint8))).window
    assert by_counts == pytest.approx(beneath(mask, array(shades.astype(float))).window)


def test_without_an_underlay_the_mask_is_tinted(make_bundle: Callable[..., Any]) -> None:
    figure = slices(make_bundle(underlay=None), contrast="age", inference="fdr", at=PEAK)
    assert all(len(axes.images) == 1 and len(axes.collections) == 1 for axes in figure.axes[:3])


def test_what_is_below_the_threshold_is_clear() -> None:
    values = smooth(1)
    shown, _ = drawn(slices(array(values), at=PEAK, threshold=1.0))[2]
    cut = values[:, :, 4].T
    np.testing.assert_array_equal(shown, np.where(np.abs(cut) >= 1.0, cut, np.nan))


def test_a_whole_map_has_a_pale_middle_and_a_thresholded_one_none() -> None:
    whole = slices(array(smooth(1)), at=PEAK).axes[0].images[0]
    part = slices(array(thresholded()), at=PEAK, mask=array(ellipsoid())).axes[0].images[0]
    assert min(whole.cmap(0.5)[:3]) > 0.85
    assert part.cmap(0.5)[3] == 0


def test_counts_have_no_sign(make_bundle: Callable[..., Any]) -> None:
    bundle = make_bundle()
    image = slices(bundle, contrast="age", variable="p", underlay=None).axes[0].images[-1]
    values = bundle.maps.p.sel(contrast="age").values
    assert (image.norm.vmin, image.norm.vmax) == (np.nanmin(values), np.nanmax(values))


@pytest.mark.parametrize("at", [None, PEAK])
def test_a_single_plane_has_one_cut(at: Any) -> None:
    values = thresholded()[:, :, 4:5]
    affine = AFFINE.copy()
    affine[2, 3] = 4.0
    figure = slices(array(values, affine), at=at, mask=array(ellipsoid()[:, :, 4:5], affine), axis="x")
    ((shown, _),) = drawn(figure)
    np.testing.assert_array_equal(np.nan_to_num(shown), values[:, :, 0].T)


def test_nothing_that_survives_is_said(make_bundle: Callable[..., Any]) -> None:
    bundle = make_bundle()
    for at in (None, PEAK):
        figure = slices(bundle, contrast="age", inference="none", at=at)
        assert "nothing\nsurvives" in texts(figure)
        assert all(len(axes.images) == 1 for axes in figure.axes[:3])


def test_what_cannot_be_cut_is_said(make_bundle: Callable[..., Any]) -> None:
    bundle = make_bundle()
    with pytest.raises(
        UsageError, match=r"the place \(0, 0, 500\) mm lies outside the map, .* z −14 to 22 mm"
    ):
        slices(bundle, contrast="age", at=(0, 0, 500))
    with pytest.raises(UsageError, match="there is no axis 'w'"):
        slices(bundle, contrast="age", axis="w")
    with pytest.raises(UsageError, match="at least one cut"):
        slices(bundle, contrast="age", n=0)


@pytest.mark.parametrize("at", [PEAK, None])
def test_a_transparent_map_is_whole_and_clearer_where_it_is_weaker(
    make_bundle: Callable[..., Any], at: Any
) -> None:
    bundle = make_bundle()
    figure = slices(bundle, contrast="patients", inference="fdr", at=at, transparent=True)
    whole = bundle.maps["stat"].sel(contrast="patients").values
    surviving = bundle.maps["stat_fdr"].sel(contrast="patients").values
    least = np.abs(surviving[surviving != 0]).min()
    seen = 0
    for axes in figure.axes:
        for image in axes.images:
            opacity = image.get_alpha()
            if not isinstance(opacity, np.ndarray):
                continue  # what lies beneath
            shown = np.ma.filled(image.get_array().astype(float), np.nan)
            known = np.isfinite(shown)
            expected = np.minimum(np.abs(shown[known]) / least, 1) ** 2
            np.testing.assert_allclose(opacity[known], expected, rtol=1e-6)
            assert (opacity[known][np.abs(shown[known]) >= least] == 1).all()
            seen += int(known.sum())
            edges = [line for line in axes.collections if line.get_zorder() > 0]
            assert bool(edges) == bool((np.abs(shown[known]) > 2).any()), "a line where something survives"
    assert seen > np.count_nonzero(surviving[..., 0]) if at is None else seen > 0
    assert np.abs(whole[np.isfinite(whole)]).max() > least


def test_a_transparent_map_without_survivors_is_opaque_where_it_is_strong(
    make_bundle: Callable[..., Any],
) -> None:
    bundle = make_bundle()
    whole = bundle.maps["stat"].sel(contrast="patients").values
    strong = np.percentile(np.abs(whole[np.isfinite(whole)]), 99)
    for inference in ("none", None):
        figure = slices(bundle, contrast="patients", inference=inference, n=40, transparent=True)
        seen = 0
        for axes in figure.axes[:-1]:
            for image in axes.images:
                opacity = image.get_alpha()
                if isinstance(opacity, np.ndarray):
                    shown = np.abs(np.ma.filled(image.get_array().astype(float), np.nan))
                    np.testing.assert_array_equal(opacity == 1, shown >= strong)
                    seen += int((opacity == 1).sum())
            assert not [line for line in axes.collections if line.get_zorder() > 0]
        assert seen > 0


@given(
    st.integers(1, 9),
    st.lists(st.floats(-60, 60), max_size=8),
)
def test_cuts_move_to_the_places_that_matter(n: int, through: list[float]) -> None:
    held = volume(ellipsoid(), AFFINE)
    before = places(held, 2, n)
    after = moved(before, through, held, 2)
    assert len(after) == len(before)
    assert after == sorted(set(after))
    centres = held.centres(2)
    assert set(after) <= set(centres.tolist())
    inside = [held.index(2, place) for place in through]
    wanted = list(dict.fromkeys(float(centres[index]) for index in inside if index is not None))
    assert set(wanted[: len(before)]) <= set(after)
    kept = [cut for cut in before if cut in after]
    assert len(kept) >= len(before) - len(wanted)


def test_a_mosaic_cuts_through_places() -> None:
    figure = slices(array(thresholded()), n=4, through=[PEAK[2]], mask=array(ellipsoid()))
    titles = [panel.get_title() for panel in figure.axes[:4]]
    assert any(title.removeprefix("z = ").removesuffix(" mm") == f"{PEAK[2]:g}" for title in titles)
