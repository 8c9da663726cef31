"""From a plan's source to statistics: a group that is loaded and fitted, or maps that are ready."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import singledispatch
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from specgl import images, models
from specgl.design import Block, Design, Rows
from specgl.engines import Threads
from specgl.errors import Finding
from specgl.images import InputFile, Space
from specgl.inference import needs_smoothness, stats_from_map
from specgl.kernels.fields import ResidualSmoothness
from specgl.models import Quality
from specgl.planning import GroupSource, MapSource, Plan, located
from specgl.running.journey import Journey, Step
from specgl.variables import RPV

if TYPE_CHECKING:  # types only: a parametric run does not wait for what shuffles
    from specgl.kernels.statistics import ShuffledStatistic
    from specgl.models.schemes import Scheme


@dataclass(frozen=True, eq=False, kw_only=True)
class Observed:
    """The data of a group, and what is known of their quality.

    Attributes
    ----------
    data
        ``effect (observation, location)``, as it was fitted.
    design
        What it was fitted to.
    quality
        Of each observation.
    coverage
        Share of the mask's voxels with a value, ``(n_obs,)`` in the design's order.
    present
        Observations with a value at each voxel, ``(i, j, k)``.
    fit
        The fitted model.
    """

    data: xr.Dataset
    design: Design
    quality: Quality
    coverage: NDArray[np.float64]
    present: NDArray[np.int32]
    fit: models.GroupFit

    @property
    def clusters(self) -> Block | None:
        """Clusters within which errors go together; None where the model has none."""
        match None if self.fit.local is None else self.fit.local.estimation:
            case models.LeastSquares(errors=models.Clustered(by=by)):
                return by
        return None


@dataclass(frozen=True, eq=False, kw_only=True)
class Statistics:
    """What a source gives: statistics, where they lie, and what they were made from.

    Attributes
    ----------
    stats
        StatMaps over `(contrast, location)`.
    space
        Where the locations lie.
    extra
        Further arrays by their names in the vocabulary.
    inputs
        Every file that was read.
    counts
        Numbers of locations by kind.
    design, rows, images, variances
        Of a group; None and empty for ready-made maps.
    schemes
        How observations are shuffled; empty where nothing is.
    shuffled
        Each contrast's statistic, ready to be shuffled; empty where nothing is.
    restated
        Whether statistics under shuffles are others than those of `stats`.
    tree
        What could change places with what, drawn as text, a line each.
    smoothness
        Of the residuals, where an inference needs it.
    observed
        Of a group: its data.
    """

    stats: xr.Dataset
    space: Space
    inputs: tuple[InputFile, ...]
    counts: Mapping[str, int]
    extra: Mapping[str, NDArray[np.floating[Any]]] = field(default_factory=dict)
    design: Design | None = None
    rows: Rows | None = None
    images: Mapping[str, Path] = field(default_factory=dict)
    variances: Mapping[str, Path] = field(default_factory=dict)
    schemes: tuple[Scheme, ...] = ()
    shuffled: Mapping[str, ShuffledStatistic] = field(default_factory=dict)
    restated: bool = False
    tree: tuple[str, ...] = ()
    smoothness: ResidualSmoothness | None = None
    observed: Observed | None = None


@singledispatch
def statistics_of(source: object, plan: Plan, engine: Threads, journey: Journey) -> Statistics:
    """Compute the statistics of a plan's source.

    Parameters
    ----------
    source
        The plan's source.
    plan
        What will be done.
    engine
        Where it runs.
    journey
        Keeps stages and findings.

    Raises
    ------
    DataError
        An image cannot be read, or nothing is left to analyse.
    ComputationError
        The model cannot be fitted.
    """
    raise TypeError(f"no such source: {source!r}")


@statistics_of.register
def _(source: GroupSource, plan: Plan, engine: Threads, journey: Journey) -> Statistics:
    with journey.enter("load") as step:
        loaded = _load(source, plan, engine, step)
    journey.add(located(loaded.findings, plan.spec))
    table = source.rows.table
    journey.note_inputs(
        (InputFile(table.path, table.size, table.sha256, "table", table.name), *loaded.inputs)
    )
    with journey.enter("fit") as step:
        fit = models.fit(
            loaded.data, source.design, engine=engine, estimation=source.estimation, progress=step
        )
        stats = models.contrast_maps(fit, source.design, engine=engine)
        level = plan.spec.output.level
        stats, remarks = models.add_estimates(
            stats, plan.maps, fit, source.design, level=level, margins=plan.margins
        )
        extra = models.extra_maps(plan.maps, fit, loaded.data, source.design, engine=engine)
        smoothness = None
        asking = next((asked.name for asked in plan.inferences if needs_smoothness(asked)), None)
        if asking is not None:
            where = ("inference", asking)
            smoothness = models.residual_smoothness(
                loaded.data, source.design, fit, loaded.space, engine=engine, where=where
            )
            extra |= {RPV: smoothness.rpv}
        observed = _observed(loaded, source.design, fit, engine)
    journey.add(located((*fit.findings, *remarks), plan.spec))
    shuffling = source.shuffling
    schemes = () if shuffling is None else _as_used(shuffling.schemes, stats, source.design, fit)
    return Statistics(
        stats=stats,
        space=loaded.space,
        inputs=journey.inputs,
        counts=loaded.counts,
        extra=extra,
        design=source.design,
        rows=source.rows,
        images={name: ref.path for name, ref in source.images.items()},
        variances={name: ref.path for name, ref in (source.variances or {}).items()},
        schemes=schemes,
        shuffled=_shuffled(loaded.data, source.design, schemes, stats, fit, engine) if schemes else {},
        restated=isinstance(source.estimation, models.MixedEffects),
        tree=() if shuffling is None else tuple(shuffling.exchange.lines()),
        smoothness=smoothness,
        observed=observed,
    )


def _load(source: GroupSource, plan: Plan, engine: Threads, progress: Step | None) -> images.Loaded:
    """Read the images, and what the model needs beside them."""
    assert plan.grid is not None, "a plan without images is not run"
    return images.load(
        source.images,
        plan.grid,
        mask=source.mask,
        missing=source.missing,
        own_masks=source.own_masks,
        companions=images.Companions(source.variances, source.voxelwise),
        smoothing_fwhm=source.smoothing_fwhm,
        resample=source.resample.interpolation if source.resample else None,
        engine=engine,
        progress=progress,
    )


def _observed(loaded: images.Loaded, design: Design, fit: models.GroupFit, engine: Threads) -> Observed:
    """The data with their quality; what is told of observations follows the design's order."""
    coverage = dict(zip(loaded.data["observation"].values.tolist(), loaded.coverage.tolist(), strict=True))
    return Observed(
        data=loaded.data,
        design=design,
        quality=models.observation_quality(loaded.data, design, fit, engine=engine),
        coverage=np.array([coverage[name] for name in design.observations]),
        present=loaded.present,
        fit=fit,
    )


