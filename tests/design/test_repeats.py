"""Several rows of one participant are told, unless the model knows of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from specgl.design import read_table, repeated_rows, select_rows
from specgl.errors import CATALOGUE, Finding

TEXT = "participant_id\tsession\tage\ns1\tpre\t20\ns1\tpost\t20\ns2\tpre\t30\n"
IDS = ("participant_id", "session")


@pytest.fixture
def told(tmp_path: Path):
    path = tmp_path / "participants.tsv"
    path.write_text(TEXT)
    table = read_table(path, id_columns=IDS)

    def tell(
        formula: str = "age", *, block: str | None = None, sessions: tuple[str, ...] = ("pre", "post")
    ) -> tuple[Finding, ...]:
        rows = select_rows(
            table,
            include={"session": sessions},
            exclude={},
            variables={},
            block=block,
            missing_covariate="error",
        )
        return repeated_rows(rows, IDS, formula=formula, block=block)

    return tell


def test_rows_of_one_participant_are_told(told) -> None:
    (finding,) = told()
    assert finding.code == "W239"
    assert finding.code in CATALOGUE
    assert finding.message.startswith("1 of 2 values of `participant_id`")


def test_a_model_that_knows_of_them_is_left_alone(told) -> None:
    assert told(block="participant_id") == ()
    assert told("age + participant_id") == ()
    assert told(sessions=("pre",)) == ()
