"""tau2, Q, I2 and the tests of mixed effects beside metafor, and two tau2 at once beside the brute force."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from estimator_truth import brute
from estimator_truth.frozen import TAU2, cases, columns, design, frozen, orthonormal, vectors
from numpy.testing import assert_allclose
from scipy import stats

from specgl.kernels.estimators.heterogeneity import cochran_q, estimate_tau2, typical_variance
from specgl.kernels.estimators.weighted import fit_weighted

META = tuple(cases()["meta"])
GRID = [(name, method) for name in META for method in ("FE", *TAU2)]

# Both sides iterate to the last digits. What differs is metafor's y'Py through X'WX, good to 4e-8 at worst
# (ill scaled covariate, variances over six decades; by exact rational arithmetic the error is metafor's).
CLOSE = 1e-7
# Values of tau2 at their border: exactly 0 on both sides.
NOTHING = 1e-11


class Case:
    """One design with its locations, and what metafor says of them."""

    def __init__(self, name: str, method: str) -> None:
        case = cases()["meta"][name]
        self.x = design(name)
        self.n, self.p = self.x.shape
        self.basis, self.spread = orthonormal(self.x)
        self.y, self.v = columns(case["y"]), columns(case["v"])
        self.method = method
        self.theirs: dict[str, Any] = frozen()["meta"][f"{name}:{method}"]

    def tau2(self) -> np.ndarray:
        if self.method == "FE":
            return np.zeros(self.y.shape[1])
        groups = np.zeros(self.n, dtype=np.int64)
        found = estimate_tau2(self.basis[None], self.y, self.v, groups, TAU2[self.method])
        assert found.converged.all()
        assert found.tau2.shape == (1, self.y.shape[1])
        return found.tau2[0]

    def coefficients(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Coefficients ``(p, m)``, covariances ``(p, p, m)``, and Knapp and Hartung's factor ``(m,)``."""
        fit = fit_weighted(self.basis[None], self.y, 1 / (self.v + self.tau2()))
        covariance = np.einsum("ak,klm,bl->abm", self.spread, fit.covariance, self.spread)
        return self.spread @ fit.scores, covariance, fit.rss / (self.n - self.p)


@pytest.mark.parametrize(("name", "method"), GRID)
def test_tau2(name: str, method: str) -> None:
    case = Case(name, method)
    assert_allclose(case.tau2(), case.theirs["tau2"], rtol=CLOSE, atol=NOTHING)


@pytest.mark.parametrize(("name", "method"), GRID)
def test_heterogeneity(name: str, method: str) -> None:
    case = Case(name, method)
    typical = typical_variance(case.basis[None], case.v)
    assert_allclose(cochran_q(case.basis[None], case.y, case.v), case.theirs["qe"], rtol=CLOSE)
    assert_allclose(typical, case.theirs["vt"], rtol=1e-8)
    if method != "FE":  # metafor's I2 of fixed effects is another: it comes from Q
        tau2 = case.tau2()
        assert_allclose(tau2 / (tau2 + typical), case.theirs["i2"], rtol=CLOSE, atol=NOTHING)


@pytest.mark.parametrize(("name", "method"), GRID)
def test_coefficients_and_z(name: str, method: str) -> None:
    case = Case(name, method)
    b, covariance, _ = case.coefficients()
    se = np.sqrt(np.einsum("aam->am", covariance))
    assert_allclose(b, vectors(case.theirs["b"]), rtol=CLOSE, atol=1e-9)
    assert_allclose(se, vectors(case.theirs["se"]), rtol=CLOSE)
    assert_allclose(b / se, vectors(case.theirs["z"]), rtol=CLOSE, atol=1e-9)
    # A relative error of 1e-8 in a z of 40 is one of z^2 times that in its p; below 1e-300 there is no p.
    p = 2 * stats.norm.sf(np.abs(b / se))
    assert_allclose(p, vectors(case.theirs["p"]), rtol=1e-5, atol=1e-300)


@pytest.mark.parametrize("test", ["t", "knha"])
@pytest.mark.parametrize(("name", "method"), [pair for pair in GRID if pair[1] != "FE"])
def test_t_and_knapp_hartung(name: str, method: str, test: str) -> None:
    case = Case(name, method)
    b, covariance, factor = case.coefficients()
    theirs = case.theirs[test]
    if test == "knha":
        covariance = covariance * factor
    se = np.sqrt(np.einsum("aam->am", covariance))
    dof = case.n - case.p
    assert set(theirs["dof"]) == {dof}
    assert_allclose(se, vectors(theirs["se"]), rtol=CLOSE)
    assert_allclose(b / se, vectors(theirs["stat"]), rtol=CLOSE, atol=1e-9)
    assert_allclose(2 * stats.t.sf(np.abs(b / se), dof), vectors(theirs["p"]), rtol=1e-5, atol=1e-15)


@pytest.mark.parametrize("test", ["t", "knha"])
@pytest.mark.parametrize(
    ("name", "method"), [(n, m) for n, m in GRID if m != "FE" and design(n).shape[1] > 2]
)
def test_f_of_two_coefficients(name: str, method: str, test: str) -> None:
    case = Case(name, method)
    b, covariance, factor = case.coefficients()
    if test == "knha":
        covariance = covariance * factor
    f = [b[1:, j] @ np.linalg.solve(covariance[1:, 1:, j], b[1:, j]) / 2 for j in range(b.shape[1])]
    theirs = case.theirs[test]
    assert_allclose(f, theirs["f"], rtol=2 * CLOSE, atol=1e-9)
    assert_allclose(theirs["f_dof"], np.tile([2, case.n - case.p], (6, 1)))
    assert_allclose(stats.f.sf(f, 2, case.n - case.p), theirs["f_p"], rtol=1e-5, atol=1e-15)


