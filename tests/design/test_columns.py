from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from specgl.design.columns import check_columns, parse_number, spelling_key, typed_columns
from specgl.design.records import (
    Categorical,
    CategoricalColumn,
    Continuous,
    ContinuousColumn,
    Rows,
    Variable,
)
from specgl.design.rows import drop_rows
from specgl.design.table import read_table
from specgl.errors import DesignError, Finding, TableError


def rows_of(folder: Path, columns: Mapping[str, list[str]]) -> Rows:
    n = len(next(iter(columns.values())))
    text = "\t".join(["participant_id", *columns]) + "\n"
    text += "".join(f"s{k}\t" + "\t".join(cells[k] for cells in columns.values()) + "\n" for k in range(n))
    path = folder / "participants.tsv"
    path.write_text(text, encoding="utf-8")
    table = read_table(path, id_columns=["participant_id"])
    return Rows(table=table, kept=tuple(table.frame.index))


def check(folder: Path, cells: list[str], variable: Variable) -> tuple[Finding, ...]:
    return check_columns(rows_of(folder, {"v": cells}), {"v": variable})


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1", 1.0),
        (" -2.50 ", -2.5),
        ("+.5e-3", 0.0005),
        ("7.", 7.0),
        ("001", 1.0),
        ("1e999", None),
        ("1,5", None),
        ("inf", None),
        ("nan", None),
        ("NA", None),
        ("1_000", None),
        ("0x10", None),
        ("٣", None),
        (".", None),
        ("1 2", None),
    ],
)
def test_numbers(text: str, number: float | None) -> None:
    assert parse_number(text) == number


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("Patient ", "patient", True),
        ("site_a", "Site A", True),
        ("site-a", "site_a", True),
        ("1", "01", True),
        ("1", "1.0", True),
        ("\u200bpatient\xa0", "patient", True),
        ("-1", "1", False),
        ("a1", "a2", False),
        ("ab", "a b", False),
        ("+", "-", False),
        ("1", "one", False),
    ],
)
def test_spellings_of_one_value(one: str, other: str, alike: bool) -> None:
    assert (spelling_key(one) == spelling_key(other)) is alike


def test_levels_found_are_sorted_and_declared_ones_keep_their_order(tmp_path: Path) -> None:
    rows = rows_of(tmp_path, {"g": ["b", "a", "c", "a"]})
    found = typed_columns(rows, {"g": Categorical()})["g"]
    assert isinstance(found, CategoricalColumn)
    assert found.levels == ("a", "b", "c")
    assert found.codes.tolist() == [1, 0, 2, 0]
    declared = typed_columns(rows, {"g": Categorical(("c", "a", "b"), coding="sum")})["g"]
    assert isinstance(declared, CategoricalColumn)
    assert declared.levels == ("c", "a", "b")
    assert declared.codes.tolist() == [2, 1, 0, 1]
    assert declared.codes.dtype == np.int64
    assert declared.coding == "sum"
    with pytest.raises(ValueError, match="read-only"):
        declared.codes[0] = 1


@settings(max_examples=80)
@given(
    numbers=st.lists(st.integers(-500, 500), min_size=3, max_size=15),
    kept=st.data(),
    center=st.sampled_from(["mean", "none", 12.5]),
    scale=st.sampled_from(["sd", "none", 4.0]),
)
def test_centre_and_scale_are_those_of_the_kept_rows(
    tmp_path_factory: pytest.TempPathFactory,
    numbers: list[int],
    kept: st.DataObject,
    center: object,
    scale: object,
) -> None:
    rows = rows_of(tmp_path_factory.mktemp("t"), {"v": [f"{k / 4}" for k in numbers]})
    out = kept.draw(st.sets(st.integers(0, len(numbers) - 1), max_size=len(numbers) - 2))
    rows = drop_rows(rows, {f"s{k}": "no image" for k in out})
    raw = np.array([v / 4 for k, v in enumerate(numbers) if k not in out])
    variable = Continuous(center=center, scale=scale)  # type: ignore[arg-type]  # any value
    if np.ptp(raw) == 0:
        with pytest.raises(DesignError):
            typed_columns(rows, {"v": variable})
        return
    column = typed_columns(rows, {"v": variable})["v"]
    assert isinstance(column, ContinuousColumn)
    # Quarters are exact in binary, so only the division and the mean round: a few units in the last place.
    np.testing.assert_allclose(column.values * column.scale + column.center, raw, rtol=1e-12, atol=1e-12)
    assert column.center == {"mean": pytest.approx(raw.mean()), "none": 0.0}.get(str(center), 12.5)
    assert column.scale == {"sd": pytest.approx(np.std(raw, ddof=1)), "none": 1.0}.get(str(scale), 4.0)
    assert not column.values.flags.writeable


def test_scale_must_be_positive(tmp_path: Path) -> None:
    rows = rows_of(tmp_path, {"v": ["1", "2"]})
    for variable in (Continuous(scale=0.0), Continuous(scale=-1.0), Continuous(center=float("nan"))):
        with pytest.raises(ValueError, match="positive"):
            typed_columns(rows, {"v": variable})


