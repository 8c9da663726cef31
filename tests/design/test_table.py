from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from specgl.design.table import cell_place, read_table
from specgl.errors import Finding, TableError

SIMPLE = "participant_id\tgroup\tage\n001\tcontrol\t20\n002\tpatient\tn/a\n003\tpatient\t\n"


def put(folder: Path, text: str | bytes, name: str = "participants.tsv") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8"))
    return path


def refused(path: Path, *id_columns: str) -> tuple[Finding, ...]:
    with pytest.raises(TableError) as caught:
        read_table(path, id_columns=id_columns or ("participant_id",))
    return caught.value.findings


def codes(findings: tuple[Finding, ...]) -> list[str]:
    return [f.code for f in findings]


def test_cells_are_text_and_missing_is_none(tmp_path: Path) -> None:
    text = SIMPLE.replace("patient\tn/a", "NA\tNone").replace("003\tpatient", "003\tnan")
    table = read_table(put(tmp_path, text), id_columns=["participant_id"])
    assert list(table.frame.index) == ["001", "002", "003"]
    assert table.frame["participant_id"].tolist() == ["001", "002", "003"]
    assert table.frame["group"].tolist() == ["control", "NA", "nan"]
    assert table.frame["age"].tolist() == ["20", "None", None]
    assert {dtype.name for dtype in table.frame.dtypes} == {"object"}
    assert table.frame.index.dtype == object
    assert table.lines == (2, 3, 4)
    assert table.columns == {"participant_id": 1, "group": 2, "age": 3}
    assert table.name == "participants.tsv"
    assert table.findings == ()


@pytest.mark.parametrize(
    "change",
    [
        lambda t: b"\xef\xbb\xbf" + t.encode(),
        lambda t: t.replace("\n", "\r\n").encode(),
        lambda t: (t + "\n\n  \n\t\t\n").encode(),
        lambda t: t.replace("\n001", "\n\n001").encode(),
        lambda t: t.rstrip("\n").encode(),
        lambda t: b"\xef\xbb\xbf" + t.replace("\n", "\r\n").encode() + b"\r\n\r\n",
    ],
    ids=["bom", "crlf", "blank-end", "blank-inside", "no-final-newline", "all"],
)
def test_how_a_file_was_saved_does_no_harm(tmp_path: Path, change: object) -> None:
    plain = read_table(put(tmp_path, SIMPLE), id_columns=["participant_id"])
    other = read_table(put(tmp_path, change(SIMPLE), "b.tsv"), id_columns=["participant_id"])  # type: ignore[operator]
    assert other.frame.equals(plain.frame)
    assert dict(other.columns) == dict(plain.columns)


def test_lines_count_blank_lines_and_quoted_line_breaks(tmp_path: Path) -> None:
    text = 'id,note,age\n\na,"two\nlines, and ""quotes""",7\nb,plain,8\n'
    table = read_table(put(tmp_path, text, "t.csv"), id_columns=["id"])
    assert table.lines == (3, 5)
    assert table.frame["note"].tolist() == ['two\nlines, and "quotes"', "plain"]
    assert cell_place(table, 0, "id") == (3, 1, 2)
    assert cell_place(table, 0, "note") == (3, 3, None)
    assert cell_place(table, 0, "age") == (4, 24, 25)
    assert cell_place(table, 1, "note") == (5, 3, 8)


text_cells = st.text(st.sampled_from('ab1é ,\t"\n\r;'), max_size=6)


def quoted(cell: str, always: bool) -> str:
    return '"' + cell.replace('"', '""') + '"' if always or set(cell) & set('",\t\r\n') else cell


