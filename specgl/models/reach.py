"""Whether shuffles can give p-values as small as the levels that are asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from specgl.errors import Finding
from specgl.kernels.shuffles import short_count
from specgl.models.schemes import Scheme

_FEW = 5  # p-values up to alpha that should exist at least
_TO_FIT = 40  # shuffles from which a tail can be fitted: ten in the highest quarter


def reachable(
    schemes: Sequence[Scheme], alphas: Mapping[str, float], *, fitted: bool = False
) -> tuple[Finding, ...]:
    """Whether the shuffles can give p-values as small as the levels that are asked for.

    Parameters
    ----------
    schemes
        How observations are shuffled.
    alphas
        Level of each inference by name.
    fitted
        Whether a tail fitted to random shuffles tells what is below their smallest p.

    Returns
    -------
    tuple of Finding
        E271 where no data can reach a level, W270 where all labellings are used and few of the p-values that
        exist reach it.
    """
    return tuple(
        finding
        for name, alpha in alphas.items()
        for scheme in schemes
        if not (fitted and _TO_FIT <= scheme.n < scheme.possible)
        and (finding := _reach(scheme, name, alpha)) is not None
    )


def _reach(scheme: Scheme, name: str, alpha: float) -> Finding | None:
    if _FEW * 2 / scheme.n <= alpha:
        return None  # with either number of sides
    smallest = min(scheme.smallest_p(sides) for sides in set(scheme.both_sides))
    told = ", ".join(f"'{contrast}'" for contrast in scheme.contrasts)
    where = ("inference", name, "alpha")
    has = (
        f"{scheme.n:,} labellings ({scheme.exchange}) are {'all there are' if scheme.exhaustive else 'used'}"
    )
    if smallest > alpha:
        help_ = "analyse more observations, or take `method: parametric`"
        if not scheme.exhaustive:
            help_ = f"raise `permutation.n`: {short_count(scheme.possible)} labellings exist"
        message = f"no data can reach alpha = {alpha:g}: for {told} {has}, the smallest p is {smallest:.3g}"
        return Finding("E271", message, where=where, help=help_)
    if scheme.exhaustive and smallest * _FEW > alpha:
        message = f"for {told} {has}: the smallest p is {smallest:.3g}, and p-values come in steps of it"
        return Finding("W270", message, where=where)
    return None
