from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from specgl.design.records import Categorical, Continuous, Rows, Table, Variable
from specgl.design.rows import drop_rows, observation_table, select_rows
from specgl.design.table import read_table
from specgl.errors import DataError, DesignError, Finding, TableError

TEXT = (
    "participant_id\tgroup\tsex\tage\tfamily\n"
    "s1\tcontrol\tF\t20\tf1\n"
    "s2\tcontrol\tM\t30\tf1\n"
    "s3\tpatient\tF\tn/a\tf2\n"
    "s4\tpatient\tM\t40\tf2\n"
    "s5\tother\tM\t50\tf3\n"
    "s6\tpatient\tF\t35\tf3\n"
)
GROUP = Categorical(("control", "patient"))
BOTH = {"group": ["control", "patient"]}


def table_of(folder: Path, text: str = TEXT) -> Table:
    path = folder / "participants.tsv"
    path.write_text(text, encoding="utf-8")
    return read_table(path, id_columns=["participant_id"])


def choose(
    table: Table,
    variables: Mapping[str, Variable],
    *,
    include: Mapping[str, Sequence[str]] | None = None,
    exclude: Mapping[str, Sequence[str]] | None = None,
    block: str | None = None,
    drop: bool = False,
) -> Rows:
    return select_rows(
        table,
        include=include or {},
        exclude=exclude or {},
        variables=variables,
        block=block,
        missing_covariate="drop" if drop else "error",
    )


def fails(error: type[Exception], *args: object, **keys: object) -> tuple[Finding, ...]:
    with pytest.raises(error) as caught:
        choose(*args, **keys)  # type: ignore[arg-type]  # any value
    findings: tuple[Finding, ...] = caught.value.findings  # type: ignore[attr-defined]  # set by `raises`
    return findings


def test_order_of_selection_and_reasons(tmp_path: Path) -> None:
    table = table_of(tmp_path)
    rows = choose(
        table,
        {"group": GROUP, "age": Continuous()},
        include=BOTH,
        exclude={"participant_id": ["s2", "s5"]},
        drop=True,
    )
    assert rows.kept == ("s1", "s4", "s6")
    assert [(d.observation, d.line, d.reason) for d in rows.dropped] == [
        ("s2", 3, "`participant_id` is 's2', which `exclude` names"),
        ("s3", 4, "`age` is missing"),
        ("s5", 6, "`group` is 'other', which `include` does not name"),
    ]
    assert rows.findings == ()


def test_all_rows_without_any_condition(tmp_path: Path) -> None:
    rows = choose(table_of(tmp_path), {})
    assert rows.kept == ("s1", "s2", "s3", "s4", "s5", "s6")
    assert rows.dropped == ()


def test_missing_covariate_is_an_error_by_default(tmp_path: Path) -> None:
    (found,) = fails(TableError, table_of(tmp_path), {"age": Continuous()})
    assert found.code == "E215"
    assert "`age` is missing for s3 (row 4)" in found.message
    assert (found.file, found.line, found.column) == ("participants.tsv", 4, 14)


def test_missing_cells_are_listed_shortly(tmp_path: Path) -> None:
    text = "participant_id\tage\n" + "".join(f"s{k}\t{'' if k < 20 else k}\n" for k in range(30))
    (found,) = fails(TableError, table_of(tmp_path, text), {"age": Continuous()})
    assert "s7 and 12 more (rows 2, 3, 4, 5, 6, 7, 8, 9 and 12 more)" in found.message


def test_na_stands_for_missing_cells(tmp_path: Path) -> None:
    rows = choose(table_of(tmp_path), {"age": Continuous()}, exclude={"age": ["n/a"]})
    assert [(d.observation, d.reason) for d in rows.dropped] == [
        ("s3", "`age` is n/a, which `exclude` names")
    ]
    rows = choose(table_of(tmp_path), {}, include={"age": ["n/a", "20"]})
    assert rows.kept == ("s1", "s3")


def test_all_findings_at_once(tmp_path: Path) -> None:
    found = fails(
        DesignError,
        table_of(tmp_path, TEXT.replace("s6\tpatient", "s6\tPatient ")),
        {"Age": Continuous(), "group": GROUP, "sex": Categorical(("F", "M", "X"))},
        include={"site": ["A"]},
        exclude={"participant_id": ["s22"]},
        block="fam",
    )
    assert [f.code for f in found] == ["E210", "E224", "E210", "E221", "E221", "E222", "E210"]
    include, value, age, other, near, level, block = found
    assert (include.where, include.on_key) == (("data", "include", "site"), True)
    assert value.where == ("data", "exclude", "participant_id", 0)
    assert value.help == "did you mean 's2'?"
    assert (age.where, age.on_key) == (("variables", "Age"), True)
    assert age.help == "did you mean 'age' (column 4)?"
    assert age.notes == ("columns: participant_id, group, sex, age, family",)
    assert other.message == "'other' is not a declared level of `group` (row 6)"
    assert near.message == "'Patient ' is not a declared level of `group`; did you mean 'patient'? (row 7)"
    assert (near.file, near.line, near.column, near.end_column) == ("participants.tsv", 7, 4, 12)
    assert level.where == ("variables", "sex", "levels", 2)
    assert (block.where, block.on_key) == (("model", "block"), False)


