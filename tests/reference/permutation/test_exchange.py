"""What a design's algebra says of how its observations are exchanged."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

G = np.repeat([0, 1], 4)
CELLS = np.eye(2)[G]
ONE = np.ones(8)
X = np.array([0.3, -1.1, 0.8, 1.9, -0.4, -1.6, 0.1, 1.2])
PAIRS = np.tile(np.arange(4), 2)


@dataclass(frozen=True, eq=False)
class Plain:
    """What a design needs to be made."""

    matrix: np.ndarray
    blocks: np.ndarray | None = None
    groups: np.ndarray | None = None
    levels: tuple = ()


WORDS = {
    "one sample": (ONE[:, None], [[1]], "t", "flip"),
    "one sample, in other units": (0.1 * ONE[:, None], [[-3]], "t", "flip"),
    "one sample as F": (ONE[:, None], [[1]], "F", "flip"),
    "mean beside a centred covariate": (np.column_stack([ONE, X - X.mean()]), [[1, 0]], "t", "flip"),
    "intercept beside a covariate as it is": (np.column_stack([ONE, X]), [[1, 0]], "t", "flip"),
    "slope": (np.column_stack([ONE, X]), [[0, 1]], "t", "permute"),
    "mean at some value of the covariate": (np.column_stack([ONE, X]), [[1, 2.5]], "t", "flip"),
    "intercept and slope at once": (np.column_stack([ONE, X]), np.eye(2), "F", "flip"),
    "slope through the origin": (X[:, None], [[1]], "t", "permute"),
    "two groups": (CELLS, [[1, -1]], "t", "permute"),
    "two groups, treatment coding": (np.column_stack([ONE, G]), [[0, 1]], "t", "permute"),
    "one group of two": (CELLS, [[1, 0]], "t", "flip"),
    "mean of two groups": (CELLS, [[0.5, 0.5]], "t", "flip"),
    "both groups' means at once": (CELLS, np.eye(2), "F", "flip"),
    "two groups, a column too many": (np.column_stack([ONE, CELLS]), [[0, 1, -1]], "t", "permute"),
    "mean of two groups, a column too many": (
        np.column_stack([ONE, CELLS]),
        [[1, 0.5, 0.5]],
        "t",
        "flip",
    ),
}


def schemes(doors, case, contrasts, **settings):
    from specgl.models.schemes import make_schemes

    wanted = {"exchange": None, "n": None, "seed": 1, "nuisance": "freedman_lane", "contrasts": None}
    return make_schemes(doors.design(case, contrasts), doors.tree(case), **wanted | settings)


@pytest.mark.parametrize("name", list(WORDS))
def test_exchange_follows_from_the_algebra(name, doors):
    matrix, weights, kind, expected = WORDS[name]
    (scheme,) = schemes(doors, Plain(matrix), {"c": (weights, kind, "two-sided")}, n=20)
    assert scheme.exchange == expected
    assert scheme.contrasts == ("c",)
    assert scheme.why


def test_pairs_are_permuted_within(doors):
    """The differences' signs change by change of places inside a pair; the mean is the blocks' own."""
    case = Plain(np.repeat([1.0, -1.0], 4)[:, None], PAIRS, None, ((PAIRS, "within", None),))
    (scheme,) = schemes(doors, case, {"c": ([[1]], "t", "two-sided")})
    assert (scheme.exchange, scheme.possible, scheme.n) == ("permute", 16, 16)


def test_contrasts_of_two_kinds_have_two_schemes(doors):
    case = Plain(np.column_stack([ONE, X]))
    contrasts = {"mean": ([[1, 0]], "t", "two-sided"), "slope": ([[0, 1]], "t", "greater")}
    found = {scheme.exchange: scheme for scheme in schemes(doors, case, contrasts, n=300)}
    assert found.keys() == {"flip", "permute"}
    assert found["flip"].contrasts == ("mean",)
    assert found["permute"].contrasts == ("slope",)
    assert (found["flip"].n, found["flip"].possible, found["flip"].exhaustive) == (256, 256, True)
    assert (found["permute"].n, found["permute"].possible) == (300, 40_320)
    assert not found["permute"].exhaustive


def test_what_is_asked_for_holds(doors):
    contrasts = {"c": ([[1]], "t", "two-sided")}
    (scheme,) = schemes(doors, Plain(ONE[:, None]), contrasts, exchange="both")
    assert (scheme.exchange, scheme.possible) == ("both", 256)


def test_shuffles_of_a_scheme_are_the_same_each_time(doors):
    case = Plain(np.column_stack([ONE, X]))
    (scheme,) = schemes(doors, case, {"c": ([[0, 1]], "t", "two-sided")}, n=50)
    first, second = scheme.shuffles(), scheme.shuffles()
    np.testing.assert_array_equal(first.rows, second.rows)
    np.testing.assert_array_equal(first.rows[0], np.arange(8))
