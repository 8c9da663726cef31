"""Cluster tables as they are printed, and as their sidecars explain them."""

from __future__ import annotations

import re
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from specgl.bundle.printed import FORMS, About, escapes, print_tables
from specgl.bundle.printed.grid import make_grid
from specgl.bundle.tables import read_clusters
from specgl.bundle.text import tsv_bytes
from specgl.inference import CLUSTER_COLUMNS
from specgl.inference.tables import as_table

ROW = {
    "contrast": "mean",
    "inference": "fwe",
    "statistic": "t",
    "alternative": "two-sided",
    "n": 19,
    "n_min": 19,
    "dof_numerator": None,
    "dof": 17.0,
    "dof_min": 17.0,
    "threshold": 2.5,
}
VOXELS = {"method": "parametric", "correction": "bonferroni", "alpha": 0.05, "connectivity": 26}
CLUSTERS = {
    "method": "permutation",
    "statistic": "cluster_mass",
    "correction": "fwe",
    "alpha": 0.05,
    "cluster_forming_p": 0.001,
    "mass": "excess",
}
DISCOVERIES = {"method": "all_resolutions", "alpha": 0.05, "cluster_forming_z": [2.5, 3.1]}
REGIONS = {"method": "all_resolutions", "alpha": 0.05, "regions": {"image": "atlas.nii.gz"}}
NAN = np.nan
HOSTILE = "a|b_c & 5% \\textbf{x} $y$ <b>\n* [z](u) `q` ~~s~~ #1 ^"


def a_table(**changes) -> pd.DataFrame:
    """Two clusters; the first has a sub-peak."""
    columns = {
        "cluster": [1, 1, 2],
        "peak": [1, 2, 1],
        "sign": ["+", "+", "-"],
        "x": [-12.0, -3, 30],
        "y": [3.0, 6, 9],
        "z": [0.0, -6, 12],
        "statistic": [5.604, 3.0, -4.25],
        "z_score": [4.5, 2.75, -3.75],
        "size": [153, NAN, 12],
        "size_mm3": [4131.0, NAN, 324],
        "mass": [566.055, NAN, 39.27],
        "center_x": [-11.25, NAN, 30],
        "center_y": [3.0, NAN, 9],
        "center_z": [-0.04, NAN, 12],
        "p_corrected": [0.0004, 0.0421, 0.9997],
        "threshold": [2.5, 2.5, 2.5],
    }
    columns |= changes
    return as_table({key: value for key, value in columns.items() if value is not None}, ())


def printed(form: str = "text", asked=VOXELS, row=ROW, space="MNI152", **changes) -> str:
    return print_tables([(a_table(**changes), About(row, asked, space))], form)


def columns_of(asked=VOXELS, row=ROW, **changes) -> dict[str, tuple[str, ...]]:
    """Heads and cells of the columns that are printed."""
    grid = make_grid(a_table(**changes), About(row, asked))
    return {column.head: column.cells for column in grid.columns}


# Columns ----------------------------------------------------------------------------------------


def test_a_table_of_voxels():
    assert columns_of() == {
        "Cluster": ("1", "1a", "2"),
        "Size (voxels)": ("153", "", "12"),
        "Volume (mm³)": ("4131", "", "324"),
        "Mass": ("566.1", "", "39.3"),
        "Centre of mass (mm)": ("(-11.2, 3.0, 0.0)", "", "(30.0, 9.0, 12.0)"),
        "x (mm)": ("-12", "-3", "30"),
        "y (mm)": ("3", "6", "9"),
        "z (mm)": ("0", "-6", "12"),
        "t": ("5.60", "3.00", "-4.25"),
        "z score": ("4.50", "2.75", "-3.75"),
        "p (peak, FWE)": ("<.001", ".042", ">.999"),
    }


def test_effects_and_regions():
    told = columns_of(
        effect=[2.5, 1, -3],
        effect_low=[1.25, 0.5, -4],
        effect_high=[3.75, 1.5, -2],
        region=["insula", None, "A1"],
        regions=["insula 60 %; none 40 %", None, "A1 100 %"],
    )
    assert told["Effect"] == ("2.50", "1.00", "-3.00")
    assert told["95% CI"] == ("[1.25, 3.75]", "[0.50, 1.50]", "[-4.00, -2.00]")
    assert told["Region"] == ("insula", "", "A1")
    assert told["Share of the cluster"] == ("insula 60 %; none 40 %", "", "A1 100 %")
    nothing = columns_of(effect=[NAN] * 3, effect_low=[NAN] * 3, effect_high=[NAN] * 3, region=[None] * 3)
    assert nothing == columns_of()


