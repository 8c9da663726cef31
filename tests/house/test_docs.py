"""The documentation builds without warnings, and its tutorial runs."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from specgl.errors import CATALOGUE
from specgl.grammar import FUNCTIONS, read_formula, read_hypothesis
from specgl.variables import VARIABLES

Shell = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def docs(root: Path) -> Path:
    return root / "docs"


@pytest.fixture(scope="module")
def site(docs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html"]
    done = subprocess.run(
        [*command, "-d", str(folder / "doctrees"), str(docs), str(folder / "html")],
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder / "html"


def test_pages_are_built_with_their_generated_parts(site: Path) -> None:
    def page(name: str) -> str:
        return (site / "reference" / f"{name}.html").read_text(encoding="utf-8")

    assert "generated:" not in "".join(path.read_text(encoding="utf-8") for path in site.rglob("*.html"))
    errors = page("errors")
    assert all(code in errors for code in CATALOGUE)
    variables = page("variables")
    assert all(f">{name}<" in variables for name in VARIABLES)
    language = page("language")
    for key in (
        "formula",
        "smoothing_fwhm",
        "absolute_threshold",
        "min_cluster_size",
        "cell_means",
        "cluster_forming_p",
        "nuisance",
    ):
        assert f">{key}<" in language
    cli = page("cli")
    for verb in ("demo", "new", "validate", "plan", "run", "verify", "show", "schema", "explain"):
        assert f"specgl {verb}" in cli
    assert "specgl.read" in page("api")


def test_nothing_is_written_into_the_source(site: Path, docs: Path) -> None:
    kinds = {path.suffix for path in docs.rglob("*") if path.is_file() and "_build" not in path.parts}
    assert site.is_dir()
    assert kinds - {".pyc"} == {".md", ".py", ".svg"}


def test_house_names_every_room(root: Path, docs: Path) -> None:
    with (root / "pyproject.toml").open("rb") as stream:
        contracts = tomllib.load(stream)["tool"]["importlinter"]["contracts"]
    layers = next(c for c in contracts if c["id"] == "floors")["layers"]
    text = (docs / "explanation" / "house.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d+) \| ([^|]+) \|", text, flags=re.MULTILINE)
    floors = {int(floor): set(re.findall(r"`(\w+)`", rooms)) for floor, rooms in rows}
    expected = {n: set(layer.split(" | ")) for n, layer in enumerate(reversed(layers), start=1)}
    assert floors == expected


def test_numerical_conventions_name_every_correction(docs: Path) -> None:
    from specgl.spec import json_schema

    text = (docs / "explanation" / "numerical-conventions.md").read_text(encoding="utf-8")
    schema = json_schema()
    parts = schema.get("$defs") or schema["definitions"]
    for correction in parts["Parametric"]["properties"]["correction"]["enum"]:
        assert f"| `{correction}` |" in text


def test_language_page_shows_what_the_grammar_takes(docs: Path) -> None:
    text = (docs / "reference" / "language.md").read_text(encoding="utf-8")
    formulas, hypotheses = (
        text.partition("## Formulas\n")[2].split("## Reading\n")[0].split("## Hypotheses\n")
    )

    def shown(page: str) -> list[str]:
        cells = [row.split(" | ")[0] for row in page.splitlines() if row.startswith("| `")]
        return [code for cell in cells for code in re.findall(r"(?<!`)(`` .+? ``|`[^`]+`)(?!`)", cell)]

    formula_texts = [code.strip("`").strip() for code in shown(formulas)]
    assert len(formula_texts) > 15
    named = set()
    for formula in formula_texts:
        read = read_formula(formula if formula != "- 1" else "a - 1")
        assert [p for p in read.problems if p.code.startswith("E")] == [], formula
        named |= {use.name for use in read.functions}
    assert named == FUNCTIONS
    for hypothesis in shown(hypotheses):
        code = (
            hypothesis.removeprefix("`` ").removesuffix(" ``")
            if "`` " in hypothesis
            else hypothesis.strip("`")
        )
        assert read_hypothesis(code).problems == (), code


def test_specs_in_ci_lists_the_actions_inputs(root: Path, docs: Path) -> None:
    action = yaml.safe_load((root / "action.yml").read_text(encoding="utf-8"))
    text = (docs / "how-to" / "validate-in-ci.md").read_text(encoding="utf-8")
    assert all(f"| `{name}` |" in text for name in action["inputs"])


def part_of(small: Any, large: Any) -> bool:
    if isinstance(small, dict):
        return isinstance(large, dict) and all(
            key in large and part_of(value, large[key]) for key, value in small.items()
        )
    return bool(small == large)


def test_tutorial_shows_the_demos_spec(docs: Path, blocks: Any) -> None:
    folder = Path(importlib.import_module("specgl.demo").__file__ or "").parent
    spec = yaml.safe_load((folder / "text" / "analysis.yaml").read_text(encoding="utf-8"))
    shown = [b for b in blocks(docs / "tutorials" / "first-analysis.md") if b.language == "yaml"]
    assert len(shown) == 4
    for block in shown:
        assert part_of(yaml.safe_load(block.text), spec), block.text


def test_tutorial_runs(
    docs: Path, blocks: Any, shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Console and Python blocks in order, in one folder; a text block was printed by the block before it."""
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    printed = ""
    for block in blocks(docs / "tutorials" / "first-analysis.md"):
        if block.language == "python":
            exec(compile(block.text, "first-analysis.md", "exec"), names)
        elif block.language == "console":
            printed = ""
            for line in block.text.splitlines():
                command = line.removeprefix("$ ")
                if command.startswith("python -m pip install"):
                    continue  # the tests run where it is installed
                done = shell(command, tmp_path)
                assert done.returncode == block.exit, f"{command}\n{done.stdout}{done.stderr}"
                printed += done.stdout
        elif block.language == "text":
            assert block.text.strip() in printed
    (listing,) = [b.text for b in blocks(docs / "reference" / "bundle.md") if b.language == "text"]
    # The demo shuffles nothing; what only shuffles leave says so.
    always = "\n".join(line for line in listing.splitlines() if "by permutation" not in line)
    listed = set(re.findall(r"^  (\.?\w[\w.-]*)", always, flags=re.MULTILINE))
    assert listed == {path.name for path in (tmp_path / "specgl-demo" / "again").iterdir()}
    peak = names["clusters"].iloc[0]
    assert sum((peak[axis] - c) ** 2 for axis, c in zip("xyz", (-36, -21, 12), strict=True)) <= 9**2
