"""JSON → events: the json module judges the syntax, a scan gives the places."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator

from specgl.spec.reader.events import Event, Kind, Plain, ReadFault
from specgl.spec.reader.numbers import read_number

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"?|[{}\[\]]|[^\s{}\[\]",:]+', re.DOTALL)
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_OPEN = {"{": Kind.MAPPING, "[": Kind.LIST}
_WORDS: dict[str, Plain] = {"null": None, "true": True, "false": False}


def check_syntax(text: str) -> None:
    """Let the json module judge.

    Raises
    ------
    ReadFault
        E001: the text is no JSON, or holds NaN or Infinity.
    """
    try:
        # Values are read from the scan; digits are not converted here, so that no number can be costly.
        json.loads(text, parse_int=str, parse_float=str, parse_constant=str)
    except json.JSONDecodeError as error:
        index = min(error.pos, max(len(text) - 1, 0))
        raise ReadFault("E001", f"this is no JSON: {error.msg}", index) from error


def json_events(text: str, report: Callable[[ReadFault], None]) -> Iterator[Event]:
    """Events of a JSON text whose syntax may still be wrong; see `check_syntax`."""
    for match in _TOKEN.finditer(text):
        token, start, end = match[0], match.start(), match.end()
        if token in _OPEN:
            yield Event(_OPEN[token], start, end)
        elif token in ("}", "]"):
            yield Event(Kind.END, start, end)
        else:
            yield _scalar(token, start, end, report)


def _scalar(token: str, start: int, end: int, report: Callable[[ReadFault], None]) -> Event:
    if token.startswith('"'):
        raw = _string(token)
        if _LONE_SURROGATE.search(raw):
            report(ReadFault("E007", "half of a surrogate pair is no character", start, end))
            raw = _LONE_SURROGATE.sub("\ufffd", raw)
        offset = start + 1 if token[1:-1] == raw else None
        return Event(Kind.SCALAR, start, end, raw=raw, value=raw, text=offset)
    if token in ("NaN", "Infinity", "-Infinity"):
        report(ReadFault("E001", f"{token} is no JSON", start, end, "write null, or leave the key out"))
    value: Plain = token
    if token in _WORDS:
        value = _WORDS[token]
    else:
        try:
            number = read_number(token, start)
        except ReadFault as fault:
            report(fault)
        else:
            value = token if number is None else number
    return Event(Kind.SCALAR, start, end, raw=token, value=value, text=start)


def _string(token: str) -> str:
    try:
        return str(json.loads(token))
    except json.JSONDecodeError:
        # The syntax is judged as a whole later; the scan only needs its shape.
        return token
