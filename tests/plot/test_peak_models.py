"""Values at a peak stand beside the model as it was estimated: its weights, its errors, its covariates."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from statsmodels.regression.linear_model import OLS

import specgl
from specgl.errors import UsageError
from specgl.plot import peak
from specgl.plot.adjusting import Adjusted, adjusted
from specgl.plot.figure import Figure
from specgl.variables import WEIGHT

from .conftest import OBSERVATIONS, PEAK
from .test_glass import texts

TIGHT = 1e-9
"""Two ways to solve the same well-conditioned least squares in float64."""

TABLED = 1e-4
"""Data and weights at peaks and numbers of tables have seven digits; intervals are differences of them."""

MIXED = "estimator: {method: mixed_effects, tau2: reml, adjustment: "

MODELS = {
    "fixed": "formula: group + age, estimator: {method: fixed_effects}",
    "mixed": f"formula: group + age, {MIXED}none}}",
    "knapp_hartung": f"formula: group + age, {MIXED}knapp_hartung}}",
    "a tau2 a group": f"formula: group + age, variance_groups: group, {MIXED}none}}",
    "huber": "formula: group + age, estimator: {method: robust, loss: huber}",
    "bisquare": "formula: group + age, estimator: {method: robust, loss: bisquare}",
    **{
        kind: f"formula: group + age, errors: {{type: {kind}}}"
        for kind in ("hc0", "hc1", "hc2", "hc3", "hc4")
    },
    **{
        kind: f"formula: group + age, errors: {{type: cluster, by: site, correction: {kind}}}"
        for kind in ("c0", "c1", "c2", "c3")
    },
    "covariate": "formula: group + age + gm",
    "interaction": "formula: group * gm + age",
    "covariate, mixed": f"formula: group + age + gm, {MIXED}knapp_hartung}}",
    "covariate, robust": "formula: group + age + gm, estimator: {method: robust, loss: huber}",
    "covariate, hc3": "formula: group + age + gm, errors: {type: hc3}",
}

SPEC = """\
specgl: 1
name: models
data:
  table: participants.tsv
  images: "maps/{participant_id}.nii.gz"
mask: mask.nii.gz
variables:
  group: {type: categorical, levels: [control, patient]}
  age: {type: continuous, unit: year}
model: {MODEL}
contrasts:
  patientGtControl: "group[patient] - group[control]"
  ageSlope: {hypothesis: age, alternative: greater}
inference:
  any: {method: parametric, correction: none, alpha: 0.2}
output: {directory: results}
"""


@pytest.fixture
def run_model(study: Any) -> Callable[[str], specgl.Bundle]:
    """Function from a model, as the spec has it in braces, to its bundle."""

    def run(model: str) -> specgl.Bundle:
        rng = np.random.default_rng(3)
        text = SPEC.replace("MODEL", model)
        table = pd.read_csv(study.table, sep="\t").assign(site=list("abcde") * 2)
        table.to_csv(study.table, sep="\t", index=False)
        beside = {"gm": rng.uniform(0.3, 0.9, study.data.shape), "var": rng.gamma(2, 0.2, study.data.shape)}
        for name, values in beside.items():
            for number, volume in enumerate(values, start=1):
                image = nib.Nifti1Image(volume.astype(np.float32), np.diag([3.0, 3.0, 3.0, 1.0]))
                nib.save(image, study.folder / f"maps/sub-{number:02d}_{name}.nii.gz")
        for needed, key in (
            ("gm", 'voxelwise: {gm: "maps/{participant_id}_gm.nii.gz"}'),
            ("_effects", 'variances: "maps/{participant_id}_var.nii.gz"'),
        ):
            if needed in model:
                text = text.replace("mask:", f"  {key}\nmask:", 1)
        return specgl.run(specgl.read(study.write(text)), study.folder / "out", threads=1)

    return run


def weights_row(bundle: Any, contrast: str) -> np.ndarray[Any, Any]:
    (row,) = bundle.design_words["contrasts"][contrast]["weights"]
    return np.array([[row.get(str(name), 0.0) for name in bundle.design.columns]])


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # few clusters, which is what is wanted here
@pytest.mark.parametrize("name", MODELS)
def test_the_interval_of_a_contrast_is_that_of_the_tables(
    name: str, run_model: Callable[[str], specgl.Bundle]
) -> None:
    """What is drawn knows estimator, errors and covariates: its effect, variance and dof are the model's."""
    bundle = run_model(MODELS[name])
    for contrast in ("patientGtControl", "ageSlope"):
        row = bundle.tables[contrast, "any"].iloc[0]
        held = adjusted(bundle, contrast, (row.x, row.y, row.z))
        effect, half = (float(one[0]) for one in held.interval(weights_row(bundle, contrast)))
        np.testing.assert_allclose(effect, row.effect, rtol=TABLED)
        np.testing.assert_allclose(half, (row.effect_high - row.effect_low) / 2, rtol=TABLED)
        peak(bundle, contrast=contrast, at=(row.x, row.y, row.z))


