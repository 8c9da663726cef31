"""The pre-commit hook and the GitHub action run, and say what they should."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

Shell = Callable[..., subprocess.CompletedProcess[str]]

GOOD = """\
specgl: 1
name: good
data: {table: t.tsv, images: "{participant_id}.nii.gz"}
model: {formula: "1"}
contrasts: {groupMean: mean}
"""
BAD = GOOD.replace('formula: "1"', 'formula: "1", blok: run')


@pytest.fixture(scope="module")
def action(root: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((root / "action.yml").read_text(encoding="utf-8"))
    return loaded


@pytest.fixture
def specs(tmp_path: Path) -> Path:
    folder = tmp_path / "specs" / "deep"
    folder.mkdir(parents=True)
    (folder / "good.specgl.yaml").write_text(GOOD, encoding="utf-8")
    (folder / "bad.specgl.yaml").write_text(BAD, encoding="utf-8")
    return tmp_path


def run_action(action: dict[str, Any], shell: Shell, folder: Path, **inputs: str) -> Any:
    step = action["runs"]["steps"][-1]
    given = {name: entry["default"] for name, entry in action["inputs"].items()} | inputs
    environment = {
        name: re.sub(r"\$\{\{ inputs\.([a-z-]+) \}\}", lambda m: given[m[1]], value)
        for name, value in step["env"].items()
    }
    assert "${{" not in step["run"], "inputs never become part of a script"
    # GitHub runs `shell: bash` with these options.
    return shell("set -eo pipefail\n" + step["run"], folder, environment)


def test_action_is_composite_and_installs_itself(action: dict[str, Any]) -> None:
    assert action["runs"]["using"] == "composite"
    steps = action["runs"]["steps"]
    assert all("shell" in step for step in steps if "run" in step)
    assert steps[1]["env"]["SPECGL_SOURCE"] == "${{ github.action_path }}"
    assert all(entry["description"] and "default" in entry for entry in action["inputs"].values())


def test_action_passes_good_specs(action: dict[str, Any], shell: Shell, specs: Path) -> None:
    done = run_action(action, shell, specs, files="specs/deep/good.specgl.yaml")
    assert done.returncode == 0, done.stdout + done.stderr


def test_action_annotates_bad_specs_by_pattern(action: dict[str, Any], shell: Shell, specs: Path) -> None:
    done = run_action(action, shell, specs)
    assert done.returncode == 1
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("::error ")]
    assert "file=specs/deep/bad.specgl.yaml" in line
    assert "line=4" in line
    assert "blok" in line


def test_action_without_specs_says_so(action: dict[str, Any], shell: Shell, tmp_path: Path) -> None:
    done = run_action(action, shell, tmp_path)
    assert done.returncode == 0
    assert done.stdout.startswith("::notice::no spec matches")


def test_action_can_ask_for_the_table(action: dict[str, Any], shell: Shell, specs: Path) -> None:
    done = run_action(action, shell, specs, files="specs/deep/good.specgl.yaml", data="true")
    assert done.returncode == 3, "the table is not there"


def test_action_evaluates_nothing_in_its_inputs(action: dict[str, Any], shell: Shell, specs: Path) -> None:
    done = run_action(action, shell, specs, files="$(touch harmed) `touch harmed` ;touch harmed")
    assert done.returncode == 2
    assert not (specs / "harmed").exists()


def test_hook_knows_specs_by_name(root: Path) -> None:
    (hook,) = yaml.safe_load((root / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    assert hook["id"] == "specgl-validate"
    pattern = re.compile(hook["files"])
    assert pattern.search("analyses/faces.specgl.yaml")
    assert pattern.search("faces.specgl.yml")
    assert not pattern.search("analyses/faces.yaml")
    assert not pattern.search("faces.specgl.yaml.bak")


def test_hook_runs_on_several_files(root: Path, shell: Shell, specs: Path) -> None:
    (hook,) = yaml.safe_load((root / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    good, bad = "specs/deep/good.specgl.yaml", "specs/deep/bad.specgl.yaml"
    assert shell(f"{hook['entry']} {good}", specs).returncode == 0
    done = shell(f"{hook['entry']} {good} {bad}", specs)
    assert done.returncode == 1
    assert f"{bad}:4:23: error[E010]" in done.stdout
