"""Covariates whose values come from images: what a formula sees of them, and where they may stand in it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from specgl.design.records import ContinuousColumn, Variable
from specgl.design.standins import stand_in
from specgl.errors import Finding
from specgl.grammar import Formula

WHERE = ("data", "voxelwise")
_RENAME = "give one of them another name"


@dataclass(frozen=True, eq=False)
class VoxelwiseColumn(ContinuousColumn):
    """A covariate of which the table knows no value: its `values` are 1, so that a product leaves the rest.

    Attributes
    ----------
    stand_in
        ``(n_obs,)`` irregular numbers, where only ranks matter.
    """

    stand_in: NDArray[np.float64] = field(kw_only=True)


def voxelwise_columns(names: Sequence[str], observations: Sequence[str]) -> dict[str, VoxelwiseColumn]:
    """Voxelwise covariates as a formula takes them.

    Parameters
    ----------
    names
        Those that the formula uses.
    observations
        Ids of the analysed rows.
    """
    ones = np.ones(len(observations))
    return {name: VoxelwiseColumn(name, ones, stand_in=stand_in(name, observations)) for name in names}


def misused(formula: Formula, names: Collection[str], variables: Mapping[str, Variable]) -> Iterator[Finding]:
    """E256 for each voxelwise covariate in a function, and for each that has a variable's name.

    Parameters
    ----------
    formula
        What was read.
    names
        All voxelwise covariates.
    variables
        Declared variables by name.
    """
    for name in names:
        if name in variables:
            message = f"`{name}` is both a declared variable and a voxelwise covariate"
            yield Finding("E256", message, where=(*WHERE, name), help=_RENAME, on_key=True)
    for call in formula.calls:
        for use in call.names:
            if use.name in names and use.name not in variables:
                yield Finding(
                    "E256",
                    f"{call.call.function}() is no function of images: `{use.name}` is a voxelwise covariate",
                    where=("model", "formula"),
                    span=(use.start, use.end),
                    help=f"write `{use.name}` by itself or in a product such as `group:{use.name}`, and give "
                    "images of anything else that is computed from it",
                )
