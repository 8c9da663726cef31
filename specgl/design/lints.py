"""Statistical warnings about a design that can be computed, with figures and what to do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from specgl.design.records import CategoricalColumn, ContinuousColumn, Design
from specgl.design.table import listed
from specgl.design.tabular import table_part
from specgl.errors import Finding

Array = NDArray[np.float64]

MAX_VIF = 5.0
MAX_DIFFERENCE = 0.5
LEVERAGE_FACTOR = 3.0
MIN_CELL = 3
MAX_RATIO = 4.0
MIN_DOF = 10
MAX_OFFSET = 1.0

_FORMULA = ("model", "formula")
_TINY = 1e-8


def lint(design: Design) -> tuple[Finding, ...]:
    """Statistical warnings about a design; none for one that leaves no degrees of freedom.

    What voxelwise covariates multiply has no part in collinearity, leverage and differences between groups:
    these differ from place to place.

    Notes
    -----
    ``W230`` collinearity: a term's variance inflation above 5, generalised to terms of several columns [1]_.
    ``W231`` a covariate's standardised difference between compared groups above 0.5 [2]_.
    ``W232`` leverage above 3 p / n [3]_.
    ``W233`` cells of fewer than 3 observations, or in a ratio beyond 4 : 1 [4]_.
    ``W234`` a continuous variable of two values.
    ``W237`` fewer than 10 residual degrees of freedom.
    ``W238`` an interaction with a covariate whose zero is more than a standard deviation from its mean [5]_.

    References
    ----------
    .. [1] Fox J, Monette G (1992). Generalized collinearity diagnostics. JASA 87:178-183.
       doi:10.1080/01621459.1992.10475190
    .. [2] Rubin DB (2001). Using propensity scores to help design observational studies. Health Services and
       Outcomes Research Methodology 2:169-188 (half a standard deviation). doi:10.1023/A:1020363010465
    .. [3] Velleman PF, Welsch RE (1981). Efficient computing of regression diagnostics. The American
       Statistician 35:234-242. doi:10.1080/00031305.1981.10479362
    .. [4] Box GEP (1954). Some theorems on quadratic forms applied in the study of analysis of variance
       problems, I. Annals of Mathematical Statistics 25:290-302 (why unequal cells make unequal variances
       matter; the ratio itself is a convention). doi:10.1214/aoms/1177728786
    .. [5] Schielzeth H (2010). Simple means to improve the interpretability of regression coefficients.
       Methods in Ecology and Evolution 1:103-113. doi:10.1111/j.2041-210X.2010.00012.x
    """
    if design.dof < 1:
        return ()
    table = table_part(design)
    return (
        *_collinearity(table),
        *_group_differences(table),
        *_leverage(table),
        *_cells(design),
        *_two_values(design),
        *_few_dof(design),
        *_uncentred_interactions(design),
    )


def inflation(design: Design) -> dict[str, float]:
    """Variance inflation of each term but the intercept.

    For a term of one column this is the VIF; for one of q columns the generalised VIF to the power 1 / q,
    which does not depend on how the term is coded and is comparable with it (Fox and Monette 1992,
    doi:10.1080/01621459.1992.10475190). It is taken about the mean when a constant is in the span of the
    design, and within blocks when their means are taken out.

    Returns
    -------
    dict
        Inflation by term, 1 where a term is orthogonal to all others; terms without any variation, and those
        that voxelwise covariates multiply, left out.
    """
    design = table_part(design)
    within = _within(design)
    norms = np.linalg.norm(within, axis=0)
    # A column that the blocks or the mean take away entirely has no variance to inflate.
    varies = norms > _TINY * np.linalg.norm(design.matrix, axis=0)
    if not varies.any():
        return {}
    # Canonical correlations of columns are those of R's columns, and R is small.
    small = np.linalg.qr(within[:, varies] / norms[varies]).R
    terms = np.array([regressor.term for regressor in design.regressors], dtype=object)[varies]
    values = {}
    for term in dict.fromkeys(terms):
        own, others = _basis(small[:, terms == term]), _basis(small[:, terms != term])
        rho = np.linalg.svd(own.T @ others, compute_uv=False)
        share = np.clip(1.0 - rho**2, np.finfo(np.float64).eps, 1.0)
        values[str(term)] = float(np.exp(-np.log(share).sum() / own.shape[1]))
    return values


def leverages(design: Design) -> Array:
    """Leverage of each observation: the diagonal of the projection onto the design and its blocks.

    Returns
    -------
    ndarray
        ``(n_obs,)`` between 0 and 1; their sum is ``design.rank``, or where voxelwise covariates multiply
        regressors, the rank of the others.
    """
    design = table_part(design)
    matrix, constant = design.matrix, np.zeros(design.matrix.shape[0])
    if design.block is not None:
        sizes = np.bincount(design.block.codes)
        constant = 1.0 / sizes[design.block.codes]
        matrix = _within_blocks(matrix, design.block.codes)
    basis = _basis(matrix, np.linalg.norm(design.matrix, axis=0))
    values: Array = constant + (basis**2).sum(axis=1)
    return values


@dataclass(frozen=True)
class _Comparison:
    """Two levels of a factor whose means a contrast compares."""

    contrast: str
    factor: CategoricalColumn
    first: int
    second: int


def _within_blocks(matrix: Array, codes: NDArray[np.int64]) -> Array:
    sizes = np.bincount(codes)[:, None]
    sums = np.zeros((len(sizes), matrix.shape[1]))
    np.add.at(sums, codes, matrix)
    within: Array = matrix - (sums / sizes)[codes]
    return within


def _basis(matrix: Array, norms: Array | None = None) -> Array:
    """Orthonormal basis of the columns' span, columns scaled first so that units do not matter."""
    norms = np.linalg.norm(matrix, axis=0) if norms is None else norms
    scaled = matrix / np.where(norms > 0, norms, 1.0)
    left, singular, _ = np.linalg.svd(scaled, full_matrices=False)
    basis: Array = left[:, singular > _TINY * max(1.0, singular.max(initial=0.0))]
    return basis


