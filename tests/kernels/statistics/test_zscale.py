"""Tables of z against the exact tails."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from specgl.kernels.statistics.zscale import ZTable, make_surface, read_table, z_of
from specgl.kernels.tails import chi2_tails, f_tails, t_tails

CASES = [("t", 1, 1), ("t", 1, 3), ("t", 1, 28), ("v", 1, 12.7), ("t", 1, 1e5)]
CASES += [("t", 1, np.inf), ("F", 1, np.inf), ("F", 3, np.inf)]
CASES += [("F", 1, 20), ("F", 3, 4.5), ("G", 2, 33.3), ("F", 12, 200)]


def spread(kind: str, n: int = 4000) -> np.ndarray:
    """Statistics from nothing to far beyond what data give, both signs where there are two."""
    rng = np.random.default_rng(0)
    values = np.concatenate([rng.standard_t(4, n), 10.0 ** rng.uniform(-6, 4, n) * rng.choice([-1, 1], n)])
    return values if kind in "tv" else np.abs(values)


def exactly(values: np.ndarray, kind: str, dof1: float, dof: float) -> np.ndarray:
    if np.isinf(dof):  # a known variance
        return values if kind in "tv" else chi2_tails(dof1 * values, dof1).z()
    return (t_tails(values, dof) if kind in "tv" else f_tails(values, dof1, dof)).z()


@pytest.mark.parametrize(("kind", "dof1", "dof"), CASES)
def test_a_table_is_the_tails(kind: str, dof1: float, dof: float) -> None:
    values = spread(kind)
    exact = exactly(values, kind, dof1, dof)
    assert_array_equal(z_of(values, kind, dof1, dof), exact)
    table = ZTable(kind, dof1, dof)
    found = table(values)
    assert np.max(np.abs(found - exact) / np.maximum(1, np.abs(exact))) < 5e-7
    if kind in "tv":
        near = np.abs(values) < 0.01
        assert_allclose(found[near], exact[near], rtol=1e-6)
        assert_array_equal(table(-values), -found)
    singles = table(values.astype(np.float32))
    assert singles.dtype == np.float32
    # Half a unit in the last place of the statistic and of z, and the table's error.
    assert_allclose(singles, exact, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(("kind", "dof1", "dof"), CASES)
def test_a_table_rises(kind: str, dof1: float, dof: float) -> None:
    values = np.unique(np.sort(spread(kind)))
    assert (np.diff(ZTable(kind, dof1, dof)(values)) >= -1e-9).all()
    assert (np.diff(ZTable(kind, dof1, dof)(values.astype(np.float32))) >= 0).all()


@pytest.mark.parametrize(("kind", "dof1", "dof"), CASES)
def test_huge_statistics_stay_finite_and_nan_stays_nan(kind: str, dof1: float, dof: float) -> None:
    values = np.array([[1e10, 3e38], [np.nan, 0.0]], dtype=np.float32)
    table = pickle.loads(pickle.dumps(ZTable(kind, dof1, dof)))
    found = table(values)
    assert found.shape == (2, 2)
    assert np.isfinite(found[0]).all()
    assert np.isnan(found[1, 0])
    assert np.isfinite(found[1, 1])
    assert_allclose(found[0], z_of(values[0], kind, dof1, dof), rtol=1e-6)
    held = values.copy()
    assert table(held, out=held) is held
    assert_array_equal(held, found)


@given(
    st.sampled_from(["v", "G"]),
    st.integers(1, 6),
    st.floats(1, 60),
    st.floats(1, 40),
    st.integers(0, 2**32 - 1),
)
@settings(max_examples=15)
def test_a_surface_is_as_good_as_it_says(kind: str, dof1: int, low: float, ratio: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    surface = make_surface(kind, dof1, low, low * ratio)
    assert surface.error < 5e-7
    inverse = rng.uniform(1 / (low * ratio), 1 / low, 2000)
    values = rng.standard_t(5, 2000) * rng.choice([1, 1, 5], 2000)
    values = values if kind == "v" else np.abs(values)
    found = read_table(surface, values, inverse)
    exact = surface.exact(values, inverse)
    here = np.isfinite(found)
    assert here[(np.abs(exact) > 0.01) & (np.abs(exact) < 2.5)].all()
    assert (np.abs(found - exact)[here] <= surface.error * np.maximum(1, np.abs(exact[here]))).all()
    outside = read_table(surface, np.ones(2), np.array([2 / low, 0.4 / (low * ratio)]))
    assert np.isnan(outside).all()


def test_known_variances_beside_estimated_ones() -> None:
    dofs = np.array([5.0, 1e9, np.inf])
    values = np.array([0.5, 2.0, 40.0])[:, None]
    for kind, dof1 in (("t", 1), ("F", 3)):
        found = z_of(values, kind, dof1, dofs)
        assert_allclose(found[:, 1], found[:, 2], rtol=1e-6)
        assert (found[1:, 0] < found[1:, 2]).all()
        assert_array_equal(found[:, 2], exactly(values[:, 0], kind, dof1, np.inf))
    surface = make_surface("F", 3, 20.0, np.inf)
    inverse = np.array([0.0, 0.01, 0.05])
    found = read_table(surface, np.full(3, 1.7), inverse)
    assert_allclose(found, surface.exact(np.full(3, 1.7), inverse), atol=5e-7)
