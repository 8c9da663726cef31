"""From data and a design to statistics that can be shuffled, one a contrast."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from specgl.engines import Threads
from specgl.kernels.shuffles import invariance
from specgl.kernels.statistics import Nuisance, ShuffledStatistic, partition
from specgl.kernels.statistics.available import AvailableStatistic
from specgl.kernels.statistics.pooled import PooledStatistic
from specgl.kernels.statistics.separate import SeparateStatistic
from specgl.kernels.welch import KINDS
from specgl.models.fitted import GroupFit
from specgl.models.schemes import Scheme
from specgl.models.shuffled_local import LocalMaker
from specgl.models.stretches import Rows, block_codes, match_rows

if TYPE_CHECKING:  # types only: fitting does not wait for the formula language
    from specgl.design import Contrast, Design

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
_HERE = Threads(1)


def shuffled_model(
    data: xr.Dataset,
    design: Design,
    schemes: Sequence[Scheme],
    analysed: Mapping[str, Mask] | None = None,
    *,
    nuisance: Nuisance,
    fit: GroupFit | None = None,
    engine: Threads = _HERE,
) -> Mapping[str, ShuffledStatistic]:
    """Make the contrasts of a design ready to be shuffled.

    Parameters
    ----------
    data
        ``effect (observation, location)``, float32 or float64, with a coordinate ``observation``; values that
        are not finite are missing.
    design
        The design, its rows matched with the maps by id. Its variance groups, where there are two or more,
        make v of t and G of F.
    schemes
        How observations are shuffled; their contrasts are those that are made.
    analysed
        For each contrast ``(n_loc,)``, which locations have a statistic; ``None`` for all.
    nuisance
        The way of shuffling with nuisance variables. Once an analysed location of any contrast lacks an
        observation, all locations of all contrasts are shuffled by Draper and Stoneman's; where covariances
        belong to each location (`GroupFit.local`), unless signs are flipped.
    fit
        The fitted model; None for ordinary least squares with one design.
    engine
        Where what is kept from the reduced model is estimated; no result depends on it.

    Returns
    -------
    Mapping
        A statistic for each contrast, in the schemes' order. They share the data, which are not copied.

    Raises
    ------
    ComputationError
        E401 when data and design are not about the same observations; E435 where a statistic of its own
        covariances cannot be shuffled, since observations are missing.
    ValueError
        For ``huh_jhun`` where an analysed location lacks an observation: its shuffles are of fewer rows.
    """
    rows = match_rows(data, design)
    contrasts = {contrast.name: contrast for contrast in design.contrasts}
    names = [name for scheme in schemes for name in scheme.contrasts]
    masks = None if analysed is None else {name: np.asarray(analysed[name]) for name in names}
    incomplete = _incomplete(rows, masks)
    if incomplete and nuisance == "huh_jhun":
        raise ValueError("Huh-Jhun's shuffles are not of the observations: none of these may be missing")
    statistics: dict[str, ShuffledStatistic] = {}
    for scheme in schemes:
        still = None if scheme.nuisance == "huh_jhun" else invariance(scheme.tree, scheme.exchange)
        for name in scheme.contrasts:
            mask = None if masks is None else masks[name]
            if fit is not None and fit.local is not None:
                local = LocalMaker(data, rows, design, fit, engine)
                labels = scheme.nuisance == "draper_stoneman" or (incomplete and scheme.exchange != "flip")
                statistics[name] = local.make(contrasts[name], mask, labels=labels)
                continue
            maker = _Maker(rows, design, contrasts[name], still, mask, nuisance)
            statistics[name] = maker.make(incomplete)
    return statistics


@dataclass(frozen=True, eq=False)
class _Maker:
    """One contrast and what it is to be made from."""

    rows: Rows
    design: Design
    contrast: Contrast
    still: Floats | None
    analysed: Mask | None
    nuisance: Nuisance

    def make(self, incomplete: bool) -> ShuffledStatistic:
        groups = self.design.variance_groups
        if groups is not None and self.design.varies_by_group:
            return self._separate(groups.codes, incomplete)
        return self._available() if incomplete else self._pooled()

    def _pooled(self) -> PooledStatistic:
        return PooledStatistic.prepare(
            self.rows.values,
            partition(self.design.matrix, self.contrast.weights, block_codes(self.design)),
            kind=self.contrast.kind,
            nuisance=self.nuisance,
            invariant=self.still,
            analysed=self.analysed,
            row_of=self.rows.of_design,
        )

    def _available(self) -> AvailableStatistic:
        return AvailableStatistic.prepare(
            self.rows.values,
            self.design.matrix,
            self.contrast.weights,
            kind=self.contrast.kind,
            block_codes=block_codes(self.design),
            invariant=self.still,
            analysed=self.analysed,
            row_of=self.rows.of_design,
        )

    def _separate(self, groups: NDArray[np.int64], incomplete: bool) -> SeparateStatistic:
        return SeparateStatistic.prepare(
            self.rows.values,
            partition(self.design.matrix, self.contrast.weights, block_codes(self.design)),
            groups,
            kind="v" if KINDS[self.contrast.kind] == "v" else "G",
            nuisance=self.nuisance,
            invariant=self.still,
            analysed=self.analysed,
            row_of=self.rows.of_design,
            incomplete=incomplete,
        )


def _incomplete(rows: Rows, masks: Mapping[str, Mask] | None) -> bool:
    """Whether an analysed location lacks an observation."""
    n_loc = rows.values.shape[1]
    complete = np.ones(n_loc, dtype=bool)
    for row in rows.values:  # row by row: no second array of the data's size
        complete &= np.isfinite(row)
    wanted = np.ones(n_loc, dtype=bool) if masks is None else np.zeros(n_loc, dtype=bool)
    for mask in (masks or {}).values():
        wanted |= mask
    return bool(np.any(wanted & ~complete))
