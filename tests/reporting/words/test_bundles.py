"""Words on analyses that were run: every example, and what only data can show."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest

import specgl
from specgl.bundle import Bundle
from specgl.reporting.words import methods, question

EXAMPLES = sorted(
    path.stem
    for path in (Path(__file__).parents[3] / "examples" / "specs").glob("*.yaml")
    if path.stem != "design_only"
)
"""Every example that can be run."""

QUESTIONS = {
    ("one_sample", "groupMean"): "Is the mean different from 0?",
    (
        "two_sample",
        "patientGtControl",
    ): "Are values higher or lower for group patient than for group control?",
    ("two_sample", "bothGroups"): "Is the mean different from 0, averaged over the levels of group?",
    (
        "paired",
        "verticalGtHorizontal",
    ): "Are values higher or lower for condition vertical than for condition "
    "horizontal, within the blocks of participant_id?",
    ("association", "risesWithFluency"): "Do values rise with fluency?",
    ("association", "averageReader"): "Is the mean different from 0, at average fluency?",
    ("vbm_age_sex", "shrinksWithAge"): "Do values fall with age, adjusted for sex?",
    (
        "vbm_age_sex",
        "ageOrSex",
    ): "Is at least one of these different from 0: the slope of age; sex M minus sex F?",
    (
        "permutation_tfce",
        "patientGtControl",
    ): "Are values higher or lower for group patient than for group control, adjusted for age?",
    ("conjunction", "both"): "Are the effects of patients and controls both positive at the same place?",
    ("thresholding", "motor"): "Where is this ready-made map of z different from 0, in either direction?",
}


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_has_its_words(example: str, example_bundle: Callable[[str], Bundle]) -> None:
    bundle = example_bundle(example)
    asked, done = question(bundle), methods(bundle)
    names = [c["name"] for c in bundle.manifest["contrasts"]]
    assert [name for name, _ in asked.contrasts] == names
    assert [name for name, _ in asked.inferences] == list((bundle.spec or {})["inference"])
    for _, sentence in asked.contrasts:
        assert re.fullmatch(r"[A-Z][^?]*\?", sentence)
        assert "“" not in sentence  # each is of a form that has words of its own
    for _, text in done.paragraphs:
        assert re.fullmatch(r"[A-Z0-9].*\.", text)
        assert not re.search(r"\s\s|\(\)|None|nan|\[\]|\{|\.\.|,,|;;| ,| \.(?!\d)", text), text
    expected = {name: words for (of, name), words in QUESTIONS.items() if of == example}
    assert expected.items() <= dict(asked.contrasts).items()


def test_the_order_is_that_of_the_checklist(example_bundle: Callable[[str], Bundle]) -> None:
    headings = [heading for heading, _ in methods(example_bundle("permutation_tfce")).paragraphs]
    assert headings == [
        "Observations",
        "Data",
        "Model",
        "Contrasts",
        "Inference: tfce",
        "Inference: maxT",
        "Inference: clusters",
        "Permutation",
        "Tables",
        "Software",
        "Data and code availability",
    ]


def test_numbers_are_those_of_the_run(example_bundle: Callable[[str], Bundle]) -> None:
    bundle = example_bundle("paired_permutation")
    text = dict(methods(bundle).paragraphs)
    assert "all 4,096 distinct arrangements were used, each once" in text["Permutation"]
    assert "rank 13 with the blocks and 11 residual degrees of freedom" in text["Model"]
    assert str(bundle.manifest["spec_digest"]) in text["Data and code availability"]


def test_values_of_covariates_are_told(example_bundle: Callable[[str], Bundle]) -> None:
    text = dict(methods(example_bundle("vbm_age_sex")).paragraphs)["Observations"]
    assert "Levels of sex: 6 F and 6 M." in text
    assert "Values of age (year): mean 47.5, standard deviation 18, range 20 to 75." in text


def test_welch_with_missing_values(tmp_path: Path, study: Any) -> None:
    written = study.write(
        """\
specgl: 1
name: welch
data:
  table: participants.tsv
  images: "maps/{participant_id}.nii.gz"
  missing: {voxel: {available: 0.5}}
variables:
  group: {type: categorical, levels: [control, patient]}
  sex: {type: categorical, levels: [F, M], coding: sum}
model: {formula: group * sex, variance_groups: group}
contrasts:
  differs: "(group[patient]:sex[M] - group[control]:sex[M]) - (group[patient]:sex[F] - group[control]:sex[F])"
  interaction: {term: "group:sex"}
inference:
  maxT: {method: permutation, statistic: voxel}
permutation: {n: 40, seed: 1}
"""
    )
    bundle = specgl.run(specgl.read(written), tmp_path / "out", threads=1, report=False)
    asked, text = dict(question(bundle).contrasts), dict(methods(bundle).paragraphs)
    assert asked["differs"] == (
        "Is the difference group patient minus group control larger or smaller for sex M than for sex F?"
    )
    assert asked["interaction"] == (
        "Does the regressor of the term “group:sex” explain anything beyond the rest of the model: "
        "do the differences between the levels of group depend on sex?"
    )
    assert "in each group of group (5 control and 5 patient)" in text["Model"]
    assert "two-sided v test" in text["Contrasts"]
    assert "G test" in text["Contrasts"]
    assert "compared as the normal deviates (z)" in text["Inference: maxT"]


def test_a_run_that_failed(tmp_path: Path, study: Any) -> None:
    nothing = np.full_like(study.data[0], np.nan)
    nib.save(nib.Nifti1Image(nothing, np.diag([3.0, 3.0, 3.0, 1.0])), study.image(3))
    with pytest.raises(specgl.SpecglError):
        specgl.run(specgl.read(study.spec), tmp_path / "out", threads=1, report=False)
    (manifest,) = tmp_path.rglob("manifest.json")
    bundle = specgl.open(manifest.parent)
    assert question(bundle).lead.startswith(
        "One linear model at each voxel was asked for, image ~ group + age; "
    )
    assert methods(bundle).paragraphs == ()
