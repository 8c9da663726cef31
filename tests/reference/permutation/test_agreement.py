"""Every case, by brute force and through the public doors: the same statistics, the same counts.

p-values are compared as counts: p times the number of shuffles is a whole number on both sides, and the same
one. Statistics of the observed labelling are compared at 1e-8, what two float64 routes through a small model
leave; maxima of shuffles at 1e-5, because nulls may be kept in float32.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from permutation_truth import brute, listing
from permutation_truth.cases import CASES
from scipy import stats

OBSERVED = {"rtol": 1e-8, "atol": 1e-10}
NULL = {"rtol": 1e-5, "atol": 1e-6}
WHOLE = 1e-6
"""p·J may differ from a whole number by rounding only."""
FORMING_P = 0.1


def spatial(case, model, *, on_z):
    """The spatial statistics that each case is asked for."""
    p = FORMING_P / 2 if case.kind == "t" and case.alternative == "two-sided" else FORMING_P
    if on_z:
        u = stats.norm.isf(p)
    elif case.kind == "t":
        u = stats.t.isf(p, model.dof)
    else:
        u = stats.f.isf(p, model.rank, model.dof)
    return {
        "extent": brute.Spatial("extent", 26, case.forming),
        "mass": brute.Spatial("total", 26, case.forming),
        "excess": brute.Spatial("excess", 18, case.forming),
        "byP": brute.Spatial("extent", 6, float(u)),
        "tfce": brute.Spatial("tfce", 6),
        "tfceSteps": brute.Spatial("tfce", 26, e=1.0, h=1.0, dh=case.steps),
    }


def inferences(case, doors, scale):
    """The same in the package's words."""
    formed = {"forming": doors.forming(case.forming), "scale": scale}
    by_p = doors.forming_p(FORMING_P)
    steps = doors.enhancement(e=1.0, h=1.0, dh=case.steps)
    return [
        doors.asked("voxel", scale=case.scale),
        doors.asked("none", correction="none", scale=case.scale),
        doors.asked("extent", statistic="cluster_extent", **formed),
        doors.asked("mass", statistic="cluster_mass", **formed),
        doors.asked("excess", statistic="cluster_mass", mass="excess", connectivity=18, **formed),
        doors.asked("byP", statistic="cluster_extent", connectivity=6, scale=scale, forming=by_p),
        doors.asked("tfce", statistic="tfce", connectivity=6, scale=scale, tfce=doors.enhancement()),
        doors.asked("tfceSteps", statistic="tfce", scale=scale, tfce=steps),
    ]


def shuffles_of(case, model):
    """All labellings, and the rotation that Huh and Jhun shuffle in."""
    if case.nuisance != "huh_jhun":
        return case.shuffles(), None
    q = brute.complement(model)
    return listing.labellings(listing.free(q.shape[1]), (), listing.classes(q.T @ model.tested)), q


def truth_of(case, *, shuffles=None):
    """Truth, and how many shuffles it took."""
    model = brute.Model(case.model_matrix, case.model_weights, case.y, case.kind, case.groups, case.nuisance)
    listed, q = shuffles_of(case, model) if shuffles is None else (shuffles, None)
    on_z = scale_of(case) == "z"
    with np.errstate(divide="ignore", invalid="ignore"):  # voxels that do not vary
        found = brute.truth(
            model,
            listed,
            "F" if case.kind == "F" else case.alternative,
            case.shape,
            spatial(case, model, on_z=on_z),
            on_z=on_z,
            analysed=case.analysed,
            q=q,
        )
    return found, len(listed)


def scale_of(case):
    """Everything is on z where degrees of freedom vary."""
    return "z" if case.varying else case.scale


def whole(p, n, what):
    """Counts from p-values."""
    counts = p * n
    np.testing.assert_allclose(counts, np.round(counts), rtol=0, atol=WHOLE, err_msg=what)
    return np.round(counts).astype(int)


def check(case, found, truth, n):
    """Compare one `Answer` with the truth."""
    here = case.analysed
    stat, z = (found.stats[name].sel(contrast="only").values for name in ("stat", "z"))
    np.testing.assert_allclose(stat[here], truth.stat[here], **OBSERVED, err_msg="stat")
    np.testing.assert_allclose(z[here], truth.z[here], **OBSERVED, err_msg="z")
    for name in truth.null:
        check_one(case, found.inferred[name, "only"], name, truth, n)
    none = found.inferred["none", "only"]
    np.testing.assert_array_equal(whole(none.p_corrected[here], n, "none"), truth.uncorrected[here])
    logp = found.inferred["voxel", "only"].uncorrected_logp
    assert logp is not None
    np.testing.assert_array_equal(whole(10.0 ** -logp[here], n, "uncorrected"), truth.uncorrected[here])


def same_counts(counts, null, observed, name):
    """The same counts, whatever the null was computed in."""
    np.testing.assert_array_equal(counts, brute.at_least(null[:, None], observed), err_msg=name)


