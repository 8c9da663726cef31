"""The brute force beside R: two independent ways to the same numbers, without the package.

What R's packages do not have is compared with the brute force alone, which therefore has to be right.
"""

from __future__ import annotations

import numpy as np
import pytest
from estimator_truth import brute
from estimator_truth.frozen import (
    CLUSTER,
    HC,
    LOSSES,
    TAU2,
    cases,
    columns,
    design,
    frozen,
    matrices,
    orthonormal,
    vectors,
)
from numpy.testing import assert_allclose

META = tuple(cases()["meta"])


@pytest.mark.parametrize("method", TAU2)
@pytest.mark.parametrize("name", META)
def test_tau2_of_metafor_is_the_global_maximum_or_the_root(name: str, method: str) -> None:
    x, case, theirs = design(name), cases()["meta"][name], frozen()["meta"][f"{name}:{method}"]
    y, v = columns(case["y"]), columns(case["v"])
    ours = [brute.tau2_of(x, y[:, j], v[:, j], method) for j in range(y.shape[1])]
    # Both iterate until nothing moves; metafor forms y'Py from X'WX: 1e-9 is lost where X is ill scaled.
    assert_allclose(ours, theirs["tau2"], rtol=1e-8, atol=1e-11)


@pytest.mark.parametrize("method", TAU2)
def test_tau2_of_groups_that_share_nothing_are_those_of_each_group(method: str) -> None:
    case = cases()["grouped"]["separable"]
    groups = np.array(case["groups"])
    for y, v, theirs in zip(
        np.array(case["y"]), np.array(case["v"]), frozen()["separate"][method], strict=True
    ):
        for g in range(2):
            here = groups == g
            ours = brute.tau2_of(np.ones((here.sum(), 1)), y[here], v[here], method)
            assert_allclose(ours, theirs[g], rtol=1e-10, atol=1e-11)


@pytest.mark.parametrize("method", ["ML", "REML"])
@pytest.mark.parametrize("name", cases()["grouped"])
def test_two_tau2_at_once(name: str, method: str) -> None:
    case = cases()["grouped"][name]
    x, groups = np.array(case["matrix"]), np.array(case["groups"])
    y, v = np.array(case["y"]), np.array(case["v"])
    ours = [brute.two_by_search(x, y[j], v[j], groups, method == "REML") for j in range(len(y))]
    # rma.mv climbs by finite differences, on the logarithm of tau2: seven digits, and never quite 0.
    assert_allclose(ours, frozen()["grouped"][f"{name}:{method}"]["tau2"], rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("kind", HC)
@pytest.mark.parametrize("name", cases()["linear"])
def test_hc(name: str, kind: str) -> None:
    x = design(name)
    ours = np.stack([brute.hc(x, np.array(y), kind) for y in cases()["linear"][name]], axis=-1)
    # sandwich multiplies three matrices of which the outer ones nearly cancel where X is ill scaled.
    close = 1e-9 if name.startswith("ill") else 1e-12
    assert_allclose(ours, matrices(frozen()["hc"][f"{name}:{kind}"]), rtol=close, atol=1e-14)


@pytest.mark.parametrize("key", frozen()["cluster"])
def test_clustered(key: str) -> None:
    name, kind = key.split(":")
    case, theirs = cases()["clustered"][name], frozen()["cluster"][key]
    x, codes, y = np.array(case["matrix"]), np.array(case["codes"]), np.array(case["y"])
    p = x.shape[1]
    ours = np.stack([brute.cluster(x, values, codes, kind) for values in y], axis=-1)
    for source in {"vcovCL", "vcovCR"} & theirs.keys():
        assert_allclose(ours, matrices(theirs[source]), rtol=1e-11, atol=1e-14)
    dof = [brute.cluster_dof(x, codes, kind, np.eye(p)[[i]]) for i in range(p)]
    assert_allclose(np.tile(dof, (3, 1)).T, vectors(theirs["dof"]), rtol=1e-11)
    if p > 1:
        eta = brute.cluster_dof(x, codes, kind, np.eye(p)[-2:])
        assert_allclose(vectors(theirs["f_dof"])[1], eta - 1, rtol=1e-11)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("name", cases()["robust"])
def test_robust(name: str, loss: str) -> None:
    theirs = frozen()["robust"][f"{name}:{loss}"]
    ours = [brute.robust(design(name), np.array(y), loss) for y in cases()["robust"][name]]
    # Both stop when residuals hardly move; where an iteration shrinks slowly, digits are left over.
    assert_allclose([fit["b"] for fit in ours], vectors(theirs["b"]).T, rtol=1e-9, atol=1e-10)
    assert_allclose([fit["se"] for fit in ours], vectors(theirs["se"]).T, rtol=1e-9)
    assert_allclose([fit["scale"] for fit in ours], theirs["scale"], rtol=1e-9)
    assert_allclose([fit["weights"] for fit in ours], theirs["weights"], atol=1e-9)


def test_bayes_factors() -> None:
    one, two = cases()["bayes"]["one_sample"], cases()["bayes"]["two_samples"]
    ours = {
        "one_sample": [brute.jzs(t, n, n - 1) for t, n in one],
        "two_samples": [brute.jzs(t, a * b / (a + b), a + b - 2) for t, a, b in two],
    }
    for kind, theirs in frozen()["bayes"].items():
        assert_allclose(ours[kind], theirs["integral"], rtol=1e-12)
        # BayesFactor integrates to ten digits.
        assert_allclose(ours[kind], theirs["BayesFactor"], rtol=1e-9)


@pytest.mark.parametrize("level", frozen()["intervals"])
def test_intervals_of_d(level: str) -> None:
    one, two = cases()["intervals"]["one_sample"], cases()["intervals"]["two_samples"]
    for side, sign in (("lower", 1), ("upper", -1)):
        share = (1 + sign * float(level)) / 2
        theirs = frozen()["intervals"][level][side]
        # R's pt is good to 1e-12 of a probability, which is more of a limit where its tail is flat.
        close = {"rtol": 1e-9, "atol": 1e-10}
        ours = [brute.noncentrality(t, n - 1, share) / np.sqrt(n) for t, n in one]
        assert_allclose(ours, theirs["one_sample"], **close)
        ours = [brute.noncentrality(t, a + b - 2, share) * np.sqrt(1 / a + 1 / b) for t, a, b in two]
        assert_allclose(ours, theirs["two_samples"], **close)


def test_the_names_of_corrections_are_those_of_the_frozen_file() -> None:
    assert {key.split(":")[1] for key in frozen()["cluster"]} == CLUSTER.keys()


def test_spread_gives_coefficients_back() -> None:
    for name in META:
        basis, spread = orthonormal(design(name))
        assert_allclose(basis.T @ basis, np.eye(basis.shape[1]), atol=1e-14)
        assert_allclose(design(name) @ spread, basis, atol=1e-11)
