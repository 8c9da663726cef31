from __future__ import annotations

import pytest

from specgl.errors import (
    CATALOGUE,
    ComputationError,
    DataError,
    DesignError,
    Exit,
    Finding,
    SpecError,
    SpecglError,
    UsageError,
    VerificationError,
    exit_code,
    raise_errors,
)


def test_each_branch_has_its_exit_code() -> None:
    codes = {
        SpecError: 1,
        DesignError: 1,
        UsageError: 2,
        DataError: 3,
        ComputationError: 4,
        VerificationError: 5,
    }
    assert {branch: int(branch.exit_code) for branch in codes} == codes


def test_an_error_tells_place_message_note_and_help() -> None:
    finding = Finding(
        "E010", "unknown key 'centre'", file="a.yaml", line=9, column=27, help="h", notes=("n",)
    )
    assert str(SpecError(finding)) == "a.yaml:9:27: E010: unknown key 'centre'\n    note: n\n    help: h"
    assert str(SpecError("plain words")) == "plain words"
    assert SpecError("plain words", finding).findings == (finding,)


def test_the_exit_code_of_findings_is_the_lowest_of_their_errors() -> None:
    data = next(code for code, entry in CATALOGUE.items() if code[0] == "E" and entry.exit is Exit.DATA)
    both = [Finding("W201", "w"), Finding(data, "d"), Finding("E010", "s")]
    assert exit_code(both) is Exit.SPEC
    assert exit_code(both[:2]) is Exit.DATA
    assert exit_code(both[:1]) is Exit.FINE
    assert exit_code([]) is Exit.FINE


def test_warnings_alone_raise_nothing() -> None:
    raise_errors([Finding("W201", "w")], SpecError)
    with pytest.raises(SpecglError) as caught:
        raise_errors([Finding("W201", "w"), Finding("E010", "s")], SpecError)
    assert [finding.code for finding in caught.value.findings] == ["W201", "E010"]