def test_p_values_of_clusters_and_of_their_peaks():
    told = columns_of(CLUSTERS, p_corrected=[0.01, 0.01, 0.04], p_peak=[0.002, 0.3, 0.5])
    assert told["p (cluster, FWE)"] == (".010", "", ".040")
    assert told["p (peak, FWE)"] == (".002", ".300", ".500")
    assert "p (peak, FWE)" not in columns_of(CLUSTERS)


@pytest.mark.parametrize(
    ("correction", "head"), [("none", "uncorrected"), ("fdr_bh", "FDR"), ("holm", "FWE")]
)
def test_what_p_values_control(correction, head):
    assert f"p (peak, {head})" in columns_of({**VOXELS, "correction": correction})


def test_true_discoveries():
    told = columns_of(DISCOVERIES, tdp=[0.699, NAN, 1], discoveries=[107, NAN, 12], threshold=[2.5, 2.5, 3.1])
    assert told["TDP (at least)"] == ("0.69", "", "1.00")
    assert told["True discoveries (at least)"] == ("107", "", "12")
    assert told["Threshold (z)"] == ("2.50", "", "3.10")
    regions = columns_of(REGIONS, region=["A", "A", "B"], threshold=[NAN] * 3)
    assert list(regions)[:2] == ["No.", "Region"]


def test_clusters_of_which_nothing_is_claimed_are_left_out():
    discoveries = {"tdp": [0.5, NAN, 0.0], "discoveries": [76, NAN, 0]}
    told = printed(asked=DISCOVERIES, **discoveries)
    rows = [line for line in told.splitlines() if re.match(r" *\d+[a-z]? ", line)]
    assert [row.split()[0] for row in rows] == ["1", "1a"]
    assert "1 cluster in which no true discovery is certain left out." in " ".join(told.split())
    nothing = " ".join(printed(asked=DISCOVERIES, tdp=[0.0, NAN, 0], discoveries=[0, NAN, 0]).split())
    assert "No cluster with a true discovery. 2 clusters in which" in nothing
    # Every region has its line, and so has every cluster in a table for programs.
    regions = printed(asked=REGIONS, **discoveries)
    assert "left out" not in regions
    assert "\n2 " in regions
    assert len(printed("tsv", DISCOVERIES, **discoveries).splitlines()) == 4


def test_z_is_told_once():
    row = {**ROW, "statistic": "z", "dof": None, "dof_min": None}
    told = columns_of(row=row, z_score=[5.604, 3.0, -4.25])
    assert "z score" not in told
    assert told["z"] == ("5.60", "3.00", "-4.25")


# Notes ------------------------------------------------------------------------------------------


def note(asked=VOXELS, row=ROW, **changes) -> str:
    return " ".join(printed(asked=asked, row=row, **changes).partition("Note. ")[2].split())


def test_a_note_says_what_the_table_tells_of():
    assert note() == (
        "Contrast mean: t, two-sided, n = 19, dof = 17. Inference fwe: parametric, correction bonferroni, "
        "alpha 0.05, 26 neighbours. Threshold: |t| ≥ 2.5. Coordinates in mm of the space MNI152. Sub-peaks "
        "are indented: at most 3, 8 mm or more apart."
    )


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"alternative": "greater"}, "Threshold: t ≥ 2.5"),
        ({"alternative": "less"}, "Threshold: t ≤ -2.5"),
        ({"statistic": "F", "dof_numerator": 2.0}, "mean: F, n = 19, dof = 2 and 17. "),
        ({"statistic": "F", "dof_numerator": 2.0}, "Threshold: F ≥ 2.5"),
        ({"n_min": 12, "dof_min": 9.5}, "n = 12 to 19, dof = 9.5 to 17"),
        ({"n": None, "n_min": None, "dof": None, "dof_min": None}, "mean: t, two-sided. "),
        ({"shuffled": {"n": 5000}}, "5000 shuffles."),
        ({"simulations": {"n": 2000}}, "2000 simulated maps."),
        ({"field": {"fwhm": [8.12, 9, None]}}, "smoothness 8.12 × 9 × - mm FWHM."),
        ({"statistic": "chi2", "dof": None, "dof_numerator": 3.0}, "mean: chi2, n = 19, dof = 3. "),
        (
            {"discoveries": {"at_least": 1, "n_locations": 900}},
            "at least 1 true discovery among all 900 locations.",
        ),
        (
            {"discoveries": {"at_least": 40, "n_locations": 900}},
            "at least 40 true discoveries among all 900 locations.",
        ),
    ],
)
def test_a_note_says_what_is_known(changes, words):
    assert words in note(row=ROW | changes)


