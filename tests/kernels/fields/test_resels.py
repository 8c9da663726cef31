"""Resel counts: shapes by hand, brute force, and the laws of a measure."""

from __future__ import annotations

from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from specgl.kernels.fields import LatticeCounts, count_lattice, dimension, resels

WIDTHS = (2.0, 4.0, 5.0)
masks = arrays(np.bool_, st.tuples(*[st.integers(1, 5)] * 3))


def box(*shape: int) -> np.ndarray:
    return np.argwhere(np.ones(shape, dtype=bool))


def brute(voxels: np.ndarray) -> LatticeCounts:
    """Each voxel as the low corner of an edge, a face and a cube along every axis."""
    there = {tuple(int(i) for i in voxel) for voxel in voxels}

    def count(axes: tuple[int, ...]) -> int:
        steps = [np.bincount(axes, weights=on, minlength=3) for on in product((0, 1), repeat=len(axes))]
        return sum(all(tuple(int(i) for i in np.add(low, step)) in there for step in steps) for low in there)

    edges = [count((axis,)) for axis in range(3)]
    faces = [count(pair) for pair in combinations(range(3), 2)]
    return LatticeCounts(len(there), tuple(edges), tuple(faces), count((0, 1, 2)))


def test_single_voxel():
    counts = count_lattice(np.array([[7, 8, 9]]))
    assert counts == LatticeCounts(1, (0, 0, 0), (0, 0, 0), 0)
    np.testing.assert_array_equal(resels(counts, WIDTHS), [1, 0, 0, 0])
    assert dimension(np.array([[7, 8, 9]])) == 0


def test_no_voxel():
    none = np.empty((0, 3), dtype=np.int32)
    assert count_lattice(none) == LatticeCounts(0, (0, 0, 0), (0, 0, 0), 0)
    np.testing.assert_array_equal(resels(count_lattice(none), WIDTHS), [0, 0, 0, 0])
    assert dimension(none) == 0


def test_two_voxels_apart():
    apart = np.array([[0, 0, 0], [5, 5, 5]])
    np.testing.assert_array_equal(resels(count_lattice(apart), WIDTHS), [2, 0, 0, 0])


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_line(axis):
    line = np.zeros((6, 3), dtype=int)
    line[:, axis] = np.arange(6)
    np.testing.assert_allclose(resels(count_lattice(line), WIDTHS), [1, 5 / WIDTHS[axis], 0, 0])
    assert dimension(line) == 1


def test_plane():
    plane = box(1, 4, 3)
    expected = [1, 3 / 4 + 2 / 5, 3 / 4 * 2 / 5, 0]
    np.testing.assert_allclose(resels(count_lattice(plane), (np.nan, 4.0, 5.0)), expected)
    assert dimension(plane) == 2


@given(shape=st.tuples(*[st.integers(1, 9)] * 3))
def test_a_box_has_the_intrinsic_volumes_of_a_box(shape):
    a, b, c = ((side - 1) / width for side, width in zip(shape, WIDTHS, strict=True))
    expected = [1, a + b + c, a * b + a * c + b * c, a * b * c]
    np.testing.assert_allclose(resels(count_lattice(box(*shape)), WIDTHS), expected, rtol=1e-12)


def test_a_ring_has_a_hole_and_a_shell_a_hollow():
    ring = box(3, 3, 1)
    ring = ring[(ring != [1, 1, 0]).any(axis=1)]
    # Four sides of two steps each; of the plane's formula the hole takes nothing but the four squares.
    np.testing.assert_allclose(resels(count_lattice(ring), (2, 4, np.nan)), [0, 4 / 2 + 4 / 4, 0, 0])
    shell = box(3, 3, 3)
    shell = shell[(shell != 1).any(axis=1)]
    counts = count_lattice(shell)
    assert counts == LatticeCounts(26, (16, 16, 16), (8, 8, 8), 0)
    assert counts.euler_characteristic == 2


@given(mask=masks)
def test_counts_are_those_of_brute_force(mask):
    voxels = np.argwhere(mask)
    assert count_lattice(voxels) == brute(voxels)


@given(mask=masks, order=st.permutations([0, 1, 2]), shift=st.integers(-50, 50))
def test_neither_order_nor_place_nor_naming_of_axes_matters(mask, order, shift):
    voxels, widths = np.argwhere(mask), np.array(WIDTHS)
    turned = (voxels[::-1, order] + shift).astype(np.int32)
    found = resels(count_lattice(turned), widths[order])
    np.testing.assert_allclose(found, resels(count_lattice(voxels), widths), rtol=1e-12, atol=1e-12)
    assert dimension(turned) == dimension(voxels)


@given(left=masks, right=masks)
def test_sets_that_do_not_touch_add_up(left, right):
    gap = np.argwhere(right) + np.array([left.shape[0] + 1, 0, 0])
    both = np.concatenate([np.argwhere(left), gap])
    apart = [resels(count_lattice(one), WIDTHS) for one in (np.argwhere(left), gap)]
    np.testing.assert_allclose(resels(count_lattice(both), WIDTHS), sum(apart), rtol=1e-12, atol=1e-12)


@given(mask=masks, factor=st.floats(0.1, 10))
def test_a_wider_smoothness_scales_each_dimension_by_its_power(mask, factor):
    counts = count_lattice(np.argwhere(mask))
    wider = resels(counts, factor * np.array(WIDTHS))
    powers = factor ** -np.arange(4.0)
    np.testing.assert_allclose(wider, powers * resels(counts, WIDTHS), rtol=1e-10, atol=1e-12)
