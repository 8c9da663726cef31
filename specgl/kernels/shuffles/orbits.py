"""What the exchange of a tree leaves as it is: orbits, variance groups, invariant functions."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from specgl.kernels.shuffles.labellings import Exchange
from specgl.kernels.shuffles.tree import Integers, Node, Tree


def orbits(tree: Tree, exchange: Exchange) -> Integers:
    """Which observations may carry one another's rows.

    Parameters
    ----------
    tree
        The tree of blocks.
    exchange
        "permute", "flip" or "both"; sign flips move nothing.

    Returns
    -------
    ndarray
        ``(n_obs,)`` codes from 0, in the order in which they are met.
    """
    if exchange == "flip":
        return np.arange(tree.n_obs, dtype=np.int64)
    codes = np.empty(tree.n_obs, dtype=np.int64)
    codes[tree.root.observations] = _codes(tree.root)
    _, first, inverse = np.unique(codes, return_index=True, return_inverse=True)
    met: Integers = np.argsort(np.argsort(first))[inverse].astype(np.int64)
    return met


def automatic_variance_groups(tree: Tree) -> Integers:
    """Groups of observations that may be taken to have one variance.

    Observations that may change places must have the same distribution, so that they share a variance; of the
    others nothing is known, and each set has a variance of its own (Winkler et al. 2015,
    doi:10.1016/j.neuroimage.2015.05.092). Blocks whose observations change places within each are groups; of
    blocks exchanged as wholes, each position.

    Parameters
    ----------
    tree
        The tree of blocks.

    Returns
    -------
    ndarray
        ``(n_obs,)`` codes from 0, in the order in which they are met.
    """
    return orbits(tree, "permute")


def invariance(tree: Tree, exchange: Exchange) -> NDArray[np.float64]:
    """Projector onto the functions of the observations that no admissible shuffle changes.

    Parameters
    ----------
    tree
        The tree of blocks.
    exchange
        "permute", "flip" or "both".

    Returns
    -------
    ndarray
        ``(n_obs, n_obs)``: the mean over each orbit. Zero with sign flips: every observation can be flipped,
        so that only the zero function stays as it is.
    """
    if exchange != "permute":
        return np.zeros((tree.n_obs, tree.n_obs))
    codes = orbits(tree, exchange)
    same = codes[:, None] == codes[None, :]
    projector: NDArray[np.float64] = same / same.sum(axis=1, keepdims=True)
    return projector


def _codes(node: Node) -> Integers:
    """Orbits inside a node, for its observations in their order."""
    if not node.children:
        return np.zeros(node.size, dtype=np.int64) if node.exchanged else np.arange(node.size, dtype=np.int64)
    if node.exchanged:
        # Siblings are built alike: the member at a place of one may carry the row of that place in any other.
        return np.tile(_codes(node.children[0]), node.width)
    parts: list[Integers] = []
    for child in node.children:
        codes = _codes(child)
        parts.append(codes + (parts[-1].max() + 1 if parts else 0))
    return np.concatenate(parts)
