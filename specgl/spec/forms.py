"""The forms that a mapping of the language can have, and the words that tell them apart."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations
from typing import Literal, get_args, get_origin

from pydantic import BaseModel

from specgl.spec.base import keys

Form = type[BaseModel]
Marks = dict[str, tuple[str, ...]]


def telling(form: Form, *, defaulted: bool = False) -> Marks:
    """The keys that tell what form a mapping has, with the words that stand for this one.

    Parameters
    ----------
    form
        The form.
    defaulted
        Whether the keys that may be left out are wanted.
    """
    return {
        name: get_args(field.annotation)
        for name, field in keys(form).items()
        if get_origin(field.annotation) is Literal and field.is_required() is not defaulted
    }


def hallmark(form: Form, others: Iterable[Form] = ()) -> str:
    """What makes a mapping of this form and of none of the others: a word of it, else a key it must have."""
    others, own = tuple(others), telling(form)
    for name, words in own.items():
        if all(telling(other).get(name) != words for other in others):
            return _said(name, words)
    for pair in combinations(own, 2):
        if all(any(telling(other).get(name) != own[name] for name in pair) for other in others):
            return ", ".join(_said(name, own[name]) for name in pair)
    for name, words in telling(form, defaulted=True).items() if own else ():
        if all(not set(words) & set(telling(other).get(name, ())) for other in others):
            return _said(name, words)
    return next(name for name, field in keys(form).items() if field.is_required())


def near(form: Form, family: Iterable[Form]) -> tuple[Form, ...]:
    """Those of a family that have this form's first word, such as its method, in common with it."""
    own = next(iter(telling(form).items()), None)
    return tuple(one for one in family if own is not None and telling(one).get(own[0]) == own[1])


def kin(form: Form, family: Iterable[Form]) -> tuple[Form, ...]:
    """Those of a family that say all of this form's words, and more."""
    own = telling(form).items()
    return tuple(one for one in family if own and own <= telling(one).items())


def home(forms: Iterable[Form], family: Iterable[Form]) -> list[str]:
    """The words under which a key belongs that these forms of a family have, as few as say it.

    A word says it by itself where all of the family that it stands for are among the forms; a form that no
    such word stands for says two.
    """
    family, left = tuple(family), list(forms)
    wanted = set(left)
    told: list[str] = []
    first = next((name for form in left for name in telling(form)), "")
    pure = {
        mark: members
        for mark in dict.fromkeys(mark for form in left for mark in telling(form).items())
        if (members := {one for one in family if mark in telling(one).items()}) <= wanted
    }
    while left and pure:
        # Of words that stand for equally many, the first key's, such as the method, says it best.
        mark = max(pure, key=lambda one: (len(pure[one] & set(left)), one[0] == first))
        if not pure[mark] & set(left):
            break
        told.append(_said(*mark))
        left = [form for form in left if form not in pure[mark]]
    return told + [said for form in left if ": " in (said := hallmark(form, set(family) - {form}))]


def _said(name: str, words: tuple[str, ...]) -> str:
    return f"{name}: {' or '.join(map(str, words))}"
