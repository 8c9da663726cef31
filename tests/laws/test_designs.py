"""What a hypothesis means does not depend on how the design is written."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import pytest
import xarray as xr
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy import stats

import specgl
from specgl.design import Categorical, Continuous, ContrastRequest, Design
from specgl.errors import DesignError
from specgl.kernels.ols import factorise

Asked = Callable[..., ContrastRequest]
Fitted = Callable[[np.ndarray, Design], xr.Dataset]

SEEDS = st.integers(0, 2**32 - 1)
CODINGS = ("treatment", "sum", "helmert", "polynomial")
LEVELS = ("c", "a", "b")
N = 24
# Designs of condition number below 100, computed in float64 through different matrices; the atol is for
# values that are themselves next to 0.
CLOSE = {"rtol": 1e-8, "atol": 1e-10}


def table(seed: int) -> dict[str, list[object]]:
    """Unequal cells of two factors, none of them empty, and two covariates."""
    rng = np.random.default_rng(seed)
    cells = [*itertools.product(LEVELS, "FM")]
    drawn = [cells[i] for i in [*range(6), *range(6), *rng.integers(0, 6, N - 12)]]
    return {
        "id": [f"s{i:02d}" for i in range(N)],
        "group": [group for group, _ in drawn],
        "sex": [sex for _, sex in drawn],
        "age": np.round(rng.normal(40, 10, N), 2).tolist(),
        "iq": np.round(rng.normal(100, 15, N), 1).tolist(),
    }


def values(seed: int) -> np.ndarray:
    return np.random.default_rng([seed, 1]).standard_normal((N, 4)) + 0.5


def same_tests(maps: xr.Dataset, reference: xr.Dataset) -> None:
    assert maps["contrast"].values.tolist() == reference["contrast"].values.tolist()
    assert maps["dof1"].values.tolist() == reference["dof1"].values.tolist()
    assert float(maps["dof"]) == float(reference["dof"])
    for name in ("effect", "variance", "stat", "z", "p"):
        assert_allclose(maps[name], reference[name], **CLOSE, err_msg=name)


@given(SEEDS, st.sampled_from(CODINGS), st.sampled_from(CODINGS), st.permutations(LEVELS))
@settings(max_examples=12)
def test_recodings_leave_every_hypothesis(
    laboratory, fitted: Fitted, asked: Asked, seed: int, of_group: str, of_sex: str, levels: list[str]
) -> None:
    """Means, differences, slopes at a level and their F, under an interaction and any reference level."""
    contrasts = [
        asked("grand", "mean"),
        asked("one", "group[b]"),
        asked("difference", "group[b] - group[a]"),
        asked("cells", "group[b]:sex[M] - group[a]:sex[F]"),
        asked("slope", "age"),
        asked("slopeAtLevel", "age:group[a] - age:group[c]"),
        asked("anyGroup", "group[a] - group[c]", "group[b] - group[c]"),
        asked("interaction", term="group:sex"),
        asked("slopes", term="group:age"),
    ]
    formula = "group * sex + group * age"

    def maps(group: Categorical, sex: Categorical) -> xr.Dataset:
        design = laboratory.design(table(seed), formula, contrasts, group=group, sex=sex, age=Continuous())
        return fitted(values(seed), design)

    reference = maps(Categorical(LEVELS), Categorical(("F", "M")))
    recoded = maps(Categorical(tuple(levels), of_group), Categorical(("M", "F"), of_sex))
    same_tests(recoded, reference)


@given(SEEDS, st.sampled_from(CODINGS), st.permutations(LEVELS))
@settings(max_examples=8)
def test_recodings_leave_the_f_of_a_term(
    laboratory, fitted: Fitted, asked: Asked, seed: int, coding: str, levels: list[str]
) -> None:
    """Without interactions, a factor's term says that its levels are equal, and so does a list."""
    contrasts = [
        asked("term", term="group"),
        asked("list", "group[a] - group[b]", "group[b] - group[c]", "group[c] - group[a]"),
    ]

    def maps(group: Categorical) -> xr.Dataset:
        design = laboratory.design(table(seed), "group + age", contrasts, group=group, age=Continuous())
        return fitted(values(seed), design)

    reference, recoded = maps(Categorical(LEVELS)), maps(Categorical(tuple(levels), coding))
    same_tests(recoded, reference)
    # The third row of the list follows from the first two.
    assert recoded["dof1"].values.tolist() == [2, 2]
    assert_allclose(recoded["stat"][1], recoded["stat"][0], **CLOSE)


