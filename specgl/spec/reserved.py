"""What the language reserves and this release does not do: refused by name, in one table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from specgl.errors import Finding
from specgl.spec.source import Where

RESERVED_KEYS: tuple[tuple[str, ...], ...] = (
    ("extends",),
    ("params",),
    ("variants",),
    ("matrix",),
)
"""Keys of the language that this release does not know."""

RESERVED_VALUES: dict[tuple[str, ...], tuple[str, ...]] = {
    ("model", "estimator", "method"): ("mixed_effects", "fixed_effects", "robust"),
    ("model", "errors", "type"): ("hc0", "hc1", "hc2", "hc3", "hc4", "cluster"),
}
"""Values of the language that this release does not know, by their key (``*``: any name)."""

_HELP = "leave it out, or wait for the release that has it"


def take_out_reserved(raw: dict[str, Any]) -> tuple[dict[str, Any], tuple[Finding, ...]]:
    """A spec's values without what is only reserved, and a finding (E015) for each piece of that.

    A reserved value takes the whole mapping around it along, whose other keys belong to it.
    """
    findings: list[Finding] = []
    for pattern in RESERVED_KEYS:
        for where, _ in _matches(raw, pattern):
            findings.append(_refusal(f"`{'.'.join(map(str, where))}`", where, on_key=True))
            raw = _without(raw, where)
    for pattern, words in RESERVED_VALUES.items():
        for where, value in list(_matches(raw, pattern)):
            if isinstance(value, str) and value in words:
                findings.append(_refusal(f"`{where[-1]}: {value}`", where, on_key=False))
                raw = _without(raw, where[:-1])
    return raw, tuple(findings)


def _refusal(what: str, where: Where, on_key: bool) -> Finding:
    return Finding(
        "E015", f"{what} is in the language but not in this release", where, on_key=on_key, help=_HELP
    )


def _matches(raw: Any, pattern: tuple[str, ...], where: Where = ()) -> Iterator[tuple[Where, Any]]:
    if not pattern:
        yield where, raw
    elif isinstance(raw, dict):
        for key in list(raw) if pattern[0] == "*" else [pattern[0]]:
            if key in raw:
                yield from _matches(raw[key], pattern[1:], (*where, key))


def _without(raw: dict[str, Any], where: Where) -> dict[str, Any]:
    """Copy of nested mappings without one key."""
    key, rest = where[0], where[1:]
    if not rest:
        return {name: value for name, value in raw.items() if name != key}
    return {name: _without(value, rest) if name == key else value for name, value in raw.items()}
