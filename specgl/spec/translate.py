"""Pydantic's errors → findings in the user's words."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from specgl.errors import Finding
from specgl.grammar import did_you_mean, propose_label, suggest
from specgl.spec.base import IDENTIFIER_PATTERN, keys
from specgl.spec.contrasts import FContrast
from specgl.spec.follow import Spot, follow
from specgl.spec.forms import hallmark, home, kin, near, telling

_QUOTED = re.compile(r"'([^']*)'|(-?\d+)")

_EXPECTED = {
    "string_type": "text",
    "float_type": "a number",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "union_tag_not_found": "a mapping",
}
_EXAMPLES = {
    ("contrasts", "*"): 'a hypothesis in quotes, such as "group[patient] - group[control]", or '
    "{{weights: {{regressor: number}}}}",
    ("contrasts", "*", "weights", "*"): "weights name their regressors, as in {{weights: {{age: 1}}}}",
    ("data", "images"): 'a template such as "maps/{{participant_id}}.nii.gz", or {{column: name}}, or '
    "{{bids: ...}}, or {{file: all.nii.gz, index: column}}",
    **dict.fromkeys(
        (("data", "variances"), ("data", "voxelwise", "*")),
        'a template such as "maps/{{participant_id}}.nii.gz", or {{column: name}}, or {{bids: ...}}, or '
        "{{file: all.nii.gz, index: column}}",
    ),
    ("data", "voxelwise"): "each covariate has its name, as in {{gm: {{column: grey_matter}}}}",
    ("data", "missing"): "write what is missing: {{image: {word}}} or {{covariate: {word}}}",
    ("variables",): "each variable has its type, as in {{age: {{type: continuous}}}}",
    ("variables", "*"): "write {{type: {word}}}",
    ("inference", "*"): "write {{method: {word}}}",
    ("inference", "*", "smoothness"): "write `residuals`, or {{fwhm: {word}}} in mm",
    ("inference", "*", "largest"): "write {{tdp: {word}}}",
    ("inference", "*", "regions"): "the path of an image, or {{image: atlas.nii.gz, labels: atlas.tsv}}",
    ("output", "atlas"): "the path of an image, or {{image: atlas.nii.gz, labels: atlas.tsv}}",
    ("model",): 'write {{formula: "..."}}',
    ("model", "formula"): "the terms are joined by +, as in 'group + age'",
    ("model", "estimator"): "write {{method: {word}}}",
    ("model", "errors"): "write {{type: {word}}}",
    ("permutation",): "write {{n: 10000, seed: 1}}",
    ("permutation", "blocks"): "write {{by: {word}}}",
    ("permutation", "blocks", "*"): "write {{by: {word}}}",
    ("output",): "write {{directory: {word}}}",
}
"""How something is written where another kind of value is often tried; `{word}` is what was tried."""

_WANTED: dict[tuple[str, ...], str] = {
    ("permutation", "seed"): "any whole number; the same one gives the same result to the bit",
    ("inference", "*", "smoothness", "fwhm"): "one number for all axes, or three, such as [9, 9.5, 8]",
    ("maps", "*", "dof"): "a number for t and chi2, [q, nu] for F",
    ("inference", "*", "seed"): "any whole number; the same one gives the same result to the bit",
}
"""What stands under a key that is missing, or that has too few or too many members."""

_BOUNDS = {
    "greater_than": ("gt", "above"),
    "greater_than_equal": ("ge", "at least"),
    "less_than": ("lt", "below"),
    "less_than_equal": ("le", "at most"),
}


def translate(errors: Iterable[ErrorDetails], root: type[BaseModel]) -> tuple[Finding, ...]:
    """One finding for each place that is at fault.

    Parameters
    ----------
    errors
        What pydantic found.
    root
        The model that was validated.
    """
    spots: dict[tuple[Any, ...], list[tuple[Spot, ErrorDetails]]] = {}
    for error in errors:
        if error["type"] == "too_short" and len(error["input"]) >= error["ctx"]["min_length"]:
            continue  # long enough, but for members that have errors of their own
        lacks = error["type"] == "missing" and isinstance(error["loc"][-1], int)
        spot = follow(error["loc"][:-1] if lacks else error["loc"], root)
        if (
            error["type"] == "missing"
            and not lacks
            and (
                _misspelt(str(error["loc"][-1]), error["input"], spot.owner)
                or _means_another_form(error["input"], spot)
            )
        ):
            continue  # it is there, or that of another form is, and told as an unknown key
        missing = error["loc"][-1] if error["type"] == "missing" and not lacks else None
        spots.setdefault((spot.where, spot.on_key, missing), []).append((spot, error))
    return tuple(_finding(found[0][0], [error for _, error in found]) for found in spots.values())


def _misspelt(key: str, held: Any, owner: type[BaseModel] | None) -> str | None:
    """The key that stands in a mapping and was probably meant for one that is missing."""
    known = set(keys(owner)) if owner is not None else {key}
    if not isinstance(held, dict):
        return None
    return next((str(k) for k in held if k not in known and suggest(str(k), known) == key), None)


def _means_another_form(held: Any, spot: Spot) -> bool:
    """Whether a mapping has a misspelt key that another form has, and this one has not."""
    if not isinstance(held, dict) or spot.owner is None:
        return False
    own = set(keys(spot.owner))
    others = {key for form in spot.siblings for key in keys(form)} - own
    return any(suggest(str(key), others) for key in held if key not in own | others)


def _finding(spot: Spot, errors: list[ErrorDetails]) -> Finding:
    """Finding for all that pydantic says of one place: each branch of a union complains by itself."""
    for error in errors:
        if error["type"] == "union_tag_invalid":
            return _unknown_tag(spot, error)
        if error["type"] == "missing" and isinstance(error["loc"][-1], int):
            wanted = max(int(one["loc"][-1]) for one in errors if one["type"] == "missing") + 1
            return Finding(
                "E022",
                f"{wanted} are wanted here",
                spot.where,
                on_key=spot.on_key,
                help=_fitting(_WANTED, spot.where),
            )
        write = _WRITERS.get(error["type"])
        if write is not None:
            return write(spot, error)
    return _unlike(spot, errors)


_OF_ONE_ROW = {
    "alternative": "an F test has no direction",
    "margin": "an F test has no margin: its rows are no single effect that could be small",
}
"""Why several rows cannot have what one row has."""


def _unknown_key(spot: Spot, error: ErrorDetails) -> Finding:
    key = str(spot.where[-1])
    if spot.owner is not None and issubclass(spot.owner, FContrast) and key in _OF_ONE_ROW:
        return Finding("E014", _OF_ONE_ROW[key], spot.where, on_key=True, help=f"leave `{key}` out")
    others = tuple(form for form in spot.siblings if key in keys(form))
    if spot.owner is not None and others:
        close = near(spot.owner, others)
        # Where the same method has the key too, under another word, the other methods are not told.
        family = near(spot.owner, spot.siblings) if close else spot.siblings
        homes = [f"`{mark}`" for mark in home(close or others, (spot.owner, *family))]
        return Finding(
            "E014",
            f"'{key}' does not go together with `{hallmark(spot.owner, close or others)}`",
            spot.where,
            on_key=True,
            help=(f"it belongs to {' and '.join(homes)}; " if homes else "") + _known(spot.owner),
        )
    known = tuple(keys(spot.owner)) if spot.owner else ()
    # A key of another form is proposed too: who misspells `conjunction` has not asked for a hypothesis.
    of_others = [other for form in spot.siblings for other in keys(form)]
    advice = did_you_mean(key, known) or did_you_mean(key, of_others)
    advice = advice or (_known(spot.owner) if spot.owner else None)
    return Finding("E010", f"unknown key '{key}'", spot.where, on_key=True, help=advice)


def _known(owner: type[BaseModel]) -> str:
    return f"known keys: {', '.join(keys(owner))}"


def _missing_key(spot: Spot, error: ErrorDetails) -> Finding:
    key = spot.where[-1]
    others = dict.fromkeys(hallmark(form) for form in spot.siblings if key not in keys(form))
    advice = f"or {', or '.join(f'`{other}`' for other in others)}" if others else None
    advice = _fitting(_WANTED, spot.where) or advice
    return Finding("E011", f"missing key '{key}'", spot.where[:-1], on_key=True, help=advice)


def _missing_tag(spot: Spot, error: ErrorDetails) -> Finding:
    if not isinstance(error["input"], dict):
        return _unlike(spot, [error])
    key = error["ctx"]["discriminator"].strip("'")
    meant = _misspelt(key, error["input"], None)
    if meant is not None:
        where, advice = (*spot.where, meant), f"did you mean '{key}'?"
        return Finding("E010", f"unknown key '{meant}'", where, on_key=True, help=advice)
    words = dict.fromkeys(word for form in spot.forms for word in telling(form).get(key, ()))
    options = f"one of {', '.join(words)}" if words else None
    return Finding("E011", f"missing key '{key}'", spot.where, on_key=True, help=options)


def _unknown_tag(spot: Spot, error: ErrorDetails) -> Finding:
    key = error["ctx"]["discriminator"].strip("'")
    options = [a or b for a, b in _QUOTED.findall(error["ctx"]["expected_tags"])]
    word = str(error["ctx"]["tag"])
    return _not_among(word, options, (*spot.where, key))


def _unfit(spot: Spot, error: ErrorDetails) -> Finding:
    """A word of the language that does not go together with the form of the mapping in which it stands."""
    key, owner = spot.where[-1], spot.owner
    form = "this" if owner is None else f"`{hallmark(owner, spot.siblings)}`"
    what = f"`{key}: {error['input']}` does not go together with {form}"
    return Finding("E014", what, spot.where, help=error["ctx"]["help"])


def _refused(spot: Spot, error: ErrorDetails) -> Finding:
    """A word that is refused by name, for a reason of its own."""
    return Finding(error["ctx"]["code"], error["msg"], spot.where, help=error["ctx"]["help"])


def _label(spot: Spot, error: ErrorDetails) -> Finding:
    word = str(error["input"])
    if error["ctx"]["pattern"] == IDENTIFIER_PATTERN:
        return _identifier(spot, word)
    return Finding(
        "E013",
        f"'{word}' is not a BIDS label (letters and digits): it becomes part of file names",
        spot.where,
        on_key=spot.on_key,
        help=f"use '{propose_label(word)}'",
    )


def _identifier(spot: Spot, word: str) -> Finding:
    """A covariate's name that no formula could hold as it is."""
    plain = re.sub(r"[^A-Za-z0-9_]+", "_", word).strip("_")
    return Finding(
        "E021",
        f"'{word}' is no name for a formula: letters, digits and _, with no digit at the beginning",
        spot.where,
        on_key=spot.on_key,
        help=f"use '{plain if plain[:1].isalpha() else f'v_{plain}'.rstrip('_')}'",
    )


