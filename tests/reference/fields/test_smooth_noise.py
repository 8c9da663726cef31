"""What specgl makes of noise of known smoothness: the estimate from residuals, and simulated clusters."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from field_truth import noise
from scipy import ndimage, stats

from specgl.design.records import Contrast, Design
from specgl.engines import Threads
from specgl.images.grid import Grid
from specgl.images.space import Space
from specgl.inference import Forming, Lattice, Provisions, Simulated, infer, stats_from_map
from specgl.models import fit
from specgl.models.smoothness import residual_smoothness

N = 24
ENGINE = Threads(1)


def space(shape: tuple[int, int, int]) -> Space:
    return Space.from_mask(np.ones(shape, dtype=bool), Grid(shape, np.diag([2.0, 2.0, 2.0, 1.0])))


@pytest.mark.parametrize(("fwhm", "shape"), [(3.0, (22, 20, 18)), (6.0, (30, 28, 26)), (4.0, (60, 50, 1))])
def test_residuals_of_known_smoothness(fwhm, shape):
    """Mean of six estimates, each off by some percent; voxels of unlike variance and a covariate beside."""
    rng = np.random.default_rng(11)
    matrix = np.column_stack([np.ones(N), rng.standard_normal(N), rng.standard_normal(N)])
    ids = tuple(f"s{i:02}" for i in range(N))
    contrast = Contrast("c", np.array([[1.0, 0, 0]]), "t", "two-sided", ("c",))
    design = Design(matrix, (), ids, (contrast,), None, 3, N - 3, "x", {}, (), None)
    here, found = space(shape), []
    spread = rng.uniform(0.5, 4, int(np.prod(shape)))
    for _ in range(6):
        y = noise.smooth(rng, N, shape, fwhm).reshape(N, -1) * spread + 100
        data = xr.Dataset({"effect": (("observation", "location"), y)}, coords={"observation": list(ids)})
        fitted = fit(data, design, engine=ENGINE)
        told = residual_smoothness(data, design, fitted, here, engine=ENGINE)
        thick = [axis for axis in range(3) if shape[axis] > 1]
        widths = np.array(told.fwhm_voxels)[thick]
        assert np.nanmean(told.rpv) == pytest.approx(1 / np.prod(widths), rel=1e-6)
        found.append(widths)
    np.testing.assert_allclose(np.mean(found, axis=0), fwhm, rtol=0.03)


@pytest.mark.parametrize("alternative", ["two-sided", "greater"])
def test_simulated_clusters_beside_other_simulations(alternative):
    """The share of own maps whose largest cluster is as large, for each size; two samples of 600 maps."""
    shape, fwhm, n = (20, 18, 16), 4.0, 600
    p = 0.01
    u = stats.norm.isf(p / 2 if alternative == "two-sided" else p)
    rng = np.random.default_rng(12)
    ours = []
    for field in noise.smooth(rng, n, shape, fwhm):
        signs = (1, -1) if alternative == "two-sided" else (1,)
        sizes = [0]
        for sign in signs:
            labels, count = ndimage.label(sign * field >= u, np.ones((3, 3, 3)))
            sizes += list(np.bincount(labels.reshape(-1))[1:]) if count else []
        ours.append(max(sizes))

    # bars of several lengths, one voxel thick
    z, lengths = np.zeros(shape), [2, 5, 8, 11, 14, 17]
    for number, length in enumerate(lengths):
        z[:length, 2 + 3 * (number % 5), 2 + 4 * (number // 5)] = u + 0.5
    here = space(shape)
    asked = Simulated("mc", "cluster_extent", Forming(p=p), n, seed=3, fwhm=(8.0, 8.0, 8.0))
    (found,) = infer(
        stats_from_map("m", z.reshape(-1), "z", None, alternative),
        here,
        [asked],
        Provisions(lattice=Lattice(here.voxels, (2.0, 2.0, 2.0)), engine=ENGINE),
    )
    told = found.p_corrected.reshape(shape)
    for number, length in enumerate(lengths):
        theirs = told[0, 2 + 3 * (number % 5), 2 + 4 * (number // 5)]
        mine = np.mean(np.array(ours) >= length)
        error = np.sqrt(2 * max(mine * (1 - mine), 1 / n) / n)
        assert abs(theirs - mine) <= 4 * error + 1 / n, (length, theirs, mine)
    assert found.simulations is not None
    low, high = np.quantile(ours, [0.92, 0.975])
    assert low - 1 <= found.simulations.critical <= high + 1
