"""A study on disk, fitted by nilearn and by specgl."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from nilearn.glm.second_level import SecondLevelModel
from scipy.sparse import csr_array

from specgl.design import Block, Contrast, Design, Regressor
from specgl.engines import Threads
from specgl.models import contrast_maps, fit

SHAPE = (10, 9, 8)
EDGE = 3.0

Arrays = dict[str, np.ndarray]


@dataclass(frozen=True, eq=False)
class Study:
    """Maps of subjects on disk, and the same maps as an array.

    Attributes
    ----------
    paths
        One NIfTI file a subject, float64.
    mask
        The brain, an image.
    inside
        The same, (i, j, k).
    values
        The maps inside the brain, (n_obs, n_loc).
    """

    paths: list[Path]
    mask: nibabel.Nifti1Image
    inside: np.ndarray
    values: np.ndarray

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(f"s{row:02d}" for row in range(len(self.paths)))

    @property
    def data(self) -> xr.Dataset:
        return xr.Dataset(
            {"effect": (("observation", "location"), self.values)}, coords={"observation": list(self.ids)}
        )


def write_study(folder: Path, n: int, seed: int, signal: np.ndarray | None = None) -> Study:
    """Noise, with `signal` (n,) in one corner of the brain and its negative in another."""
    random = np.random.default_rng(seed)
    volumes = random.standard_normal((n, *SHAPE)) + 0.1
    if signal is not None:
        volumes[:, 2:5, 2:5, 2:5] += signal[:, None, None, None]
        volumes[:, 6:9, 5:8, 3:6] -= signal[:, None, None, None]
    inside = np.zeros(SHAPE, dtype=bool)
    inside[1:-1, 1:-1, 1:-1] = True
    affine = np.diag([EDGE, EDGE, EDGE, 1.0])
    paths = []
    for row, volume in enumerate(volumes):
        paths.append(folder / f"s{row:02d}.nii.gz")
        nibabel.Nifti1Image(volume, affine).to_filename(paths[-1])
    return Study(paths, nibabel.Nifti1Image(inside.astype(np.uint8), affine), inside, volumes[:, inside])


def nilearn_maps(study: Study, design: pd.DataFrame, weights: Any) -> Arrays:
    """nilearn's maps of one contrast inside the brain, by its own names."""
    model = SecondLevelModel(mask_img=study.mask)
    model.fit([str(path) for path in study.paths], design_matrix=design)
    images = model.compute_contrast(np.asarray(weights, dtype=float), output_type="all")
    return {name: np.squeeze(image.get_fdata())[study.inside] for name, image in images.items()}


def make_design(
    frame: pd.DataFrame,
    ids: Sequence[str],
    weights: Any,
    *,
    kind: str = "t",
    blocks: np.ndarray | None = None,
) -> Design:
    """A design with one contrast, tested two-sided (`both`) and upwards (`up`) if it is a t."""
    matrix = frame.to_numpy(dtype=float)
    rows = np.atleast_2d(np.asarray(weights, dtype=float))
    sides = {"t": {"both": "two-sided", "up": "greater"}, "F": {"both": "two-sided"}}[kind]
    block = None
    rank = int(np.linalg.matrix_rank(matrix))
    if blocks is not None:
        block = Block("subject", blocks.astype(np.int64), tuple(str(b) for b in np.unique(blocks)))
        rank = int(np.linalg.matrix_rank(np.column_stack([matrix, np.eye(blocks.max() + 1)[blocks]])))
    return Design(
        matrix=matrix,
        regressors=tuple(Regressor(name, name) for name in frame.columns),
        observations=tuple(ids),
        contrasts=tuple(Contrast(name, rows, kind, side, ("",)) for name, side in sides.items()),
        block=block,
        rank=rank,
        dof=len(ids) - rank,
        formula="1",
        columns={},
    )


def our_maps(data: xr.Dataset, design: Design) -> xr.Dataset:
    """specgl's maps of a design's contrasts."""
    return contrast_maps(fit(data, design, engine=Threads(1)), design)


class Voxels:
    """Neighbourhood of a mask's voxels by shared faces, which is all that nilearn knows."""

    measure = EDGE**3

    def __init__(self, inside: np.ndarray) -> None:
        self.inside = inside
        self.coordinates = np.argwhere(inside) * EDGE

    def adjacency(self, connectivity: int, within: np.ndarray | None = None) -> csr_array:
        assert connectivity == 6
        here = self.inside.copy()
        if within is not None:
            here[self.inside] = within
        number = np.cumsum(here).reshape(here.shape) - 1
        rows, columns = [], []
        for axis in range(3):
            first, second = np.moveaxis(here, axis, 0)[:-1], np.moveaxis(here, axis, 0)[1:]
            both = first & second
            rows.append(np.moveaxis(number, axis, 0)[:-1][both])
            columns.append(np.moveaxis(number, axis, 0)[1:][both])
        one, other = np.concatenate(rows), np.concatenate(columns)
        n = int(here.sum())
        links = (np.concatenate([one, other]), np.concatenate([other, one]))
        return csr_array((np.ones(2 * one.size, dtype=bool), links), shape=(n, n))


@dataclass(frozen=True)
class Beside:
    """What a test needs of both programs."""

    study: Callable[..., Study]
    theirs: Callable[..., Arrays]
    design: Callable[..., Design]
    ours: Callable[..., xr.Dataset]
    voxels: Callable[..., Voxels]


@pytest.fixture
def beside(tmp_path: Path) -> Beside:
    """Both programs side by side on a study in a folder of its own."""

    def study(n: int, seed: int, signal: np.ndarray | None = None) -> Study:
        return write_study(tmp_path, n, seed, signal)

    return Beside(study, nilearn_maps, make_design, our_maps, Voxels)
