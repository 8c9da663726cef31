"""How a model was estimated: its weights, variance between observations, errors and degrees of freedom."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_args

import pytest

from specgl.reporting.words import estimated
from specgl.reporting.words.facts import Facts
from specgl.reporting.words.writing import write_methods
from specgl.spec import ClusterErrors, HcErrors, MixedEffects, PermutationSettings, RobustEstimator
from specgl.spec.estimation import AnyErrors, AnyEstimator

Make = Callable[..., Facts]

SHUFFLED = {
    "inference": {"maxT": {"method": "permutation", "statistic": "voxel"}},
    "permutation": {"seed": 1},
}


def paragraph(facts: Facts, heading: str) -> str:
    return dict(write_methods(facts).paragraphs)[heading]


def model(estimator: dict[str, str] | None = None, **keys: Any) -> dict[str, Any]:
    return {"formula": "group + age", "estimator": estimator or {"method": "ols"}, **keys}


def words_of(form: Any, key: str) -> set[Any]:
    return set(get_args(form.model_fields[key].annotation))


def test_tables_have_a_row_for_every_word() -> None:
    assert set(estimated.ESTIMATORS) == {
        w for form in get_args(AnyEstimator) for w in words_of(form, "method")
    }
    assert set(estimated.ERRORS) == {w for form in get_args(AnyErrors) for w in words_of(form, "type")}
    assert set(estimated.TAU2) == words_of(MixedEffects, "tau2")
    assert set(estimated.ADJUSTMENTS) == words_of(MixedEffects, "adjustment")
    assert set(estimated.LOSSES) == words_of(RobustEstimator, "loss")
    assert set(estimated.SANDWICHES) == words_of(HcErrors, "type")
    assert set(estimated.CORRECTIONS) == words_of(ClusterErrors, "correction")


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (model(), "by ordinary least squares, with independent errors of one variance."),
        (
            model({"method": "mixed_effects"}),
            "τ² was estimated at each voxel by restricted maximum likelihood (Viechtbauer, 2005; Raudenbush, "
            "2009); standard errors took it as known, and tests were t and F",
        ),
        (
            model({"method": "mixed_effects", "tau2": "dl", "adjustment": "knapp_hartung"}),
            "by the method of DerSimonian and Laird (DerSimonian and Laird, 1986); standard errors were "
            "adjusted for its being estimated (Knapp and Hartung, 2003)",
        ),
        (model({"method": "fixed_effects"}), "results hold for these observations and not for others"),
        (
            model({"method": "robust", "loss": "bisquare"}),
            "by M-estimation. Its loss was Tukey's bisquare (tuned at 4.685) (Beaton and Tukey, 1974)",
        ),
        (
            model(errors={"type": "hc3"}),
            "with independent errors of any variances. Standard errors came from the sandwich estimator HC3, "
            "with squared residuals over the square of 1 minus their leverage (MacKinnon and White, 1985)",
        ),
        (
            model(errors={"type": "cluster", "by": "family name"}),
            "errors that may depend on each other within clusters of “family name”",
        ),
        (
            model({"method": "mixed_effects"}, variance_groups="site"),
            "τ² had a value of its own in each group of site (7 a and 9 b).",
        ),
    ],
)
def test_how_a_model_was_estimated(make_facts: Make, said: dict[str, Any], words: str) -> None:
    assert words in paragraph(make_facts(model=said), "Model")


def test_groups_of_mixed_effects_are_not_told_as_those_of_welch(make_facts: Make) -> None:
    text = paragraph(make_facts(model=model({"method": "mixed_effects"}, variance_groups="site")), "Model")
    assert "Welch" not in text


@pytest.mark.parametrize(
    ("formula", "words"),
    [
        ("group * gm", "The covariate gm had a value of its own at each voxel"),
        ("group + wm + gm", "The covariates gm and wm had values of their own at each voxel"),
        ("group + age", ""),
    ],
)
def test_covariates_that_differ_from_voxel_to_voxel(make_facts: Make, formula: str, words: str) -> None:
    images = "{participant_id}.nii.gz"
    data = {"table": "rows.tsv", "images": images, "voxelwise": {"gm": images, "wm": images}}
    text = paragraph(make_facts(model={"formula": formula}, data=data), "Model")
    assert words in text
    assert ("at each voxel, read from images" in text) == bool(words)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (model(), ""),
        (model(variance_groups="site"), ""),
        (model({"method": "fixed_effects"}), "fixed effects"),
        (model({"method": "mixed_effects"}), "mixed effects, τ² by REML"),
        (
            model({"method": "mixed_effects", "tau2": "dl", "adjustment": "knapp_hartung"}),
            "mixed effects, τ² by DerSimonian–Laird, Knapp–Hartung",
        ),
        (model({"method": "robust"}), "robust, huber"),
        (model(errors={"type": "hc4"}), "least squares, HC4 errors"),
        (model(errors={"type": "cluster", "by": "family"}), "least squares, errors clustered by family"),
    ],
)
def test_an_estimator_in_a_few_words(make_facts: Make, said: dict[str, Any], words: str) -> None:
    assert estimated.fitted_by(make_facts(model=said).section("model")) == words


def test_every_tau2_has_a_short_name() -> None:
    assert set(estimated.TAU2_SHORT) == words_of(MixedEffects, "tau2")


def test_contrasts_say_how_covariates_of_images_are_held(make_facts: Make) -> None:
    images = "{participant_id}.nii.gz"
    data = {"table": "rows.tsv", "images": images, "voxelwise": {"gm": images}}
    gm = {"term": "gm", "factors": [{"variable": "gm", "level": None}], "coding": {}, "covariates": ["gm"]}
    contrasts = {"differs": "group[patient] - group[control]", "mean": "mean", "grey": "gm"}
    facts = make_facts(model={"formula": "group + gm"}, data=data, contrasts=contrasts)
    assert facts.design is not None
    facts.design["voxelwise"] = ["gm"]
    facts.design["regressors"]["gm"] = gm
    text = paragraph(facts, "Contrasts")
    assert "differs, group patient minus group control, adjusted for age and gm (" in text
    assert "averaged over the levels of group, at average age, at gm = 0 (" in text
    assert "grey, the slope of gm, adjusted for group and age (" in text
    assert "covariates at their means (Searle et al., 1980); at each voxel gm stood at 0." in text
    crossed = {**gm, "factors": [{"variable": "group", "level": "patient"}, *gm["factors"]]}
    facts.design["regressors"]["group[T.patient]:gm"] = crossed
    text = paragraph(facts, "Contrasts")
    assert "differs, group patient minus group control, at gm = 0, adjusted for age (" in text
    assert "grey, the slope of gm, averaged over the levels of group, adjusted for age (" in text


def test_what_becomes_of_tau2_under_shuffles(make_facts: Make) -> None:
    mixed = make_facts(model=model({"method": "mixed_effects"}), **SHUFFLED)
    kept = "Under all shuffles each voxel kept the variance between observations, τ², of the model without"
    assert kept in paragraph(mixed, "Permutation")
    assert "of these inferences hold (Knapp and Hartung, 2003)." in (paragraph(mixed, "Permutation"))
    assert "τ²" not in paragraph(make_facts(**SHUFFLED), "Permutation")
    assert PermutationSettings(seed=1).tau2 is None


def test_equivalence_is_told_with_its_margins(make_facts: Make) -> None:
    contrasts = {
        "rises": {"hypothesis": "age", "margin": 0.25},
        "weighs": {"weights": {"age": 1}, "margin": 2},
    }
    words = "with a margin on either side of 0 of 0.25 for rises and 2 for weighs."
    assert words in paragraph(make_facts(contrasts=contrasts), "Contrasts")
    without = make_facts(contrasts=contrasts, output={"maps": ["effect"]})
    assert "Equivalence" not in paragraph(without, "Contrasts")
    assert "Equivalence" not in paragraph(make_facts(), "Contrasts")


def test_bayes_factors_are_told_with_their_prior(make_facts: Make) -> None:
    told = paragraph(make_facts(output={"maps": ["bf10"]}), "Contrasts")
    assert "Cauchy prior of scale 0.707 on the standardised effect (Rouder et al., 2009)" in told


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (model(), True),
        (model(errors={"type": "hc3"}), True),
        (model({"method": "mixed_effects"}), True),
        (model({"method": "mixed_effects"}, variance_groups="site"), True),
        (model({"method": "fixed_effects"}), False),
        (model(errors={"type": "cluster", "by": "site"}), False),
        (model(variance_groups="site"), False),
    ],
)
def test_degrees_of_freedom_without_results_are_the_models(
    make_facts: Make, said: dict[str, Any], told: bool
) -> None:
    text = paragraph(make_facts(model=said, inference=None), "Contrasts")
    assert ("13 degrees of freedom" in text) == told
