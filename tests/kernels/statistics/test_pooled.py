"""t and F under shuffles against least squares on data, or designs, that are really shuffled."""

from __future__ import annotations

import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.linalg import null_space

from specgl.kernels.statistics import BLOCK, METHODS, NOUGHT, TIE, partition
from specgl.kernels.statistics.pooled import PooledStatistic
from specgl.kernels.tails import f_tails, t_tails

ALTERNATIVES = ("two-sided", "greater", "less")
WEIGHTS = {
    1: [[0, 1.0, 0.5, 0]],
    2: [[0, 1, 0, 0], [0, 0, 1, 0]],
    3: [[0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]],
}


def design(n: int, seed: int = 1) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.column_stack([np.ones(n), rng.standard_normal((n, 3)) + 2])


def shuffles(n: int, how: str, count: int, seed: int = 5) -> tuple[np.ndarray, np.ndarray | None]:
    rng = np.random.default_rng(seed)
    rows = np.tile(np.arange(n, dtype=np.int32), (count, 1))
    if how != "flip":
        rows[1:] = [rng.permutation(n) for _ in range(count - 1)]
    if how == "permute":
        return rows, None
    signs = rng.choice(np.array([-1, 1], dtype=np.int8), (count, n))
    signs[0] = 1
    return rows, signs


def matrix_of(row: np.ndarray, sign: np.ndarray | None) -> np.ndarray:
    result = np.eye(len(row))[row]
    return result if sign is None else sign[:, None] * result


def refit(x: np.ndarray, z: np.ndarray, y: np.ndarray, dof: int, signed: bool) -> np.ndarray:
    """F, or signed t, of the columns x beside z, by two fits."""
    if np.linalg.matrix_rank(np.column_stack([x, z]), 1e-9) < x.shape[1] + np.linalg.matrix_rank(z, 1e-9):
        return np.zeros(y.shape[1])

    def rss(columns: np.ndarray) -> np.ndarray:
        return ((y - columns @ (np.linalg.pinv(columns) @ y)) ** 2).sum(axis=0)

    full = np.column_stack([x, z])
    f = (rss(z) - rss(full)) / x.shape[1] / (rss(full) / dof)
    return np.sign((np.linalg.pinv(full) @ y)[0]) * np.sqrt(np.maximum(f, 0)) if signed else f


def brute(method: str, m: np.ndarray, c: np.ndarray, y: np.ndarray, p: np.ndarray, first: bool) -> np.ndarray:
    """The table of Winkler et al. 2014, word for word."""
    n = len(m)
    dof = n - np.linalg.matrix_rank(m)
    x, z = m @ np.linalg.pinv(c), m @ null_space(c)
    hz, hm, none = z @ np.linalg.pinv(z), m @ np.linalg.pinv(m), np.empty((n, 0))
    rz, signed = np.eye(n) - hz, len(c) == 1
    if method == "ter_braak" and first:
        method = "freedman_lane"
    data, tested, nuisance = {
        "freedman_lane": (p.T @ rz @ y + hz @ y, x, z),
        "ter_braak": (p.T @ (y - hm @ y), x, z),
        "manly": (p.T @ y, x, z),
        "still_white": (rz @ y, p @ rz @ x, none),
        "dekker": (y, p @ rz @ x, z),
        "draper_stoneman": (y, p @ x, z),
    }[method]
    return refit(tested, nuisance, data, dof, signed)


def averaging(n: int, how: str) -> np.ndarray:
    return np.full((n, n), 1 / n) if how == "permute" else np.zeros((n, n))


def prepared(method: str, r: int, how: str, y: np.ndarray, **more: object) -> PooledStatistic:
    parts = partition(design(len(y)), np.array(WEIGHTS[r]))
    return PooledStatistic.prepare(
        y,
        parts,
        kind="t" if r == 1 else "F",
        nuisance=method,
        invariant=averaging(len(y), how),
        **more,
    )


def data(n: int, n_loc: int, seed: int = 3, mean: float = 100.0) -> np.ndarray:
    return (np.random.default_rng(seed).standard_normal((n, n_loc)) + mean).astype(np.float32)