@pytest.mark.parametrize(
    ("asked", "changes", "words"),
    [
        (CLUSTERS, {}, "permutation, cluster mass, correction fwe, cluster-forming p 0.001, mass above"),
        (CLUSTERS, {}, "Clusters formed at |t| ≥ 2.5."),
        ({**CLUSTERS, "scale": "z"}, {}, "Clusters formed at |z| ≥ 2.5."),
        (DISCOVERIES, {}, "all resolutions, clusters at z 2.5, 3.1, alpha 0.05."),
        (DISCOVERIES, {}, "Clusters formed at |z| ≥ 2.5."),
        (DISCOVERIES, {}, "TDP: share of true discoveries, at least, all at once with 95% confidence."),
        (REGIONS, {}, "all resolutions, regions of atlas.nii.gz, alpha 0.05."),
        ({"method": "all_resolutions", "largest": {"tdp": 0.7}}, {}, "with a TDP of at least 0.7."),
        ({}, {}, "Inference fwe. Threshold"),
    ],
)
def test_a_note_says_what_was_asked(asked, changes, words):
    assert words in note(asked, **changes)


def test_a_note_leaves_out_thresholds_that_differ():
    assert "≥" not in note(DISCOVERIES, threshold=[2.5, 2.5, 3.1])


@pytest.mark.parametrize("form", FORMS)
def test_nothing_survives(form):
    told = print_tables([(a_table().iloc[:0], About(ROW, VOXELS, None))], form)
    if form == "tsv":
        assert told == "\t".join(["contrast", "inference", *a_table()]) + "\n"
        return
    assert "No cluster survives." in told
    assert all(head in told for head in ("Cluster", "Size", "(mm)", "(peak, FWE)"))
    assert "Volume" not in told
    assert "Coordinates" not in told


# Forms ------------------------------------------------------------------------------------------

MARKDOWN = MarkdownIt("commonmark").enable("table").enable("strikethrough")


def read_markdown(text: str) -> list[list[str]]:
    """Cells of a Markdown table, as what shows it understands them; only text is in them."""
    tokens = MARKDOWN.parse(text)
    rows: list[list[str]] = []
    for before, token in pairwise(tokens):
        if before.type == "tr_open":
            rows.append([])
        if before.type in ("th_open", "td_open"):
            assert {child.type for child in token.children} <= {"text", "text_special"}
            rows[-1].append("".join(child.content for child in token.children))
    return rows


def read_latex(text: str) -> list[list[str]]:
    """Cells of a LaTeX table: its rows end with two backslashes, and an unescaped & parts them."""
    body = text.partition(r"\midrule")[2].partition(r"\bottomrule")[0].strip()
    return [
        [cell.strip() for cell in re.split(r"(?<!\\)&", line.removesuffix(r"\\"))]
        for line in body.splitlines()
    ]


FEW = settings(deadline=None, max_examples=40)
WORDS = st.text(st.sampled_from("ab |\\_&%$#{}~^<>[]*`\n\r\t\"'-0.;!\x1b\u202e\u2028é"), max_size=12)


@FEW
@given(WORDS)
@example(HOSTILE)
@example("\\")
@example("&amp; \\| |")
def test_strangers_words_are_text_in_markdown(name):
    rows = read_markdown(printed("markdown", region=[name, None, "A1"]))
    clean = escapes.one_line(name)
    assert [row[1] for row in rows] == ["Region", clean, "", "A1"]
    assert {len(row) for row in rows} == {12}
    assert rows[1][0] == "1"
    assert rows[2][0] == "\xa0\xa01a"


UNDO = [(escaped, plain) for plain, escaped in escapes._LATEX.items() if plain not in "\\\"'"]


@FEW
@given(WORDS)
@example(HOSTILE)
def test_strangers_words_are_text_in_latex(name):
    rows = read_latex(printed("latex", region=[name, None, "A1"]))
    assert {len(row) for row in rows} == {12}
    told = rows[0][1].replace("-{}-", "--").replace("-{}-", "--").replace(r"\textbackslash{}", "\0")
    # Nothing is left that LaTeX would obey once its escapes are undone.
    for escaped, plain in sorted(UNDO, key=lambda pair: -len(pair[0])):
        told = told.replace(escaped, "\1" if plain in "{}" else "")
    assert not set(told) & set('\\{}$&%#_~^<>|[*"\n\x1b')
    assert rows[1][:2] == [r"\quad 1a", ""]


