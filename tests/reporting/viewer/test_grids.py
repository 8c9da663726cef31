"""The box, and what lies beneath: a place in mm stays where it is."""

from __future__ import annotations

import numpy as np
import pytest

from specgl.reporting.viewer.grids import beneath, box_around

from .conftest import AFFINE, ball, volume

OBLIQUE = np.array([[0.1, -2.0, 0.3, 20], [2.1, 0.2, 0, -20], [0.1, 0.2, 2.4, -10], [0, 0, 0, 1]])


@pytest.mark.parametrize("affine", [AFFINE, OBLIQUE])
def test_the_box_holds_the_mask_and_no_more(affine: np.ndarray) -> None:
    mask = np.zeros((9, 8, 7), dtype=bool)
    mask[2:5, 3, 1:6] = True
    mask[3, 4, 2] = True

    box = box_around(volume(mask, affine))

    assert box is not None
    assert box.inside.shape == (3, 2, 5)
    assert box.inside.sum() == mask.sum()
    np.testing.assert_allclose(box.affine @ [0, 0, 0, 1], affine @ [2, 3, 1, 1])


def test_an_empty_mask_has_no_box() -> None:
    assert box_around(volume(np.zeros((3, 3, 3), dtype=bool))) is None


def test_values_are_in_fortran_order() -> None:
    mask = ball((5, 6, 4))
    values = np.random.default_rng(0).standard_normal(mask.shape)
    box = box_around(volume(mask))

    assert box is not None
    found = [values[i, j, k] for k in range(4) for j in range(6) for i in range(5) if mask[i, j, k]]
    np.testing.assert_array_equal(box.vector(values), found)


@pytest.mark.parametrize("zooms", [(1.0, 1.0, 1.0), (2.0, 1.5, 3.0), (5.0, 5.0, 6.0)])
@pytest.mark.parametrize("affine", [AFFINE, OBLIQUE])
@pytest.mark.parametrize("most", [10**9, 3000])
def test_a_ramp_in_mm_stays_that_ramp(zooms: tuple[float, ...], affine: np.ndarray, most: int) -> None:
    """Whatever is cropped, averaged or interpolated: greys stay where they were in mm."""
    box = box_around(volume(ball(), affine))
    assert box is not None
    middle = (box.affine @ [*(np.array(box.inside.shape) / 2), 1])[:3]
    own = np.diag([-zooms[0], zooms[1], zooms[2], 1.0])
    own[:3, 3] = middle - own[:3, :3] @ [40, 40, 40]
    along = np.array([0.6, -1.0, 1.4])
    where = np.moveaxis(np.indices((81, 81, 81)), 0, -1)
    ramp = 1000 + (where @ own[:3, :3].T + own[:3, 3]) @ along

    grey, made = beneath(box, volume(ramp, own), most)

    there = np.moveaxis(np.indices(grey.shape), 0, -1) @ made[:3, :3].T + made[:3, 3]
    within = (grey > grey[grey > 0].min()) & (grey < grey.max())
    if most < 10**9:
        within[-1], within[:, -1], within[..., -1] = False, False, False  # blocks that may be cut short
    fit = np.polynomial.Polynomial.fit((there @ along)[within], grey[within].astype(float), 1)
    assert np.abs(fit((there @ along)[within]) - grey[within]).max() <= 1, "the rounding of greys"
    assert abs(np.linalg.det(made)) <= abs(np.linalg.det(box.affine)) * 1.02, "maps are drawn on this grid"


def test_it_covers_the_mask_even_where_the_underlay_ends() -> None:
    box = box_around(volume(ball()))
    assert box is not None
    half = np.full((20, 20, 20), 50.0)
    affine = np.diag([1.0, 1.0, 1.0, 1.0])  # from 0 to 19 mm: an eighth of the mask

    grey, made = beneath(box, volume(half, affine), 10**9)

    corners = (
        np.array([[0, 0, 0, 1.0], [*(np.array(box.inside.shape) - 1), 1]])
        @ (np.linalg.inv(made) @ box.affine).T
    )
    assert (corners[:, :3].min(0) >= -0.5).all()
    assert (corners[:, :3].max(0) <= np.array(grey.shape) - 0.5).all()
    assert 0 < (grey > 0).mean() < 0.5


def test_a_fine_underlay_is_averaged_but_never_coarser_than_the_maps() -> None:
    box = box_around(volume(ball()))
    assert box is not None
    affine = np.diag([0.5, 0.5, 0.5, 1.0])
    affine[:3, 3] = -50
    values = np.random.default_rng(0).uniform(10, 20, (200, 200, 200)).astype(np.float32)

    whole, _ = beneath(box, volume(values, affine), 10**9)
    some, made = beneath(box, volume(values, affine), whole.size // 20)
    least, last = beneath(box, volume(values, affine), 1)

    assert some.size <= whole.size // 20
    np.testing.assert_allclose(np.linalg.norm(made[:3, :3], axis=0), 1.5)
    assert np.linalg.norm(last[:3, :3], axis=0).max() <= 3.0
    assert least.size > box.inside.size / 2


def test_without_an_underlay_the_mask_lies_beneath() -> None:
    box = box_around(volume(ball()))
    assert box is not None

    grey, affine = beneath(box, None, 10**9)

    np.testing.assert_array_equal(grey[1:-1, 1:-1, 1:-1] > 0, box.inside)
    np.testing.assert_allclose(affine @ [1, 1, 1, 1], box.affine @ [0, 0, 0, 1])


@pytest.mark.parametrize("value", [0.0, 3.0, np.nan])
def test_underlays_without_contrast_are_drawn(value: float) -> None:
    box = box_around(volume(ball()))
    assert box is not None

    grey, _ = beneath(box, volume(np.full(ball().shape, value)), 10**9)

    assert len(np.unique(grey[grey > 0])) == (1 if value == 3.0 else 0)


def test_a_single_slice_beneath_a_single_slice() -> None:
    box = box_around(volume(ball((18, 22, 1))))
    assert box is not None
    values = np.random.default_rng(0).uniform(1, 2, (9, 11, 1))
    thick = AFFINE @ np.diag([2, 2, 1, 1])

    grey, affine = beneath(box, volume(values, thick), 10**9)

    assert grey.shape[2] == 1
    assert (grey > 0).all()
    np.testing.assert_allclose(affine[:3, :3], box.affine[:3, :3])
