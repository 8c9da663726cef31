"""Variance between observations: laws, and brute force with the textbook's matrices."""

from __future__ import annotations

from collections.abc import Callable
from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from specgl.kernels.estimators import Tau2Method
from specgl.kernels.estimators.heterogeneity import (
    TAU2_METHODS,
    cochran_q,
    estimate_tau2,
    typical_variance,
)

METHODS = list(TAU2_METHODS)
SEEDS = st.integers(0, 2**32 - 1)
# tau2 is the root of sums that rounding shifts by some 1e-15 of the variances, and a search ends when a step
# is below 1e-10 of tau2, far closer after Newton's last step.
CLOSE = {"rtol": 1e-8, "atol": 1e-11}


def likelihood(
    basis: np.ndarray,
    y: np.ndarray,
    total: np.ndarray,
    restricted: bool,
    projector: Callable[..., np.ndarray],
) -> float:
    """Log likelihood of one location with variances ``total (n,)``, up to a constant."""
    value = np.log(total).sum() + y @ projector(basis, 1 / total) @ y
    if restricted:
        value += np.linalg.slogdet(basis.T @ (basis / total[:, None]))[1]
    return float(-0.5 * value)


def test_every_method_has_its_number() -> None:
    assert set(TAU2_METHODS) == set(get_args(Tau2Method))
    assert sorted(TAU2_METHODS.values()) == list(range(len(TAU2_METHODS)))