def test_latex_by_hand():
    told = printed("latex", region=["insula_L", None, "A&B"])
    lines = told.splitlines()
    assert lines[0] == "% mean, fwe; the preamble needs \\usepackage{booktabs}"
    assert lines[1] == r"\begin{table}"
    assert r"\begin{tabular}{@{}llrrrrrrrrrr@{}}" in lines
    assert lines[-1] == r"\end{table}"
    assert [line for line in lines if line.startswith("\\") and "rule" in line] == [
        r"\toprule",
        r"\midrule",
        r"\bottomrule",
    ]
    head = lines[lines.index(r"\toprule") + 1]
    assert head.startswith(r"Cluster & Region & \shortstack[r]{Size\\(voxels)} & ")
    assert r"(mm\textsuperscript{3})" in head
    first = lines[lines.index(r"\midrule") + 1]
    assert first == (
        r"1 & insula\_L & 153 & 4131 & 566.1 & $(-11.2, 3.0, 0.0)$ & $-12$ & 3 & 0 & 5.60 & 4.50 & $<.001$ \\"
    )
    assert r"\textbar{}t\textbar{} $\geq$ 2.5" in told
    # Every group and every formula is closed.
    plain = re.sub(r"\\[{}$]", "", told)
    assert plain.count("{") == plain.count("}")
    assert plain.count("$") % 2 == 0


@pytest.mark.parametrize(
    ("number", "told"),
    [("-12", "$-12$"), ("12", "12"), ("1.5e-09", r"$1.5\times10^{-9}$"), ("2e+07", r"$2\times10^{7}$")],
)
def test_numbers_in_latex(number, told):
    assert escapes.latex_number(number) == told


def test_aligned_text_by_hand():
    lines = printed(size_mm3=None, mass=None, center_x=None, center_y=None, center_z=None).splitlines()
    assert lines[:10] == [
        "mean, fwe",
        "",
        "             Size     x     y     z                            p",
        "Cluster  (voxels)  (mm)  (mm)  (mm)      t  z score  (peak, FWE)",
        "-------  --------  ----  ----  ----  -----  -------  -----------",
        "1             153   -12     3     0   5.60     4.50        <.001",
        "  1a                 -3     6    -6   3.00     2.75         .042",
        "2              12    30     9    12  -4.25    -3.75        >.999",
        "",
        "Note. Contrast mean: t, two-sided, n = 19, dof = 17. Inference fwe:",
    ]


@FEW
@given(WORDS)
def test_aligned_text_stays_aligned(name):
    lines = printed(region=[name, None, "A1"]).splitlines()
    rule = next(n for n, line in enumerate(lines) if set(line) == {"-", " "})
    starts = [match.start() for match in re.finditer("-+", lines[rule])]
    for line in lines[rule + 1 : rule + 4]:
        assert all(line[start - 2 : start].strip() == "" for start in starts[1:])
    assert lines[rule + 4] == ""


def test_all_tables_at_once():
    other = (a_table(tdp=[0.5, NAN, 1]), About(ROW | {"inference": "tdp"}, DISCOVERIES))
    tables = [(a_table(), About(ROW, VOXELS)), other]
    assert print_tables(tables, "markdown").count("*Note.*") == 2
    rows = [line.split("\t") for line in print_tables(tables, "tsv").splitlines()]
    assert rows[0][:3] == ["contrast", "inference", "cluster"]
    assert [row[1] for row in rows[1:]] == ["fwe"] * 3 + ["tdp"] * 3
    tdp = rows[0].index("tdp")
    assert [row[tdp] for row in rows[1:]] == ["n/a"] * 3 + ["0.5", "n/a", "1.0"]
    assert [row[rows[0].index("size")] for row in rows[1:4]] == ["153", "n/a", "12"]
    assert print_tables([], "text") == ""


# There and back ----------------------------------------------------------------------------------

FULL = {
    "p_peak": [0.1, 0.2, 0.3],
    "discoveries": [3, NAN, 0],
    "tdp": [0.25, NAN, 0.0],
    "effect": [1.5, 2, 3],
    "effect_low": [1.0, 1, 2],
    "effect_high": [2.0, 3, 4],
    "region": ["12", None, "7"],  # names, though they look like numbers
    "regions": ["12 50 %; none 50 %", None, ""],
}


def test_a_table_comes_back_as_it_was(tmp_path):
    table = a_table(**FULL)
    assert list(table) == list(CLUSTER_COLUMNS)
    (tmp_path / "t.tsv").write_bytes(tsv_bytes(table))
    pd.testing.assert_frame_equal(read_clusters(tmp_path, "t.tsv"), table)
    (tmp_path / "none.tsv").write_bytes(tsv_bytes(table.iloc[:0]))
    pd.testing.assert_frame_equal(read_clusters(tmp_path, "none.tsv"), table.iloc[:0])
