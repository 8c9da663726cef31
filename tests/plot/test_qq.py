"""QQ plots of p-values."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from scipy.stats import beta

from specgl.errors import UsageError
from specgl.plot import qq
from specgl.plot.qq import band, chosen_ranks
from specgl.plot.save import svg


def test_points_are_order_statistics() -> None:
    p = np.random.default_rng(0).uniform(size=500)
    figure = qq(xr.DataArray(p))
    points = figure.axes[0].lines[1]
    rank = chosen_ranks(500)
    np.testing.assert_allclose(points.get_xdata(), -np.log10(rank / 501))
    np.testing.assert_allclose(points.get_ydata(), -np.log10(np.sort(p)[rank - 1]))


def test_the_band_is_that_of_beta_distributions() -> None:
    rank = np.array([1, 2, 50, 100])
    low, high = band(rank, 100)
    for number, k in enumerate(rank):
        expected = -np.log10(beta(k, 101 - k).ppf([0.975, 0.025]))
        np.testing.assert_allclose([low[number], high[number]], expected, rtol=1e-9)


@pytest.mark.parametrize("n", [1, 2, 150, 151, 10_000, 200_000])
def test_thinning_keeps_both_ends_and_the_smallest(n: int) -> None:
    rank = chosen_ranks(n)
    assert rank[0] == 1
    assert rank[-1] == n
    assert (np.diff(rank) > 0).all()
    assert set(range(1, min(n, 100) + 1)) <= set(rank.tolist())
    assert rank.size < 500
    gaps = np.diff(-np.log10(rank / (n + 1)))
    assert n < 200 or np.abs(gaps).max() < 0.35  # nowhere a hole in the line, but between the first two


def test_many_points_make_a_small_file() -> None:
    p = xr.DataArray(np.random.default_rng(0).uniform(size=200_000))
    assert len(svg(qq(p))) < 100_000


def test_missing_values_are_left_out_and_zeros_stand_at_the_top() -> None:
    figure = qq(xr.DataArray([[np.nan, 0.0], [0.01, 0.5]]))
    observed = np.asarray(figure.axes[0].lines[1].get_ydata())
    assert observed.size == 3
    assert observed[0] == observed.max() == pytest.approx(2.1)
    legend = figure.axes[0].get_legend()
    assert legend is not None
    assert "1 p-values of 0 stand at the top" in [text.get_text() for text in legend.get_texts()]


@pytest.mark.parametrize("p", [[1.0, 1.0, 1.0], [0.5], [0.0, 0.0]])
def test_degenerate_maps_have_a_figure(p: list[float]) -> None:
    svg(qq(xr.DataArray(p), alternative="less"))


def test_the_alternative_is_said() -> None:
    p = xr.DataArray([0.5, 0.1], coords={"alternative": "greater"})
    assert qq(p).axes[0].get_ylabel() == "observed −log₁₀ p, greater"
    assert qq(p, alternative="less").axes[0].get_ylabel() == "observed −log₁₀ p, less"


@pytest.mark.parametrize("p", [[], [np.nan], [1.5], [-0.1, 0.5]])
def test_what_are_no_p_values_is_refused(p: list[float]) -> None:
    with pytest.raises(UsageError, match="p-values between 0 and 1"):
        qq(xr.DataArray(np.array(p)))
