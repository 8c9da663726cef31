"""Designs, correlations and weights as cells."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from specgl.errors import UsageError
from specgl.plot import contrast, correlations, design_matrix
from specgl.plot.figure import Figure


def cells(figure: Figure) -> np.ndarray[Any, Any]:
    return np.asarray(figure.axes[0].images[0].get_array())


def names(figure: Figure) -> tuple[list[str], list[str]]:
    axes = figure.axes[0]
    return [t.get_text() for t in axes.get_yticklabels()], [t.get_text() for t in axes.get_xticklabels()]


def test_each_column_is_a_share_of_its_largest(make_bundle: Callable[..., Any]) -> None:
    bundle = make_bundle()
    figure = design_matrix(bundle)
    shares = cells(figure)
    np.testing.assert_allclose(np.abs(shares).max(axis=0), 1)
    matrix = bundle.design.to_numpy()
    np.testing.assert_allclose(shares * np.abs(matrix).max(axis=0), matrix)
    assert names(figure) == (list(bundle.design.index), list(bundle.design.columns))
    image = figure.axes[0].images[0]
    assert (image.norm.vmin, image.norm.vmax) == (-1, 1)


def test_scaling_a_column_changes_nothing(make_bundle: Callable[..., Any]) -> None:
    design = make_bundle().design
    np.testing.assert_allclose(
        cells(design_matrix(design)), cells(design_matrix(design * [1.0, 1000.0, 0.001, 3.0]))
    )


def test_many_observations_are_counted_instead_of_named() -> None:
    table = pd.DataFrame({"a": np.arange(61.0), "zero": 0.0})
    figure = design_matrix(table)
    assert names(figure)[0] == []
    assert [text.get_text() for text in figure.texts] == ["61 observations"]
    assert names(design_matrix(table.iloc[:60]))[0] == [str(n) for n in range(60)]


def test_correlations_leave_covariates_of_images_out(make_bundle: Callable[..., Any]) -> None:
    bundle = make_bundle()
    bundle.design_words["regressors"]["age"]["covariates"] = ["age"]
    kept = ["group[T.patient]", "group[T.patient]:age"]
    assert names(correlations(bundle)) == (kept, kept)


def test_correlations_leave_constants_out(make_bundle: Callable[..., Any]) -> None:
    design = make_bundle().design
    figure = correlations(design)
    kept = design.drop(columns="Intercept")
    np.testing.assert_allclose(cells(figure), kept.corr().to_numpy(), atol=1e-12)
    assert names(figure) == (list(kept.columns), list(kept.columns))
    assert len(figure.axes[0].texts) == kept.shape[1] ** 2


def test_many_correlations_are_not_written() -> None:
    table = pd.DataFrame(np.random.default_rng(0).normal(size=(30, 12)))
    assert len(correlations(table).axes[0].texts) == 0
    assert len(correlations(table.iloc[:, :11]).axes[0].texts) == 121


def test_weights_stand_in_their_cells(make_bundle: Callable[..., Any]) -> None:
    figure = contrast(make_bundle(), "both")
    np.testing.assert_array_equal(cells(figure), [[0, 1, 0, 0], [0, 0, 1, 0]])
    assert [text.get_text() for text in figure.axes[0].texts] == list("01000010")
    assert names(figure)[0] == ["both: group[T.patient]", "both: age"]
    image = figure.axes[0].images[0]
    assert (image.norm.vmin, image.norm.vmax) == (-1, 1)


def test_a_conjunction_shows_its_members_and_no_name_all_contrasts(make_bundle: Callable[..., Any]) -> None:
    bundle = make_bundle()
    assert names(contrast(bundle, "and"))[0] == ["patients", "age"]
    assert cells(contrast(bundle)).shape == (6, 4)


def test_weights_of_ones_own() -> None:
    weights = pd.DataFrame([[0.5, -0.25]], columns=["a", "b"], index=["row"])
    figure = contrast(weights, "mine")
    np.testing.assert_array_equal(cells(figure), weights.to_numpy())
    assert names(figure)[0] == ["mine row"]
    assert figure.axes[0].images[0].norm.vmax == 0.5


def test_what_is_not_there_is_said(make_bundle: Callable[..., Any]) -> None:
    bare = make_bundle(design=None, design_words=None)
    for figure in (design_matrix, correlations, contrast):
        with pytest.raises(UsageError, match="has no design"):
            figure(bare)
    with pytest.raises(UsageError, match=r"there is no contrast 'ages'.*did you mean 'age'"):
        contrast(make_bundle(), "ages")
    with pytest.raises(UsageError, match="two regressors that vary"):
        correlations(pd.DataFrame({"Intercept": [1.0, 1.0], "a": [0.0, 1.0]}))
    with pytest.raises(UsageError, match="no rows"):
        design_matrix(pd.DataFrame({"a": []}))
