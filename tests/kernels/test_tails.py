"""Tails of t, F and z against mpmath, against scipy where that is exact, and against their own laws."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import special

from specgl.kernels.tails import (
    ALTERNATIVES,
    chi2_tails,
    f_log_sf,
    f_tails,
    p_to_z,
    t_log_sf,
    t_tails,
    z_tails,
)

# Frozen from mpmath 1.4.1 with 60 digits: regularised incomplete beta functions, in the far tail through
# their leading factor and Gauss's hypergeometric series.
T_LOG_SF = [
    (1e-08, 1, -0.69314718692614305),
    (0.3, 1, -0.89838593146404099),
    (2.5, 1, -2.1109822278479942),
    (3.2, 1, -2.3391324038897875),
    (15, 1, -3.8542587229578656),
    (40, 1, -4.8338176168946644),
    (100000.0, 1, -12.657655350852962),
    (1e-08, 2, -0.69314718763101315),
    (0.3, 2, -0.92572804753140037),
    (2.5, 2, -2.7363592459048446),
    (3.2, 2, -3.1542488790470096),
    (15, 2, -6.1158872415854355),
    (40, 2, -8.0718430521053008),
    (100000.0, 2, -23.718998110650402),
    (1e-08, 3.7, -0.69314718802317633),
    (0.3, 3.7, -0.9412656664264354),
    (2.5, 3.7, -3.3267113047271834),
    (3.2, 3.7, -3.9970320055251478),
    (15, 3.7, -9.2641705038263814),
    (40, 3.7, -12.871872208047228),
    (100000.0, 3.7, -41.817318759058757),
    (1e-08, 26, -0.69314718846245765),
    (0.3, 26, -0.95898605346061795),
    (2.5, 26, -4.653443164375623),
    (3.2, 26, -6.3192056545714623),
    (15, 26, -31.982645248480143),
    (40, 26, -56.315282490920627),
    (100000.0, 26, -259.5384069479029),
    (1e-08, 1000, -0.69314718853679649),
    (0.3, 1000, -0.96202123237248478),
    (2.5, 1000, -5.0689080620409623),
    (3.2, 1000, -7.2519806808411653),
    (15, 1000, -105.0005778523114),
    (40, 1000, -481.8866575635933),
    (100000.0, 1000, -8063.4209416019113),
    (1e-08, 1000000.0, -0.69314718853878895),
    (2.5, 1000000.0, -5.0816354867669033),
    (3.2, 1000000.0, -7.2829443045388432),
    (15, 1000000.0, -116.11861824789724),
    (40, 1000000.0, -803.968324750342),
    (100000.0, 1000000.0, -4605228.0101323228),
]
F_LOG_TAILS = [
    (1e-06, 1, 26, -0.00079056350671626322, -7.143159822851727),
    (0.5, 1, 26, -0.72197873018591382, -0.66512364722760914),
    (1.7, 1, 26, -1.5910357197560424, -0.22779750327885745),
    (20, 1, 26, -8.9073302009390863, -0.00013540198995837611),
    (1000000.0, 1, 26, -139.11116082340424, -3.8440628811448986e-61),
    (1e-06, 2, 5.5, -9.9999981818186221e-7, -13.815511239782296),
    (0.5, 2, 5.5, -0.45939873282370703, -0.99875789430858495),
    (1.7, 2, 5.5, -1.3235837573740895, -0.30949105861655015),
    (20, 2, 5.5, -5.8106516427258186, -0.0029999728772234961),
    (1000000.0, 2, 5.5, -35.210759089775536, -5.1069502093607768e-16),
    (1e-06, 3, 200, -1.3871501984137242e-9, -20.396014412037783),
    (0.5, 3, 200, -0.38169645881758143, -1.1479146715168523),
    (1.7, 3, 200, -1.7821675909680265, -0.18425102256838754),
    (20, 3, 200, -24.52637647049117, -2.2301292701175405e-11),
    (1000000.0, 3, 200, -959.16014257772996, -2.7672144507608972e-417),
    (1e-06, 40, 2, -1.048156657667e-94, -216.39596568420572),
    (0.5, 40, 2, -0.16092446958854371, -1.9062035960864972),
    (1.7, 40, 2, -0.82106679589500372, -0.57975073746504582),
    (20, 40, 2, -3.0218458707200628, -0.04993760397174398),
    (1000000.0, 40, 2, -13.815511082964219, -9.9999997500000083e-7),
    (1e-06, 7, 5000, -6.9080016094386376e-21, -46.421606559608702),
    (0.5, 7, 5000, -0.18012008385984706, -1.8028401233279661),
    (1.7, 7, 5000, -2.2616963139007445, -0.11000866115183044),
    (20, 7, 5000, -59.649121171606434, -1.2437005454386788e-26),
    (1000000.0, 7, 5000, -18093.99475948015, -7.5495379299373404e-7859),
]
T_TO_Z = [
    (2.5, 26, 2.3444048440922828),
    (15, 26, 7.6179593905897618),
    (40, 26, 10.30096063069097),
    (100000.0, 26, 22.60527980127373),
    (100000.0, 1000, 126.9461159572276),
    (3.2, 3.7, 2.088639788275893),
]
DOF = st.one_of(st.integers(1, 3000).map(float), st.floats(1.0, 1e5))


@pytest.mark.parametrize(("t", "dof", "expected"), T_LOG_SF)
def test_t_agrees_with_mpmath(t: float, dof: float, expected: float) -> None:
    # Twenty times the worst seen, 1e-14: rounding of a logarithm whose argument spans 2000 powers of ten.
    assert_allclose(t_log_sf(t, dof), expected, rtol=2e-13)


@pytest.mark.parametrize(("f", "dof1", "dof2", "upper", "lower"), F_LOG_TAILS)
def test_f_agrees_with_mpmath(f: float, dof1: float, dof2: float, upper: float, lower: float) -> None:
    tails = f_tails(f, dof1, dof2)
    # The logarithm of a probability near 1 is small itself; it is known to the rounding of that probability.
    assert_allclose(tails.log_upper, upper, rtol=5e-13, atol=1e-300)
    assert_allclose(tails.log_lower, lower, rtol=5e-13, atol=1e-300)
    assert_array_equal(f_log_sf(f, dof1, dof2), tails.log_upper)


@pytest.mark.parametrize(("t", "dof", "expected"), T_TO_Z)
def test_z_of_t_agrees_with_mpmath(t: float, dof: float, expected: float) -> None:
    assert_allclose(t_tails(t, dof).z(), expected, rtol=1e-13)


@pytest.mark.parametrize("dof", [1.0, 7.0, 26.0, 400.0])
def test_p_agrees_with_scipy_where_nothing_underflows(dof: float) -> None:
    t = np.linspace(-12, 12, 97)
    upper, lower = special.stdtr(dof, -t), special.stdtr(dof, t)
    tails = t_tails(t, dof)
    # scipy's own error grows with the degrees of freedom, to some 1e-14 here.
    assert_allclose(tails.p("greater"), upper, rtol=1e-12)
    assert_allclose(tails.p("less"), lower, rtol=1e-12)
    assert_allclose(tails.p("two-sided"), 2 * np.minimum(upper, lower), rtol=1e-12)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=30), DOF)
@settings(max_examples=60)
def test_opposite_t_have_opposite_z_to_the_last_bit(values: list[float], dof: float) -> None:
    t = np.array(values)
    z = t_tails(t, dof).z()
    assert_array_equal(t_tails(-t, dof).z(), -z)
    assert_array_equal(np.sign(z), np.sign(np.where(np.abs(t) < 1e-15, z, t)))
    assert np.isfinite(z).all()
    assert_array_equal(t_tails(-t, dof).p("less"), t_tails(t, dof).p("greater"))
    assert_array_equal(t_tails(-t, dof).p("two-sided"), t_tails(t, dof).p("two-sided"))


@given(DOF)
@settings(max_examples=40)
def test_z_of_t_increases(dof: float) -> None:
    size = np.geomspace(1e-8, 1e6, 3000)
    t = np.concatenate([-size[::-1], [0.0], size])
    z = t_tails(t, dof).z()
    assert (np.diff(z) > 0).all()
    assert (np.abs(z) <= np.abs(t) * (1 + 1e-7)).all()  # the heavy tails of t can only lose; 1e-7: t of 1e-8


@given(st.integers(1, 40), DOF)
@settings(max_examples=40)
def test_z_of_f_increases_through_its_median(dof1: int, dof2: float) -> None:
    f = np.geomspace(1e-3, 1e6, 2000)
    tails = f_tails(f, dof1, dof2)
    z = tails.z()
    moving = np.minimum(tails.log_upper, tails.log_lower)[1:] > -700 * 3
    # A median is where both tails are one half, and z changes its sign there.
    assert (np.diff(z)[moving] > 0).all()
    assert_array_equal(z < 0, tails.log_upper > tails.log_lower)
    assert np.isfinite(z).all()


@given(st.floats(1e-3, 1e4), DOF)
@settings(max_examples=60)
def test_f_of_one_row_is_the_square_of_t(t: float, dof: float) -> None:
    two_sided = t_tails(t, dof)
    assert_allclose(f_tails(t * t, 1, dof).log_p("greater"), two_sided.log_p("two-sided"), rtol=1e-10)


def test_probabilities_go_on_where_float64_ends() -> None:
    tails = t_tails([50.0, 1e5, -1e5], 500)
    assert_allclose(tails.p("two-sided")[1:], 0.0)
    logp = tails.neg_log10_p("two-sided")
    assert np.isfinite(logp).all()
    assert logp[1] == logp[2] > 1000
    assert_allclose(z_tails(tails.z()).log_p("two-sided"), tails.log_p("two-sided"), rtol=1e-13)


def test_nothing_is_made_of_nothing() -> None:
    assert_array_equal(t_tails([np.nan, 1.0, 1.0], [5.0, 0.0, np.nan]).z(), [np.nan] * 3)
    assert_array_equal(t_tails([np.inf, -np.inf, 0.0, -0.0], 5).z(), [np.inf, -np.inf, 0.0, 0.0])
    assert_array_equal(f_tails([-1.0, np.nan], 2, 5).p("greater"), [np.nan] * 2)
    assert_array_equal(f_tails([0.0], 2, 5).p("greater"), [1.0])
    assert np.isfinite(f_tails([0.0], 2, 5).z()).all()
    assert_array_equal(np.signbit(t_tails([0.0], 5).neg_log10_p("two-sided")), [False])


def test_degrees_of_freedom_of_each_location() -> None:
    dof = np.array([3.0, 8.0, 90.0])
    together = t_tails([2.0, 3.0, 60.0], dof).z()
    assert_array_equal(together, [t_tails(t, d).z()[0] for t, d in zip([2.0, 3.0, 60.0], dof, strict=True)])


@pytest.mark.parametrize("alternative", ALTERNATIVES)
def test_ready_made_p_and_z_are_each_others_inverse(alternative: str) -> None:
    z = np.array([0.0, 0.5, 1.96, 5.0, 30.0])
    signed = -z if alternative == "less" else z
    assert_allclose(p_to_z(z_tails(signed).p(alternative), alternative), signed, rtol=1e-12, atol=1e-15)


def test_scipy_stats_is_not_loaded() -> None:
    code = "import sys, specgl.kernels.tails, specgl.kernels.ols; assert 'scipy.stats' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


@given(st.lists(st.floats(-1e4, 1e4), min_size=1, max_size=30))
@settings(max_examples=40)
def test_t_with_infinite_degrees_of_freedom_is_normal(values: list[float]) -> None:
    t = np.array(values)
    tails, normal = t_tails(t, np.inf), z_tails(t)
    assert_array_equal(tails.log_upper, normal.log_upper)
    assert_array_equal(tails.log_lower, normal.log_lower)
    # Beside others, a location's own degrees of freedom decide, and finite ones keep their bits.
    mixed = t_tails(np.concatenate([t, t]), np.repeat([np.inf, 7.0], t.size))
    assert_array_equal(mixed.z(), np.concatenate([tails.z(), t_tails(t, 7.0).z()]))


@pytest.mark.parametrize("dof1", [1.0, 2.0, 7.0, 40.0])
def test_f_with_infinite_degrees_of_freedom_is_chi_square(dof1: float) -> None:
    f = np.array([0.0, 1e-3, 0.4, 1.0, 3.0, 30.0, 2000.0])
    tails, chi2 = f_tails(f, dof1, np.inf), chi2_tails(f * dof1, dof1)
    assert_array_equal(tails.log_upper, chi2.log_upper)
    assert_array_equal(tails.log_lower, chi2.log_lower)
    near = f_tails(f[1:5], dof1, 1e9)
    # They differ by about (dof1 F)^2 / (4 dof2).
    assert_allclose(near.log_upper, tails.log_upper[1:5], rtol=1e-5, atol=1e-15)
    assert_allclose(near.z(), tails.z()[1:5], rtol=1e-5, atol=1e-7)
    mixed = f_tails(np.concatenate([f, f]), dof1, np.repeat([np.inf, 9.0], f.size))
    assert_array_equal(mixed.z(), np.concatenate([tails.z(), f_tails(f, dof1, 9.0).z()]))
    assert_array_equal(f_tails([-1.0, np.nan, np.inf], dof1, np.inf).p("greater"), [np.nan, np.nan, 0.0])
