"""One case: a small study whose every labelling can be listed, in words that both sides understand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import ndimage

from permutation_truth import listing

Shape = tuple[int, int, int]
Level = tuple[Sequence[int], str, Sequence[int] | None]


@dataclass(frozen=True, eq=False)
class Case:
    """One study and one question.

    Attributes
    ----------
    name
        Its name.
    matrix, blocks
        Design (n, p) and the blocks whose means are taken out (n,), or None.
    weights, kind, alternative
        The contrast.
    y
        Data (n, n_loc), the voxels of the grid `shape` in C order.
    exchange
        What the design itself should lead to, or what is asked for where `asked`.
    levels
        Exchangeability: codes, how, and the order of members, the outer level first.
    moves, units
        The same for the brute force: a verb and its arguments; the units that are flipped.
    n_shuffles
        How many labellings there are, by hand.
    scale
        Scale of the inferences.
    forming, steps
        Cluster-forming threshold, and the step of TFCE in its summed form.
    constant
        Voxels that do not vary.
    """

    name: str
    matrix: np.ndarray
    weights: Sequence[Sequence[float]]
    shape: Shape
    y: np.ndarray
    n_shuffles: int
    exchange: str = "permute"
    asked: bool = False
    kind: str = "t"
    alternative: str = "two-sided"
    blocks: np.ndarray | None = None
    groups: np.ndarray | None = None
    nuisance: str = "freedman_lane"
    levels: tuple[Level, ...] = ()
    moves: tuple[Any, ...] = ("free",)
    units: Sequence[int] | None = None
    scale: str = "t"
    forming: float = 1.5
    steps: float = 0.4
    constant: tuple[int, ...] = ()

    @property
    def model_matrix(self) -> np.ndarray:
        """The full model: the design and a dummy for each block (n, ...)."""
        if self.blocks is None:
            return self.matrix
        return np.hstack([self.matrix, np.eye(self.blocks.max() + 1)[self.blocks]])

    @property
    def model_weights(self) -> np.ndarray:
        """The contrast on the full model."""
        weights = np.atleast_2d(np.asarray(self.weights, dtype=float))
        return np.pad(weights, ((0, 0), (0, self.model_matrix.shape[1] - weights.shape[1])))

    @property
    def analysed(self) -> np.ndarray:
        """Voxels that vary (n_loc,)."""
        inside = np.ones(self.y.shape[1], dtype=bool)
        inside[list(self.constant)] = False
        return inside

    @property
    def varying(self) -> bool:
        """Whether degrees of freedom differ, so that maxima are on z whatever was asked."""
        return self.groups is not None or bool(np.isnan(self.y).any())

    def shuffles(self) -> list[listing.Shuffle]:
        """List every labelling."""
        moves: Iterable[listing.Rows] = ()
        signs: Iterable[listing.Rows] = ()
        if self.exchange != "flip":
            verb, *arguments = self.moves
            moves = getattr(listing, verb)(*(arguments or [len(self.matrix)]))
        if self.exchange != "permute":
            signs = listing.flips(range(len(self.matrix)) if self.units is None else self.units)
        return listing.labellings(moves, signs, self.label)

    @property
    def label(self) -> listing.Rows:
        """Which observations are alike: equal rows of the model, and of one variance where that matters.

        With Freedman and Lane's way an observation carries the variance group of the row that it takes.
        """
        if self.groups is None or self.nuisance in ("dekker", "draper_stoneman"):
            return listing.classes(self.model_matrix)
        return listing.classes(np.column_stack([self.model_matrix, self.groups]))


def smooth(shape: Shape, n: int, seed: int, effect: np.ndarray | None = None) -> np.ndarray:
    """Smooth noise of unit variance (n, n_loc), with `effect` (n,) in one corner and its half opposite."""
    rng = np.random.default_rng(seed)
    volumes = np.stack([ndimage.gaussian_filter(rng.standard_normal(shape), 0.7) for _ in range(n)])
    volumes /= volumes.std()
    if effect is not None:
        volumes[:, :2, :2, :2] += effect[:, None, None, None]
        volumes[:, -2:, -2:, -2:] -= 0.7 * effect[:, None, None, None]
    return volumes.reshape(n, -1)
