"""Statistics to be shuffled of fits whose covariances belong to each location."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from specgl.engines import Threads
from specgl.errors import ComputationError, Finding
from specgl.kernels.statistics import ShuffledStatistic
from specgl.kernels.statistics.local import LocalScale, LocalStatistic
from specgl.models.estimation import Estimation, FixedEffects, Hc, LeastSquares, MixedEffects
from specgl.models.fitted import Floats, GroupFit
from specgl.models.reduced import reduced_tau2
from specgl.models.stretches import Rows, block_codes
from specgl.models.ways import multiplied, tau2_codes

if TYPE_CHECKING:  # types only: fitting does not wait for the formula language
    from specgl.design import Contrast, Design

Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class LocalMaker:
    """What the statistics of all contrasts are made from."""

    data: xr.Dataset
    rows: Rows
    design: Design
    fit: GroupFit
    engine: Threads

    def make(self, contrast: Contrast, analysed: Mask | None, *, labels: bool) -> ShuffledStatistic:
        """Make the statistic of one contrast.

        Parameters
        ----------
        contrast
            Which.
        analysed
            ``(n_loc,)`` where it has a statistic; None for all locations.
        labels
            Whether labels move and data stay, since observations are missing and places are changed.

        Raises
        ------
        ComputationError
            E435 where that cannot be done.
        """
        assert self.fit.local is not None
        estimation, design = self.fit.local.estimation, self.design
        tau2 = self._tau2(contrast, estimation)
        if tau2 is not None:
            known: Mask = np.logical_and.reduce(np.isfinite(tau2), axis=0)
            analysed = known if analysed is None else analysed & known
        weighted = isinstance(estimation, FixedEffects | MixedEffects)
        try:
            return LocalStatistic.prepare(
                data=self.rows.values,
                row_of=self.rows.of_design,
                matrix=design.matrix,
                covariates=self.rows.covariates,
                used=multiplied(design) if design.voxelwise else None,
                weights=contrast.weights,
                kind=contrast.kind,
                variances=self.rows.variances if weighted else None,
                tau2=tau2,
                groups=tau2_codes(design),
                block_codes=block_codes(design),
                scale=scale_of(estimation),
                mode="labels" if labels else "residuals",
                dof=np.array(np.broadcast_to(self.fit.dof, self.fit.tested.shape), dtype=np.float64),
                analysed=analysed,
            )
        except ValueError as error:
            raise ComputationError(_refusal(contrast, estimation)) from error

    def _tau2(self, contrast: Contrast, estimation: Estimation) -> Floats | None:
        if not isinstance(estimation, MixedEffects):
            return None
        return reduced_tau2(
            self.data, self.design, contrast, estimation, self.fit.patterns, engine=self.engine
        )


def scale_of(estimation: Estimation) -> LocalScale:
    """Where the variance of a score comes from.

    That of mixed effects comes from weighted residuals, with either adjustment: weights that know of no
    effect have the effect in their tau2, and a score in their units is never much above the root of n. Under
    shuffles any statistic is valid, and this one grows with the effect.
    """
    match estimation:
        case LeastSquares(errors=Hc(kind=kind)):
            return kind
        case FixedEffects():
            return "known"
        case LeastSquares() | MixedEffects():
            return "residual"
        case _:
            raise ValueError(f"no shuffles of {estimation!r}: planning refuses them")


def _refusal(contrast: Contrast, estimation: Estimation) -> Finding:
    what = "voxelwise covariates would come to observations of other locations' values"
    if isinstance(estimation, LeastSquares) and isinstance(estimation.errors, Hc):
        what = "statistics studentised by HC errors are shuffled by their residuals, which must be there"
    return Finding(
        "E435",
        f"contrast '{contrast.name}' cannot be permuted where observations are missing: {what}",
        where=("contrasts", contrast.name),
        help="analyse complete locations (`missing: {voxel: complete}`), or flip signs "
        "(`permutation: {exchange: flip}`)",
    )
