"""What the language reserves and this release does not do: refused by name, in one table."""

from __future__ import annotations

from typing import Any

from specgl.errors import Finding

RESERVED_KEYS = ("extends", "params", "variants", "matrix")
"""Sections of the language that this release does not know."""


def take_out_reserved(raw: dict[str, Any]) -> tuple[dict[str, Any], tuple[Finding, ...]]:
    """A spec's values without what is only reserved, and a finding (E015) for each piece of that."""
    findings = tuple(
        Finding(
            "E015",
            f"`{key}` is in the language but not in this release",
            (key,),
            on_key=True,
            help="leave it out, or wait for the release that has it",
        )
        for key in RESERVED_KEYS
        if key in raw
    )
    return {key: value for key, value in raw.items() if key not in RESERVED_KEYS}, findings