def _in_span(basis: Array, vector: Array) -> bool:
    return bool(np.linalg.norm(vector - basis @ (basis.T @ vector)) <= _TINY * np.linalg.norm(vector))


def _within(design: Design) -> Array:
    """Columns about what the model takes out anyway: the blocks' means, or the mean, or nothing."""
    matrix = design.matrix
    if design.block is not None:
        return _within_blocks(matrix, design.block.codes)
    if _in_span(_basis(matrix), np.ones(matrix.shape[0])):
        centred: Array = matrix - matrix.mean(axis=0)
        return centred
    return matrix


def _collinearity(design: Design) -> Iterator[Finding]:
    values = inflation(design)
    for term, value in values.items():
        if value <= MAX_VIF:
            continue
        names = [regressor.name for regressor in design.regressors if regressor.term == term]
        what = f"regressor `{names[0]}`" if len(names) == 1 else f"term `{term}` ({len(names)} regressors)"
        kind = "VIF" if len(names) == 1 else f"generalised VIF^(1/{len(names)})"
        partner, r = _closest(design, term)
        yield Finding(
            "W230",
            f"{what} is collinear with the others: {kind} {value:.1f}, more than {MAX_VIF:g}; its standard "
            f"error is {np.sqrt(value):.1f} times what it would be by itself",
            where=_FORMULA,
            help="centre the variables; otherwise leave one of those that say the same out, or test them "
            "together by an F",
            notes=() if partner is None else (f"it is closest to `{partner}` (r = {r:.2f})",),
        )


def _closest(design: Design, term: str) -> tuple[str | None, float]:
    """Regressor of another term that correlates most with one of this term's."""
    within = _within(design)
    norms = np.linalg.norm(within, axis=0)
    unit = within / np.where(norms > 0, norms, 1.0)
    own = np.array([regressor.term == term for regressor in design.regressors])
    r = unit[:, own].T @ unit[:, ~own]
    if r.size == 0:
        return None, 0.0
    k = int(np.abs(r).argmax())
    others = [regressor.name for regressor in design.regressors if regressor.term != term]
    return others[k % r.shape[1]], float(r.flat[k])


