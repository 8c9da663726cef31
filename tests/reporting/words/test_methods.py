"""Methods: what was done, all of it and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from specgl.reporting.words.asking import ask
from specgl.reporting.words.facts import Facts
from specgl.reporting.words.writing import Methods, write_methods

Make = Callable[..., Facts]

PERMUTED = {"inference": {"maxT": {"method": "permutation", "statistic": "voxel"}}}


def paragraph(facts: Facts, heading: str) -> str:
    return dict(write_methods(facts).paragraphs)[heading]


# Observations and data


def test_who_was_left_out_is_counted_by_reason_and_not_named(make_facts: Make) -> None:
    facts = make_facts(
        data={
            "table": "participants.tsv",
            "images": "{participant_id}.nii.gz",
            "include": {"group": ["control", "patient"]},
            "exclude": {"participant_id": ["sub-07", "sub-08"], "site": ["B"]},
        },
        reasons=[
            "`participant_id` is 'sub-07', which `exclude` names",
            "`participant_id` is 'sub-08', which `exclude` names",
            "`group` is 'relative', which `include` does not name",
            "`group` is n/a, which `include` does not name",
            "`site` is 'B', which `exclude` names",
            "`age`, `sex` are missing",
            "no image: derivatives/sub-09.nii.gz",
        ],
    )
    told = paragraph(facts, "Observations")
    assert told.startswith(
        "Of the 23 observations in the table (one for each participant_id), 16 were analysed; 7 were left "
        "out: "
        "2 excluded by participant_id, 2 whose group was not control or patient, 1 excluded by site (B), "
        "1 without a value of age and sex and 1 without an image."
    )
    assert "sub-0" not in told


def test_one_reason_for_all_is_told_once(make_facts: Make) -> None:
    told = paragraph(make_facts(reasons=["`age` is missing"] * 2), "Observations")
    assert "16 were analysed; 2 were left out (without a value of age)." in told


def test_an_unknown_reason_is_told_as_it_stands(make_facts: Make) -> None:
    told = paragraph(make_facts(reasons=["the scanner\nwas away"]), "Observations")
    assert "1 was left out (for another reason (the scanner was away))." in told


def test_covariates_are_described_by_their_values(make_facts: Make) -> None:
    ages = [20.0, 30.0, 40.0, float("nan")]
    told = paragraph(make_facts(values={"age": ages}), "Observations")
    assert "Values of age (year): mean 30, standard deviation 10, range 20 to 40." in told
    assert "Values of" not in paragraph(make_facts(), "Observations")


@pytest.mark.parametrize(
    ("mask", "words"),
    [
        ({"image": "a/b.nii.gz", "threshold": 0.2}, "a mask (b.nii.gz, where it is above 0.2)"),
        ({"absolute_threshold": -0.5}, "voxels where every image was above −0.5"),
        ("b.nii.gz", "a mask (b.nii.gz)"),
        (None, "1,200 of 1,300 voxels with any value"),
    ],
)
def test_the_mask(make_facts: Make, mask: Any, words: str) -> None:
    assert words in paragraph(make_facts(mask=mask), "Data")


def test_partial_data(make_facts: Make) -> None:
    data = {"table": "t.tsv", "images": {"column": "map"}, "missing": {"voxel": {"available": 0.8}}}
    facts = make_facts(data=data, n_min=13)
    assert "where at least 80% of the observations (13 of 16) had a value" in paragraph(facts, "Data")
    assert "the observations that have a value there (13 to 16)" in paragraph(facts, "Model")
    assert "12.5 to 13 degrees of freedom" in paragraph(facts, "Contrasts")


def test_what_an_effect_must_have_beside_it(make_facts: Make) -> None:
    facts = make_facts()
    facts.manifest["counts"].update(without_variance=0, without_covariate=3)
    words = "every observation had a value with a usable variance and a value of each covariate"
    assert words in paragraph(facts, "Data")


def test_what_was_done_to_images(make_facts: Make) -> None:
    data = {
        "table": "t.tsv",
        "id": ["participant_id", "session"],
        "images": {"column": "map"},
        "masks": {"column": "own"},
        "smoothing_fwhm": 6,
        "resample": {"to": "grids/2mm.nii.gz"},
    }
    facts = make_facts(data=data)
    told = paragraph(facts, "Data")
    assert "Gaussian kernel of 6 mm full width at half maximum" in told
    assert "brought onto the grid of “grids/2mm.nii.gz” by linear interpolation" in told
    assert "restricted to its own mask" in told
    assert "one for each combination of participant_id and session" in paragraph(facts, "Observations")


def test_voxels_are_measured_along_their_own_axes(make_facts: Make) -> None:
    facts = make_facts()
    angle = np.deg2rad(30)
    turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    affine = np.eye(4)
    affine[:3, :3] = turn @ np.array([[0, -2, 0], [3, 0, 0], [0, 0, 4.5]])
    facts.manifest["space"].update(affine=affine.tolist(), label="MNI152NLin6Asym")
    told = paragraph(facts, "Data")
    assert "in the space MNI152NLin6Asym, on a grid of 10 × 11 × 12 voxels of 3 × 2 × 4.5 mm" in told


# Model


def test_variance_groups(make_facts: Make) -> None:
    facts = make_facts(
        model={"formula": "group + age", "variance_groups": "site"},
        contrasts={"a": "age", "b": {"hypothesis": ["age", "group[patient] - group[control]"]}},
    )
    told = paragraph(facts, "Model")
    assert "a variance of their own in each group of site (7 a and 9 b)" in told
    assert "by v (for two groups Welch's t) and G (in the place of F) (Welch, 1947; " in told
    assert "one variance" not in told
    blocks = make_facts(
        model={"formula": "group + age", "variance_groups": {"from": "blocks"}},
        **PERMUTED,
        permutation={"seed": 1, "blocks": {"by": "family"}},
    )
    assert "2 groups that follow from the exchangeability blocks" in paragraph(blocks, "Model")


def test_how_variables_entered(make_facts: Make) -> None:
    told = paragraph(make_facts(), "Model")
    assert "(levels control and patient) had treatment coding, with control as the reference level" in told
    assert "centred at its mean, 43.06 year." in told
    assert "a block" not in told


# Inference


def test_no_word_on_permutation_where_there_was_none(make_facts: Make) -> None:
    told = write_methods(make_facts()).markdown().lower()
    for word in ("permut", "shuffle", "random", "tfce", "simulat", "resel", "numba", "seed", "conjunction"):
        assert word not in told


def test_a_family_is_told_only_where_there_are_several_contrasts(make_facts: Make) -> None:
    one = make_facts(contrasts={"rises": "age"})
    assert "over the 1,200 voxels was controlled at .05" in paragraph(one, "Inference: plain")
    assert dict(ask(one).inferences)["plain"] == (
        "Of the voxels reported, on average at most 5% are false, by the Benjamini–Hochberg procedure."
    )
    several = make_facts()
    assert "1,200 voxels of each contrast by itself was" in paragraph(several, "Inference: plain")
    together = {"plain": {"method": "parametric", "correction": "holm", "across": "contrasts"}}
    told = paragraph(make_facts(inference=together), "Inference: plain")
    assert "of all contrasts taken together as one family was" in told


@pytest.mark.parametrize(
    ("alternatives", "sides"),
    [
        (("two-sided", "two-sided"), "p ≤ .001 (.0005 on either side), that is |t| ≥ 3.85;"),
        (("greater", "greater"), "p ≤ .001 (one-sided), that is t ≥ 3.85;"),
        (("less", "less"), "p ≤ .001 (one-sided), that is t ≤ −3.85;"),
        (
            ("two-sided", "less"),
            "p ≤ .001 (.0005 on either side for two-sided contrasts), that is |t| ≥ 3.85 for a and t ≤ −3.85 "
            "for b;",
        ),
    ],
)
def test_a_cluster_forming_p_has_its_sides(
    make_facts: Make, alternatives: tuple[str, str], sides: str
) -> None:
    contrasts = {n: {"hypothesis": "age", "alternative": a} for n, a in zip("ab", alternatives, strict=True)}
    inference = {"rft": {"method": "random_field", "statistic": "cluster_extent"}}
    assert sides in paragraph(make_facts(contrasts=contrasts, inference=inference), "Inference: rft")


def test_an_f_has_no_sides(make_facts: Make) -> None:
    facts = make_facts(
        contrasts={"a": {"hypothesis": ["age"]}},
        inference={"rft": {"method": "random_field", "statistic": "cluster_extent"}},
    )
    assert "at a threshold of p ≤ .001, that is F ≥ 3.85;" in paragraph(facts, "Inference: rft")


def test_smoothness_with_a_flat_axis(make_facts: Make) -> None:
    facts = make_facts(inference={"rft": {"method": "random_field", "statistic": "voxel"}})
    told = paragraph(facts, "Inference: rft")
    assert "FWHM 9.0 × – × 8.0 mm (3.0 × – × 2.7 voxels), 150.5 resels in the mask." in told
    facts.manifest["results"][1]["field"] = {
        **facts.manifest["results"][1]["field"],
        "resels": [1.0, 2.0, 0.0, 0.0],
    }
    told = paragraph(facts, "Inference: rft")
    assert "150.5 resels in the mask for differs; " in told
    assert "2 resels in the mask for rises." in told


def test_z_is_told_where_degrees_of_freedom_differ(make_facts: Make) -> None:
    peaks = {"peaks": {"method": "random_field", "statistic": "voxel"}}
    assert "Gaussian fields" not in paragraph(make_facts(inference=peaks), "Inference: peaks")
    assert "Gaussian fields" in paragraph(make_facts(inference=peaks, n_min=12), "Inference: peaks")
    shuffled = {**PERMUTED, "permutation": {"seed": 1}}
    assert "normal deviates" not in paragraph(make_facts(**shuffled), "Inference: maxT")
    assert "normal deviates" in paragraph(make_facts(**shuffled, n_min=12), "Inference: maxT")


def test_exhaustive_and_random_shuffles(make_facts: Make) -> None:
    every = make_facts(**PERMUTED, permutation={"seed": 20, "n": "all"})
    told = paragraph(every, "Permutation")
    assert "all 12,870 distinct arrangements were used, each once" in told
    assert "seed" not in told
    assert "none is below 1/12,870" in told
    assert "each of all 12,870 distinct shuffles of the data" in dict(ask(every).inferences)["maxT"]
    some = paragraph(make_facts(**PERMUTED, permutation={"seed": 20, "n": 5000}), "Permutation")
    assert (
        "5,000 arrangements were used, the observed one among them, drawn without repetition from about"
        in some
    )
    assert "10³²" in some
    assert "with seed 20." in some


def test_contrasts_that_are_shuffled_in_different_ways(make_facts: Make) -> None:
    common = {"n": 500, "possible": 512, "exhaustive": False, "seed": 3, "nuisance": "freedman_lane"}
    schemes = [
        {"exchange": "flip", "contrasts": ["differs"], **common},
        {"exchange": "permute", "contrasts": ["rises"], **common},
    ]
    told = paragraph(make_facts(**PERMUTED, permutation={"seed": 3}, schemes=schemes), "Permutation")
    assert "For differs, observations changed signs" in told
    assert "For rises, observations changed places" in told
    assert told.count("(Freedman and Lane, 1983)") == 1


def test_no_nuisance_where_a_contrast_tests_the_whole_model(make_facts: Make) -> None:
    facts = make_facts(
        **PERMUTED,
        permutation={"seed": 3},
        rank=1,
        contrasts={"mean": "mean"},
        model={"formula": "1"},
        variables=None,
    )
    told = paragraph(facts, "Permutation")
    assert "nuisance" not in told
    assert "Freedman" not in told


@pytest.mark.parametrize(
    ("exchange", "blocks", "words"),
    [
        (
            "permute",
            [{"by": "kind"}, {"by": "family", "shuffle": "both", "order": "visit"}],
            "(Winkler et al., 2015): blocks of kind stayed in place; blocks of family that are built alike "
            "changed "
            "places as wholes, their members matched by visit, and observations within each.",
        ),
        (
            "flip",
            [{"by": "family", "shuffle": "whole"}],
            "all observations of a block of family changed sign",
        ),
        ("permute", [{"by": "pair"}], "observations changed places only within the blocks of pair."),
    ],
)
def test_blocks(make_facts: Make, exchange: str, blocks: list[dict[str, str]], words: str) -> None:
    settings = {"seed": 3, "exchange": exchange, "blocks": blocks}
    assert words in paragraph(make_facts(**PERMUTED, permutation=settings), "Permutation")


def test_blocks_that_do_not_restrict_flips_are_not_told(make_facts: Make) -> None:
    settings = {"seed": 3, "exchange": "flip", "blocks": {"by": "pair"}}
    assert "Winkler et al., 2015" not in paragraph(
        make_facts(**PERMUTED, permutation=settings), "Permutation"
    )


@pytest.mark.parametrize(
    ("sets", "words"),
    [
        ({"cluster_forming_z": [2.5, 3.1]}, "formed at |z| ≥ 2.5 and 3.1 "),
        ({"regions": "atlases/aal.nii.gz"}, "for each region of aal.nii.gz "),
        (
            {"largest": {"tdp": 0.7}},
            "at all heights, of which the largest with a TDP of at least 70% were kept ",
        ),
    ],
)
def test_sets_of_true_discoveries(make_facts: Make, sets: dict[str, Any], words: str) -> None:
    facts = make_facts(inference={"tdp": {"method": "all_resolutions", **sets}})
    assert words in paragraph(facts, "Inference: tdp")
    assert "with 95% confidence" in paragraph(facts, "Inference: tdp")


def test_conjunctions_are_told_with_their_null(make_facts: Make) -> None:
    contrasts = {"a": "group[patient]", "b": "age", "both": {"conjunction": ["a", "b"]}}
    facts = make_facts(contrasts=contrasts, **PERMUTED, permutation={"seed": 1})
    assert "(Nichols et al., 2005)" in paragraph(facts, "Contrasts")
    assert "distribution of each member" in paragraph(facts, "Inference: maxT")
    assert "For a and b, observations" in paragraph(facts, "Permutation")


def test_without_inference(make_facts: Make) -> None:
    told = dict(write_methods(make_facts(inference=None)).paragraphs)
    assert told["Inference"] == "No inference was made: the maps are not thresholded."
    assert "Tables" not in told


def test_ready_made_maps_have_no_model(make_facts: Make) -> None:
    without = dict.fromkeys(("data", "variables", "model", "contrasts"))
    told = write_methods(make_facts(maps={"motor": {"image": "m.nii", "statistic": "z"}}, **without))
    assert [heading for heading, _ in told.paragraphs][:2] == ["Data", "Maps"]
    assert "formulaic" not in told.markdown()
    assert "Friston" not in told.markdown()


@pytest.mark.parametrize("status", ["failed", "interrupted"])
def test_a_run_that_stopped_has_no_methods(make_facts: Make, status: str) -> None:
    facts = make_facts(status=status)
    assert write_methods(facts) == Methods()
    assert ask(facts).lead == (
        "One linear model at each voxel was asked for, image ~ group + age; the run ended in the stage load, "
        "and "
        "there are no results."
    )
    nothing = Facts(manifest={"status": status, "stage": "read"})
    assert ask(nothing).lead.startswith("What was asked is not known")
