"""What a bundle keeps for those who look: data quality, values at peaks, the underlay."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from specgl import images
from specgl.bundle import QualityContents
from specgl.design import leverages
from specgl.images import Grid, Space, Underlay
from specgl.inference import Inferred
from specgl.models import beside_at, values_at
from specgl.planning import Plan
from specgl.running.journey import Journey
from specgl.running.sources import Observed

MOST_PEAKS, FEWEST_PEAKS = 24, 4
"""Peaks of one contrast whose values are kept; a report shows the fewest."""

MOST_VALUES = 1_000_000
"""Values at peaks that are kept: fewer peaks of very many observations, but as many as a report shows."""

MOST_SLICES = 60
"""Observations of which a slice is kept; of more, those furthest from the group."""


def read_underlay(plan: Plan, journey: Journey) -> Underlay | None:
    """Read what figures are drawn on, where the spec names it.

    Raises
    ------
    DataError
        It cannot be read.
    """
    if plan.underlay is None:
        return None
    underlay = images.read_underlay(plan.underlay, ("output", "underlay"))
    journey.note_inputs((underlay.input,))
    return underlay


def quality_contents(observed: Observed, space: Space, inferred: Sequence[Inferred]) -> QualityContents:
    """Tell of the data's quality as a bundle keeps it.

    Parameters
    ----------
    observed
        The data that were fitted, and what is known of their quality.
    space
        Their locations.
    inferred
        Results, whose peaks' values are kept.
    """
    design, quality = observed.design, observed.quality
    columns = {
        "distance": quality.distance,
        "outlier": quality.outlier,
        "mahalanobis": quality.mahalanobis,
        "mean_absolute_residual": quality.mean_absolute_residual,
        "coverage": observed.coverage,
        "n_values": quality.n_values,
        "leverage": leverages(design),
        "mean_weight": quality.mean_weight,
        "downweighted": quality.downweighted,
    }
    observations = pd.DataFrame(
        {name: values for name, values in columns.items() if values is not None},
        index=pd.Index(design.observations, name="observation"),
    )
    shown = furthest(quality.distance)
    slices, grid = _slab(observed, space, shown)
    n_contrasts = len({one.contrast for one in inferred})
    most = MOST_VALUES // max(1, len(design.observations) * n_contrasts)
    places, locations = peak_locations(inferred, space, min(max(most, FEWEST_PEAKS), MOST_PEAKS))
    peaks = pd.DataFrame(places, columns=list("xyz"))
    values = values_at(observed.data, design, locations)
    assert values.shape == (len(design.observations), len(places))
    own = pd.DataFrame(values.T, columns=list(design.observations))
    return QualityContents(
        observations=observations,
        mean=quality.mean,
        present=observed.present,
        slices=slices,
        slices_grid=grid,
        sliced=tuple(design.observations[row] for row in shown.tolist()),
        peaks=pd.concat([peaks, own], axis=1),
        beside=_beside(observed, peaks, locations),
    )


def _beside(observed: Observed, peaks: pd.DataFrame, locations: NDArray[np.int64]) -> pd.DataFrame | None:
    """Weights and voxelwise covariates at peaks; None where the model has neither."""
    design = observed.design
    told = beside_at(observed.data, design, observed.fit, locations)
    frames = []
    for what, values in told.items():
        own = pd.DataFrame(values.T, columns=list(design.observations))
        frames.append(pd.concat([peaks.assign(what=what)[["what", *"xyz"]], own], axis=1))
    return pd.concat(frames, ignore_index=True) if frames else None


def furthest(distance: NDArray[np.float64]) -> NDArray[np.int64]:
    """Rows of the `MOST_SLICES` observations furthest from the group, in the design's order."""
    order = np.argsort(-np.nan_to_num(distance, nan=-1.0), kind="stable")
    return np.sort(order[:MOST_SLICES]).astype(np.int64)


def peak_locations(
    inferred: Sequence[Inferred], space: Space, most: int = MOST_PEAKS
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Places of peaks, each once: of each contrast those of its tables, the strongest first.

    Parameters
    ----------
    inferred
        Results.
    space
        The locations.
    most
        Peaks of one contrast.

    Returns
    -------
    places : ndarray
        ``(n, 3)`` mm, as the tables have them.
    locations : ndarray
        ``(n,)`` positions along ``location``.
    """
    by_contrast: dict[str, list[pd.DataFrame]] = {}
    for one in inferred:
        rows = [one.clusters[["x", "y", "z", "z_score"]]]
        if one.peak is not None:  # the strongest evidence is shown even where nothing survives
            told = {key: [getattr(one.peak, key)] for key in ("x", "y", "z", "z_score")}
            rows.append(pd.DataFrame(told))
        by_contrast.setdefault(one.contrast, []).extend(rows)
    chosen: dict[tuple[int, ...], tuple[float, float, float]] = {}
    inverse = np.linalg.inv(space.grid.affine)
    for several in by_contrast.values():
        table = pd.concat([rows for rows in several if len(rows)] or several[:1], ignore_index=True)
        table = table.drop_duplicates(list("xyz"))
        order = np.argsort(-table["z_score"].abs().to_numpy(dtype=np.float64), kind="stable")
        for place in table[list("xyz")].to_numpy(dtype=np.float64)[order][:most]:
            voxel = np.rint(inverse[:3, :3] @ place + inverse[:3, 3]).astype(int)
            chosen.setdefault(tuple(voxel.tolist()), tuple(place.tolist()))
    places = np.array(list(chosen.values()), dtype=np.float64).reshape(-1, 3)
    index = np.array([np.ravel_multi_index(voxel, space.grid.shape) for voxel in chosen], dtype=np.int64)
    return places, np.searchsorted(space.index, index).astype(np.int64)


def _slab(observed: Observed, space: Space, shown: NDArray[np.int64]) -> tuple[NDArray[np.float32], Grid]:
    """The slice with the most values, across the voxel axis that is nearest to the vertical."""
    axis = int(np.argmax(np.abs(space.grid.affine[2, :3]) / space.grid.zooms))
    along = space.voxels[:, axis]
    values_there = observed.present[tuple(space.voxels.T)]
    at = int(np.argmax(np.bincount(along, weights=values_there)))
    locations = np.flatnonzero(along == at)
    values = values_at(observed.data, observed.design, locations, shown)
    i, j, k = (1 if n == axis else length for n, length in enumerate(space.grid.shape))
    shape = i, j, k
    volume = np.full((len(values), *shape), np.nan, dtype=np.float32)
    voxels = space.voxels[locations].copy()
    voxels[:, axis] = 0
    volume[:, voxels[:, 0], voxels[:, 1], voxels[:, 2]] = values
    affine = space.grid.affine.copy()
    affine[:3, 3] += affine[:3, axis] * at
    return volume, Grid(shape, affine, space.grid.qform_code, space.grid.sform_code, space.grid.space)
