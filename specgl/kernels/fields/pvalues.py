"""p-values of peaks and of clusters in a random field, in logarithms (Worsley 1996; Friston 1994)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import gammaln

from specgl.kernels.fields.densities import Family, log_densities, log_sf

Floats = NDArray[np.float64]

_GRID = 2048  # heights at which turning points are looked for, and at which fields are compared
_FAR = -50.0  # log p beyond which no expected Euler characteristic turns
_FARTHEST = 1e90  # beyond it heights are no longer told apart


@dataclass(frozen=True, slots=True)
class PeakField:
    """A field over a mask, whose peaks are looked at.

    Attributes
    ----------
    family
        What the field is made of.
    resels
        Resel counts of the mask, of the dimensions 0 to 3.
    tails
        2 where both signs count, else 1.
    """

    family: Family
    resels: tuple[float, float, float, float]
    tails: int = 1


@dataclass(frozen=True, slots=True)
class FormedClusters:
    """Clusters that a field is expected to form above a height.

    Attributes
    ----------
    log_number
        Natural logarithm of their expected number, over all tails; -inf where the approximation gives none.
    log_resels
        Natural logarithm of a cluster's expected extent in resels; NaN where the approximation gives none.
    dimension
        Dimension in which they extend.
    """

    log_number: float
    log_resels: float
    dimension: int

    @property
    def told(self) -> bool:
        """Whether the approximation says anything at this height: it has no negative number in it."""
        return bool(np.isfinite(self.log_number) and not np.isnan(self.log_resels))

    @classmethod
    def above(cls, u: float, field: PeakField, dimension: int) -> FormedClusters:
        """What is expected above a height.

        The expected number of clusters is the expected Euler characteristic; their total extent is that of
        the excursion set, ``rho_0 R_D``, and so each one's is ``rho_0 / rho_D`` where clusters are many.

        Parameters
        ----------
        u
            Cluster-forming threshold, on the field's scale.
        field
            The field.
        dimension
            Number of axes along which the mask is thicker than one voxel.
        """
        # Where a chi-square or an F is low, what exceeds it has hollows, and the count is positive again: the
        # threshold has to lie beyond the last height at which it is not.
        far = max(_height_beyond(field.family, _FAR), u)
        heights = np.sinh(np.linspace(np.arcsinh(u), np.arcsinh(far), _GRID // 4))
        logs, signs = log_densities(field.family, np.append(u, heights))
        numbers = log_expected(field.family, field.resels, np.append(u, heights)) + np.log(field.tails)
        known = u > 0 and bool(np.all(signs[dimension] > 0)) and bool(np.isfinite(numbers).all())
        extent = float(logs[0, 0] - logs[dimension, 0]) if known else np.nan
        return cls(float(numbers[0]), extent, dimension)

    def log_tail(self, extents: ArrayLike) -> Floats:
        """Natural logarithm of the probability that a cluster is at least so large.

        ``exp(-beta k^(2/D))`` with ``beta = (gamma(D/2 + 1) / E[k])^(2/D)``: above a high threshold a cluster
        is a paraboloid whose height is exponential (Friston 1994, doi:10.1002/hbm.460010306).

        Parameters
        ----------
        extents
            Resels of clusters, ``(n,)``.

        Returns
        -------
        log_p
            ``(n,)``, at most 0.
        """
        k = np.atleast_1d(np.asarray(extents, dtype=np.float64))
        if self.dimension == 0 or not self.told:
            return np.zeros(k.shape)
        with np.errstate(divide="ignore"):
            ratio = gammaln(self.dimension / 2 + 1) - self.log_resels + np.log(k)
        return 0.0 - np.exp(ratio * 2 / self.dimension)


def log_any(log_number: ArrayLike) -> Floats:
    """``log(1 - exp(-E))``: the probability of at least one, where ``E`` are expected (Poisson).

    Parameters
    ----------
    log_number
        Natural logarithm of the expected number, ``(n,)``.

    Returns
    -------
    log_p
        ``(n,)``, finite where the probability underflows.
    """
    logs = np.atleast_1d(np.asarray(log_number, dtype=np.float64))
    many = np.exp(np.clip(logs, -30.0, 30.0))
    # Below the clip 1 - exp(-E) is E itself, to the last digit.
    found: Floats = np.where(logs > -30.0, np.log(-np.expm1(-many)), logs)
    return found


def log_expected(family: Family, resels: Sequence[float], u: ArrayLike) -> Floats:
    """Natural logarithm of the expected Euler characteristic of the set above ``u``.

    Parameters
    ----------
    family
        The field.
    resels
        Resel counts of the mask, ``(4,)``.
    u
        Heights, ``(n,)``.

    Returns
    -------
    log_number
        ``(n,)``; -inf where the expectation is not positive.
    """
    counts = np.asarray(resels, dtype=np.float64)[:, None]
    logs, signs = log_densities(family, u)
    weighed = np.where(counts == 0, 0.0, signs * np.sign(counts))
    with np.errstate(divide="ignore"):
        logs = np.where(weighed == 0, -np.inf, logs + np.log(np.abs(counts)))
        greatest = np.max(logs, axis=0)
        scale = np.where(np.isfinite(greatest), greatest, 0.0)
        found: Floats = scale + np.log(np.maximum(np.sum(weighed * np.exp(logs - scale), axis=0), 0.0))
    return found


def log_peak_p(
    u: ArrayLike, log_p: ArrayLike, field: PeakField, others: Sequence[PeakField] = (), *, n: int
) -> Floats:
    """Natural logarithm of the corrected p-value of peaks, which never rises with their height.

    The probability that any of the fields exceeds somewhere what is as unlikely as the peak:
    ``1 - exp(-E)`` with the greatest expected Euler characteristic of any height from the peak's on, or
    Bonferroni's bound, whichever is smaller; and never below the uncorrected p-value, since the whole cannot
    be less likely than one place of it.

    Parameters
    ----------
    u
        Heights, ``(n_loc,)``: the size of the statistic where both signs count, else the statistic in the
        direction of the test. Below 0 they count as 0.
    log_p
        Natural logarithms of the uncorrected p-values, of all tails, ``(n_loc,)``.
    field
        The field that the heights are of.
    others
        Fields of the same family of tests. The height in each that has the same uncorrected p-value counts.
    n
        Locations of all fields together.

    Returns
    -------
    log_corrected
        ``(n_loc,)``, at most 0.
    """
    given = np.atleast_1d(np.asarray(u, dtype=np.float64))
    heights = np.maximum(given, 0.0)
    single = np.atleast_1d(np.asarray(log_p, dtype=np.float64))
    own = _log_greatest(field, heights)
    number = own
    for other in others:
        there = own if other == field else _log_at_p(other, single)
        number = np.logaddexp(number, there)
    corrected = np.minimum(log_any(number), single + np.log(n))
    corrected = np.minimum(np.maximum(corrected, single), 0.0)
    # The last bits of neighbouring heights may stand in the wrong order.
    order = np.argsort(-given, kind="stable")
    monotone: Floats = np.empty_like(corrected)
    monotone[order] = np.maximum.accumulate(corrected[order])
    return monotone


def log_cluster_p(
    extents: ArrayLike, formed: FormedClusters, others: Sequence[FormedClusters] = ()
) -> Floats:
    """Natural logarithm of the corrected p-value of clusters by their extent.

    Parameters
    ----------
    extents
        Resels of clusters, ``(n_clusters,)``.
    formed
        What their field is expected to form.
    others
        The same of other fields of the same family of tests: clusters as unlikely as these count there.

    Returns
    -------
    log_corrected
        ``(n_clusters,)``, at most 0; 0 where any of the fields has a threshold too low for the approximation.
    """
    tail = formed.log_tail(extents)
    if not all(one.told for one in (formed, *others)):
        return np.zeros(tail.shape)
    return log_any(tail + np.logaddexp.reduce([one.log_number for one in (formed, *others)]))


def _log_greatest(field: PeakField, u: Floats) -> Floats:
    """Logarithm of the greatest expected number of any height from ``u`` on, over all tails, ``(n,)``."""
    dimension = int(np.max(np.flatnonzero(field.resels), initial=0))
    if not field.family.exists_in(dimension):
        return np.full(u.shape, np.inf)
    heights, greatest = _turning_points(field)
    rest = greatest[np.searchsorted(heights, u)]
    found: Floats = np.maximum(log_expected(field.family, field.resels, u), rest) + np.log(field.tails)
    return found


@lru_cache(maxsize=64)
def _turning_points(field: PeakField) -> tuple[Floats, Floats]:
    """Heights at which the expected number has a maximum, ascending, and the greatest from each on.

    The second has one entry more, for heights beyond the last.
    """
    from scipy.optimize import minimize_scalar  # slow to import, and few runs get here

    def below(s: float) -> float:
        return -float(log_expected(field.family, field.resels, np.sinh(s))[0])

    grid = np.linspace(0.0, np.arcsinh(_height_beyond(field.family, _FAR)), _GRID)
    value = log_expected(field.family, field.resels, np.sinh(grid))
    inner = np.flatnonzero(
        (value[1:-1] >= value[:-2]) & (value[1:-1] >= value[2:]) & np.isfinite(value[1:-1])
    )
    tops = []
    for i in inner + 1:
        refined = minimize_scalar(below, bounds=(grid[i - 1], grid[i + 1]), method="bounded")
        tops.append((float(np.sinh(refined.x)), max(-float(refined.fun), float(value[i]))))
    # With as few degrees of freedom as dimensions the expectation rises to a limit and never turns.
    tops.append((float(np.sinh(grid[-1])), float(value[-1])))
    heights, values = np.array(sorted(tops)).T
    return heights, np.append(np.maximum.accumulate(values[::-1])[::-1], -np.inf)


def _log_at_p(field: PeakField, log_p: Floats) -> Floats:
    """Logarithm of the field's greatest expected number at the height with that uncorrected p, ``(n,)``.

    Read from a curve: log of the expected number against log p is nearly a straight line, so that between two
    thousand points of it nothing is lost that anybody could see (an error below 1e-6 of the number).
    """
    from scipy.interpolate import PchipInterpolator  # slow to import, and few runs get here

    deepest = float(np.min(log_p, initial=_FAR))
    s = np.linspace(0.0, np.arcsinh(_height_beyond(field.family, deepest - np.log(field.tails))), _GRID)
    heights = np.sinh(s)
    p = np.minimum(log_sf(field.family, heights) + np.log(field.tails), 0.0)
    number = _log_greatest(field, heights)
    if not np.isfinite(number).all():
        return np.full(log_p.shape, np.inf)
    p, first = np.unique(p, return_index=True)
    curve = PchipInterpolator(p, number[first])
    found: Floats = curve(np.clip(log_p, p[0], p[-1]))
    return found


def _height_beyond(family: Family, log_p: float) -> float:
    """A height with at most that log p, or one beyond which heights are not told apart."""
    height = 1.0
    while height < _FARTHEST and log_sf(family, height)[0] > log_p:
        height *= 1.5
    return height
