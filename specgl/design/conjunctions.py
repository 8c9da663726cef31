"""Conjunctions: which contrasts are asked for together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from specgl.design.records import Conjunction, ContrastRequest
from specgl.errors import Finding
from specgl.grammar import did_you_mean

LEAST = 2
"""Contrasts that a conjunction joins at least."""


def join(requests: Sequence[ContrastRequest]) -> tuple[tuple[Conjunction, ...], tuple[Finding, ...]]:
    """Conjunctions among what is asked, and what is wrong with them.

    Parameters
    ----------
    requests
        All contrasts that are asked for; those with members are conjunctions.

    Returns
    -------
    conjunctions
        In the order in which they are asked for.
    findings
        E255 for members that are no t contrasts, that stand twice, or that are too few.
    """
    named = {request.name: request for request in requests}
    asked = [request for request in requests if request.members]
    found = tuple(finding for request in asked for finding in _faults(request, named))
    return tuple(Conjunction(one.name, one.members, one.alternative) for one in asked), found


def _faults(request: ContrastRequest, named: Mapping[str, ContrastRequest]) -> Iterator[Finding]:
    if len(request.members) < LEAST:
        message = f"conjunction '{request.name}' joins one contrast only"
        yield Finding("E255", message, where=request.where, help="name two or more t contrasts")
    for place, member in enumerate(request.members):
        where, advice = (*request.where, place), None
        if member in request.members[:place]:
            message = f"'{member}' stands twice in conjunction '{request.name}'"
        elif member not in named:
            message = f"there is no contrast '{member}' for conjunction '{request.name}'"
            advice = did_you_mean(member, [name for name in named if name != request.name])
        elif not _is_t(named[member]):
            message = f"'{member}' in conjunction '{request.name}' is no t contrast"
            advice = "name contrasts of one row"
        else:
            continue
        yield Finding("E255", message, where=where, help=advice)


def _is_t(request: ContrastRequest) -> bool:
    """Whether a contrast is one row, tested by t."""
    several = len(request.hypotheses) + len(request.weights) > 1
    return not (request.is_f or several or request.term is not None or request.members)
