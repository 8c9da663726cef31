"""From statistics to z, fast: tables that are made once and read billions of times.

Exact tails cost about a microsecond each. With given degrees of freedom a smooth curve leads from statistic
to z, and it is close to a straight line in the signed root of the log likelihood ratio (Wallace 1959,
doi:10.1214/aoms/1177706105): ``w**2 = dof * log(1 + t**2 / dof)``. The curve is tabled along w as a cubic
spline; where the degrees of freedom vary, each of its coefficients is a polynomial in ``1 / dof``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.interpolate import CubicSpline

from specgl.kernels.compiled import compiled
from specgl.kernels.statistics.protocol import NOUGHT
from specgl.kernels.tails import chi2_tails, f_tails, t_tails

Floats = NDArray[np.float64]

_KNOTS_A_UNIT = 32
_LARGEST = 64.0  # of w; a z beyond 40 is read from no table
_LARGEST_POWER = 600.0  # of w**2 / dof: the statistic's square is about its exponential
_SMALLEST_LOG = -16.0  # of log(w**2) for F: one location in thousands lies below
_DEGREES = (3, 5, 7, 9, 11, 13)
_GOAL = 1e-7
_ENOUGH = 8.0  # of w: one location in 1e15 lies beyond
_SAFETY = 4.0
_SIGNED = ("t", "v")
_LOWEST = -40.0  # of F: below the z of all that are not nought
_NEAR = 12  # of t: beyond are few locations
_NEAR_KNOTS = 64  # to a unit of t


def z_of(values: ArrayLike, kind: str, dof1: float, dof: ArrayLike) -> Floats:
    """Exact z of statistics.

    Parameters
    ----------
    values
        Statistics of any shape.
    kind
        ``t`` or ``v`` (signed), ``F`` or ``G`` (their upper tail).
    dof1
        Numerator degrees of freedom of F and G.
    dof
        Denominator degrees of freedom, a number or an array that broadcasts with `values`; where they are
        infinite, t is z itself and F times its numerator degrees of freedom a chi-square.

    Returns
    -------
    ndarray
        The standard normal deviates with the same tails, of the shape of `values` and `dof` together. An F or
        G of nought, give or take `NOUGHT`, has one z whatever its degrees of freedom: what rounding leaves of
        nought would be spread over many z, and some shuffles would seem to reach less than others.
    """
    stat, nu = np.broadcast_arrays(np.asarray(values, dtype=np.float64), np.asarray(dof, dtype=np.float64))
    flat, nus = stat.ravel(), nu.ravel()
    known = np.isinf(nus)  # a variance that is known and not estimated
    z = np.empty(flat.size)
    if kind in _SIGNED:
        z[~known] = t_tails(flat[~known], nus[~known]).z()
        z[known] = flat[known]
        return z.reshape(stat.shape)
    z[~known] = f_tails(flat[~known], dof1, nus[~known]).z()
    z[known] = chi2_tails(dof1 * flat[known], dof1).z()
    z[flat <= NOUGHT] = _LOWEST
    return z.reshape(stat.shape)


@dataclass(frozen=True, eq=False)
class ZSurface:
    """z of a statistic whose degrees of freedom vary within bounds.

    Attributes
    ----------
    kind, dof1
        The statistic, as `z_of` has it.
    start
        The first knot: of w, or of ``log(w**2)`` for F and G.
    middle, half
        Middle and half width of ``1 / dof``; a half width of 0 for constant degrees of freedom.
    coefficients
        ``(n_cells, 4, n_powers)``: a cubic in the place within the cell for each power of ``1 / dof``.
    error
        Largest error of the table, relative to ``max(1, |z|)``: measured between its knots, with a margin.
    """

    kind: str
    dof1: float
    start: float
    middle: float
    half: float
    coefficients: Floats
    error: float

    @property
    def signed(self) -> bool:
        """Whether the statistic has a sign (t, v)."""
        return self.kind in _SIGNED

    def exact(self, values: ArrayLike, inverse_dof: ArrayLike) -> Floats:
        """Exact z, as `z_of`, of the reciprocal of the degrees of freedom."""
        return z_of(values, self.kind, self.dof1, _reciprocal(np.asarray(inverse_dof, dtype=np.float64)))


def make_surface(kind: str, dof1: float, dof_low: float, dof_high: float) -> ZSurface:
    """Table z for all degrees of freedom between two bounds.

    Parameters
    ----------
    kind, dof1
        The statistic, as `z_of` has it.
    dof_low, dof_high
        Smallest and largest denominator degrees of freedom, positive; infinite where a variance is known.

    Returns
    -------
    ZSurface
        The table covers what its error (below 5e-7) allows: with one number of degrees of freedom everything
        up to ``z = 40`` or so, for wide bounds at least the z of all but the rarest locations.
    """
    low, high = 1 / dof_high, 1 / dof_low
    middle, half = (low + high) / 2, (high - low) / 2
    if half <= 1e-9 * middle:
        half = 0.0
    signed = kind in _SIGNED
    largest = min(_LARGEST, math.sqrt(_LARGEST_POWER / high)) if high > 0.0 else _LARGEST
    start, end = (0.0, largest) if signed else (_SMALLEST_LOG, 2 * math.log(largest))
    knots = start + np.arange(math.floor((end - start) * _KNOTS_A_UNIT) + 1) / _KNOTS_A_UNIT
    enough = min(_ENOUGH, largest) - 0.1
    for degree in _DEGREES if half else (0,):
        surface, reach = _tabled(kind, dof1, knots, middle, half, degree)
        if (reach if signed else math.exp(reach / 2)) >= enough:
            break
    return surface


def _tabled(
    kind: str, dof1: float, knots: Floats, middle: float, half: float, degree: int
) -> tuple[ZSurface, float]:
    """The table of one degree in ``1 / dof``, cut to where it is good, and the last knot of it."""
    nodes = np.cos(np.pi * (np.arange(degree + 1) + 0.5) / (degree + 1))
    values = _on_grid(kind, dof1, knots, middle + half * nodes)
    # Cubics in the place within each cell, for each node; then polynomials through the nodes.
    cubics = CubicSpline(np.arange(knots.size), values, axis=0).c[::-1]
    by_node = np.moveaxis(cubics, 2, 0).reshape(degree + 1, -1)
    by_power = np.linalg.solve(np.vander(nodes, increasing=True), by_node)
    table = np.transpose(by_power.reshape(degree + 1, 4, knots.size - 1), (2, 1, 0)).copy()
    whole = ZSurface(kind, float(dof1), float(knots[0]), middle, half, table, 0.0)
    between = (knots[:-1] + knots[1:]) / 2
    places = middle + half * np.linspace(-1, 1, 2 * degree + 3 if half else 1)
    exact = _on_grid(kind, dof1, between, places)
    stats = _statistics(kind, dof1, between, places)
    found = read_table(whole, stats.ravel(), np.broadcast_to(places, stats.shape).ravel())
    errors = np.abs(found.reshape(stats.shape) - exact) / np.maximum(1.0, np.abs(exact))
    worst = np.max(errors, axis=1)
    # The curves are steepest at the ends: what is good is one stretch about where w is 1.
    centre = int(np.searchsorted(between, 1.0 if kind in _SIGNED else 0.0))
    bad = np.flatnonzero(~(worst <= _GOAL))
    first = min(int(np.max(bad[bad <= centre], initial=-1)) + 1, worst.size - 1)
    last = max(int(np.min(bad[bad > centre], initial=worst.size)), first)
    error = _SAFETY * float(np.max(worst[first:last], initial=0.0)) + 1e-12
    part = ZSurface(kind, float(dof1), float(knots[first]), middle, half, table[first:last].copy(), error)
    return part, float(knots[last])


def _statistics(kind: str, dof1: float, places: Floats, inverse_dof: Floats) -> Floats:
    """Statistics at places of the table, ``(n_places, n_dof)``."""
    square = places[:, None] ** 2 if kind in _SIGNED else np.exp(places)[:, None]
    finite = np.where(inverse_dof > 0.0, inverse_dof, 1.0)
    # With infinite degrees of freedom the likelihood ratio's root is the statistic itself.
    ratio = np.where(inverse_dof > 0.0, np.expm1(square * inverse_dof) / finite, square)
    return np.sqrt(ratio) if kind in _SIGNED else ratio / dof1


def _on_grid(kind: str, dof1: float, places: Floats, inverse_dof: Floats) -> Floats:
    stats = _statistics(kind, dof1, places, inverse_dof)
    return z_of(stats, kind, dof1, _reciprocal(inverse_dof))


def _reciprocal(inverse_dof: Floats) -> Floats:
    """Degrees of freedom; infinite where their reciprocal is 0."""
    return np.divide(1.0, inverse_dof, out=np.full_like(inverse_dof, np.inf), where=inverse_dof > 0.0)


def read_table(surface: ZSurface, values: Floats, inverse_dof: Floats) -> Floats:
    """Find z ``(n,)`` of statistics ``(n,)`` by the table; NaN where they lie outside it."""
    found = np.empty(values.size)
    _read_all(
        np.ascontiguousarray(values, dtype=np.float64),
        np.ascontiguousarray(inverse_dof, dtype=np.float64),
        surface.signed,
        surface.dof1,
        surface.start,
        surface.middle,
        surface.half,
        surface.coefficients,
        found,
    )
    return found


@compiled
def z_at(
    value: float,
    inverse_dof: float,
    signed: bool,
    dof1: float,
    start: float,
    middle: float,
    half: float,
    table: Floats,
) -> float:
    """Find z of one statistic by a table; NaN outside it."""
    square = value * value if signed else dof1 * value
    if inverse_dof > 0.0:
        square = math.log1p(square * inverse_dof) / inverse_dof
    if not square > 0.0:
        return 0.0 if signed and square == 0.0 else math.nan
    place = (math.sqrt(square) if signed else math.log(square)) - start
    place *= _KNOTS_A_UNIT
    if not 0.0 <= place < table.shape[0]:
        return math.nan
    cell = int(place)
    step = place - cell
    shift = inverse_dof - middle
    if not abs(shift) <= half + 1e-9 * middle:
        return math.nan
    shift = shift / half if half > 0.0 else 0.0
    n_powers = table.shape[2]
    total = 0.0
    for power in range(3, -1, -1):
        inner = table[cell, power, n_powers - 1]
        for k in range(n_powers - 2, -1, -1):
            inner = inner * shift + table[cell, power, k]
        total = total * step + inner
    return -total if signed and value < 0.0 else total


@compiled
def _read_all(
    values: NDArray[np.floating],
    inverse_dof: Floats,
    signed: bool,
    dof1: float,
    start: float,
    middle: float,
    half: float,
    table: Floats,
    found: NDArray[np.floating],
) -> None:
    """Read the table at many places; `inverse_dof` of length 1 serves all."""
    one = inverse_dof.size == 1
    for i in range(values.size):
        u = inverse_dof[0] if one else inverse_dof[i]
        found[i] = z_at(values[i], u, signed, dof1, start, middle, half, table)


def _near_table(kind: str, dof1: float, dof: float) -> Floats:
    """Cubics ``(n_cells, 4)`` of z along the size of t itself; none for F, whose z has no such curve at 0."""
    if kind not in _SIGNED:
        return np.empty((0, 4))
    knots = np.arange(_NEAR * _NEAR_KNOTS + 1) / _NEAR_KNOTS
    z = z_of(knots, kind, dof1, dof)
    return CubicSpline(np.arange(knots.size), z).c[::-1].T.copy()


@compiled
def _read_near(values: NDArray[np.floating], table: Floats, found: NDArray[np.floating]) -> None:
    """Read z by the size of t below the table's end; NaN elsewhere."""
    for i in range(values.size):
        size = abs(float(values[i]))
        place = size * _NEAR_KNOTS
        if place < table.shape[0]:
            cell = int(place)
            step = place - cell
            z = table[cell, 3] * step + table[cell, 2]
            z = (z * step + table[cell, 1]) * step + table[cell, 0]
            found[i] = -z if values[i] < 0.0 else z
        else:
            found[i] = math.nan