def _too_short(spot: Spot, error: ErrorDetails) -> Finding:
    least = error["ctx"].get("min_length", 1)
    what = "this is empty" if not error["input"] else f"at least {least} are wanted here"
    return Finding("E022", what, spot.where, on_key=spot.on_key)


def _too_long(spot: Spot, error: ErrorDetails) -> Finding:
    most = error["ctx"]["max_length"]
    return Finding("E022", f"at most {most} are wanted here", spot.where, help=_fitting(_WANTED, spot.where))


def _bound(spot: Spot, error: ErrorDetails) -> Finding:
    key, words = _BOUNDS[error["type"]]
    return Finding(
        "E020",
        f"{_shown(error['input'])} is out of range: {words} {error['ctx'][key]:g} is wanted",
        spot.where,
    )


def _not_finite(spot: Spot, error: ErrorDetails) -> Finding:
    return Finding("E020", "a finite number is wanted", spot.where)


def _unlike(spot: Spot, errors: list[ErrorDetails]) -> Finding:
    """A value that is of the wrong kind, or none of the words that may stand there."""
    value = errors[0]["input"]
    words = [
        a or b
        for e in errors
        if e["type"] == "literal_error"
        for a, b in _QUOTED.findall(e["ctx"]["expected"])
    ]
    kinds = [_EXPECTED[e["type"]] for e in errors if e["type"] in _EXPECTED]
    if words:
        key = str(spot.where[-1]) if spot.where else ""
        more = kin(spot.owner, spot.siblings) if spot.owner is not None else ()
        words += [word for form in more for word in telling(form).get(key, ()) if word not in words]
        return _not_among(value, words, spot.where, kinds)
    wanted = " or ".join(dict.fromkeys(kinds)) or errors[0]["msg"].lower()
    return Finding(
        "E016",
        f"{wanted} is expected here, not {_shown(value)}",
        spot.where,
        on_key=spot.on_key,
        help=_mend(value, kinds) or _example(value, spot.where),
    )


