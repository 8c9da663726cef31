"""Columns of blocks to a tree: what may change places, and what is wrong with the columns."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from specgl.design import BlockLevel, Exchange, Rows, drop_rows, exchange_tree, read_table
from specgl.errors import DesignError, SpecglError, TableError
from specgl.kernels.shuffles import make_shuffles, orbits


def shuffles_of(exchange: Exchange) -> set[tuple[int, ...]]:
    """All permutations that a tree admits, the rows being all different."""
    made = make_shuffles(exchange.tree, np.arange(exchange.tree.n_obs), "permute", None, 1)
    return {tuple(rows) for rows in made.rows.tolist()}


def findings(rows: Rows, *levels: BlockLevel, error: type[SpecglError] = TableError, **how):
    with pytest.raises(error) as caught:
        exchange_tree(rows, levels, **how)
    return caught.value.findings


def only(rows: Rows, *levels: BlockLevel, error: type[SpecglError] = TableError, **how):
    (finding,) = findings(rows, *levels, error=error, **how)
    return finding


def test_without_blocks_everything_changes_places(make_rows):
    exchange = exchange_tree(make_rows({"x": range(4)}), [])
    assert shuffles_of(exchange) == set(itertools.permutations(range(4)))
    assert (exchange.words, exchange.levels, exchange.blocks, exchange.findings) == ((), (), (), ())
    assert exchange.observations == ("s00", "s01", "s02", "s03")
    assert len(list(exchange.lines())) == 1


def test_within_blocks(make_rows):
    rows = make_rows({"pair": ["b", "a", "b", "a", "c"]})
    exchange = exchange_tree(rows, [BlockLevel("pair")])
    assert shuffles_of(exchange) == {
        (0, 1, 2, 3, 4), (2, 1, 0, 3, 4), (0, 3, 2, 1, 4), (2, 3, 0, 1, 4),
    }  # fmt: skip
    assert exchange.blocks == (("a", "b", "c"),)
    assert exchange.words == ("rows change places inside each block of `pair`",)
    assert any("pair" in line for line in exchange.lines())


@pytest.mark.parametrize(
    ("order", "swapped"),
    [
        (["1", "2", "10", "9"], (3, 2, 1, 0)),  # numbers: 1 2 | 9 10
        (["a1", "a2", "a10", "a9"], (2, 3, 0, 1)),  # text: a1 a2 | a10 a9
        (["1.5", "-2", "-1e1", "01"], (3, 2, 1, 0)),  # numbers, however written
        (["1", "x", "10", "9"], (2, 3, 0, 1)),  # text as soon as one is no number
    ],
)
def test_members_of_whole_blocks_are_matched_by_an_order(make_rows, order, swapped):
    rows = make_rows({"family": ["p", "p", "q", "q"], "birth": order})
    exchange = exchange_tree(rows, [BlockLevel("family", "whole", order="birth")])
    assert shuffles_of(exchange) == {(0, 1, 2, 3), swapped}


def test_without_an_order_members_are_matched_by_their_ids(tmp_path):
    path = tmp_path / "t.tsv"
    path.write_text("participant_id\tfamily\nd\tp\na\tq\nb\tp\nc\tq\n")
    table = read_table(path, id_columns=["participant_id"])
    rows = Rows(table, tuple(table.frame.index))
    exchange = exchange_tree(rows, [BlockLevel("family", "whole")])
    # b and d of p against a and c of q.
    assert shuffles_of(exchange) == {(0, 1, 2, 3), (3, 2, 1, 0)}


@settings(max_examples=30, deadline=None)
@given(st.permutations(range(6)))
def test_the_tables_order_does_not_matter(order):
    family = ["p", "p", "q", "q", "r", "r"]
    ids = [f"s{i}" for i in range(6)]

    def exchanges(rows: list[int]) -> set[frozenset[tuple[str, str]]]:
        from pathlib import Path

        from specgl.design import Table

        frame = pd.DataFrame({"family": [family[i] for i in rows]}, index=[ids[i] for i in rows])
        table = Table(Path("t.tsv"), "t.tsv", frame, tuple(range(2, 8)), {"family": 1})
        exchange = exchange_tree(Rows(table, tuple(frame.index)), [BlockLevel("family", "both")])
        names = exchange.observations
        return {frozenset((names[i], names[k]) for i, k in enumerate(s)) for s in shuffles_of(exchange)}

    assert exchanges(list(order)) == exchanges(list(range(6)))


def test_levels_in_one_another(make_rows):
    rows = make_rows(
        {
            "size": [2, 2, 2, 2, 1, 1],
            "family": ["p", "p", "q", "q", "r", "s"],
        }
    )
    exchange = exchange_tree(rows, [BlockLevel("size"), BlockLevel("family", "whole")])
    assert shuffles_of(exchange) == {
        (0, 1, 2, 3, 4, 5), (2, 3, 0, 1, 4, 5), (0, 1, 2, 3, 5, 4), (2, 3, 0, 1, 5, 4),
    }  # fmt: skip
    assert exchange.words == (
        "blocks of `size` stay where they are",
        "blocks of `family` change places as wholes",
    )
    assert orbits(exchange.tree, "permute").tolist() == [0, 1, 0, 1, 2, 2]


def test_rows_that_are_dropped_have_no_place(make_rows):
    rows = drop_rows(make_rows({"family": ["p", "p", "q", "q", "r"]}), {"s04": "no image"})
    exchange = exchange_tree(rows, [BlockLevel("family", "whole")])
    assert (exchange.tree.n_obs, exchange.blocks) == (4, (("p", "q"),))


def test_columns_that_the_table_lacks(make_rows):
    rows = make_rows({"family": ["p", "p", "q", "q"]})
    level = BlockLevel("familie", "whole", order="birth", where=("permutation", "blocks", 0))
    by, order = findings(rows, level, error=DesignError)
    assert (by.code, by.where) == ("E210", ("permutation", "blocks", 0, "by"))
    assert "did you mean 'family'" in (by.help or "")
    assert (order.code, order.where) == ("E210", ("permutation", "blocks", 0, "order"))


@pytest.fixture
def table_rows(tmp_path):
    def make(text: str) -> Rows:
        path = tmp_path / "rows.tsv"
        path.write_text("participant_id\tfamily\tbirth\n" + text)
        table = read_table(path, id_columns=["participant_id"])
        return Rows(table, tuple(table.frame.index))

    return make


def place(finding) -> tuple[str, str | None, int | None, int | None]:
    return finding.code, finding.file, finding.line, finding.column


def test_missing_blocks_are_told_by_their_lines_and_never_dropped(table_rows):
    rows = table_rows("a\tp\t1\nb\tn/a\t2\nc\tq\t1\nd\t\t2\n")
    finding = only(rows, BlockLevel("family"))
    assert place(finding) == ("E227", "rows.tsv", 3, 3)
    assert "b, d (rows 3, 5)" in finding.message


def test_missing_places_in_an_order(table_rows):
    rows = table_rows("a\tp\t1\nb\tp\tn/a\nc\tq\t1\nd\tq\t2\n")
    finding = only(rows, BlockLevel("family", "whole", order="birth"))
    assert place(finding) == ("E261", "rows.tsv", 3, 5)
    assert "b (row 3)" in finding.message


def test_one_place_for_two_members(table_rows):
    rows = table_rows("a\tp\t1\nb\tp\t01\nc\tq\t1\nd\tq\t2\n")
    finding = only(rows, BlockLevel("family", "both", order="birth"))
    assert place(finding) == ("E262", "rows.tsv", 3, 5)
    assert "block 'p' of `family`" in finding.message
    assert "(rows 2, 3)" in finding.message


def test_many_ties_are_counted(make_rows):
    n = 50
    rows = make_rows({"family": [f"f{i // 2}" for i in range(n)], "birth": ["1"] * n})
    told = findings(rows, BlockLevel("family", "whole", order="birth"))
    assert {finding.code for finding in told} == {"E262"}
    assert (len(told), told[-1].message[:2]) == (21, "5 ")


def test_blocks_of_unequal_size_are_named(table_rows):
    rows = table_rows("a\tp\t1\nb\tp\t2\nc\tq\t1\nd\tq\t2\ne\tr\t1\nf\tr\t2\ng\tr\t3\nh\ts\t1\n")
    finding = only(rows, BlockLevel("family", "whole"))
    assert finding.code == "E260"
    assert (finding.file, finding.line) == ("rows.tsv", 6)
    assert "'r' (3 rows), 's' (1 row); others have 2 rows" in finding.message
    assert "`shuffle: within`" in (finding.help or "")


def test_blocks_of_unequal_build_are_named(make_rows):
    rows = make_rows(
        {"family": ["p"] * 4 + ["q"] * 4 + ["r"] * 4, "twin": [*"aabb", *"ccdd", *"eeef"]},
    )
    finding = only(rows, BlockLevel("family", "whole"), BlockLevel("twin"))
    assert finding.code == "E260"
    assert "'r' (1+3 rows by `twin`); others have 2+2 rows by `twin`" in finding.message


def test_blocks_lie_in_one_another(table_rows):
    rows = table_rows("a\tp\t1\nb\tp\t2\nc\tq\t1\nd\tq\t2\n")
    finding = only(rows, BlockLevel("family", "whole"), BlockLevel("birth"))
    assert place(finding) == ("E263", "rows.tsv", 2, 5)
    assert "block '1' of `birth` lies in several blocks of `family` (p, q), and 1 more" in finding.message
    assert "family_birth" in (finding.help or "")


@pytest.mark.parametrize(
    ("column", "shuffle", "why"),
    [
        ("participant", "within", "each block of `participant` has one row only"),
        ("site", "whole", "`site` has one block only"),
    ],
)
def test_nothing_that_can_change_places_is_an_error(make_rows, column, shuffle, why):
    rows = make_rows({"participant": [*"abcd"], "site": [*"xxxx"]})
    level = BlockLevel(column, shuffle, where=("permutation", "blocks", 0))
    finding = only(rows, level, error=DesignError)
    assert (finding.code, finding.where) == ("E264", ("permutation", "blocks", 0))
    assert why in finding.message
    # What changes its sign need not move.
    assert exchange_tree(rows, [level], exchange="flip").tree.n_obs == 4


def test_a_level_that_restricts_nothing_is_warned_of(make_rows):
    exchange = exchange_tree(make_rows({"site": [*"xxxx"]}), [BlockLevel("site")])
    (finding,) = exchange.findings
    assert (finding.code, finding.where) == ("W260", ("permutation", "blocks", "by"))
    assert len(shuffles_of(exchange)) == 24


def test_doubtful_spellings_are_told_once(make_rows):
    rows = make_rows({"family": ["p", "p", "P", "P"]})
    exchange = exchange_tree(rows, [BlockLevel("family", "whole")])
    assert [finding.code for finding in exchange.findings] == ["W224"]
    known = Rows(rows.table, rows.kept, findings=exchange.findings)
    assert exchange_tree(known, [BlockLevel("family", "whole")]).findings == ()


def test_all_levels_are_read_before_anything_is_told(make_rows):
    rows = make_rows({"family": ["p", "p", "q", "q"]})
    told = findings(rows, BlockLevel("famly"), BlockLevel("twn"), error=DesignError)
    assert [finding.code for finding in told] == ["E210", "E210"]
