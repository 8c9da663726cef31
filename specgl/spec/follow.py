"""From the path in one of pydantic's errors to the keys in the user's spec, and to what could stand there."""

from __future__ import annotations

from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel

from specgl.spec.base import keys
from specgl.spec.source import Where

_KEY = "[key]"


@dataclass(frozen=True)
class Spot:
    """A place in the language.

    Attributes
    ----------
    where
        Keys in the user's spec, without the tags that pydantic puts between.
    on_key
        Whether a name, and not what it stands for, is at fault.
    owner
        Class of the mapping that holds the last key, if one of the language's.
    siblings
        The other forms that the owner's mapping could have had.
    forms
        The forms that a mapping at this place may still have, where a key of it should tell them apart.
    """

    where: Where
    on_key: bool
    owner: type[BaseModel] | None
    siblings: tuple[type[BaseModel], ...]
    forms: tuple[type[BaseModel], ...] = ()


def follow(loc: tuple[str | int, ...], root: type[BaseModel]) -> Spot:
    """Follow pydantic's path through the language's types."""
    where: list[str | int] = []
    here: Any = root
    owner: type[BaseModel] | None = None
    siblings: tuple[type[BaseModel], ...] = ()
    family: tuple[type[BaseModel], ...] = ()
    for part in loc:
        if part == _KEY:
            return Spot(tuple(where), True, owner, siblings)
        members = _members(here)
        models = tuple(m for m in members if _is_model(m))
        chosen = _tagged(models, part)
        if chosen:
            # Several where a form is told by two keys, one tag after the other.
            family = family or models
            owner = chosen[0] if len(chosen) == 1 else None
            siblings = tuple(m for m in family if m not in chosen)
            here = Union[chosen]  # noqa: UP007  # made of a tuple at run time
            continue
        if _is_tag(part) and len(models) < len(members):
            here = Union[tuple(m for m in members if m not in models)]  # noqa: UP007  # as above
            continue
        family = ()
        following, holder = _step(members, part)
        if following is None and holder is None and not models:
            break  # a branch of a union of scalars: the value itself is meant
        if holder is not None and holder is not owner:
            owner, siblings = holder, ()
        elif holder is None:
            owner, siblings = None, ()
        where.append(part)
        here = following
    forms = tuple(m for m in _members(here) if _is_model(m))
    return Spot(tuple(where), False, owner, siblings, forms)


def _members(annotation: Any) -> tuple[Any, ...]:
    """The types that a value may have: unions opened, annotations and None left out."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _members(get_args(annotation)[0])
    if origin in (Union, UnionType):
        return tuple(m for arg in get_args(annotation) for m in _members(arg))
    return () if annotation in (None, NoneType) else (annotation,)


def _is_model(member: Any) -> bool:
    return isinstance(member, type) and issubclass(member, BaseModel)


def _is_tag(part: str | int) -> bool:
    return isinstance(part, str) and part.startswith("<") and part.endswith(">")


def _tagged(models: tuple[type[BaseModel], ...], part: str | int) -> tuple[type[BaseModel], ...]:
    """The forms that a tag stands for: ``<Name>``, or the value of the key that tells the forms apart."""
    named = tuple(model for model in models if part == f"<{model.__name__}>")
    if named or len(models) < 2:
        return named
    return tuple(
        model
        for model in models
        if any(
            field.is_required()
            and get_origin(field.annotation) is Literal
            and part in get_args(field.annotation)
            for field in model.model_fields.values()
        )
    )


def _step(members: tuple[Any, ...], part: str | int) -> tuple[Any, type[BaseModel] | None]:
    """Type of what stands under a key or an index, and the class that has the key."""
    for member in members:
        if _is_model(member):
            field = keys(member).get(str(part))
            return (field.annotation if field else None), member
        origin, args = get_origin(member), get_args(member)
        if origin is dict and isinstance(part, str):
            return args[1], None
        if origin is tuple and isinstance(part, int):
            return args[0], None
    return None, None
