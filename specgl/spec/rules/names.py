"""Names that clash, or that mean something else already."""

from __future__ import annotations

from collections.abc import Iterator

from specgl.errors import Finding
from specgl.grammar import FUNCTIONS
from specgl.spec.outline import Outline

HYPOTHESIS_WORDS = frozenset({"mean", "Intercept"})


def check_names(outline: Outline) -> Iterator[Finding]:
    """Names equal but for case, names taken by the grammar, values said twice."""
    for section in ("contrasts", "maps", "inference"):
        seen: dict[str, str] = {}
        for name in getattr(outline, section):
            first = seen.setdefault(name.casefold(), name)
            if first != name:
                yield Finding(
                    "E019",
                    f"'{name}' and '{first}' differ only by case: their files would be one on many disks",
                    (section, name),
                    on_key=True,
                )
    for name in outline.variables:
        if name in FUNCTIONS or name in HYPOTHESIS_WORDS or "`" in name:
            kind = "a function of formulas" if name in FUNCTIONS else "a word of hypotheses"
            what = (
                "a name with a backtick cannot be quoted in a formula"
                if "`" in name
                else f"'{name}' is {kind}"
            )
            yield Finding(
                "E021", what, ("variables", name), on_key=True, help="give the table's column another name"
            )
    for where, values in outline.lists:
        texts: set[str] = set()
        for i, value in enumerate(values):
            if isinstance(value, str) and value in texts:
                yield Finding("E019", f"'{value}' stands twice in this list", (*where, i))
            elif isinstance(value, str):
                texts.add(value)