def check_one(case, one, name, truth, n):
    """Compare one inference: p everywhere, the null, and what survives."""
    here = case.analysed
    assert one.shuffling.n == n
    same_counts(whole(one.p_corrected[here], n, name), truth.null[name], truth.observed[name][here], name)
    assert np.isnan(one.p_corrected[~here]).all()
    np.testing.assert_allclose(10.0 ** -one.logp[here], one.p_corrected[here], rtol=1e-12)
    np.testing.assert_allclose(np.sort(one.null), np.sort(truth.null[name]), **NULL, err_msg=name)
    np.testing.assert_allclose(one.null[0], truth.observed[name][here].max(), **NULL, err_msg=name)
    survives = one.p_corrected <= 0.05 + WHOLE / n  # NaN survives nothing
    np.testing.assert_array_equal(one.thresholded != 0, survives, err_msg=name)
    np.testing.assert_allclose(one.thresholded[survives], truth.stat[survives], **OBSERVED)
    assert one.n_surviving == survives.sum()
    if one.enhanced is not None:
        np.testing.assert_allclose(np.abs(one.enhanced[here]), truth.observed[name][here], **NULL)
        signs = np.sign(truth.stat[here]) * (truth.observed[name][here] > 0)
        np.testing.assert_array_equal(np.sign(one.enhanced[here]), signs)


def test_all_labellings(case, doors):
    truth, n = truth_of(case)
    found = doors.answer(case, inferences(case, doors, scale_of(case)))
    (scheme,) = found.schemes
    assert (scheme.exchange, scheme.n, scheme.possible) == (case.exchange, n, n)
    assert scheme.exhaustive
    assert n == case.n_shuffles
    check(case, found, truth, n)


@pytest.mark.parametrize(
    "name",
    [
        "flip_with_nuisance",
        "covariate",
        "covariate_dekker",
        "f_covariates",
        "v_covariate",
        "available_paired",
    ],
)
def test_some_labellings(name, doors):
    """A random set: the truth is told which shuffles were drawn."""
    case = CASES[name]
    n = min(100, case.n_shuffles // 2)
    found = doors.answer(case, inferences(case, doors, scale_of(case)), n=n)
    (scheme,) = found.schemes
    assert (scheme.n, scheme.possible, scheme.exhaustive) == (n, case.n_shuffles, False)
    drawn = scheme.shuffles()
    rows = [tuple(int(i) for i in row) for row in drawn.rows]
    ones = np.ones_like(drawn.rows)
    signs = [tuple(int(i) for i in row) for row in (ones if drawn.signs is None else drawn.signs)]
    listed = list(zip(rows, signs, strict=True))
    label = np.array(case.label)
    assert len({(tuple(label[list(r)]), s) for r, s in listed}) == n
    truth, _ = truth_of(case, shuffles=listed)
    check(case, found, truth, n)
    # Drawn sets have an order of their own, and the null is told in it.
    np.testing.assert_allclose(found.inferred["voxel", "only"].null, truth.null["voxel"], **NULL)


def test_one_family_over_contrasts(doors):
    """The same shuffle for all contrasts, and the largest z of any of them."""
    base = CASES["f_three_groups"]
    asked = {
        "up": ([[1, -1, 0]], "t", "greater"),
        "apart": ([[0, 1, -1]], "t", "two-sided"),
        "any": ([[1, -1, 0], [0, 1, -1]], "F", "two-sided"),
    }
    found = doors.answer(
        base,
        [
            doors.asked("voxel", across="contrasts"),
            doors.asked("tfce", statistic="tfce", tfce=doors.enhancement(), across="contrasts"),
        ],
        asked,
    )
    shape = base.shape
    maps = {"voxel": {}, "tfce": {}}
    for name, (weights, kind, side) in asked.items():
        one = replace(base, weights=weights, kind=kind, alternative=side)
        model = brute.Model(one.model_matrix, one.model_weights, one.y, kind)
        z = brute.statistics(model, one.shuffles())[1]
        evidence = "F" if kind == "F" else side
        maps["voxel"][name] = brute.sided(z, evidence)
        enhance = brute.Spatial("tfce", 26).map
        maps["tfce"][name] = np.stack([enhance(v.reshape(shape), evidence).ravel() for v in z])
    n = base.n_shuffles
    for inference, by_contrast in maps.items():
        null = np.max([one.max(axis=1) for one in by_contrast.values()], axis=0)
        for name, one in by_contrast.items():
            got = found.inferred[inference, name]
            same_counts(whole(got.p_corrected, n, f"{inference}, {name}"), null, one[0], inference)
            np.testing.assert_allclose(np.sort(got.null), np.sort(null), **NULL)


@pytest.mark.parametrize("name", ["two_groups", "ties", "v"])
def test_false_discovery_rate_of_shuffled_p(name, doors):
    case = CASES[name]
    truth, n = truth_of(case)
    got = doors.answer(case, [doors.asked("fdr", correction="fdr_bh")]).inferred["fdr", "only"]
    here = case.analysed
    p = truth.uncorrected[here] / n
    adjusted = stats.false_discovery_control(p, method="bh")
    np.testing.assert_allclose(got.p_corrected[here], adjusted, rtol=1e-12)
    assert np.isnan(got.p_corrected[~here]).all()
