"""v and G of shuffles: refitted by brute force, and laws of scans, maps and counts."""

from __future__ import annotations

import dataclasses
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from specgl.kernels.statistics import partition, separate
from specgl.kernels.statistics.separate import SeparateStatistic
from specgl.kernels.statistics.zscale import z_of

SEEDS = st.integers(0, 2**32 - 1)
MOVED_DATA = ("freedman_lane", "ter_braak", "manly")
MOVED_MODEL = ("dekker", "draper_stoneman")


def brute(
    y: np.ndarray, matrix: np.ndarray, x: np.ndarray, z: np.ndarray, codes: np.ndarray
) -> tuple[float, float]:
    """Signed G of x beside z by the formula of Winkler et al. 2014, with its degrees of freedom."""
    model = np.column_stack([x, z])
    pinv = np.linalg.pinv(model)
    left = np.eye(len(y)) - model @ pinv
    rest = left @ y
    held = np.unique(codes)
    free = np.array([np.diag(left)[codes == g].sum() for g in held])
    weight = free / np.array([(rest[codes == g] ** 2).sum() for g in held])
    sizes = np.array([(codes == g).sum() for g in held])
    wide = np.diag(weight[np.searchsorted(held, codes)])
    r = x.shape[1]
    beta = (pinv @ y)[:r]
    covariance = np.linalg.inv(model.T @ wide @ model)[:r, :r]
    share = sizes * weight / (sizes * weight).sum()
    total = ((1 - share) ** 2 / free).sum()
    g = beta @ np.linalg.inv(covariance) @ beta / (1 + 2 * (r - 1) / (r * (r + 2)) * total) / r
    return (float(np.sign(beta[0]) * np.sqrt(g)) if r == 1 else float(g)), float(r * (r + 2) / (3 * total))


def refit(
    y: np.ndarray,
    matrix: np.ndarray,
    weights: np.ndarray,
    codes: np.ndarray,
    nuisance: str,
    rows: np.ndarray,
    signs: np.ndarray | None,
) -> tuple[float, float]:
    """One shuffle at one location, with the data (or the model) really moved."""
    parts = partition(matrix, weights)
    flips = np.ones(len(y)) if signs is None else signs.astype(float)
    fitted = parts.z @ (parts.z.T @ y)
    identity = np.array_equal(rows, np.arange(len(y))) and (flips > 0).all()
    if nuisance in MOVED_DATA:
        data = {"freedman_lane": y - fitted, "manly": y}.get(nuisance, y - fitted)
        if nuisance == "ter_braak" and not identity:
            data = data - parts.x @ (parts.x.T @ y)
        moved = np.empty(len(y))
        moved[rows] = flips * data
        return brute(moved, matrix, parts.x, parts.z, codes)
    tested = parts.x if nuisance == "dekker" else parts.x0
    x = flips[:, None] * tested[rows]
    kept = np.isfinite(y)
    return brute(y[kept], matrix, x[kept], _spanned(parts.z[kept]), codes[kept])


def _spanned(z: np.ndarray) -> np.ndarray:
    u, s, _ = np.linalg.svd(z, full_matrices=False)
    return u[:, s > 1e-9]


