"""Reading: scalar rules, places, bounds, and what is refused."""

from __future__ import annotations

import json

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from specgl.spec.reader import read_file, read_text
from specgl.spec.reader import yaml_events as yaml_module

WORDS = st.text(st.characters(min_codepoint=32, max_codepoint=0x1F9FF, exclude_categories=["Cs", "Cc", "Cn"]))
PLAIN = st.text("abcXYZ019._+-[](){}:# ä😀'\"", min_size=1, max_size=20)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | WORDS
)
INNER = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=12,
)
TREES = st.dictionaries(WORDS, INNER, max_size=4)


def codes(text: str, **how: bool) -> list[str]:
    return [finding.code for finding in read_text(text, **how).findings]


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("null", None), ("~", None), ("", None), ("true", True), ("false", False),
        ("3", 3), ("-0", 0), ("1e-3", 0.001), ("2.5E+2", 250.0),
        ("01", "01"), ("NO", "NO"), ("yes", "yes"), ("True", "True"), ("12:30", "12:30"),
        ("2024-01-02", "2024-01-02"), (".5", ".5"), ("1.", "1."), ("+1", "+1"), ("0x10", "0x10"),
        ("1_000", "1_000"), (".inf", ".inf"), ("NaN", "NaN"), ("'3'", "3"), ('"true"', "true"),
        ("'it''s'", "it's"), ("'~'", "~"),
        ("n/a", "n/a"),
    ],
)  # fmt: skip
def test_scalars(written, value):
    got = read_text(f"a: {written}\n").value["a"]
    assert got == value
    assert type(got) is type(value)


def test_keys_are_text_as_written():
    assert list(read_text("1: a\nnull: b\ntrue: c\n'2': d\n1.50: e\n").value) == [
        "1",
        "null",
        "true",
        "2",
        "1.50",
    ]


@pytest.mark.parametrize("loader", ["CSafeLoader", "SafeLoader"])
def test_both_parsers_read_alike(loader, monkeypatch):
    monkeypatch.setattr(yaml_module, "_LOADER", getattr(yaml, loader, yaml.SafeLoader))
    document = read_text("a: {x: 1, 'ké😀': \"😀 b\"}\nb: &q [1, two words]\nc: *q\nd: |\n  3\n  4\n")
    assert document.value == {
        "a": {"x": 1, "ké😀": "😀 b"},
        "b": [1, "two words"],
        "c": [1, "two words"],
        "d": "3\n4\n",
    }
    locate = document.source.locate
    assert locate(("a", "ké😀"), (2, 3)) == (1, 21, 22)
    assert locate(("a", "ké😀"), on_key=True) == (1, 11, 16)
    assert locate(("b", 1), (4, 9)) == (2, 15, 20)
    assert locate(("c",)) == (3, 4, 6)
    assert locate(("c", 1)) == (2, 11, 20)
    assert locate(("d",), (0, 1)) == (4, 4, 5)


@settings(max_examples=150)
@given(PLAIN, st.sampled_from(["'{}'", '"{}"', "{}"]), st.data())
def test_a_span_points_at_its_letters(text, quoting, data):
    written = quoting.format(text)
    document = read_text(f"# first\nkey: [x, {written}]\n")
    value = (document.value or {}).get("key")
    if document.findings or not isinstance(value, list) or len(value) != 2 or value[1] != text:
        return  # quotes or signs inside that change what is read
    i = data.draw(st.integers(0, len(text) - 1))
    line, column, end = document.source.locate(("key", 1), (i, i + 1))
    # The line as shown has its trailing blanks cut, so that a caret is one wide at least.
    assert line == 2
    assert document.source.text.split("\n")[1][column - 1 : end - 1] == text[i]


@settings(max_examples=100)
@given(TREES)
def test_json_reads_as_json_does_also_as_yaml(tree):
    text = json.dumps(tree, ensure_ascii=False)
    assert read_text(text, is_json=True).value == tree
    escaped = json.dumps(tree)
    assert read_text(escaped, is_json=True).value == tree


