"""What each section says, by bundles whose contents are known."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

from specgl.reporting.album import Album, Missing, Picture
from specgl.reporting.sections.cells import cell_counts, covariates
from specgl.reporting.sections.findings import say_findings
from specgl.reporting.sections.shuffling import labellings
from specgl.reporting.sections.tables import Line, cut
from specgl.reporting.telling import bytes_in_words, coordinates, counted, listed, p_words, place, seconds


def _section(tree, name):
    (found,) = tree.find("section", id=name)
    return found.text


def _table(tree, caption: str):
    (found,) = [t for t in tree.find("table") if t.children[0].text == caption]
    body = [row for part in found.children if part.tag == "tbody" for row in part.children]
    return [[cell.text for cell in row.children] for row in body]


def test_at_a_glance_tells_n_dof_and_every_result(tree_of, bundle_of) -> None:
    text = _section(tree_of("plain"), "glance")
    assert "n = 10, dof = 7" in text.replace("\N{NO-BREAK SPACE}", " ")
    rows = bundle_of("plain").manifest["results"]
    assert len(rows) == 6
    for row in rows:
        assert f"{row['n_surviving']:,} voxel" in text or (
            not row["n_surviving"] and "No voxel survives" in text
        )
        assert f"{row['peak']['statistic']:.2f}".replace("-", "\N{MINUS SIGN}") in text


def test_exactly_one_cluster_is_told_and_tabled(tree_of, bundle_of) -> None:
    told = [r for r in bundle_of("one_cluster").manifest["results"] if r["n_clusters"] == 1]
    assert told
    tree = tree_of("one_cluster")
    for row in told:
        noun = "voxel survives" if row["n_surviving"] == 1 else "voxels survive"
        assert f"{row['n_surviving']:,} {noun} in 1 cluster" in _section(tree, "glance")
        rows = _table(tree, f"Clusters and peaks of {row['contrast']} under {row['inference']}")
        assert rows[0][0] == "1"


def test_no_survivor_is_said(tree_of) -> None:
    text = _section(tree_of("nothing"), "results")
    assert "No voxel survives" in text
    assert "nothing survives any inference" in text
    assert "No cluster survives." in text


def test_a_bundle_without_inference_says_that_nothing_is_thresholded(tree_of) -> None:
    assert "No inference was asked for: the maps are not thresholded" in _section(
        tree_of("no_inference"), "glance"
    )


def test_ready_made_maps_have_neither_data_nor_design(tree_of) -> None:
    tree = tree_of("ready")
    assert not tree.find("section", id="data")
    assert not tree.find("section", id="design")
    assert tree.find("section", id="result-motor")


def test_a_failed_run_tells_why_and_nothing_else(tree_of, page_of, bundle_of) -> None:
    tree, manifest = tree_of("failed"), bundle_of("failed").manifest
    sections = [e.attributes["id"] for e in tree.find("section") if e.parent.tag == "main"]
    assert sections == ["stopped", "provenance"]
    text = _section(tree, "stopped")
    assert manifest["stage"] in text
    assert manifest["errors"][0]["code"] in text
    assert " ".join(manifest["errors"][0]["message"].split()) in text
    assert page_of("failed").methods is None
    assert not page_of("failed").figures


def test_maps_that_are_left_out_are_said(tree_of, page_of) -> None:
    text = _section(tree_of("few_maps"), "results")
    assert "output.maps leaves out stat, z and effect" in text
    assert "output.maps leaves out p" in text
    assert not any("qq" in name for name in page_of("few_maps").figures)


def test_dropped_rows_have_their_reasons(tree_of, bundle_of) -> None:
    rows = bundle_of("several").observations
    left_out = rows[rows["status"] != "kept"]
    assert len(left_out)
    shown = _table(tree_of("several"), "Rows of the table that were left out")
    assert shown == [[str(i), str(reason)] for i, reason in left_out["reason"].items()]


def test_coverage_is_drawn_where_it_varies_and_else_said(page_of, bundle_of) -> None:
    told = "All 10 observations have a value at each of its voxels."
    seen = set()
    for kind in ("plain", "gaps", "several"):
        bundle, page = bundle_of(kind), page_of(kind)
        coverage = bundle.quality.coverage.values
        n = bundle.manifest["observations"]
        whole = bool(np.array_equal(coverage, n * bundle.mask.values))
        assert ("data_coverage.png" in page.figures) is not whole
        assert (told.replace("10", str(n)) in page.html) is whole
        assert "data_mask.png" in page.figures
        seen.add(whole)
    assert seen == {True, False}


def test_quality_is_told_of_every_observation(tree_of, bundle_of) -> None:
    about = bundle_of("plain").quality.observations
    shown = _table(tree_of("plain"), "Quality of each observation, the most distant first")
    assert {row[0] for row in shown} == set(about.index)
    distances = [float(row[-5]) for row in shown]
    assert distances == sorted(distances, reverse=True)


def test_clusters_are_shown_with_the_digits_of_a_paper(tree_of, bundle_of) -> None:
    table = bundle_of("plain").tables["patientGtControl", "clusters"]
    shown = _table(tree_of("plain"), "Clusters and peaks of patientGtControl under clusters")
    assert len(shown) == len(table)
    statistic = [f"{value:.2f}".replace("-", "\N{MINUS SIGN}") for value in table["statistic"]]
    assert all(value in row for value, row in zip(statistic, shown, strict=True))


def test_shuffling_has_its_tree_and_its_numbers(tree_of, bundle_of) -> None:
    text = _section(tree_of("several"), "design")
    for scheme in bundle_of("several").manifest["shuffling"]:
        assert scheme["tree"][0] in text
        assert f"{scheme['n']:,} of" in text
        assert str(scheme["seed"]) in text
    assert "Shuffling" not in _section(tree_of("plain"), "design")


def test_nulls_are_drawn_where_there_are_some(page_of, bundle_of) -> None:
    nulls = {f"contrast-{c}_desc-{i}_null.svg" for c, i in bundle_of("several").null}
    assert nulls
    assert {name for name in page_of("several").figures if name.endswith("_null.svg")} == nulls


def test_peaks_are_at_most_four_a_contrast(page_of) -> None:
    names = [n for n in page_of("several").figures if n.endswith("_values.svg")]
    assert names
    assert max(int(re.search(r"peak-(\d+)", name)[1]) for name in names) <= 4


def test_mixed_effects_show_how_much_observations_differ(tree_of, page_of, bundle_of) -> None:
    bundle = bundle_of("mixed")
    inside = bundle.mask.values
    i2 = bundle.maps["i2"].values[inside]
    assert "data_heterogeneity.png" in page_of("mixed").figures
    text = _section(tree_of("mixed"), "data")
    assert f"median {np.median(i2):.3g}, quartiles" in text
    assert f"0 at {(i2 == 0).mean():.0%} of the voxels" in text
    p = bundle.maps["normality"].values[inside]
    assert f"at {100 * (p <= 0.05).mean():.1f} % of {p.size:,} voxels" in text
    assert "Estimationmixed effects, τ² by REML, Knapp–Hartung" in _section(tree_of("mixed"), "glance")
    assert "data_heterogeneity.png" not in page_of("plain").figures
    assert "normality" not in _section(tree_of("plain"), "data")


def test_fixed_effects_are_z_and_chi_square_without_dof(tree_of) -> None:
    text = _section(tree_of("fixed"), "results").replace("\N{NO-BREAK SPACE}", " ")
    assert "z, two-sided, n = 10 " in text
    assert "chi2, n = 10, dof = 2 " in text
    assert "Estimationfixed effects" in _section(tree_of("fixed"), "design")


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # five clusters, of which a run warns
def test_clusters_have_dof_of_their_own(tree_of, bundle_of) -> None:
    text = _section(tree_of("clustered"), "glance").replace("\N{NO-BREAK SPACE}", " ")
    for row in bundle_of("clustered").manifest["results"]:
        assert row["dof"] < 7
        assert f"dof = {'2 and ' if row['statistic'] == 'F' else ''}{row['dof']:.4g}" in text
    assert "errors clustered by site" in text
    assert list(bundle_of("clustered").variables["site"]) == list("abcde") * 2


def test_covariates_of_images_are_told_in_the_design(tree_of, page_of) -> None:
    tree = tree_of("voxelwise")
    rows = _table(tree, "Regressors")
    told = {row[0]: row[3] for row in rows}
    assert told == {
        "Intercept": "",
        "group[T.patient]": "",
        "age": "",
        "gm": "gm",
        "group[T.patient]:gm": "gm",
    }
    assert ["gm", "voxelwise", "from images, as they are"] in _table(tree, "Variables")
    text = _section(tree, "design")
    assert "columns gm and group[T.patient]:gm: what the values of the images are multiplied by" in text
    assert "but for those that differ from voxel to voxel" in text
    assert len(_table(tree_of("plain"), "Regressors")[0]) == 4
    assert "at gm = 0" in _section(tree, "results")


def test_provenance_has_digest_command_and_every_input(tree_of, bundle_of) -> None:
    bundle = bundle_of("plain")
    text = _section(tree_of("plain"), "provenance")
    assert bundle.manifest["spec_digest"] in text
    assert all(file["sha256"] in text for file in bundle.inputs["files"])
    assert '"formula": "group + age"' in text
    # It was run from Python, by no command.
    assert bundle.manifest["command"] == []
    assert "To run it again" in text
    assert "The command was" not in text


def test_the_methods_and_their_references_come_with_the_page(page_of, tree_of) -> None:
    page = page_of("plain")
    assert page.methods
    assert page.references.startswith("@")
    links = [a.attributes["href"] for a in tree_of("plain").find("a") if "doi.org" in a.attributes["href"]]
    assert links


# --- pieces ---


def test_cells_are_crossed_and_add_up() -> None:
    frame = pd.DataFrame({"a": list("xxyyy"), "b": list("ppqqp"), "age": [1.0, 2, 3, 4, 5]})
    words = {
        "variables": {
            "a": {"type": "categorical", "levels": ["x", "y"]},
            "b": {"type": "categorical", "levels": ["p", "q"]},
            "age": {"type": "continuous", "unit": None},
        },
        "block": None,
        "variance_groups": None,
    }
    table = cell_counts(frame, words)
    assert [line.cells for line in table.lines] == [
        ("x", "2", "0", "2"),
        ("y", "1", "2", "3"),
        ("all", "3", "2", "5"),
    ]
    spread = covariates(frame, words)
    assert [line.cells[0] for line in spread.lines] == ["all", "a: x", "a: y", "b: p", "b: q"]
    assert spread.lines[0].cells[1] == "3.00 ± 1.58 (1 to 5)"
    assert spread.lines[1].cells[1] == "1.50 ± 0.71 (1 to 2)"


def test_one_or_three_variables_are_listed_and_many_levels_are_not() -> None:
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({name: rng.choice(list("xy"), 40) for name in "abc"})
    frame["subject"] = [f"s{i}" for i in range(40)]
    several = {name: {"type": "categorical", "levels": ["x", "y"]} for name in "abc"}
    words = {"variables": several, "block": {"column": "subject", "n_blocks": 40}, "variance_groups": None}
    lines = cell_counts(frame, words).lines
    assert sum(int(line.cells[-1]) for line in lines) == 40
    assert [line.cells[:-1] for line in lines] == sorted(line.cells[:-1] for line in lines)
    words["variables"] = {"a": several["a"]}
    counts = frame["a"].value_counts()
    assert [line.cells for line in cell_counts(frame, words).lines] == [(k, str(counts[k])) for k in "xy"]


def test_findings_are_said_once_with_the_names_of_their_inferences() -> None:
    finding = {"code": "W205", "message": "few shuffles", "help": "take more"}
    several = [finding | {"where": ["inference", name]} for name in ("a", "b")]
    (said,) = say_findings(several)
    assert (said.code, said.message, said.help) == ("W205", "few shuffles (a, b)", "take more")


@pytest.mark.parametrize(
    ("number", "words"),
    [(252, "252"), (999_999_999, "999,999,999"), (2.65e32, "about 10³²"), (2**30, "about 10⁹")],
)
def test_labellings_stay_short(number, words) -> None:
    assert labellings(number) == words


def test_numbers_in_words() -> None:
    plain = str.maketrans("\N{NO-BREAK SPACE}", " ")
    assert [p_words(p).translate(plain) for p in (0.0123, 1e-9, 1.0)] == ["p = .012", "p < .001", "p > .999"]
    assert place(-27, 0, 12.0) == "(-27, 0, 12)"
    assert place(6.875, -0.01, 3) == "(6.9, 0.0, 3.0)"
    assert coordinates(6.875, -0.0, -31.5) == "6.8750 0 -31.5000"
    assert counted(1, "voxel") == "1 voxel"
    assert counted(1822, "voxel") == "1,822 voxels"
    assert listed(["a"]) == "a"
    assert listed(["a", "b", "c"]) == "a, b and c"
    assert [seconds(s) for s in (0.0301, 7.25, 300, 9000)] == ["30 ms", "7.25 s", "5 min", "2.5 h"]
    assert [bytes_in_words(n) for n in (12, 2048, 3_500_000)] == ["12 bytes", "2.05 kB", "3.5 MB"]


def test_a_long_table_says_where_the_rest_is() -> None:
    lines = [Line((str(i),)) for i in range(5)]
    assert cut(lines, 5, "x.tsv") == (tuple(lines), "")
    shown, note = cut(lines, 3, "x.tsv")
    assert shown == tuple(lines[:3])
    assert note == "The first 3 of 5 rows; all are in x.tsv."


def test_a_figure_that_cannot_be_is_said_and_a_mistake_is_not_hidden() -> None:
    from specgl.errors import UsageError
    from specgl.plot.figure import new_figure

    def absent():
        raise UsageError("there is no map")

    def broken():
        raise KeyError("x")

    album = Album()
    assert album.show("a.png", absent, alt="alt", caption="What it is") == Missing(
        "What it is", "there is no map"
    )
    with pytest.raises(KeyError):
        album.show("a.png", broken, alt="alt")
    assert not album.files
    for name in ("a.png", "a.svg"):
        shown = album.show(name, lambda: new_figure(2, 1), alt="alt")
        assert isinstance(shown, Picture)
        assert (shown.width, shown.height) == (192, 96)