def test_undeclared_level_with_its_near_miss(tmp_path: Path) -> None:
    (found,) = check(
        tmp_path, ["patient", "control", "Patient ", "Patient "], Categorical(("control", "patient"))
    )
    assert found.code == "E221"
    assert found.message == "'Patient ' is not a declared level of `v`; did you mean 'patient'? (rows 4, 5)"
    assert (found.file, found.line, found.column, found.end_column) == ("participants.tsv", 4, 4, 12)


def test_spellings_among_levels_found(tmp_path: Path) -> None:
    (found,) = check(tmp_path, ["patient", "patient", "Patient ", "control"], Categorical())
    assert found.code == "E221"
    assert "did you mean 'patient'? (row 4)" in found.message
    (found,) = check(tmp_path, ["patient ", "patient", "x"], Categorical())
    assert "did you mean 'patient'? (row 2)" in found.message
    assert check(tmp_path, ["patient", "Patient"], Categorical(("patient", "Patient"))) == ()


def test_one_level_spelt_twice_is_not_also_a_single_level(tmp_path: Path) -> None:
    assert [f.code for f in check(tmp_path, ["a", "A"], Categorical())] == ["E221"]


def test_levels_without_observation_and_single_levels(tmp_path: Path) -> None:
    (found,) = check(tmp_path, ["a", "b"], Categorical(("a", "b", "c")))
    assert (found.code, found.where) == ("E222", ("variables", "v", "levels", 2))
    (found,) = check(tmp_path, ["a", "a"], Categorical())
    assert (found.code, found.where, found.on_key) == ("E225", ("variables", "v"), True)
    (found,) = check(tmp_path, ["a", "a"], Categorical(("a",)))
    assert (found.code, found.where) == ("E225", ("variables", "v", "levels"))
    assert [f.code for f in check(tmp_path, ["a", "a"], Categorical(("a", "b")))] == ["E222"]


def test_many_undeclared_levels_are_counted(tmp_path: Path) -> None:
    found = check(tmp_path, ["a", "b", *(f"x{k}" for k in range(30))], Categorical(("a", "b")))
    assert len(found) == 21
    assert found[-1].message == "10 more undeclared levels of `v`"


def test_an_identifier_is_no_factor(tmp_path: Path) -> None:
    (found,) = check(tmp_path, [f"x{k}" for k in range(1001)], Categorical())
    assert found.code == "E228"


def test_numbers_as_ordered_levels_want_an_order(tmp_path: Path) -> None:
    cells = ["5", "10", "20"]
    (found,) = check(tmp_path, cells, Categorical(coding="polynomial"))
    assert (found.code, found.help) == ("W225", "declare `levels: [5, 10, 20]`")
    assert check(tmp_path, cells, Categorical()) == ()
    assert check(tmp_path, ["1", "2", "3"], Categorical(coding="helmert")) == ()
    assert check(tmp_path, ["low", "mid", "high"], Categorical(coding="polynomial")) == ()


@pytest.mark.parametrize(
    ("cell", "word", "help"),
    [
        ("abc", "not a number", "categorical"),
        ("NA", "not a number", "n/a, or left empty"),
        ("nan", "not a number", "n/a, or left empty"),
        ("1,5", "not a number", "decimal point: 1.5"),
        ("-inf", "not finite", "finite number"),
        ("1e999", "not a number", "finite number"),
    ],
)
def test_cells_that_are_no_numbers(tmp_path: Path, cell: str, word: str, help: str) -> None:
    (found,) = check(tmp_path, ["1", cell, "2", cell], Continuous())
    assert found.code == "E220"
    assert word in found.message
    assert "(rows 3, 5)" in found.message
    assert found.line == 3
    assert help in (found.help or "")


def test_constant_covariates(tmp_path: Path) -> None:
    (found,) = check(tmp_path, ["7", "7.0", "07"], Continuous())
    assert (found.code, found.where) == ("E223", ("variables", "v"))
    assert [f.code for f in check(tmp_path, ["0", "0"], Continuous())] == ["E223"]
    assert check(tmp_path, ["1000000.001", "1000000.002"], Continuous()) == ()


def test_a_column_without_any_value_is_missing_only(tmp_path: Path) -> None:
    for variable in (Continuous(), Categorical()):
        assert [f.code for f in check(tmp_path, ["n/a", ""], variable)] == ["E215"]


def test_dropping_rows_is_checked_again(tmp_path: Path) -> None:
    rows = rows_of(tmp_path, {"g": ["a", "b", "a"], "v": ["1", "2", "1"]})
    variables: dict[str, Variable] = {"g": Categorical(("a", "b")), "v": Continuous()}
    assert check_columns(rows, variables) == ()
    fewer = drop_rows(rows, {"s1": "no image"})
    with pytest.raises(DesignError) as caught:
        typed_columns(fewer, variables)
    assert [f.code for f in caught.value.findings] == ["E222", "E223"]


def test_faults_of_the_table_are_its_own(tmp_path: Path) -> None:
    rows = rows_of(tmp_path, {"v": ["1", "x"]})
    with pytest.raises(TableError):
        typed_columns(rows, {"v": Continuous()})
    with pytest.raises(DesignError):
        typed_columns(rows, {"V": Continuous()})
