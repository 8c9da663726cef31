"""What goes into a design, what it is made of, and the design itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from specgl.design.standins import multiplied, stand_in
from specgl.errors import Finding

Coding = Literal["treatment", "sum", "helmert", "polynomial", "cell_means"]
Alternative = Literal["two-sided", "greater", "less"]
Kind = Literal["t", "F"]


@dataclass(frozen=True)
class Categorical:
    """A variable of levels, as declared.

    Attributes
    ----------
    levels
        Levels in order, the first being the reference; ``None`` takes the levels found, sorted.
    coding
        How levels become regressors.
    """

    levels: tuple[str, ...] | None = None
    coding: Coding = "treatment"


@dataclass(frozen=True)
class Continuous:
    """A variable of numbers, as declared.

    Attributes
    ----------
    center
        What is taken away: the mean of the analysed rows, nothing, or a number.
    scale
        What it is then divided by: nothing, the standard deviation (n - 1) of the analysed rows, or a number.
    unit
        Unit of the column, for labels.
    """

    center: Literal["mean", "none"] | float = "mean"
    scale: Literal["none", "sd"] | float = "none"
    unit: str | None = None


Variable = Categorical | Continuous


@dataclass(frozen=True, eq=False)
class CategoricalColumn:
    """A column of levels over the analysed rows.

    Attributes
    ----------
    name
        The column's name.
    codes
        ``(n_obs,)`` int64, index into `levels` of each observation.
    levels
        All levels in their declared order, the first being the reference.
    coding
        How the levels become regressors.
    """

    name: str
    codes: NDArray[np.int64]
    levels: tuple[str, ...]
    coding: Coding = "treatment"


@dataclass(frozen=True, eq=False)
class ContinuousColumn:
    """A column of numbers over the analysed rows, centred and scaled.

    Attributes
    ----------
    name
        The column's name.
    values
        ``(n_obs,)`` float64, ``(raw - center) / scale``.
    center
        What was taken away, in `unit`; 0 where nothing was.
    scale
        What it was divided by, in `unit`; 1 where nothing was.
    unit
        Unit of the raw column.
    """

    name: str
    values: NDArray[np.float64]
    center: float = 0.0
    scale: float = 1.0
    unit: str | None = None


TypedColumn = CategoricalColumn | ContinuousColumn


@dataclass(frozen=True)
class Dropped:
    """A row of the table that is not analysed.

    Attributes
    ----------
    observation
        The row's id.
    reason
        Why, in words.
    line
        Its line in the table's file, from 1.
    """

    observation: str
    reason: str
    line: int


@dataclass(frozen=True, eq=False)
class Table:
    """A table as read: every cell is text.

    Attributes
    ----------
    path
        Where it was read from.
    name
        How the spec calls it, for messages.
    frame
        All cells as text, missing ones ``None``; the index holds the observations' ids.
    lines
        Line in the file of each row, from 1.
    columns
        Position in the file of each column, from 1.
    findings
        Warnings.
    size, sha256
        Number and digest of the very bytes that were read; nothing for a table that is no file's.
    """

    path: Path
    name: str
    frame: pd.DataFrame
    lines: tuple[int, ...]
    columns: Mapping[str, int]
    findings: tuple[Finding, ...] = ()
    size: int = 0
    sha256: str = ""


@dataclass(frozen=True, eq=False)
class Rows:
    """The rows of a table that are analysed, and the others with their reasons.

    Attributes
    ----------
    table
        The whole table.
    kept
        Ids of the analysed rows, in the table's order.
    dropped
        All other rows.
    findings
        Warnings.
    """

    table: Table
    kept: tuple[str, ...]
    dropped: tuple[Dropped, ...] = ()
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class ContrastRequest:
    """A contrast as asked for; exactly one of `hypotheses`, `weights`, `term` and `members` is given.

    Attributes
    ----------
    name
        Its name.
    where
        Keys that lead to the hypotheses, the weights, the term or the members in the spec; where they are a
        list, findings add the row's number.
    alternative
        Direction of a t test, or of a conjunction.
    hypotheses
        Linear expressions, one a row.
    weights
        Weights by regressor name, one mapping a row.
    term
        A term of the formula: F over its regressors.
    is_f
        Whether it was asked for as a list, which makes it an F even when it has one row.
    members
        Names of the t contrasts that a conjunction joins.
    """

    name: str
    where: tuple[str | int, ...]
    alternative: Alternative = "two-sided"
    hypotheses: tuple[str, ...] = ()
    weights: tuple[Mapping[str, float], ...] = ()
    term: str | None = None
    is_f: bool = False
    members: tuple[str, ...] = ()


@dataclass(frozen=True)
class Regressor:
    """One column of the design.

    Attributes
    ----------
    name
        Its name, unique in the design, such as ``group[T.patient]``.
    term
        The term of the formula it belongs to; ``Intercept`` for the intercept.
    factors
        Each variable of the term with the level that the column speaks of; ``None`` for the level where
        the column belongs to no single one (a continuous variable, polynomial coding).
    codings
        Coding of each categorical variable of the term.
    covariates
        Voxelwise covariates that multiply it at each location.
    """

    name: str
    term: str
    factors: tuple[tuple[str, str | None], ...] = ()
    codings: tuple[tuple[str, Coding], ...] = ()
    covariates: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Contrast:
    """A contrast in terms of the design's regressors.

    Attributes
    ----------
    name
        Its name.
    weights
        ``(q, n_reg)`` float64, one row a hypothesis.
    kind
        ``t`` or ``F``.
    alternative
        Direction of a t; ``two-sided`` for F.
    words
        The hypotheses as they were written, one a row.
    """

    name: str
    weights: NDArray[np.float64]
    kind: Kind
    alternative: Alternative
    words: tuple[str, ...]


@dataclass(frozen=True)
class Conjunction:
    """Several t contrasts, all of which must hold (Nichols 2005, doi:10.1016/j.neuroimage.2004.12.005).

    Attributes
    ----------
    name
        Its name.
    members
        Names of two or more t contrasts of the same design.
    alternative
        Direction in which all of them must hold; ``two-sided`` where one sign is enough, whichever it is.
    """

    name: str
    members: tuple[str, ...]
    alternative: Alternative = "two-sided"

    @property
    def words(self) -> tuple[str, ...]:
        """What it asks, as the words of a contrast."""
        return (f"conjunction of {' and '.join(self.members)}",)


@dataclass(frozen=True, eq=False)
class Block:
    """Observations that belong together: blocks whose means are taken out, or variance groups.

    Attributes
    ----------
    name
        The column that says which block, or what else it was made from.
    codes
        ``(n_obs,)`` int64, index into `labels`.
    labels
        Labels of the blocks.
    """

    name: str
    codes: NDArray[np.int64]
    labels: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Design:
    """Rows of numbers that explain the images, and what is asked of them.

    Attributes
    ----------
    matrix
        ``(n_obs, n_reg)`` float64, read-only, before any block's means are taken out; of a regressor with
        voxelwise covariates what they are multiplied by: 1, or what the table says of the rest.
    regressors
        One a column.
    observations
        Ids of the rows.
    contrasts
        What is tested.
    block
        Blocks whose means are taken out, or ``None``.
    rank
        Rank of the columns after the blocks' means are taken out, plus the number of blocks.
    dof
        ``n_obs - rank``.
    formula
        The formula as written.
    columns
        The variables of the table that the formula uses.
    findings
        Warnings.
    variance_groups
        Groups of observations with variances of their own, or ``None`` where all have one.
    conjunctions
        Which contrasts are asked for together as well.
    voxelwise
        Voxelwise covariates that multiply regressors, in the order in which the formula names them.
    """

    matrix: NDArray[np.float64]
    regressors: tuple[Regressor, ...]
    observations: tuple[str, ...]
    contrasts: tuple[Contrast, ...]
    block: Block | None
    rank: int
    dof: int
    formula: str
    columns: Mapping[str, TypedColumn]
    findings: tuple[Finding, ...] = ()
    variance_groups: Block | None = None
    conjunctions: tuple[Conjunction, ...] = ()
    voxelwise: tuple[str, ...] = ()

    @cached_property
    def generic(self) -> NDArray[np.float64]:
        """``(n_obs, n_reg)``, read-only: `matrix` times irregular numbers for voxelwise covariates.

        For whatever must be known before voxels are: ranks, what can be estimated, which rows are equal.
        """
        values = {name: stand_in(name, self.observations) for name in self.voxelwise}
        matrix = multiplied(self.matrix, [regressor.covariates for regressor in self.regressors], values)
        matrix.flags.writeable = matrix is self.matrix and self.matrix.flags.writeable
        return matrix

    @cached_property
    def varies_by_group(self) -> bool:
        """Whether there are two variance groups or more: one that holds all says nothing."""
        groups = self.variance_groups
        return groups is not None and bool(np.unique(groups.codes).size > 1)

    @property
    def asked(self) -> dict[str, Contrast | Conjunction]:
        """Contrasts and conjunctions by their names, in the order of their statistics."""
        asked: dict[str, Contrast | Conjunction] = {one.name: one for one in self.contrasts}
        return asked | {one.name: one for one in self.conjunctions}
