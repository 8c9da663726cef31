"""What the rules look at: as much of a spec as can be understood, even when parts of it are wrong."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from specgl.grammar import Formula, read_formula
from specgl.spec.source import Where

_NEVER_EMPTY = ("data", "model")


@dataclass(frozen=True)
class Declared:
    """A declared variable; ``kind`` and ``levels`` are None where unknown."""

    kind: str | None = None
    levels: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Written:
    """A text of the spec, and where it stands."""

    where: Where
    text: str


@dataclass(frozen=True)
class Level:
    """A level of exchangeability blocks as written; None for what is not said or not understood."""

    where: Where
    by: str | None
    shuffle: str | None
    order: str | None


@dataclass(frozen=True, eq=False, repr=False)
class Shuffles:
    """What decides how data are shuffled.

    Attributes
    ----------
    n, exchange, nuisance, tail
        As written; None where nothing is.
    levels
        Levels of blocks, the outer first.
    variance_groups
        A column, or a mapping; None where nothing is said.
    available
        Whether locations that lack some observations are analysed too.
    """

    n: Any
    exchange: Any
    nuisance: Any
    tail: Any
    levels: tuple[Level, ...]
    variance_groups: Any
    available: bool


@dataclass(frozen=True, eq=False, repr=False)
class Outline:
    """The parts of a spec that rules compare with each other.

    Attributes
    ----------
    sections
        Top-level keys that hold something.
    variables, voxelwise
        What the formula may name.
    formula, block
        The model.
    roles
        Columns that have a part in the analysis beside the formula's: blocks, their order, variance groups.
    contrasts, maps, inference
        Their names with what stands under them.
    shuffles
        What is said of shuffles, and of what they depend on.
    hypotheses, terms
        Texts of the contrasts.
    paths, templates
        Texts that name files.
    lists
        Lists in which nothing may stand twice.
    is_partial
        Whether the spec says that a part of it stands elsewhere.
    misspelt
        Top-level keys that unknown ones were probably meant for; what is missing there is told already.
    says_variables
        Whether `variables` could be understood, so that a name that is not in it is not declared.
    """

    sections: frozenset[str]
    variables: Mapping[str, Declared]
    voxelwise: tuple[str, ...]
    formula: Formula | None
    block: str | None
    roles: frozenset[str]
    contrasts: Mapping[str, Any]
    maps: Mapping[str, Any]
    inference: Mapping[str, Any]
    shuffles: Shuffles
    hypotheses: tuple[Written, ...]
    terms: tuple[Written, ...]
    paths: tuple[Written, ...]
    templates: tuple[Written, ...]
    lists: tuple[tuple[Where, tuple[Any, ...]], ...]
    has_images: bool
    is_partial: bool
    misspelt: frozenset[str] = frozenset()
    says_variables: bool = True

    @property
    def formula_names(self) -> frozenset[str]:
        """Variables in the formula."""
        return frozenset(use.name for use in self.formula.names) if self.formula else frozenset()

    @property
    def formula_is_sound(self) -> bool:
        """Whether the formula was read whole, so that a name that is not in it was not meant to be."""
        if self.formula is None or any(problem.code.startswith("E") for problem in self.formula.problems):
            return False
        return self.formula_names <= {*self.variables, *self.voxelwise, self.block}


def outline(raw: Mapping[str, Any], misspelt: frozenset[str] = frozenset()) -> Outline:
    """Outline of a spec's values; what is of the wrong kind is passed over.

    Parameters
    ----------
    raw
        The values.
    misspelt
        Top-level keys that unknown ones were probably meant for.
    """
    formula = _get(raw, "model", "formula")
    block = _get(raw, "model", "block")
    shuffles = _shuffles(raw)
    return Outline(
        sections=frozenset(k for k, v in raw.items() if v is not None and (v != {} or k in _NEVER_EMPTY)),
        variables={name: _declared(value) for name, value in _mapping(raw, "variables").items()},
        voxelwise=tuple(_mapping(raw, "data", "voxelwise")),
        formula=read_formula(formula) if isinstance(formula, str) and formula else None,
        block=block if isinstance(block, str) else None,
        roles=frozenset(_roles(block, shuffles)),
        contrasts=_mapping(raw, "contrasts"),
        maps=_mapping(raw, "maps"),
        inference=_mapping(raw, "inference"),
        shuffles=shuffles,
        hypotheses=tuple(_hypotheses(_mapping(raw, "contrasts"))),
        terms=tuple(_texts(raw, [("contrasts", name, "term") for name in _mapping(raw, "contrasts")])),
        paths=tuple(_paths(raw)),
        templates=tuple(_texts(raw, _image_places(raw))),
        lists=tuple(_lists(raw)),
        has_images=_get(raw, "data", "images") is not None,
        is_partial="extends" in raw,
        misspelt=misspelt,
        says_variables="variables" not in misspelt and isinstance(raw.get("variables", {}), Mapping),
    )


def _get(raw: Any, *keys: str | int) -> Any:
    for key in keys:
        if not isinstance(raw, Mapping) or key not in raw:
            return None
        raw = raw[key]
    return raw


def _mapping(raw: Mapping[str, Any], *keys: str) -> Mapping[str, Any]:
    found = _get(raw, *keys)
    return found if isinstance(found, Mapping) else {}


def _declared(value: Any) -> Declared:
    kind, levels = _get(value, "type"), _get(value, "levels")
    known = isinstance(levels, list | tuple) and all(isinstance(level, str) for level in levels)
    return Declared(kind if isinstance(kind, str) else None, tuple(levels) if known else None)


def _shuffles(raw: Mapping[str, Any]) -> Shuffles:
    blocks = _get(raw, "permutation", "blocks")
    several = isinstance(blocks, list | tuple)
    where: Where = ("permutation", "blocks")
    written = [((*where, i), level) for i, level in enumerate(blocks)] if several else [(where, blocks)]
    return Shuffles(
        n=_get(raw, "permutation", "n"),
        exchange=_get(raw, "permutation", "exchange"),
        nuisance=_get(raw, "permutation", "nuisance"),
        tail=_get(raw, "permutation", "tail"),
        levels=tuple(
            Level(at, *(_text(level, key) for key in ("by", "shuffle", "order")))
            for at, level in written
            if isinstance(level, Mapping)
        ),
        variance_groups=_get(raw, "model", "variance_groups"),
        available=isinstance(_get(raw, "data", "missing", "voxel"), Mapping),
    )


def _roles(block: Any, shuffles: Shuffles) -> Iterator[str]:
    for column in (block, shuffles.variance_groups):
        if isinstance(column, str):
            yield column
    for level in shuffles.levels:
        yield from (column for column in (level.by, level.order) if column is not None)


def _text(value: Any, key: str) -> str | None:
    found = _get(value, key)
    return found if isinstance(found, str) else None


def _hypotheses(contrasts: Mapping[str, Any]) -> Iterator[Written]:
    for name, contrast in contrasts.items():
        where: Where = ("contrasts", name)
        said = contrast
        if not isinstance(contrast, str):
            where, said = (*where, "hypothesis"), _get(contrast, "hypothesis")
        if isinstance(said, str) and said:
            yield Written(where, said)
        elif isinstance(said, list | tuple):
            yield from (
                Written((*where, i), text) for i, text in enumerate(said) if isinstance(text, str) and text
            )


def _texts(raw: Mapping[str, Any], places: Iterable[Where]) -> Iterator[Written]:
    for where in places:
        text = _get(raw, *where)
        if isinstance(text, str) and text:
            yield Written(where, text)


def _image_places(raw: Mapping[str, Any]) -> list[Where]:
    """Keys under which one image an observation is named."""
    named: list[Where] = [("data", key) for key in ("images", "variances", "masks")]
    return named + [("data", "voxelwise", name) for name in _mapping(raw, "data", "voxelwise")]


def _paths(raw: Mapping[str, Any]) -> Iterator[Written]:
    data = [
        ("data", "table"),
        ("data", "resample", "to"),
        ("output", "directory"),
        ("output", "underlay"),
        ("mask",),
        ("mask", "image"),
    ]
    images = [
        (*place, *form) for place in _image_places(raw) for form in ((), ("file",), ("bids", "dataset"))
    ]
    maps = [("maps", name, "image") for name in _mapping(raw, "maps")]
    labels: list[Where] = [("output", "atlas")]
    labels += [("inference", name, "regions") for name in _mapping(raw, "inference")]
    regions = [(*where, *form) for where in labels for form in ((), ("image",), ("labels",))]
    yield from _texts(raw, [*data, *images, *maps, *regions])


def _lists(raw: Mapping[str, Any]) -> Iterator[tuple[Where, tuple[Any, ...]]]:
    levels = [("variables", name, "levels") for name in _mapping(raw, "variables")]
    for where in [("data", "id"), ("output", "maps"), *levels]:
        found = _get(raw, *where)
        if isinstance(found, list | tuple):
            yield where, tuple(found)
