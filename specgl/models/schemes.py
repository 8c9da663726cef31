"""How the observations are shuffled: which contrasts share a set of shuffles, and how many there are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from specgl.errors import DesignError, Finding
from specgl.kernels.shuffles import (
    Exchange,
    Shuffles,
    Tree,
    build_tree,
    classes_of,
    count,
    invariance,
    make_shuffles,
    short_count,
)
from specgl.kernels.statistics import (
    Nuisance,
    Partition,
    make_recipe,
    partition,
    split_nuisance,
    unit_dummies,
)
from specgl.kernels.statistics.mirrors import find_mirrors
from specgl.models.stretches import block_codes

if TYPE_CHECKING:  # types only: fitting does not wait for the formula language
    from specgl.design import Contrast, Design

Floats = NDArray[np.float64]

MOST_CELLS = 200_000_000
"""Shuffles times observations that are held at most: 800 MB of rows."""

_INSIDE = 1e-8  # of a vector's length that may lie outside a space that holds it


@dataclass(frozen=True, eq=False)
class Scheme:
    """One set of shuffles and the contrasts that it serves.

    Attributes
    ----------
    exchange
        ``permute``, ``flip`` or ``both``.
    why
        Why, in a sentence.
    contrasts
        Names.
    tree
        What may change places.
    classes
        ``(n_obs,)`` codes of equal design rows.
    possible
        Labellings that exist, the observed one included.
    n
        Labellings that are used.
    exhaustive
        Whether these are all.
    seed
        Of the random draws.
    nuisance
        The way of shuffling with nuisance variables.
    both_sides
        For each contrast, whether a statistic counts like its negative (two-sided t, F).
    odd, even
        ``(n_obs, a)`` and ``(n_obs, b)`` moving rows: what a mirror turns, and what it may leave.
    """

    exchange: Exchange
    why: str
    contrasts: tuple[str, ...]
    tree: Tree
    classes: NDArray[np.int64]
    possible: int
    n: int
    exhaustive: bool
    seed: int
    nuisance: Nuisance
    both_sides: tuple[bool, ...]
    odd: Floats
    even: Floats

    def shuffles(self) -> Shuffles:
        """The shuffles, the identity first; always the same ones."""
        return self._made

    @cached_property
    def _made(self) -> Shuffles:
        return make_shuffles(self.tree, self.classes, self.exchange, self.n, self.seed)

    @cached_property
    def mirror_of(self) -> NDArray[np.int32]:
        """``(n,)`` the earlier shuffle whose statistic each one's is the negative of, for all contrasts.

        Its own index where there is none. An F is the same under both. Only looked for where all labellings
        are used.
        """
        if not self.exhaustive:
            return np.arange(self.n, dtype=np.int32)
        made = self.shuffles()
        # Ter Braak's observed statistic is of other data than the shuffled ones.
        first = 1 if self.nuisance == "ter_braak" else 0
        return find_mirrors(self.odd, self.even, made.rows, made.signs, first=first)

    def smallest_p(self, both_sides: bool) -> float:
        """The smallest p-value that any data can give.

        Parameters
        ----------
        both_sides
            Whether a statistic counts like its negative: a mirror of the observed labelling is then counted.
        """
        mirrored = both_sides and bool(np.any(self.mirror_of[1:] == 0))
        return (2 if mirrored else 1) / self.n


def make_schemes(
    design: Design,
    tree: Tree,
    *,
    exchange: Exchange | None,
    n: int | None,
    seed: int,
    nuisance: Nuisance,
    contrasts: Sequence[str] | None = None,
    weighted: bool = False,
) -> tuple[Scheme, ...]:
    """Decide how the observations are shuffled for each contrast.

    Where nothing is asked for, a contrast's observations change signs where a constant lies in the model and
    not in the contrast's nuisance (a mean is tested: errors symmetric about zero), and places otherwise
    (errors exchangeable; Winkler et al. 2014, doi:10.1016/j.neuroimage.2014.01.060).

    A voxelwise covariate makes each row its own: rows that are equal, and shuffles that mirror others, with
    irregular numbers in its place are so whatever its values.

    Parameters
    ----------
    design
        Matrix, blocks and contrasts.
    tree
        What may change places.
    exchange
        ``permute``, ``flip`` or ``both`` for all contrasts; ``None`` to decide for each.
    n
        How many shuffles, the identity included; ``None`` for all. Never more than exist.
    seed
        Of random draws.
    nuisance
        The way of shuffling with nuisance variables.
    contrasts
        Names of those that are shuffled; ``None`` for all.
    weighted
        Whether observations have weights of their own, so that equal rows of the design are not alike.

    Returns
    -------
    tuple of Scheme
        One for each exchange that occurs, that of the first contrast first.

    Raises
    ------
    DesignError
        E270 where no shuffle changes a statistic, E273 where the set is too large, E274 to E276 where
        Huh and Jhun's method cannot be used, all at once.
    """
    chosen = [c for c in design.contrasts if contrasts is None or c.name in contrasts]
    parts = {c.name: partition(design.generic, c.weights, block_codes(design)) for c in chosen}
    by_exchange: dict[Exchange, list[Contrast]] = {}
    for contrast in chosen:
        how = exchange or _exchange(parts[contrast.name])
        by_exchange.setdefault(how, []).append(contrast)
    findings: list[Finding] = []
    schemes = []
    for how, members in by_exchange.items():
        maker = _Maker(design, tree, how, exchange is not None, members, parts, nuisance, weighted)
        trouble = list(maker.trouble())
        if not trouble:
            scheme = maker.scheme(n, seed)
            trouble = list(_too_much(scheme))
            schemes.append(scheme)
        findings += trouble
    if findings:
        raise DesignError(*findings)
    return tuple(schemes)


def _exchange(parts: Partition) -> Exchange:
    ones = np.ones((len(parts.x), 1)) / np.sqrt(len(parts.x))
    model = np.concatenate([parts.z, parts.x], axis=1)
    return "flip" if _inside(ones, model) and not _inside(ones, parts.z) else "permute"


def _inside(columns: Floats, basis: Floats) -> bool:
    """Whether columns of length 1 lie in the span of an orthonormal basis."""
    return bool(np.linalg.norm(columns - basis @ (basis.T @ columns)) <= _INSIDE * columns.shape[1])


@dataclass(frozen=True, eq=False)
class _Maker:
    """The contrasts of one exchange."""

    design: Design
    tree: Tree
    exchange: Exchange
    asked: bool
    contrasts: Sequence[Contrast]
    parts: Mapping[str, Partition]
    nuisance: Nuisance
    weighted: bool = False

    def trouble(self) -> Iterator[Finding]:
        """Reasons why there can be no such scheme."""
        if self.nuisance == "huh_jhun":
            yield from self._rotated()
            return
        if self.exchange != "permute":
            return
        still = invariance(self.tree, self.exchange)
        for contrast in self.contrasts:
            parts = self.parts[contrast.name]
            x, z = (one - still @ one for one in (parts.x, split_nuisance(parts.z, still)[0]))
            # Nor is anything tested where all that moves beside what stays is nuisance.
            if np.linalg.norm(x - z @ np.linalg.lstsq(z, x, rcond=_INSIDE)[0]) <= _INSIDE * x.shape[1]:
                yield Finding(
                    "E270",
                    f"permuting changes nothing for contrast '{contrast.name}': what it tests is the same "
                    "for all observations that may change places",
                    where=("contrasts", contrast.name),
                    help="flip signs where it is a mean (`permutation: {exchange: flip}`), or let the blocks "
                    "that differ change places (`shuffle: whole`)",
                )

    def scheme(self, n: int | None, seed: int) -> Scheme:
        """The set of shuffles."""
        rotated = self.nuisance == "huh_jhun"
        tree = build_tree(self._n_shuffled, ()) if rotated else self.tree
        odd, even = self._moving(tree)
        classes = classes_of(odd if rotated else self._model())
        possible = count(tree, classes, self.exchange).possible
        used = possible if n is None else min(n, possible)
        names = tuple(contrast.name for contrast in self.contrasts)
        sides = tuple(c.kind == "F" or c.alternative == "two-sided" for c in self.contrasts)
        return Scheme(
            exchange=self.exchange,
            why=self._why(),
            contrasts=names,
            tree=tree,
            classes=classes,
            possible=possible,
            n=used,
            exhaustive=used == possible,
            seed=seed,
            nuisance=self.nuisance,
            both_sides=sides,
            odd=odd,
            even=even,
        )

    @property
    def _n_shuffled(self) -> int:
        parts = self.parts[self.contrasts[0].name]
        return len(parts.x) - (parts.z.shape[1] if self.nuisance == "huh_jhun" else 0)

    def _model(self) -> Floats:
        """The design with columns for blocks and variance groups: equal rows of it carry equal labels."""
        groups = self.design.variance_groups
        codes = (block_codes(self.design), None if groups is None else groups.codes)
        columns = [one[:, None].astype(np.float64) for one in codes if one is not None]
        if self.weighted:
            columns.append(self._own)
        return np.concatenate([self.design.generic, *columns], axis=1)

    @property
    def _own(self) -> Floats:
        """A column that no two observations share."""
        return np.arange(1.0, len(self.design.matrix) + 1)[:, None]

    def _moving(self, tree: Tree) -> tuple[Floats, Floats]:
        """What a mirror turns, and what it may leave."""
        groups = self.design.variance_groups
        still = None if self.nuisance == "huh_jhun" else invariance(tree, self.exchange)
        recipes = [make_recipe(self.nuisance, self.parts[c.name], still) for c in self.contrasts]
        even = [recipe.moving for recipe in recipes]
        odd = [recipe.tested for recipe in recipes]
        if self.nuisance != "huh_jhun":
            # Where observations are missing the tested part is not made orthogonal to the whole nuisance.
            for contrast in self.contrasts:
                parts = self.parts[contrast.name]
                _, fixed = split_nuisance(parts.z, still)
                odd.append(parts.x0 - fixed @ (fixed.T @ parts.x0))
        if groups is not None:
            # Variance groups belong to design rows: a mirror leaves each in its group, turned with all else.
            even.append(unit_dummies(groups.codes))
        if self.weighted:
            even.append(self._own)
        return np.concatenate(odd, axis=1), np.concatenate(even, axis=1)

    def _why(self) -> str:
        if self.asked:
            return {
                "permute": "asked for: observations change places",
                "flip": "asked for: observations change signs",
                "both": "asked for: observations change places and signs",
            }[self.exchange]
        if self.exchange == "flip":
            return (
                "a constant is part of the model and not of the nuisance, so that a mean is tested: "
                "observations change signs"
            )
        parts = self.parts[self.contrasts[0].name]
        ones = np.ones((len(parts.x), 1)) / np.sqrt(len(parts.x))
        where = "part of the nuisance" if _inside(ones, parts.z) else "no part of the model"
        return f"a constant is {where}, so that a difference or a slope is tested: observations change places"

    def _rotated(self) -> Iterator[Finding]:
        where: tuple[str | int, ...] = ("permutation", "nuisance")
        if self.tree.movements:
            message = "Huh and Jhun's method mixes observations before it shuffles: it knows no blocks"
            yield Finding("E274", message, where=where, help="use `freedman_lane`, or leave the blocks out")
        if self.design.variance_groups is not None:
            message = "Huh and Jhun's method mixes observations: what is mixed belongs to no variance group"
            yield Finding("E276", message, where=where, help="use `freedman_lane`")
        ranks = {c.name: self.parts[c.name].z.shape[1] for c in self.contrasts}
        if len(set(ranks.values())) > 1:
            told = ", ".join(f"'{name}': {rank}" for name, rank in ranks.items())
            message = f"contrasts whose nuisance differs in rank ({told}) cannot share rotated observations"
            yield Finding("E275", message, where=where, help="use `freedman_lane`, or analyse them apart")


def _too_much(scheme: Scheme) -> Iterator[Finding]:
    names = ", ".join(f"'{name}'" for name in scheme.contrasts)
    if scheme.possible == 1:
        yield Finding(
            "E270",
            f"the observed labelling is the only one there is for {names}: every shuffle moves rows of the "
            "design onto equal rows",
            where=("permutation",),
            help="let `permutation.exchange` and `permutation.blocks` move what is tested",
        )
    cells = scheme.n * scheme.tree.n_obs
    if cells > MOST_CELLS:
        most = MOST_CELLS // scheme.tree.n_obs
        yield Finding(
            "E273",
            f"{short_count(scheme.n)} shuffles of {scheme.tree.n_obs} observations are more than can be held",
            where=("permutation", "n"),
            help=f"ask for at most {most:,}; 10,000 give a p of 0.05 to within 0.0044 (95 %)",
        )