@settings(max_examples=150)
@given(
    rows=st.lists(st.tuples(text_cells, text_cells, text_cells), min_size=1, max_size=5),
    delimiter=st.sampled_from("\t,"),
    always=st.booleans(),
    end=st.sampled_from(["\n", "\r\n"]),
)
def test_every_written_cell_is_read_and_found_again(
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[tuple[str, str, str]],
    delimiter: str,
    always: bool,
    end: str,
) -> None:
    records = [["a", "id", "b", "c"], *([row[0], f"s{k}", *row[1:]] for k, row in enumerate(rows))]
    text = "".join(delimiter.join(quoted(cell, always) for cell in record) + end for record in records)
    path = put(tmp_path_factory.mktemp("t"), text, "t.tsv" if delimiter == "\t" else "t.csv")
    table = read_table(path, id_columns=["id"])
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    for k, row in enumerate(rows):
        for column, value in zip(["id", *"abc"], [f"s{k}", *row], strict=True):
            assert table.frame[column].iloc[k] == (None if value.strip() in {"", "n/a"} else value)
            line, begin, stop = cell_place(table, k, column)
            raw = lines[line - 1][begin - 1 :] if stop is None else lines[line - 1][begin - 1 : stop - 1]
            whole = quoted(value, always)
            assert raw == whole if stop is not None else whole.startswith(raw)


def test_ids_of_several_columns_are_joined(tmp_path: Path) -> None:
    path = put(tmp_path, "participant_id\tsession\ns1\t01\ns1\t02\n")
    table = read_table(path, id_columns=["participant_id", "session"])
    assert list(table.frame.index) == ["s1_01", "s1_02"]


def test_saved_index_is_left_out_with_a_warning(tmp_path: Path) -> None:
    table = read_table(put(tmp_path, ",id,age,\n0,a,1,\n1,b,2,\n", "t.csv"), id_columns=["id"])
    assert list(table.frame.columns) == ["id", "age"]
    assert table.columns == {"id": 2, "age": 3}
    assert codes(table.findings) == ["W220", "W221"]
    assert cell_place(table, 1, "age") == (3, 5, 6)


def test_places_behind_empty_cells(tmp_path: Path) -> None:
    table = read_table(put(tmp_path, "a\tb\tid\n\t\tx\n1\t\ty\n"), id_columns=["id"])
    assert cell_place(table, 0, "a") == (2, 1, 1)
    assert cell_place(table, 0, "b") == (2, 2, 2)
    assert cell_place(table, 0, "id") == (2, 3, 4)
    assert cell_place(table, 1, "id") == (3, 4, 5)


def test_header_faults_are_reported_together(tmp_path: Path) -> None:
    found = refused(put(tmp_path, "id\tage\tage\t\t sex\nsub-1\t1\t2\t3\tF\nsub-2\t1\n"))
    assert codes(found) == ["E217", "E217", "W222", "E218", "E211"]
    assert "'age' (columns 2 and 3)" in found[0].message
    assert "column 4" in found[1].message
    assert "'sex'" in (found[2].help or "")
    assert (found[3].file, found[3].line) == ("participants.tsv", 3)
    assert "2 cells" in found[3].message
    assert "5 names" in found[3].message


def test_misspelt_id_column(tmp_path: Path) -> None:
    (found,) = refused(put(tmp_path, SIMPLE), "Participant_id")
    assert found.code == "E211"
    assert found.help == "did you mean 'participant_id'?"
    assert found.notes == ("columns: participant_id, group, age",)


def test_wrong_separator_is_guessed(tmp_path: Path) -> None:
    (found,) = refused(put(tmp_path, SIMPLE.replace("\t", ";"), "p.csv"))
    assert "separator" in (found.help or "")


@pytest.mark.parametrize("delimiter", ["\t", ",", ";"])
def test_txt_takes_the_separator_of_its_header(tmp_path: Path, delimiter: str) -> None:
    table = read_table(put(tmp_path, SIMPLE.replace("\t", delimiter), "p.txt"), id_columns=["participant_id"])
    assert list(table.frame.columns) == ["participant_id", "group", "age"]


def test_row_names_of_r_are_recognised(tmp_path: Path) -> None:
    found = refused(put(tmp_path, "participant_id\tage\n1\tsub-1\t3\n2\tsub-2\t4\n"))
    assert codes(found) == ["E218"]
    assert "row.names" in (found[0].help or "")


