"""Coverage, mask and thumbnails."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from specgl.errors import UsageError
from specgl.plot import coverage, mask, observations

from .conftest import OBSERVATIONS, array, ellipsoid
from .test_glass import texts


def test_full_coverage_has_one_colour_and_counts(make_bundle: Callable[..., Any]) -> None:
    figure = coverage(make_bundle())
    assert all(len(axes.images) == 1 for axes in figure.axes)  # the underlay alone, and no colour bar
    count = int(ellipsoid().sum())
    assert f"all 20 observations: {count:,} voxels (blue)" in texts(figure)
    assert "fewer" not in texts(figure)


def test_what_fewer_observations_cover_is_coloured_by_their_number(make_bundle: Callable[..., Any]) -> None:
    bundle = make_bundle()
    counts = np.where(ellipsoid(), 20, 0)
    counts[6, 8, 2:7] = [13, 14, 15, 18, 19]
    bundle.quality.coverage = array(counts)
    figure = coverage(bundle, n=40)
    shown = [image.get_array() for axes in figure.axes for image in axes.images[1:]]
    found = sorted(float(value) for cut in shown for value in np.ma.compressed(cut))
    assert found == [13, 14, 15, 18, 19]
    assert "fewer: 5 voxels (colour bar), at least 13" in texts(figure)
    ticks = figure.axes[-1].get_yticks()
    assert np.array_equal(ticks, np.round(ticks))


def test_one_count_that_is_not_full_still_has_a_bar(make_bundle: Callable[..., Any]) -> None:
    bundle = make_bundle()
    counts = np.where(ellipsoid(), 20, 0)
    counts[6, 8, 4] = 19
    bundle.quality.coverage = array(counts)
    assert "19" in texts(coverage(bundle))


def test_the_mask_is_counted_and_measured(make_bundle: Callable[..., Any]) -> None:
    count = int(ellipsoid().sum())
    told = texts(mask(make_bundle(), axis="x", n=5))
    assert f"{count:,} voxels analysed (blue), {36 * count / 1000:.1f} cm³" in told
    assert "no underlay" in texts(mask(make_bundle(underlay=None)))


def study(n: int, outlier: int = 0) -> SimpleNamespace:
    ids = [f"s{number}" for number in range(n)]
    rng = np.random.default_rng(3)
    distance = rng.permutation(np.linspace(0.5, 1.5, n))
    table = pd.DataFrame({"distance": distance, "outlier": np.arange(n) == outlier}, index=ids)
    maps = xr.DataArray(
        rng.normal(size=(n, 5, 1, 6)),
        dims=("observation", "i", "j", "k"),
        coords={"observation": ids},
        attrs={"affine": np.diag([2.0, 2, 2, 1]).tolist()},
    )
    return SimpleNamespace(observations=table, slices=maps)


@pytest.mark.parametrize(("n", "shown"), [(1, 1), (20, 20), (60, 60), (61, 40), (100, 40)])
def test_thumbnails_are_ordered_by_distance(make_bundle: Callable[..., Any], n: int, shown: int) -> None:
    quality = study(n)
    figure = observations(make_bundle(quality=quality))
    panels = [axes for axes in figure.axes if axes.images and axes.get_title()]
    assert len(panels) == shown
    names = [panel.get_title().split("\n")[0] for panel in panels]
    order = quality.observations["distance"].sort_values(ascending=False)
    assert names == list(order.index[:shown])
    for panel, name in zip(panels, names, strict=True):
        expected = quality.slices.sel(observation=name).values[:, 0].T
        np.testing.assert_array_equal(panel.images[0].get_array(), expected)
        assert panel.images[0].norm.vmin == -panel.images[0].norm.vmax
    assert (f"the {n - 40} nearest of {n} are not shown" in texts(figure)) == (n > 60)


def test_outliers_are_framed(make_bundle: Callable[..., Any]) -> None:
    figure = observations(make_bundle(quality=study(12, outlier=4)))
    framed = [axes.get_title().split("\n")[0] for axes in figure.axes if axes.patches and axes.get_title()]
    assert framed == ["s4"]
    assert "outliers, framed: 1" in texts(figure)


def test_a_map_without_a_value_has_its_place(make_bundle: Callable[..., Any]) -> None:
    quality = study(4)
    quality.slices[2] = np.nan
    quality.observations.loc["s2", "distance"] = np.nan
    figure = observations(make_bundle(quality=quality))
    last = [axes.get_title() for axes in figure.axes if axes.get_title()][-1]
    assert last == "s2\nn/a"


def test_what_is_not_there_is_said(make_bundle: Callable[..., Any]) -> None:
    bare = make_bundle(quality=None)
    for figure in (coverage, observations):
        with pytest.raises(UsageError, match="no values of observations"):
            figure(bare)
    with pytest.raises(UsageError, match="has no mask"):
        mask(make_bundle(manifest={"results": []}))


def test_the_stand_in_is_shown_too(make_bundle: Callable[..., Any]) -> None:
    assert len([axes for axes in observations(make_bundle()).axes if axes.get_title()]) == len(OBSERVATIONS)
