"""Geometry of variance groups: bounds, the smaller space, common axes."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from specgl.kernels.welch import group_geometry, group_sums, separate_statistic

SEEDS = st.integers(0, 2**32 - 1)


def bases(matrix: np.ndarray, r: int) -> tuple[np.ndarray, np.ndarray]:
    """The first `r` columns beside the others, and a basis of these."""
    z, _ = np.linalg.qr(matrix[:, r:])
    rest = matrix[:, :r] - z @ (z.T @ matrix[:, :r])
    return np.linalg.qr(rest)[0], z


@given(SEEDS, st.integers(1, 5), st.integers(1, 2))
@settings(max_examples=40)
def test_degrees_of_freedom_lie_within_their_bounds(seed: int, n_groups: int, r: int) -> None:
    rng = np.random.default_rng(seed)
    n = 6 * n_groups + 4
    codes = np.arange(n) % n_groups
    matrix = np.column_stack([rng.standard_normal((n, 3)), np.ones(n)])
    geometry = group_geometry(*bases(matrix, r), codes, n - 4)
    assert geometry.usable
    assert_allclose(geometry.residual.sum(), n - 4, rtol=1e-12)
    assert_allclose(geometry.gram.sum(axis=0), np.eye(geometry.gram.shape[1]), atol=1e-12)
    sums = geometry.residual[:, None] * 10.0 ** rng.uniform(-4, 4, (n_groups, 200))
    found = separate_statistic(rng.standard_normal((r, 200)), sums, geometry)
    low, high = geometry.dof_bounds()
    assert (found.dof >= low * (1 - 1e-12)).all()
    assert (found.dof <= high * (1 + 1e-12)).all()


@given(SEEDS, st.sampled_from([2, 3]), st.integers(1, 2))
@settings(max_examples=25)
def test_axes_and_factor_give_one_number(seed: int, n_groups: int, r: int) -> None:
    """Groups that are cells of the design have common axes, and so have any two groups."""
    rng = np.random.default_rng(seed)
    codes = np.repeat(np.arange(n_groups), 7)
    matrix = np.eye(n_groups)[codes] @ (np.eye(n_groups) + 0.3 * rng.standard_normal((n_groups, n_groups)))
    if n_groups == 2:
        matrix = np.column_stack([matrix, rng.standard_normal((14, 2))])
    x, z = bases(matrix, r)
    geometry = group_geometry(x, z, codes, len(codes) - matrix.shape[1])
    assert geometry.axes.size
    blind = dataclasses.replace(geometry, axes=geometry.axes[:, :0], loads=geometry.loads[:0])
    scores, sums = rng.standard_normal((r, 30)), 10.0 ** rng.uniform(-1, 1, (n_groups, 30))
    one, other = (separate_statistic(scores, sums, each) for each in (geometry, blind))
    # Variances differ by a hundred: the factor loses two of sixteen digits, and the basis some more.
    assert_allclose(one.stat, other.stat, rtol=1e-11)
    assert_allclose(one.precision, other.precision, rtol=1e-11)


def test_pairs_need_a_space_of_two() -> None:
    """One difference within fifty pairs: the pairs' fifty means are not carried along."""
    pairs, condition = np.repeat(np.arange(50), 2), np.tile([0, 1], 50)
    matrix = np.column_stack([condition - 0.5, np.eye(50)[pairs]])
    geometry = group_geometry(*bases(matrix, 1), condition, 49)
    assert geometry.gram.shape == (2, 2, 2)
    assert_allclose(geometry.residual, [24.5, 24.5], rtol=1e-12)


def test_a_group_without_residuals_is_told() -> None:
    codes = np.repeat([0, 1, 2], [5, 5, 1])
    matrix = np.eye(3)[codes]
    geometry = group_geometry(*bases(matrix, 1), codes, 8)
    assert not geometry.usable
    assert group_geometry(*bases(matrix[:, :2], 1), np.minimum(codes, 1), 9).usable


def test_sums_by_group_count_absent_groups_as_nothing() -> None:
    rest = np.arange(8.0).reshape(4, 2)
    sums = group_sums(rest, np.array([0, 2, 0, 2]), 3)
    assert_allclose(sums, [[0 + 16, 1 + 25], [0, 0], [4 + 36, 9 + 49]])


@pytest.mark.parametrize("r", [1, 2])
def test_nothing_that_varies_gives_nothing(r: int) -> None:
    rng = np.random.default_rng(0)
    codes = np.arange(20) % 3
    geometry = group_geometry(*bases(rng.standard_normal((20, 4)), r), codes, 16)
    found = separate_statistic(np.ones((r, 2)), np.array([[0.0, 1], [0, 2], [0, 1]]), geometry)
    assert np.isnan(found.stat[0])
    assert found.floored[0]
    assert np.isfinite(found.stat[1])
    assert not found.floored[1]
