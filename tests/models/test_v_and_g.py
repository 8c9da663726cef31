"""v and G of groups with variances of their own: other people's numbers, the formula written out, laws."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import pytest
import xarray as xr
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats as scipy_stats

from specgl.design.records import Block, Design
from specgl.engines import Threads
from specgl.kernels.welch import FLOOR
from specgl.models import contrast_maps, fit

Make = Callable[..., object]
ONE = Threads(1)
SEEDS = st.integers(0, 2**32 - 1)


def grouped(design: Design, codes: np.ndarray) -> Design:
    labels = tuple(f"g{k}" for k in range(int(codes.max()) + 1))
    return dataclasses.replace(design, variance_groups=Block("scanner", codes.astype(np.int64), labels))


def brute(y: np.ndarray, matrix: np.ndarray, contrast: np.ndarray, codes: np.ndarray) -> tuple[float, float]:
    """G and its degrees of freedom at one location, as the formula of Winkler et al. 2014 is written."""
    pinv = np.linalg.pinv(matrix)
    left = np.eye(len(y)) - matrix @ pinv
    rest = left @ y
    free = np.array([np.diag(left)[codes == g].sum() for g in np.unique(codes)])
    weight = free / np.array([(rest[codes == g] ** 2).sum() for g in np.unique(codes)])
    sizes = np.array([(codes == g).sum() for g in np.unique(codes)])
    wide = np.diag(weight[np.unique(codes, return_inverse=True)[1]])
    r = np.linalg.matrix_rank(contrast)
    effect = contrast @ pinv @ y
    middle = np.linalg.pinv(contrast @ np.linalg.pinv(matrix.T @ wide @ matrix) @ contrast.T)
    share = sizes * weight / (sizes * weight).sum()
    total = ((1 - share) ** 2 / free).sum()
    scale = 1 + 2 * (r - 1) / (r * (r + 2)) * total
    return float(effect @ middle @ effect / (scale * r)), float(r * (r + 2) / (3 * total))


def random_group(seed: int, n: int = 18, n_groups: int = 3) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    codes = np.sort(np.arange(n) % n_groups)
    matrix = np.column_stack([np.ones(n), np.arange(n) % 2, rng.standard_normal((n, 2))])
    y = rng.standard_normal((n, 4)) * (1 + 2 * codes[:, None]) + matrix @ rng.standard_normal((4, 4))
    return matrix, y, codes


@given(SEEDS, st.integers(2, 9), st.integers(2, 9), st.floats(0.1, 10))
@settings(max_examples=30)
def test_two_groups_are_the_test_of_welch(
    make_design: Make, make_data: Make, seed: int, n_a: int, n_b: int, ratio: float
) -> None:
    rng = np.random.default_rng(seed)
    codes = np.repeat([0, 1], [n_a, n_b])
    y = rng.standard_normal((n_a + n_b, 6)) * np.where(codes == 1, ratio, 1.0)[:, None] + 3
    spread = np.stack([y[codes == group].var(axis=0, ddof=1) for group in (0, 1)])
    assume((spread.min(axis=0) > 2 * FLOOR * spread.max(axis=0)).all())  # two values that happen to be equal
    design = grouped(make_design(np.eye(2)[codes], t={"d": [1, -1]}, f={"D": [[1, -1]]}), codes)
    maps = contrast_maps(fit(make_data(y), design, engine=ONE), design)
    want = scipy_stats.ttest_ind(y[codes == 0], y[codes == 1], equal_var=False)
    # Rounding of sums of a few numbers; a difference of means that nearly cancels loses some digits.
    assert_allclose(maps["stat"][0], want.statistic, rtol=1e-11, atol=1e-13)
    assert_allclose(maps["dof"][0], want.df, rtol=1e-12)
    assert_allclose(maps["p"][0], want.pvalue, rtol=1e-10)
    assert_allclose(maps["stat"][1], want.statistic**2, rtol=1e-11, atol=1e-13)
    assert_allclose(maps["p"][1], want.pvalue, rtol=1e-10)
    assert_allclose(maps["z"][0], np.sign(want.statistic) * scipy_stats.norm.isf(want.pvalue / 2), rtol=1e-9)
    assert_allclose(maps["effect"][0] / np.sqrt(maps["variance"][0]), maps["stat"][0], rtol=1e-13)
    assert maps["kind"].values.tolist() == ["v", "G"]
    assert maps["dof"].dims == ("contrast", "location")
    assert maps["cohen_d"].isnull().all()


@given(SEEDS, st.integers(2, 4), st.booleans())
@settings(max_examples=25)
def test_v_and_g_are_the_formula_written_out(
    make_design: Make, make_data: Make, seed: int, n_groups: int, paired: bool
) -> None:
    matrix, y, codes = random_group(seed, n_groups=n_groups)
    blocks = np.arange(18) // 3 if paired else None
    codes = np.arange(18) % n_groups if paired else codes
    weights = np.array([[0, 1.0, 0, -0.5], [0, 0, 1, 2], [0, 1, 1, 1.5]])  # the third is the first two's sum
    design = make_design(matrix, t={"t": weights[0]}, f={"two": weights[:2], "three": weights}, blocks=blocks)
    design = grouped(design, codes)
    maps = contrast_maps(fit(make_data(y), design, engine=ONE), design)
    whole = matrix if blocks is None else np.column_stack([matrix[:, 1:], np.eye(6)[blocks]])
    padded = weights if blocks is None else np.column_stack([weights[:, 1:], np.zeros((3, 6))])
    for i, rows in enumerate((padded[:1], padded[:2], padded)):
        for loc in range(4):
            stat, dof = brute(y[:, loc], whole, rows, codes)
            got = maps.isel(contrast=i, location=loc)
            # Two ways through matrices of condition 100 or so.
            assert_allclose(got["stat"] ** 2 if i == 0 else got["stat"], stat, rtol=1e-9)
            assert_allclose(got["dof"], dof, rtol=1e-10)
    assert_allclose(maps["stat"][1], maps["stat"][2], rtol=1e-9)
    assert_allclose(maps["p"][1], scipy_stats.f.sf(maps["stat"][1], 2, maps["dof"][1]), rtol=1e-9)
    assert maps["dof1"].values.tolist() == [1, 2, 2]


def test_one_group_is_t_and_f(make_design: Make, make_data: Make) -> None:
    matrix, y, _codes = random_group(5)
    design = make_design(matrix, t={"t": [0, 1, 0, 0]}, f={"f": np.eye(4)[1:]})
    plain = contrast_maps(fit(make_data(y), design, engine=ONE), design)
    one = grouped(design, np.zeros(18, dtype=np.int64))
    xr.testing.assert_identical(contrast_maps(fit(make_data(y), one, engine=ONE), one), plain)


@given(SEEDS, st.floats(1e-3, 1e3))
@settings(max_examples=15)
def test_scale_labels_and_coding_do_not_matter(
    make_design: Make, make_data: Make, seed: int, factor: float
) -> None:
    matrix, y, codes = random_group(seed)
    rng = np.random.default_rng(seed + 1)
    weights = np.array([[0, 1.0, 0, 0], [0, 0, 1, 0]])

    def stats(y: np.ndarray, matrix: np.ndarray, weights: np.ndarray, codes: np.ndarray) -> xr.Dataset:
        design = grouped(make_design(matrix, t={"t": weights[0]}, f={"f": weights}), codes)
        return contrast_maps(fit(make_data(y), design, engine=ONE), design)

    plain = stats(y, matrix, weights, codes)
    turned = rng.standard_normal((4, 4)) + 4 * np.eye(4)
    for other in (
        stats(factor * y, matrix, weights, codes),
        stats(y + matrix[:, 3:] * 7, matrix, weights, codes),
        stats(y, matrix, weights, np.array([2, 0, 1])[codes]),
        stats(y, matrix @ turned, weights @ turned, codes),
    ):
        for name in ("stat", "dof", "z"):
            # Another basis of the same space, of condition 100 at most.
            assert_allclose(other[name], plain[name], rtol=1e-8, atol=1e-10)


def test_a_contrast_and_its_negative_are_mirrored_to_the_last_bit(make_design: Make, make_data: Make) -> None:
    matrix, y, codes = random_group(11, n_groups=2)
    weights = np.array([0, 1, 0.3, -1])
    design = grouped(make_design(matrix, t={"a": weights, "b": -weights}), codes)
    maps = contrast_maps(fit(make_data(y), design, engine=ONE), design)
    for name in ("effect", "stat", "z"):
        assert_array_equal(maps[name][0], -maps[name][1])
    for name in ("variance", "dof", "p"):
        assert_array_equal(maps[name][0], maps[name][1])


def test_missing_values_leave_the_test_of_the_rest(make_design: Make, make_data: Make) -> None:
    rng = np.random.default_rng(3)
    codes = np.repeat([0, 1], 8)
    y = rng.standard_normal((16, 5))
    y[[0, 9], 1] = np.nan
    y[8:15, 2] = np.nan  # one of the second group is left: no variance
    y[8:, 3] = np.nan  # none is left, and the difference cannot be estimated
    design = grouped(make_design(np.eye(2)[codes], t={"d": [1, -1], "a": [1, 0]}), codes)
    fitted = fit(make_data(y), design, engine=ONE)
    maps = contrast_maps(fitted, design)
    assert [finding.code for finding in fitted.findings] == ["W402", "W282"]
    assert "at 1 of 5" in fitted.findings[1].message
    whole = [0, 1, 4]
    want = scipy_stats.ttest_ind(y[:8, whole], y[8:, whole], equal_var=False, nan_policy="omit")
    assert_allclose(maps["stat"][0, whole], want.statistic, rtol=1e-11)
    assert_allclose(maps["dof"][0, whole], want.df, rtol=1e-11)
    assert np.isnan(maps["stat"][:, 2]).all()
    assert np.isnan(maps["stat"][0, 3])
    # Where one group is left the model has one variance: t with its degrees of freedom.
    alone = scipy_stats.ttest_1samp(y[:8, 3], 0)
    assert_allclose(maps["stat"][1, 3], alone.statistic, rtol=1e-11)
    assert_allclose(maps["dof"][1, 3], 7, rtol=1e-12)


def test_a_group_that_does_not_vary_leaves_a_difference_a_statistic(
    make_design: Make, make_data: Make
) -> None:
    """As outside a lesion: the difference has the other group's variance, the group's own mean has none."""
    codes = np.repeat([0, 1], [5, 7])
    y = np.random.default_rng(1).standard_normal((12, 2))
    y[codes == 0, 0] = 2.5
    design = grouped(make_design(np.eye(2)[codes], t={"d": [1, -1], "a": [1, 0]}), codes)
    maps = contrast_maps(fit(make_data(y), design, engine=ONE), design)
    other = y[codes == 1, 0]
    assert_allclose(maps["stat"][0, 0], (2.5 - other.mean()) / np.sqrt(other.var(ddof=1) / 7), rtol=1e-7)
    assert_allclose(maps["dof"][0, 0], 6, rtol=1e-6)
    assert np.isnan(maps["stat"][1, 0])
    assert np.isnan(maps["z"][1, 0])
    assert np.isnan(maps["dof"][1, 0])
    assert np.isfinite(maps["stat"][:, 1]).all()


@pytest.mark.parametrize("threads", [2, 3])
def test_threads_do_not_matter(make_design: Make, make_data: Make, threads: int) -> None:
    matrix, _, codes = random_group(0)
    y = np.random.default_rng(0).standard_normal((18, 9000)).astype(np.float32)
    y[3, :4000] = np.nan
    design = grouped(make_design(matrix, t={"t": [0, 1, 0, 0]}, f={"f": np.eye(4)[1:]}), codes)
    one, many = (
        contrast_maps(fit(make_data(y), design, engine=Threads(n)), design, engine=Threads(n))
        for n in (1, threads)
    )
    xr.testing.assert_identical(one, many)
