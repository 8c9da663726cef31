"""`specgl show --table`: cluster tables for a paper, and for programs."""

from __future__ import annotations

import io

import pandas as pd
import pytest

import specgl
from specgl.bundle.printed import FORMS
from specgl.cli.verbs import show


@pytest.fixture
def results(study) -> specgl.Bundle:
    return specgl.run(specgl.read(study.spec))


def test_the_forms_are_those_of_bundles() -> None:
    assert show.FORMS == FORMS


def test_tables_are_printed_as_python_makes_them(specgl_in, study, results) -> None:
    for form in FORMS:
        done = specgl_in(study.folder, "show", "results", "--table", form)
        assert (done.code, done.err) == (0, "")
        assert done.out == results.table_text(form=form)
    assert specgl_in(study.folder, "show", "results", "clusters", "--table", "tsv").out == done.out
    (contrast, inference), table = next(iter(results.tables.items()))
    names = ("--contrast", contrast, "--inference", inference)
    one = specgl_in(study.folder, "show", "results", "--table", "tsv", *names)
    read = pd.read_csv(io.StringIO(one.out), sep="\t", na_values="n/a")
    assert len(read) == len(table)
    assert list(read) == ["contrast", "inference", *table]
    raw = specgl_in(study.folder, "show", "results", *names)
    assert raw.code == 0
    assert raw.out.startswith(f"{contrast}, {inference}:\n")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--table", "word"], "'markdown', 'latex', 'text', 'tsv'"),
        (["--table", "text", "--contrast", "nobody"], "there is no contrast 'nobody'; there is '"),
        (["--inference", "nothing"], "there is no inference 'nothing'; there is '"),
        (["design", "--table", "text"], "are for clusters, not for design"),
        (["summary", "--contrast", "x"], "are for clusters, not for summary"),
    ],
)
def test_what_cannot_be_shown(specgl_in, study, results, words, told) -> None:
    done = specgl_in(study.folder, "show", "results", *words)
    assert (done.code, done.out) == (2, "")
    assert told in done.err
