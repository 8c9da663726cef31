"""Euler characteristic densities: against the tube formula by quadrature, and by the laws of families."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.integrate import quad

from specgl.kernels.fields import Family, height_at, log_densities, log_sf

A = 4.0 * np.log(2.0)

heights = st.floats(0.05, 8.0)
dofs = st.integers(3, 300)

CLOSED = {"rtol": 1e-7, "atol": 1e-12}
"""Logarithms of gamma functions are differences of numbers up to 1e6: ten digits are left of sixteen."""


def densities(family: Family, u) -> np.ndarray:
    logs, signs = log_densities(family, u)
    return signs * np.exp(logs)


def chi_derivatives(radius: float, k: int) -> list[float]:
    """Derivatives of the upper tail of chi by minus its argument: its density, minus that one's slope, ..."""
    pdf = stats.chi.pdf(radius, k)
    slope = (k - 1) / radius - radius
    return [stats.chi.sf(radius, k), pdf, -pdf * slope, pdf * (slope**2 - (k - 1) / radius**2 - 1)]


def gauss_derivatives(x: float) -> list[float]:
    pdf = stats.norm.pdf(x)
    return [stats.norm.sf(x), pdf, pdf * x, pdf * (x * x - 1)]


def by_tubes(family: Family, u: float) -> list[float]:
    """Densities as derivatives of the Gaussian volume of a tube around the excursion set.

    Taylor 2006, doi:10.1214/009117905000000594: where the field is a function of independent Gaussian ones,
    the density of dimension d is (2 pi)^(-d/2) times the d-th derivative, by its width, of the probability of
    a tube around the set of values that exceed u. The sets are half-lines, the outside of balls, and cones.
    """
    scale = (A / (2 * np.pi)) ** (np.arange(4) / 2)
    if family.kind == "z":
        return list(scale * gauss_derivatives(u))
    if family.kind == "chi2":
        return list(scale * chi_derivatives(np.sqrt(u), int(family.dof1)))
    k, v = int(family.dof1), int(family.dof)
    slope = u / np.sqrt(v) if family.kind == "t" else np.sqrt(u * k / v)

    def weighed(s: float, d: int) -> float:
        inner = gauss_derivatives(slope * s) if family.kind == "t" else chi_derivatives(slope * s, k)
        return inner[d] * stats.chi.pdf(s, v)

    found = [quad(weighed, 0, 30 + np.sqrt(v), args=(d,), epsabs=0, limit=200)[0] for d in range(4)]
    return list(scale * (1 + slope**2) ** (np.arange(4) / 2) * found)


@pytest.mark.parametrize("u", [0.4, 1.7, 3.3, 6.0])
@pytest.mark.parametrize(
    "family",
    [
        Family("z"),
        Family("t", dof=4),
        Family("t", dof=11),
        Family("t", dof=60),
        Family("chi2", dof1=2),
        Family("chi2", dof1=5),
        Family("F", dof1=2, dof=9),
        Family("F", dof1=3, dof=20),
        Family("F", dof1=6, dof=4),
    ],
)
def test_densities_are_those_of_the_tube_formula(family, u):
    # The quadrature is asked for 1.5e-8.
    np.testing.assert_allclose(densities(family, u)[:, 0], by_tubes(family, u), rtol=1e-6, atol=1e-14)


def test_heights_of_a_gauss_field_worked_out_by_hand():
    found = densities(Family("z"), 3.0)[:, 0]
    tail = np.exp(-4.5)
    expected = [
        0.0013498980316301035,
        np.sqrt(A) / (2 * np.pi) * tail,
        A / (2 * np.pi) ** 1.5 * 3 * tail,
        A**1.5 / (2 * np.pi) ** 2 * 8 * tail,
    ]
    np.testing.assert_allclose(found, expected, rtol=1e-12)


@given(u=heights)
def test_chi_square_of_one_is_gauss_on_both_sides(u):
    np.testing.assert_allclose(densities(Family("chi2", 1), u**2), 2 * densities(Family("z"), u), **CLOSED)


@given(u=heights, dof=dofs)
def test_f_of_one_is_t_on_both_sides(u, dof):
    both = 2 * densities(Family("t", dof=dof), u)
    np.testing.assert_allclose(densities(Family("F", 1, dof), u**2), both, **CLOSED)


