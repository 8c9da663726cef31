"""Means and slopes against predictions on a saturated design of indicators, solved by pseudo-inverse."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pytest

from specgl.design import Categorical, Continuous, ContrastRequest, Rows, build
from specgl.design.records import Coding

MakeRows = Callable[[Mapping[str, Sequence[object]]], Rows]
LEVELS = {"a": ["a1", "a2", "a3", "a4"], "b": ["b1", "b2", "b3"]}
CODINGS: tuple[Coding, ...] = ("treatment", "sum", "helmert", "polynomial")
# Terms of each formula, every variable a letter.
FORMULAS = {
    "a*x + b": ["", "a", "x", "ax", "b"],
    "a*b*x": ["", "a", "b", "x", "ab", "ax", "bx", "abx"],
    "0 + a + b:x": ["a", "bx"],
    "a/b + x": ["", "a", "ab", "x"],
}


def indicators(terms: Sequence[str], columns: Mapping[str, np.ndarray]) -> np.ndarray:
    """A column for every level of every factor of every term: no coding, and far from full rank."""
    n = len(columns["x"])
    parts = []
    for term in terms:
        part = np.ones((n, 1))
        for name in term:
            own = columns[name][:, None]
            own = own == np.array(LEVELS[name]) if name in LEVELS else own
            part = (part[:, :, None] * own[:, None, :].astype(float)).reshape(n, -1)
        parts.append(part)
    return np.hstack(parts)


def predicted(terms: Sequence[str], x: float, cell: Mapping[str, str], used: Sequence[str]) -> np.ndarray:
    """Weights of the mean prediction over all cells that agree with `cell`."""
    cells = list(itertools.product(*([cell[k]] if k in cell else LEVELS[k] for k in used)))
    columns = {name: np.array([one[i] for one in cells]) for i, name in enumerate(used)}
    return indicators(terms, {**columns, "x": np.full(len(cells), x)}).mean(axis=0)


@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize("formula", FORMULAS)
def test_means_and_slopes_are_predictions(make_rows: MakeRows, formula: str, coding: Coding) -> None:
    rng = np.random.default_rng(3)
    columns = {name: rng.choice(levels, 90) for name, levels in LEVELS.items()}
    columns["x"] = np.round(rng.normal(50, 10, 90), 3)
    terms = FORMULAS[formula]
    used = [name for name in LEVELS if name in formula]
    asked = {
        "mean": (predicted(terms, 0, {}, used)),
        "a[a3] - a[a1]": predicted(terms, 0, {"a": "a3"}, used) - predicted(terms, 0, {"a": "a1"}, used),
        "x": predicted(terms, 1, {}, used) - predicted(terms, 0, {}, used),
        "x:a[a2]": predicted(terms, 1, {"a": "a2"}, used) - predicted(terms, 0, {"a": "a2"}, used),
    }
    design = build(
        make_rows(columns),
        variables={"a": Categorical(coding=coding), "b": Categorical(coding=coding), "x": Continuous()},
        formula=formula,
        block=None,
        contrasts=[ContrastRequest(f"c{i}", ("contrasts",), hypotheses=(h,)) for i, h in enumerate(asked)],
    )
    y = rng.normal(size=90)
    full = indicators(terms, {**columns, "x": columns["x"] - columns["x"].mean()})
    beta = np.linalg.lstsq(design.matrix, y)[0]
    # The pseudo-inverse solves for about 30 columns of sizes 1 and 10.
    expected = np.array(list(asked.values())) @ np.linalg.pinv(full, rcond=1e-10) @ y
    assert np.linalg.matrix_rank(full) == design.rank
    np.testing.assert_allclose([c.weights[0] @ beta for c in design.contrasts], expected, atol=1e-9)
