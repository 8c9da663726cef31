"""The house keeps its shape: floors, small files, light starts."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

MAX_LINES = 400
MAX_FUNCTION = 50


def _modules(root: Path) -> Iterator[Path]:
    yield from sorted((root / "specgl").rglob("*.py"))


def test_files_are_small(root: Path) -> None:
    long = {str(p): n for p in _modules(root) if (n := len(p.read_text().splitlines())) > MAX_LINES}
    assert long == {}


def test_functions_are_small(root: Path) -> None:
    """Lines of a function's body, without its docstring."""
    long = {}
    for path in _modules(root):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                body = node.body[1:] if ast.get_docstring(node) is not None else node.body
                lines = body[-1].end_lineno - body[0].lineno + 1 if body else 0  # type: ignore[operator]  # set by parse
                if lines > MAX_FUNCTION:
                    long[f"{path}:{node.name}"] = lines
    assert long == {}


def test_public_functions_have_docstrings(root: Path) -> None:
    bare = [
        f"{path}:{node.name}"
        for path in _modules(root)
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
        and not node.name.startswith("_")
        and ast.get_docstring(node) is None
        and "overload" not in {ast.unparse(decorator) for decorator in node.decorator_list}
    ]
    assert bare == []


def _imported(code: str) -> set[str]:
    script = f"import sys\n{code}\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


HEAVY = {
    "numpy",
    "scipy",
    "pandas",
    "xarray",
    "formulaic",
    "nibabel",
    "matplotlib",
    "numba",
    "rich",
    "jinja2",
}


def test_importing_the_package_imports_nothing_heavy() -> None:
    assert _imported("import specgl") & (HEAVY | {"pydantic", "yaml"}) == set()


def test_reading_a_spec_imports_nothing_heavy() -> None:
    assert _imported("import specgl; specgl.read") & HEAVY == set()


def test_validating_on_the_command_line_imports_nothing_heavy() -> None:
    assert _imported("import specgl.cli.verbs.validate") & HEAVY == set()


def test_every_public_name_can_be_had() -> None:
    import specgl

    assert [name for name in specgl.__all__ if not hasattr(specgl, name)] == []
    assert callable(specgl.plan)
    assert callable(specgl.run)


def test_planning_does_not_wait_for_what_it_does_not_use() -> None:
    """scipy.stats takes half a second to import; special functions are all that is wanted of it."""
    assert (
        _imported("import specgl.running") & {"scipy.stats", "matplotlib", "numba", "jinja2", "rich"} == set()
    )
