"""What a bundle says of its analysis, gathered once, so that words are made from plain values."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from specgl.bundle import Bundle, Status

Settings = Mapping[str, Any]
Row = Mapping[str, Any]


@dataclass(frozen=True, eq=False, kw_only=True)
class Facts:
    """What words are made from.

    Attributes
    ----------
    manifest
        As the bundle has it.
    spec
        The resolved spec; empty where a run stopped before it was understood.
    design
        Meaning of regressors, variables and contrasts; None for ready-made maps.
    environment
        Versions of what the analysis ran with.
    observations
        A row for each row of the table: `status` and `reason`; None for ready-made maps.
    variables
        Values of the model's variables, a row an observation; None where they are not kept.
    """

    manifest: Mapping[str, Any]
    spec: Mapping[str, Any] = field(default_factory=dict)
    design: Mapping[str, Any] | None = None
    environment: Mapping[str, Any] = field(default_factory=dict)
    observations: pd.DataFrame | None = None
    variables: pd.DataFrame | None = None

    @property
    def complete(self) -> bool:
        """Whether the analysis came to its end."""
        return bool(self.manifest["status"] == Status.COMPLETE)

    @property
    def n_locations(self) -> int:
        """How many voxels were analysed."""
        return int(self.manifest["space"]["locations"])

    @property
    def contrasts(self) -> list[Row]:
        """Name, statistic and alternative of each contrast or ready-made map, in the order of the spec."""
        return list(self.manifest.get("contrasts", ()))

    @property
    def inferences(self) -> dict[str, Settings]:
        """The inferences by name, as they were resolved."""
        return dict(self.spec.get("inference") or {})

    @property
    def schemes(self) -> list[Row]:
        """How observations were shuffled."""
        return list(self.manifest.get("shuffling", ()))

    def rows(self, inference: str) -> list[Row]:
        """Results of an inference, a row a contrast."""
        return [row for row in self.manifest["results"] if row["inference"] == inference]

    def section(self, name: str) -> Mapping[str, Any]:
        """A section of the spec; empty where there is none."""
        return self.spec.get(name) or {}

    @property
    def varies(self) -> bool:
        """Whether voxels have different numbers of observations."""
        return any(row["n"] != row["n_min"] for row in self.manifest["results"])


def facts_of(bundle: Bundle) -> Facts:
    """Everything that words are made from.

    Parameters
    ----------
    bundle
        A bundle, of whatever status.
    """
    return Facts(
        manifest=bundle.manifest,
        spec=bundle.spec or {},
        design=bundle.design_words,
        environment=(bundle.inputs or {}).get("environment", {}),
        observations=bundle.observations,
        variables=bundle.variables,
    )


def voxel_size(affine: list[list[float]]) -> tuple[float, ...]:
    """Length of a voxel along each axis of the grid, in mm, whatever the axes' directions."""
    return tuple(math.sqrt(sum(float(affine[i][axis]) ** 2 for i in range(3))) for axis in range(3))
