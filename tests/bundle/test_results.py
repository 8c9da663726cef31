"""What came out, in words."""

from __future__ import annotations

import dataclasses

import pytest

from specgl.bundle import open_bundle, write
from specgl.bundle.results import describe_findings, describe_results
from specgl.errors import Finding

ROW = {
    "contrast": "mean",
    "inference": "tdp",
    "n_surviving": 12,
    "n_clusters": 2,
    "min_p": None,
    "peak": None,
}


def finding(*where: str, message: str = "few") -> dict[str, object]:
    return {"code": "W432", "message": message, "where": list(where)}


@pytest.mark.parametrize(
    ("at_least", "survive", "words"),
    [
        (0, 0, "at least 0 locations are true discoveries (of a family of 900)"),
        (
            1,
            3,
            "at least 1 location is a true discovery (of a family of 900); "
            "the clusters or regions with some hold 3",
        ),
        (
            40,
            1200,
            "at least 40 locations are true discoveries (of a family of 900); "
            "the clusters or regions with some hold 1,200",
        ),
        (4, 0, "at least 4 locations are true discoveries (of a family of 900), in no cluster"),
    ],
)
def test_how_many_are_true(at_least, survive, words):
    told = {"discoveries": {"at_least": at_least, "n_locations": 900}, "n_surviving": survive}
    assert list(describe_results([ROW | told])) == [f"`mean`, tdp: {words}"]


def test_what_was_found_of_several_inferences_alike_is_said_once():
    found = [
        finding("inference", "peaks"),
        finding("data", "images", message="odd"),
        finding("inference", "extents", "alpha"),
        finding("inference", "peaks"),
        finding("inference", "peaks", message="fewer"),
    ]
    assert list(describe_findings(found)) == [
        "W432: few (peaks, extents)",
        "W432: odd",
        "W432: fewer (peaks)",
    ]


def test_the_readme_tells_what_the_summary_does(make_contents, tmp_path):
    contents = make_contents()
    doubt = Finding("W432", "7 degrees of freedom", ("inference", "fwe"))
    contents = dataclasses.replace(contents, run=dataclasses.replace(contents.run, findings=(doubt,)))
    path = write(tmp_path / "out", contents)
    text = (path / "README.md").read_text()
    assert "- W432: 7 degrees of freedom (fwe)" in text
    assert "W432: 7 degrees of freedom (fwe)" in open_bundle(path).summary()
    assert "| all | F |" in text
    assert "None" not in text


def test_a_readme_without_warnings_has_no_place_for_them(make_contents, tmp_path):
    contents = make_contents()
    contents = dataclasses.replace(contents, run=dataclasses.replace(contents.run, findings=()))
    assert "## Warnings" not in (write(tmp_path / "out", contents) / "README.md").read_text()
