"""A bundle prints its tables, whatever regions are called."""

from __future__ import annotations

import re

import pandas as pd
import pytest

from specgl.bundle import open_bundle, write
from specgl.bundle.printed import choose
from specgl.errors import UsageError


def test_a_bundle_prints_its_tables(with_atlas, tmp_path):
    bundle = open_bundle(write(tmp_path / "out", with_atlas))
    for inferred in with_atlas.inferred:
        read = bundle.tables[inferred.contrast, inferred.inference]
        assert list(read) == list(inferred.clusters)
        pd.testing.assert_series_equal(read.dtypes, inferred.clusters.dtypes)
        pd.testing.assert_frame_equal(read, inferred.clusters, rtol=1e-6)  # 7 digits are written
    told = bundle.table_text("mean", "uncorrected")
    rows = [line for line in told.splitlines() if line.startswith("| ")]
    assert len(rows) == 2 + len(bundle.tables["mean", "uncorrected"])
    assert "n = 9, dof = 7" in told
    assert "Coordinates in mm of the space MNI152." in told
    assert bundle.table_text("mean", "uncorrected", form="latex").startswith("% mean, uncorrected")
    assert bundle.table_text(form="markdown").count("*Note.*") == len(bundle.tables)
    assert bundle.table_text("all").count("*Note.*") == 2
    assert "Effect" not in bundle.table_text("all")


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"contrast": "maen"}, "no contrast 'maen'; there is 'mean', 'all'"),
        ({"inference": "fdr"}, "no inference 'fdr'; there is 'uncorrected', 'fwe'"),
        ({"form": "word"}, "no form 'word'; there is markdown, latex, text, tsv"),
    ],
)
def test_what_there_is_is_named(make_contents, tmp_path, asked, words):
    bundle = open_bundle(write(tmp_path / "out", make_contents()))
    with pytest.raises(UsageError, match=re.escape(words)):
        bundle.table_text(**asked)


def test_choosing():
    held = [("a", "x"), ("a", "y"), ("b", "x")]
    assert choose(held, None, None) == held
    assert choose(held, "a", None) == held[:2]
    assert choose(held, None, "x") == [held[0], held[2]]
    assert choose([], None, None) == []
    with pytest.raises(UsageError, match="no table of 'b' under 'y'"):
        choose(held, "b", "y")
    with pytest.raises(UsageError, match="there are no tables"):
        choose([], "a", None)
