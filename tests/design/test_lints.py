from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from statsmodels.stats.outliers_influence import OLSInfluence, variance_inflation_factor

from specgl.design.lints import inflation, leverages, lint, standardised_difference
from specgl.design.records import (
    Block,
    CategoricalColumn,
    ContinuousColumn,
    Contrast,
    Design,
    Regressor,
    TypedColumn,
)
from specgl.errors import CATALOGUE, Finding

Array = NDArray[np.float64]
Part = tuple[str, str, tuple[tuple[str, str | None], ...], Array]  # regressor, term, factors, column


def factor(name: str, codes: Sequence[int], levels: str) -> CategoricalColumn:
    return CategoricalColumn(name, np.array(codes, dtype=np.int64), tuple(levels))


def make(
    parts: Sequence[Part],
    columns: Mapping[str, TypedColumn] | None = None,
    contrasts: Mapping[str, Sequence[float]] | None = None,
    block: Sequence[int] | None = None,
) -> Design:
    matrix = np.column_stack([part[3] for part in parts])
    within, n_blocks = matrix, 0
    if block is not None:
        indicators = np.eye(max(block) + 1)[list(block)]
        within = matrix - indicators @ np.linalg.pinv(indicators) @ matrix
        n_blocks = indicators.shape[1]
    rank = int(np.linalg.matrix_rank(within)) + n_blocks
    return Design(
        matrix=matrix,
        regressors=tuple(Regressor(name, term, factors) for name, term, factors, _ in parts),
        observations=tuple(f"s{k}" for k in range(len(matrix))),
        contrasts=tuple(
            Contrast(name, np.array([weights], dtype=np.float64), "t", "two-sided", (name,))
            for name, weights in (contrasts or {}).items()
        ),
        block=None
        if block is None
        else Block("pair", np.array(block, dtype=np.int64), tuple(map(str, range(n_blocks)))),
        rank=rank,
        dof=len(matrix) - rank,
        formula="x",
        columns=columns or {},
    )


def covariate(name: str, values: Array) -> Part:
    return (name, name, ((name, None),), values)


def intercept(n: int) -> Part:
    return ("Intercept", "Intercept", (), np.ones(n))


def only(findings: tuple[Finding, ...], code: str) -> list[Finding]:
    return [f for f in findings if f.code == code]


def test_every_code_has_its_entry() -> None:
    for code in ("W230", "W231", "W232", "W233", "W234", "W237", "W238"):
        assert len(CATALOGUE[code].explanation) > 100


def test_a_sound_design_has_no_warning() -> None:
    rng = np.random.default_rng(1)
    codes = [0, 1] * 20
    age = rng.uniform(-1, 1, 40)
    design = make(
        [intercept(40), ("g[T.b]", "g", (("g", "b"),), np.array(codes, float)), covariate("age", age)],
        {"g": factor("g", codes, "ab"), "age": ContinuousColumn("age", age)},
        {"diff": [0, 1, 0]},
    )
    assert lint(design) == ()
    assert lint(make([intercept(12)])) == ()


def test_no_degrees_of_freedom_no_warnings() -> None:
    assert lint(make([intercept(1)], {"age": ContinuousColumn("age", np.zeros(1))})) == ()


@settings(max_examples=40)
@given(st.integers(0, 10_000), st.integers(1, 4), st.integers(8, 30), st.floats(0.0, 3.0))
def test_inflation_is_the_vif_of_statsmodels(seed: int, p: int, n: int, mixing: float) -> None:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, p)) + mixing * rng.normal(size=(n, 1)) + 5
    design = make([intercept(n), *(covariate(f"x{k}", x[:, k]) for k in range(p))])
    expected = [variance_inflation_factor(design.matrix, k + 1) for k in range(p)]
    # Both go through another factorisation; the VIF amplifies rounding by its own size at most.
    np.testing.assert_allclose(list(inflation(design).values()), expected, rtol=1e-8)