@settings(max_examples=60)
@given(TREES)
def test_every_value_has_its_place(tree):
    document = read_text(json.dumps(tree, indent=1), is_json=True)

    def check(value, where):
        place = document.source.places[where]
        assert json.loads(document.source.text[place.start : place.end]) == value
        for key, inner in (
            value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        ):
            check(inner, (*where, key))

    check(tree, ())


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("a: !!int 3", "E003"), ("a: !x {b: 1}", "E003"), ("a: ! 3", "E003"), ("<<: {a: 1}", "E003"),
        ("? [a, b]\n: 1", "E003"), ("&m {a: 1}: 2", "E003"), ("a: 1\n---\nb: 2", "E003"),
        ("a: 1\na: 2", "E002"), ("x: {a: 1, b: 2, a: 3}", "E002"), ("&a k: 1\n*a : 2", "E002"),
        ("a: &x [*x]", "E004"), ("&x {a: *x}", "E004"), ("a: " + "[" * 41, "E004"), ("[" * 200_000, "E004"),
        ("- " * 100_000, "E004"), ("a: " + "x" * 1_000_000, "E004"), ("a: 1e999", "E005"),
        ("a: 9007199254740993", "E005"), ("a: " + "9" * 5000, "E005"), ("", "E006"), ("# only\n", "E006"),
        ("[1]", "E006"), ("a: *b", "E001"), ("a:\n\tb: 1", "E001"), ("a: 'x", "E001"),
        ("a: x: y", "E001"), ("a: `b`", "E001"),
        ("a: \x00", "E007"), ("a: \x7f", "E007"), ("a: \ud800", "E007"),
    ],
)  # fmt: skip
def test_yaml_that_is_refused(text, code):
    assert codes(text)[:1] == [code]


def test_aliases_cannot_grow_without_bound():
    laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
    laughs += "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 12))
    assert codes(laughs) == ["E004"]
    chain = "a0: &a0 [x]\n" + "".join(f"a{i}: &a{i} [*a{i - 1}]\n" for i in range(1, 60))
    assert codes(chain) == ["E004"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('{"a": 1, "a": 2}', "E002"), ('{"a": NaN}', "E001"), ('{"a": -Infinity}', "E001"),
        ('{"a": 01}', "E001"),
        ('{"a": 1,}', "E001"), ("[" * 100_000, "E004"), ('{"a":' * 100_000, "E004"),
        ('{"a": "\\ud800"}', "E007"),
        ('{"a": 1e400}', "E005"), ("", "E006"), ("[]", "E006"), ('{"a": 1} 2', "E001"), ("{'a': 1}", "E001"),
        ('{"a": "b', "E001"),
    ],
)  # fmt: skip
def test_json_that_is_refused(text, code):
    assert codes(text, is_json=True)[:1] == [code]


def test_surrogate_pairs_are_one_letter():
    document = read_text('{"a": "\\ud83d\\ude00x", "b": "😀x"}', is_json=True)
    assert document.value == {"a": "😀x", "b": "😀x"}
    assert document.source.locate(("b",), (1, 2)) == (1, 31, 32)
    assert document.source.locate(("a",), (1, 2)) == (1, 7, 22)


def test_duplicates_name_both_lines():
    (finding,) = read_text("a: 1\nb: 2\na: 3\n").findings
    assert (finding.line, finding.column, finding.end_column) == (3, 1, 2)
    assert "line 1" in finding.message


def test_line_ends_and_marks(tmp_path):
    path = tmp_path / "s.yaml"
    path.write_bytes(b"\xef\xbb\xbfa: 1\r\nb: x\r\n")
    document = read_file(path)
    assert document.value == {"a": 1, "b": "x"}
    assert document.source.locate(("b",)) == (2, 4, 5)


@pytest.mark.parametrize(
    ("raw", "code", "place"),
    [
        (b"a: 1\nb: \xff", "E007", (2, 4)),
        (b"x" * 1_000_001, "E004", (1, 1)),
        (b"a: \xc3\xa4" + b"\xc3\xa4" * 600_000, "E004", (1, 1)),
    ],
)
def test_files_that_are_no_text(tmp_path, raw, code, place):
    path = tmp_path / "s.yaml"
    path.write_bytes(raw)
    (finding,) = read_file(path).findings
    assert (finding.code, finding.line, finding.column) == (code, *place)


def test_files_that_are_not_there(tmp_path):
    for path in (tmp_path / "none.yaml", tmp_path):
        (finding,) = read_file(path).findings
        assert finding.code == "E000"
        assert finding.file == str(path)


def test_the_suffix_decides(tmp_path):
    path = tmp_path / "s.json"
    path.write_text("a: 1")
    assert [f.code for f in read_file(path).findings] == ["E001"]
