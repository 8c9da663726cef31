"""Euler characteristic densities of random fields, in logarithms.

The densities are those of Worsley et al. 1996, doi:10.1002/(SICI)1097-0193(1996)4:1<58::AID-HBM4>3.0.CO;2-O,
table II, for a unit of smoothness (a resel), so that their sum over dimensions, weighted by resel counts, is
the expected Euler characteristic of the set where the field exceeds a height. They are products of powers,
exponentials and a polynomial; all but the polynomial is added up in logarithms, so that nothing under- or
overflows at heights that no float64 probability can tell.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from specgl.kernels import tails
from specgl.kernels.tails import chi2_log_sf, f_log_sf, t_log_sf

Floats = NDArray[np.float64]
Kind = Literal["z", "t", "F", "chi2"]

_LOG_A = float(np.log(4.0 * np.log(2.0)))  # variance of the derivative of a field with an FWHM of one
_LOG_2PI = float(np.log(2.0 * np.pi))
_LOG_2 = float(np.log(2.0))
_HUGE = 1e100  # its square, and the square of that over any degrees of freedom, is still a float64
_TINY = 1e-100


@dataclass(frozen=True, slots=True)
class Family:
    """What a random field is made of: independent Gaussian fields of one smoothness.

    Attributes
    ----------
    kind
        ``z``: one of them. ``t``: one over the root mean square of `dof` others. ``chi2``: the sum of `dof1`
        squares. ``F``: the mean of `dof1` squares over the mean of `dof` others.
    dof1
        Degrees of freedom of chi-square, and of the numerator of F.
    dof
        Degrees of freedom of t, and of the denominator of F.
    """

    kind: Kind
    dof1: float = 1.0
    dof: float = np.inf

    def exists_in(self, dimension: int) -> bool:
        """Whether the field has a value everywhere in a space of that many dimensions.

        A point where all Gaussian fields are zero at once would have none, and as many fields as dimensions
        have such points (Worsley 1994, doi:10.2307/1427576).
        """
        fields = {"z": np.inf, "t": 1.0 + self.dof, "F": self.dof1 + self.dof, "chi2": np.inf}
        return bool(fields[self.kind] > dimension)


def log_sf(family: Family, u: ArrayLike) -> Floats:
    """Natural logarithm of the probability that the field exceeds ``u`` at one place, ``(n,)``.

    Parameters
    ----------
    family
        The field.
    u
        Heights, ``(n,)``.

    Returns
    -------
    log_p
        ``(n,)``, finite where the probability underflows.
    """
    return _LOG_SF[family.kind](family, np.atleast_1d(np.asarray(u, dtype=np.float64)))


_LOG_SF: dict[str, Callable[[Family, Floats], Floats]] = {
    "z": lambda family, u: special.log_ndtr(-u),
    "t": lambda family, u: t_log_sf(u, family.dof),
    "F": lambda family, u: f_log_sf(u, family.dof1, family.dof),
    "chi2": lambda family, u: chi2_log_sf(u, family.dof1),
}


def height_at(family: Family, p: float) -> float:
    """Height that the field exceeds at one place with probability ``p``.

    Parameters
    ----------
    family
        The field.
    p
        A probability above 0 and below 1.

    Returns
    -------
    u
        The upper quantile.
    """
    return tails.height_at(family.kind, p, dof1=family.dof1, dof=family.dof)


def log_densities(family: Family, u: ArrayLike) -> tuple[Floats, Floats]:
    """Euler characteristic densities of the dimensions 0 to 3, per resel.

    Parameters
    ----------
    family
        The field.
    u
        Heights, ``(n,)``; those of F and chi-square are not negative.

    Returns
    -------
    logs
        Natural logarithms of their absolute values, ``(4, n)``; NaN in dimensions in which the field does not
        exist.
    signs
        Their signs, -1, 0 or 1, ``(4, n)``: those of the dimensions 2 and 3 change at low heights.
    """
    heights = np.atleast_1d(np.asarray(u, dtype=np.float64))
    base, scales, polynomials = _PARTS[family.kind](family, np.clip(heights, -_HUGE, _HUGE))
    d = np.arange(1, 4)[:, None]
    above = np.stack(np.broadcast_arrays(*polynomials))
    with np.errstate(divide="ignore"):  # a polynomial of 0 has the logarithm -inf and the sign 0
        logs = scales + base + (_LOG_A * d - _LOG_2PI * (d + 1)) / 2 + np.log(np.abs(above))
    logs[[not family.exists_in(dimension) for dimension in (1, 2, 3)]] = np.nan
    zeroth = log_sf(family, heights)[None]
    return np.concatenate([zeroth, logs]), np.concatenate([np.ones_like(zeroth), np.sign(above)])


_Parts = tuple[Floats, Floats, tuple[ArrayLike, Floats, Floats]]
"""What the densities of the dimensions 1 to 3 share, ``(n,)``, and what each has for itself, apart from
``(4 ln 2)^(d/2) / (2 pi)^((d+1)/2)``: a factor, ``(3, 1)`` or ``(3, n)``, and a polynomial; the first two as
logarithms."""


def _gauss(family: Family, u: Floats) -> _Parts:
    return -u * u / 2, np.zeros((3, 1)), (1.0, u, u * u - 1)


def _t(family: Family, u: Floats) -> _Parts:
    nu = family.dof
    base = -(nu - 1) / 2 * np.log1p(u * u / nu)
    second = _log_gamma_ratio(nu / 2, 0.5) - np.log(nu / 2) / 2
    return base, np.array([[0.0], [second], [0.0]]), (1.0, u, (nu - 1) / nu * u * u - 1)


def _chi2(family: Family, u: Floats) -> _Parts:
    k = family.dof1
    y = np.maximum(u, _TINY)
    base = -y / 2 - (k - 2) / 2 * _LOG_2 - special.gammaln(k / 2) + _LOG_2PI / 2
    powers = (k - np.arange(1, 4)[:, None]) / 2 * np.log(y)
    # The constant term is 0 for 1 and 2 degrees of freedom: in this form no digits are lost near y = 0.
    return base, powers, (1.0, y - (k - 1), y * (y - (2 * k - 1)) + (k - 1) * (k - 2))


def _f(family: Family, u: Floats) -> _Parts:
    k, v = family.dof1, family.dof
    x = np.clip(u * (k / v), _TINY, _HUGE)
    base = -(v + k - 2) / 2 * np.log1p(x) - special.gammaln(k / 2) + _LOG_2PI / 2
    # gamma((v + k - d) / 2) / gamma(v / 2), through a ratio whose argument does not fall below v / 2.
    odd, even = _log_gamma_ratio(v / 2, (k + 1) / 2), _log_gamma_ratio(v / 2, k / 2)
    first = odd - np.log((v + k - 1) / 2)
    scales = np.array(
        [
            [first + _LOG_2 / 2],
            [even - np.log(max(v + k - 2, _TINY) / 2)],
            [first - np.log(max(v + k - 3, _TINY) / 2) - _LOG_2 / 2],
        ]
    )
    powers = (k - np.arange(1, 4)[:, None]) / 2 * np.log(x)
    quadratic = x * ((v - 1) * (v - 2) * x - (2 * v * k - v - k - 1)) + (k - 1) * (k - 2)
    return base, scales + powers, (1.0, (v - 1) * x - (k - 1), quadratic)


_PARTS: dict[str, Callable[[Family, Floats], _Parts]] = {"z": _gauss, "t": _t, "F": _f, "chi2": _chi2}


def _log_gamma_ratio(a: float, b: float) -> float:
    """``log(gamma(a + b) / gamma(a))`` for positive arguments, through beta, which knows large ones."""
    return float(special.gammaln(b) - special.betaln(a, b))