def _not_among(
    value: Any,
    words: list[str],
    where: tuple[str | int, ...],
    kinds: Iterable[str] = (),
) -> Finding:
    shown = f"'{value}'" if isinstance(value, str) else _shown(value)
    options = [f"'{w}'" if not w.lstrip("-").isdigit() else w for w in words] + list(dict.fromkeys(kinds))
    wanted = options[0] if len(options) == 1 else f"one of {', '.join(options[:-1])} or {options[-1]}"
    advice = did_you_mean(value, words) if isinstance(value, str) else None
    if where == ("specgl",):
        advice = "this release reads version 1 of the language"
    return Finding("E012", f"{shown} is not {wanted}", where, help=advice)


def _shown(value: Any) -> str:
    """A value in a message, short and by its kind."""
    if value is None:
        return "nothing (null)"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return f"the number {value}"
    if isinstance(value, str):
        return f"the text '{value if len(value) <= 60 else value[:59] + '…'}'"
    return "a list" if isinstance(value, list | tuple) else "a mapping"


def _example(value: Any, where: tuple[str | int, ...]) -> str | None:
    """How a value is written where a short form suggests itself that the language does not have."""
    if isinstance(value, str) and re.match(r"\w+:\S|\w+ \w", value) and len(where) == 1:
        return "its keys stand below it, each followed by ': '"
    example = _fitting(_EXAMPLES, where)
    if example is None:
        return None
    number = isinstance(value, int | float) and not isinstance(value, bool)
    word = value if number or (isinstance(value, str) and value.isidentifier()) else "..."
    return example.format(word=word)


