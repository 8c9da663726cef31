"""Plan the shuffles: what may change places, which contrasts share a set, and how many labellings exist."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from specgl.design import Block, Design, Exchange, Rows, exchange_tree
from specgl.errors import DesignError, Finding, TableError
from specgl.planning import translate
from specgl.spec import AnalysisSpec, GroupsFromBlocks, Model

if TYPE_CHECKING:  # types only: a spec without shuffles is planned without what makes them
    from specgl.models.schemes import Scheme

UNEQUAL, LARGE = 1.5, 50
"""How unequal in size, and up to which size, variance groups are that change places at the expense of the
error rate: docs/explanation/calibration.md."""

FROM_BLOCKS = "blocks"
"""Name of variance groups that were made from exchangeability blocks."""


@dataclass(frozen=True, eq=False)
class Shuffling:
    """How observations will be shuffled.

    Attributes
    ----------
    exchange
        What may change places with what.
    schemes
        One set of shuffles each; every contrast belongs to one of them.
    """

    exchange: Exchange
    schemes: tuple[Scheme, ...]


def plan_exchange(spec: AnalysisSpec, rows: Rows) -> tuple[Exchange | None, tuple[Finding, ...]]:
    """What may change places with what; None where nothing is shuffled, or the blocks are wrong.

    Parameters
    ----------
    spec
        What is asked.
    rows
        The analysed rows.
    """
    wants_groups = spec.model is not None and isinstance(spec.model.variance_groups, GroupsFromBlocks)
    if not translate.shuffled(spec) and not wants_groups:
        return None, ()
    exchange = None if spec.permutation is None else spec.permutation.exchange
    try:
        found = exchange_tree(rows, translate.block_levels(spec), exchange=exchange)
    except (DesignError, TableError) as error:
        return None, error.findings
    return found, found.findings


def variance_groups(model: Model, exchange: Exchange | None) -> str | Block | None:
    """Groups of observations with variances of their own, as `specgl.design.build` takes them."""
    if not isinstance(model.variance_groups, GroupsFromBlocks):
        return model.variance_groups
    if exchange is None:
        return None  # the blocks are wrong, which has been told
    from specgl.kernels.shuffles import automatic_variance_groups

    codes = automatic_variance_groups(exchange.tree)
    return Block(FROM_BLOCKS, codes, tuple(str(code + 1) for code in range(int(codes.max()) + 1)))


def plan_shuffling(
    spec: AnalysisSpec, design: Design, exchange: Exchange
) -> tuple[Shuffling | None, tuple[Finding, ...]]:
    """Choose the schemes, and tell where they cannot do what is asked.

    Parameters
    ----------
    spec
        What is asked.
    design
        Matrix and contrasts.
    exchange
        What may change places with what.
    """
    settings = spec.permutation
    if settings is None or not translate.shuffled(spec) or not design.contrasts:
        return None, ()
    from specgl.models.reach import reachable  # numba comes with it
    from specgl.models.schemes import make_schemes

    try:
        schemes = make_schemes(
            design,
            exchange.tree,
            exchange=settings.exchange,
            n=None if settings.n == "all" else settings.n,
            seed=settings.seed,
            nuisance=settings.nuisance,
            weighted=spec.model is not None and translate.uses_variances(spec.model),
        )
    except DesignError as error:
        return None, error.findings
    alphas = {name: asked.alpha for name, asked in translate.shuffled(spec).items()}
    found = (
        *reachable(schemes, alphas, fitted=settings.tail != "counts"),
        *_torn_families(spec, schemes),
        *_of_conjunctions(spec, design),
        *_doubts(design, schemes),
    )
    return Shuffling(exchange, schemes), found


def _torn_families(spec: AnalysisSpec, schemes: tuple[Scheme, ...]) -> tuple[Finding, ...]:
    """E432 where one family's contrasts are not shuffled alike."""
    if len(schemes) < 2:
        return ()
    from specgl.inference.permutation.guard import torn_families  # numba comes with it

    families = [name for name, asked in translate.shuffled(spec).items() if asked.across == "contrasts"]
    return torn_families(families, schemes)


def _of_conjunctions(spec: AnalysisSpec, design: Design) -> tuple[Finding, ...]:
    """E434 where true discoveries of conjunctions are asked of shuffles."""
    if not design.conjunctions:
        return ()
    from specgl.inference.permutation.guard import refused_conjunctions  # numba comes with it

    asked = [name for name, one in translate.shuffled(spec).items() if one.correction == "tdp"]
    return refused_conjunctions(asked, [joint.name for joint in design.conjunctions])


def _doubts(design: Design, schemes: tuple[Scheme, ...]) -> Iterator[Finding]:
    """W271 where observations of unequal variance are to change places and too few of them make up for it."""
    groups = design.variance_groups
    if groups is None or all(scheme.exchange == "flip" for scheme in schemes):
        return
    sizes = np.bincount(groups.codes)
    low, high = int(sizes[sizes > 0].min()), int(sizes.max())
    if high >= UNEQUAL * low and low < LARGE:
        yield Finding(
            "W271",
            f"observations of variance groups of {low} and {high} change places as if they varied alike",
            ("model", "variance_groups"),
            help="`permutation: {exchange: flip}` leaves each its variance, and takes errors for symmetric",
        )
