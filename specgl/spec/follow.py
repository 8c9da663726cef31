"""From the path in one of pydantic's errors to the keys in the user's spec, and to what could stand there."""

from __future__ import annotations

from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel

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
    """

    where: Where
    on_key: bool
    owner: type[BaseModel] | None
    siblings: tuple[type[BaseModel], ...]


def follow(loc: tuple[str | int, ...], root: type[BaseModel]) -> Spot:
    """Follow pydantic's path through the language's types."""
    where: list[str | int] = []
    here: Any = root
    owner: type[BaseModel] | None = None
    siblings: tuple[type[BaseModel], ...] = ()
    for part in loc:
        if part == _KEY:
            return Spot(tuple(where), True, owner, siblings)
        members = _members(here)
        models = tuple(m for m in members if _is_model(m))
        chosen = _tagged(models, part)
        if chosen is not None:
            here, owner, siblings = chosen, chosen, tuple(m for m in models if m is not chosen)
            continue
        following, holder = _step(members, part)
        if following is None and holder is None and not models:
            break  # a branch of a union of scalars: the value itself is meant
        if holder is not None and holder is not owner:
            owner, siblings = holder, ()
        elif holder is None:
            owner, siblings = None, ()
        where.append(part)
        here = following
    return Spot(tuple(where), False, owner, siblings)


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


def _tagged(models: tuple[type[BaseModel], ...], part: str | int) -> type[BaseModel] | None:
    """The form that a tag stands for: ``<Name>``, or the value of the key that tells the forms apart."""
    for model in models:
        if part == f"<{model.__name__}>":
            return model
    if len(models) < 2 or any(part in model.model_fields for model in models):
        return None
    for model in models:
        literals = [f.annotation for f in model.model_fields.values() if get_origin(f.annotation) is Literal]
        if any(part in get_args(literal) for literal in literals):
            return model
    return None


def _step(members: tuple[Any, ...], part: str | int) -> tuple[Any, type[BaseModel] | None]:
    """Type of what stands under a key or an index, and the class that has the key."""
    for member in members:
        if _is_model(member):
            field = member.model_fields.get(part)
            return (field.annotation if field else None), member
        origin, args = get_origin(member), get_args(member)
        if origin is dict and isinstance(part, str):
            return args[1], None
        if origin is tuple and isinstance(part, int):
            return args[0], None
    return None, None
