"""The README's blocks do what it says."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from specgl.bundle import open_bundle
from specgl.spec import examine_text

DEMO = "python -m pip install . && specgl demo"
TESTS = "python -m pip install '.[test]' && python -m pytest"
LINK = re.compile(r"(?<!!)\[[^]]*\]\(([^)#]+)\)")

Shell = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def page(root: Path) -> Path:
    return root / "README.md"


def of_language(found: list[Any], language: str) -> list[str]:
    return [block.text for block in found if block.language == language]


def test_shell_blocks_are_those_that_ci_runs(page: Path, root: Path, blocks: Any, shell: Shell) -> None:
    commands = [text.strip() for text in of_language(blocks(page), "shell")]
    assert commands == [DEMO, TESTS]
    printed = shell(".ci/run --commands", root)
    assert printed.returncode == 0, printed.stderr
    assert printed.stdout.splitlines() == commands


def test_ci_is_a_valid_script(root: Path, shell: Shell) -> None:
    script = root / ".ci" / "run"
    assert script.stat().st_mode & 0o111, "it can be executed"
    assert shell("bash -n .ci/run", root).returncode == 0
    text = script.read_text(encoding="utf-8")
    steps = ["ruff check .", "ruff format --check .", "mypy", "lint-imports", 'eval "$test_command"']
    places = [text.index(f"\n{step}\n") for step in steps]
    assert places == sorted(places)
    assert text.rstrip().endswith(steps[-1]), "pytest has the last word"


def test_every_block_is_of_a_kind_that_is_tested(page: Path, blocks: Any) -> None:
    assert {block.language for block in blocks(page)} == {"shell", "yaml", "text", "python"}


def test_spec_is_valid_and_the_mistake_looks_as_shown(
    page: Path, blocks: Any, shell: Shell, tmp_path: Path
) -> None:
    (spec,) = of_language(blocks(page), "yaml")
    examination = examine_text(spec)
    assert examination.findings == ()
    message = of_language(blocks(page), "text")[0]
    mistaken = spec.replace(
        "  age: {type: continuous, unit: year}", "  age: {type: continuous, centre: mean}"
    )
    assert mistaken != spec
    (tmp_path / "analysis.yaml").write_text(mistaken, encoding="utf-8")
    printed = shell("specgl validate analysis.yaml", tmp_path)
    assert printed.returncode == 1
    assert message.strip() in printed.stdout


def test_demo_and_python_block(
    page: Path, blocks: Any, shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    printed = shell(DEMO.partition(" && ")[2], tmp_path)
    assert printed.returncode == 0, printed.stderr
    assert "specgl-demo" in printed.stdout
    monkeypatch.chdir(tmp_path)
    (code,) = of_language(blocks(page), "python")
    names: dict[str, Any] = {}
    exec(compile(code, "README.md", "exec"), names)
    assert names["z"].ndim == 3
    assert len(names["clusters"]) > 0
    listing = of_language(blocks(page), "text")[1]
    always = [line for line in listing.splitlines()[1:] if "by permutation" not in line]
    shown = {line.split()[0].rstrip("/") for line in always}
    present = {path.name for path in (tmp_path / "specgl-demo" / "results").iterdir()}
    assert shown <= present
    open_bundle(tmp_path / "specgl-demo" / "results").verify()


def test_links_lead_somewhere(root: Path) -> None:
    for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md"):
        for target in LINK.findall((root / name).read_text(encoding="utf-8")):
            assert target.startswith("https://") or (root / target).exists(), f"{name}: {target}"


def test_contributing_has_five_commands(root: Path, blocks: Any) -> None:
    (commands,) = of_language(blocks(root / "CONTRIBUTING.md"), "shell")
    assert len(commands.strip().splitlines()) == 5


def test_contributing_names_rooms_that_stand(root: Path) -> None:
    rooms = re.findall(r"`(specgl/[a-z_/.]+|docs/|examples/[a-z/]+)`", (root / "CONTRIBUTING.md").read_text())
    assert len(rooms) > 10
    for room in rooms:
        assert (root / room).exists(), room


def test_citation_and_changelog_agree_with_the_version(root: Path) -> None:
    import specgl

    citation = yaml.safe_load((root / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["cff-version"] == "1.2.0"
    assert citation["version"] == specgl.__version__
    assert f"## [{specgl.__version__}]" in (root / "CHANGELOG.md").read_text(encoding="utf-8")