@given(SEEDS, st.permutations(LEVELS))
@settings(max_examples=8)
def test_cell_means_without_an_intercept_are_the_same_model(
    laboratory, fitted: Fitted, asked: Asked, seed: int, levels: list[str]
) -> None:
    contrasts = [
        asked("grand", "mean"),
        asked("one", "group[c]"),
        asked("difference", "group[b] - group[a]"),
        asked("slope", "age"),
        asked("anyGroup", "group[a] - group[c]", "group[b] - group[c]"),
    ]

    def maps(formula: str, group: Categorical) -> xr.Dataset:
        design = laboratory.design(table(seed), formula, contrasts, group=group, age=Continuous())
        return fitted(values(seed), design)

    reference = maps("group + age", Categorical(LEVELS))
    same_tests(maps("0 + group + age", Categorical(tuple(levels), "cell_means")), reference)
    same_tests(maps("0 + group + age", Categorical(tuple(levels), "treatment")), reference)


@given(SEEDS, st.sampled_from([("group", "sex"), ("group", "age"), ("age", "iq")]))
@settings(max_examples=9)
def test_the_order_of_an_interaction_says_nothing(
    laboratory, fitted: Fitted, asked: Asked, seed: int, pair: tuple[str, str]
) -> None:
    one, other = pair
    variables = {"group": Categorical(), "sex": Categorical(), "age": Continuous(), "iq": Continuous()}
    declared = {name: variables[name] for name in pair}
    # Under a product of two covariates the slope of one stands at the mean of the other.
    cell = {"group": "group[b]", "sex": "sex[M]", "age": "age"}

    def maps(first: str, second: str) -> xr.Dataset:
        contrasts = [
            asked("term", term=f"{first}:{second}"),
            *([asked("atBoth", f"{cell[first]}:{cell[second]}")] if {first, second} <= cell.keys() else []),
            asked("grand", "mean"),
        ]
        formula = f"{first} + {second} + {first}:{second}"
        return fitted(values(seed), laboratory.design(table(seed), formula, contrasts, **declared))

    same_tests(maps(other, one), maps(one, other))


@given(SEEDS, st.integers(-3, 3), st.integers(-3, 3), st.integers(-9, 9))
@settings(max_examples=12)
def test_a_column_in_the_span_is_refused_by_name(
    laboratory, fitted: Fitted, asked: Asked, seed: int, of_age: int, of_iq: int, constant: int
) -> None:
    """The spec refuses it with the columns it is made of; the kernels lose no degree of freedom to it."""
    assume(of_age or of_iq)
    columns = table(seed)
    columns["score"] = [
        round(of_age * a + of_iq * q + constant, 2)
        for a, q in zip(columns["age"], columns["iq"], strict=True)
    ]
    contrasts = [asked("slope", "age")]
    variables = {"age": Continuous(), "iq": Continuous()}
    plain = laboratory.design(columns, "age + iq", contrasts, **variables)
    with pytest.raises(DesignError) as caught:
        laboratory.design(columns, "age + iq + score", contrasts, **variables, score=Continuous())
    (alias,) = [finding for finding in caught.value.findings if finding.code == "E240"]
    named = {name for name, weight in (("age", of_age), ("iq", of_iq), ("score", 1)) if weight}
    assert {name for name in ("age", "iq", "score") if name in alias.message} == named
    assert "rank 3 of 4" in alias.message

    score = np.array(columns["score"], dtype=float)
    wide = factorise(np.column_stack([plain.matrix, score]))
    assert (wide.rank, wide.dof) == (plain.rank, plain.dof)
    # A prediction for a new subject can be estimated in both designs, and has one t.
    y = values(seed)
    new = np.array([1.0, 0.7, -0.4])
    extended = np.append(new, new @ np.linalg.lstsq(plain.matrix, score)[0])
    t = []
    for factor, weights in ((factorise(plain.matrix), new), (wide, extended)):
        residual = y - factor.basis @ (factor.basis.T @ y)
        variance = (weights @ factor.covariance @ weights) * (residual**2).sum(axis=0) / factor.dof
        t.append(weights @ factor.coefficients @ y / np.sqrt(variance))
    assert_allclose(t[1], t[0], **CLOSE)