def _as_used(
    schemes: tuple[Scheme, ...], stats: xr.Dataset, design: Design, fit: models.GroupFit
) -> tuple[Scheme, ...]:
    """The schemes with the way of shuffling that is used where locations lack observations.

    A fit whose covariances belong to each location can flip residuals where others are missing.
    """
    analysed = np.isfinite(stats["p"].values)
    n_obs = np.broadcast_to(stats["n"].values, analysed.shape)[analysed]
    if n_obs.min(initial=len(design.observations)) == len(design.observations):
        return schemes
    return tuple(
        scheme
        if fit.local is not None and scheme.exchange == "flip"
        else replace(scheme, nuisance="draper_stoneman")
        for scheme in schemes
    )


def _shuffled(
    data: xr.Dataset,
    design: Design,
    schemes: tuple[Scheme, ...],
    stats: xr.Dataset,
    fit: models.GroupFit,
    engine: Threads,
) -> Mapping[str, ShuffledStatistic]:
    """Each contrast's statistic, ready to be shuffled at the locations where it exists."""
    from specgl.models.shuffled import shuffled_model  # imports numba: half a second

    analysed = {
        str(name): np.isfinite(stats["p"].values[row]) for row, name in enumerate(stats["contrast"].values)
    }
    nuisance = schemes[0].nuisance
    return shuffled_model(data, design, schemes, analysed, nuisance=nuisance, fit=fit, engine=engine)


@statistics_of.register
def _(source: MapSource, plan: Plan, engine: Threads, journey: Journey) -> Statistics:
    with journey.enter("load"):
        loaded = {
            ready.name: images.load_map(ready.image, mask=source.mask, where=("maps", ready.name, "image"))
            for ready in source.maps
        }
        space, values = images.join_maps(list(loaded.values()))
    for one in loaded.values():
        journey.add(located(one.findings, plan.spec))
    journey.note_inputs(dict.fromkeys(file for one in loaded.values() for file in one.inputs))
    with journey.enter("fit"):
        stats = xr.concat(
            [
                stats_from_map(ready.name, own, ready.statistic, ready.dof)
                for ready, own in zip(source.maps, values, strict=True)
            ],
            dim="contrast",
        )
    counts = {"analysed": space.n_locations}
    return Statistics(stats=stats, space=space, inputs=journey.inputs, counts=counts)


def no_images() -> Finding:
    """What a run says of a spec without images."""
    return Finding(
        "E322",
        "the spec names no images, so it can be validated and planned but not run",
        ("data",),
        on_key=True,
        help='add `images: "maps/{participant_id}_effect.nii.gz"` under `data`',
    )
