"""The evidence cannot shrink unseen: every case and every word of the language must stand here."""

from __future__ import annotations

from permutation_truth.cases import CASES

NAMES = {
    # signs
    "one_sample",
    "one_sample_f",
    "one_sample_greater",
    "one_sample_less",
    "strong_effect",
    "flip_with_nuisance",
    "flip_with_nuisance_dekker",
    "flip_with_nuisance_still_white",
    "flip_with_nuisance_ter_braak",
    # groups
    "two_groups",
    "two_groups_less",
    "two_groups_on_z",
    "ties",
    "deficient_model",
    "f_three_groups",
    "f_three_groups_on_z",
    # blocks
    "paired",
    "whole_blocks",
    "whole_blocks_flip",
    "whole_and_within",
    "permute_and_flip",
    # nuisance
    "covariate",
    "covariate_dekker",
    "covariate_draper_stoneman",
    "covariate_manly",
    "covariate_still_white",
    "covariate_ter_braak",
    "oblique_contrast",
    "f_covariates",
    "f_dekker",
    "f_draper_stoneman",
    "draper_stoneman_loses_rank",
    "huh_jhun",
    "far_from_zero",
    "blocks_in_the_model",
    # variances
    "v",
    "v_flip",
    "v_groups_apart_from_rows",
    "v_covariate",
    "v_dekker",
    "v_draper_stoneman",
    "G",
    # missing values
    "available_two_groups",
    "available_one_sample",
    "available_covariate",
    "available_paired",
    "available_f",
}

LABELLINGS = {
    "one_sample": 256,
    "two_groups": 70,
    "paired": 64,
    "whole_blocks": 20,
}
"""What the literature's examples have (Winkler 2014; Winkler 2015)."""


def test_no_case_is_lost():
    assert CASES.keys() == NAMES


def test_the_examples_keep_their_labellings():
    assert {name: CASES[name].n_shuffles for name in LABELLINGS} == LABELLINGS


def test_every_choice_is_among_the_cases():
    every = CASES.values()
    assert {case.exchange for case in every} == {"permute", "flip", "both"}
    assert {case.kind for case in every} == {"t", "F"}
    assert {case.alternative for case in every} == {"two-sided", "greater", "less"}
    assert {case.scale for case in every} == {"t", "z"}
    assert {how for case in every for _, how, _ in case.levels} == {"within", "whole", "both"}


def test_every_nuisance_method_of_the_language_is_among_the_cases():
    from specgl.spec.permutation import PermutationSettings

    assert {case.nuisance for case in CASES.values()} == {
        *words(PermutationSettings.model_json_schema()["properties"]["nuisance"])
    }


def words(schema):
    """The choices that a JSON schema gives, wherever it writes them."""
    found = list(schema.get("enum", []))
    for key in ("anyOf", "oneOf", "allOf"):
        for part in schema.get(key, []):
            found += words(part)
    return found
