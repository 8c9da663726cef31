"""The slow truth itself: printed values, shapes counted by hand, and simulated fields."""

from __future__ import annotations

import numpy as np
import pytest
from field_truth import lattice, noise
from field_truth.densities import densities
from field_truth.pvalues import Family
from scipy import stats
from scipy.special import gammaln

EXACT = {"rtol": 1e-9, "atol": 1e-15}
"""Quadrature with 400 nodes of smooth integrands."""


def box(*shape: int) -> np.ndarray:
    return np.argwhere(np.ones(shape, dtype=bool))


# Densities --------------------------------------------------------------------------------------


def test_printed_values_of_a_plane():
    """M. Brett, Thresholding with random field theory (matthew-brett.github.io/teaching/random_fields.html).

    128 x 128 pixels and FWHM 8, so 256 resels; he counts the interior alone: "array([ 2.825 , 0.7449])" at
    2.75 and 3.25, 0.06 at 4, and of 1,000 heights between 0 and 5 "Using Z threshold of 4.054054" for 0.05.
    """
    interior = np.array([0, 0, 256, 0])
    found = [float(interior @ densities("z", z)) for z in (2.75, 3.25, 4)]
    assert np.round(found[0], 3) == 2.825
    assert np.round(found[1], 4) == 0.7449
    assert np.round(found[2], 2) == 0.06
    heights = np.linspace(0, 5, 1000)
    first = next(z for z in heights if z > 3 and interior @ densities("z", z) <= 0.05)
    assert f"{first:f}" == "4.054054"


@pytest.mark.parametrize(("t", "nu"), [(2.0, 5), (4.5, 11), (3.0, 60), (-1.0, 7), (12.0, 19), (60.0, 30)])
def test_t_as_worsley_prints_it(t, nu):
    """Worsley 1996, doi:10.1002/(SICI)1097-0193(1996)4:1<58::AID-HBM4>3.0.CO;2-O: the row of the t field."""
    a, c = 4 * np.log(2), (1 + t**2 / nu) ** ((1 - nu) / 2)
    ratio = np.exp(gammaln((nu + 1) / 2) - gammaln(nu / 2)) / np.sqrt(nu / 2)
    printed = [
        stats.t.sf(t, nu),
        np.sqrt(a) / (2 * np.pi) * c,
        a / (2 * np.pi) ** 1.5 * ratio * t * c,
        a**1.5 / (2 * np.pi) ** 2 * ((nu - 1) / nu * t**2 - 1) * c,
    ]
    np.testing.assert_allclose(densities("t", t, dof=nu), printed, **EXACT)


@pytest.mark.parametrize("t", [1.5, 3.0, 5.0])
def test_a_square_of_one_is_both_of_its_tails(t):
    np.testing.assert_allclose(densities("F", t**2, 1, 12), 2 * densities("t", t, dof=12), **EXACT)
    np.testing.assert_allclose(densities("chi2", t**2, 1), 2 * densities("z", t), **EXACT)


def test_many_degrees_of_freedom():
    """What is left of the difference is of the order of 1/nu."""
    np.testing.assert_allclose(densities("t", 3.0, dof=1e6), densities("z", 3.0), rtol=3e-5)
    np.testing.assert_allclose(densities("F", 4.0, 3, 1e6), densities("chi2", 12.0, 3), rtol=5e-5)


def test_the_first_density_is_the_p_value():
    assert densities("F", 4.0, 3, 12)[0] == pytest.approx(stats.f.sf(4.0, 3, 12), rel=1e-9)
    assert densities("chi2", 11.0, 4)[0] == pytest.approx(stats.chi2.sf(11.0, 4), rel=1e-9)


# Resels -----------------------------------------------------------------------------------------


def test_boxes_by_hand():
    """Sides of 4, 3 and 2 steps, FWHM 2, 3 and 4 steps: 2, 1 and 0.5 resels long."""
    np.testing.assert_allclose(lattice.resels(box(5, 4, 3), (2, 3, 4)), [1, 3.5, 2 + 1 + 0.5, 1])
    np.testing.assert_allclose(lattice.resels(box(5, 4, 1), (2, 3, np.nan)), [1, 3, 2, 0])
    np.testing.assert_allclose(lattice.resels(box(1, 1, 9), (np.nan, np.nan, 4)), [1, 2, 0, 0])
    np.testing.assert_allclose(lattice.resels(box(1, 1, 1), (2, 3, 4)), [1, 0, 0, 0])


