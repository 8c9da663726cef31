"""Enhancement of volumes against the definition: labelling at every height."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from specgl.kernels.tfce import Graph, Work, tfce_map, tfce_max

# Sums of a few hundred positive float64 terms, in two orders.
CLOSE = {"rtol": 1e-11, "atol": 0}


def brain(seed: int, shape=(7, 6, 9), density: float = 0.7) -> np.ndarray:
    return np.random.default_rng(seed).random(shape) < density


def maps(seed: int, n: int) -> dict[str, np.ndarray]:
    """Maps with few ties, many ties, hardly a positive height, and nothing else."""
    rng = np.random.default_rng(seed)
    z = rng.standard_normal(n)
    return {
        "noise": z,
        "ties": np.round(2 * z) / 2,
        "rare": z - 1.5,
        "positive": np.abs(z) + 0.1,
        "tail": np.exp(8 * z),
        "levels": rng.integers(0, 3, n).astype(float),
    }


@pytest.mark.parametrize("kind", maps(0, 1))
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_integral(definition, connectivity, kind, dtype):
    mask = brain(1)
    heights = maps(2, mask.sum())[kind].astype(dtype)
    graph = Graph.of_grid(np.argwhere(mask), connectivity)
    enhanced = tfce_map(heights, graph)
    np.testing.assert_allclose(
        enhanced, definition.integral(heights, definition.volume_label(mask, connectivity), 0.5, 2.0), **CLOSE
    )
    assert tfce_max(heights, graph) == pytest.approx(enhanced.max(), rel=1e-12)


@pytest.mark.parametrize(("E", "H"), [(1.0, 2.0), (2.0, 2.0), (0.6, 1.3), (0.5, 0.0)])
def test_other_powers(definition, E, H):
    mask = brain(3)
    heights = maps(4, mask.sum())["noise"]
    graph = Graph.of_grid(np.argwhere(mask), 6)
    enhanced = tfce_map(heights, graph, E, H)
    np.testing.assert_allclose(
        enhanced, definition.integral(heights, definition.volume_label(mask, 6), E, H), **CLOSE
    )
    assert tfce_max(heights, graph, E, H) == pytest.approx(enhanced.max(), rel=1e-12)


@pytest.mark.parametrize("dh", [0.1, 0.25, 0.7, 10.0])
@pytest.mark.parametrize("kind", ["noise", "ties"])
@pytest.mark.parametrize("H", [0.0, 2.0])
def test_the_summed_form(definition, connectivity, kind, dh, H):
    """Also where heights of the map are steps themselves, which count."""
    mask = brain(5)
    heights = maps(6, mask.sum())[kind]
    graph = Graph.of_grid(np.argwhere(mask), connectivity)
    enhanced = tfce_map(heights, graph, 0.5, H, dh)
    np.testing.assert_allclose(
        enhanced,
        definition.steps(heights, definition.volume_label(mask, connectivity), 0.5, H, dh),
        rtol=1e-11,
        atol=1e-14,
    )
    assert tfce_max(heights, graph, 0.5, H, dh) == pytest.approx(enhanced.max(), rel=1e-12)


def test_the_summed_form_tends_to_the_integral():
    mask = brain(7)
    heights = maps(8, mask.sum())["noise"]
    graph = Graph.of_grid(np.argwhere(mask), 6)
    exact = tfce_max(heights, graph)
    errors = [abs(tfce_max(heights, graph, dh=dh) / exact - 1) for dh in (0.1, 0.01, 0.001)]
    assert errors[0] > errors[1] > errors[2]
    assert errors[2] < 2e-3  # of first order: some dh / height


@given(
    heights=st.lists(st.sampled_from([-1.0, 0.0, 0.5, 1.0, 1.0000001, 3.0]), min_size=27, max_size=27),
    mask=st.lists(st.booleans(), min_size=27, max_size=27),
    connectivity=st.sampled_from([6, 18, 26]),
)
def test_any_small_volume(definition, heights, mask, connectivity):
    inside = np.array(mask).reshape(3, 3, 3)
    chosen = np.array(heights)[np.array(mask)]
    graph = Graph.of_grid(np.argwhere(inside), connectivity)
    enhanced = tfce_map(chosen, graph)
    np.testing.assert_allclose(
        enhanced,
        definition.integral(chosen, definition.volume_label(inside, connectivity), 0.5, 2.0),
        **CLOSE,
    )
    assert tfce_max(chosen, graph) == pytest.approx(enhanced.max(initial=0.0), rel=1e-12)


@given(seed=st.integers(0, 2**32 - 1), scale=st.floats(0.01, 100.0), H=st.sampled_from([0.0, 1.0, 2.0]))
def test_scaling_heights(seed, scale, H):
    mask = brain(9, (4, 5, 6))
    heights = np.random.default_rng(seed).standard_normal(mask.sum())
    graph = Graph.of_grid(np.argwhere(mask), 18)
    np.testing.assert_allclose(
        tfce_map(scale * heights, graph, H=H),
        scale ** (H + 1) * tfce_map(heights, graph, H=H),
        rtol=1e-11,
    )


@given(seed=st.integers(0, 2**32 - 1), dh=st.sampled_from([None, 0.1]))
def test_raising_a_height_lowers_nothing(seed, dh):
    mask = brain(10, (4, 5, 6))
    rng = np.random.default_rng(seed)
    heights = np.round(rng.standard_normal(mask.sum()), 1)
    raised = heights + rng.random(heights.size) * (rng.random(heights.size) < 0.2)
    graph = Graph.of_grid(np.argwhere(mask), 6)
    before, after = tfce_map(heights, graph, dh=dh), tfce_map(raised, graph, dh=dh)
    assert (after >= before * (1 - 1e-12)).all()


@given(seed=st.integers(0, 2**32 - 1))
def test_voxels_without_height_change_nothing(seed):
    rng = np.random.default_rng(seed)
    mask, wider = brain(seed, (4, 5, 6)), brain(seed + 1, (4, 5, 6)) | brain(seed, (4, 5, 6))
    volume = np.where(mask, rng.standard_normal(mask.shape), -rng.random(mask.shape))
    graph, wide = (Graph.of_grid(np.argwhere(m), 26) for m in (mask, wider))
    enhanced = np.zeros(mask.shape)
    enhanced[wider] = tfce_map(volume[wider], wide)
    np.testing.assert_array_equal(enhanced[mask], tfce_map(volume[mask], graph))
    assert tfce_max(volume[wider], wide) == tfce_max(volume[mask], graph)


@given(seed=st.integers(0, 2**32 - 1))
def test_turning_the_grid_changes_nothing(seed):
    volume = np.round(np.random.default_rng(seed).standard_normal((4, 5, 6)), 1)
    one = tfce_map(volume.ravel(), Graph.of_grid(np.argwhere(np.ones((4, 5, 6))), 18)).reshape(4, 5, 6)
    turned = np.ascontiguousarray(volume.transpose(2, 0, 1)[::-1])
    other = tfce_map(turned.ravel(), Graph.of_grid(np.argwhere(np.ones((6, 4, 5))), 18)).reshape(6, 4, 5)
    np.testing.assert_allclose(one.transpose(2, 0, 1)[::-1], other, rtol=1e-12)


def test_memory_of_a_former_map_leaves_no_trace(connectivity):
    mask = brain(11)
    graph = Graph.of_grid(np.argwhere(mask), connectivity)
    work = Work(graph)
    for seed in range(4):
        for heights in maps(seed, mask.sum()).values():
            map_ = heights.astype(np.float32)
            fresh = tfce_map(map_, graph)
            np.testing.assert_array_equal(tfce_map(map_, graph, work=work), fresh)
            assert tfce_max(map_, graph, work=work) == tfce_max(map_, graph)
    assert tfce_max(np.full(mask.sum(), -1, dtype=np.float32), graph, work=work) == 0


def test_memory_grows_when_there_is_no_room(connectivity):
    mask = brain(12, density=1.0)
    graph = Graph.of_grid(np.argwhere(mask), connectivity)
    heights = np.random.default_rng(0).random(mask.sum()).astype(np.float32)
    work = Work(graph)
    work.grow(1)
    assert tfce_max(heights, graph, work=work) == tfce_max(heights, graph)
    assert work.capacity > heights.size


def test_long_rows_and_far_voxels(definition):
    """Rows longer than a stretch, and voxels with much emptiness between them."""
    mask = np.zeros((3, 2, 3000), dtype=bool)
    mask[0, 0], mask[2, 1, ::500], mask[1, :, 700:703] = True, True, True
    heights = np.random.default_rng(1).random(mask.sum())
    graph = Graph.of_grid(np.argwhere(mask), 26)
    chosen = heights > 0.9  # the definition is slow: few distinct heights
    heights = np.where(chosen, heights, np.round(heights, 1))
    np.testing.assert_allclose(
        tfce_map(heights, graph),
        definition.integral(heights, definition.volume_label(mask, 26), 0.5, 2.0),
        **CLOSE,
    )


def test_one_voxel():
    graph = Graph.of_grid([[4, 5, 6]], 26)
    np.testing.assert_allclose(tfce_map(np.array([3.0]), graph), [9.0])
    assert tfce_max(np.array([-3.0]), graph) == 0


def test_no_voxel():
    graph = Graph.of_grid(np.zeros((0, 3)), 6)
    assert tfce_map(np.zeros(0), graph).shape == (0,)
    assert tfce_max(np.zeros(0), graph) == 0
    assert tfce_max(np.zeros(0), graph, dh=0.1) == 0


def test_all_equal(connectivity):
    graph = Graph.of_grid(np.argwhere(np.ones((5, 5, 5))), connectivity)
    np.testing.assert_allclose(tfce_map(np.full(125, 2.0), graph), np.sqrt(125) * 8 / 3)


def test_infinite_heights():
    graph = Graph.of_grid(np.argwhere(np.ones((1, 1, 3))), 6)
    heights = np.array([1.0, np.inf, -np.inf])
    np.testing.assert_allclose(tfce_map(heights, graph), [np.sqrt(2) / 3, np.inf, 0])
    assert tfce_max(heights, graph) == np.inf


def test_refusals():
    graph = Graph.of_grid(np.argwhere(np.ones((1, 1, 3))), 6)
    heights = np.array([1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match="NaN"):
        tfce_max(np.array([1.0, np.nan, 3.0]), graph)
    with pytest.raises(ValueError, match="one float for each"):
        tfce_max(np.array([1, 2, 3]), graph)
    with pytest.raises(ValueError, match="one float for each"):
        tfce_map(heights[:2], graph)
    with pytest.raises(ValueError, match="powers"):
        tfce_max(heights, graph, E=0.0)
    with pytest.raises(ValueError, match="powers"):
        tfce_max(heights, graph, H=-1.0)
    for dh in (0.0, -1.0, 1e-9, np.nan, np.inf):
        with pytest.raises(ValueError, match="steps"):
            tfce_max(heights, graph, dh=dh)
    with pytest.raises(ValueError, match="memory"):
        tfce_max(heights, graph, work=Work(graph, np.float32))
    with pytest.raises(ValueError, match="memory"):
        tfce_max(heights, graph, work=Work(Graph.of_grid([[0, 0, 0]], 6), np.float64))
    with pytest.raises(ValueError, match="C order"):
        Graph.of_grid([[0, 0, 1], [0, 0, 0]], 6)
    with pytest.raises(ValueError, match="C order"):
        Graph.of_grid([[0, 0, 1], [0, 0, 1]], 6)
    with pytest.raises(ValueError, match="too large"):
        Graph.of_grid([[0, 0, 0], [2000, 2000, 2000]], 6)
    with pytest.raises(KeyError):
        Graph.of_grid([[0, 0, 0]], 8)