def _comparisons(design: Design) -> Iterator[_Comparison]:
    """Pairs of levels compared by a t contrast, whatever the coding.

    A contrast is a weighting of observations, ``c' beta = w' y``. It compares two levels' means when the
    weights of the first level's observations sum to k, those of the second's to -k, and those of every
    other level's to 0, where the model contains the levels' indicators.
    """
    basis = _basis(design.matrix)
    norms = np.linalg.norm(design.matrix, axis=0)
    scale = np.where(norms > 0, norms, 1.0)
    inverse = np.linalg.pinv(design.matrix / scale, rcond=_TINY)
    for column in design.columns.values():
        if not isinstance(column, CategoricalColumn):
            continue
        indicators = np.eye(len(column.levels))[column.codes]
        if not all(_in_span(basis, indicator) for indicator in indicators.T):
            continue
        for contrast in design.contrasts:
            if contrast.kind != "t":
                continue
            sums = indicators.T @ (inverse.T @ (contrast.weights[0] / scale))
            size = np.abs(sums).max()
            part = np.flatnonzero(np.abs(sums) > 1e-6 * size)
            if size > 1e-6 and len(part) == 2 and abs(sums.sum()) <= 1e-6 * size:
                yield _Comparison(contrast.name, column, int(part[0]), int(part[1]))


def _group_differences(design: Design) -> Iterator[Finding]:
    contrasts: dict[tuple[str, int, int], list[str]] = {}
    factors: dict[str, CategoricalColumn] = {}
    for comparison in _comparisons(design):
        key = (comparison.factor.name, comparison.first, comparison.second)
        contrasts.setdefault(key, []).append(comparison.contrast)
        factors[comparison.factor.name] = comparison.factor
    for (name, first, second), names in contrasts.items():
        factor = factors[name]
        for covariate in design.columns.values():
            if not isinstance(covariate, ContinuousColumn):
                continue
            raw = covariate.values * covariate.scale + covariate.center
            a, b = raw[factor.codes == first], raw[factor.codes == second]
            difference = standardised_difference(a, b)
            if abs(difference) <= MAX_DIFFERENCE:
                continue
            unit = "" if covariate.unit is None else f" {covariate.unit}"
            yield Finding(
                "W231",
                f"`{covariate.name}` differs between the groups that {_quoted(names)} compares: mean "
                f"{a.mean():.4g}{unit} in {factor.levels[first]!r}, {b.mean():.4g}{unit} in "
                f"{factor.levels[second]!r}, a standardised difference of {abs(difference):.2f} "
                f"(more than {MAX_DIFFERENCE:g})",
                where=("contrasts", names[0]),
                on_key=True,
                help="the adjusted difference rests on extrapolation along the fitted slope: match the "
                "groups, or say so with the result",
            )


def standardised_difference(a: Array, b: Array) -> float:
    """Difference of means over the root of the mean of both variances (n - 1).

    Austin PC (2009), Statistics in Medicine 28:3083-3107, doi:10.1002/sim.3697. It is 0 where there is no
    variance in either group or a group has a single observation.
    """
    if min(len(a), len(b)) < 2:
        return 0.0
    spread = np.sqrt((a.var(ddof=1) + b.var(ddof=1)) / 2)
    return float((a.mean() - b.mean()) / spread) if spread > 0 else 0.0


def _quoted(names: list[str]) -> str:
    return listed((repr(name) for name in names), 4)


def _leverage(design: Design) -> Iterator[Finding]:
    values = leverages(design)
    limit = LEVERAGE_FACTOR * design.rank / len(values)
    # A hair above, so that leverages equal to the limit do not depend on the last bit.
    far = np.flatnonzero(values > limit + _TINY)
    if not far.size:
        return
    worst = far[np.argsort(-values[far], kind="stable")]
    names = listed(f"{design.observations[k]} ({values[k]:.2f})" for k in worst)
    yield Finding(
        "W232",
        f"leverage above 3 p / n = {limit:.2f} ({design.rank} parameters, {len(values)} observations): "
        f"{names}",
        where=_FORMULA,
        help="the fit at every location leans on these observations: look for a slip in their covariates, "
        "and see whether the result stands without them",
    )


