"""A key in the wrong form of an inference: the words that are told are true, whichever form and key."""

from __future__ import annotations

import json
import re
from itertools import product
from typing import Any, get_args

import pytest

from specgl.spec import AnyInference, examine_text
from specgl.spec.base import keys
from specgl.spec.forms import hallmark, home, kin, near, telling

FORMS = get_args(AnyInference)
BY_NAME = {form.__name__: form for form in FORMS}
BASE: dict[str, Any] = {
    "specgl": 1,
    "name": "base",
    "data": {"table": "rows.tsv", "images": "{id}.nii"},
    "variables": {"group": {"type": "categorical", "levels": ["a", "b"]}},
    "model": {"formula": "group"},
    "contrasts": {"diff": "group[b] - group[a]"},
    "permutation": {"seed": 1},
}
ALIEN = [
    (form, key)
    for form, key in product(FORMS, sorted({key for form in FORMS for key in keys(form)}))
    if key not in keys(form)
]


def least(form: type) -> dict[str, Any]:
    """The shortest mapping of a form."""
    said: dict[str, Any] = {key: words[0] for key, words in telling(form).items()}
    return {**said, "seed": 1} if "seed" in keys(form) else said


def has(form: type, mark: str) -> bool:
    """Whether a form has the words of a mark such as ``method: simulated, statistic: cluster_mass``."""
    own = telling(form)
    said = [part.partition(": ") for part in mark.split(", ")]
    return all(set(own.get(name, ())) >= set(words.split(" or ")) for name, _, words in said)


@pytest.mark.parametrize(("form", "key"), ALIEN, ids=lambda value: getattr(value, "__name__", value))
def test_a_key_of_another_form_is_sent_home(form, key):
    text = json.dumps({**BASE, "inference": {"a": {**least(form), key: 1}}})
    told = [f for f in examine_text(text, is_json=True).findings if f.where == ("inference", "a", key)]
    (finding,) = told
    assert finding.code == "E014"
    mark = re.search(r"go together with `([^`]+)`", finding.message)
    assert mark is not None
    # What it does not go together with is said, or holds by default, and the key's own forms lack it.
    owners = [other for other in FORMS if key in keys(other)]
    word = mark[1].split(": ")[0].split(", ")[0]
    assert word in keys(form)
    help_, _, _ = (finding.help or "").partition("; known keys")
    homes = re.findall(r"`([^`]+)`", help_)
    assert homes
    for place in homes:
        assert any(has(owner, place) for owner in owners)
    # Nobody is sent to a form that does not have the key either.
    family = FORMS if not near(form, owners) else near(form, FORMS)
    assert all(key in keys(other) for place in homes for other in family if has(other, place))


def test_marks_are_of_one_form_alone():
    for form in FORMS:
        others = [other for other in FORMS if other is not form]
        mark = hallmark(form, others)
        assert not any(has(other, mark) for other in others)


def test_forms_of_one_method_are_near():
    extent = BY_NAME["ExtentField"]
    assert {form.__name__ for form in near(extent, FORMS)} == {"VoxelField", "ExtentField"}
    voxel = BY_NAME["VoxelPermutation"]
    assert [form.__name__ for form in kin(voxel, [form for form in FORMS if form is not voxel])] == [
        "TdpPermutation"
    ]


def test_a_home_is_said_in_as_few_words_as_there_are():
    def of(key: str) -> list[str]:
        return home([form for form in FORMS if key in keys(form)], FORMS)

    assert of("min_cluster_size") == ["method: parametric"]
    assert of("tfce") == ["statistic: tfce"]
    assert of("mass") == ["statistic: cluster_mass"]
    assert of("extent") == ["method: random_field, statistic: cluster_extent"]
    assert of("smoothness") == ["method: random_field", "method: simulated"]
    assert sorted(of("regions")) == ["correction: tdp", "method: all_resolutions"]
