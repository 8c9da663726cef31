"""Models of each location's own under every shuffle, against a refit of each."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from permutation_truth import brute
from permutation_truth.local import Local, statistics, z_of
from scipy import stats

N_LOC = 6
SAME = {"rtol": 1e-8, "atol": 1e-9}
"""Both sides are float64; a refit through pseudo-inverses loses more digits than an orthonormal basis."""

RNG = np.random.default_rng(20)
ONES = np.ones((6, 1))
SLOPE = np.array([0.4, -1.0, 0.9, 1.7, -0.6, -1.3])
TWO = np.repeat([0, 1], 3)
CELLS = np.eye(2)[TWO]
THREE = np.repeat([0, 1, 2], [3, 2, 2])
MEAN = np.column_stack([np.ones(6), SLOPE])
COVARIATE = np.column_stack([CELLS, SLOPE])
Y = RNG.standard_normal((7, N_LOC)) + 1
VARIANCES = RNG.uniform(0.3, 3.0, (7, N_LOC))
TAU2 = RNG.uniform(0.0, 1.0, (2, N_LOC))
GREY = RNG.standard_normal((2, 7, N_LOC)) + 2
THREE_ROWS = [[1, -1, 0], [0, 1, -1], [1, 0, -1]]
SLOPES = [[0, 1, 0], [0, 0, 1], [0, 1, -1]]
"""Two slopes, and a row that follows from their rows."""


def lacking(n: int = 6) -> np.ndarray:
    """Data of which locations lack one observation, or none."""
    y = Y[:n].copy()
    y[0, 1] = y[2, 2] = y[4, 3] = y[5, 5] = np.nan
    return y


def multiplied(p: int, *pairs: tuple[int, int]) -> np.ndarray:
    """Which covariates multiply a column."""
    used = np.zeros((p, 2), dtype=bool)
    for pair in pairs:
        used[pair] = True
    return used


WEIGHTED = Local(MEAN, [[1, 0]], Y[:6], scale="known", variances=VARIANCES[:6], normal=True, flipped=True)
STAY = replace(WEIGHTED, moves=("stay",))
GROUPS = replace(WEIGHTED, matrix=COVARIATE, weights=[[1, -1, 0]], flipped=False, tau2=TAU2, groups=TWO)
GREYS = Local(np.ones((6, 3)), [[0, 1, 0]], Y[:6], covariates=GREY[:, :6], used=multiplied(3, (1, 0), (2, 1)))
PLAIN = Local(COVARIATE, [[1, -1, 0]], Y[:6], scale="hc3")
CASES = {
    # weights that are known
    "fixed_effects_flip": STAY,
    "fixed_effects_flip_missing": replace(STAY, y=lacking()),
    "fixed_effects_flip_missing_f": replace(STAY, y=lacking(), kind="F", weights=[[1, 0], [0, 1], [1, 1]]),
    "mixed_effects_groups": GROUPS,
    "mixed_effects_one_tau2": replace(GROUPS, tau2=TAU2[:1], groups=None, normal=False),
    "mixed_effects_labels_missing": replace(GROUPS, y=lacking(), mode="labels", normal=False),
    "mixed_effects_f": replace(
        GROUPS, matrix=np.eye(3)[THREE][1:], weights=THREE_ROWS, kind="F", normal=False
    ),
    "mixed_effects_f_labels_missing": replace(
        GROUPS, matrix=np.eye(3)[THREE][1:], weights=THREE_ROWS, kind="F", y=lacking(), mode="labels"
    ),
    # weights beside an estimated variance
    "knapp_hartung": replace(GROUPS, scale="residual", normal=False),
    "knapp_hartung_flip_missing": replace(STAY, y=lacking(), tau2=TAU2[:1], scale="residual", normal=False),
    "knapp_hartung_labels_missing": replace(
        GROUPS, y=lacking(), mode="labels", scale="residual", normal=False
    ),
    "knapp_hartung_blocks": replace(
        GROUPS,
        matrix=np.tile([1.0, -1.0], 3)[:, None],
        weights=[[2]],
        blocks=np.repeat([0, 1, 2], 2),
        moves=("within", np.repeat([0, 1, 2], 2)),
        scale="residual",
        flipped=True,
        normal=False,
    ),
    # covariates of each location
    "voxelwise_tested": GREYS,
    "voxelwise_nuisance": replace(GREYS, matrix=np.column_stack([ONES, ONES, SLOPE])),
    "voxelwise_product": replace(
        GREYS,
        matrix=np.column_stack([CELLS, CELLS]),
        weights=[[0, 0, 1, -1]],
        used=multiplied(4, (2, 0), (3, 0)),
    ),
    "voxelwise_twice": replace(GREYS, used=multiplied(3, (1, 0), (1, 1), (2, 0))),
    "voxelwise_f": replace(GREYS, kind="F", weights=SLOPES),
    "voxelwise_labels": replace(GREYS, mode="labels"),
    "voxelwise_labels_f": replace(GREYS, mode="labels", kind="F", weights=SLOPES),
    "voxelwise_nuisance_labels_missing": replace(
        GREYS,
        matrix=np.column_stack([ONES, SLOPE, ONES]),
        used=multiplied(3, (2, 1)),
        y=lacking(),
        mode="labels",
    ),
    "voxelwise_flip_missing": replace(
        GREYS,
        matrix=np.ones((6, 2)),
        weights=[[1, 0.5]],
        used=multiplied(2, (1, 0)),
        y=lacking(),
        moves=("stay",),
        flipped=True,
    ),
    "voxelwise_weighted": replace(GREYS, variances=VARIANCES[:6], tau2=TAU2, groups=TWO, scale="known"),
    # a variance of each observation
    **{f"hc{k}": replace(PLAIN, scale=f"hc{k}") for k in range(5)},
    **{
        f"hc{k}_f": replace(
            PLAIN,
            matrix=np.eye(3)[THREE],
            weights=THREE_ROWS,
            y=Y,
            kind="F",
            scale=f"hc{k}",
            moves=("within", np.array([0, 1, 0, 1, 0, 1, 0])),
        )
        for k in (0, 3, 4)
    },
    "hc3_flip_missing": replace(STAY, y=lacking(), variances=None, scale="hc3", normal=False),
    "hc4_flip_missing_f": replace(
        STAY, y=lacking(), variances=None, scale="hc4", kind="F", weights=np.eye(2), normal=False
    ),
    "hc3_blocks": replace(
        PLAIN,
        matrix=np.tile([1.0, -1.0], 3)[:, None],
        weights=[[1]],
        blocks=np.repeat([0, 1, 2], 2),
        moves=("within", np.repeat([0, 1, 2], 2)),
        flipped=True,
    ),
    "hc3_voxelwise": replace(GREYS, scale="hc3"),
    "hc2_leverage_of_one": replace(
        PLAIN, matrix=np.column_stack([CELLS, np.eye(6)[:, 5]]), y=Y[:6] + 1, scale="hc2"
    ),
}
N_CASES = 35
"""So many cases; the evidence cannot shrink unseen."""


def test_no_case_is_lost() -> None:
    assert len(CASES) == N_CASES
    every = CASES.values()
    assert {case.scale for case in every} == {"known", "residual", "hc0", "hc1", "hc2", "hc3", "hc4"}
    assert {(case.mode, case.kind) for case in every} == {
        (mode, kind) for mode in ("residuals", "labels") for kind in "tF"
    }


def prepared(case: Local):
    from specgl.kernels.statistics.local import LocalStatistic

    return LocalStatistic.prepare(
        data=case.y,
        row_of=None,
        matrix=case.matrix,
        covariates=case.covariates,
        used=case.used,
        weights=case.c,
        kind=case.kind,
        variances=case.variances,
        tau2=case.tau2,
        groups=case.groups,
        block_codes=case.blocks,
        scale=case.scale,
        mode=case.mode,
        dof=case.dof(),
        analysed=None,
    )


@pytest.mark.parametrize("name", list(CASES))
def test_every_shuffle_is_a_refit(name: str) -> None:
    case = CASES[name]
    stat, z = statistics(case)
    statistic = prepared(case)
    listed = case.shuffles()
    rows = np.array([rows for rows, _ in listed], dtype=np.int32)
    signs = np.array([signs for _, signs in listed], dtype=np.int8) if case.flipped else None
    assert statistic.varying == (np.unique(case.dof()).size > 1)
    np.testing.assert_allclose(statistic.observed, stat[0], **SAME)
    np.testing.assert_allclose(statistic.observed_z, z[0], **SAME)
    expected = z if statistic.varying else stat
    found = statistic.values(rows, signs, np.arange(N_LOC))
    np.testing.assert_allclose(found, expected, **SAME)
    exact = np.empty(z.shape)
    statistic.fill(rows, signs, exact, scale="z")
    np.testing.assert_allclose(exact, z, **SAME)
    for alternative in ("two-sided", "greater", "less"):
        scan = statistic.scan(rows, signs, alternative=alternative, count=True, scale="t")
        side = alternative if case.kind == "t" else "F"
        np.testing.assert_array_equal(
            scan.counts, brute.at_least(brute.sided(stat, side), brute.sided(stat, side)[0]), err_msg=name
        )
        np.testing.assert_allclose(scan.upper, expected.max(axis=1), **SAME)
        if case.kind == "t":
            np.testing.assert_allclose(scan.lower, (-expected).max(axis=1), **SAME)


def test_the_brute_force_is_scipys() -> None:
    """Weights of 1 and one variance: a two-sample t; known variances: the z of a weighted mean."""
    case = Local(CELLS, [[1, -1]], Y[:6])
    theirs = stats.ttest_ind(Y[:3], Y[3:6])
    case = replace(case, moves=("stay",))
    stat, z = statistics(case)
    np.testing.assert_allclose(stat[0], theirs.statistic, rtol=1e-10)
    np.testing.assert_allclose(np.abs(z[0]), stats.norm.isf(theirs.pvalue / 2), rtol=1e-10)
    mean = Local(ONES, [[1]], Y[:6], scale="known", variances=VARIANCES[:6], normal=True, moves=("stay",))
    w = 1 / VARIANCES[:6]
    np.testing.assert_allclose(statistics(mean)[1][0], (w * Y[:6]).sum(axis=0) / np.sqrt(w.sum(axis=0)))
    np.testing.assert_allclose(
        z_of(np.array([2.0]), np.array([np.inf]), 3, "F"), stats.norm.isf(stats.chi2.sf(6, 3))
    )