def _cells(design: Design) -> Iterator[Finding]:
    for names in _crossings(design):
        columns = [column for name in names if isinstance(column := design.columns[name], CategoricalColumn)]
        shape = tuple(len(column.levels) for column in columns)
        flat = np.ravel_multi_index([column.codes for column in columns], shape)
        present, counts = np.unique(flat, return_counts=True)
        labels = [
            ":".join(
                f"{column.name}[{column.levels[k]}]"
                for column, k in zip(columns, np.unravel_index(cell, shape), strict=True)
            )
            for cell in present
        ]
        where = ("variables", names[0])
        tiny = [f"{label} ({n})" for label, n in zip(labels, counts, strict=True) if n < MIN_CELL]
        if tiny:
            yield Finding(
                "W233",
                f"cells of fewer than {MIN_CELL} observations: {listed(tiny)}",
                where=where,
                on_key=True,
                help="one observation decides the mean of such a cell: merge levels, or leave them out",
            )
        low, high = int(counts.argmin()), int(counts.argmax())
        ratio = counts[high] / counts[low]
        if ratio > MAX_RATIO:
            yield Finding(
                "W233",
                f"cells are unbalanced, {ratio:.1f} to 1: {counts[high]} observations in {labels[high]}, "
                f"{counts[low]} in {labels[low]}",
                where=where,
                on_key=True,
                help="with cells so unequal, tests are off where the cells' variances differ as well",
            )


def _crossings(design: Design) -> list[tuple[str, ...]]:
    """Sets of factors that stand together in a term, those within a larger set left out."""
    sets = {
        frozenset(
            name for name, _ in regressor.factors if isinstance(design.columns.get(name), CategoricalColumn)
        )
        for regressor in design.regressors
    }
    largest = [s for s in sets if s and not any(s < other for other in sets)]
    order = {name: k for k, name in enumerate(design.columns)}
    return sorted((tuple(sorted(s, key=order.__getitem__)) for s in largest), key=lambda t: order[t[0]])


def _two_values(design: Design) -> Iterator[Finding]:
    for column in design.columns.values():
        if not isinstance(column, ContinuousColumn):
            continue
        raw = np.unique(column.values)
        if len(raw) == 2:
            low, high = raw * column.scale + column.center
            yield Finding(
                "W234",
                f"`{column.name}` is declared continuous and has two values only, {low:g} and {high:g}",
                where=("variables", column.name),
                on_key=True,
                help="declare it `type: categorical`, so that its levels' means can be asked for by name",
            )


def _few_dof(design: Design) -> Iterator[Finding]:
    if not 0 < design.dof < MIN_DOF:
        return
    needed = float(-special.stdtrit(design.dof, 0.0005))
    yield Finding(
        "W237",
        f"{design.dof} residual degrees of freedom ({len(design.observations)} observations, rank "
        f"{design.rank}): p = 0.001 (two-sided) takes |t| = {needed:.1f}, against "
        f"{-special.ndtri(0.0005):.1f} with many",
        where=_FORMULA,
        help="use fewer regressors, or more observations; the variance is poorly estimated at every location",
    )


def _uncentred_interactions(design: Design) -> Iterator[Finding]:
    terms: dict[str, list[str]] = {}
    for regressor in design.regressors:
        variables = [name for name, _ in regressor.factors]
        for name in variables if len(variables) > 1 else ():
            known = terms.setdefault(name, [])
            if regressor.term not in known:
                known.append(regressor.term)
    for name, names in terms.items():
        column = design.columns.get(name)
        if not isinstance(column, ContinuousColumn) or column.center != 0:
            continue
        mean, sd = float(column.values.mean()), float(column.values.std(ddof=1))
        if abs(mean) <= MAX_OFFSET * sd:
            continue
        yield Finding(
            "W238",
            f"`{name}` is not centred and interacts ({listed(names, 4)}): its 0 lies {abs(mean) / sd:.1f} "
            f"standard deviations from its mean of {mean * column.scale:.4g}, and that is where the "
            "coefficients of what it interacts with hold",
            where=("variables", name),
            on_key=True,
            help="write `center: mean`; hypotheses are about the mean anyway, but `weights`, backticked "
            "regressors and terms change with it",
        )