def test_ids_missing_and_repeated_are_reported_with_their_rows(tmp_path: Path) -> None:
    text = "participant_id\tage\na\t1\nb\t2\nn/a\t3\na\t4\n\t5\na\t6\nb\t7\n"
    found = refused(put(tmp_path, text))
    assert codes(found) == ["E212", "E214", "E214"]
    assert "(rows 4, 6)" in found[0].message
    assert "'a' stands in 3 rows (rows 2, 5, 7)" in found[1].message
    assert (found[1].line, found[1].column) == (5, 1)
    assert "'b' stands in 2 rows (rows 3, 8)" in found[2].message


def test_many_repeated_ids_are_counted(tmp_path: Path) -> None:
    rows = "".join(f"s{k}\n" for k in range(30)) * 2
    found = refused(put(tmp_path, "participant_id\tx\n".replace("\tx", "") + rows))
    assert len(found) == 21
    assert found[-1].message.startswith("10 more ids")


def test_undecodable_bytes_have_their_place(tmp_path: Path) -> None:
    found = refused(put(tmp_path, b"participant_id\tcity\na\tM\xfcnster\nb\tx\nc\t\xc3\xa9\xff\n"))
    assert [(f.code, f.line, f.column) for f in found] == [("E219", 2, 4), ("E219", 4, 4)]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        ("a\tb\n".encode("utf-16"), "E219"),
        (b"PK\x03\x04\x00\x00", "E219"),
        (b"\x1f\x8b\x08", "E216"),
        (b"", "E213"),
        (b"\n\n", "E213"),
        (b"participant_id\tage\n", "E213"),
        (b'participant_id\tage\na\t"1\nb\t2\n', "E218"),
        (b'participant_id\tage\na\t"1"x\n', "E218"),
    ],
)
def test_what_is_no_table_is_refused(tmp_path: Path, data: bytes, code: str) -> None:
    (found,) = refused(put(tmp_path, data))
    assert found.code == code


def test_an_unclosed_quote_is_reported_where_its_row_begins(tmp_path: Path) -> None:
    (found,) = refused(put(tmp_path, 'participant_id\tage\na\t1\nb\t"2\nc\t3\n'))
    assert (found.code, found.line) == ("E218", 3)


def test_files_that_are_no_tables(tmp_path: Path) -> None:
    put(tmp_path, SIMPLE)
    (absent,) = refused(tmp_path / "participant.tsv")
    assert (absent.code, absent.where) == ("E216", ("data", "table"))
    assert absent.help == "did you mean 'participants.tsv'?"
    for path in (tmp_path, put(tmp_path, SIMPLE, "p.tsv.gz"), put(tmp_path, SIMPLE, "p.xlsx")):
        (found,) = refused(path)
        assert found.code == "E216"


def test_bounds_of_rows_and_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = put(tmp_path, SIMPLE)
    monkeypatch.setattr("specgl.design.delimited.MAX_ROWS", 3)
    assert len(read_table(path, id_columns=["participant_id"]).frame) == 3
    monkeypatch.setattr("specgl.design.delimited.MAX_ROWS", 2)
    assert codes(refused(path)) == ["E216"]
    monkeypatch.setattr("specgl.design.delimited.MAX_BYTES", 10)
    assert codes(refused(path)) == ["E216"]


@pytest.mark.parametrize(
    ("name", "id_column", "n"),
    [
        ("wager2008/participants.tsv", "participant_id", 30),
        ("aomic_vbm/participants.tsv", "participant_id", None),
        ("modelarray_toy/cohort_FA.csv", "subject_id", None),
        ("sudmex_surfaces/participants.tsv", "participant_id", None),
    ],
)
def test_real_tables(shared_data: Path, name: str, id_column: str, n: int | None) -> None:
    path = shared_data / name
    table = read_table(path, id_columns=[id_column], name=name)
    text = path.read_text(encoding="utf-8")
    reader = csv.reader(io.StringIO(text), delimiter="\t" if path.suffix == ".tsv" else ",")
    expected = list(reader)[1:]
    assert len(table.frame) == (n or len(expected))
    assert table.frame[id_column].tolist() == [row[0] for row in expected]
    assert table.findings == ()
    assert np.all(np.diff(table.lines) == 1)
