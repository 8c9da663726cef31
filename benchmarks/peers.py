"""What specgl's shuffles are measured against: nilearn's permuted_ols, the bare product, the package tfce."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable

import nibabel as nib
import numpy as np
from brain import Brain
from nilearn.maskers import NiftiMasker
from nilearn.mass_univariate import permuted_ols
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

Singles = NDArray[np.float32]

_BATCHES = (16, 32, 64, 128, 256)


def nilearn_one_sample(
    maps: Singles, brain: Brain, jobs: int, *, threshold: float | None = None, tfce: bool = False
) -> Callable[[int], object]:
    """A one-sample test by sign flips as nilearn does it, given a number of shuffles.

    It always takes the maximum of t and compares it with every voxel. With a threshold it also finds the
    largest extent and excess mass of clusters (6 neighbours); TFCE is summed over 100 steps (6 neighbours).
    """
    masker = None
    if threshold is not None or tfce:
        masker = NiftiMasker(nib.Nifti1Image(brain.mask.astype(np.uint8), brain.affine)).fit()
    ones = np.ones((len(maps), 1))

    def call(n: int) -> object:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that so few shuffles are of little use
            return permuted_ols(
                ones,
                maps,
                model_intercept=False,
                n_perm=n,
                two_sided_test=True,
                random_state=20261122,
                n_jobs=jobs,
                masker=masker,
                threshold=threshold,
                tfce=tfce,
                output_type="dict",
            )

    return call


def product_alone(maps: Singles, cores: int) -> Callable[[int], object]:
    """``signs @ data`` in float32 on all cores, into memory that is there, in batches of the best size."""
    rng = np.random.default_rng(20261122)

    def multiply(signs: Singles, out: Singles, n: int) -> None:
        with threadpool_limits(cores):
            for _ in range(0, n, len(signs)):
                np.matmul(signs, maps, out=out)

    def seconds(batch: int) -> float:
        signs = rng.choice([-1.0, 1.0], size=(batch, len(maps))).astype(np.float32)
        out = np.empty((batch, maps.shape[1]), dtype=np.float32)
        multiply(signs, out, batch)
        start = time.perf_counter()
        multiply(signs, out, 512)
        return time.perf_counter() - start

    batch = min(_BATCHES, key=seconds)
    signs = rng.choice([-1.0, 1.0], size=(batch, len(maps))).astype(np.float32)
    out = np.empty((batch, maps.shape[1]), dtype=np.float32)
    return lambda n: multiply(signs, out, n)