def beside(rows: dict[str, np.ndarray[Any, Any]]) -> pd.DataFrame:
    """As a bundle has it."""
    return pd.DataFrame(
        [[what, *PEAK, *values] for what, values in rows.items()],
        columns=["what", "x", "y", "z", *OBSERVATIONS],
    )


def with_beside(bundle: Any, **rows: np.ndarray[Any, Any]) -> Any:
    bundle.quality.beside = beside(rows)
    return bundle


def model(**keys: Any) -> dict[str, Any]:
    return {"spec": {"model": keys}}


def values_of(bundle: Any) -> np.ndarray[Any, Any]:
    return np.asarray(bundle.quality.peaks.iloc[0, 3:], dtype=float)


def band(held: Adjusted, row: np.ndarray[Any, Any]) -> list[float]:
    fitted, half = held.interval(row)
    return [float(fitted[0] - half[0]), float(fitted[0] + half[0])]


WEIGHTS = np.random.default_rng(5).gamma(2, 1, len(OBSERVATIONS))


def test_weights_of_variances_are_those_of_weighted_least_squares(make_bundle: Callable[..., Any]) -> None:
    estimator = {"method": "mixed_effects", "tau2": "reml", "adjustment": "knapp_hartung"}
    bundle = with_beside(make_bundle(**model(estimator=estimator)), **{WEIGHT: WEIGHTS})
    fit = sm.WLS(values_of(bundle), bundle.design.to_numpy(), weights=WEIGHTS).fit()
    held = adjusted(bundle, "patients", PEAK)
    row = bundle.design.to_numpy()[12:13]
    np.testing.assert_allclose(held.b, fit.params, rtol=TIGHT)
    np.testing.assert_allclose(band(held, row), fit.get_prediction(row).conf_int()[0], rtol=TIGHT)


def test_known_variances_have_the_normal_distribution(make_bundle: Callable[..., Any]) -> None:
    bundle = with_beside(make_bundle(**model(estimator={"method": "fixed_effects"})), **{WEIGHT: WEIGHTS})
    held = adjusted(bundle, "intercept", PEAK)
    x = bundle.design.to_numpy()
    covariance = np.linalg.inv(x.T @ (WEIGHTS[:, None] * x))
    half = held.interval(np.eye(4)[:1])[1]
    np.testing.assert_allclose(half, 1.959963984540054 * np.sqrt(covariance[0, 0]), rtol=TIGHT)


@pytest.mark.parametrize("kind", ["HC0", "HC1", "HC2", "HC3"])
def test_errors_of_any_variances_are_those_of_a_sandwich(kind: str, make_bundle: Callable[..., Any]) -> None:
    bundle = make_bundle(**model(errors={"type": kind.lower()}))
    fit = OLS(values_of(bundle), bundle.design.to_numpy()).fit(cov_type=kind, use_t=True)
    held = adjusted(bundle, "age", PEAK)
    np.testing.assert_allclose(band(held, np.eye(4)[2:3]), fit.conf_int()[2], rtol=TIGHT)
    assert f"interval: {kind} errors" in texts(peak(bundle, contrast="age", at=PEAK))


def test_clusters_that_are_not_kept_are_said(make_bundle: Callable[..., Any]) -> None:
    errors = {"type": "cluster", "by": "family", "correction": "c0"}
    bundle = make_bundle(**model(errors=errors))
    plain, held = (adjusted(one, "age", PEAK) for one in (make_bundle(), bundle))
    np.testing.assert_array_equal(held.interval(np.eye(4))[1], plain.interval(np.eye(4))[1])
    assert "as if errors were independent" in texts(peak(bundle, contrast="age", at=PEAK))
    families = bundle.variables.assign(family=[f"f{n % 8}" for n in range(len(OBSERVATIONS))])
    known = make_bundle(variables=families, **model(errors=errors))
    groups = pd.factorize(families["family"])[0]
    fit = OLS(values_of(known), known.design.to_numpy()).fit(
        cov_type="cluster", cov_kwds={"groups": groups, "use_correction": False}
    )
    held = adjusted(known, "age", PEAK)
    (part,) = held.fit.parts
    variance = (part.lead[2] ** 2).sum()
    np.testing.assert_allclose(np.sqrt(variance), fit.bse[2], rtol=TIGHT)
    assert "8 clusters of family" in texts(peak(known, contrast="age", at=PEAK))


def sizes(figure: Figure) -> list[tuple[float, float]]:
    """Height of each point that is drawn by itself, and how large."""
    return [
        (float(np.asarray(line.get_ydata())[0]), float(line.get_markersize()))
        for line in figure.axes[0].lines
        if line.get_linestyle() == "None" and line.get_marker() == "o" and len(line.get_xdata()) == 1
    ]


