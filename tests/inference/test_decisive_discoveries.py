"""What float32 cannot tell of true discoveries is told by float64: near ties, and lambda itself."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from specgl.inference import Permutation, Provisions, Sets, infer

TDP = Permutation("tdp", "voxel", "tdp", alpha=0.1, sets=Sets(forming_z=(1.0, 2.0)))
ON_Z = replace(TDP, name="on z", scale="z")
POOLED = replace(TDP, name="pooled", across="contrasts")


@pytest.fixture(scope="module")
def told(bench):
    """Infer from maps that are given, one for each of N shuffles."""
    n = 40
    listed = bench.drawn(9, n, seed=2)

    class Told(bench.Refit):
        n_obs, dof = 9, 30

        def stat(self, rows, signs):
            (shuffle,) = np.flatnonzero((listed.rows == rows).all(axis=1))
            return self.data[shuffle]

    def ask(heights, asked, alternative="two-sided"):
        maps = np.full((n, 24), 0.1) + np.linspace(0, 0.01, n)[:, None]
        maps[:, 3] = heights
        maps = -maps if alternative == "less" else maps
        statistic = Told(np.zeros((9, 1)), np.zeros((9, 0)), maps, np.ones(24, dtype=bool))
        stats = bench.stats_of({"one": statistic}, {"one": alternative})
        permuted = bench.permuted({"one": statistic}, listed)
        return infer(stats, bench.Box((4, 3, 2)), [asked], Provisions(permuted=permuted))[0]

    return ask


NEAR = [1 - 1e-6, 1 + 1e-6, 1 - 1e-8, 1 + 1e-8, 1 - 3e-9, 1 - 1e-13, 1 + 1e-13]


@pytest.mark.parametrize("alternative", ["two-sided", "greater", "less"])
@pytest.mark.parametrize("asked", [TDP, ON_Z, POOLED], ids=lambda one: one.name)
def test_near_ties_are_told_apart_and_equal_labellings_are_not(told, asked, alternative):
    heights = 5.0 * np.concatenate([[1.0], NEAR, np.linspace(0.5, 0.9, 40 - 1 - len(NEAR))])
    reaching = 1 + 4  # the observed labelling, what is above it, and what is equal to it
    found = told(heights, replace(asked, alpha=reaching / 40), alternative)
    assert found.p_corrected[3] * 40 == reaching
    assert found.discoveries.at_least == 1
    # Lambda is then among those that are equal to the observed one, and nothing lies below it.
    found = told(heights, replace(asked, alpha=(reaching - 1) / 40), alternative)
    assert found.discoveries.at_least == 0


def test_few_shuffles_discover_nothing(told):
    found = told(np.linspace(9.0, 2.0, 40), replace(TDP, alpha=0.02))
    assert found.discoveries.at_least == 0
    assert found.p_corrected.min() == 1 / 40
    assert found.n_surviving == 0


def test_where_lambda_underflows_nothing_lies_below_it(told):
    found = told(np.full(40, 1e13), TDP)
    assert found.discoveries.factor == np.inf
    assert found.discoveries.at_least == 0
    assert found.p_corrected[3] == 1.0
    assert np.isfinite(found.null).all()
