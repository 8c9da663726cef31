"""The omnibus test of normality: the library's, made fit for maps."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats

from specgl.kernels import normality
from specgl.kernels.normality import omnibus_p


def deviates(x: np.ndarray) -> float:
    """p from the papers' formulas, written out."""
    n = x.size
    m = x - x.mean()
    skew, kurt = (m**3).mean() / (m**2).mean() ** 1.5, (m**4).mean() / (m**2).mean() ** 2
    y = skew * np.sqrt((n + 1) * (n + 3) / (6 * (n - 2)))
    beta = 3 * (n * n + 27 * n - 70) * (n + 1) * (n + 3) / ((n - 2) * (n + 5) * (n + 7) * (n + 9))
    w2 = np.sqrt(2 * (beta - 1)) - 1
    first = np.arcsinh(y / np.sqrt(2 / (w2 - 1))) / np.sqrt(np.log(w2) / 2)
    mean = 3 * (n - 1) / (n + 1)
    variance = 24 * n * (n - 2) * (n - 3) / ((n + 1) ** 2 * (n + 3) * (n + 5))
    root = (
        6
        * (n * n - 5 * n + 2)
        / ((n + 7) * (n + 9))
        * np.sqrt(6 * (n + 3) * (n + 5) / (n * (n - 2) * (n - 3)))
    )
    a = 6 + 8 / root * (2 / root + np.sqrt(1 + 4 / root**2))
    ratio = (1 - 2 / a) / (1 + (kurt - mean) / np.sqrt(variance) * np.sqrt(2 / (a - 4)))
    second = (1 - 2 / (9 * a) - np.cbrt(ratio)) / np.sqrt(2 / (9 * a))
    return float(np.exp(-(first**2 + second**2) / 2))


@pytest.mark.parametrize("n", [8, 12, 19, 20, 60])
def test_it_is_the_test_of_the_papers(n: int) -> None:
    x = np.random.default_rng(n).standard_normal((n, 40)) ** np.array([1, 3])[np.arange(40) % 2]
    # Powers of four of the same numbers, in another order.
    assert_allclose(omnibus_p(x), [deviates(column) for column in x.T], rtol=1e-9)


def test_it_sees_skewness_and_tails_and_not_scale_or_place() -> None:
    rng = np.random.default_rng(1)
    normal, skewed, heavy = rng.standard_normal(200), rng.exponential(size=200), rng.standard_t(2, 200)
    p = omnibus_p(np.column_stack([normal, skewed, heavy]))
    assert p[0] > 0.05
    assert (p[1:] < 1e-6).all()
    # Powers of two are exact; tiny residuals keep their powers of four.
    assert_array_equal(omnibus_p(np.column_stack([normal, skewed, heavy]) * 2.0**-300), p)


def test_p_is_uniform_for_normal_residuals() -> None:
    p = omnibus_p(np.random.default_rng(4).standard_normal((100, 5000)))
    # The omnibus test is known to be a little liberal far out; at 0.1 its size is near, within five standard
    # deviations of 0.0042.
    assert abs(np.mean(p < 0.1) - 0.1) < 0.021


def test_columns_that_say_nothing_are_nan_without_a_warning() -> None:
    x = np.random.default_rng(2).standard_normal((20, 6))
    x[:, 1] = 0.0
    x[:, 2] = 3.7
    x[4, 3] = np.nan
    x[:, 4] = 1e6 + 1e-9 * x[:, 4]
    x[0, 5] = np.inf
    p = omnibus_p(x)
    assert_array_equal(np.isnan(p), [False, True, True, True, True, True])
    assert_array_equal(omnibus_p(x[:7]), [np.nan] * 6)
    assert_array_equal(omnibus_p(x[:, 1:2]), [np.nan])
    assert omnibus_p(x[:, :0]).shape == (0,)


def test_tiles_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    x = np.random.default_rng(3).standard_normal((15, 50))
    x[:, 7] = 0
    whole = omnibus_p(x)
    monkeypatch.setattr(normality, "_CELLS", 60)
    assert_array_equal(omnibus_p(x), whole)
    assert_allclose(whole[0], stats.normaltest(x[:, 0]).pvalue, rtol=1e-10)