def test_the_area_of_a_point_is_its_weight(make_bundle: Callable[..., Any]) -> None:
    estimator = {"method": "mixed_effects", "adjustment": "none"}
    bundle = with_beside(make_bundle(**model(estimator=estimator)), **{WEIGHT: np.linspace(1, 4, 20)})
    held = adjusted(bundle, "intercept", PEAK)
    figure = peak(bundle, contrast="intercept", at=PEAK)
    drawn = dict(sizes(figure))
    size = np.array([drawn[float(value)] for value in held.values])
    np.testing.assert_allclose(size**2 / size[-1] ** 2, np.linspace(1, 4, 20) / 4)
    assert "area: weight in the fit, the smallest 0.25 of the largest" in texts(figure)
    alike = with_beside(make_bundle(**model(estimator=estimator)), **{WEIGHT: np.full(20, 3.0)})
    assert "area" not in texts(peak(alike, contrast="intercept", at=PEAK))
    for contrast in ("age", "both", "interaction"):
        assert "area" in texts(peak(bundle, contrast=contrast, at=PEAK))


def test_weights_that_are_not_there_are_said(make_bundle: Callable[..., Any]) -> None:
    with pytest.raises(UsageError, match="keeps no weights"):
        peak(make_bundle(**model(estimator={"method": "fixed_effects"})), contrast="age", at=PEAK)


GM = np.random.default_rng(6).uniform(0.2, 0.9, len(OBSERVATIONS))


def with_gm(make_bundle: Callable[..., Any], *, by_group: bool = False) -> Any:
    """A model with a voxelwise covariate, and with its interaction with the group."""
    bundle = make_bundle()
    patient = bundle.design["group[T.patient]"]
    design = bundle.design.drop(columns="group[T.patient]:age").assign(gm=1.0)
    words = bundle.design_words
    gm = {"variable": "gm", "level": None}
    words["regressors"].pop("group[T.patient]:age")
    words["regressors"]["gm"] = {"factors": [gm], "covariates": ["gm"]}
    words["contrasts"]["grey"] = {**words["contrasts"]["age"], "weights": [{"gm": 1.0}]}
    words["voxelwise"] = ["gm"]
    if by_group:
        name = "group[T.patient]:gm"
        design = design.assign(**{name: patient})
        factors = [{"variable": "group", "level": "patient"}, gm]
        words["regressors"][name] = {"factors": factors, "covariates": ["gm"]}
    return with_beside(make_bundle(design=design, design_words=words), gm=GM)


def test_a_covariate_of_images_has_its_values_at_the_peak(make_bundle: Callable[..., Any]) -> None:
    bundle = with_gm(make_bundle)
    x = bundle.design.to_numpy().copy()
    x[:, 3] = GM
    fit = sm.OLS(values_of(bundle), x).fit()
    held = adjusted(bundle, "grey", PEAK)
    np.testing.assert_allclose(held.b, fit.params, rtol=TIGHT)
    assert held.interest == ("gm",)
    assert held.others == ("group", "age")
    figure = peak(bundle, contrast="grey", at=PEAK)
    (line,) = [one for one in figure.axes[0].lines if one.get_marker() == "o"]
    np.testing.assert_array_equal(line.get_xdata(), GM)
    np.testing.assert_allclose(line.get_ydata(), held.values)
    assert figure.axes[0].get_xlabel() == "gm at the peak"
    assert "adjusted for group and gm" in texts(peak(bundle, contrast="age", at=PEAK))


def test_who_has_no_covariate_is_left_out(make_bundle: Callable[..., Any]) -> None:
    bundle = with_gm(make_bundle)
    bundle.quality.beside.iloc[0, 6] = np.nan
    assert "19 observations" in texts(peak(bundle, contrast="grey", at=PEAK))
    bundle.quality.beside = None
    with pytest.raises(UsageError, match="no values of 'gm'"):
        peak(bundle, contrast="grey", at=PEAK)


def test_a_contrast_that_stands_at_0_of_a_covariate_says_so(make_bundle: Callable[..., Any]) -> None:
    """Means do in any model, differences where the covariate's slope differs."""
    apart, crossed = with_gm(make_bundle), with_gm(make_bundle, by_group=True)
    assert adjusted(apart, "intercept", PEAK).at_zero == ("gm",)
    assert adjusted(apart, "patients", PEAK).at_zero == ()
    assert adjusted(apart, "age", PEAK).at_zero == ()
    assert adjusted(apart, "grey", PEAK).at_zero == ()
    assert adjusted(crossed, "patients", PEAK).at_zero == ("gm",)
    assert adjusted(crossed, "age", PEAK).at_zero == ()
    assert "the effect is that at gm = 0" in texts(peak(crossed, contrast="patients", at=PEAK))
    assert "gm = 0" not in texts(peak(apart, contrast="patients", at=PEAK))
