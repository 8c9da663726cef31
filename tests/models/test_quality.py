"""How far observations lie from the model: against refits by hand, and laws."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from specgl.engines import Threads
from specgl.models import fit, observation_quality, values_at
from specgl.models.quality import far_from_others

N, M = 9, 40


def by_hand(y: np.ndarray, matrix: np.ndarray, blocks: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Distance and mean absolute residual, location by location with dense projections."""
    dummies = np.zeros((len(y), 0)) if blocks is None else blocks[:, None] == np.unique(blocks)
    whole = np.hstack([matrix, dummies.astype(float)])
    squares, sizes = [[] for _ in y], [[] for _ in y]
    for location in y.T:
        rows = np.flatnonzero(np.isfinite(location))
        part = whole[rows]
        hat = part @ np.linalg.pinv(part)
        residual = location[rows] - hat @ location[rows]
        dof = len(rows) - np.linalg.matrix_rank(part)
        for place, row in enumerate(rows):
            sizes[row].append(abs(residual[place]))
            if 1 - hat[place, place] > 1e-9:
                variance = residual @ residual / dof
                squares[row].append(residual[place] ** 2 / (variance * (1 - hat[place, place])))
    distance = [np.sqrt(np.mean(held)) if held else np.nan for held in squares]
    return np.array(distance), np.array([np.mean(held) for held in sizes])


@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize("in_blocks", [False, True])
def test_distances_are_those_of_refits(make_design, make_data, missing: bool, in_blocks: bool) -> None:
    rng = np.random.default_rng(3)
    blocks = np.array([0, 1, 2, 0, 1, 2, 0, 1, 2]) if in_blocks else None
    columns = [rng.normal(size=N), np.arange(N) == 4]
    matrix = np.column_stack(columns if in_blocks else [np.ones(N), *columns]).astype(float)
    y = rng.normal(size=(N, M))
    if missing:
        y[rng.random((N, M)) < 0.15] = np.nan
        y[:, np.isfinite(y).sum(axis=0) < 8] = rng.normal(size=(N, 1))
    design = make_design(matrix, t={"slope": np.eye(matrix.shape[1])[0]}, blocks=blocks)
    data = make_data(y)
    found = observation_quality(data, design, fit(data, design, engine=Threads(2)), engine=Threads(2))
    distance, size = by_hand(y, matrix, blocks)
    # The same sums in another order: the last digits differ.
    np.testing.assert_allclose(found.mean_absolute_residual, size, rtol=1e-9, atol=1e-12)
    known = np.isfinite(distance)
    np.testing.assert_allclose(found.distance[known], distance[known], rtol=1e-8)
    np.testing.assert_allclose(found.mean, np.nanmean(y, axis=0), rtol=1e-12)
    np.testing.assert_array_equal(found.n_values, np.isfinite(y).sum(axis=1))
    if not missing:
        # The fifth observation has a regressor of its own, and no residual.
        assert np.isnan(found.distance[4])
        assert np.isfinite(np.delete(found.distance, 4)).all()


def test_the_mean_square_is_one_where_the_model_holds(make_design, make_data) -> None:
    rng = np.random.default_rng(8)
    n = 12
    matrix = np.column_stack([np.ones(n), rng.normal(size=n)])
    design = make_design(matrix, t={"mean": [1, 0]})
    data = make_data(rng.normal(size=(n, 20_000)))
    found = observation_quality(data, design, fit(data, design, engine=Threads(1)), engine=Threads(1))
    # The mean of 20,000 independent values with variance below 2: four standard errors are 0.04.
    np.testing.assert_allclose(found.distance**2, 1, atol=0.04)
    assert not found.outlier.any()


def test_no_bit_depends_on_threads_and_rows_are_the_designs(make_design, make_data) -> None:
    rng = np.random.default_rng(2)
    y = rng.normal(size=(N, 9000)).astype(np.float32)
    y[rng.random(y.shape) < 0.002] = np.nan
    ids = [f"sub-{number:02}" for number in range(N)]
    design = make_design(np.column_stack([np.ones(N), np.arange(N)]), t={"mean": [1, 0]}, observations=ids)
    turned = make_data(y[::-1], ids[::-1])
    fitted = fit(turned, design, engine=Threads(1))
    one = observation_quality(turned, design, fitted, engine=Threads(1))
    two = observation_quality(turned, design, fitted, engine=Threads(2))
    for name in ("mean", "distance", "mean_absolute_residual", "n_values"):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name))
    straight = make_data(y, ids)
    again = observation_quality(straight, design, fit(straight, design, engine=Threads(1)), engine=Threads(1))
    np.testing.assert_allclose(one.distance, again.distance, rtol=1e-6)
    np.testing.assert_array_equal(values_at(turned, design, np.array([5, 0])), y[:, [5, 0]].astype(float))


def test_one_that_is_unlike_the_others_is_an_outlier(make_design, make_data) -> None:
    rng = np.random.default_rng(4)
    y = rng.normal(size=(20, 500))
    y[7] += rng.normal(size=500) * 3
    design = make_design(np.ones((20, 1)), t={"mean": [1]})
    data = make_data(y)
    found = observation_quality(data, design, fit(data, design, engine=Threads(1)), engine=Threads(1))
    assert np.flatnonzero(found.outlier).tolist() == [7]
    assert found.distance[7] > 1.4


@settings(max_examples=60)
@given(st.lists(st.floats(0.5, 2), min_size=0, max_size=12), st.floats(0.1, 50))
def test_outliers_do_not_depend_on_the_unit(values: list[float], factor: float) -> None:
    distance = np.array(values)
    far = far_from_others(distance)
    assert far.shape == distance.shape
    if far.any():
        assert distance[far].min() > np.median(distance)
    # A value on the very limit may fall to either side of it.
    near = np.isclose(distance, 1.2 * np.median(distance), rtol=1e-9) if distance.size else far
    if not near.any() and len(set(values)) == len(values):
        np.testing.assert_array_equal(far_from_others(distance * factor)[~near], far[~near])


def test_too_few_to_compare_have_no_outlier() -> None:
    assert not far_from_others(np.array([1.0, 9.0])).any()
    assert not far_from_others(np.array([np.nan, np.nan, 1.0])).any()
    assert far_from_others(np.array([1.0, 1.0, 1.0, np.nan, 1.3])).tolist() == [False] * 4 + [True]