@given(u=heights, dof=st.integers(3, 60), k=st.integers(1, 8))
def test_an_f_and_its_inverse_have_the_complementary_excursion_set(u, dof, k):
    # {F >= u} and {1/F >= 1/u} fill the space and share their boundary. Around a common boundary the normals
    # turn round: dimensions 1 and 3 agree, dimension 2 changes its sign.
    here, there = densities(Family("F", k, dof), u), densities(Family("F", dof, k), 1 / u)
    exists = [d for d in (1, 2, 3) if k + dof > d]
    turned = np.array([1, 1, -1, 1])[:, None] * there
    np.testing.assert_allclose(here[exists], turned[exists], rtol=1e-6, atol=1e-10)
    np.testing.assert_allclose(here[0], 1 - there[0], atol=1e-12)


@given(u=heights)
def test_many_degrees_of_freedom_are_the_limit(u):
    # At 1e9 the families differ by u^4 / dof.
    many = {"rtol": 1e-5, "atol": 1e-8}
    np.testing.assert_allclose(densities(Family("t", dof=1e9), u), densities(Family("z"), u), **many)
    chi2 = densities(Family("chi2", 4), 4 * u)
    np.testing.assert_allclose(densities(Family("F", 4, 1e9), u), chi2, **many)


@given(u=heights, dof=dofs)
def test_below_zero_odd_dimensions_mirror_and_the_even_one_turns(u, dof):
    for family in (Family("z"), Family("t", dof=dof)):
        above, below = densities(family, u), densities(family, -u)
        np.testing.assert_array_equal(below[[1, 3]], above[[1, 3]])
        np.testing.assert_array_equal(below[2], -above[2])


@pytest.mark.parametrize(
    ("family", "u"),
    [
        (Family("z"), 45.0),
        (Family("z"), 1e6),
        (Family("t", dof=20), 60.0),
        (Family("t", dof=200), 1e5),
        (Family("F", 3, 200), 1e5),
        (Family("chi2", 3), 1e5),
    ],
)
def test_logarithms_are_finite_where_the_densities_are_not(family, u):
    logs, signs = log_densities(family, u)
    assert np.isfinite(logs).all()
    assert (signs == 1).all()
    assert (np.diff(logs[1:, 0]) > 0).all()


def test_far_out_a_gauss_density_is_its_polynomial_times_the_exponential():
    logs, _ = log_densities(Family("z"), 45.0)
    lead = [0.0, np.log(45.0), np.log(45.0**2 - 1)]
    d = np.arange(1, 4)
    expected = d / 2 * np.log(A) - (d + 1) / 2 * np.log(2 * np.pi) - 45.0**2 / 2 + lead
    np.testing.assert_allclose(logs[1:, 0], expected, rtol=1e-14)


def test_the_tail_of_chi_square_is_continued_where_it_underflows():
    u = np.array([0.0, 0.3, 4.0, 100.0, 1200.0, 1300.0, 1e4, 1e6])
    np.testing.assert_allclose(log_sf(Family("chi2", 2), u), -u / 2, rtol=1e-13)
    four = -u / 2 + np.log1p(u / 2)
    np.testing.assert_allclose(log_sf(Family("chi2", 4), u), four, rtol=1e-13, atol=1e-15)
    # An odd number: 3 degrees of freedom add to 1 the density of 3 times two.
    three = np.logaddexp(
        np.log(2) + log_sf(Family("z"), np.sqrt(u[1:])), np.log(2) + stats.chi2.logpdf(u[1:], 3)
    )
    np.testing.assert_allclose(log_sf(Family("chi2", 3), u[1:]), three, rtol=1e-13)


@given(
    p=st.floats(1e-12, 0.2),
    family=st.sampled_from([Family("z"), Family("t", dof=7), Family("chi2", 3), Family("F", 3, 12)]),
)
def test_a_height_and_its_tail_are_inverse(p, family):
    np.testing.assert_allclose(log_sf(family, height_at(family, p))[0], np.log(p), rtol=1e-8)


@pytest.mark.parametrize(
    ("family", "most"),
    [
        (Family("t", dof=1), 1),
        (Family("t", dof=2), 2),
        (Family("t", dof=3), 3),
        (Family("F", 1, 1), 1),
        (Family("F", 2, 1), 2),
        (Family("F", 1, 3), 3),
        (Family("chi2", 1), 3),
        (Family("z"), 3),
    ],
)
def test_a_ratio_of_few_fields_is_no_field_in_many_dimensions(family, most):
    logs, _ = log_densities(family, [2.0, 4.0])
    assert [family.exists_in(d) for d in (1, 2, 3)] == [d <= most for d in (1, 2, 3)]
    assert np.isfinite(logs[: most + 1]).all()
    assert np.isnan(logs[most + 1 :]).all()