def test_shapes_with_holes_by_hand():
    ring = np.ones((3, 3, 1), dtype=bool)
    ring[1, 1] = False
    np.testing.assert_allclose(
        lattice.resels(np.argwhere(ring), (2, 2, 2)), [0, 4, 0, 0]
    )  # 8 steps of half a FWHM
    hollow = np.ones((3, 3, 3), dtype=bool)
    hollow[1, 1, 1] = False
    # the surface of a cube: characteristic 2, and six faces of 2 x 2 steps
    np.testing.assert_allclose(lattice.resels(np.argwhere(hollow), (1, 1, 1)), [2, 0, 24, 0])
    apart = np.concatenate([box(2, 2, 2), box(2, 2, 2) + 5])
    np.testing.assert_allclose(lattice.resels(apart, (1, 1, 1)), [2, 6, 6, 2])


def test_dimension():
    assert [lattice.dimension(box(*shape)) for shape in [(2, 3, 4), (1, 3, 4), (1, 1, 4), (1, 1, 1)]] == [
        3,
        2,
        1,
        0,
    ]


# Simulated fields -------------------------------------------------------------------------------

FWHM = 10.0


def build(family: Family, gaussians: np.ndarray) -> np.ndarray:
    """A field of the family from Gaussian ones (k, *shape)."""
    if family.kind == "z":
        return gaussians[0]
    if family.kind == "chi2":
        return (gaussians**2).sum(axis=0)
    k = int(family.dof1) if family.kind == "F" else 1
    below = (gaussians[k:] ** 2).mean(axis=0)
    if family.kind == "t":
        return gaussians[0] / np.sqrt(below)
    return (gaussians[:k] ** 2).mean(axis=0) / below


def needed(family: Family) -> int:
    return {"z": 1, "chi2": family.dof1, "t": 1 + family.dof, "F": family.dof1 + family.dof}[family.kind]


FIELDS = {
    "z": (Family("z"), 2.5, 2000),
    "t": (Family("t", dof=10), 3.0, 1000),
    "F": (Family("F", 3, 12), 5.5, 700),
    "chi2": (Family("chi2", 3), 12.0, 1500),
}


@pytest.mark.parametrize("name", FIELDS)
def test_expected_euler_characteristic_in_a_plane(name):
    """The mean over simulated fields, within four of its standard errors and what the lattice takes away.

    Between voxels a tenth of the FWHM apart the characteristic of the lattice is not quite the field's:
    2 % is allowed for that.
    """
    family, u, n = FIELDS[name]
    rng = np.random.default_rng(7)
    shape = (60, 50)
    found = []
    for _ in range(n):
        field = build(family, noise.smooth(rng, int(needed(family)), shape, FWHM))
        found.append([noise.euler(field >= height) for height in (u, 1.3 * u)])
    mean, error = np.mean(found, axis=0), np.std(found, axis=0) / np.sqrt(n)
    resels = lattice.resels(box(*shape, 1), (FWHM, FWHM, np.nan))
    theory = np.array([resels @ family.densities(height) for height in (u, 1.3 * u)])
    assert np.all(np.abs(mean - theory) <= 4 * error + 0.02 * theory), (mean, theory, error)
    assert np.all(theory > 10 * error / 3)  # the comparison says something


def test_expected_euler_characteristic_and_the_maximum_in_a_volume():
    """Gaussian fields; of the maximum the share above a height, against 1 − exp(−E)."""
    rng = np.random.default_rng(8)
    shape, n = (36, 30, 24), 600
    counted = np.array([2.0, 2.5, 3.0])
    high = np.array([3.5, 4.0])
    characteristics, maxima = [], []
    for _ in range(n):
        field = noise.smooth(rng, 1, shape, FWHM)[0]
        characteristics.append([noise.euler(field >= u) for u in counted])
        maxima.append(field.max())
    resels = lattice.resels(box(*shape), (FWHM,) * 3)
    theory = np.array([resels @ densities("z", u) for u in counted])
    mean = np.mean(characteristics, axis=0)
    error = np.std(characteristics, axis=0) / np.sqrt(n)
    assert np.all(np.abs(mean - theory) <= 4 * error + 0.03 * theory), (mean, theory, error)

    share = (np.array(maxima)[:, None] >= high).mean(axis=0)
    p = -np.expm1([-resels @ densities("z", u) for u in high])
    # 99.9 % of binomial shares; the lattice misses the very top, 5 % of p at a tenth of the FWHM
    assert np.all(np.abs(share - p) <= 3.3 * np.sqrt(p * (1 - p) / n) + 0.05 * p), (share, p)