def made(
    seed: int, n: int = 16, n_loc: int = 7, n_groups: int = 2
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    codes = np.sort(rng.permutation(np.arange(n) % n_groups))
    matrix = np.column_stack([np.ones(n), np.arange(n) % 2, rng.standard_normal((n, 2))])
    y = (
        rng.standard_normal((n, n_loc)) * (1 + 2 * codes[:, None])
        + matrix @ rng.standard_normal((4, n_loc)) / 2
    )
    return matrix, y, codes


def shuffles(seed: int, n: int, size: int, flips: bool) -> tuple[np.ndarray, np.ndarray | None]:
    rng = np.random.default_rng(seed)
    rows = np.stack([np.arange(n), *(rng.permutation(n) for _ in range(size - 1))]).astype(np.int32)
    signs = rng.choice([-1, 1], size=(size, n)).astype(np.int8) if flips else None
    if signs is not None:
        signs[0] = 1
    return rows, signs


WEIGHTS = {"v": np.array([[0, 1.0, 0, 0.5]]), "G": np.array([[0, 1.0, 0, 0], [0, 0, 1.0, 1.0]])}


@pytest.mark.parametrize("nuisance", [*MOVED_DATA, *MOVED_MODEL])
@pytest.mark.parametrize("kind", ["v", "G"])
@pytest.mark.parametrize(("n_groups", "flips"), [(2, False), (3, True)])
def test_every_shuffle_is_a_refit(nuisance: str, kind: str, n_groups: int, flips: bool) -> None:
    matrix, y, codes = made(1, n_groups=n_groups)
    weights = WEIGHTS[kind]
    statistic = SeparateStatistic.prepare(
        y,
        partition(matrix, weights),
        codes,
        kind=kind,
        nuisance=nuisance,  # type: ignore[arg-type]
    )
    rows, signs = shuffles(2, 16, 20, flips)
    want = np.empty((20, 7))
    for k in range(20):
        for loc in range(7):
            stat, dof = refit(
                y[:, loc], matrix, weights, codes, nuisance, rows[k], None if signs is None else signs[k]
            )
            want[k, loc] = z_of(stat, kind, len(weights), dof)
            if k == 0:
                assert_allclose(statistic.observed[loc], stat, rtol=1e-9)
    # Two ways through matrices of condition 100 or so.
    assert_allclose(statistic.values(rows, signs, np.arange(7)), want, rtol=1e-8, atol=1e-9)
    assert_allclose(statistic.observed_z, want[0], rtol=1e-8)
    maps = np.empty((20, 7), dtype=np.float32)
    statistic.fill(rows, signs, maps, scale="z")
    assert_allclose(maps, want, rtol=2e-6, atol=1e-6)
    for alternative, turn in (("two-sided", np.abs), ("greater", np.array), ("less", np.negative)):
        turn = turn if kind == "v" else np.array
        scan = statistic.scan(rows, signs, alternative=alternative, count=True, scale="z")  # type: ignore[arg-type]
        assert_allclose(scan.upper, want.max(axis=1), rtol=1e-8)
        assert_array_equal(scan.counts, (turn(want) >= turn(want[0]) - 1e-9).sum(axis=0))
        if kind == "v":
            assert_allclose(scan.lower, (-want).max(axis=1), rtol=1e-8)
        else:
            assert np.isnan(scan.lower).all()


@pytest.mark.parametrize("kind", ["v", "G"])
def test_available_cases_are_refits_of_the_rows_that_have_a_value(kind: str) -> None:
    matrix, y, codes = made(4, n=18, n_groups=2)
    y[[0, 5], 1] = np.nan
    y[10:13, 2] = np.nan
    y[[0, 5], 6] = np.inf
    weights = WEIGHTS[kind]
    statistic = SeparateStatistic.prepare(y, partition(matrix, weights), codes, kind=kind)  # type: ignore[arg-type]
    rows, signs = shuffles(3, 18, 12, flips=True)
    y[~np.isfinite(y)] = np.nan
    want = np.empty((12, 7))
    for k in range(12):
        for loc in range(7):
            stat, dof = refit(y[:, loc], matrix, weights, codes, "draper_stoneman", rows[k], signs[k])
            want[k, loc] = z_of(stat, kind, len(weights), dof)
    assert_allclose(statistic.values(rows, signs, np.arange(7)), want, rtol=1e-7, atol=1e-9)
    scan = statistic.scan(rows, signs, alternative="greater", count=True, scale="z")
    assert_allclose(scan.upper, want.max(axis=1), rtol=1e-7)
    assert_array_equal(scan.counts, (want >= want[0] - 1e-9).sum(axis=0))


@given(SEEDS, st.integers(1, 33), st.sampled_from(["freedman_lane", "draper_stoneman"]))
@settings(max_examples=8)
def test_a_scan_is_a_function_of_the_shuffle_alone(seed: int, batch: int, nuisance: str) -> None:
    matrix, y, codes = made(seed, n_loc=300)
    statistic = SeparateStatistic.prepare(
        y,
        partition(matrix, WEIGHTS["v"]),
        codes,
        kind="v",
        nuisance=nuisance,  # type: ignore[arg-type]
    )
    rows, _ = shuffles(seed, 16, 40, flips=False)
    whole = statistic.scan(rows, None, alternative="two-sided", count=True, scale="z")
    parts = [
        statistic.scan(rows[k : k + batch], None, alternative="two-sided", count=True, scale="z")
        for k in range(0, 40, batch)
    ]
    assert_array_equal(whole.upper, np.concatenate([part.upper for part in parts]))
    assert_array_equal(whole.lower, np.concatenate([part.lower for part in parts]))
    assert_array_equal(whole.counts, np.sum([part.counts for part in parts], axis=0))
    every = statistic.values(rows, None, np.arange(300))
    assert_array_equal(whole.upper, every.max(axis=1))
    assert_array_equal(whole.lower, (-every).max(axis=1))
    few = statistic.values(rows, None, np.array([250, 3]))
    assert_array_equal(few, every[:, [250, 3]])


def test_equal_labellings_are_ties() -> None:
    """Rows that are equal change places: nothing changes, and every such shuffle counts everywhere."""
    rng = np.random.default_rng(0)
    codes = np.repeat([0, 1], 8)
    matrix = np.eye(2)[codes]
    y = rng.standard_normal((16, 500)) * 10.0 ** rng.integers(-6, 6, size=500)
    y[codes == 0, :50] = 1.0  # no variance in one group
    statistic = SeparateStatistic.prepare(y, partition(matrix, np.array([[1.0, -1]])), codes, kind="v")
    rows = np.stack([np.concatenate([rng.permutation(8), 8 + rng.permutation(8)]) for _ in range(30)])
    for alternative in ("two-sided", "greater", "less"):
        scan = statistic.scan(rows.astype(np.int32), None, alternative=alternative, count=True, scale="z")  # type: ignore[arg-type]
        assert_array_equal(scan.counts, 30)
        assert_allclose(scan.upper, statistic.observed_z.max(), rtol=1e-9)


def test_strong_and_huge_statistics(  # the table ends, and maxima and counts go on
) -> None:
    rng = np.random.default_rng(1)
    codes = np.repeat([0, 1], [6, 20])
    matrix = np.column_stack([np.eye(2)[codes]])
    y = rng.standard_normal((26, 400)) + 60 * codes[:, None] * rng.uniform(0, 1, 400)
    y[:, 7] = codes  # a perfect fit
    statistic = SeparateStatistic.prepare(y, partition(matrix, np.array([[-1.0, 1]])), codes, kind="v")
    rows, _ = shuffles(1, 26, 24, flips=False)
    rows[1] = np.roll(np.arange(26), 1)
    rows[2] = np.arange(26)
    rows[2, [0, 1]] = 1, 0
    every = statistic.values(rows, None, np.arange(400))
    scan = statistic.scan(rows, None, alternative="greater", count=True, scale="z")
    assert np.isfinite(every).all()
    assert_array_equal(scan.upper, every.max(axis=1))
    assert_array_equal(scan.counts, (every >= every[0] - 1e-9 * np.abs(every[0])).sum(axis=0))
    maps = np.empty((24, 400), dtype=np.float32)
    statistic.fill(rows, None, maps, scale="z")
    assert_allclose(maps, every, rtol=2e-6, atol=1e-6)


def test_locations_that_are_not_analysed_stay_out() -> None:
    matrix, y, codes = made(9, n_loc=40)
    y[:, 5] = 1e6 * np.arange(16)
    analysed = np.ones(40, dtype=bool)
    analysed[5] = False
    order = np.random.default_rng(0).permutation(16)
    statistic = SeparateStatistic.prepare(
        y[order],
        partition(matrix, WEIGHTS["v"]),
        codes,
        kind="v",
        analysed=analysed,
        row_of=np.argsort(order),
    )
    plain = SeparateStatistic.prepare(y[:, analysed], partition(matrix, WEIGHTS["v"]), codes, kind="v")
    rows, _ = shuffles(0, 16, 10, flips=False)
    scan, want = (s.scan(rows, None, alternative="less", count=True, scale="z") for s in (statistic, plain))
    assert_array_equal(scan.upper, want.upper)
    assert scan.counts is not None
    assert scan.counts[5] == 0
    assert_array_equal(scan.counts[analysed], want.counts)
    out = np.full((10, 40), 9, dtype=np.float32)
    statistic.fill(rows, None, out, scale="z")
    assert (out[:, 5] == 0).all()
    assert statistic.observed[5] == statistic.observed_z[5] == 0
    assert (statistic.values(rows, None, np.array([5, 1]))[:, 0] == 0).all()
    again = pickle.loads(pickle.dumps(statistic))
    assert_array_equal(again.scan(rows, None, alternative="less", count=True, scale="z").upper, want.upper)


@pytest.mark.parametrize("kind", ["v", "G"])
def test_shortcuts_change_nothing(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """No room for undecided counts, and no table at all: the same numbers, later."""
    matrix, y, codes = made(3, n_loc=200, n_groups=3)
    parts = partition(matrix, WEIGHTS[kind])
    statistic = SeparateStatistic.prepare(y, parts, codes, kind=kind)  # type: ignore[arg-type]
    rows, signs = shuffles(5, 16, 20, flips=True)
    plain = statistic.scan(rows, signs, alternative="greater", count=True, scale="z")
    monkeypatch.setattr(separate, "_ROOM", 0)
    narrow = dataclasses.replace(statistic.surface, half=0.0)
    for other in (
        dataclasses.replace(statistic, table=statistic.table._replace(error=0.1)),
        dataclasses.replace(statistic, surface=narrow),
    ):
        found = other.scan(rows, signs, alternative="greater", count=True, scale="z")
        assert_array_equal(found.upper, plain.upper)
        assert_array_equal(found.lower, plain.lower)
        assert_array_equal(found.counts, plain.counts)


def test_what_holds_for_one_contrast_may_be_asked_for_another() -> None:
    matrix, y, codes = made(8)
    parts = partition(matrix, WEIGHTS["v"])
    asked, named = (
        SeparateStatistic.prepare(y, parts, codes, kind="v", incomplete=True),
        SeparateStatistic.prepare(y, parts, codes, kind="v", nuisance="draper_stoneman"),
    )
    rows, _ = shuffles(5, 16, 8, flips=False)
    places = np.arange(7)
    # The nuisance's basis is another one.
    assert_allclose(asked.values(rows, None, places), named.values(rows, None, places), rtol=1e-9)


def test_huh_jhun_has_no_groups() -> None:
    matrix, y, codes = made(0)
    with pytest.raises(ValueError, match="Huh-Jhun"):
        SeparateStatistic.prepare(y, partition(matrix, WEIGHTS["v"]), codes, kind="v", nuisance="huh_jhun")


def test_still_white_begins_at_the_observed_statistic() -> None:
    matrix, y, codes = made(6)
    parts = partition(matrix, WEIGHTS["v"])
    still, plain = (
        SeparateStatistic.prepare(y, parts, codes, kind="v", nuisance=nuisance)  # type: ignore[arg-type]
        for nuisance in ("still_white", "freedman_lane")
    )
    assert_allclose(still.observed, plain.observed, rtol=1e-12)
    rows, _ = shuffles(0, 16, 6, flips=False)
    assert np.isfinite(still.values(rows, None, np.arange(7))).all()


@pytest.mark.parametrize("kind", ["v", "G"])
def test_what_moved_nuisance_fits_is_a_statistic_of_nought(kind: str) -> None:
    # Values of 1 and -1 whose flips are a constant: nothing is left to test, and rounding is no statistic.
    rng = np.random.default_rng(4)
    n, own = 12, np.arange(20)
    r = 1 if kind == "v" else 2
    matrix = np.column_stack([np.ones(n), rng.standard_normal((n, r))])
    y = rng.permuted(np.tile(np.repeat([1.0, -1.0], n // 2), (own.size, 1)), axis=1).T
    parts = partition(matrix, np.eye(r + 1)[1:])
    groups = np.repeat([0, 1, 2], 4)
    for codes in (groups, groups % 2):
        statistic = SeparateStatistic.prepare(y, parts, codes, kind="v" if kind == "v" else "G")
        rows = np.tile(np.arange(n, dtype=np.int32), (own.size, 1))
        z = statistic.values(rows, y.T.astype(np.int8), own)[own, own]
        # The z of an F of nought is as far below as z are told.
        assert np.all(z == 0.0 if kind == "v" else z < -35)


def test_g_of_nought_under_every_shuffle_has_a_p_of_one() -> None:
    # Values that differ only where the tested regressor is 0: G is rounding, and no shuffle may seem less.
    n = 12
    x = np.zeros(n)
    x[4:6] = 1.2, 0.8
    matrix = np.column_stack([np.ones(n), x > 0, x])
    y = np.array([1.0, 0, 1, 0, 1, 1, 0, 0, 1, 1, 0, 1])[:, None] + np.zeros((1, 3))
    parts = partition(matrix, np.array([[0, 0, -1.0], [0, 0, -1]]))
    statistic = SeparateStatistic.prepare(y, parts, np.arange(n) % 2, kind="G")
    assert np.all(statistic.observed < 1e-20)
    rng = np.random.default_rng(3)
    signs = rng.choice(np.array([-1, 1], dtype=np.int8), (30, n))
    signs[:, 4:6] = 1
    rows = np.tile(np.arange(n, dtype=np.int32), (30, 1))
    counts = statistic.scan(rows, signs, alternative="greater", count=True, scale="z").counts
    assert_array_equal(counts, 30)
