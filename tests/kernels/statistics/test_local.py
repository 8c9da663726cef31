"""Statistics whose model is each location's own: what they share with the others, and laws of their own."""

from __future__ import annotations

import pickle
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from specgl.inference.permutation.certainty import rounding_of
from specgl.kernels.statistics import BLOCK, partition
from specgl.kernels.statistics.available import AvailableStatistic
from specgl.kernels.statistics.local import SCALES, LocalStatistic
from specgl.kernels.statistics.pooled import PooledStatistic
from specgl.kernels.statistics.zscale import z_of

N, M = 14, 90
EVERY = np.arange(M)
CODES = np.repeat(np.arange(7), 2)
WEIGHTS = {"t": [[0, 1.0, -0.5, 0]], "F": [[0, 1.0, 0, 0], [0, 0, 1, 0], [0, 2, -1, 0]]}
SAME = {"rtol": 1e-10, "atol": 1e-10}
"""Two orders of summation in float64, of data whose mean is fifty times what varies."""


def design(seed: int = 1) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.column_stack([np.ones(N), rng.standard_normal((N, 3)) + 2])


def data(m: int = M, share: float = 0.0, seed: int = 3) -> np.ndarray:
    rng = np.random.default_rng(seed)
    y = (rng.standard_normal((N, m)) + 50).astype(np.float32)
    y[rng.random((N, m)) < share] = np.nan
    return y


def variances(m: int = M, seed: int = 4) -> np.ndarray:
    return np.random.default_rng(seed).uniform(0.2, 4.0, (N, m)).astype(np.float32)


def shuffles(
    how: str, count: int = 20, seed: int = 5, *, blocks: bool = False
) -> tuple[np.ndarray, np.ndarray | None]:
    rng = np.random.default_rng(seed)
    rows = np.tile(np.arange(N, dtype=np.int32), (count, 1))
    if how != "flip" and blocks:  # the two of a pair change places, or do not
        rows[1:] ^= rng.integers(0, 2, (count - 1, 7), dtype=np.int32)[:, CODES]
    elif how != "flip":
        rows[1:] = [rng.permutation(N) for _ in range(count - 1)]
    if how == "permute":
        return rows, None
    signs = rng.choice(np.array([-1, 1], dtype=np.int8), (count, N))
    signs[0] = 1
    return rows, signs


def prepared(y: np.ndarray, kind: str = "t", **changes: Any) -> LocalStatistic:
    matrix, weights = changes.get("matrix", design()), np.array(WEIGHTS[kind])
    codes = changes.get("block_codes")
    whole = matrix if codes is None else np.column_stack([matrix, np.eye(7)[codes]])
    rank = np.linalg.matrix_rank(whole)
    settings: dict[str, Any] = {
        "data": y,
        "row_of": None,
        "matrix": matrix,
        "covariates": None,
        "used": None,
        "weights": weights,
        "kind": kind,
        "variances": None,
        "tau2": None,
        "groups": None,
        "block_codes": None,
        "scale": "residual",
        "mode": "residuals",
        "dof": np.isfinite(y).sum(axis=0) - float(rank),
        "analysed": None,
    }
    return LocalStatistic.prepare(**settings | changes)


def grey(m: int = M) -> dict[str, Any]:
    """A covariate of each location in the place of the last two columns' numbers."""
    matrix = design()
    matrix[:, 2:] = 1.0
    matrix[::2, 3] = 0.0
    used = np.zeros((4, 1), dtype=bool)
    used[2:] = True
    return {
        "matrix": matrix,
        "covariates": (np.random.default_rng(8).standard_normal((1, N, m)) + 3).astype(np.float32),
        "used": used,
    }


# The same numbers as the other classes -------------------------------------------------------------


@pytest.mark.parametrize("blocks", [False, True])
@pytest.mark.parametrize("how", ["permute", "flip", "both"])
@pytest.mark.parametrize("kind", ["t", "F"])
def test_weights_of_one_are_freedman_and_lanes(kind: str, how: str, blocks: bool) -> None:
    y, codes = data(), CODES if blocks else None
    pooled = PooledStatistic.prepare(y, partition(design(), np.array(WEIGHTS[kind]), codes), kind=kind)
    local = prepared(y, kind, block_codes=codes)
    assert_allclose(local.observed, pooled.observed, **SAME)
    assert_allclose(local.observed_z, pooled.observed_z, **SAME)
    for within in {blocks, False}:
        rows, signs = shuffles(how, blocks=within)
        expected = pooled.values(rows, signs, EVERY)
        assert_allclose(local.values(rows, signs, EVERY), expected, **SAME)
        one = local.scan(rows, signs, alternative="two-sided", count=True, scale="t")
        other = pooled.scan(rows, signs, alternative="two-sided", count=True, scale="t")
        assert_allclose(one.upper, other.upper, **SAME)
        assert_array_equal(one.counts, other.counts)


