"""The partition of a design against its definition."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.linalg import null_space

from specgl.kernels.statistics import partition, split_nuisance

SEEDS = st.integers(0, 2**32 - 1)


def projector(columns: np.ndarray) -> np.ndarray:
    return columns @ np.linalg.pinv(columns, rcond=1e-10)


@given(SEEDS, st.integers(1, 3), st.booleans())
def test_parts_are_what_they_are_called(seed: int, q: int, with_blocks: bool) -> None:
    rng = np.random.default_rng(seed)
    n, p = 12, 4
    m, c = rng.standard_normal((n, p)), rng.standard_normal((q, p))
    codes = np.repeat([4, 1, 9], 4) if with_blocks else None
    full, wide = m, c
    if with_blocks:
        full = np.column_stack([m, codes[:, None] == np.unique(codes)]).astype(float)
        wide = np.column_stack([c, np.zeros((q, 3))])
    parts = partition(m, c, codes)
    z = full @ null_space(wide)
    assert_allclose(parts.z.T @ parts.z, np.eye(parts.z.shape[1]), atol=1e-10)
    assert_allclose(parts.x.T @ parts.x, np.eye(q), atol=1e-10)
    assert_allclose(parts.x.T @ parts.z, 0, atol=1e-9)
    # Random designs are now and then near to dependent.
    assert_allclose(projector(parts.z), projector(z), atol=1e-6)
    both = np.column_stack([parts.x, parts.z])
    assert_allclose(projector(both), projector(full), atol=1e-6)
    assert_allclose(projector(np.column_stack([parts.x0, parts.z])), projector(full), atol=1e-6)
    assert (parts.rank, parts.dof, parts.r) == (full.shape[1], n - full.shape[1], q)


@given(SEEDS)
def test_one_row_has_the_sign_of_its_effect(seed: int) -> None:
    rng = np.random.default_rng(seed)
    m, c, y = rng.standard_normal((9, 3)), rng.standard_normal((1, 3)), rng.standard_normal(9)
    parts, other = partition(m, c), partition(m, -c)
    effect = c[0] @ np.linalg.lstsq(m, y)[0]
    assert np.sign(parts.x[:, 0] @ y) == np.sign(effect)
    assert_allclose(parts.x0[:, 0], m @ c[0] / (c @ c.T)[0, 0], rtol=1e-12, atol=1e-12)
    assert_array_equal(parts.x, -other.x)
    assert_array_equal(parts.x0, -other.x0)
    assert_array_equal(parts.z, other.z)


def test_dependent_rows_and_columns_do_no_harm() -> None:
    rng = np.random.default_rng(0)
    m = rng.standard_normal((10, 3))
    m = np.column_stack([m, m[:, 0] + m[:, 1]])
    c = np.array([[1.0, 1, 0, 2], [2, 2, 0, 4], [0, 0, 1e-6, 0]])
    parts = partition(m, c)
    assert (parts.r, parts.rank, parts.z.shape[1]) == (2, 3, 1)


def test_nuisance_that_no_shuffle_moves() -> None:
    rng = np.random.default_rng(0)
    z = np.linalg.qr(np.column_stack([np.ones(8), rng.standard_normal((8, 2))]))[0]
    mean = np.full((8, 8), 1 / 8)
    moving, still = split_nuisance(z, mean)
    assert (moving.shape[1], still.shape[1]) == (2, 1)
    assert_allclose(mean @ still, still, atol=1e-12)
    assert_allclose(projector(np.column_stack([moving, still])), projector(z), atol=1e-12)
    for nothing in (None, np.zeros((8, 8))):
        assert split_nuisance(z, nothing)[1].shape[1] == 0
