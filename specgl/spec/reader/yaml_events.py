"""YAML → events. Nothing is constructed: the parser's events alone are used."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import yaml

from specgl.spec.reader.events import Event, Kind, Plain, ReadFault
from specgl.spec.reader.numbers import read_number

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_WORDS: dict[str, Plain] = {"null": None, "~": None, "": None, "true": True, "false": False}

_UNCLOSED = "found unexpected end of stream"
_TOO_DEEP = "exceeded maximum nesting depth"
_NO_COLON = "could not find expected ':'"
_HELP = (
    (
        "mapping values are not allowed",
        "keys of one mapping begin in the same column; a text that contains ': ' goes in quotes",
    ),
    (_UNCLOSED, "a quotation mark or a bracket is not closed"),
    (
        "found unknown escape character",
        "write the text in single quotes, where a backslash is only a backslash",
    ),
    (_NO_COLON, "a key is followed by ': '"),
    ("found unexpected ':'", "a key is followed by ': ' and its value"),
    (
        "did not find expected key",
        "keys of one mapping begin in the same column; nothing follows a closing quotation mark or bracket",
    ),
    ("found undefined tag", "tags are no part of the language: leave it out"),
)
_QUOTE_FIRST = "quote a text that begins with '{first}'"


def yaml_events(text: str, report: Callable[[ReadFault], None]) -> Iterator[Event]:
    """Events of a YAML text; what is refused but can be read past goes to ``report``.

    Raises
    ------
    ReadFault
        E001: the text is no YAML; E003: it holds several documents; E004: it is nested without end.
    """
    documents = 0
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise ReadFault(
                        "E003",
                        "a second document begins here ('---')",
                        _span(event)[0],
                        help="one file holds one spec",
                    )
            elif isinstance(event, yaml.NodeEvent):
                yield _node(text, event, report)
            elif isinstance(event, yaml.CollectionEndEvent):
                yield Event(Kind.END, *_span(event))
    except yaml.MarkedYAMLError as error:
        raise _syntax(text, error) from error


def _span(event: yaml.Event) -> tuple[int, int]:
    """Characters of an event; the parsers give marks to all but made-up ones."""
    start, end = event.start_mark, event.end_mark
    return (start.index if start else 0), (end.index if end else 0)


def _node(text: str, event: yaml.NodeEvent, report: Callable[[ReadFault], None]) -> Event:
    start, end = _span(event)
    if isinstance(event, yaml.AliasEvent):
        return Event(Kind.ALIAS, start, end, raw=event.anchor or "")
    tag = getattr(event, "tag", None)
    if tag is not None:
        tag = tag.replace("tag:yaml.org,2002:", "!!")
        report(
            ReadFault("E003", f"the tag '{tag}' is no part of the language", start, end, "leave the tag out")
        )
    if isinstance(event, yaml.ScalarEvent):
        return _scalar(text, event, report)
    kind = Kind.MAPPING if isinstance(event, yaml.MappingStartEvent) else Kind.LIST
    return Event(kind, start, end, anchor=event.anchor)


def _scalar(text: str, event: yaml.ScalarEvent, report: Callable[[ReadFault], None]) -> Event:
    raw = event.value
    plain = not event.style  # None from one parser, '' from the other
    # An anchor or a tag before the value belongs to the event, not to the value's text.
    start, end = _span(event)
    if (event.anchor or event.tag) and plain:
        start = max(end - len(raw), start)
    written = text[start:end]
    value: Plain = raw
    if plain and raw in _WORDS:
        value = _WORDS[raw]
    elif plain:
        try:
            number = read_number(raw, start)
        except ReadFault as fault:
            report(fault)
        else:
            value = raw if number is None else number
    offset = None
    if plain and written == raw:
        offset = start
    elif event.style in ("'", '"') and written[1:-1] == raw:
        offset = start + 1
    return Event(
        Kind.SCALAR,
        start,
        end,
        raw=raw,
        value=value,
        text=offset,
        anchor=event.anchor,
        merge=plain and raw == "<<",
    )


def _syntax(text: str, error: yaml.MarkedYAMLError) -> ReadFault:
    """The parser's complaint in the user's words."""
    problem = error.problem or error.context or "unknown fault"
    # These two are found far behind the fault, and say where it began.
    began_before = _UNCLOSED in problem or _NO_COLON in problem
    mark = (began_before and error.context_mark) or error.problem_mark or error.context_mark
    index = min(mark.index if mark else 0, max(len(text) - 1, 0))
    if _TOO_DEEP in problem:
        # Newer parsers have a bound of their own, and look that far ahead before a first event comes.
        return ReadFault("E004", "lists and mappings are nested too deeply", index)
    begin = text.rfind("\n", 0, index) + 1
    before = text[begin : index + 1]
    if "\t" in before and not before.strip(" \t-?:"):
        return ReadFault(
            "E001", "a tab cannot indent YAML", begin + before.index("\t"), help="indent with spaces"
        )
    helps = [advice for words, advice in _HELP if words in problem]
    stop = text.find("\n", index)
    line = text[begin : len(text) if stop < 0 else stop]
    value = line.partition(": ")[2].strip() or line.strip().removeprefix("- ")
    if "flow" in (error.context or ""):
        helps.append("quote a text that contains '[', ']', '{', '}' or ','")
    elif value[:1] and value[0] in "{[`@%&*!|>":
        # Where the parser names what it did not expect, that is the nearer cause.
        helps.insert(len(helps) if "unexpected" in problem else 0, _QUOTE_FIRST.format(first=value[0]))
    context = f" ({error.context})" if error.context and error.context != problem else ""
    return ReadFault("E001", f"this is no YAML: {problem}{context}", index, help=helps[0] if helps else None)
