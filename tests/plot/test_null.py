"""Null distributions, with what was observed and what it has to surpass."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from specgl.errors import UsageError
from specgl.plot import null
from specgl.plot.figure import Figure


def counts(figure: Figure) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Heights and left edges of the bars."""
    bars = figure.axes[0].patches
    return np.array([bar.get_height() for bar in bars]), np.array([bar.get_x() for bar in bars])  # type: ignore[attr-defined]


def words(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.axes[0].texts]


def lines(figure: Figure) -> list[float]:
    return [float(line.get_xdata()[0]) for line in figure.axes[0].lines]  # type: ignore[index]


def test_every_value_is_in_a_bar_and_marks_stand_at_their_values() -> None:
    values = pd.Series(np.random.default_rng(0).normal(4, 0.5, 2000))
    figure = null(values, threshold=4.8, label="largest t")
    assert counts(figure)[0].sum() == 2000
    assert lines(figure) == [4.8, values.iloc[0]]
    larger = int((values >= values.iloc[0]).sum())
    assert words(figure)[0] == "threshold 4.8"
    assert words(figure)[1].endswith(f"({larger:,} of 2,000 as large)")
    assert figure.axes[0].get_xlabel() == "largest t"


@pytest.mark.parametrize("value", [0.0, 3.0, -2.5, 1e-12, 1e9, 0.1])
@pytest.mark.parametrize("n", [1, 50])
def test_a_constant_is_one_bar(value: float, n: int) -> None:
    heights, _ = counts(null(pd.Series([value] * n)))
    assert heights.max() == n
    assert heights.sum() == n


def test_whole_numbers_stand_in_the_middle_of_their_bars() -> None:
    heights, edges = counts(null(pd.Series([3.0, 1, 1, 2, 7])))
    assert dict(zip((edges + 0.5).tolist(), heights.tolist(), strict=True)) == {
        1: 2, 2: 1, 3: 1, 4: 0, 5: 0, 6: 0, 7: 1,
    }  # fmt: skip


def test_a_long_tail_does_not_hide_the_bulk() -> None:
    values = pd.Series([5000.5, *np.linspace(0.5, 100.3, 1000), 3000.5])
    figure = null(values, threshold=90.0)
    heights, _ = counts(figure)
    assert (heights > 0).sum() > 20
    assert heights.sum() == 1000
    assert figure.axes[0].get_xlabel().endswith("2 of 1,002 lie beyond")
    assert words(figure)[1].endswith("beyond the axis")


def test_a_bundle_says_threshold_and_what_is_counted(make_bundle: Callable[..., Any]) -> None:
    row = {
        "contrast": "age", "inference": "maxT", "statistic": "t", "alternative": "two-sided",
        "dof_numerator": None, "dof": 17.0, "dof_min": 17.0, "n": 20, "n_min": 20,
        "shuffled": {"critical": 3.5},
    }  # fmt: skip
    held = {("age", "maxT"): pd.Series([4.0, 3.0, 2.0, 3.9], index=pd.RangeIndex(4, name="shuffle"))}
    bundle = make_bundle(null=held, manifest={"results": [row]})
    figure = null(bundle)
    assert lines(figure) == [3.5, 4.0]
    assert figure.axes[0].get_xlabel() == "largest |t| of a map"
    varying = [row | {"statistic": "v"}, row | {"dof_min": 12.0}, row | {"statistic": "chi2"}]
    for other, words_of_it in zip(varying, ("|z|", "|z|", "z"), strict=True):
        figure = null(make_bundle(null=held, manifest={"results": [other]}))
        assert figure.axes[0].get_xlabel() == f"largest {words_of_it} of a map"
    assert figure.axes[0].get_ylabel() == "shuffles"


def test_simulated_maps_hold_nothing_observed(make_bundle: Callable[..., Any]) -> None:
    row = {"contrast": "age", "inference": "sim", "simulations": {"critical": 30.0}}
    simulated = pd.Series([12.0, 14, 33, 20], index=pd.RangeIndex(4, name="simulation"))
    spec = {"inference": {"sim": {"statistic": "cluster_extent"}}}
    parts = {"null": {("age", "sim"): simulated}, "manifest": {"results": [row]}, "spec": spec}
    assert lines(null(make_bundle(**parts))) == [30.0]
    table = pd.DataFrame({"size": pd.array([35, None], dtype="Int64")})
    figure = null(make_bundle(**parts, tables={("age", "sim"): table}))
    assert lines(figure) == [30.0, 35.0]
    assert figure.axes[0].get_ylabel() == "simulated maps"


def test_what_is_not_there_is_said(make_bundle: Callable[..., Any]) -> None:
    with pytest.raises(UsageError, match="there is no null distribution"):
        null(make_bundle(), contrast="age", inference="fdr")
    two = {("age", "maxT"): pd.Series([1.0]), ("patients", "maxT"): pd.Series([1.0])}
    with pytest.raises(UsageError, match="which null distribution is meant"):
        null(make_bundle(null=two))
    assert null(make_bundle(null=two), contrast="age") is not None