@dataclass(frozen=True, eq=False)
class ZTable:
    """Statistics of constant degrees of freedom to z, for whole maps.

    The error is below 1e-6 relative to ``max(1, |z|)``, z rises with the statistic, and statistics beyond the
    table, however large, are converted exactly.

    Parameters
    ----------
    kind
        ``t`` or ``v`` (signed), ``F`` or ``G`` (their upper tail).
    dof1
        Numerator degrees of freedom of F and G.
    dof
        Denominator degrees of freedom, finite or not.
    """

    kind: str
    dof1: float
    dof: float
    surface: ZSurface | None = None
    near: Floats | None = None

    def __post_init__(self) -> None:
        if self.surface is None:
            surface = make_surface(self.kind, self.dof1, self.dof, self.dof)
            object.__setattr__(self, "surface", surface)
        if self.near is None:
            object.__setattr__(self, "near", _near_table(self.kind, self.dof1, self.dof))

    def __call__(
        self, values: NDArray[np.floating], out: NDArray[np.floating] | None = None
    ) -> NDArray[np.floating]:
        """Find z of a map of any shape, in its own type; NaN stays NaN.

        Parameters
        ----------
        values
            Statistics, float32 or float64.
        out
            Where to put the z, contiguous and of the same shape; may be `values` itself.
        """
        surface, near = self.surface, self.near
        assert surface is not None
        assert near is not None
        source = np.ascontiguousarray(values)
        result = np.empty_like(source) if out is None else out
        original = source.copy() if result is source else source
        flat, into = original.reshape(-1), result.reshape(-1)
        _read_near(flat, near, into)
        far = np.flatnonzero(np.isnan(into))
        if far.size:
            into[far] = read_table(surface, flat[far].astype(np.float64), np.array([1 / self.dof]))
        outside = far[np.isnan(into[far])]
        if outside.size:
            into[outside] = z_of(flat[outside], self.kind, self.dof1, self.dof)
        return result
