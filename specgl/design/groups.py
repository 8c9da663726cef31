"""Groups of observations that have variances of their own, and whether each can have one."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from specgl.design.columns import check_labels, raise_for
from specgl.design.records import Block, Rows
from specgl.design.table import listed
from specgl.errors import Finding
from specgl.kernels.ols import factorise
from specgl.kernels.welch import NO_RESIDUAL, residual_dof

GROUPS = ("model", "variance_groups")
CLUSTERS = ("model", "errors", "by")
FEW_CLUSTERS = 5
"""With fewer clusters than this, how they differ is told by too few to be relied upon."""


def read_groups(rows: Rows, column: str) -> tuple[Block, tuple[Finding, ...]]:
    """Variance groups from a column of the table, with warnings about doubtful spellings.

    Raises
    ------
    DesignError
        E210, where the column is not in the table.
    TableError
        E282, where it lacks a cell of an analysed row.
    """
    findings = check_labels(rows, column, GROUPS, "E282", "variance group")
    raise_for(findings)
    return codes_of(rows, column), tuple(findings)


def read_clusters(rows: Rows, column: str) -> tuple[Block, tuple[Finding, ...]]:
    """Clusters of observations from a column of the table, with warnings where they are few.

    Raises
    ------
    DesignError
        E210, where the column is not in the table.
    TableError
        E283, where it lacks a cell of an analysed row; E284, where it makes one cluster of all.
    """
    findings = check_labels(rows, column, CLUSTERS, "E283", "cluster")
    raise_for(findings)
    clusters = codes_of(rows, column)
    sizes = np.bincount(clusters.codes)
    if sizes.size < FEW_CLUSTERS:
        findings.append(_few(clusters, sizes))
        raise_for(findings)
    return clusters, tuple(findings)


def _few(clusters: Block, sizes: np.ndarray[tuple[int], np.dtype[np.int64]]) -> Finding:
    """E284 for one cluster, W283 for fewer than five."""
    if sizes.size == 1:
        message = f"`{clusters.name}` makes one cluster of all {sizes.sum()} observations"
        help_ = "name a column that tells clusters apart, or take `errors: {type: hc3}`"
        return Finding("E284", message, where=CLUSTERS, help=help_)
    message = f"`{clusters.name}` makes {sizes.size} clusters, of {sizes.min()} to {sizes.max()} observations"
    help_ = "take the column into the formula, or into `block`, if its levels are of interest themselves"
    return Finding("W283", message, where=CLUSTERS, help=help_)


def codes_of(rows: Rows, column: str) -> Block:
    """The analysed rows by the text of one column, which has no missing cell there."""
    cells = rows.table.frame.loc[list(rows.kept), column]
    labels, codes = np.unique(cells.to_numpy(dtype=str), return_inverse=True)
    codes = codes.astype(np.int64)
    codes.flags.writeable = False
    return Block(column, codes, tuple(str(label) for label in labels))


def group_findings(
    matrix: np.ndarray[tuple[int, int], np.dtype[np.float64]], block: Block | None, groups: Block
) -> Iterator[Finding]:
    """E280, E281 for groups whose variance cannot be estimated; W280 where there is but one group."""
    sizes = np.bincount(groups.codes, minlength=len(groups.labels))
    held = np.flatnonzero(sizes)
    if held.size == 1:
        message = f"`{groups.name}` makes one variance group of all {sizes.sum()} observations"
        yield Finding(
            "W280", message, where=GROUPS, help="leave `variance_groups` out: the numbers are the same"
        )
        return
    factor = factorise(matrix, None if block is None else block.codes)
    order = np.arange(len(matrix)) if factor.order is None else factor.order
    blocks = None if block is None else block.codes[order]
    residual = residual_dof(factor.basis, groups.codes[order], blocks, len(groups.labels))
    single = [groups.labels[g] for g in held if sizes[g] == 1]
    spent = [groups.labels[g] for g in held if sizes[g] > 1 and residual[g] < NO_RESIDUAL]
    if single:
        message = f"variance group {_named(groups, single)} one observation, which has no variance"
        yield Finding("E281", message, where=GROUPS, help=_MERGE)
    if spent:
        message = f"variance group {_named(groups, spent)} no residual degree of freedom left"
        note = "the model fits these observations exactly, whatever their values"
        yield Finding("E280", message, where=GROUPS, help=_MERGE, notes=(note,))


_MERGE = "merge groups, leave their rows out, or leave `variance_groups` out"


def _named(groups: Block, labels: list[str]) -> str:
    shown = listed(map(repr, labels))
    return f"{shown} of `{groups.name}` {'has' if len(labels) == 1 else 'have each'}"