@settings(max_examples=30)
@given(st.integers(0, 10_000))
def test_inflation_of_a_factor_does_not_depend_on_its_coding(seed: int) -> None:
    rng = np.random.default_rng(seed)
    codes = np.r_[[0, 1, 2], rng.integers(0, 3, 17)]
    x = rng.normal(size=20) + codes
    dummies = np.eye(3)[codes]
    recoding = rng.normal(size=(2, 2)) + 3 * np.eye(2)
    treatment = [(f"g{k}", "g", (("g", None),), dummies[:, k]) for k in (1, 2)]
    recoded = [(f"g{k}", "g", (("g", None),), (dummies[:, 1:] @ recoding)[:, k]) for k in (0, 1)]
    full = [(f"g{k}", "g", (("g", None),), dummies[:, k]) for k in range(3)]
    first = inflation(make([intercept(20), *treatment, covariate("x", x)]))
    for parts in ([intercept(20), *recoded, covariate("x", x)], [*full, covariate("x", x)]):
        other = inflation(make(parts))
        assert other["x"] == pytest.approx(first["x"], rel=1e-7)
        assert other["g"] == pytest.approx(first["g"], rel=1e-7)
    # By hand: det(R_gg) det(R_xx) / det(R), to the power 1 / 2 for two columns.
    r = np.corrcoef(np.column_stack([dummies[:, 1:], x]).T)
    by_hand = np.linalg.det(r[:2, :2]) / np.linalg.det(r)
    assert first["g"] == pytest.approx(np.sqrt(by_hand), rel=1e-7)
    assert first["x"] == pytest.approx(by_hand, rel=1e-7)


def test_inflation_without_an_intercept_is_about_zero() -> None:
    x = np.column_stack([np.linspace(1, 2, 12), np.cos(np.arange(12))])
    design = make([covariate("a", x[:, 0]), covariate("b", x[:, 1])])
    cosine = x[:, 0] @ x[:, 1] / np.linalg.norm(x[:, 0]) / np.linalg.norm(x[:, 1])
    assert inflation(design) == pytest.approx(dict.fromkeys("ab", 1 / (1 - cosine**2)), rel=1e-9)


def test_inflation_within_blocks_is_that_beside_their_indicators() -> None:
    rng = np.random.default_rng(3)
    block = np.repeat(np.arange(6), 3)
    x = rng.normal(size=(18, 2)) + rng.normal(size=(6, 1))[block]
    x[:, 1] += 2 * x[:, 0]
    design = make([intercept(18), covariate("a", x[:, 0]), covariate("b", x[:, 1])], block=list(block))
    whole = np.column_stack([np.eye(6)[block], x])
    within = whole[:, 6:] - np.eye(6)[block] @ np.linalg.lstsq(np.eye(6)[block], x, rcond=None)[0]
    r = np.corrcoef(within.T)[0, 1]
    assert inflation(design) == pytest.approx({"a": 1 / (1 - r**2), "b": 1 / (1 - r**2)})


def test_collinearity_names_the_regressor_the_value_and_its_partner() -> None:
    rng = np.random.default_rng(0)
    a = rng.normal(size=50)
    b = a + 0.2 * rng.normal(size=50)
    design = make(
        [intercept(50), covariate("age", a), covariate("years", b), covariate("fd", rng.normal(size=50))]
    )
    first, second = only(lint(design), "W230")
    assert first.message.startswith("regressor `age` is collinear")
    assert f"VIF {inflation(design)['age']:.1f}" in first.message
    assert first.notes[0].startswith("it is closest to `years` (r = 0.9")
    assert "`years`" in second.message


@settings(max_examples=30)
@given(st.integers(0, 10_000), st.booleans())
def test_leverages_are_the_projections_diagonal(seed: int, blocked: bool) -> None:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(12, 2)) * [1.0, 1e6]
    block = np.repeat(np.arange(4), 3) if blocked else None
    design = make(
        [intercept(12), covariate("a", x[:, 0]), covariate("b", x[:, 1])],
        block=None if block is None else list(block),
    )
    whole = design.matrix if block is None else np.column_stack([np.eye(4)[block], x])
    scaled = whole / np.linalg.norm(whole, axis=0)
    hat = np.diag(scaled @ np.linalg.pinv(scaled))
    np.testing.assert_allclose(leverages(design), hat, rtol=1e-9, atol=1e-12)
    assert leverages(design).sum() == pytest.approx(design.rank)


