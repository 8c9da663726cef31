"""Mirrors against the statistics themselves."""

from __future__ import annotations

from itertools import permutations

import numpy as np
from numpy.testing import assert_allclose, assert_array_equal

from specgl.kernels.statistics import partition
from specgl.kernels.statistics.mirrors import find_mirrors
from specgl.kernels.statistics.pooled import PooledStatistic


def flips(n: int) -> tuple[np.ndarray, np.ndarray]:
    signs = (1 - 2 * ((np.arange(2**n)[:, None] >> np.arange(n)) & 1)).astype(np.int8)
    return np.tile(np.arange(n, dtype=np.int32), (2**n, 1)), signs


def halves(n: int) -> np.ndarray:
    """All ways to deal two equal groups to n observations."""
    seen, rows = set(), []
    for order in permutations(range(n)):
        label = tuple(i < n // 2 for i in order)
        if label not in seen:
            seen.add(label)
            rows.append(order)
    return np.array(rows, dtype=np.int32)


def check(m: np.ndarray, c: np.ndarray, rows: np.ndarray, signs: np.ndarray | None, how: str) -> np.ndarray:
    n = len(m)
    invariant = np.full((n, n), 1 / n) if how == "permute" else np.zeros((n, n))
    y = np.random.default_rng(1).standard_normal((n, 5))
    statistic = PooledStatistic.prepare(y, partition(m, c), kind="t", invariant=invariant)
    mirror = find_mirrors(statistic.recipe.tested, statistic.recipe.moving, rows, signs)
    values = statistic.values(rows, signs, np.arange(5))
    own = np.arange(len(rows))
    assert (mirror <= own).all()
    assert_array_equal(mirror[mirror], mirror)  # who represents another is nobody's mirror
    turned = mirror != own
    assert_allclose(values[turned], -values[mirror[turned]], rtol=1e-9, atol=1e-12)
    return mirror


def test_all_flips_have_mirrors() -> None:
    rows, signs = flips(6)
    mirror = check(np.ones((6, 1)), np.ones((1, 1)), rows, signs, "flip")
    assert np.count_nonzero(mirror != np.arange(64)) == 32
    assert mirror[63] == 0
    covariate = np.column_stack([np.ones(6), np.arange(6.0) ** 2])
    assert_array_equal(check(covariate, np.array([[1.0, 0]]), rows, signs, "flip"), mirror)


def test_balanced_groups_have_mirrors_and_others_have_none() -> None:
    rows = halves(6)
    groups = np.column_stack([np.ones(6), np.repeat([0.0, 1], 3)])
    mirror = check(groups, np.array([[0, 1.0]]), rows, None, "permute")
    assert np.count_nonzero(mirror != np.arange(20)) == 10
    uneven = np.column_stack([np.ones(6), [0, 0, 1, 1, 1, 1]])
    mirror = check(uneven, np.array([[0, 1.0]]), rows, None, "permute")
    assert_array_equal(mirror, np.arange(20))


def test_moving_nuisance_must_follow() -> None:
    rows = np.array(list(permutations(range(4))), dtype=np.int32)
    x, z = np.array([-2.0, -1, 1, 2]), np.array([1.0, -1, -1, 1])  # z stays when x is turned round
    mirror = check(np.column_stack([np.ones(4), x, z]), np.array([[0, 1.0, 0]]), rows, None, "permute")
    assert np.count_nonzero(mirror != np.arange(24)) == 12
    askew = np.array([1.0, -1, -1, 3])
    mirror = check(np.column_stack([np.ones(4), x, askew]), np.array([[0, 1.0, 0]]), rows, None, "permute")
    assert_array_equal(mirror, np.arange(24))


def test_the_first_may_be_kept_from_having_one() -> None:
    rows, signs = flips(4)
    mirror = find_mirrors(np.ones((4, 1)), np.empty((4, 0)), rows, signs, first=1)
    assert mirror[15] == 15
    assert np.count_nonzero(mirror != np.arange(16)) == 7