@pytest.mark.parametrize("blocks", [False, True])
@pytest.mark.parametrize("kind", ["t", "F"])
def test_labels_under_weights_of_one_are_draper_and_stonemans(kind: str, blocks: bool) -> None:
    y, codes = data(share=0.02 if blocks else 0.06), CODES if blocks else None
    analysed = np.isfinite(y).sum(axis=0) > (11 if blocks else 8)
    available = AvailableStatistic.prepare(
        y, design(), np.array(WEIGHTS[kind]), kind=kind, block_codes=codes, analysed=analysed
    )
    dof = np.zeros(M)
    dof[available.presence.columns] = available.dof
    local = prepared(y, kind, block_codes=codes, analysed=analysed, mode="labels", dof=dof)
    assert local.varying
    for how in ("permute", "flip", "both"):
        rows, signs = shuffles(how, blocks=blocks)
        assert_allclose(local.values(rows, signs, EVERY), available.values(rows, signs, EVERY), **SAME)
        one = local.scan(rows, signs, alternative="greater", count=True, scale="t")
        other = available.scan(rows, signs, alternative="greater", count=True, scale="t")
        assert_allclose(one.upper, other.upper, **SAME)
        assert_array_equal(one.counts, other.counts)


# Laws ----------------------------------------------------------------------------------------------


