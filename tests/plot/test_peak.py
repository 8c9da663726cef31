"""The subjects' own values: adjusted as the model says, against what the contrast asks about."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from specgl.errors import UsageError
from specgl.plot import peak
from specgl.plot.adjusting import adjusted
from specgl.plot.figure import Figure

from .conftest import OBSERVATIONS, PEAK
from .test_glass import texts

TIGHT = 1e-9
"""Two ways to solve the same well-conditioned least squares in float64."""


def points(figure: Figure) -> list[tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]]:
    """What is drawn as points, one set a level."""
    return [
        (np.asarray(line.get_xdata()), np.asarray(line.get_ydata()))
        for line in figure.axes[0].lines
        if line.get_linestyle() == "None" and line.get_marker() in "os^Dvp*"
    ]


def fitted_by_reference(bundle: Any) -> Any:
    y = bundle.quality.peaks.iloc[0, 3:].to_numpy(dtype=float)
    return sm.OLS(y, bundle.design.to_numpy()).fit()


def test_a_group_is_shown_adjusted_for_the_rest(make_bundle: Callable[..., Any]) -> None:
    bundle = make_bundle()
    fit = fitted_by_reference(bundle)
    figure = peak(bundle, contrast="patients", at=PEAK)
    x = bundle.design.to_numpy()
    y = bundle.quality.peaks.iloc[0, 3:].to_numpy(dtype=float)
    # `group:age` has to do with the group, and stays; `age` alone is put to its mean.
    adjusted_by_hand = y - (x[:, 2] - x[:, 2].mean()) * fit.params[2]
    levels = points(figure)
    assert len(levels) == 2
    np.testing.assert_allclose(levels[0][1], np.sort(adjusted_by_hand[:10]), rtol=TIGHT)
    np.testing.assert_allclose(levels[1][1], np.sort(adjusted_by_hand[10:]), rtol=TIGHT)
    assert [t.get_text() for t in figure.axes[0].get_xticklabels()] == ["control", "patient"]
    assert figure.axes[0].get_ylabel() == "value, units of the data (adjusted)"
    assert "adjusted for age" in texts(figure)


def test_intervals_of_levels_are_those_of_the_model(make_bundle: Callable[..., Any]) -> None:
    bundle = make_bundle()
    fit = fitted_by_reference(bundle)
    held = adjusted(bundle, "patients", PEAK)
    x = bundle.design.to_numpy().copy()
    x[:, 2] = x[:, 2].mean()
    row = x[10:].mean(axis=0, keepdims=True)
    low, high = fit.get_prediction(row).conf_int(alpha=0.05)[0]
    mean, half = held.interval(held.rows[10:].mean(axis=0, keepdims=True))
    np.testing.assert_allclose([mean[0] - half[0], mean[0] + half[0]], [low, high], rtol=TIGHT)
    # A group's mean is the mean of its adjusted values, whatever else is in the model.
    np.testing.assert_allclose(mean[0], held.values[10:].mean(), rtol=TIGHT)


def test_a_covariate_is_shown_raw_with_its_line_and_band(make_bundle: Callable[..., Any]) -> None:
    bundle = make_bundle()
    design = bundle.design.drop(columns="group[T.patient]:age")
    bundle = make_bundle(design=design)
    fit = fitted_by_reference(bundle)
    figure = peak(bundle, contrast="age", at=PEAK)
    ((x, y),) = points(figure)
    np.testing.assert_array_equal(x, bundle.variables["age"])
    patient = design["group[T.patient]"].to_numpy()
    raw = bundle.quality.peaks.iloc[0, 3:].to_numpy(dtype=float)
    np.testing.assert_allclose(y, raw - (patient - patient.mean()) * fit.params[1], rtol=TIGHT)
    line = next(line for line in figure.axes[0].lines if line.get_linestyle() == "-")
    grid, fitted = np.asarray(line.get_xdata()), np.asarray(line.get_ydata())
    rows = np.stack(
        [np.ones_like(grid), np.full_like(grid, 0.5), grid - bundle.variables["age"].mean()], axis=1
    )
    expected = fit.get_prediction(rows)
    np.testing.assert_allclose(fitted, expected.predicted_mean, rtol=1e-8)
    band = figure.axes[0].collections[0].get_datalim(figure.axes[0].transData)
    assert band.y0 == pytest.approx(expected.conf_int()[:, 0].min())
    assert band.y1 == pytest.approx(expected.conf_int()[:, 1].max())
    assert figure.axes[0].get_xlabel() == "age (year)"


def test_an_interaction_has_a_line_for_each_level(make_bundle: Callable[..., Any]) -> None:
    bundle = make_bundle()
    fit = fitted_by_reference(bundle)
    figure = peak(bundle, contrast="interaction", at=PEAK)
    assert len(points(figure)) == 2
    lines = [line for line in figure.axes[0].lines if line.get_linestyle() == "-"]
    slopes = [np.ptp(line.get_ydata()) / np.ptp(line.get_xdata()) for line in lines]
    np.testing.assert_allclose(slopes, np.abs([fit.params[2], fit.params[2] + fit.params[3]]), rtol=1e-8)
    legend = figure.axes[0].get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == ["control", "patient"]


def test_a_slope_that_differs_by_level_is_shown_by_level(make_bundle: Callable[..., Any]) -> None:
    """With `group:age` in the model no line of age alone would be straight."""
    bundle = make_bundle()
    fit = fitted_by_reference(bundle)
    figure = peak(bundle, contrast="age", at=PEAK)
    lines = [line for line in figure.axes[0].lines if line.get_linestyle() == "-"]
    slopes = [np.ptp(line.get_ydata()) / np.ptp(line.get_xdata()) for line in lines]
    np.testing.assert_allclose(slopes, np.abs([fit.params[2], fit.params[2] + fit.params[3]]), rtol=1e-8)
    assert "adjusted for group" in texts(figure)


def test_a_mean_is_shown_with_its_interval(make_bundle: Callable[..., Any]) -> None:
    bundle = make_bundle()
    figure = peak(bundle, contrast="intercept", at=PEAK)
    ((_, y),) = points(figure)
    assert y.size == len(OBSERVATIONS)
    assert figure.axes[0].get_xlabel() == "all observations"
    assert "adjusted for group and age" in texts(figure)


def test_a_conjunction_asks_about_what_its_members_ask_about(make_bundle: Callable[..., Any]) -> None:
    assert adjusted(make_bundle(), "and", PEAK).interest == ("group", "age")


def test_an_intercept_alone_is_not_adjusted(make_bundle: Callable[..., Any]) -> None:
    bundle = make_bundle()
    one = make_bundle(design=bundle.design[["Intercept"]])
    held = adjusted(one, "intercept", PEAK)
    y = bundle.quality.peaks.iloc[0, 3:].to_numpy(dtype=float)
    np.testing.assert_array_equal(held.values, y)
    assert held.others == ()
    mean, half = held.interval(held.rows[:1])
    np.testing.assert_allclose(
        [mean[0] - half[0], mean[0] + half[0]], sm.stats.DescrStatsW(y).tconfint_mean()
    )
    assert "adjusted" not in texts(peak(one, contrast="intercept", at=PEAK))


def test_missing_values_are_left_out(make_bundle: Callable[..., Any]) -> None:
    bundle = make_bundle()
    bundle.quality.peaks.iloc[0, 5] = np.nan
    less = make_bundle(
        design=bundle.design.drop(index=OBSERVATIONS[2]),
        variables=bundle.variables.drop(index=OBSERVATIONS[2]),
    )
    np.testing.assert_allclose(
        adjusted(bundle, "patients", PEAK).values, adjusted(less, "patients", PEAK).values, rtol=TIGHT
    )
    assert "19 observations" in texts(peak(bundle, contrast="patients", at=PEAK))


def test_observations_are_matched_by_name(make_bundle: Callable[..., Any]) -> None:
    bundle = make_bundle()
    shuffled = make_bundle(
        design=bundle.design.iloc[::-1], variables=bundle.variables.sample(frac=1, random_state=0)
    )
    one = adjusted(bundle, "age", PEAK)
    other = adjusted(shuffled, "age", PEAK)
    assert one.names == other.names[::-1]
    np.testing.assert_allclose(one.values, other.values[::-1], rtol=TIGHT)
    (x, y), (x_too, y_too) = (
        points(peak(bundle, contrast="both", at=PEAK))[0],
        points(peak(shuffled, contrast="both", at=PEAK))[0],
    )
    np.testing.assert_allclose(np.sort(x), np.sort(x_too))
    np.testing.assert_allclose(np.sort(y), np.sort(y_too), rtol=TIGHT)


def test_blocks_means_are_taken_out(make_bundle: Callable[..., Any]) -> None:
    """As a model with a dummy for each block fits it."""
    bundle = make_bundle()
    subject = np.tile([f"s{number}" for number in range(5)], 4)
    design = bundle.design[["age"]]
    variables = bundle.variables.assign(subject=subject)
    words = bundle.design_words | {"block": {"column": "subject", "n_blocks": 5}}
    held = adjusted(make_bundle(design=design, variables=variables, design_words=words), "age", PEAK)
    y = bundle.quality.peaks.iloc[0, 3:].to_numpy(dtype=float)
    dummies = pd.get_dummies(subject).to_numpy(dtype=float)
    fit = sm.OLS(y, np.column_stack([design, dummies])).fit()
    np.testing.assert_allclose(held.b, fit.params[:1], rtol=TIGHT)
    _, half = held.interval(np.array([[1.0]]))
    low, high = fit.conf_int()[0]
    np.testing.assert_allclose(2 * half, [high - low], rtol=TIGHT)
    means = pd.Series(y).groupby(subject).transform("mean").to_numpy()
    np.testing.assert_allclose(held.values, y - means + y.mean(), rtol=TIGHT)
    figure = peak(
        make_bundle(design=design, variables=variables, design_words=words), contrast="age", at=PEAK
    )
    assert figure.axes[0].get_xlabel() == "age (year), within subject"
    assert "adjusted for means of subject" in texts(figure)
    ((x, _),) = points(figure)
    age = pd.Series(variables["age"].to_numpy())
    np.testing.assert_allclose(x, age - age.groupby(subject).transform("mean") + age.mean())


def test_groups_with_variances_of_their_own_have_intervals_of_their_own(
    make_bundle: Callable[..., Any],
) -> None:
    """With group means alone each is the t interval of its group."""
    bundle = make_bundle()
    design = bundle.design[["Intercept", "group[T.patient]"]]
    words = bundle.design_words | {"variance_groups": {"column": "group", "counts": {}}}
    held = adjusted(make_bundle(design=design, design_words=words), "patients", PEAK)
    y = bundle.quality.peaks.iloc[0, 3:].to_numpy(dtype=float)
    for own in (slice(0, 10), slice(10, 20)):
        mean, half = held.interval(held.rows[own].mean(axis=0, keepdims=True))
        expected = sm.stats.DescrStatsW(y[own]).tconfint_mean()
        np.testing.assert_allclose([mean[0] - half[0], mean[0] + half[0]], expected, rtol=TIGHT)
    # The difference has Welch's degrees of freedom.
    _, half = held.interval(np.array([[0.0, 1.0]]))
    compared = sm.stats.CompareMeans(sm.stats.DescrStatsW(y[10:]), sm.stats.DescrStatsW(y[:10]))
    low, high = compared.tconfint_diff(usevar="unequal")
    np.testing.assert_allclose(2 * half, [high - low], rtol=TIGHT)


def test_no_degree_of_freedom_leaves_no_interval(make_bundle: Callable[..., Any]) -> None:
    bundle = make_bundle()
    few = make_bundle(design=bundle.design.iloc[8:12], variables=bundle.variables.iloc[8:12])
    _, half = adjusted(few, "patients", PEAK).interval(few.design.to_numpy())
    assert np.isnan(half).all()
    peak(few, contrast="patients", at=PEAK)
    peak(few, contrast="interaction", at=PEAK)


def test_several_covariates_are_drawn_over_what_is_fitted(make_bundle: Callable[..., Any]) -> None:
    bundle = make_bundle()
    words = bundle.design_words
    words["variables"]["group"] = {"type": "continuous"}
    figure = peak(make_bundle(design_words=words), contrast="both", at=PEAK)
    assert figure.axes[0].get_xlabel() == "fitted from group and age"
    held = adjusted(bundle, "both", PEAK)
    ((x, y),) = points(figure)
    np.testing.assert_allclose(x, held.interval(held.rows)[0])
    np.testing.assert_allclose(y, held.values)


def test_the_effect_is_told_where_a_table_tells_it(make_bundle: Callable[..., Any]) -> None:
    table = pd.DataFrame(
        [[0.0, 0, 0, 9, 9, 9], [*PEAK, 0.123456, -0.2, 0.4]],
        columns=["x", "y", "z", "effect", "effect_low", "effect_high"],
    )
    bundle = make_bundle(tables={("age", "fdr"): table, ("patients", "fdr"): table.drop(columns="effect")})
    assert "effect 0.123, 95 % interval −0.2 to 0.4" in texts(peak(bundle, contrast="age", at=PEAK))
    told = texts(peak(bundle, contrast="patients", at=PEAK))
    assert "effect" not in told
    assert "bar: mean with 95 % interval" in told


def test_places_agree_within_a_thousandth(make_bundle: Callable[..., Any]) -> None:
    bundle = make_bundle()
    near = (PEAK[0] + 9e-4, PEAK[1], PEAK[2])
    np.testing.assert_array_equal(adjusted(bundle, "age", near).values, adjusted(bundle, "age", PEAK).values)
    with pytest.raises(UsageError, match=r"no peak at \(6, 9, 5\) mm; the nearest is at \(6, 9, 4\) mm"):
        peak(bundle, contrast="age", at=(6, 9, 5))


def test_what_is_not_there_is_said(make_bundle: Callable[..., Any]) -> None:
    bundle = make_bundle()
    with pytest.raises(UsageError, match="there is no contrast 'nobody'"):
        peak(bundle, contrast="nobody", at=PEAK)
    with pytest.raises(UsageError, match="ready-made"):
        peak(make_bundle(quality=None), contrast="age", at=PEAK)
    with pytest.raises(UsageError, match="has no design"):
        peak(make_bundle(design_words=None), contrast="age", at=PEAK)
    bundle.quality.peaks.iloc[0, 3:] = np.nan
    with pytest.raises(UsageError, match="no observation has a value"):
        peak(bundle, contrast="age", at=PEAK)
    bundle.quality.peaks = bundle.quality.peaks.iloc[:0]
    with pytest.raises(UsageError, match="holds no peak"):
        peak(bundle, contrast="age", at=PEAK)
