"""No verb ends in a traceback: what goes wrong is told in words, with the exit code of its kind."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from specgl.cli.main import main


def code_of(*args: str | Path) -> int:
    with pytest.raises(SystemExit) as stop:
        main([str(arg) for arg in args])
    return int(stop.value.code or 0)


def test_a_schema_that_cannot_be_written(tmp_path, capsys):
    assert code_of("schema", "-o", tmp_path / "nowhere" / "schema.json") == 2
    assert "cannot write" in capsys.readouterr().err


def test_a_demo_that_cannot_be_written(tmp_path, capsys):
    (tmp_path / "file").write_text("x")
    assert code_of("demo", tmp_path / "file" / "demo") == 2
    assert "cannot write to" in capsys.readouterr().err


@pytest.fixture
def broken_verb(monkeypatch):
    module = importlib.import_module("specgl.cli.main")

    def broken(**_kwargs):
        raise RuntimeError("odd \x1b[31m thing")

    monkeypatch.setattr(module.group, "main", lambda *args, **kwargs: broken())


def test_what_nobody_has_foreseen_is_told_in_words(broken_verb, monkeypatch, capsys):
    monkeypatch.delenv("SPECGL_TRACEBACK", raising=False)
    assert code_of("schema") == 4
    told = capsys.readouterr().err
    assert "RuntimeError: odd \\u001b[31m thing" in told
    assert "Traceback" not in told


def test_python_speaks_when_it_is_asked_to(broken_verb, monkeypatch):
    monkeypatch.setenv("SPECGL_TRACEBACK", "1")
    with pytest.raises(RuntimeError):
        main(["schema"])