@pytest.mark.parametrize("method", METHODS)
@given(seed=SEEDS, power=st.sampled_from([-4, -1, 1, 4]), n_groups=st.integers(1, 3))
@settings(max_examples=15)
def test_units_scale_tau2(problem, method, seed: int, power: int, n_groups: int) -> None:
    data = problem(seed, n_groups=n_groups)
    scale = 3.0 * 10.0**power
    one = estimate_tau2(*data, method)
    other = estimate_tau2(data.basis, scale * data.y, scale**2 * data.variances, data.groups, method)
    both = one.converged & other.converged
    assert both.mean() > 0.5
    assert_allclose(other.tau2[:, both] / scale**2, one.tau2[:, both], rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("method", METHODS)
@given(seed=SEEDS, n_groups=st.integers(1, 2))
@settings(max_examples=15)
def test_order_of_rows_is_nothing_but_rounding(problem, method, seed: int, n_groups: int) -> None:
    data = problem(seed, n_groups=n_groups)
    order = np.random.default_rng(seed).permutation(len(data.y))
    one = estimate_tau2(*data, method)
    other = estimate_tau2(
        data.basis[:, order], data.y[order], data.variances[order], data.groups[order], method
    )
    both = one.converged & other.converged
    assert both.mean() > 0.5
    assert_allclose(other.tau2[:, both], one.tau2[:, both], **CLOSE)


@given(seed=SEEDS, size=st.sampled_from([1e-8, 1.0, 1e8]), k=st.integers(0, 3))
@settings(max_examples=30)
def test_equal_variances_leave_one_answer(problem, seed: int, size: float, k: int) -> None:
    """All methods but ML give what the residual variance has beyond the first-level variance."""
    data = problem(seed, k=k)
    y, variances = np.sqrt(size) * data.y, np.full_like(data.y, size)
    rest = y - data.basis[0] @ (data.basis[0].T @ y)
    rss = np.einsum("ij,ij->j", rest, rest)
    n = len(y)
    for method in METHODS:
        found = estimate_tau2(data.basis, y, variances, data.groups, method)
        expected = np.maximum(0, rss / (n if method == "ml" else n - k) - size)
        assert found.converged.all()
        assert_allclose(found.tau2[0] / size, expected / size, **CLOSE)


@pytest.mark.parametrize("restricted", [False, True])
@given(seed=SEEDS, ratio=st.sampled_from([3.0, 100.0]), k=st.integers(0, 3))
@settings(max_examples=25)
def test_no_grid_beats_the_likelihood(
    projector, problem, restricted, seed: int, ratio: float, k: int
) -> None:
    data = problem(seed, ratio=ratio, k=k, m=3)
    found = estimate_tau2(*data, "reml" if restricted else "ml")
    assert found.converged.all()
    for location in range(3):
        y, variances = data.y[:, location], data.variances[:, location]

        def value(tau2: float, y: np.ndarray = y, variances: np.ndarray = variances) -> float:
            return likelihood(data.basis[0], y, variances + tau2, restricted, projector)

        grid = np.concatenate([[0.0], 10.0 ** np.linspace(-5, 5, 400)])
        best = max(value(each) for each in grid)
        # Sums of some ten terms of size up to 1e2 are rounded.
        assert value(found.tau2[0, location]) >= best - 1e-9


@given(seed=SEEDS)
@settings(max_examples=10)
def test_no_grid_beats_the_likelihood_of_two_groups(projector, problem, seed: int) -> None:
    data = problem(seed, n=16, n_groups=2, m=2)
    found = estimate_tau2(*data, "reml")
    assert found.converged.all()
    grid = np.concatenate([[0.0], 10.0 ** np.linspace(-2, 2, 25)])
    for location in range(2):
        y, variances = data.y[:, location], data.variances[:, location]

        def value(tau2: np.ndarray, y: np.ndarray = y, variances: np.ndarray = variances) -> float:
            return likelihood(data.basis[0], y, variances + tau2[data.groups], True, projector)

        best = max(value(np.array([a, b])) for a in grid for b in grid)
        assert value(found.tau2[:, location]) >= best - 1e-9


@given(seed=SEEDS, n_groups=st.integers(1, 3), k=st.integers(0, 3))
@settings(max_examples=25)
def test_paule_mandel_solves_its_equations(projector, problem, seed: int, n_groups: int, k: int) -> None:
    data = problem(seed, n=15, n_groups=n_groups, k=k)
    found = estimate_tau2(*data, "pm")
    assert found.converged.mean() > 0.5
    for location in np.flatnonzero(found.converged):
        tau2 = found.tau2[:, location]
        weights = 1 / (data.variances[:, location] + tau2[data.groups])
        residual = projector(data.basis[0], weights)
        rest = residual @ data.y[:, location]
        sums = np.bincount(data.groups, rest**2 / weights, n_groups)
        expected = np.bincount(data.groups, np.diag(residual) / weights, n_groups)
        positive = tau2 > 0
        assert_allclose(sums[positive], expected[positive], rtol=1e-8)
        assert (sums[~positive] <= expected[~positive] * (1 + 1e-8)).all()


@pytest.mark.parametrize("method", ["dl", "hedges"])
@given(seed=SEEDS, n_groups=st.integers(1, 3), k=st.integers(0, 3))
@settings(max_examples=25)
def test_moments_solve_the_textbooks_equations(
    projector, problem, method, seed: int, n_groups: int, k: int
) -> None:
    data = problem(seed, n=15, n_groups=n_groups, k=k, between=3.0)
    found = estimate_tau2(*data, method)
    assert found.converged.all()
    dummies = np.eye(n_groups)[data.groups]
    for location in range(data.y.shape[1]):
        y, variances = data.y[:, location], data.variances[:, location]
        weights = 1 / variances if method == "dl" else np.ones(len(y))
        residual = projector(data.basis[0], weights)
        # cov(P y) = P (S + tau2) P, and a group's sum is of (P y)^2 / w.
        share = residual**2 / weights[:, None]
        right = dummies.T @ ((residual @ y) ** 2 / weights - share @ variances)
        left = dummies.T @ share @ dummies
        active = np.arange(n_groups)
        expected = np.zeros(n_groups)
        while active.size:
            solution = np.linalg.solve(left[np.ix_(active, active)], right[active])
            if (solution >= 0).all():
                expected[active] = solution
                break
            active = active[solution >= 0]
        assert_allclose(found.tau2[:, location], expected, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("n_groups", [1, 2])
def test_a_tile_is_its_columns_to_the_bit(problem, method, n_groups: int) -> None:
    data = problem(3, m=11, n_groups=n_groups)
    bases = np.repeat(data.basis, 11, axis=0)
    whole = estimate_tau2(*data, method)
    each = estimate_tau2(bases, *data[1:], method)
    assert_array_equal(each.tau2, whole.tau2)
    for cut in (slice(0, 1), slice(1, 4), slice(4, 11)):
        part = estimate_tau2(data.basis, data.y[:, cut], data.variances[:, cut], data.groups, method)
        assert_array_equal(part.tau2, whole.tau2[:, cut])
        assert_array_equal(part.converged, whole.converged[cut])
        assert_array_equal(part.steps, whole.steps[cut])


@pytest.mark.parametrize("method", METHODS)
def test_groups_with_regressors_of_their_own_are_alone(problem, method) -> None:
    """Each group's mean its own: nothing joins the groups, so that each is estimated as if alone."""
    rng = np.random.default_rng(5)
    groups = np.array([0, 1, 0, 1, 1, 0, 0, 1, 1, 1, 0, 1])
    basis = np.eye(2)[groups] / np.sqrt(np.bincount(groups))[groups][:, None]
    variances = rng.uniform(0.5, 2, (12, 20))
    y = rng.standard_normal((12, 20)) * np.sqrt(variances + np.array([0.3, 1.5])[groups][:, None])
    found = estimate_tau2(basis[None], y, variances, groups, method)
    assert found.converged.all()
    for g in range(2):
        own = groups == g
        alone = estimate_tau2(
            basis[None, own, g : g + 1], y[own], variances[own], np.zeros(own.sum(), dtype=int), method
        )
        assert_allclose(found.tau2[g], alone.tau2[0], rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("method", METHODS)
def test_variances_may_differ_by_a_million(problem, method) -> None:
    data = problem(8, n=20, k=3, m=200, ratio=1e6, between=1e-2)
    found = estimate_tau2(*data, method)
    assert found.converged.all()
    assert (found.tau2 >= 0).all()


@pytest.mark.parametrize("method", METHODS)
def test_nothing_left_to_estimate_from_is_told(problem, method) -> None:
    full = problem(0, n=3, k=3)
    found = estimate_tau2(*full, method)
    assert np.isnan(found.tau2).all()
    assert not found.converged.any()
    # A group of one observation that has a regressor of its own.
    groups = np.array([0] * 8 + [1])
    basis = np.linalg.qr(np.eye(2)[groups])[0]
    data = problem(1, n=9)
    found = estimate_tau2(basis[None], data.y, data.variances, groups, method)
    assert np.isnan(found.tau2).all()
    assert not found.converged.any()


@pytest.mark.parametrize("method", METHODS)
def test_a_group_without_observations_is_passed_by(problem, method) -> None:
    data = problem(2, n_groups=2)
    whole = estimate_tau2(*data, method)
    gap = estimate_tau2(data.basis, data.y, data.variances, 2 * data.groups, method)
    assert np.isnan(gap.tau2[1]).all()
    assert_array_equal(gap.tau2[[0, 2]], whole.tau2)
    assert_array_equal(gap.converged, whole.converged)


@pytest.mark.parametrize("method", METHODS)
def test_values_that_are_none_are_told(problem, method) -> None:
    data = problem(4)
    y, variances = data.y.copy(), data.variances.copy()
    y[0, 0], variances[0, 1], variances[0, 2] = np.nan, 0.0, np.inf
    found = estimate_tau2(data.basis, y, variances, data.groups, method)
    assert np.isnan(found.tau2[0, :3]).all()
    assert not found.converged[:3].any()
    assert found.converged[3:].all()


@pytest.mark.parametrize("method", METHODS)
def test_data_that_the_model_fits_have_no_variance(problem, method) -> None:
    data = problem(6)
    found = estimate_tau2(data.basis, np.full_like(data.y, 1e4), data.variances, data.groups, method)
    assert found.converged.all()
    assert (found.tau2 == 0).all()


@given(seed=SEEDS, k=st.integers(0, 3), ratio=st.sampled_from([2.0, 1e3]))
@settings(max_examples=25)
def test_q_and_the_typical_variance_are_the_textbooks(
    projector, problem, seed: int, k: int, ratio: float
) -> None:
    data = problem(seed, k=k, ratio=ratio)
    q, typical = cochran_q(*data[:3]), typical_variance(data.basis, data.variances)
    for location in range(data.y.shape[1]):
        y, variances = data.y[:, location], data.variances[:, location]
        residual = projector(data.basis[0], 1 / variances)
        assert_allclose(q[location], y @ residual @ y, rtol=1e-9)
        assert_allclose(typical[location], (len(y) - k) / np.trace(residual), rtol=1e-9)
    for method in TAU2_METHODS:  # an estimate tells them as well
        found = estimate_tau2(*data, method)
        assert_array_equal(found.q, q)
        assert_array_equal(found.typical, typical)


def test_shapes_that_do_not_fit_are_refused(problem) -> None:
    data = problem(0)
    with pytest.raises(ValueError, match="does not fit"):
        estimate_tau2(data.basis[:, 1:], *data[1:], "dl")
    with pytest.raises(ValueError, match="differ"):
        estimate_tau2(data.basis, data.y, data.variances[:, 1:], data.groups, "dl")
    with pytest.raises(ValueError, match="groups"):
        estimate_tau2(data.basis, data.y, data.variances, data.groups - 1, "dl")


@pytest.mark.parametrize("restricted", [False, True])
def test_two_maxima_are_both_climbed(restricted) -> None:
    """Precise observations that agree, others that do not: of 2,000 locations none ends at the lower one."""
    rng = np.random.default_rng(11)
    n, m = 8, 2000
    basis = np.full((1, n, 1), n**-0.5)
    variances = 1e4 ** rng.uniform(-0.5, 0.5, (n, m))
    y = rng.standard_normal((n, m)) * np.sqrt(variances + 10 ** rng.uniform(-3, 2, m) * rng.integers(0, 2, m))

    def value(tau2: np.ndarray) -> np.ndarray:
        w = 1 / (variances + tau2)
        rest = y - (w * y).sum(axis=0) / w.sum(axis=0)
        apart = np.log(w.sum(axis=0)) if restricted else 0
        return 0.5 * (np.log(w).sum(axis=0) - (w * rest**2).sum(axis=0) - apart)

    zeros = np.zeros(n, dtype=int)
    found = estimate_tau2(basis, y, variances, zeros, "reml" if restricted else "ml")
    assert found.converged.all()
    best = np.max([value(np.full(m, each)) for each in [0.0, *10 ** np.linspace(-4, 5, 300)]], axis=0)
    assert (value(found.tau2[0]) >= best - 1e-9).all()