def check_scan(
    statistic: PooledStatistic, rows: np.ndarray, signs: np.ndarray | None, here: np.ndarray
) -> None:
    """A scan says what the values of all locations say."""
    values = statistic.values(rows, signs, np.arange(statistic.n_loc))[:, here]
    for alternative in ALTERNATIVES:
        found = statistic.scan(rows, signs, alternative=alternative, count=True, scale="t")
        assert_array_equal(found.upper, values.max(axis=1))
        if statistic.signed:
            assert_array_equal(found.lower, (-values).max(axis=1))
        else:
            assert np.isnan(found.lower).all()
        turned = {"two-sided": np.abs(values), "greater": values, "less": -values}[
            alternative if statistic.signed else "greater"
        ]
        observed = turned_observed(statistic, alternative)[here]
        reached = turned >= observed - TIE * np.abs(observed) - NOUGHT
        assert_array_equal(found.counts[here], reached.sum(axis=0))


def turned_observed(statistic: PooledStatistic, alternative: str) -> np.ndarray:
    if not statistic.signed:
        return statistic.observed
    return {"two-sided": np.abs, "greater": np.positive, "less": np.negative}[alternative](statistic.observed)


@pytest.mark.parametrize("how", ["permute", "flip", "both"])
@pytest.mark.parametrize("r", [1, 2, 3])
@pytest.mark.parametrize("method", [name for name in METHODS if name != "huh_jhun"])
def test_every_method_is_a_refit_of_what_is_shuffled(method: str, r: int, how: str) -> None:
    y = data(11, 30)
    statistic = prepared(method, r, how, y)
    rows, signs = shuffles(11, how, 20)
    found = statistic.values(rows, signs, np.arange(30))
    for k in range(20):
        p = matrix_of(rows[k], None if signs is None else signs[k])
        expected = brute(method, design(11), np.array(WEIGHTS[r]), y.astype(float), p, k == 0)
        # The refit loses digits where the shuffled model is badly conditioned, or F is near 0.
        assert_allclose(found[k], expected, rtol=1e-7, atol=1e-7)
    assert_array_equal(found[0], statistic.observed)
    maps = np.empty((20, 30), dtype=np.float32)
    statistic.fill(rows, signs, maps, scale="t")
    assert_allclose(maps, found, rtol=2e-7)  # float64, rounded once
    check_scan(statistic, rows, signs, np.arange(30))


@pytest.mark.parametrize("r", [1, 2])
def test_huh_jhun_shuffles_what_is_left_beside_the_nuisance(r: int) -> None:
    m, c, y = design(11), np.array(WEIGHTS[r]), data(11, 30)
    statistic = prepared("huh_jhun", r, "permute", y)
    q = statistic.recipe.reduce
    z = m @ null_space(c)
    assert statistic.n_obs == q.shape[1] == 11 - z.shape[1]
    assert_allclose(q.T @ q, np.eye(q.shape[1]), atol=1e-12)
    assert_allclose(q.T @ z, 0, atol=1e-12)
    rows, _ = shuffles(statistic.n_obs, "permute", 20)
    found = statistic.values(rows, None, np.arange(30))
    for k in range(20):
        x = matrix_of(rows[k], None) @ q.T @ m @ np.linalg.pinv(c)
        expected = refit(x, np.empty((len(q.T), 0)), q.T @ y.astype(float), 7, r == 1)
        assert_allclose(found[k], expected, rtol=1e-7, atol=1e-7)
    check_scan(statistic, rows, None, np.arange(30))


