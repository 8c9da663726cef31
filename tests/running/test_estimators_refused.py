"""What bad input gets: its code, at its line, in words that say what was seen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import nibabel as nib
import numpy as np
import pytest

import specgl
from specgl.errors import Finding, SpecglError

SPEC = """\
specgl: 1
name: group
data:
  table: table.tsv
  id: id
  images: "y/{id}.nii"
  variances: "v/{id}.nii"
  voxelwise: {gm: "gm/{id}.nii"}
variables:
  group: {type: categorical}
model:
  formula: group + gm
  estimator: {method: mixed_effects}
contrasts:
  difference: "group[b] - group[a]"
output: {directory: out}
"""
PLAIN = SPEC.replace(" + gm", "").replace('  voxelwise: {gm: "gm/{id}.nii"}\n', "")
LEAST_SQUARES = PLAIN.replace('  variances: "v/{id}.nii"\n', "").replace(
    "  estimator: {method: mixed_effects}\n", ""
)
CLUSTERED = LEAST_SQUARES.replace(
    "  formula: group\n", "  formula: group\n  errors: {type: cluster, by: clan}\n"
)
PERMUTED = (
    "inference:\n  maxT: {method: permutation, statistic: voxel}\npermutation: {n: 200, seed: 1}\noutput:"
)


@pytest.fixture
def group(make_group: Callable[..., Any]) -> Any:
    """A group whose files may be spoilt."""
    return make_group(12)


def refused(call: Callable[[], object]) -> dict[str, Finding]:
    """Errors of a call, by code."""
    with pytest.raises(SpecglError) as caught:
        call()
    return {finding.code: finding for finding in caught.value.findings if finding.is_error}


def words_of(finding: Finding) -> str:
    return " ".join([finding.message, finding.help or "", *finding.notes])


def line_of(finding: Finding, text: str) -> str:
    """The line of the spec to which a finding points."""
    assert finding.line is not None
    return text.splitlines()[finding.line - 1].strip()


def warned(bundle: specgl.Bundle, code: str) -> dict[str, Any]:
    """The one warning of a code in a bundle."""
    (found,) = [told for told in bundle.manifest["warnings"] if told["code"] == code]
    return found


def run(group: Any, text: str) -> specgl.Bundle:
    return specgl.run(specgl.read(group.write(text)), threads=1, overwrite=True)


# Variances ------------------------------------------------------------------------------------------


def test_variances_that_are_none_make_effects_missing_and_are_counted(group) -> None:
    volumes = group.variances.copy()
    volumes[0, 0, 0, 0], volumes[1, 1, 0, 0], volumes[2, 2, 0, 0], volumes[3, 3, 0, 0] = 0, -1, np.nan, np.inf
    group.save("v", volumes)
    bundle = run(group, PLAIN)
    told = warned(bundle, "W313")
    assert told["message"].startswith("4 effects have no usable variance and count as missing: in 4 of 12")
    assert line_of(Finding("W313", "", line=told["line"]), PLAIN).startswith("variances:")
    assert "'s00' (1), 's01' (1), 's02' (1), 's03' (1)" in " ".join(told["notes"])
    assert bundle.manifest["counts"]["without_variance"] == 4
    assert not bundle.mask.values[:4, 0, 0].any()
    assert bundle.mask.values.sum() == 56
    # With available voxels the others of such a voxel are analysed.
    available = run(group, PLAIN.replace("  id: id\n", "  id: id\n  missing: {voxel: {available: 0.8}}\n"))
    assert available.mask.values.all()
    assert available.maps["n"].values[:5, 0, 0].tolist() == [11, 11, 11, 11, 12]


def test_standard_errors_for_variances_are_warned_of_with_the_figures(group) -> None:
    effects, truth = group.effects * 100, group.variances * 10_000
    group.save("y", effects)
    group.save("v", np.sqrt(truth))
    told = warned(run(group, PLAIN), "W315")
    assert "they may be standard errors" in told["message"]
    between = float(np.median(effects.var(axis=0, ddof=1) / np.sqrt(truth).mean(axis=0)))
    assert f"{between:.3g} times" in told["message"]
    squared = float(np.median(effects.var(axis=0, ddof=1) / truth.mean(axis=0)))
    assert f"{squared:.3g}" in " ".join(told["notes"])
    assert PLAIN.splitlines()[told["line"] - 1].strip().startswith("variances:")
    group.save("v", truth)
    codes = {told["code"] for told in run(group, PLAIN).manifest["warnings"]}
    assert "W315" not in codes


def test_weighted_estimators_want_variances_in_the_first_stage(group) -> None:
    text = PLAIN.replace('  variances: "v/{id}.nii"\n', "")
    for method in ("mixed_effects", "fixed_effects"):
        said = text.replace("mixed_effects", method)
        found = refused(lambda said=said: specgl.read(group.write(said)))["E011"]
        assert line_of(found, said) == f"estimator: {{method: {method}}}"
        assert "variances" in found.message
        assert method in found.message


# Groups and clusters ----------------------------------------------------------------------------------


def column(group: Any, name: str, cells: list[str]) -> None:
    """Add a column to the table."""
    path = group.folder / "table.tsv"
    lines = path.read_text().splitlines()
    path.write_text("".join(f"{a}\t{b}\n" for a, b in zip(lines, [name, *cells], strict=True)))


def test_groups_want_more_observations_than_regressors(group) -> None:
    column(group, "site", ["x", "x"] + ["y"] * 10)
    column(group, "alone", ["x"] + ["y"] * 11)
    text = PLAIN.replace("  formula: group\n", "  formula: group * site\n  variance_groups: site\n")
    text = text.replace("model:", "  site: {type: categorical}\nmodel:")
    found = refused(lambda: specgl.plan(specgl.read(group.write(text))))["E280"]
    assert line_of(found, text) == "variance_groups: site"
    assert "'x' of `site` has no residual degree of freedom left" in found.message
    text = PLAIN.replace("  formula: group\n", "  formula: group\n  variance_groups: alone\n")
    found = refused(lambda: specgl.plan(specgl.read(group.write(text))))["E281"]
    assert line_of(found, text) == "variance_groups: alone"
    assert "'x' of `alone` has one observation" in found.message


@pytest.mark.parametrize(("n", "code"), [(1, "E284"), (2, "W283"), (4, "W283"), (5, None)])
def test_few_clusters(group, n: int, code: str | None) -> None:
    column(group, "clan", [f"c{i % n}" for i in range(12)])
    spec = specgl.read(group.write(CLUSTERED))
    if code == "E284":
        found = refused(lambda: specgl.plan(spec))[code]
        assert "`clan` makes one cluster of all 12 observations" in found.message
    else:
        findings = {finding.code: finding for finding in specgl.plan(spec).findings}
        if code is None:
            assert "W283" not in findings
            return
        found = findings[code]
        assert found.message == f"`clan` makes {n} clusters, of {12 // n} to {12 // n} observations"
    assert line_of(found, CLUSTERED) == "errors: {type: cluster, by: clan}"


def test_a_cluster_that_is_not_told_is_refused_at_both_places(group) -> None:
    column(group, "clan", ["n/a" if i == 4 else f"c{i % 6}" for i in range(12)])
    found = refused(lambda: specgl.plan(specgl.read(group.write(CLUSTERED))))["E283"]
    assert "clan" in found.message
    assert "s04" in words_of(found) or found.line == 6
    column(group, "else", ["x"] * 12)
    text = CLUSTERED.replace("clan", "nowhere")
    found = refused(lambda: specgl.plan(specgl.read(group.write(text))))["E210"]
    assert "nowhere" in found.message
    assert line_of(found, text) == "errors: {type: cluster, by: nowhere}"


# Covariates -------------------------------------------------------------------------------------------


def test_a_covariate_on_another_grid_is_refused(group) -> None:
    volume = nib.Nifti1Image(group.grey[7, :-1], np.diag([3.0, 3, 3, 1]))
    nib.save(volume, group.folder / "gm" / "s07.nii")
    found = refused(lambda: specgl.run(specgl.read(group.write(SPEC)), threads=1))["E318"]
    assert line_of(found, SPEC) == 'voxelwise: {gm: "gm/{id}.nii"}'
    assert "s07" in words_of(found)
    assert "1 on 4 x 4 x 3 voxels" in words_of(found)


def test_a_covariate_that_is_the_same_for_all_at_some_voxels_is_counted(group) -> None:
    volumes = group.grey.copy()
    volumes[:, 0, 0, :2] = 0.5
    group.save("gm", volumes)
    bundle = run(group, SPEC)
    told = warned(bundle, "W404")
    assert told["message"].startswith("a regressor is a combination of the others at 2 of 60 locations")
    # Where the intercept and the covariate are one, no contrast is answered.
    lost = np.isnan(bundle.maps["p"].sel(contrast="difference").values)
    assert lost[0, 0, :2].all()
    assert lost.sum() == 2
    assert SPEC.splitlines()[told["line"] - 1].strip().startswith("voxelwise:")


def test_a_covariate_that_is_missing_counts_its_effect_missing(group) -> None:
    volumes = group.grey.copy()
    volumes[3, 1, 1, 1] = np.nan
    group.save("gm", volumes)
    bundle = run(group, SPEC)
    assert "'gm'" in warned(bundle, "W316")["message"]
    assert not bundle.mask.values[1, 1, 1]


@pytest.mark.parametrize("function", ["log(gm)", "poly(gm, 2)", "I(gm**2)", "scale(gm)"])
def test_a_function_of_a_covariate_is_refused(group, function: str) -> None:
    text = SPEC.replace("group + gm", f"group + {function}")
    with pytest.raises(SpecglError) as caught:
        specgl.plan(specgl.read(group.write(text)))
    found = next(finding for finding in caught.value.findings if finding.is_error)
    assert "gm" in found.message
    assert line_of(found, text) == f"formula: group + {function}"


# Fits that fail ---------------------------------------------------------------------------------------


def test_a_between_variance_that_comes_to_no_rest_has_no_statistic(group) -> None:
    """Variances over thirty decades: the likelihood has flat places without end."""
    rng = np.random.default_rng(0)
    group.save("v", (10.0 ** rng.uniform(-15, 15, group.effects.shape)).astype(np.float32))
    text = PLAIN.replace("  formula: group\n", "  formula: group\n  variance_groups: group\n")
    bundle = run(group, text)
    told = warned(bundle, "W403")
    n = int(np.isnan(bundle.maps["p"].sel(contrast="difference").values).sum())
    assert 0 < n < 30
    assert told["message"] == f"the fit did not converge at {n} of 60 locations, which get no statistic"
    assert line_of(Finding("W403", "", line=told["line"]), text) == "estimator: {method: mixed_effects}"


def test_a_robust_fit_without_a_scale_has_no_statistic(group) -> None:
    volumes = group.effects.copy()
    volumes[::2, 0, 0, 0], volumes[1::2, 0, 0, 0] = 1, 2
    volumes[3, 0, 0, 0] = 5
    group.save("y", volumes)
    text = LEAST_SQUARES.replace("  formula: group\n", "  formula: group\n  estimator: {method: robust}\n")
    bundle = run(group, text)
    assert "at 1 of 60 locations" in warned(bundle, "W403")["message"]
    assert np.isnan(bundle.maps["stat"].values[0, 0, 0, 0])


# What does not go together --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after", "code", "at", "words"),
    [
        ("mixed_effects}", "mixed_effects, tau2: sj}", "E012", "estimator", "sj"),
        ("mixed_effects}", "ols, tau2: dl}", "E014", "estimator", "tau2"),
        ('group[a]"\n', 'group[a]"\n  f: {hypothesis: [mean], margin: 1}\n', "E014", "f: {", "margin"),
        ("directory: out", "maps: [cohen_d]", "E038", "output", "cohen_d"),
        ("directory: out", "maps: [sigma]", "E038", "output", "sigma"),
        ("directory: out", "maps: [ci], level: 1.0", "E020", "output", "1"),
        ("  formula: group\n", "  formula: group\n  block: family\n", "E014", "block", "mixed_effects"),
        ("  formula: group\n", "  formula: group\n  errors: {type: hc3}\n", "E014", "errors", "hc3"),
        ("  id: id\n", "  id: id\n  smoothing_fwhm: 6\n", "E014", "smoothing_fwhm", "variances"),
    ],
)
def test_the_first_stage_refuses_at_the_line(
    group, before: str, after: str, code: str, at: str, words: str
) -> None:
    text = PLAIN.replace(before, after)
    assert text != PLAIN
    found = refused(lambda: specgl.read(group.write(text)))
    assert code in found, found
    assert line_of(found[code], text).startswith(at)
    assert words in words_of(found[code])


def test_a_level_without_intervals_changes_nothing_and_is_said(group) -> None:
    text = PLAIN.replace("directory: out", "directory: out, level: 0.9")
    (found,) = [f for f in specgl.plan(specgl.read(group.write(text))).findings if f.code == "W208"]
    assert "level" in found.message
    assert line_of(found, text).startswith("output:")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            LEAST_SQUARES.replace("  formula: group\n", "  formula: group\n  estimator: {method: robust}\n"),
            "robust",
        ),
        (CLUSTERED, "cluster"),
        (
            SPEC.replace("  estimator: {method: mixed_effects}\n", "  variance_groups: group\n").replace(
                '  variances: "v/{id}.nii"\n', ""
            ),
            "variance_groups",
        ),
    ],
)
def test_what_has_no_shuffles_is_refused_in_the_first_stage(group, text: str, words: str) -> None:
    text = text.replace("output:", PERMUTED)
    found = refused(lambda: specgl.read(group.write(text)))["E014"]
    assert line_of(found, text) == "maxT: {method: permutation, statistic: voxel}"
    assert words in found.message
    assert "parametric" in words_of(found)