@pytest.mark.parametrize("method", TAU2)
@pytest.mark.parametrize("name", META)
def test_the_unit_is_of_no_matter(name: str, method: str) -> None:
    case = Case(name, method)
    one = estimate_tau2(case.basis[None], case.y, case.v, np.zeros(case.n, dtype=np.int64), TAU2[method])
    for c in (1e-6, 1e5):
        groups = np.zeros(case.n, dtype=np.int64)
        other = estimate_tau2(case.basis[None], c * case.y, c * c * case.v, groups, TAU2[method])
        assert other.converged.all()
        # The same steps on the same digits but for the rounding of c; the iteration ends to 1e-9 or so.
        assert_allclose(other.tau2, c * c * one.tau2, rtol=1e-8, atol=0)


@pytest.mark.parametrize("method", ["ML", "REML"])
def test_the_highest_of_several_maxima_is_found_but_in_rare_cases(method: str) -> None:
    """Variances over six decades: of ML one likelihood in twenty has several maxima, of REML one in 140."""
    rng = np.random.default_rng(5)
    lower, n_fits = [], 0
    for _ in range(100):
        n = int(rng.integers(5, 20))
        x = np.column_stack([np.ones(n), rng.standard_normal((n, int(rng.integers(0, min(3, n - 3)))))])
        v = 10 ** rng.uniform(-4, 2, (n, 8))
        y = rng.standard_normal((n, 8)) * np.sqrt(v + 10 ** rng.uniform(-4, 1, 8))
        found = estimate_tau2(orthonormal(x)[0][None], y, v, np.zeros(n, dtype=np.int64), TAU2[method])
        assert found.converged.all()
        for j in range(8):
            grid = np.geomspace(1e-10, 1e2, 400) * (v[:, j].mean() + y[:, j].var())
            grid = np.concatenate([[found.tau2[0, j], 0.0], grid])
            told = brute.likelihoods(x, y[:, j], v[:, j] + grid[:, None], method == "REML")
            n_fits += 1
            if told[0] < told.max() - 1e-7:
                lower.append(told.max() - told[0])
    # The search begins at the best of a ladder of values; maxima of nearly one height may mislead it.
    assert len(lower) <= n_fits / 400
    assert max(lower, default=0) < 0.1


# --- a tau2 for each group ------------------------------------------------------------------------


def grouped(name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    case = cases()["grouped"][name]
    groups = np.array(case["groups"], dtype=np.int64)
    return np.array(case["matrix"]), columns(case["y"]), columns(case["v"]), groups


def estimated(name: str, method: str) -> np.ndarray:
    x, y, v, groups = grouped(name)
    found = estimate_tau2(orthonormal(x)[0][None], y, v, groups, TAU2[method])
    assert found.converged.all()
    return found.tau2


@pytest.mark.parametrize("method", TAU2)
def test_groups_that_share_no_regressor_are_fitted_as_if_apart(method: str) -> None:
    assert_allclose(estimated("separable", method).T, frozen()["separate"][method], rtol=CLOSE, atol=NOTHING)


@pytest.mark.parametrize("method", ["ML", "REML"])
@pytest.mark.parametrize("name", cases()["grouped"])
def test_two_tau2_maximise_the_likelihood(name: str, method: str) -> None:
    x, y, v, groups = grouped(name)
    ours = estimated(name, method)
    searched = [brute.two_by_search(x, y[:, j], v[:, j], groups, method == "REML") for j in range(y.shape[1])]
    assert_allclose(ours.T, searched, rtol=CLOSE, atol=NOTHING)
    # rma.mv climbs by finite differences, on the logarithm of tau2: seven digits, and never quite 0.
    theirs = frozen()["grouped"][f"{name}:{method}"]
    assert_allclose(ours.T, theirs["tau2"], rtol=1e-6, atol=1e-8)
    basis, spread = orthonormal(x)
    fit = fit_weighted(basis[None], y, 1 / (v + ours[groups]))
    se = np.sqrt(np.einsum("ak,klm,al->am", spread, fit.covariance, spread))
    assert_allclose(spread @ fit.scores, vectors(theirs["b"]), rtol=1e-6)
    assert_allclose(se, vectors(theirs["se"]), rtol=1e-6)


@pytest.mark.parametrize("method", ["DL", "HE"])
@pytest.mark.parametrize("name", cases()["grouped"])
def test_moments_of_two_groups(name: str, method: str) -> None:
    x, y, v, groups = grouped(name)
    ours = estimated(name, method)
    for j in range(y.shape[1]):
        weights = 1 / v[:, j] if method == "DL" else np.ones(len(y))
        truth = brute.by_moments(x, y[:, j], v[:, j], groups, weights)
        # A closed form: 2 by 2 equations, solved in another order.
        assert_allclose(ours[:, j], truth, rtol=1e-9, atol=NOTHING)


@pytest.mark.parametrize("name", cases()["grouped"])
def test_paule_mandel_of_two_groups_solves_its_equations(name: str) -> None:
    """In each group sum of w r^2 = sum of 1 - h, or less of it where tau2 is 0."""
    x, y, v, groups = grouped(name)
    tau2 = estimated(name, "PM")
    for j in range(y.shape[1]):
        w = 1 / (v[:, j] + tau2[groups, j])
        _, _, p = brute.gls(x, y[:, j], 1 / w)
        excess = (p @ y[:, j]) ** 2 / w - np.diag(p) / w  # of an observation: w r^2 - (1 - h)
        for g in range(2):
            told = excess[groups == g].sum() / (groups == g).sum()
            assert told == pytest.approx(0, abs=1e-8) if tau2[g, j] > 0 else told <= 1e-8
