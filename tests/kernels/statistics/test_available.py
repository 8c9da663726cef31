"""Available-case statistics under shuffles against a refit of each location's own rows."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.linalg import null_space

from specgl.kernels.statistics import BLOCK, NOUGHT, TIE, partition
from specgl.kernels.statistics.available import AvailableStatistic
from specgl.kernels.statistics.pooled import PooledStatistic
from specgl.kernels.tails import f_tails, t_tails

N = 14
ALTERNATIVES = ("two-sided", "greater", "less")
WEIGHTS = {1: [[0, 1.0, -1, 0]], 2: [[0, 1, 0, 0], [0, 0, 1, 0]]}
CODES = np.repeat(np.arange(7), 2)


def design(seed: int = 1) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.column_stack([np.ones(N), rng.standard_normal((N, 3)) + 2])


def data(n_loc: int, share: float = 0.06, seed: int = 3) -> np.ndarray:
    rng = np.random.default_rng(seed)
    y = (rng.standard_normal((N, n_loc)) + 50).astype(np.float32)
    y[rng.random((N, n_loc)) < share] = np.nan
    return y


def shuffles(
    how: str, count: int, seed: int = 5, *, blocks: bool = False
) -> tuple[np.ndarray, np.ndarray | None]:
    rng = np.random.default_rng(seed)
    rows = np.tile(np.arange(N, dtype=np.int32), (count, 1))
    if how == "flip":
        signs = rng.choice(np.array([-1, 1], dtype=np.int8), (count, N))
        signs[0] = 1
        return rows, signs
    if blocks:  # the two of a pair change places, or do not
        rows[1:] ^= rng.integers(0, 2, (count - 1, 7), dtype=np.int32)[:, CODES]
        return rows, None
    rows[1:] = [rng.permutation(N) for _ in range(count - 1)]
    return rows, None


def refit(m: np.ndarray, c: np.ndarray, y: np.ndarray, row: np.ndarray, sign: np.ndarray | None) -> float:
    """z of one location, on the rows that have a value."""
    here = np.isfinite(y)
    x0, z = m @ np.linalg.pinv(c), m @ null_space(c)
    moved = x0[row] if sign is None else sign[:, None] * x0[row]
    full, none, values = np.column_stack([moved, z])[here], z[here], y[here].astype(float)
    # The projector of well-scaled columns: means of 50 are to leave 1e-10 of the differences.
    rest, less = (values - q @ (q.T @ values) for q in (basis(full), basis(none)))
    dof = here.sum() - np.linalg.matrix_rank(m[here], 1e-9)
    f = max(less @ less - rest @ rest, 0) / len(c) / (rest @ rest / dof)
    if len(c) > 1:
        return float(f_tails(f, len(c), dof).z()[0])
    slope = np.linalg.lstsq(full, values, rcond=1e-9)[0][0]
    return float(t_tails(np.sign(slope) * np.sqrt(f), dof).z()[0])


def basis(columns: np.ndarray) -> np.ndarray:
    left, values, _ = np.linalg.svd(columns, full_matrices=False)
    return left[:, values > 1e-9 * values[0]]


def prepared(y: np.ndarray, r: int, how: str, blocks: bool = False, sign: int = 1) -> AvailableStatistic:
    averaging = np.full((N, N), 1 / N)
    if blocks:
        averaging = (CODES[:, None] == CODES) / 2
    return AvailableStatistic.prepare(
        y,
        design(),
        sign * np.array(WEIGHTS[r]),
        kind="t" if r == 1 else "F",
        block_codes=CODES if blocks else None,
        invariant=np.zeros((N, N)) if how == "flip" else averaging,
        analysed=np.isfinite(y).sum(axis=0) > (11 if blocks else 8),
    )


def check_scan(statistic: AvailableStatistic, rows: np.ndarray, signs: np.ndarray | None) -> None:
    here = np.sort(statistic.presence.columns)
    values = statistic.values(rows, signs, here)
    for alternative in ALTERNATIVES:
        found = statistic.scan(rows, signs, alternative=alternative, count=True, scale="t")
        assert_array_equal(found.upper, values.max(axis=1))
        if statistic.signed:
            assert_array_equal(found.lower, (-values).max(axis=1))
        turned = {"two-sided": np.abs(values), "greater": values, "less": -values}[
            alternative if statistic.signed else "greater"
        ]
        # z and t rise together; no two of them here lie within a tolerance of each other but equal ones.
        bar = turned[0] - TIE * np.abs(turned[0]) - NOUGHT
        assert_array_equal(found.counts[here], (turned >= bar).sum(axis=0))


@pytest.mark.parametrize(("how", "blocks"), [("permute", False), ("flip", False), ("permute", True)])
@pytest.mark.parametrize("r", [1, 2])
def test_is_a_refit_of_each_location(r: int, how: str, blocks: bool) -> None:
    y = data(60, 0.02 if blocks else 0.06)
    statistic = prepared(y, r, how, blocks)
    rows, signs = shuffles(how, 17, blocks=blocks)
    here = statistic.presence.columns
    found = statistic.values(rows, signs, here)
    m, c = design(), np.array(WEIGHTS[r])
    if blocks:
        m = np.column_stack([m, CODES[:, None] == np.arange(7)]).astype(float)
        c = np.column_stack([c, np.zeros((r, 7))])
    for k in range(17):
        sign = None if signs is None else signs[k]
        expected = [refit(m, c, y[:, location], rows[k], sign) for location in here]
        assert_allclose(found[k], expected, rtol=1e-6, atol=1e-6)
    assert_array_equal(found[0], statistic.observed_z[here])
    maps = np.empty((17, 60), dtype=np.float32)
    statistic.fill(rows, signs, maps, scale="t")
    assert_allclose(maps[:, here], found, rtol=2e-6, atol=2e-6)  # the table of z
    check_scan(statistic, rows, signs)


def test_complete_data_are_the_pooled_ones() -> None:
    y = data(300, 0.0)
    for r in (1, 2):
        available = prepared(y, r, "permute")
        pooled = PooledStatistic.prepare(
            y,
            partition(design(), np.array(WEIGHTS[r])),
            kind="t" if r == 1 else "F",
            nuisance="draper_stoneman",
            invariant=np.full((N, N), 1 / N),
        )
        assert_allclose(available.observed, pooled.observed, rtol=1e-9, atol=1e-9)
        rows, _ = shuffles("permute", 20)
        one = available.scan(rows, None, alternative="greater", count=True, scale="z")
        other = pooled.scan(rows, None, alternative="greater", count=True, scale="z")
        assert_allclose(one.upper, other.upper, rtol=1e-9)
        assert_array_equal(one.counts, other.counts)


def test_labellings_that_differ_in_absent_rows_only_are_ties() -> None:
    y = np.random.default_rng(0).standard_normal((N, 400))
    y[:2, ::2] = np.nan
    rows = np.tile(np.arange(N, dtype=np.int32), (2, 1))
    rows[1, [0, 1]] = [1, 0]
    statistic = prepared(y, 1, "permute")
    for alternative in ALTERNATIVES:
        found = statistic.scan(rows, None, alternative=alternative, count=True, scale="z")
        assert (found.counts[::2] == 2).all()
    maps = np.empty((2, 400), dtype=np.float32)
    statistic.fill(rows, None, maps, scale="z")
    assert_allclose(maps[0, ::2], maps[1, ::2], rtol=3e-6)  # the observed z is exact, others are tabled


def test_company_pickling_and_the_negative_change_no_bit() -> None:
    y = data(2500)
    statistic, opposite = prepared(y, 1, "permute"), prepared(y, 1, "permute", sign=-1)
    rows, _ = shuffles("permute", 40)
    whole = statistic.scan(rows, None, alternative="less", count=True, scale="z")
    copy = pickle.loads(pickle.dumps(statistic))
    parts = [
        copy.scan(rows[i:j], None, alternative="less", count=True, scale="z")
        for i, j in ((0, 1), (1, 7), (7, 40))
    ]
    assert_array_equal(np.concatenate([part.upper for part in parts]), whole.upper)
    assert_array_equal(np.concatenate([part.lower for part in parts]), whole.lower)
    assert_array_equal(sum(part.counts for part in parts), whole.counts)
    turned = opposite.scan(rows, None, alternative="greater", count=True, scale="z")
    assert_array_equal(turned.upper, whole.lower)
    assert_array_equal(turned.lower, whole.upper)
    assert_array_equal(turned.counts, whole.counts)
    maps = np.empty((3, 40, 2500), dtype=np.float32)
    statistic.fill(rows, None, maps[0], scale="z")
    for start in range(0, 40, BLOCK):
        copy.fill(rows[start : start + BLOCK], None, maps[1, start : start + BLOCK], scale="z")
    opposite.fill(rows, None, maps[2], scale="z")
    assert_array_equal(maps[0], maps[1])
    assert_array_equal(maps[0], -maps[2])


def test_badly_conditioned_patterns_are_left_to_float64() -> None:
    """Few rows beside much nuisance: some shuffles leave next to nothing of what is tested."""
    y = data(300, 0.3)
    statistic = prepared(y, 1, "permute")
    assert statistic.dofs.min() == 5
    rows, _ = shuffles("permute", 60)
    check_scan(statistic, rows, None)


@pytest.mark.parametrize("r", [1, 2])
def test_columns_that_depend_on_one_another_are_no_nuisance_of_their_own(r: int) -> None:
    # A column for each of three groups beside the mean, in every basis of the columns' coefficients: what
    # rounding leaves of a combination that fits nothing once passed for a regressor, and no p was below 1.
    rng = np.random.default_rng(2)
    full = np.column_stack([np.ones(N), rng.standard_normal(N), np.eye(3)[np.arange(N) % 3]])
    contrast = np.array([[0, 0, 1.0, -1, 0], [0, 0, 0, 1, -1]])[:r]
    y, (rows, _) = data(40), shuffles("permute", 12)
    kept = AvailableStatistic.prepare(y, full[:, :4], contrast[:, :4], kind="t" if r == 1 else "F")
    assert kept.n_obs == N
    # Dependent columns: the same model, whatever combinations of its columns it is written in.
    less = full[:, [1, 2, 3, 4]]
    plain = AvailableStatistic.prepare(y, less, contrast[:, 1:], kind="t" if r == 1 else "F")
    for turn in (np.eye(5), np.linalg.qr(rng.standard_normal((5, 5)))[0]):
        turned = AvailableStatistic.prepare(y, full @ turn, contrast @ turn, kind="t" if r == 1 else "F")
        assert_allclose(turned.observed, plain.observed, rtol=1e-9, atol=1e-9)
        assert_array_equal(turned.dof, plain.dof)
        found = turned.scan(rows, None, alternative="greater", count=True, scale="z")
        assert found.counts is not None
        assert found.counts.min() < len(rows) / 2