def test_error_is_the_tables_when_the_spec_has_no_fault(tmp_path: Path) -> None:
    assert issubclass(TableError, DataError)
    found = fails(TableError, table_of(tmp_path), {"group": GROUP})
    assert [f.code for f in found] == ["E221"]


def test_near_misses_of_include_do_not_vanish_silently(tmp_path: Path) -> None:
    text = TEXT.replace("s6\tpatient", "s6\tPatient ")
    (found,) = fails(TableError, table_of(tmp_path, text), {"group": GROUP}, include=BOTH)
    assert found.code == "E226"
    assert "'Patient ' in `group` is not 'patient'" in found.message
    assert found.line == 7
    rows = choose(table_of(tmp_path, text), {}, include={"group": ["control", "patient", "Patient "]})
    assert rows.kept == ("s1", "s2", "s3", "s4", "s6")


def test_no_rows_left(tmp_path: Path) -> None:
    (found,) = fails(
        TableError, table_of(tmp_path), {}, include={"sex": ["F"]}, exclude={"group": ["control", "patient"]}
    )
    assert found.code == "E213"
    assert found.notes[0] == "3 dropped: `sex` is 'M', which `include` does not name"
    found2 = fails(DesignError, table_of(tmp_path), {"agee": Continuous()}, include={"sex": ["f"]}, block="x")
    assert [f.code for f in found2] == ["E224", "E210", "E210", "E213"]


def test_block_cells_must_be_there(tmp_path: Path) -> None:
    text = TEXT.replace("20\tf1", "20\tn/a").replace("50\tf3", "50\tF3")
    found = fails(TableError, table_of(tmp_path, text), {}, block="family", drop=True)
    assert [f.code for f in found] == ["W224", "E227"]
    assert "missing for s1 (row 2)" in found[1].message
    rows = choose(table_of(tmp_path, text), {}, block="family", exclude={"participant_id": ["s1"]})
    assert [f.code for f in rows.findings] == ["W224"]


def test_further_rows_are_dropped_in_the_tables_order(tmp_path: Path) -> None:
    rows = choose(table_of(tmp_path), {"age": Continuous()}, drop=True)
    fewer = drop_rows(rows, {"s5": "no image", "s1": "no image: a.nii is missing"})
    assert fewer.kept == ("s2", "s4", "s6")
    assert [d.observation for d in fewer.dropped] == ["s1", "s3", "s5"]
    assert drop_rows(rows, {}).kept == rows.kept
    with pytest.raises(ValueError, match="s3"):
        drop_rows(rows, {"s3": "again"})
    with pytest.raises(TableError) as caught:
        drop_rows(rows, dict.fromkeys(rows.kept, "no image"))
    assert caught.value.findings[0].code == "E213"


def test_observation_table_has_every_row(tmp_path: Path) -> None:
    rows = choose(table_of(tmp_path), {"age": Continuous()}, drop=True)
    frame = observation_table(rows, {"s1": "a.nii.gz", "s4": "d.nii.gz"})
    assert list(frame.columns) == ["observation", "status", "reason", "image"]
    assert {dtype.name for dtype in frame.dtypes} == {"object"}
    assert frame.iloc[0].tolist() == ["s1", "kept", "n/a", "a.nii.gz"]
    assert frame.iloc[2].tolist() == ["s3", "dropped", "`age` is missing", "n/a"]
    assert len(frame) == 6


@settings(max_examples=60)
@given(
    cells=st.lists(
        st.tuples(st.sampled_from(["x", "y", "z"]), st.sampled_from(["1", "2.5", "n/a"])),
        min_size=1,
        max_size=12,
    ),
    include=st.sets(st.sampled_from(["x", "y", "z"]), min_size=1),
    exclude=st.sets(st.sampled_from(["x", "y", "z"])),
)
def test_kept_and_dropped_are_the_table(
    tmp_path_factory: pytest.TempPathFactory,
    cells: list[tuple[str, str]],
    include: set[str],
    exclude: set[str],
) -> None:
    found = {g for g, _ in cells}
    include, exclude = include & found or found, exclude & found
    text = "participant_id\tg\tv\n" + "".join(f"s{k}\t{g}\t{v}\n" for k, (g, v) in enumerate(cells))
    table = table_of(tmp_path_factory.mktemp("t"), text)
    expected = [f"s{k}" for k, (g, v) in enumerate(cells) if g in include and g not in exclude and v != "n/a"]
    values = {v for k, (_, v) in enumerate(cells) if f"s{k}" in expected}
    keys = {"include": {"g": sorted(include)}, "exclude": {"g": sorted(exclude)}, "drop": True}
    if len(values) < 2:
        found_codes = [f.code for f in fails(Exception, table, {"v": Continuous()}, **keys)]
        assert found_codes == (["E213"] if not expected else ["E223"])
        return
    rows = choose(table, {"v": Continuous()}, **keys)  # type: ignore[arg-type]  # any value
    assert list(rows.kept) == expected
    assert {*rows.kept, *(d.observation for d in rows.dropped)} == set(table.frame.index)
    assert len(rows.kept) + len(rows.dropped) == len(cells)
