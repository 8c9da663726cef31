"""Shuffled statistics of models whose covariances belong to each location."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import factorial

import numpy as np
import pytest
import xarray as xr
from numpy.testing import assert_allclose, assert_array_equal

from specgl import models
from specgl.design.records import Block, Design, Regressor
from specgl.engines import Threads
from specgl.errors import ComputationError
from specgl.kernels.shuffles import build_tree
from specgl.models import contrast_maps, fit
from specgl.models.reduced import reduced_tau2
from specgl.models.schemes import Scheme, make_schemes
from specgl.models.shuffled import shuffled_model

Make = Callable[..., Design]
ONE = Threads(1)
N = 10
MEAN = np.array([1.0, 0.0])
SLOPE = np.array([0.0, 1.0])


def group(seed: int, n_loc: int = 5) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    matrix = np.column_stack([np.ones(N), rng.standard_normal(N)])
    variances = rng.uniform(0.2, 2.0, (N, n_loc))
    y = 0.5 + rng.standard_normal((N, n_loc)) * np.sqrt(variances + 0.5)
    return matrix, y, variances


def dataset(y: np.ndarray, variances: np.ndarray, covariate: np.ndarray | None = None) -> xr.Dataset:
    ids = [f"sub-{i:02}" for i in range(len(y))]
    data = xr.Dataset(
        {"effect": (("observation", "location"), y), "variance": (("observation", "location"), variances)},
        coords={"observation": ids},
    )
    if covariate is not None:
        data["voxelwise"] = (("covariate", "observation", "location"), covariate[None])
        data = data.assign_coords(covariate=["c0"])
    return data


def schemes_of(design: Design, *, n: int = 20, weighted: bool = False, how: str | None = None) -> Scheme:
    tree = build_tree(len(design.matrix), ())
    (scheme,) = make_schemes(
        design, tree, exchange=how, n=n, seed=1, nuisance="freedman_lane", weighted=weighted
    )
    return scheme


def observed(design: Design, data: xr.Dataset, way: models.Estimation, scheme: Scheme) -> np.ndarray:
    fitted = fit(data, design, engine=ONE, estimation=way)
    made = shuffled_model(data, design, [scheme], nuisance="freedman_lane", fit=fitted)
    return made[scheme.contrasts[0]].observed


@pytest.mark.parametrize("kind", ["hc0", "hc1", "hc2", "hc3", "hc4"])
def test_a_studentised_statistic_of_the_identity_is_that_of_the_map(kind: str, make_design: Make) -> None:
    matrix, y, variances = group(0)
    design, data = make_design(matrix, t={"slope": SLOPE}), dataset(y, variances)
    way = models.LeastSquares(models.Hc(kind))
    maps = contrast_maps(fit(data, design, engine=ONE, estimation=way), design)
    assert_allclose(observed(design, data, way, schemes_of(design)), maps["stat"][0], rtol=1e-9)


def test_a_voxelwise_t_and_a_fixed_effects_z_of_the_identity_are_those_of_the_map(make_design: Make) -> None:
    matrix, y, variances = group(1)
    covariate = np.random.default_rng(1).standard_normal(y.shape)
    design = make_design(np.column_stack([matrix, np.ones(N)]), t={"c": [0.0, 0.0, 1.0]})
    regressors = (Regressor("a", "a"), Regressor("b", "b"), Regressor("c", "c", covariates=("c0",)))
    design = replace(design, regressors=regressors, voxelwise=("c0",))
    data = dataset(y, variances, covariate)
    for way in (models.LeastSquares(), models.FixedEffects()):
        maps = contrast_maps(fit(data, design, engine=ONE, estimation=way), design)
        weighted = isinstance(way, models.FixedEffects)
        found = observed(design, data, way, schemes_of(design, weighted=weighted))
        assert_allclose(found, maps["stat"][0], rtol=1e-9)


@pytest.mark.parametrize("adjustment", ["none", "knapp_hartung"])
def test_mixed_effects_have_weights_of_the_reduced_model(adjustment: str, make_design: Make) -> None:
    matrix, y, variances = group(2)
    design, data = make_design(matrix, t={"slope": SLOPE}), dataset(y, variances)
    way = models.MixedEffects("dl", adjustment)
    fitted = fit(data, design, engine=ONE, estimation=way)
    (contrast,) = design.contrasts
    tau2 = reduced_tau2(data, design, contrast, way, fitted.patterns, engine=ONE)
    found = observed(design, data, way, schemes_of(design, weighted=True))
    for location in range(y.shape[1]):
        own, s = y[:, location], variances[:, location]
        w0 = 1 / s
        rest = own - (w0 @ own) / w0.sum()
        q, trace = (w0 * rest) @ rest, w0.sum() - (w0**2).sum() / w0.sum()
        assert_allclose(tau2[0, location], max(0.0, (q - (N - 1)) / trace), rtol=1e-8, atol=1e-10)
        w = 1 / (s + tau2[0, location])
        covariance = np.linalg.inv(matrix.T * w @ matrix)
        beta = covariance @ matrix.T @ (w * own)
        e = own - matrix @ beta
        expected = beta[1] / np.sqrt(covariance[1, 1] * (w * e) @ e / (N - 2))
        assert_allclose(found[location], expected, rtol=1e-8)


def test_a_mean_with_sign_flips_has_no_regressor_left(make_design: Make) -> None:
    """Where all that the model has is tested, tau2 is about zero; missing values stay missing."""
    _, y, variances = group(3)
    y[2, 1] = np.nan
    design, data = make_design(np.ones((N, 1)), t={"mean": [1.0]}), dataset(y, variances)
    way = models.MixedEffects("reml")
    scheme = schemes_of(design, weighted=True)
    assert scheme.exchange == "flip"
    fitted = fit(data, design, engine=ONE, estimation=way)
    made = shuffled_model(data, design, [scheme], nuisance="freedman_lane", fit=fitted)["mean"]
    assert made.varying
    shuffles = scheme.shuffles()
    values = made.values(shuffles.rows, shuffles.signs, np.arange(5))
    (contrast,) = design.contrasts
    tau2 = reduced_tau2(data, design, contrast, way, fitted.patterns, engine=ONE)
    from specgl.kernels.statistics.zscale import z_of

    for location in range(5):
        here = np.isfinite(y[:, location])
        w = 1 / (variances[here, location] + tau2[0, location])
        for k in range(scheme.n):
            own = y[here, location] * shuffles.signs[k, here]
            mean = (w @ own) / w.sum()
            t = mean / np.sqrt((w @ (own - mean) ** 2) / (here.sum() - 1) / w.sum())
            expected = z_of(np.array([t]), "t", 1, np.array([here.sum() - 1.0]))[0]
            assert_allclose(values[k, location], expected, rtol=1e-7, atol=1e-9)


def test_observations_with_weights_of_their_own_are_not_alike(make_design: Make) -> None:
    two = np.column_stack([np.ones(6), np.arange(6) % 2])
    design = make_design(two, t={"difference": SLOPE})
    plain, weighted = schemes_of(design, n=10_000), schemes_of(design, n=10_000, weighted=True)
    assert plain.possible == 20
    assert weighted.possible == factorial(6)
    assert np.any(plain.mirror_of != np.arange(plain.n))
    assert_array_equal(weighted.mirror_of, np.arange(weighted.n))
    flips = schemes_of(design, n=10_000, weighted=True, how="flip")
    assert np.count_nonzero(flips.mirror_of != np.arange(flips.n)) == flips.n // 2


@pytest.mark.parametrize("name", ["hc3", "voxelwise"])
def test_what_cannot_be_permuted_where_values_are_missing_is_refused(name: str, make_design: Make) -> None:
    matrix, y, variances = group(4)
    y[0, 0] = np.nan
    design = make_design(np.column_stack([matrix, np.ones(N)]), t={"c": [0.0, 0.0, 1.0]})
    way: models.Estimation = models.LeastSquares()
    data = dataset(y, variances, np.random.default_rng(4).standard_normal(y.shape))
    if name == "hc3":
        design, way = make_design(matrix, t={"c": SLOPE}), models.LeastSquares(models.Hc("hc3"))
    else:
        regressors = (Regressor("a", "a"), Regressor("b", "b"), Regressor("c", "c", covariates=("c0",)))
        design = replace(design, regressors=regressors, voxelwise=("c0",))
    with pytest.raises(ComputationError, match="E435"):
        observed(design, data, way, schemes_of(design))


def test_draper_and_stoneman_move_labels_where_nothing_is_missing(make_design: Make) -> None:
    """Of what is asked for nothing is passed over: labels move, and data and weights stay."""
    matrix, y, variances = group(6)
    design, data = make_design(matrix, t={"slope": SLOPE}), dataset(y, variances)
    fitted = fit(data, design, engine=ONE, estimation=models.FixedEffects())
    scheme = replace(schemes_of(design, weighted=True), nuisance="draper_stoneman")
    made = shuffled_model(data, design, [scheme], nuisance=scheme.nuisance, fit=fitted)["slope"]
    shuffles = scheme.shuffles()
    values = made.values(shuffles.rows, shuffles.signs, np.arange(5))
    for k in range(scheme.n):
        moved = np.column_stack([np.ones(N), matrix[shuffles.rows[k], 1]])
        for location in range(5):
            w = 1 / variances[:, location]
            covariance = np.linalg.inv(moved.T * w @ moved)
            beta = covariance @ moved.T @ (w * y[:, location])
            assert_allclose(values[k, location], beta[1] / np.sqrt(covariance[1, 1]), rtol=1e-8)


def test_groups_keep_their_own_tau2(make_design: Make) -> None:
    codes = np.arange(N) % 2
    _, y, variances = group(5)
    y *= np.where(codes, 3.0, 1.0)[:, None]
    cells = np.column_stack([codes == 0, codes == 1]).astype(float)
    design = make_design(cells, t={"difference": [1.0, -1.0]})
    design = replace(design, variance_groups=Block("group", codes, ("a", "b")))
    data, way = dataset(y, variances), models.MixedEffects("reml")
    fitted = fit(data, design, engine=ONE, estimation=way)
    (contrast,) = design.contrasts
    tau2 = reduced_tau2(data, design, contrast, way, fitted.patterns, engine=ONE)
    assert tau2.shape == (2, 5)
    assert tau2[1].mean() > 3 * tau2[0].mean()
