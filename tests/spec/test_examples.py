"""Good and bad specs: what stage 1 says of each, and that the JSON Schema says the same."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft7Validator

from specgl.errors import SpecError
from specgl.spec import examine, examine_text, json_schema, read, resolve
from specgl.spec.reader import read_file

HERE = Path(__file__).parent
GOOD = sorted(HERE.glob("good/*.yaml"))
BAD = sorted(HERE.glob("bad/*.yaml"))
READABLE = [path for path in BAD if read_file(path).value is not None]


def expected(path: Path) -> tuple[list[str], bool]:
    """Findings of a bad example as its first line says them, and whether the schema cannot see the fault."""
    first = path.read_text().partition("\n")[0].removeprefix("# expect:")
    said, _, schema = first.partition("schema:")
    return said.split(), schema.strip() == "ok"


@pytest.fixture(scope="module")
def validator() -> Draft7Validator:
    return Draft7Validator(json_schema())


@pytest.mark.parametrize("path", GOOD, ids=lambda p: p.stem)
def test_good_specs_have_no_findings(path, validator):
    examination = examine(path)
    assert examination.findings == ()
    assert examination.spec is not None
    assert list(validator.iter_errors(read_file(path).value)) == []
    # What is resolved is a spec in the same language.
    assert list(validator.iter_errors(resolve(examination.spec))) == []


@pytest.mark.parametrize("path", GOOD, ids=lambda p: p.stem)
def test_good_specs_read_the_same_from_json(path):
    spec = read(path)
    text = json.dumps(read_file(path).value)
    assert examine_text(text, is_json=True).spec == spec


@pytest.mark.parametrize("path", BAD, ids=lambda p: p.stem)
def test_bad_specs_are_told_everything_at_its_place(path):
    findings = examine(path).findings
    assert [f"{f.code}@{f.line}:{f.column}" for f in findings] == expected(path)[0]
    assert all(f.file == str(path) for f in findings)


@pytest.mark.parametrize("path", READABLE, ids=lambda p: p.stem)
def test_schema_gives_the_same_verdict(path, validator):
    value = read_file(path).value
    examination = examine(path)
    has_errors = any(f.is_error for f in examination.findings)
    assert (examination.spec is None) == has_errors
    blind = expected(path)[1]
    assert validator.is_valid(value) == (blind or not has_errors)


@pytest.mark.parametrize("path", BAD, ids=lambda p: p.stem)
def test_read_raises_all_findings(path):
    findings = examine(path).findings
    if not any(f.is_error for f in findings):
        assert read(path).name
        return
    with pytest.raises(SpecError) as caught:
        read(path)
    assert caught.value.findings == findings


def test_bad_examples_reach_every_code_of_stage_one():
    from specgl.errors.catalogue.language import LANGUAGE

    reached = {said.partition("@")[0] for path in BAD for said in expected(path)[0]}
    # E000 needs no file; E104 and E105 are the grammar's own tests.
    assert reached >= set(LANGUAGE) - {"E000", "E100", "E104", "E105"}