def test_blocks_are_nuisance() -> None:
    n, codes = 12, np.repeat(np.arange(6), 2)
    rng = np.random.default_rng(2)
    m, y = np.column_stack([np.tile([0.0, 1], 6), rng.standard_normal(n)]), data(n, 20)
    parts = partition(m, np.array([[1.0, 0]]), codes)
    full = np.column_stack([m, codes[:, None] == np.arange(6)]).astype(float)
    assert parts.dof == n - np.linalg.matrix_rank(full) == 4
    means = (codes[:, None] == codes) / 2
    statistic = PooledStatistic.prepare(y, parts, kind="t", invariant=means)
    assert statistic.recipe.moving.shape[1] == 1  # the covariate; what is constant in blocks stays
    rows = np.tile(np.arange(n, dtype=np.int32), (8, 1))
    for k in range(1, 8):
        rows[k] = (rows[k].reshape(6, 2)[np.arange(6)[:, None], (rng.random((6, 1)) < 0.5) ^ [0, 1]]).ravel()
    found = statistic.values(rows, None, np.arange(20))
    c = np.eye(1, full.shape[1])
    for k in range(8):
        expected = brute("freedman_lane", full, c, y.astype(float), matrix_of(rows[k], None), k == 0)
        assert_allclose(found[k], expected, rtol=1e-7, atol=1e-7)


def test_counts_of_all_flips_are_those_of_float64() -> None:
    """Small whole numbers: nearly everything is a tie, and float32 alone would get none of them right."""
    n = 8
    rng = np.random.default_rng(4)
    y = rng.integers(-2, 3, (n, 60)).astype(np.float32)
    y[:, 30:] = y[:, :30] * np.float32(0.1)  # the same statistic from other bits
    y[0, ~y.any(axis=0)] = 1
    y = y[:, y.std(axis=0) > 0]
    signs = (1 - 2 * ((np.arange(256)[:, None] >> np.arange(n)) & 1)).astype(np.int8)
    rows = np.tile(np.arange(n, dtype=np.int32), (256, 1))
    statistic = PooledStatistic.prepare(y, partition(np.ones((n, 1)), np.ones((1, 1))), kind="t")
    means = signs @ y.astype(float) / n
    rss = (y.astype(float) ** 2).sum(axis=0) - n * means**2
    t = means * np.sqrt(n * (n - 1) / np.maximum(rss, 1e-12))
    for alternative, turned in zip(ALTERNATIVES, (np.abs(t), t, -t), strict=True):
        found = statistic.scan(rows, signs, alternative=alternative, count=True, scale="t")
        slack = 1e-7 * np.abs(turned[0]) + 1e-7  # no two different t of whole numbers are as near
        assert_array_equal(found.counts, (turned >= turned[0] - slack).sum(axis=0))
        assert found.counts.min() >= 1
    check_scan(statistic, rows, signs, np.arange(y.shape[1]))


@pytest.mark.parametrize("seed", range(6))
def test_near_ties_of_maxima_are_decided_in_float64(seed: int) -> None:
    """Copies of one location, each with a little noise: float32 cannot tell which is the largest."""
    rng = np.random.default_rng(seed)
    y = rng.standard_normal((14, 1)) + 1e-7 * rng.standard_normal((14, 3000))
    statistic = prepared("freedman_lane", 1, "permute", y)
    rows, _ = shuffles(14, "permute", 6)
    check_scan(statistic, rows, None, np.arange(3000))


@pytest.mark.parametrize("n_loc", [1, 2, 5])
def test_little_left_beside_moving_nuisance(n_loc: int) -> None:
    """Few observations, much nuisance: the moving part takes nearly all of the data now and then."""
    rng = np.random.default_rng(n_loc)
    n = 7
    m = np.column_stack([np.ones(n), rng.standard_normal((n, 4))])
    statistic = PooledStatistic.prepare(
        data(n, n_loc, mean=3), partition(m, np.eye(5)[[1]]), kind="t", invariant=averaging(n, "permute")
    )
    rows, _ = shuffles(n, "permute", 300)
    check_scan(statistic, rows, None, np.arange(n_loc))
    moved = statistic.recipe.moving[rows]
    y = data(n, n_loc, mean=3).astype(float)
    y -= statistic.recipe.remove @ (statistic.recipe.remove.T @ y)
    taken = (np.einsum("bik,il->bkl", moved, y) ** 2).sum(axis=1) / (y**2).sum(axis=0)
    assert (taken > 0.75).any()  # or the test would show nothing


