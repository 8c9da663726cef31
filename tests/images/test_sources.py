"""Selecting images: template, column, BIDS, 4-D file; and the folders that may not be left."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from specgl.images import (
    Bids,
    Column,
    Roots,
    Template,
    Volumes,
    locate_file,
    locate_images,
    missing_columns,
    missing_findings,
)
from specgl.images.bids import parse_name, space_label

WHERE = ("data", "images")


def touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x")


def table(**columns: list[str | None]) -> pd.DataFrame:
    ids = pd.Index(columns["participant_id"], name="id")
    return pd.DataFrame(columns, index=ids, dtype=object)


def test_a_template_is_filled_from_the_row(tmp_path: Path, roots: Roots) -> None:
    touch(tmp_path, "sub-01/a.nii.gz", "sub-02/b.nii.gz")
    frame = table(participant_id=["sub-01", "sub-02", "sub-03", "sub-04"], map=["a", "b", "c", None])
    found = locate_images(Template("{participant_id}/{map}.nii.gz"), frame, roots=roots, where=WHERE)
    assert {who: ref.path.name for who, ref in found.refs.items()} == {
        "sub-01": "a.nii.gz",
        "sub-02": "b.nii.gz",
    }
    assert found.refs["sub-01"].name == "sub-01/a.nii.gz"
    assert found.missing == {
        "sub-03": "there is no file 'sub-03/c.nii.gz'",
        "sub-04": "its cell in column 'map' is empty",
    }
    assert found.findings == ()


@pytest.mark.parametrize("value", ["..", ".", "a/b", "a b", "~", "{x}", "a\x00", ""])
def test_a_value_that_could_leave_its_place_is_refused(value: str, roots: Roots) -> None:
    frame = table(participant_id=["s1", "s2"], map=[value, value])
    found = locate_images(Template("{map}/x.nii"), frame, roots=roots, where=WHERE)
    (finding,) = found.findings
    assert finding.code == "E302"
    assert finding.notes == ("likewise s2",)
    assert not found.refs


def test_every_unknown_column_of_a_template_is_named_with_its_place(roots: Roots) -> None:
    frame = table(participant_id=["s1"])
    found = locate_images(Template("{participantid}/{mpa}.nii"), frame, roots=roots, where=WHERE)
    assert [(f.code, f.span) for f in found.findings] == [("E301", (0, 15)), ("E301", (16, 21))]
    assert "participant_id" in str(found.findings[0].help)


def test_a_column_is_relative_to_the_table(tmp_path: Path) -> None:
    touch(tmp_path, "tables/maps/a.nii")
    frame = table(participant_id=["s1", "s2"], map=["maps/a.nii", None])
    roots = Roots(tmp_path, tmp_path / "tables")
    found = locate_images(Column("map"), frame, roots=roots, where=WHERE)
    assert found.refs["s1"].path == (tmp_path / "tables/maps/a.nii").resolve()
    assert list(found.missing) == ["s2"]
    unknown = locate_images(Column("mpa"), frame, roots=roots, where=WHERE)
    assert [(f.code, f.where, f.help) for f in unknown.findings] == [
        ("E301", ("data", "images", "column"), "did you mean 'map'?")
    ]


def test_paths_stay_under_the_roots_links_followed(tmp_path: Path) -> None:
    touch(tmp_path, "outside.nii", "in/inside.nii")
    folder = tmp_path / "in"
    (folder / "link.nii").symlink_to(tmp_path / "outside.nii")
    (folder / "good.nii").symlink_to(folder / "inside.nii")
    names: list[str | None] = [
        "../outside.nii",
        "link.nii",
        "good.nii",
        str(tmp_path / "outside.nii"),
        "x" * 5000,
    ]
    frame = table(participant_id=list("abcde"), map=names)
    found = locate_images(Column("map"), frame, roots=Roots(folder, folder), where=WHERE)
    assert list(found.refs) == ["c"]
    assert [f.code for f in found.findings] == ["E303", "E303", "E303", "E302"]
    trusted = locate_images(
        Column("map"), frame, roots=Roots(folder, folder, allow_outside=True), where=WHERE
    )
    assert list(trusted.refs) == list("abcd")


def test_volumes_of_one_file(tmp_path: Path, roots: Roots) -> None:
    touch(tmp_path, "all.nii.gz")
    frame = table(participant_id=list("abcde"), volume=["3", "0", "-1", "1.5", None])
    found = locate_images(Volumes("all.nii.gz", "volume"), frame, roots=roots, where=WHERE)
    assert {who: ref.volume for who, ref in found.refs.items()} == {"a": 3, "b": 0}
    (finding,) = found.findings
    assert finding.code == "E306"
    assert "'-1' in column 'volume' of observation 'c'" in finding.message
    assert finding.notes == ("likewise d",)
    assert list(found.missing) == ["e"]
    gone = locate_images(Volumes("none.nii", "volume"), frame, roots=roots, where=WHERE)
    assert [f.code for f in gone.findings] == ["E309"]


def bids_names() -> list[str]:
    return [
        f"derivatives/fits/sub-{s}/ses-{e}/func/sub-{s}_ses-{e}_task-{t}_space-MNI_stat-effect_statmap{x}"
        for s in ("01", "02")
        for e in ("a", "b")
        for t in ("faces", "rest")
        for x in (".nii.gz", ".json")
    ]


def test_bids_files_are_matched_by_entities(tmp_path: Path, roots: Roots) -> None:
    touch(tmp_path, *bids_names(), "derivatives/fits/.git/sub-01_ses-a_task-faces_statmap.nii.gz")
    frame = pd.DataFrame(
        {"participant_id": ["sub-02", "01", "sub-03"], "session": ["a", "ses-b", "a"]}, index=["x", "y", "z"]
    )
    source = Bids("derivatives/fits", {"task": "faces", "suffix": "statmap"}, ("participant_id", "session"))
    found = locate_images(source, frame, roots=roots, where=WHERE)
    assert [ref.path.name[:14] for ref in found.refs.values()] == ["sub-02_ses-a_t", "sub-01_ses-b_t"]
    assert list(found.missing) == ["z"]
    assert "sub-03" in found.missing["z"]
    assert found.findings == ()


def test_several_bids_files_are_listed(tmp_path: Path, roots: Roots) -> None:
    touch(tmp_path, *bids_names())
    frame = table(participant_id=["sub-01", "sub-02"])
    found = locate_images(Bids(".", {"task": "faces", "datatype": "func"}), frame, roots=roots, where=WHERE)
    assert [f.code for f in found.findings] == ["E304", "E304"]
    assert "ses-a" in found.findings[0].notes[0]
    assert "ses-b" in found.findings[0].notes[0]


def test_a_bids_folder_must_exist_inside_the_roots(tmp_path: Path) -> None:
    (tmp_path / "spec").mkdir()
    roots = Roots(tmp_path / "spec", tmp_path / "spec")
    frame = table(participant_id=["sub-01"])
    codes = [
        [f.code for f in locate_images(Bids(d, {"task": "x"}), frame, roots=roots, where=WHERE).findings]
        for d in ("nowhere", "..")
    ]
    assert codes == [["E305"], ["E303"]]
    odd = Bids(".", {"task": "x"}, ("the id",))
    frame["the id"] = "1"
    assert [f.code for f in locate_images(odd, frame, roots=roots, where=WHERE).findings] == ["E307"]


def test_a_loop_of_links_ends(tmp_path: Path, roots: Roots) -> None:
    touch(tmp_path, "sub-01/sub-01_task-x_statmap.nii")
    (tmp_path / "sub-01" / "again").symlink_to(tmp_path, target_is_directory=True)
    found = locate_images(
        Bids(".", {"task": "x"}), table(participant_id=["sub-01"]), roots=roots, where=WHERE
    )
    assert list(found.refs) == ["sub-01"]
    assert found.findings == ()


def test_names_are_taken_apart() -> None:
    assert parse_name("sub-01_task-a+b_stat-t_statmap.nii.gz") == {
        "sub": "01", "task": "a+b", "stat": "t", "suffix": "statmap", "extension": ".nii.gz",
    }  # fmt: skip
    for name in ("mask.nii.gz", "sub-01_bold.json", "sub-01_x_y-1.nii", "sub-01_sub-02_x.nii", "a__b-1.nii"):
        assert parse_name(name) is None
    assert space_label(["sub-01_space-MNI_x.nii", "sub-02_space-MNI_x.nii"]) == "MNI"
    assert space_label(["sub-01_space-MNI_x.nii", "sub-02_x.nii"]) is None


def test_missing_images_are_one_error_with_the_first_ten() -> None:
    missing = {f"s{n}": "gone" for n in range(12)}
    (finding,) = missing_findings(missing, 20, WHERE)
    assert finding.code == "E300"
    assert finding.message.startswith("12 of 20 observations have no image: s0, s1")
    assert finding.message.endswith("s9 and 2 more")
    assert len(finding.notes) == 11
    assert missing_findings({}, 20, WHERE) == ()


def test_one_file_of_the_spec(tmp_path: Path, roots: Roots) -> None:
    touch(tmp_path, "mask.nii")
    assert locate_file("mask.nii", roots=roots, where=("mask",)).ref is not None
    for text, code in [("none.nii", "E309"), ("../x.nii", "E303"), ("a\x00b", "E302")]:
        assert [f.code for f in locate_file(text, roots=roots, where=("mask",)).findings] == [code]


def test_a_filter_that_nothing_passes_is_answered_with_what_there_is(tmp_path: Path, roots: Roots) -> None:
    touch(tmp_path, "sub-01/sub-01_contrast-faces_statmap.nii.gz")
    frame = table(participant_id=["sub-01"])
    for filters, words in (
        ({"contrast": "face"}, "has contrast-face; there is contrast: faces"),
        ({"Contrast": "faces"}, "has the entity 'Contrast'"),
    ):
        found = locate_images(Bids(".", filters), frame, roots=roots, where=WHERE)
        assert words in found.missing["sub-01"]


def test_a_data_set_with_links_in_a_circle_or_out_of_it_ends(tmp_path: Path) -> None:
    home, elsewhere = tmp_path / "home", tmp_path / "elsewhere"
    touch(home, "sub-01/sub-01_contrast-faces_statmap.nii.gz")
    touch(elsewhere, "sub-02_contrast-faces_statmap.nii.gz")
    (home / "again").symlink_to(".")
    (home / "out").symlink_to(elsewhere)
    frame = table(participant_id=["sub-01", "sub-02"])
    source = Bids(".", {"contrast": "faces"})
    found = locate_images(source, frame, roots=Roots(home, home), where=WHERE)
    assert (list(found.refs), list(found.missing)) == (["sub-01"], ["sub-02"])
    trusted = locate_images(source, frame, roots=Roots(home, home, allow_outside=True), where=WHERE)
    assert list(trusted.refs) == ["sub-01", "sub-02"]


def test_columns_that_a_source_wants(roots: Roots) -> None:
    frame = table(participant_id=["s1"], volume=["0"])
    for source, names in (
        (Template("{subject}/{participant_id}/{session}.nii"), ["subject", "session"]),
        (Column("map"), ["map"]),
        (Volumes("all.nii", "volume"), []),
        (Bids(".", {"task": "x"}, ("participant_id", "session")), ["session"]),
    ):
        found = missing_columns(source, frame, where=WHERE)
        assert [finding.code for finding in found] == ["E301"] * len(names)
        assert all(name in finding.message for name, finding in zip(names, found, strict=True))


def test_a_path_in_a_column_is_looked_for_in_the_tables_folder(tmp_path: Path) -> None:
    touch(tmp_path, "a.nii")
    (tmp_path / "tables").mkdir()
    frame = table(participant_id=["s1"], map=["a.nii"])
    found = locate_images(Column("map"), frame, roots=Roots(tmp_path, tmp_path / "tables"), where=WHERE)
    assert found.missing["s1"].endswith("in the table's folder")