def _fitting(texts: Mapping[tuple[str, ...], str], where: tuple[str | int, ...]) -> str | None:
    """The text for a place, whose names may be any."""
    for pattern, text in texts.items():
        if len(pattern) == len(where) and all(a in ("*", b) for a, b in zip(pattern, where, strict=True)):
            return text
    return None


def _mend(value: Any, kinds: list[str]) -> str | None:
    """How a value of the wrong kind becomes one of the right kind."""
    if kinds == ["text"] and isinstance(value, bool | int | float):
        text = str(value).lower() if isinstance(value, bool) else str(value)
        like = "true or false" if isinstance(value, bool) else "a number"
        return f"text that looks like {like} goes in quotes: '{text}'"
    if kinds == ["a list"] and isinstance(value, str | int | float):
        return f"a list has brackets: [{value}]"
    if "number" in "".join(kinds) and isinstance(value, str):
        try:
            return f"numbers are written as in JSON, without quotes: {float(value):g}"
        except ValueError:
            return None
    return None


_WRITERS: dict[str, Callable[[Spot, ErrorDetails], Finding]] = {
    "extra_forbidden": _unknown_key,
    "missing": _missing_key,
    "union_tag_not_found": _missing_tag,
    "unfit": _unfit,
    "refused": _refused,
    "string_pattern_mismatch": _label,
    "string_too_short": _too_short,
    "too_short": _too_short,
    "too_long": _too_long,
    "finite_number": _not_finite,
    **dict.fromkeys(_BOUNDS, _bound),
}