def test_large_means_do_no_harm() -> None:
    """The data are residualised in float64 before float32 sees them."""
    rng = np.random.default_rng(9)
    small = rng.standard_normal((20, 50))
    rows, _ = shuffles(20, "permute", 30)
    near, far = (prepared("freedman_lane", 1, "permute", small + mean) for mean in (0.0, 2.0**20))
    here = np.arange(50)
    # 2**20 leaves 1e-10 of the differences.
    assert_allclose(far.values(rows, None, here), near.values(rows, None, here), rtol=1e-7, atol=1e-7)
    check_scan(far, rows, None, here)


def test_a_contrast_and_its_negative_give_opposite_bits() -> None:
    m, y = design(13), data(13, 2500)
    rows, _ = shuffles(13, "permute", 20)
    for method in METHODS:
        one, other = (
            PooledStatistic.prepare(
                y,
                partition(m, sign * np.array(WEIGHTS[1])),
                kind="t",
                nuisance=method,
                invariant=averaging(13, "permute"),
            )
            for sign in (1, -1)
        )
        here = rows[:, : one.n_obs] if one.n_obs == 13 else shuffles(one.n_obs, "permute", 20)[0]
        assert_array_equal(one.observed, -other.observed)
        assert_array_equal(one.observed_z, -other.observed_z)
        a = one.scan(here, None, alternative="less", count=True, scale="z")
        b = other.scan(here, None, alternative="greater", count=True, scale="z")
        assert_array_equal(a.upper, b.lower)
        assert_array_equal(a.lower, b.upper)
        assert_array_equal(a.counts, b.counts)
        maps = np.empty((2, 20, 2500), dtype=np.float32)
        one.fill(here, None, maps[0], scale="t")
        other.fill(here, None, maps[1], scale="t")
        assert_array_equal(maps[0], -maps[1])