@given(st.floats(-3, 3), st.sampled_from(["known", "residual", "hc3"]), st.sampled_from(["t", "F"]))
@settings(max_examples=12, deadline=None)
def test_units_of_data_and_variances_do_not_matter(power: float, scale: str, kind: str) -> None:
    unit = 10.0**power
    y = data().astype(np.float64)
    s, tau2 = variances().astype(np.float64), np.full((1, M), 0.5)
    rows, signs = shuffles("flip", 6)
    one = prepared(y, kind, scale=scale, variances=s, tau2=tau2)
    other = prepared(y * unit, kind, scale=scale, variances=s * unit**2, tau2=tau2 * unit**2)
    assert_allclose(other.values(rows, signs, EVERY), one.values(rows, signs, EVERY), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("unit", [np.float32(2.0**-20), np.float32(2.0**20)])
@pytest.mark.parametrize("mode", ["residuals", "labels"])
def test_units_of_covariates_do_not_matter(mode: str, unit: np.float32) -> None:
    own = grey()
    other = own | {"covariates": own["covariates"] * unit}
    rows, _ = shuffles("permute", 8)
    for weights in ([[0, 1.0, 0, 0]], [[0, 0, 1.0, -1.0]]):
        pair = [prepared(data(), mode=mode, weights=np.array(weights), **each) for each in (own, other)]
        found = [each.values(rows, None, EVERY) for each in pair]
        assert_allclose(found[1], found[0], rtol=1e-9, atol=1e-9)


def test_equal_variances_are_least_squares() -> None:
    y = data()
    rows, _ = shuffles("permute")
    plain, equal = prepared(y), prepared(y, variances=np.full((N, M), 0.3), tau2=np.full((1, M), 0.2))
    assert_allclose(equal.values(rows, None, EVERY), plain.values(rows, None, EVERY), **SAME)


def test_tau2_of_groups_that_agree_is_one_tau2() -> None:
    y, s, groups = data(), variances(), np.arange(N) % 2
    one = prepared(y, variances=s, tau2=np.full((1, M), 0.7))
    two = prepared(y, variances=s, tau2=np.full((2, M), 0.7), groups=groups)
    rows, signs = shuffles("both")
    assert_array_equal(one.values(rows, signs, EVERY), two.values(rows, signs, EVERY))


def test_a_covariate_that_is_the_same_everywhere_is_a_column() -> None:
    y, own = data(), grey()
    same = np.broadcast_to(own["covariates"][:, :, :1], own["covariates"].shape)
    matrix = own["matrix"].copy()
    matrix[:, 2:] *= same[0, :, :1]
    rows, _ = shuffles("permute")
    for mode in ("residuals", "labels"):
        local = prepared(y, mode=mode, **own | {"covariates": same})
        plain = prepared(y, mode=mode, matrix=matrix)
        assert_allclose(local.values(rows, None, EVERY), plain.values(rows, None, EVERY), **SAME)


def test_an_order_of_the_data_is_not_the_designs() -> None:
    order = np.random.default_rng(2).permutation(N)
    y, s, own = data(share=0.05), variances(), grey()
    rows, signs = shuffles("flip")
    given_ = prepared(y[order], variances=s[order], **own | {"covariates": own["covariates"][:, order]})
    matched = prepared(y, variances=s, row_of=order, **own)
    assert_array_equal(given_.values(rows, signs, EVERY), matched.values(rows, signs, EVERY))


@pytest.mark.parametrize("scale", list(SCALES))
def test_labellings_that_differ_in_absent_rows_only_are_ties(scale: str) -> None:
    y = data()
    y[:2, ::2] = np.nan
    signs = np.ones((2, N), dtype=np.int8)
    signs[1, :2] = -1
    rows = np.tile(np.arange(N, dtype=np.int32), (2, 1))
    local = prepared(y, variances=variances(), scale=scale)
    found = local.scan(rows, signs, alternative="two-sided", count=True, scale="t")
    assert (found.counts[::2] == 2).all()
    assert (found.counts[1::2] == 1).any()


def test_hc1_is_a_multiple_of_hc0_and_hc3_is_the_most_careful() -> None:
    y = data()
    hc = {k: np.abs(prepared(y, scale=f"hc{k}").observed) for k in range(5)}
    assert_allclose(hc[1], hc[0] * np.sqrt((N - 4) / N), **SAME)
    assert (hc[3] < hc[2]).all()
    assert (hc[2] < hc[0]).all()


# Company, scales, maps -----------------------------------------------------------------------------

VARIANTS: dict[str, dict[str, Any]] = {
    "known": {"scale": "known", "variances": variances(300), "dof": np.full(300, np.inf)},
    "residual, blocks": {"block_codes": CODES},
    "hc4": {"scale": "hc4"},
    "labels": {"mode": "labels", "variances": variances(300)},
    "grey": grey(300),
}


@pytest.mark.parametrize("variant", list(VARIANTS))
@pytest.mark.parametrize("kind", ["t", "F"])
def test_company_threads_and_pickling_change_no_bit(kind: str, variant: str) -> None:
    y = data(300)
    statistic = prepared(y, kind, **VARIANTS[variant])
    rows, signs = shuffles("both", 40)
    assert signs is not None
    whole = statistic.scan(rows, signs, alternative="less", count=True, scale="z")
    copy = pickle.loads(pickle.dumps(statistic))
    runs = [slice(0, 1), slice(1, 7), slice(7, 40)]
    with ThreadPoolExecutor(2) as pool:
        parts = list(
            pool.map(
                lambda run: copy.scan(rows[run], signs[run], alternative="less", count=True, scale="z"), runs
            )
        )
    assert_array_equal(np.concatenate([part.upper for part in parts]), whole.upper)
    assert_array_equal(np.concatenate([part.lower for part in parts]), whole.lower)
    assert_array_equal(sum(part.counts for part in parts), whole.counts)
    maps, others = np.empty((40, 300), dtype=np.float32), np.empty((40, 300), dtype=np.float32)
    statistic.fill(rows, signs, maps, scale="z")
    for start in range(0, 40, BLOCK):
        run = slice(start, start + BLOCK)
        copy.fill(rows[run], signs[run], others[run], scale="z")
    assert_array_equal(maps, others)
    few = np.array([299, 3, 64, 3])
    assert_array_equal(
        statistic.values(rows[5:9], signs[5:9], few), exact(statistic, rows, signs)[5:9][:, few]
    )


def exact(statistic: LocalStatistic, rows: np.ndarray, signs: np.ndarray | None) -> np.ndarray:
    out = np.empty((len(rows), statistic.n_loc))
    statistic.fill(rows, signs, out, scale="t")
    return out


@pytest.mark.parametrize("variant", list(VARIANTS))
def test_the_negative_contrast_has_the_negative_bits(variant: str) -> None:
    y, (rows, signs) = data(300), shuffles("both", 12)
    weights = np.array(WEIGHTS["t"])
    one, other = (prepared(y, **VARIANTS[variant] | {"weights": w}) for w in (weights, -weights))
    assert_array_equal(exact(one, rows, signs), -exact(other, rows, signs))
    turned = other.scan(rows, signs, alternative="greater", count=True, scale="t")
    whole = one.scan(rows, signs, alternative="less", count=True, scale="t")
    assert_array_equal(turned.upper, whole.lower)
    assert_array_equal(turned.lower, whole.upper)
    assert_array_equal(turned.counts, whole.counts)
    # So has the shuffle of which each sign is turned: one of the two need not be computed.
    assert_array_equal(exact(one, rows, -signs)[1:], -exact(one, rows, signs)[1:])


@pytest.mark.parametrize("share", [0.0, 0.05])
@pytest.mark.parametrize("variant", list(VARIANTS))
@pytest.mark.parametrize("kind", ["t", "F"])
def test_single_precision_is_as_exact_as_is_relied_on(kind: str, variant: str, share: float) -> None:
    y = data(300, share)
    if share and variant == "residual, blocks":
        y[:, np.isfinite(y).sum(axis=0) < 12] = 1.0  # no degree of freedom would be left
    changes = VARIANTS[variant]
    statistic = prepared(y, kind, **changes)
    rows, signs = shuffles("flip", 30)
    for scale in ("t", "z"):
        single = np.empty((30, 300), dtype=np.float32)
        double = np.empty((30, 300))
        statistic.fill(rows, signs, single, scale=scale)
        statistic.fill(rows, signs, double, scale=scale)
        rounding = rounding_of(statistic, scale)
        bound = rounding.relative * np.maximum(np.abs(double), rounding.floor)
        assert (np.abs(single - double) <= bound + 1e-30).all()


def test_degrees_of_freedom_that_differ_are_compared_on_z() -> None:
    y = data(share=0.05)
    dof = np.isfinite(y).sum(axis=0) - 4.0
    dof[:5] = np.inf
    statistic = prepared(y, dof=dof)
    assert statistic.varying
    rows, signs = shuffles("flip")
    z = statistic.values(rows, signs, EVERY)
    plain = prepared(y, dof=np.full(M, 9.0))
    assert not plain.varying
    stats = plain.values(rows, signs, EVERY)
    assert_array_equal(z, z_of(stats, "t", 1, dof))
    assert_array_equal(z[:, :5], stats[:, :5])
    scan = statistic.scan(rows, signs, alternative="greater", count=True, scale="t")
    assert_array_equal(scan.upper, z.max(axis=1))
    assert_array_equal(scan.lower, (-z).max(axis=1))
    # Very many numbers of them have no tables.
    many = prepared(data(300), dof=np.linspace(4, 12, 300))
    single, double = np.empty((20, 300), dtype=np.float32), np.empty((20, 300))
    many.fill(*shuffles("flip"), single, scale="z")
    many.fill(*shuffles("flip"), double, scale="z")
    assert_allclose(single, double, rtol=3e-7)


def test_only_analysed_locations_count() -> None:
    y = data()
    y[:, 7] = np.nan
    analysed = np.ones(M, dtype=bool)
    analysed[[7, 40]] = False
    dof = np.where(analysed, 10.0, np.nan)
    statistic = prepared(y, analysed=analysed, dof=dof)
    rows, _ = shuffles("permute")
    scan = statistic.scan(rows, None, alternative="greater", count=True, scale="z")
    assert (scan.counts[[7, 40]] == 0).all()
    assert (scan.counts[analysed] > 0).all()
    assert (exact(statistic, rows, None)[:, [7, 40]] == 0).all()
    assert (statistic.values(rows, None, np.array([40, 7])) == 0).all()
    assert_array_equal(statistic.observed[[7, 40]], 0)
    nobody = prepared(y, analysed=np.zeros(M, dtype=bool), dof=dof)
    assert np.isnan(nobody.scan(rows, None, alternative="greater", count=True, scale="z").upper).all()
    assert (exact(nobody, rows, None) == 0).all()
    single = np.empty((20, M), dtype=np.float32)
    nobody.fill(rows, None, single, scale="z")
    assert (single == 0).all()


def test_data_are_not_copied() -> None:
    y, s, own = data(), variances(), grey()
    statistic = prepared(y, variances=s, **own)
    assert statistic.readings.data is y
    assert statistic.readings.variances is s
    assert statistic.readings.covariates is own["covariates"]
    assert not any(value.size >= M * N for value in statistic.model if isinstance(value, np.ndarray))


# Edges ---------------------------------------------------------------------------------------------


def test_what_cannot_be_moved_is_refused() -> None:
    with pytest.raises(ValueError, match="not labels"):
        prepared(data(), scale="hc3", mode="labels")
    with pytest.raises(ValueError, match="what they would carry is missing"):
        prepared(data(share=0.05), mode="labels", **grey())
    # Beside a covariate whose place does not change, labels may move.
    prepared(data(share=0.05), mode="labels", weights=np.array([[0, 1.0, 0, 0]]), **grey())
    statistic = prepared(data(share=0.05))
    rows, signs = shuffles("both")
    with pytest.raises(ValueError, match="lacks observations"):
        statistic.scan(rows, signs, alternative="greater", count=False, scale="t")
    with pytest.raises(ValueError, match="lacks observations"):
        exact(statistic, rows, None)


@pytest.mark.parametrize("scale", list(SCALES))
@pytest.mark.parametrize("kind", ["t", "F"])
def test_data_without_a_remainder_have_no_statistic(kind: str, scale: str) -> None:
    y = data().astype(np.float64)
    y[:, 1] = 7.3  # the nuisance fits it
    y[:, 2] = design() @ [1.0, 2, 3, 4]  # the model fits it
    statistic = prepared(y, kind, scale=scale)
    rows, signs = shuffles("both")
    found = exact(statistic, rows, signs)
    assert (found[:, 1] == 0).all()
    assert np.isfinite(found).all()
    assert np.isfinite(statistic.observed_z).all()


def test_flips_that_turn_data_into_nuisance_leave_nothing() -> None:
    """The two of each pair differ by a pair's own mean once one of them is turned."""
    y = data().astype(np.float64)
    signs = np.tile(np.array([1, -1], dtype=np.int8), (1, 7))
    rows = np.arange(N, dtype=np.int32)[None]
    matrix = np.tile([1.0, -1.0], 7)[:, None]
    for scale in ("residual", "hc3"):
        statistic = prepared(
            y, matrix=matrix, weights=np.ones((1, 1)), block_codes=CODES, scale=scale, dof=np.full(M, 6.0)
        )
        assert_array_equal(exact(statistic, rows, signs), 0)


@pytest.mark.parametrize("kind", ["t", "F"])
@pytest.mark.parametrize("mode", ["residuals", "labels"])
def test_columns_that_depend_on_one_another_are_no_nuisance_of_their_own(mode: str, kind: str) -> None:
    rng = np.random.default_rng(2)
    full = np.column_stack([np.ones(N), rng.standard_normal(N), np.eye(3)[np.arange(N) % 3]])
    contrast = np.array([[0, 0, 1.0, -1, 0], [0, 0, 0, 1, -1]])[: 1 if kind == "t" else 2]
    settings = {"mode": mode, "variances": variances(), "dof": np.full(M, 10.0)}
    y, (rows, _) = data(), shuffles("permute", 10)
    plain = prepared(y, kind, matrix=full[:, 1:], weights=contrast[:, 1:], **settings)
    for turn in (np.eye(5), np.linalg.qr(rng.standard_normal((5, 5)))[0]):
        turned = prepared(y, kind, matrix=full @ turn, weights=contrast @ turn, **settings)
        assert_allclose(turned.observed, plain.observed, rtol=1e-9, atol=1e-9)
        if mode == "residuals":  # labels carry the tested part, which these write in different ways
            assert_allclose(turned.values(rows, None, EVERY), plain.values(rows, None, EVERY), rtol=1e-8)


def test_a_leverage_of_one_leaves_no_residual_and_does_no_harm() -> None:
    matrix = design()
    matrix[:, 3] = np.eye(N)[2]
    rows, _ = shuffles("permute")
    y = data()
    every = {scale: prepared(y, matrix=matrix, scale=scale) for scale in ("hc0", "hc2", "hc3", "hc4")}
    without = np.delete(np.arange(N), 2)
    for scale, statistic in every.items():
        assert np.isfinite(exact(statistic, rows, None)).all()
        if scale != "hc4":  # whose exponent takes the mean leverage
            x, c = matrix[without, :3], np.array(WEIGHTS["t"])[:, :3]
            h = np.diag(x @ np.linalg.pinv(x))
            factor = {"hc0": 1, "hc2": 1 / (1 - h), "hc3": 1 / (1 - h) ** 2}[scale]
            e = y[without] - x @ np.linalg.lstsq(x, y[without], rcond=None)[0]
            along = (c @ np.linalg.pinv(x))[0]
            spread = ((along**2 * factor)[:, None] * e**2).sum(axis=0)
            assert_allclose(statistic.observed, along @ y[without] / np.sqrt(spread), rtol=1e-6)