def test_leverage_names_the_observation() -> None:
    x = np.r_[np.linspace(-1, 1, 29), 30.0]
    (found,) = only(lint(make([intercept(30), covariate("age", x)])), "W232")
    assert "3 p / n = 0.20 (2 parameters, 30 observations): s29 (0.9" in found.message


def two_groups(codes: Sequence[int], age: Array, weights: Sequence[float], coding: str) -> Design:
    g = np.array(codes, float)
    columns: list[Part] = {
        "treatment": [intercept(len(g)), ("g", "g", (("g", "b"),), g)],
        "sum": [intercept(len(g)), ("g", "g", (("g", "a"),), 1 - 2 * g)],
        "cell_means": [("ga", "g", (("g", "a"),), 1 - g), ("gb", "g", (("g", "b"),), g)],
    }[coding]
    return make(
        [*columns, covariate("age", age - age.mean())],
        {
            "g": factor("g", codes, "ab"),
            "age": ContinuousColumn("age", age - age.mean(), float(age.mean()), unit="year"),
        },
        {"asked": weights},
    )


@pytest.mark.parametrize(
    ("coding", "weights", "compares"),
    [
        ("treatment", [0, 1, 0], True),
        ("treatment", [0, -2, 0], True),
        ("treatment", [1, 1, 0], False),
        ("treatment", [1, 0, 0], False),
        ("treatment", [0, 0, 1], False),
        ("sum", [0, 1, 0], True),
        ("sum", [1, 0, 0], False),
        ("cell_means", [-1, 1, 0], True),
        ("cell_means", [1, 0, 0], False),
        ("cell_means", [0.5, 0.5, 0], False),
    ],
)
def test_covariate_that_differs_is_told_under_every_coding(
    coding: str, weights: list[float], compares: bool
) -> None:
    rng = np.random.default_rng(2)
    codes = [0] * 15 + [1] * 15
    age = rng.normal(40, 5, 30) + 6 * np.array(codes)
    findings = only(lint(two_groups(codes, age, weights, coding)), "W231")
    assert bool(findings) is compares
    if compares:
        smd = abs(standardised_difference(age[:15], age[15:]))
        assert f"standardised difference of {smd:.2f}" in findings[0].message
        assert f"mean {age[:15].mean():.4g} year in 'a'" in findings[0].message
        assert findings[0].where == ("contrasts", "asked")


def test_balanced_covariates_are_not_told() -> None:
    codes = [0] * 15 + [1] * 15
    age = np.tile(np.linspace(20, 60, 15), 2)
    assert lint(two_groups(codes, age, [0, 1, 0], "treatment")) == ()


def test_only_the_compared_pair_of_three_levels_counts() -> None:
    codes = np.repeat([0, 1, 2], 12)
    dummies = np.eye(3)[codes]
    age = np.tile(np.linspace(-1, 1, 12), 3) + 3 * (codes == 2)
    parts = [(f"g{k}", "g", (("g", "abc"[k]),), dummies[:, k]) for k in range(3)]
    design = make(
        [*parts, covariate("age", age)],
        {"g": factor("g", list(codes), "abc"), "age": ContinuousColumn("age", age)},
        {"ab": [-1, 1, 0, 0], "ac": [-1, 0, 1, 0], "caAgain": [1, 0, -1, 0], "trend": [-1, -1, 2, 0]},
    )
    (found,) = only(lint(design), "W231")
    assert "'ac', 'caAgain'" in found.message


