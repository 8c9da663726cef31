"""What a statistic of one contrast can do once it is ready to be shuffled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from specgl.kernels.tails import Alternative

Floats = NDArray[np.float64]
Rows = NDArray[np.int32]
Signs = NDArray[np.int8]
Maps = NDArray[np.float32] | NDArray[np.float64]
Kind = Literal["t", "F", "v", "G"]
Scale = Literal["t", "z"]

BLOCK = 16
"""Shuffles of a map product that are computed together. A constant: bits of a map depend on a shuffle's place
in its block, so that callers submit runs which begin at multiples of it."""

TIE = 1e-9
"""Relative tolerance below which two statistics are equal: the same labelling, reached by another shuffle,
gives a statistic that differs in the last bits."""

NOUGHT = 1e-12
"""What a statistic of exactly zero may differ by: a relative tolerance means nothing there."""


@dataclass(frozen=True, eq=False)
class Scan:
    """What a set of shuffles gives, without their maps.

    Attributes
    ----------
    upper
        ``(B,)`` maximum over the analysed locations of each shuffle's statistic.
    lower
        ``(B,)`` maximum of its negative; NaN for a statistic without a sign.
    counts
        ``(n_loc,)`` how many of the shuffles reach the observed statistic, or ``None`` where nobody asked.
    """

    upper: Floats
    lower: Floats
    counts: NDArray[np.int64] | None


class ShuffledStatistic(Protocol):
    """The statistic of one contrast at all locations, ready to be shuffled.

    A shuffle says which row of the design each observation carries (``rows``) and with which sign
    (``signs``): ``(P A)[i] = signs[i] * A[rows[i]]``.

    Attributes
    ----------
    kind
        ``t`` or ``F``, or with variance groups ``v`` or ``G``.
    n_obs, n_loc
        Length of a shuffle, and number of locations.
    signed
        Whether the statistic has a sign (t and v).
    varying
        Whether degrees of freedom differ among locations or shuffles, so that only z can be compared.
    observed, observed_z
        ``(n_loc,)`` the statistic of the identity, and its z; 0 where a location is not analysed.
    """

    @property
    def kind(self) -> Kind: ...  # noqa: D102 # said above
    @property
    def n_obs(self) -> int: ...  # noqa: D102 # said above
    @property
    def n_loc(self) -> int: ...  # noqa: D102 # said above
    @property
    def signed(self) -> bool: ...  # noqa: D102 # said above
    @property
    def varying(self) -> bool: ...  # noqa: D102 # said above
    @property
    def observed(self) -> Floats: ...  # noqa: D102 # said above
    @property
    def observed_z(self) -> Floats: ...  # noqa: D102 # said above

    def scan(
        self, rows: Rows, signs: Signs | None, *, alternative: Alternative, count: bool, scale: Scale
    ) -> Scan:
        """Maxima over locations, and counts at each of them; no map is kept.

        Parameters
        ----------
        rows
            ``(B, n_obs)`` shuffles.
        signs
            ``(B, n_obs)`` or ``None``.
        alternative
            Direction of the counts; a statistic without a sign counts upwards.
        count
            Whether to count.
        scale
            Scale of the maxima; always z where `varying`.

        Returns
        -------
        Scan
            A function of each shuffle alone: neither ``B``, nor a shuffle's place, nor threads change a bit.
        """

    def fill(self, rows: Rows, signs: Signs | None, out: Maps, *, scale: Scale) -> None:
        """Write the shuffles' maps: many in float32, or a few in float64 that decide what those cannot.

        Parameters
        ----------
        rows, signs
            As for `scan`; for float32 beginning at a multiple of `BLOCK` of their set.
        out
            ``(B, n_loc)``, written to. float32 is rounded once from float64 (z twice, and by a table whose
            error is that of a rounding); float64 is exact, and a function of each shuffle alone.
        scale
            ``t`` (the statistic itself) or ``z``; always z where `varying`.
        """

    def values(self, rows: Rows, signs: Signs | None, locations: NDArray[np.integer]) -> Floats:
        """Statistics at a few locations.

        Parameters
        ----------
        rows, signs
            As for `scan`.
        locations
            ``(m,)`` which.

        Returns
        -------
        ndarray
            ``(B, m)`` in float64; z where `varying`.
        """
