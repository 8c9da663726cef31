"""The brute force itself, against scipy's tests and by hand."""

from __future__ import annotations

import numpy as np
from permutation_truth import brute
from permutation_truth.cases import CASES
from scipy import stats

SAME = {"rtol": 1e-9, "atol": 1e-12}


def observed(name):
    case = CASES[name]
    model = brute.Model(case.model_matrix, case.model_weights, case.y, case.kind, case.groups)
    n = len(case.matrix)
    stat, z = brute.statistics(model, [(tuple(range(n)), (1,) * n)])
    return case, stat[0], z[0]


def check(stat, z, theirs):
    np.testing.assert_allclose(stat, theirs.statistic, **SAME)
    np.testing.assert_allclose(z, np.sign(stat) * stats.norm.isf(theirs.pvalue / 2), **SAME)


def test_one_sample():
    case, stat, z = observed("one_sample")
    check(stat, z, stats.ttest_1samp(case.y, 0))


def test_two_groups():
    case, stat, z = observed("two_groups")
    check(stat, z, stats.ttest_ind(case.y[:4], case.y[4:]))


def test_v_is_welch():
    case, stat, z = observed("v")
    check(stat, z, stats.ttest_ind(case.y[4:], case.y[:4], equal_var=False))


def test_pairs():
    case, stat, z = observed("paired")
    check(stat, z, stats.ttest_rel(case.y[:6], case.y[6:]))


def test_three_groups():
    case, stat, z = observed("f_three_groups")
    theirs = stats.f_oneway(*np.split(case.y, [3, 5]))
    np.testing.assert_allclose(stat, theirs.statistic, **SAME)
    np.testing.assert_allclose(stats.norm.sf(z), theirs.pvalue, **SAME)


def test_g_is_welchs_anova():
    """Welch 1951 (doi:10.2307/2332579): the formula of one location, written out for group means."""
    case, stat, z = observed("G")
    groups = np.split(case.y, [3, 5])
    n = np.array([3, 2, 2])[:, None]
    mean = np.array([one.mean(axis=0) for one in groups])
    w = n / np.array([one.var(axis=0, ddof=1) for one in groups])
    centre = (w * mean).sum(axis=0) / w.sum(axis=0)
    unequal = ((1 - w / w.sum(axis=0)) ** 2 / (n - 1)).sum(axis=0)
    welch = (w * (mean - centre) ** 2).sum(axis=0) / 2 / (1 + unequal * 2 / 8)
    np.testing.assert_allclose(stat, welch, **SAME)
    np.testing.assert_allclose(stats.norm.sf(z), stats.f.sf(welch, 2, 8 / (3 * unequal)), **SAME)


def test_tfce_of_two_towers_by_hand():
    """Heights 1, 3 side by side and 2 alone: the foot of two voxels up to 1, single voxels above."""
    line = np.array([0.0, 1.0, 3.0, 0.0, 2.0, -4.0]).reshape(6, 1, 1)
    root = np.sqrt(2)
    expected = [0, root / 3, root / 3 + (27 - 1) / 3, 0, 8 / 3, 0]
    np.testing.assert_allclose(brute.tfce(line, 6).ravel(), expected, **SAME)


def test_clusters_by_hand():
    line = np.array([0.0, 2.0, 3.0, 0.0, 2.5, 1.0]).reshape(6, 1, 1)
    np.testing.assert_array_equal(brute.clusters(line, 2.0, 6, None).ravel(), [0, 2, 2, 0, 1, 0])
    np.testing.assert_array_equal(brute.clusters(line, 2.0, 6, "total").ravel(), [0, 5, 5, 0, 2.5, 0])
    np.testing.assert_array_equal(brute.clusters(line, 2.0, 6, "excess").ravel(), [0, 1, 1, 0, 0.5, 0])
