"""Distributions fitted to a null distribution, so that a p-value may be told below one over its size.

The tail of a null distribution is fitted by a generalised Pareto distribution, or the whole of it by a gamma
distribution (Winkler et al. 2016, doi:10.1016/j.neuroimage.2016.05.068). No p-value that they give is 0: a
fitted distribution that ends below the largest value seen is put aside for one without an end.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

Floats = NDArray[np.float64]

FIRST, STEP = 751, 10
"""Thousandths of the null below the first tail that is tried, and by how much the next tail is shorter."""

LEAST = 10
"""Values in the shortest tail: two parameters are fitted, and a judgement of the fit needs some more."""

SHAPES = np.array([-0.9, -0.5, -0.2, -0.1, 0.0, 0.1, 0.2, 0.3, 0.4, 0.5])
FIVE_PERCENT = np.array([0.771, 0.830, 0.903, 0.935, 0.974, 1.020, 1.074, 1.140, 1.221, 1.321])
"""Values of A² that 5 % of samples from a generalised Pareto distribution surpass, by its shape k (above 0:
with an end), when both parameters are estimated: Choulakian and Stephens 2001, table 2
(doi:10.1198/00401700152672573). Some programs label these rows with the opposite sign; the tests draw samples
and find them as they stand here.

They are those of efficient estimates. Moments fit heavy tails (k < -0.2) worse, and the table then sends the
search on to a shorter tail, as it should: what is judged is whether the curve lies on the null."""

FIVE_PERCENT_EXPONENTIAL = 1.321
"""The same for the exponential distribution with its scale estimated: Stephens 1974,
doi:10.1080/01621459.1974.10480196."""

FLAT = 1e-8
"""Below this |k| the exponential's formula is exact to the last digits, and the other's is not."""

SYMMETRIC = 1e-6
"""Below this |skewness| the gamma distribution is the normal one to all digits that matter."""

_LOG_SMALLEST = -700.0  # natural logarithm below which a probability nears the end of float64


class Tail(Protocol):
    """A fitted tail.

    Attributes
    ----------
    start
        Where the fit begins to hold; above it p-values may be asked for.
    share
        Part of the null that lies above `start`.
    """

    @property
    def start(self) -> float:
        """Where the fit begins to hold."""
        ...

    @property
    def share(self) -> float:
        """Part of the null that lies above `start`."""
        ...

    def log_sf(self, values: ArrayLike) -> Floats:
        """Natural logarithm of the probability of at least these values."""
        ...

    def isf(self, p: float) -> float:
        """The value that is reached with probability `p`."""
        ...


@dataclass(frozen=True, slots=True)
class Pareto:
    """A generalised Pareto distribution of what exceeds a threshold.

    Attributes
    ----------
    start
        The threshold, in units of the statistic.
    share
        Part of the null above it, in (0, 1).
    shape
        k: 0 is the exponential distribution, above 0 there is an end at ``scale / k``.
    scale
        a, in units of the statistic.
    a2
        Anderson and Darling's statistic of the fit.
    """

    start: float
    share: float
    shape: float
    scale: float
    a2: float

    def log_sf(self, values: ArrayLike) -> Floats:
        """Natural logarithm of the probability of at least these values.

        Parameters
        ----------
        values
            Values above `start`, (m,).

        Returns
        -------
        log_p
            (m,), finite below the distribution's end, -inf beyond it.
        """
        excess = np.asarray(values, dtype=np.float64) - self.start
        log_p: Floats = np.log(self.share) + _log_sf(excess, self.shape, self.scale)
        return log_p

    def isf(self, p: float) -> float:
        """The value that is reached with probability `p`, which is at most `share`."""
        log = np.log(p / self.share)
        if abs(self.shape) < FLAT:
            return float(self.start - self.scale * log)
        return float(self.start - self.scale * np.expm1(self.shape * log) / self.shape)


@dataclass(frozen=True, slots=True)
class Gamma:
    """A Pearson type III distribution, the gamma distribution with a place of its own, or its mirror.

    Attributes
    ----------
    mean, sd
        Mean and standard deviation, in units of the statistic.
    skewness
        0 where it is too small to tell from the normal distribution.
    start
        -inf: the fit is of the whole null.
    share
        1.
    """

    mean: float
    sd: float
    skewness: float
    start: float = -np.inf
    share: float = 1.0

    def log_sf(self, values: ArrayLike) -> Floats:
        """Natural logarithm of the probability of at least these values.

        Parameters
        ----------
        values
            (m,).

        Returns
        -------
        log_p
            (m,), finite below the distribution's end, if it has one.
        """
        deviate = (np.asarray(values, dtype=np.float64) - self.mean) / self.sd
        if self.skewness == 0.0:
            return np.asarray(special.log_ndtr(-deviate), dtype=np.float64)
        alpha = 4.0 / self.skewness**2
        place = alpha * (1.0 + 0.5 * self.skewness * deviate)  # 0 at the end of the distribution
        if self.skewness < 0.0:
            with np.errstate(divide="ignore"):
                return np.log(special.gammainc(alpha, np.maximum(place, 0.0)))
        return _log_gamma_sf(alpha, np.maximum(place, 0.0))

    def isf(self, p: float) -> float:
        """The value that is reached with probability `p`."""
        if self.skewness == 0.0:
            return float(self.mean - self.sd * special.ndtri(p))
        alpha = 4.0 / self.skewness**2
        quantile = special.gammainccinv if self.skewness > 0.0 else special.gammaincinv
        return float(self.mean + self.sd * (quantile(alpha, p) / alpha - 1.0) * 2.0 / self.skewness)


def gpd_tail(null: Floats) -> Pareto | None:
    """Fit a generalised Pareto distribution to the longest tail that it fits.

    Tails from the highest quarter on, each a hundredth shorter, are fitted by moments (Hosking and Wallis
    1987, doi:10.1080/00401706.1987.10488243) until Anderson and Darling's test accepts one at 5 %
    (Knijnenburg et al. 2009, doi:10.1093/bioinformatics/btp211). A fit that ends below the largest value,
    and would give it the p-value 0, is replaced by an exponential one (k = 0), which is tested likewise.

    Parameters
    ----------
    null
        The null distribution, the observed value among it, (n,).

    Returns
    -------
    tail
        The fit, or None where none was accepted.
    """
    ascending = np.sort(null)
    n = ascending.size
    for thousandths in range(FIRST, 1000, STEP):
        below = thousandths * n // 1000
        if n - below < LEAST or below < 1:
            return None
        start = 0.5 * (ascending[below - 1] + ascending[below])
        excess = ascending[below:] - start
        excess = excess[excess > 0.0]  # equal shuffles on both sides of the cut are not in the tail
        if excess.size < LEAST:
            return None
        shape, scale, bound = _fit(excess)
        a2 = _anderson_darling(excess, shape, scale)
        if a2 <= bound:
            return Pareto(float(start), excess.size / n, shape, scale, a2)
    return None


def with_shape(tail: Pareto, shape: float, largest: float) -> Pareto:
    """The same tail with a shape that is known better than from its own values, and its mean kept.

    Parameters
    ----------
    tail
        A fit.
    shape
        The shape to have, for instance that of many locations pooled.
    largest
        The largest value that must not lie beyond the end.

    Returns
    -------
    tail
        The fit with that shape; exponential where it would end below `largest`.
    """
    mean = tail.scale / (1.0 + tail.shape)
    scale = mean * (1.0 + shape)
    if shape > 0.0 and scale / shape <= largest - tail.start:
        shape, scale = 0.0, mean
    return Pareto(tail.start, tail.share, shape, scale, tail.a2)


def gamma_tail(null: Floats) -> Gamma | None:
    """Pearson's type III distribution with the null's mean, variance and unbiased skewness.

    Parameters
    ----------
    null
        The null distribution, the observed value among it, (n,).

    Returns
    -------
    tail
        The fit; the normal distribution where the skewness is below `SYMMETRIC`, or so negative that the
        distribution would end below the null's largest value. None where the null has no spread, or fewer
        than three values.
    """
    n = null.size
    mean = float(np.mean(null))
    centred = null - mean
    second = float(np.mean(centred**2))
    if n < 3 or second <= (1e-12 * max(abs(mean), np.finfo(np.float64).tiny)) ** 2:
        return None
    sd = float(np.sqrt(second * n / (n - 1)))
    skewness = float(np.mean(centred**3) / second**1.5 * np.sqrt(n * (n - 1.0)) / (n - 2.0))
    ends = skewness < 0.0 and mean - 2.0 * sd / skewness <= null.max()
    return Gamma(mean, sd, 0.0 if ends or abs(skewness) < SYMMETRIC else skewness)


def _fit(excess: Floats) -> tuple[float, float, float]:
    """Shape and scale by moments, and the A² up to which they are accepted."""
    mean, variance = float(np.mean(excess)), float(np.var(excess, ddof=1))
    if variance <= (1e-12 * mean) ** 2:
        return 0.0, mean, -np.inf  # all in one place: no distribution to fit
    ratio = mean**2 / variance
    shape, scale = 0.5 * (ratio - 1.0), 0.5 * mean * (ratio + 1.0)
    if shape > 0.0 and scale / shape <= excess[-1]:
        return 0.0, mean, FIVE_PERCENT_EXPONENTIAL
    return shape, scale, float(np.interp(shape, SHAPES, FIVE_PERCENT))


def _log_sf(excess: Floats, shape: float, scale: float) -> Floats:
    """Natural logarithm of a generalised Pareto distribution's upper tail, (m,)."""
    if abs(shape) < FLAT:
        return np.asarray(-excess / scale, dtype=np.float64)
    with np.errstate(divide="ignore"):
        return np.asarray(np.log1p(np.maximum(-shape * excess / scale, -1.0)) / shape, dtype=np.float64)


def _anderson_darling(ascending: Floats, shape: float, scale: float) -> float:
    """Anderson and Darling's A² of a sample in ascending order."""
    n = ascending.size
    log_upper = _log_sf(ascending, shape, scale)
    log_lower = np.log(-np.expm1(log_upper))
    weights = 2.0 * np.arange(1, n + 1) - 1.0
    return float(-n - np.sum(weights * (log_lower + log_upper[::-1])) / n)


def _log_gamma_sf(alpha: float, place: Floats) -> Floats:
    """Natural logarithm of the gamma distribution's upper tail, finite where the tail underflows, (m,)."""
    with np.errstate(divide="ignore"):
        log_p = np.atleast_1d(np.log(special.gammaincc(alpha, place)))
    deep = log_p < _LOG_SMALLEST
    far = np.atleast_1d(place)[deep]
    # First terms of the expansion at infinity (Abramowitz and Stegun 1964, 6.5.32).
    log_p[deep] = (alpha - 1.0) * np.log(far) - far - special.gammaln(alpha) + np.log1p((alpha - 1.0) / far)
    return log_p.reshape(np.shape(place))
