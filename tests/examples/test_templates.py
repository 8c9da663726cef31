"""The templates of `specgl new` are valid specs."""

from __future__ import annotations

from importlib import resources

from specgl.spec import examine_text

TEMPLATES = {"one-sample", "two-sample", "paired", "association", "ancova", "vbm"}


def test_templates_are_those_that_new_offers() -> None:
    folder = resources.files("specgl.cli") / "templates"
    assert {entry.name for entry in folder.iterdir()} == {f"{name}.yaml" for name in TEMPLATES}


def test_templates_are_silent_in_stage_1() -> None:
    for name in sorted(TEMPLATES):
        text = (resources.files("specgl.cli") / "templates" / f"{name}.yaml").read_text(encoding="utf-8")
        examination = examine_text(text)
        assert examination.findings == (), name
        assert examination.spec is not None
        assert examination.spec.output.directory == f"results/{examination.spec.name}"


def test_templates_mark_what_is_to_be_adapted() -> None:
    for name in sorted(TEMPLATES):
        text = (resources.files("specgl.cli") / "templates" / f"{name}.yaml").read_text(encoding="utf-8")
        assert text.startswith("# yaml-language-server: $schema=")
        assert text.count("# <-") >= 4, name
