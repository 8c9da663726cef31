"""The page on choosing a scheme: its specs are read, its counts and its tree are what the package says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from specgl.kernels.shuffles import Level, build_tree
from specgl.spec import examine_text

BASE = {
    "specgl": 1,
    "name": "page",
    "data": {"table": "participants.tsv", "images": "{participant_id}.nii.gz"},
    "variables": {"group": {"type": "categorical", "levels": ["control", "patient"]}},
    "model": {"formula": "group"},
    "contrasts": {"patientGtControl": "group[patient] - group[control]"},
    "inference": {"maxT": {"method": "permutation", "statistic": "voxel"}},
}


@pytest.fixture(scope="module")
def page(root: Path) -> Path:
    return root / "docs" / "how-to" / "choose-a-scheme.md"


def test_specs_of_the_page_are_read(page: Path, blocks: Any) -> None:
    texts = [block.text for block in blocks(page) if block.language == "yaml"]
    assert len(texts) == 9
    for text in texts:
        found = examine_text(yaml.safe_dump({**BASE, **yaml.safe_load(text)})).findings
        assert [finding.message for finding in found] == [], text


def test_tree_of_the_twin_study_is_the_one_drawn(page: Path, blocks: Any) -> None:
    kinds = ["identical"] * 20 + ["fraternal"] * 18 + ["trio"] * 15 + ["single"] * 3
    sizes = [2] * 19 + [3] * 5 + [1] * 3
    families = [f"f{number:02d}" for number, size in enumerate(sizes, start=1) for _ in range(size)]
    roles = ["twin"] * 38 + ["twin", "twin", "sibling"] * 5 + ["twin"] * 3
    own = [f"{family}_{role}" for family, role in zip(families, roles, strict=True)]
    names, codes = zip(
        *(np.unique(column, return_inverse=True) for column in (kinds, families, own)), strict=True
    )
    levels = [Level(code, move) for code, move in zip(codes, ("within", "whole", "within"), strict=True)]
    ids = [f"sub-{row:02d}" for row in range(1, 57)]
    (drawn,) = [block.text for block in blocks(page) if block.language == "text"]
    lines = build_tree(56, levels).lines(ids, ["kind", "family", "family_role"], names)
    assert drawn.splitlines() == list(lines)