def test_neither_company_nor_threads_nor_pickling_change_a_bit() -> None:
    y = data(15, 5000)
    statistic = prepared("freedman_lane", 1, "both", y)
    rows, signs = shuffles(15, "both", 70)
    whole = statistic.scan(rows, signs, alternative="two-sided", count=True, scale="t")
    edges = [0, 1, 3, 20, 64, 70]
    copy = pickle.loads(pickle.dumps(statistic))

    def part(i: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        here = slice(edges[i], edges[i + 1])
        found = copy.scan(rows[here], signs[here], alternative="two-sided", count=True, scale="t")
        return found.upper, found.lower, found.counts

    with ThreadPoolExecutor(3) as pool:
        parts = list(pool.map(part, range(len(edges) - 1)))
    assert_array_equal(np.concatenate([upper for upper, _, _ in parts]), whole.upper)
    assert_array_equal(np.concatenate([lower for _, lower, _ in parts]), whole.lower)
    assert_array_equal(sum(counts for _, _, counts in parts), whole.counts)
    maps, again = np.empty((70, 5000), dtype=np.float32), np.empty((70, 5000), dtype=np.float32)
    statistic.fill(rows, signs, maps, scale="t")
    for start in range(0, 70, BLOCK):
        here = slice(start, start + BLOCK)
        copy.fill(rows[here], signs[here], again[here], scale="t")
    assert_array_equal(maps, again)
    turned = np.empty((BLOCK, 5000), dtype=np.float32)
    copy.fill(rows[BLOCK : 2 * BLOCK], signs[BLOCK : 2 * BLOCK], turned, scale="t")
    assert_array_equal(turned, maps[BLOCK : 2 * BLOCK])


@pytest.mark.parametrize("r", [1, 2])
def test_locations_that_are_not_analysed_never_count(r: int) -> None:
    y = data(12, 2100)
    analysed = np.random.default_rng(0).random(2100) < 0.6
    y[3, np.flatnonzero(~analysed)[::2]] = np.nan
    statistic = prepared("freedman_lane", r, "permute", y, analysed=analysed)
    rows, _ = shuffles(12, "permute", 18)
    here = np.flatnonzero(analysed)
    check_scan(statistic, rows, None, here)
    found = statistic.scan(rows, None, alternative="greater", count=True, scale="t")
    maps = np.empty((18, 2100), dtype=np.float32)
    statistic.fill(rows, None, maps, scale="z")
    for values in (statistic.observed, statistic.observed_z, maps[:, ~analysed], found.counts):
        assert not np.any(values[..., ~analysed] if values.shape[-1] == 2100 else values)
    assert not np.any(statistic.values(rows, None, np.flatnonzero(~analysed)))


def test_rows_are_matched() -> None:
    y, order = data(12, 40), np.random.default_rng(1).permutation(12)
    straight = prepared("manly", 1, "permute", y[order])
    matched = prepared("manly", 1, "permute", y, row_of=order)
    rows, _ = shuffles(12, "permute", 10)
    here = np.arange(40)
    assert_array_equal(matched.values(rows, None, here), straight.values(rows, None, here))


def test_z_is_that_of_the_tails() -> None:
    y = data(12, 50)
    rows, _ = shuffles(12, "permute", 10)
    for r, tails in ((1, lambda v: t_tails(v, 8)), (2, lambda v: f_tails(v, 2, 8))):
        statistic = prepared("freedman_lane", r, "permute", y)
        assert_array_equal(statistic.observed_z, tails(statistic.observed).z())
        plain = statistic.scan(rows, None, alternative="two-sided", count=False, scale="t")
        scaled = statistic.scan(rows, None, alternative="two-sided", count=False, scale="z")
        assert plain.counts is None
        assert_array_equal(scaled.upper, tails(plain.upper).z())
        maps = np.empty((2, 10, 50), dtype=np.float32)
        statistic.fill(rows, None, maps[0], scale="t")
        statistic.fill(rows, None, maps[1], scale="z")
        # The table is good to 1e-6 of max(1, |z|); float32 rounds the statistic it starts from.
        assert_allclose(maps[1].ravel(), tails(maps[0].ravel()).z(), rtol=2e-6, atol=2e-6)


def test_what_cannot_be_divided_is_finite() -> None:
    m = design(12)
    y = data(12, 4).astype(float)
    y[:, 0] = 7  # constant
    y[:, 1] = m[:, 1]  # fits exactly
    y[:, 2] = m[:, 3]  # is nuisance
    statistic = prepared("freedman_lane", 1, "permute", y)
    assert statistic.observed[0] == statistic.observed[2] == 0
    assert 1e6 < statistic.observed[1] < 1e18
    rows, _ = shuffles(12, "permute", 20)
    check_scan(statistic, rows, None, np.arange(4))


def test_lost_rank_is_a_statistic_of_nought() -> None:
    """Crossed groups: some shuffles of the one are the other."""
    m = np.column_stack([np.ones(8), np.repeat([0.0, 1], 4), np.tile([0.0, 1], 4)])
    parts = partition(m, np.array([[0, 1.0, 0]]))
    statistic = PooledStatistic.prepare(
        data(8, 10), parts, kind="t", nuisance="draper_stoneman", invariant=averaging(8, "permute")
    )
    rows = np.array([np.arange(8), [0, 4, 1, 5, 2, 6, 3, 7]], dtype=np.int32)
    assert not statistic.values(rows, None, np.arange(10))[1].any()
    check_scan(statistic, rows, None, np.arange(10))


@pytest.mark.parametrize("r", [1, 2])
def test_what_moved_nuisance_fits_is_a_statistic_of_nought(r: int) -> None:
    # Values of 1 and -1 whose flips are a constant: nothing is left to test, and rounding is no statistic.
    n = 10
    y = np.random.default_rng(2).permuted(np.tile(np.repeat([1.0, -1.0], 5), (40, 1)), axis=1).T + 3
    parts = partition(design(n)[:, : r + 1], np.eye(r + 1)[1:])
    statistic = PooledStatistic.prepare(y, parts, kind="t" if r == 1 else "F")
    rows = np.tile(np.arange(n, dtype=np.int32), (40, 1))
    signs = np.sign(y.T - 3).astype(np.int8)
    own = np.arange(40)
    maps = np.empty((40, 40), dtype=np.float32)
    statistic.fill(rows, signs, maps, scale="t")
    assert_array_equal(statistic.values(rows, signs, own)[own, own], 0.0)
    assert_array_equal(maps[own, own], 0.0)
