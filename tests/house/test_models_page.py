"""The page on choosing a model: its specs are read, and it leaves out no estimator, no errors and no map."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import pytest
import yaml

from specgl.spec import examine_text
from specgl.spec.estimation import AnyErrors, AnyEstimator, MixedEffects, RobustEstimator
from specgl.spec.output import DEFAULT, MapName

VARIABLES = {
    "group": {"type": "categorical", "levels": ["control", "patient"]},
    "software": {"type": "categorical", "levels": ["FSL", "SPM"]},
    "age": {"type": "continuous"},
}
DATA = {"table": "participants.tsv", "images": "{participant_id}.nii.gz"}


@pytest.fixture(scope="module")
def page(root: Path) -> Path:
    return root / "docs" / "explanation" / "models.md"


def test_specs_of_the_page_are_read(page: Path, blocks: Any) -> None:
    texts = [block.text for block in blocks(page) if block.language == "yaml"]
    assert len(texts) == 6
    for text in texts:
        asked = yaml.safe_load(text)
        model = asked.get("model", {"formula": "group"})
        spec = {
            "specgl": 1,
            "name": "page",
            "contrasts": {"average": "mean"},
            "output": {"directory": "results"},
            **asked,
            "data": {**DATA, **asked.get("data", {})},
            "model": model,
            "variables": {name: of for name, of in VARIABLES.items() if name in model["formula"]},
        }
        found = examine_text(yaml.safe_dump(spec)).findings
        assert [finding.message for finding in found] == [], text


def test_every_word_of_the_language_is_explained(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    words = {
        word for part in get_args(AnyEstimator) for word in get_args(part.model_fields["method"].annotation)
    }
    words |= {word for part in get_args(AnyErrors) for word in get_args(part.model_fields["type"].annotation)}
    words |= set(get_args(MixedEffects.model_fields["tau2"].annotation))
    words |= set(get_args(RobustEstimator.model_fields["loss"].annotation))
    words -= {"homoscedastic", "hc1", "hc2", "hc3"}  # told as one variance, and between hc0 and hc4
    words |= {"variance_groups", "block", "available", "data.voxelwise"}
    assert [word for word in sorted(words) if f"`{word}" not in text and f" {word}}}" not in text] == []


def test_every_map_is_in_the_table(page: Path) -> None:
    table = page.read_text(encoding="utf-8").partition("| Map |")[2].partition("\n\n")[0]
    names = [name for row in table.splitlines()[2:] for name in row.split(" | ")[0].strip("| ").split(", ")]
    assert {name.strip("`") for name in names[: len(DEFAULT)]} == set(DEFAULT)
    assert {name.strip("`") for name in names} == set(get_args(MapName))
