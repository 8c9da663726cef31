"""Every example spec is validated, planned and run on data of its kind."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

import specgl
from specgl.errors import SpecglError
from specgl.spec import examine

# Example: which contrast has a true effect in the generated data.
FOUND = {
    "one_sample": "groupMean",
    "two_sample": "patientGtControl",
    "paired": "verticalGtHorizontal",
    "association": "risesWithFluency",
    "vbm_age_sex": "shrinksWithAge",
    "thresholding": "motor",
    "permutation_tfce": "patientGtControl",
    "exchangeability_blocks": "risesWithEmpathy",
    "paired_permutation": "verticalGtHorizontal",
    "thresholding_every_way": "mean",
    "true_discoveries": "mean",
    "random_field": "slope",
    "conjunction": "both",
    "mixed_effects": "activates",
    "robust": "groupMean",
    "unequal_variances": "patientGtControl",
    "missing_voxels": "risesWithFluency",
}


def example_files(root: Path) -> list[Path]:
    return sorted((root / "examples" / "specs").glob("*.yaml"))


def test_every_example_is_covered(root: Path, examples_with_data: frozenset[str]) -> None:
    names = {path.stem for path in example_files(root)}
    assert names == examples_with_data == set(FOUND) | {"design_only"}
    assert not [p for p in (root / "examples" / "specs").iterdir() if p.suffix != ".yaml"]


def test_every_example_points_to_the_schema(root: Path) -> None:
    for path in example_files(root):
        first = path.read_text(encoding="utf-8").splitlines()[0]
        before, _, schema = first.partition("$schema=")
        assert before == "# yaml-language-server: "
        assert (path.parent / schema).resolve() == root / "schemas" / "specgl-1.schema.json"


def test_every_example_is_silent_in_stage_1(root: Path) -> None:
    for path in example_files(root):
        examination = examine(path)
        assert examination.spec is not None
        assert examination.findings == ()


@pytest.mark.report
@pytest.mark.parametrize("name", sorted(FOUND))
def test_example_runs(name: str, example: Callable[[str], Path]) -> None:
    path = example(name)
    spec = specgl.read(path)
    plan = specgl.plan(spec)
    assert plan is not None
    bundle = specgl.run(spec)
    bundle.verify()
    assert bundle.path == path.parent / spec.output.directory
    manifest = json.loads((bundle.path / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["status"] == "complete"
    results = {(row["contrast"], row["inference"]): row for row in manifest["results"]}
    contrasts = spec.maps if spec.maps else spec.contrasts
    assert set(results) == {(c, i) for c in contrasts for i in spec.inference}
    for inference in spec.inference:
        assert results[FOUND[name], inference]["n_surviving"] > 0
    assert bundle.report is not None
    page = bundle.report.read_text(encoding="utf-8")
    assert all(f'id="result-{contrast}"' in page for contrast in contrasts)


def test_design_only_is_planned_and_not_run(example: Callable[[str], Path]) -> None:
    path = example("design_only")
    spec = specgl.read(path)
    plan = specgl.plan(spec)
    assert plan.source.design.matrix.shape == (20, 4)
    assert [contrast.name for contrast in plan.source.design.contrasts] == list(spec.contrasts)
    with pytest.raises(SpecglError, match="names no images"):
        specgl.run(spec, directory=path.parent / "out")
    assert not (path.parent / "out").exists()