def test_standardised_difference_by_hand() -> None:
    a, b = np.array([1.0, 2.0, 3.0]), np.array([4.0, 6.0, 8.0])
    assert standardised_difference(a, b) == pytest.approx(-4 / np.sqrt((1 + 4) / 2))
    assert standardised_difference(a[:1], b) == 0
    assert standardised_difference(np.ones(3), np.zeros(3)) == 0


def crossed(codes_g: Sequence[int], codes_s: Sequence[int], *, interact: bool) -> Design:
    g, s = np.array(codes_g, float), np.array(codes_s, float)
    parts: list[Part] = [
        intercept(len(g)),
        ("g[T.b]", "g", (("g", "b"),), g),
        ("s[T.y]", "s", (("s", "y"),), s),
    ]
    if interact:
        parts.append(("g[T.b]:s[T.y]", "g:s", (("g", "b"), ("s", "y")), g * s))
    return make(parts, {"g": factor("g", codes_g, "ab"), "s": factor("s", codes_s, "xy")})


def test_cells_are_crossed_where_the_model_crosses_them() -> None:
    g = [0] * 20 + [1] * 12
    s = [0] * 10 + [1] * 10 + [0] * 10 + [1] * 2
    assert only(lint(crossed(g, s, interact=False)), "W233") == []
    tiny, ratio = only(lint(crossed(g, s, interact=True)), "W233")
    assert tiny.message == "cells of fewer than 3 observations: g[b]:s[y] (2)"
    assert ratio.message.startswith(
        "cells are unbalanced, 5.0 to 1: 10 observations in g[a]:s[x], 2 in g[b]:s[y]"
    )
    assert tiny.where == ("variables", "g")


def test_unbalanced_beyond_four_to_one() -> None:
    assert only(lint(crossed([0] * 16 + [1] * 4, [0, 1] * 10, interact=False)), "W233") == []
    (found,) = only(lint(crossed([0] * 17 + [1] * 4, [0, 1] * 10 + [0], interact=False)), "W233")
    assert "4.2 to 1" in found.message


def test_two_values_are_no_continuum() -> None:
    raw = np.array([1.0, 2.0] * 10)
    column = ContinuousColumn("sex", (raw - 1.5) / 0.5, 1.5, 0.5)
    (found,) = lint(make([intercept(20), covariate("sex", column.values)], {"sex": column}))
    assert found.code == "W234"
    assert "two values only, 1 and 2" in found.message
    assert found.where == ("variables", "sex")


def test_few_degrees_of_freedom() -> None:
    (found,) = lint(make([intercept(10)]))
    assert found.code == "W237"
    assert "9 residual degrees of freedom (10 observations, rank 1)" in found.message
    assert "|t| = 4.8, against 3.3" in found.message
    assert lint(make([intercept(11)])) == ()


@pytest.mark.parametrize(
    ("offset", "center", "told"), [(40.0, 0.0, True), (0.0, 0.0, False), (40.0, 10.0, False)]
)
def test_interaction_with_an_uncentred_covariate(offset: float, center: float, told: bool) -> None:
    rng = np.random.default_rng(4)
    codes = [0, 1] * 20
    age = rng.uniform(-10, 10, 40) + offset
    g = np.array(codes, float)
    design = make(
        [
            intercept(40),
            ("g[T.b]", "g", (("g", "b"),), g),
            covariate("age", age),
            ("g[T.b]:age", "g:age", (("g", "b"), ("age", None)), g * age),
        ],
        {"g": factor("g", codes, "ab"), "age": ContinuousColumn("age", age, center)},
    )
    findings = only(lint(design), "W238")
    assert bool(findings) is told
    if told:
        assert "(g:age)" in findings[0].message
        assert findings[0].where == ("variables", "age")


def test_leverage_agrees_with_statsmodels() -> None:
    sm = pytest.importorskip("statsmodels.api")
    rng = np.random.default_rng(5)
    x = rng.normal(size=30)
    design = make([intercept(30), covariate("x", x)])
    influence = OLSInfluence(sm.OLS(rng.normal(size=30), design.matrix).fit())
    np.testing.assert_allclose(leverages(design), influence.hat_matrix_diag, rtol=1e-10)
