"""Corrected p-values of a family, and their logarithms beyond the reach of float64."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from specgl.kernels.multiplicity import Adjustment
from specgl.kernels.tails import Alternative, z_tails

Floats = NDArray[np.float64]

DEEP = 290.0
"""From this −log10 p on, float64 runs out: p is known by its z, and corrected in bands of decades."""

BAND = 150.0
MARGIN = 50.0
"""Decades of a band, and how far it is kept from 1: beyond any family's size, so that no cap is met."""

SMALLEST = float(np.nextafter(0.0, 1.0))
"""The smallest positive float64, so that no logarithm of 0 is ever asked for."""

_LOG_10 = float(np.log(10.0))


def neglog10(p: Floats, z: Floats, alternative: Alternative) -> Floats:
    """−log10 of p-values, finite where they underflow.

    Parameters
    ----------
    p
        p-values, (m,).
    z
        The statistics as standard normal deviates, which do not underflow, (m,).
    alternative
        Tail of z that p is of.

    Returns
    -------
    logs
        −log10 p, (m,); NaN where p is.
    """
    logs = 0.0 - np.log10(np.maximum(p, SMALLEST))
    deep = logs > DEEP
    logs[deep] = z_tails(z[deep]).neg_log10_p(alternative)
    return logs


def correct(p: Floats, logs: Floats, adjust: Adjustment) -> tuple[Floats, Floats]:
    """Corrected p-values and their −log10, finite even where p is 0 in float64.

    Far below 1 every correction is homogeneous: p-values 10^s times as large have corrected p-values 10^s
    times as large. So where p leaves the range of float64, the family is corrected again scaled by a power
    of ten, in as many bands of decades as are occupied, and the power is taken off the logarithm.

    Parameters
    ----------
    p
        p-values of the family, (m,).
    logs
        Their −log10, (m,), as from `neglog10`.
    adjust
        The correction.

    Returns
    -------
    corrected
        Corrected p-values, (m,).
    logp
        −log10 of these, (m,).
    """
    corrected = adjust(p)
    logp = 0.0 - np.log10(np.maximum(corrected, SMALLEST))
    deep = logs > DEEP
    band = np.floor((logs - DEEP) / BAND)
    for number in np.unique(band[deep]):
        here = deep & (band == number)
        shift = DEEP + number * BAND - MARGIN
        scaled = adjust(10.0 ** np.minimum(shift - logs, 0.0))
        logp[here] = shift - np.log10(scaled[here])
    return corrected, logp


def from_logs(logs: Floats) -> tuple[Floats, Floats]:
    """p-values and their −log10, (m,) each, of natural logarithms of p, (m,)."""
    return np.exp(logs), 0.0 - logs / _LOG_10
