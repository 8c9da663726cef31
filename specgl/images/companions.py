"""What is read beside the effects: their first-level variances, and covariates that differ by location."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from specgl.engines import Threads
from specgl.errors import Finding
from specgl.images.grid import Grid
from specgl.images.headers import Headers, read_headers
from specgl.images.paths import ImageRef, Where, listing


@dataclass(frozen=True, eq=False)
class Companions:
    """Images that are wanted beside the effects.

    Attributes
    ----------
    variances
        First-level variance of each observation's effect, in squared units of the effect, by observation id;
        None where none are wanted.
    voxelwise
        Image of each observation by covariate and observation id, in the order in which the data are to have
        the covariates.
    """

    variances: Mapping[str, ImageRef] | None = None
    voxelwise: Mapping[str, Mapping[str, ImageRef]] = field(default_factory=dict)

    def __len__(self) -> int:
        """Number of images an observation."""
        return (self.variances is not None) + len(self.voxelwise)


@dataclass(frozen=True, eq=False)
class Stack:
    """One companion of all observations: headers read, and no voxel yet.

    Attributes
    ----------
    role
        What the images are.
    name
        Of the covariate; ``variance`` for variances.
    where
        Keys of the spec that name the images.
    headers
        In the order of the observations; faults are in their findings.
    """

    role: Literal["variance", "covariate"]
    name: str
    where: Where
    headers: Headers

    @property
    def label(self) -> str:
        """What messages call one of the images."""
        return "variance" if self.role == "variance" else f"image of the covariate '{self.name}'"

    @property
    def dtype(self) -> np.dtype[Any]:
        """float32 where every value is exact in it, else float64."""
        wide = any(header.held_dtype == np.float64 for header in self.headers.by_name.values())
        return np.dtype(np.float64) if wide else np.dtype(np.float32)

    def lacking(self, observations: Iterable[str]) -> list[Finding]:
        """E300 for the observations without an image."""
        lacking = [who for who in observations if who not in self.headers.refs]
        if not lacking:
            return []
        message = f"{len(lacking)} observations have no {self.label}: {listing(lacking)}"
        return [Finding("E300", message, self.where)]

    def elsewhere(self, grid: Grid) -> dict[str, Grid]:
        """Files that do not lie on a grid, by name, with the grid that they lie on."""
        headers = self.headers.by_name.values()
        return {header.name: header.grid for header in headers if not header.grid.same_as(grid)}


def read_stacks(companions: Companions, observations: list[str], engine: Threads) -> tuple[Stack, ...]:
    """Read the headers of all companions.

    Parameters
    ----------
    companions
        What is wanted.
    observations
        Ids, in the order of the effects.
    engine
        Where it runs.

    Returns
    -------
    tuple of Stack
        The variances first, then each covariate. Nothing is raised: faults of files are in the findings of
        the headers; an observation without an image is in none of them.
    """
    wanted: list[tuple[Literal["variance", "covariate"], str, Where, Mapping[str, ImageRef]]] = []
    if companions.variances is not None:
        wanted.append(("variance", "variance", ("data", "variances"), companions.variances))
    for name, refs in companions.voxelwise.items():
        wanted.append(("covariate", name, ("data", "voxelwise", name), refs))
    return tuple(
        Stack(role, name, where, read_headers(_ordered(refs, observations), engine, where=where))
        for role, name, where, refs in wanted
    )


def _ordered(refs: Mapping[str, ImageRef], observations: list[str]) -> dict[str, ImageRef]:
    return {who: refs[who] for who in observations if who in refs}
