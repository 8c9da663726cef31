"""Small words."""

from __future__ import annotations

import math

import pytest

from specgl.reporting.words import language


@pytest.mark.parametrize(
    ("p", "told"),
    [
        (0.05, ".05"),
        (0.001, ".001"),
        (0.0005, ".0005"),
        (0.00025, ".00025"),
        (0.1, ".1"),
        (0.5, ".5"),
        (1e-6, ".000001"),
    ],
)
def test_levels(p: float, told: str) -> None:
    assert language.p_text(p) == told
    assert float(language.p_text(p)) == p


def test_a_level_without_a_short_form() -> None:
    assert language.p_text(1 / 60) == ".0167"


@pytest.mark.parametrize(
    ("value", "digits", "told"),
    [
        (16.02, 3, "16"),
        (3.6739, 3, "3.67"),
        (560.085, 4, "560.1"),
        (59034.0, 4, "59,034"),
        (-0.371, 3, "−0.371"),
        (1e-5, 3, "1 × 10⁻⁵"),
        (-2.5e15, 3, "−2.5 × 10¹⁵"),
        (0.0, 3, "0"),
        (math.nan, 3, "unknown"),
    ],
)
def test_numbers(value: float, digits: int, told: str) -> None:
    assert language.number(value, digits) == told


@pytest.mark.parametrize(
    ("n", "told"),
    [(70, "70"), (3_538_944, "3,538,944"), (1_073_741_824, "about 10⁹"), (2.65e32, "about 10³²")],
)
def test_arrangements(n: float, told: str) -> None:
    assert language.arrangements(n) == told


@pytest.mark.parametrize(
    "plain", ["group", "sub-01", "T1w", "1", "words_per_minute", "größe", "a.nii.gz", "1.2.3"]
)
def test_plain_names_stand_as_they_are(plain: str) -> None:
    assert language.name(plain) == plain


@pytest.mark.parametrize("odd", ["very ill", "a/b", "-x", "", "x;", "a=b", "“"])
def test_other_names_stand_within_quotes(odd: str) -> None:
    assert language.name(odd) == f"“{odd}”"


def test_units_may_be_of_several_words() -> None:
    assert language.unit("words per minute") == "words per minute"
    assert language.unit("mm²/s") == "mm²/s"
    assert language.unit("%") == "%"
    assert language.unit("<b>") == "“<b>”"


@pytest.mark.parametrize(
    ("words", "told"), [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")]
)
def test_lists(words: list[str], told: str) -> None:
    assert language.listed(words) == told


def test_long_lists_are_cut() -> None:
    assert language.some("abcdefgh", "or") == "a, b, c, d, e, f or 2 more"


def test_counts_and_shares() -> None:
    assert language.counted(1, "voxel") == "1 voxel"
    assert language.counted(59034, "voxel") == "59,034 voxels"
    assert language.share(0.05) == "5%"
    assert language.share(1 - 0.05) == "95%"
    assert language.spelt(3) == "three"
    assert language.spelt(12) == "12"
