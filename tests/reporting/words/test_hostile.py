"""Hostile words stay words."""

from __future__ import annotations

import re
from collections.abc import Callable

from specgl.reporting.words.asking import ask
from specgl.reporting.words.facts import Facts
from specgl.reporting.words.writing import write_methods

Make = Callable[..., Facts]

PERMUTED = {"inference": {"maxT": {"method": "permutation", "statistic": "voxel"}}}
HOSTILE = "<script>alert(1)</script> $x$ {{ 7 }} *b* _i_ `q` [l](u) \"'\\ # | & \u202e \n- end"


def hostile_facts(make: Make) -> Facts:
    facts = make(
        data={"table": "t.tsv", "images": {"column": "m"}, "include": {HOSTILE: [HOSTILE]}},
        variables={
            "group": {"type": "categorical", "levels": ["a", HOSTILE]},
            "age": {"type": "continuous", "unit": HOSTILE},
        },
        mask=f"masks/{HOSTILE}.nii.gz",
        contrasts={"a": {"weights": {HOSTILE: 1.0}}, "b": "age", "c": {"term": HOSTILE}, "d": "group[a]"},
        **PERMUTED,
        permutation={"seed": 1, "blocks": {"by": HOSTILE, "shuffle": "whole", "order": HOSTILE}},
        reasons=[f"`{HOSTILE}` is 'x', which `include` does not name", HOSTILE],
        model={"formula": "group + age", "block": HOSTILE, "variance_groups": HOSTILE},
        output={"atlas": {"image": f"{HOSTILE}.nii.gz"}},
    )
    facts.manifest["space"]["label"] = HOSTILE
    return facts


def test_hostile_words_are_text_in_one_line(make_facts: Make) -> None:
    facts = hostile_facts(make_facts)
    asked, made = ask(facts), write_methods(facts)
    texts = [
        asked.lead,
        *(s for _, s in (*asked.contrasts, *asked.inferences)),
        *(t for _, t in made.paragraphs),
    ]
    assert sum("<script>" in text for text in texts) >= 6
    for text in texts:
        assert "\n" not in text
        assert "\u202e" not in text


def test_markdown_finds_no_marks_in_hostile_words(make_facts: Make) -> None:
    lines = write_methods(hostile_facts(make_facts)).markdown().splitlines()
    assert lines[0] == "# Methods"
    for line in lines:
        bare = re.sub(r"\\.", "", line)
        assert not re.search(r"[`*_{}\[\]<>|~$&]", bare)
        assert re.match(r"(#{1,2} [A-Z]|- [A-Zt]|[A-Z0-9]|$)", bare), line
        assert not re.match(r"\d+[.)] ", bare)