def test_a_spec_tells_which_group_a_site_is(study) -> None:
    """Nested factors are named by their levels, at the line of the formula."""
    lines = study.table.read_text().splitlines()
    sites = ["site", *("C" if "patient" in line else "AB"[i % 2] for i, line in enumerate(lines[1:]))]
    study.table.write_text("".join(f"{line}\t{site}\n" for line, site in zip(lines, sites, strict=True)))
    study.edit("formula: group + age", "formula: group + age + site")
    study.edit("  age: {type", "  site: {type: categorical}\n  age: {type")
    with pytest.raises(specgl.SpecglError) as caught:
        specgl.plan(specgl.read(study.spec))
    (alias,) = [finding for finding in caught.value.findings if finding.code == "E240"]
    assert {"group[patient]", "site[C]"} <= set(alias.message.split())
    assert alias.line == study.spec.read_text().splitlines().index("  formula: group + age + site") + 1


@given(SEEDS)
@settings(max_examples=8)
def test_a_block_is_a_column_for_each_person(laboratory, fitted: Fitted, asked: Asked, seed: int) -> None:
    """Two to four maps a person: taking out means costs what their columns cost."""
    rng = np.random.default_rng(seed)
    columns = table(seed)
    columns["person"] = [f"p{i // 4}" if i < 12 else f"p{i // 2}" for i in rng.permutation(N)]
    columns["time"] = ["pre" if rng.random() < 0.5 else "post" for _ in range(N)]
    assume(len(set(columns["time"])) == 2)
    contrasts = [asked("change", "time[post] - time[pre]"), asked("slope", "age")]
    contrasts.append(asked("both", "time[post] - time[pre]", "age"))
    variables = {"time": Categorical(("pre", "post")), "age": Continuous()}
    blocked = laboratory.design(columns, "time + age", contrasts, block="person", **variables)
    dummies = laboratory.design(columns, "person + time + age", contrasts, person=Categorical(), **variables)
    assert (blocked.rank, blocked.dof) == (dummies.rank, dummies.dof)
    same_tests(fitted(values(seed), blocked), fitted(values(seed), dummies))


@given(SEEDS, st.booleans())
@settings(max_examples=8)
def test_a_block_of_two_is_the_paired_t_test(
    laboratory, fitted: Fitted, asked: Asked, seed: int, backwards: bool
) -> None:
    rng = np.random.default_rng(seed)
    people, times = np.repeat(np.arange(N // 2), 2), np.tile(["pre", "post"], N // 2)
    order = rng.permutation(N)
    y = values(seed)
    columns = {
        "id": [f"m{i:02d}" for i in order],
        "person": [f"p{i:02d}" for i in people[order]],
        "time": times[order].tolist(),
    }
    levels = ("post", "pre") if backwards else ("pre", "post")
    change = [asked("change", "time[post] - time[pre]")]
    design = laboratory.design(columns, "time", change, block="person", time=Categorical(levels))
    maps = fitted(y[order], design).sel(contrast="change")
    truth = stats.ttest_rel(y[times == "post"], y[times == "pre"])
    assert_allclose(maps["stat"], truth.statistic, **CLOSE)
    assert_allclose(maps["p"], truth.pvalue, **CLOSE)
    assert float(maps["dof"]) == truth.df[0] == N / 2 - 1
