"""True discoveries, bounded by what shuffles give: Simes' inequality, calibrated to the data's dependence.

Under a shuffle nothing is a discovery, and ``psi = min_k m p_(k) / k`` says how far p-values fall below the
line of Simes. Let lambda be the largest number that at most ``alpha J`` of the J shuffles stay below. Then no
more than ``k - 1`` true null hypotheses have ``p < k lambda / m``, for all k at once, with confidence
``1 - alpha`` (Blanchard, Neuvial and Roquain 2020, doi:10.1214/19-AOS1847). Shuffles are compared by
``-log10 psi``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from specgl.inference.asked import Permutation
from specgl.inference.discoveries import conclude_discoveries
from specgl.inference.families import families
from specgl.inference.permutation.measures import Simes
from specgl.inference.permutation.nulls import critical_value
from specgl.inference.permutation.observed import directed
from specgl.inference.permutation.outcomes import Case, shuffled_record
from specgl.inference.permutation.pvalues import make_null, slack_of
from specgl.inference.provisions import Regions
from specgl.inference.records import Discoveries, Inferred, Neighbourhood
from specgl.kernels.discoveries import bound, categories
from specgl.kernels.statistics import TIE

Floats = NDArray[np.float64]
Shuffles = NDArray[np.int64]

_LOG_10 = float(np.log(10.0))


@dataclass(frozen=True, eq=False)
class _Family:
    """Contrasts whose p-values make one family.

    Attributes
    ----------
    cases
        The contrasts.
    logs
        Natural logarithm of the p-value of each one's analysed locations, (m_i,).
    """

    cases: Sequence[Case]
    logs: Sequence[Floats]

    @property
    def size(self) -> int:
        """m: the number of p-values."""
        return sum(one.size for one in self.logs)

    def evidence(self) -> list[Floats]:
        """−log10 of ``m p`` at the analysed locations of each contrast, (m_i,)."""
        return [-(one + np.log(self.size)) / _LOG_10 for one in self.logs]


def conclude_calibrated(
    asked: Permutation, cases: Sequence[Case], space: Neighbourhood, regions: Regions | None
) -> tuple[Inferred, ...]:
    """Tell the true discoveries of every contrast.

    Parameters
    ----------
    asked
        The inference.
    cases
        Every contrast, in order.
    space
        What makes the locations neighbours.
    regions
        The regions, where the inference asks about them.

    Returns
    -------
    inferred
        A record for each contrast: a location's corrected p-value is the share of shuffles whose psi is at
        most m times its p-value.

    Raises
    ------
    ValueError
        When the inference does not say about which sets it is told, or lacks the regions it asks about.
    """
    return tuple(
        one for family in _families(asked, cases) for one in _concluded(asked, family, space, regions)
    )


def doubtful(asked: Permutation, cases: Sequence[Case]) -> list[list[Shuffles]]:
    """For each null of each contrast the shuffles that float32 cannot tell well enough.

    These may stand on either side of what a location must reach, or may be the one that lambda is read from.

    Parameters
    ----------
    asked
        The inference.
    cases
        Every contrast, in order; they have one null each.

    Returns
    -------
    shuffles
        By contrast and null. Of contrasts that share a null the first stands for all.
    """
    found = []
    for family in _families(asked, cases):
        first = family.cases[0]
        least, most = first.null.ends_of(first.measure, "simes")
        bars = np.sort(np.concatenate([one - slack_of(one, TIE) for one in family.evidence()]))
        low, high = critical_value(least, asked.alpha), critical_value(most, asked.alpha)
        open_ = (most >= low) & (least <= high)
        open_ |= np.searchsorted(bars, least, side="right") < np.searchsorted(bars, most, side="right")
        open_[0] = True  # the observed labelling is told exactly, also where it is pooled
        found.append([np.flatnonzero(open_ & (most > least))])
        found += [[np.empty(0, dtype=np.int64)] for _ in family.cases[1:]]
    return found


def _families(asked: Permutation, cases: Sequence[Case]) -> list[_Family]:
    return [_Family(one, [_logs(case) for case in one]) for one in families(list(cases), asked.across)]


def _logs(case: Case) -> Floats:
    """Logarithms of p as a shuffle's are computed, so that equal statistics have equal ones."""
    measure = case.measure
    assert isinstance(measure, Simes)
    heights = directed(case.observed.heights[measure.scale], case.observed.asks)
    return measure.reference.log_p(heights[case.maps.analysed])


def _concluded(
    asked: Permutation, family: _Family, space: Neighbourhood, regions: Regions | None
) -> list[Inferred]:
    """The contrasts of a family, which share lambda."""
    if asked.sets is None:
        raise ValueError(f"inference '{asked.name}' does not say about which sets of locations it is")
    first = family.cases[0]
    values = first.null.of(first.measure, "simes")
    null = make_null(values, "counts")
    critical = null.critical(asked.alpha)
    factor = _factor(family.size, critical)
    found = []
    for case, logs, evidence in zip(family.cases, family.logs, family.evidence(), strict=True):
        told = null.p_values(evidence, slack_of(evidence, TIE))
        least = np.ones(case.maps.p.size, dtype=np.int64)  # not looked at where nothing was analysed
        least[case.maps.analysed] = categories(np.exp(logs), factor, strict=True)
        at_least = bound(least[case.maps.analysed])
        inferred = conclude_discoveries(
            asked.name,
            asked.sets,
            case.maps,
            case.maps.spread(told.p),
            case.maps.spread(told.logp),
            least,
            asked.connectivity,
            space,
            regions,
            Discoveries("calibrated", factor, family.size, at_least),
        )
        shuffling = shuffled_record(case.scheme, "counts", critical)
        found.append(replace(inferred, null=values, shuffling=shuffling))
    return found


def _factor(m: int, critical: float) -> float:
    """``m / lambda``; infinite where lambda is too small for a number, and nothing lies below its lines."""
    if not np.isfinite(critical):  # nothing was analysed
        return float(m)
    # What is equal to lambda up to ties does not lie below it.
    exponent = critical + float(slack_of(np.array(critical), TIE))
    return m * 10.0**exponent if exponent < 290.0 else float("inf")
