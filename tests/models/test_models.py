"""Fits and contrasts: brute force for small cases, then laws that any fit must keep."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats as scipy_stats

from specgl.engines import Threads
from specgl.errors import ComputationError
from specgl.models import contrast_maps, extra_maps, fit, residuals

Make = Callable[..., object]
ONE = Threads(1)
SEEDS = st.integers(0, 2**32 - 1)


def random_group(seed: int, n: int = 16, n_loc: int = 5) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    matrix = np.column_stack([np.ones(n), np.arange(n) % 2, rng.standard_normal(n)])
    return matrix, rng.standard_normal((n, n_loc)) + matrix @ rng.standard_normal((3, n_loc))


def test_every_number_of_a_small_analysis(make_design: Make, make_data: Make) -> None:
    """Every number of one small analysis, written out."""
    matrix, y = random_group(0)
    weights = np.array([[0.0, 1.0, 0.0], [0.0, 1.0, -0.5]])
    design = make_design(matrix, t={"a": weights[0], "b": weights[1]}, f={"both": weights})
    fitted = fit(make_data(y), design, engine=ONE)
    maps = contrast_maps(fitted, design)
    beta = np.linalg.lstsq(matrix, y)[0]
    rest = y - matrix @ beta
    sigma2 = (rest**2).sum(axis=0) / 13
    cov = np.linalg.inv(matrix.T @ matrix)
    for row in range(2):
        effect, scale = weights[row] @ beta, weights[row] @ cov @ weights[row]
        t = effect / np.sqrt(scale * sigma2)
        p = 2 * scipy_stats.t.sf(np.abs(t), 13)
        one = maps.isel(contrast=row)
        assert_allclose(one["effect"], effect, rtol=1e-11)
        assert_allclose(one["variance"], scale * sigma2, rtol=1e-11)
        assert_allclose(one["stat"], t, rtol=1e-11)
        assert_allclose(one["p"], p, rtol=1e-10)
        assert_allclose(one["z"], np.sign(t) * scipy_stats.norm.isf(p / 2), rtol=1e-9)
        assert_allclose(one["cohen_d"], effect / np.sqrt(sigma2), rtol=1e-11)
    effects = weights @ beta
    f = np.einsum("ql,qr,rl->l", effects, np.linalg.inv(weights @ cov @ weights.T), effects) / 2 / sigma2
    both = maps.sel(contrast="both")
    assert_allclose(both["stat"], f, rtol=1e-10)
    assert_allclose(both["p"], scipy_stats.f.sf(f, 2, 13), rtol=1e-10)
    assert both[["effect", "variance", "cohen_d"]].to_array().isnull().all()
    assert maps["dof1"].values.tolist() == [1, 1, 2]
    assert maps["kind"].values.tolist() == ["t", "t", "F"]
    assert (float(maps["dof"]), int(maps["n"])) == (13.0, 16)
    assert_array_equal(maps["i"], np.arange(5))
    assert maps["stat"].attrs["long_name"].startswith("Test statistic")
    assert_allclose(fitted.r2, 1 - (rest**2).sum(axis=0) / ((y - y.mean(axis=0)) ** 2).sum(axis=0))
    extra = extra_maps(["effect", "sigma", "r2", "residuals"], fitted, make_data(y), design, engine=ONE)
    assert sorted(extra) == ["r2", "residuals", "sigma"]
    assert_allclose(extra["sigma"], np.sqrt(sigma2))
    assert_allclose(extra["residuals"], rest, atol=1e-12)
    assert extra_maps(["effect"], fitted, make_data(y), design, engine=ONE) == {}
    assert fitted.findings == ()


@given(SEEDS, st.floats(1e-6, 1e6), st.booleans())
@settings(max_examples=20)
def test_scaling_the_data_scales_estimates_and_leaves_t(
    make_design: Make, make_data: Make, seed: int, scale: float, negative: bool
) -> None:
    matrix, y = random_group(seed)
    factor = -scale if negative else scale
    design = make_design(matrix, t={"a": [0, 1, 0]}, f={"f": np.eye(3)[1:]})
    plain, scaled = (contrast_maps(fit(make_data(k * y), design, engine=ONE), design) for k in (1.0, factor))
    assert_allclose(scaled["effect"], plain["effect"] * factor, rtol=1e-9, atol=1e-12 * scale)
    assert_allclose(scaled["variance"], plain["variance"] * factor**2, rtol=1e-9)
    assert_allclose(scaled["stat"][0], plain["stat"][0] * np.sign(factor), rtol=1e-8, atol=1e-12)
    assert_allclose(scaled["stat"][1], plain["stat"][1], rtol=1e-8)


@given(SEEDS, st.booleans(), st.booleans())
@settings(max_examples=20)
def test_the_order_of_rows_says_nothing(
    make_design: Make, make_data: Make, seed: int, blocked: bool, holes: bool
) -> None:
    matrix, y = random_group(seed)
    rng = np.random.default_rng(seed)
    if holes:
        y[rng.random(y.shape) < 0.1] = np.nan
    ids = [f"s{i}" for i in range(16)]
    blocks = np.repeat(np.arange(4), 4) if blocked else None
    design = make_design(matrix, t={"a": [0, 1, 0]}, blocks=blocks, observations=ids)
    maps = contrast_maps(fit(make_data(y, ids), design, engine=ONE), design)
    of_design, of_data = rng.permutation(16), rng.permutation(16)
    other = make_design(
        matrix[of_design],
        t={"a": [0, 1, 0]},
        blocks=None if blocks is None else blocks[of_design],
        observations=[ids[i] for i in of_design],
    )
    data = make_data(y[of_data], [ids[i] for i in of_data])
    fitted = fit(data, other, engine=ONE)
    again = contrast_maps(fitted, other)
    for name in ("effect", "variance", "stat", "z", "p"):
        assert_allclose(again[name], maps[name], rtol=1e-8, atol=1e-10)
    rest = residuals(data, other, fitted, engine=ONE)
    straight = residuals(make_data(y, ids), design, fit(make_data(y, ids), design, engine=ONE), engine=ONE)
    assert_allclose(rest, straight[of_design], atol=1e-10)


@given(SEEDS, st.integers(2, 5))
@settings(max_examples=15)
def test_codings_of_a_factor_give_one_f(make_design: Make, make_data: Make, seed: int, levels: int) -> None:
    rng = np.random.default_rng(seed)
    group = np.concatenate([np.arange(levels), rng.integers(0, levels, 20)])
    dummy = (group[:, None] == np.arange(levels)).astype(float)
    age = rng.standard_normal(group.size)
    treatment = np.column_stack([np.ones(group.size), dummy[:, 1:], age])
    sums = np.column_stack([np.ones(group.size), dummy[:, 1:] - dummy[:, :1], age])
    cells = np.column_stack([dummy, age])
    first = np.eye(levels + 1)[1:levels]
    differences = np.eye(levels + 1)[1:levels] - np.eye(levels + 1)[:1]
    y = make_data(rng.standard_normal((group.size, 4)))
    results = []
    for matrix, weights in ((treatment, first), (sums, first), (cells, differences)):
        design = make_design(matrix, f={"group": weights})
        results.append(contrast_maps(fit(y, design, engine=ONE), design))
    for other in results[1:]:
        assert_allclose(other["stat"], results[0]["stat"], rtol=1e-8)
        assert_allclose(other["z"], results[0]["z"], rtol=1e-7, atol=1e-8)


@given(SEEDS, st.integers(0, 2))
@settings(max_examples=15)
def test_a_column_in_the_span_changes_nothing(
    make_design: Make, make_data: Make, seed: int, source: int
) -> None:
    matrix, y = random_group(seed)
    extra = matrix @ np.random.default_rng(seed).integers(-3, 4, 3) + matrix[:, source]
    wide = np.column_stack([matrix, extra])
    # What both designs can estimate: the model's prediction for a new row.
    row = np.array([0.3, 1.0, -1.0])
    new = row @ np.linalg.lstsq(matrix, extra)[0]
    plain = make_design(matrix, t={"a": row}, f={"f": matrix[:4]})
    doubled = make_design(wide, t={"a": [*row, new]}, f={"f": wide[:4]})
    one = contrast_maps(fit(make_data(y), plain, engine=ONE), plain)
    two = contrast_maps(fit(make_data(y), doubled, engine=ONE), doubled)
    assert float(one["dof"]) == float(two["dof"])
    assert_allclose(two["stat"], one["stat"], rtol=1e-7)
    assert one["dof1"].values.tolist() == two["dof1"].values.tolist() == [1, 3]


@given(SEEDS, st.booleans())
@settings(max_examples=20)
def test_a_contrast_and_its_negative_mirror_each_other(
    make_design: Make, make_data: Make, seed: int, holes: bool
) -> None:
    matrix, y = random_group(seed, n_loc=40)
    rng = np.random.default_rng(seed)
    if holes:
        y[rng.random(y.shape) < 0.05] = np.nan
    weights = rng.standard_normal(3)
    design = make_design(matrix, t={"a": weights, "x": [0, 0, 1], "b": -weights})
    maps = contrast_maps(fit(make_data(y), design, engine=ONE), design)
    here, there = maps.sel(contrast="a"), maps.sel(contrast="b")
    for name in ("effect", "stat", "z", "cohen_d"):
        assert_array_equal(there[name], -here[name])
    for name in ("variance", "p"):
        assert_array_equal(there[name], here[name])


@pytest.mark.parametrize("holes", [False, True])
def test_threads_do_not_change_a_bit(make_design: Make, make_data: Make, holes: bool) -> None:
    rng = np.random.default_rng(4)
    matrix, y = random_group(1, n_loc=9001)
    if holes:
        y[:, ::2][rng.random((16, 4501)) < 0.2] = np.nan
    design = make_design(matrix, t={"a": [0, 1, 0]}, f={"f": np.eye(3)[1:]})
    results = []
    for n in (1, 2):
        fitted = fit(make_data(y), design, engine=Threads(n))
        maps = contrast_maps(fitted, design, engine=Threads(n))
        results.append(
            maps.assign(rest=(("o", "location"), residuals(make_data(y), design, fitted, engine=Threads(n))))
        )
    for name in results[0]:
        assert results[0][name].values.tobytes() == results[1][name].values.tobytes(), name


@pytest.mark.parametrize("step", [1, 1000, 4096, 5000])
def test_parts_are_the_whole(make_design: Make, make_data: Make, step: int) -> None:
    matrix, y = random_group(2, n_loc=5000 if step > 1 else 40)
    design = make_design(matrix, t={"a": [0, 1, 0]})
    whole = contrast_maps(fit(make_data(y), design, engine=ONE), design)
    parts = [
        contrast_maps(fit(make_data(y[:, i : i + step]), design, engine=ONE), design)["stat"].values
        for i in range(0, y.shape[1], step)
    ]
    # A product's last bits depend on where in a tile a column stands.
    assert_allclose(np.concatenate(parts, axis=1), whole["stat"], rtol=1e-10)


@given(SEEDS, st.integers(2, 6))
@settings(max_examples=15)
def test_blocks_are_dummy_columns(make_design: Make, make_data: Make, seed: int, n_blocks: int) -> None:
    rng = np.random.default_rng(seed)
    blocks = rng.permutation(np.repeat(np.arange(n_blocks), 4))
    x = rng.standard_normal((blocks.size, 2))
    y = rng.standard_normal((blocks.size, 6)) + 10 * rng.standard_normal(n_blocks)[blocks][:, None]
    y[rng.random(y.shape) < 0.08] = np.nan
    dummy = (blocks[:, None] == np.arange(n_blocks)).astype(float)
    taken = make_design(
        np.column_stack([np.ones(blocks.size), x]), t={"a": [0, 1, -1]}, f={"f": np.eye(3)[1:]}, blocks=blocks
    )
    pad = np.zeros((2, n_blocks))
    full = make_design(
        np.column_stack([x, dummy]),
        t={"a": [1, -1, *np.zeros(n_blocks)]},
        f={"f": np.column_stack([np.eye(2), pad])},
    )
    one = contrast_maps(fit(make_data(y), taken, engine=ONE), taken)
    two = contrast_maps(fit(make_data(y), full, engine=ONE), full)
    assert_array_equal(one["dof"], two["dof"])
    assert_array_equal(one["n"], two["n"])
    # 1e-10 for designs that are well conditioned, which random ones of few rows at times are not.
    assert_allclose(one["stat"], two["stat"], rtol=1e-8, atol=1e-10)
    assert_allclose(one["variance"], two["variance"], rtol=1e-8)


@given(SEEDS, st.floats(0.05, 0.7))
@settings(max_examples=20)
def test_available_cases_are_each_locations_own_fit(
    make_design: Make, make_data: Make, seed: int, share: float
) -> None:
    matrix, y = random_group(seed, n=12, n_loc=30)
    y[np.random.default_rng(seed).random(y.shape) < share] = np.nan
    y[:, 0] = np.nan
    weights = np.array([0.0, 1.0, 0.0])
    design = make_design(matrix, t={"a": weights}, f={"f": np.eye(3)[1:]})
    maps = contrast_maps(fit(make_data(y), design, engine=ONE), design)
    for location in range(30):
        rows = np.isfinite(y[:, location])
        x, values = matrix[rows], y[rows, location]
        rank = np.linalg.matrix_rank(x) if rows.any() else 0
        assert (int(maps["n"][location]), float(maps["dof"][location])) == (rows.sum(), rows.sum() - rank)
        t, f = maps["stat"].values[:, location]
        inside = rows.any() and np.allclose(np.linalg.pinv(x) @ x @ weights, weights)
        if rows.sum() - rank < 1 or not inside:
            assert np.isnan(t)
        else:
            beta = np.linalg.pinv(x) @ values
            sigma2 = ((values - x @ beta) ** 2).sum() / (rows.sum() - rank)
            cov = np.linalg.pinv(x.T @ x)
            assert_allclose(t, beta[1] / np.sqrt(sigma2 * cov[1, 1]), rtol=1e-6, atol=1e-9)
            if rank == 3:
                part = beta[1:] @ np.linalg.inv(cov[1:, 1:]) @ beta[1:]
                assert_allclose(f, part / 2 / sigma2, rtol=1e-6)
        assert np.isnan(f) == (np.isnan(t) or rank < 3)


def test_redundant_rows_of_an_f_are_harmless(make_design: Make, make_data: Make) -> None:
    matrix, y = random_group(7)
    a, b = [0, 1, 0], [0, 0, 1e-6]
    design = make_design(
        matrix,
        t={"t": a},
        f={"two": [a, b], "three": [a, b, [0, 1, 1e-6]], "four": [b, a, a, b], "one": [a], "twice": [a, a]},
    )
    maps = contrast_maps(fit(make_data(y), design, engine=ONE), design)
    stat = dict(zip(maps["contrast"].values, maps["stat"].values, strict=True))
    assert maps["dof1"].values.tolist() == [1, 2, 2, 2, 1, 1]
    assert_allclose(stat["three"], stat["two"], rtol=1e-10)
    assert_allclose(stat["four"], stat["two"], rtol=1e-10)
    assert_allclose(stat["one"], stat["t"] ** 2, rtol=1e-12)
    assert_allclose(stat["twice"], stat["t"] ** 2, rtol=1e-12)
    assert_array_equal(maps["effect"].sel(contrast="one"), maps["effect"].sel(contrast="t"))
    assert maps["effect"].sel(contrast="twice").isnull().all()


@pytest.mark.parametrize(
    ("alternative", "tail"), [("greater", scipy_stats.t.sf), ("less", scipy_stats.t.cdf)]
)
def test_alternatives(make_design: Make, make_data: Make, alternative: str, tail: Callable) -> None:
    matrix, y = random_group(9, n_loc=50)
    design = make_design(matrix, t={"a": [0, 1, 0]}, alternative=alternative)
    maps = contrast_maps(fit(make_data(y), design, engine=ONE), design)
    assert_allclose(maps["p"], tail(maps["stat"], 13), rtol=1e-10)
    assert (np.sign(maps["z"]) == np.sign(maps["stat"])).all()


def test_constant_locations_get_no_statistic(make_design: Make, make_data: Make) -> None:
    matrix, y = random_group(3, n_loc=6)
    y[:, 1] = 0.1
    y[:, 2] = 0.0
    y[:, 3] = 1e6 * (1 + np.random.default_rng(0).integers(-1, 2, 16) * 2.0**-52)  # last bits only
    y[:, 4] = 3.7 + 1.3 * matrix[:, 2]  # the model's own values
    for dtype in (np.float64, np.float32):
        design = make_design(matrix, t={"a": [0, 1, 0]}, f={"f": np.eye(3)[1:]})
        fitted = fit(make_data(y.astype(dtype)), design, engine=ONE)
        lost = [1, 2, 3, 4] if dtype is np.float64 else [1, 2, 3]
        assert np.flatnonzero(fitted.constant).tolist() == lost
        maps = contrast_maps(fitted, design)
        for name in ("stat", "z", "p"):
            assert np.isnan(maps[name].values[:, lost]).all()
        assert np.isfinite(maps["stat"].values[:, [0, 5]]).all()
        (finding,) = fitted.findings
        assert finding.code == "W400"
        assert f"{len(lost)} of 6" in finding.message


def test_small_variation_on_a_large_offset_is_no_constant(make_design: Make, make_data: Make) -> None:
    matrix, y = random_group(3)
    design = make_design(matrix, t={"a": [0, 1, 0]})
    near = contrast_maps(fit(make_data(y), design, engine=ONE), design)
    far = contrast_maps(fit(make_data(y + 1e6), design, engine=ONE), design)
    # Adding the offset rounds the data to 1e-10.
    assert_allclose(far["stat"], near["stat"], rtol=1e-8, atol=1e-9)


def test_lost_locations_are_counted(make_design: Make, make_data: Make) -> None:
    matrix, y = random_group(5, n_loc=6)
    y[1::2, 0] = np.nan  # one of the two groups
    y[3:, 1] = np.inf
    y[:, 2] = np.nan
    design = make_design(matrix, t={"group": [0, 1, 0], "slope": [0, 0, 1]})
    fitted = fit(make_data(y), design, engine=ONE)
    maps = contrast_maps(fitted, design)
    assert_array_equal(np.isfinite(maps["stat"]).values, [[0, 0, 0, 1, 1, 1], [1, 0, 0, 1, 1, 1]])
    assert maps["not_estimable"].values.tolist() == [1, 0]
    assert [(f.code, f.where) for f in fitted.findings] == [
        ("W401", ("data", "missing", "voxel")),
        ("W402", ("contrasts", "group")),
    ]
    rest = residuals(make_data(y), design, fitted, engine=ONE)
    assert_array_equal(np.isnan(rest[:, 0]), np.arange(16) % 2 == 1)
    assert np.isnan(rest[:, 1:3]).all()
    assert np.isfinite(rest[:, 3:]).all()


def test_what_cannot_be_fitted_is_refused_at_once(make_design: Make, make_data: Make) -> None:
    matrix, y = random_group(5)
    wide = np.column_stack([matrix[:4], np.eye(4)])
    design = make_design(wide, t={"a": [1, 0, 0, 0, 0, 0, 0], "b": wide[0]})
    with pytest.raises(ComputationError) as caught:
        fit(make_data(y[:4]), design, engine=ONE)
    assert [f.code for f in caught.value.findings] == ["E402", "E400"]
    assert "rank 4 and there are 4 observations" in str(caught.value)
    assert int(caught.value.exit_code) == 4


def test_ids_must_agree(make_design: Make, make_data: Make) -> None:
    matrix, y = random_group(5)
    design = make_design(matrix, observations=[f"a{i}" for i in range(16)])
    with pytest.raises(ComputationError, match=r"(?s)'b0'.*'a0'") as caught:
        fit(make_data(y, [f"b{i}" if i < 7 else f"a{i}" for i in range(16)]), design, engine=ONE)
    assert "and 2 more" in str(caught.value)
    twice = make_data(np.vstack([y, y[:1]]), [f"a{i % 16}" for i in range(17)])
    with pytest.raises(ComputationError, match=r"twice: 'a0'"):
        fit(twice, design, engine=ONE)


def test_progress_and_float32(make_design: Make, make_data: Make) -> None:
    matrix, y = random_group(5, n_loc=9000)
    design = make_design(matrix, t={"a": [0, 1, 0]})
    seen: list[tuple[int, int]] = []
    data = make_data(y.astype(np.float32))
    fitted = fit(data, design, engine=Threads(2), progress=lambda *step: seen.append(step))
    assert seen[-1] == (3, 3)
    assert fitted.beta.dtype == np.float64
    assert residuals(data, design, fitted, engine=ONE).dtype == np.float32
    same = fit(make_data(y.astype(np.float32).astype(float)), design, engine=ONE)
    assert_array_equal(fitted.sigma2, same.sigma2)
    turned = xr.Dataset({"effect": data["effect"].transpose("location", "observation")})
    assert_allclose(fit(turned, design, engine=ONE).sigma2, same.sigma2, rtol=1e-12)
