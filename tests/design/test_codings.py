"""Codings by declaration."""

from __future__ import annotations

import numpy as np
import pytest

from specgl.design.codings import CODINGS, levels_of_columns
from specgl.design.formula import materialise
from specgl.design.records import CategoricalColumn, Coding, ContinuousColumn, TypedColumn

LEVELS = ("lo", "mid", "hi")
CODES = np.array([0, 1, 2, 2, 1, 0, 0, 1, 2, 1])


def dose(coding: Coding) -> dict[str, TypedColumn]:
    return {
        "dose": CategoricalColumn("dose", CODES, LEVELS, coding),
        "x": ContinuousColumn("x", np.random.default_rng(0).normal(size=10)),
    }


# What each level's row is, beside the intercept.
EXPECTED: dict[Coding, tuple[list[str], np.ndarray]] = {
    "treatment": (["dose[T.mid]", "dose[T.hi]"], np.array([[0, 0], [1, 0], [0, 1]])),
    "sum": (["dose[S.lo]", "dose[S.mid]"], np.array([[1, 0], [0, 1], [-1, -1]])),
    "helmert": (["dose[H.mid]", "dose[H.hi]"], np.array([[-1, -1], [1, -1], [0, 2]])),
    "polynomial": (
        ["dose[.L]", "dose[.Q]"],
        np.array([[-1, 1], [0, -2], [1, 1]]) / np.sqrt([2, 6]),
    ),
    "cell_means": (["dose[lo]", "dose[mid]", "dose[hi]"], np.eye(3)),
}


def test_all_codings_are_here() -> None:
    assert set(EXPECTED) == set(CODINGS)


@pytest.mark.parametrize("coding", list(EXPECTED))
def test_rows_of_levels(coding: Coding) -> None:
    model = materialise("dose", dose(coding), 10)
    names, rows = EXPECTED[coding]
    assert [r.name for r in model.regressors[1:]] == names
    np.testing.assert_allclose(model.matrix[:, 1:], rows[CODES], atol=1e-14)


@pytest.mark.parametrize("coding", list(EXPECTED))
def test_without_an_intercept_every_level_has_its_indicator(coding: Coding) -> None:
    model = materialise("0 + dose + x:dose", dose(coding), 10)
    assert [r.name for r in model.regressors[:3]] == ["dose[lo]", "dose[mid]", "dose[hi]"]
    np.testing.assert_array_equal(model.matrix[:, :3], np.eye(3)[CODES])
    assert [r.factors[0][1] for r in model.regressors[:3]] == list(LEVELS)
    assert np.linalg.matrix_rank(model.matrix) == model.matrix.shape[1] == 6


def test_the_declared_order_decides_the_reference() -> None:
    columns: dict[str, TypedColumn] = {"g": CategoricalColumn("g", np.array([0, 1, 0, 1]), ("z", "a"))}
    assert [r.name for r in materialise("g", columns, 4).regressors] == ["Intercept", "g[T.a]"]


def test_a_variable_in_c_keeps_its_declared_coding() -> None:
    model = materialise("C(dose)", dose("sum"), 10)
    assert [r.name for r in model.regressors[1:]] == ["C(dose)[S.lo]", "C(dose)[S.mid]"]
    assert model.regressors[1].factors == (("dose", "lo"),)


@pytest.mark.parametrize(
    ("coding", "levels"),
    [
        ("treatment", ("mid", "hi")),
        ("sum", ("lo", "mid")),
        ("helmert", (None, None)),
        ("polynomial", (None, None)),
    ],
)
def test_which_level_a_column_speaks_of(coding: Coding, levels: tuple[str | None, ...]) -> None:
    column = dose(coding)["dose"]
    assert isinstance(column, CategoricalColumn)
    assert levels_of_columns(column, n_columns=2) == levels
