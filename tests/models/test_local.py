"""Models whose covariances belong to each location: against dense algebra, one location at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats as scipy_stats

from specgl import models
from specgl.design.records import Block, Design, Regressor
from specgl.engines import Threads
from specgl.models import contrast_maps, extra_maps, fit, observation_quality, residuals

Make = Callable[..., Design]
ONE = Threads(1)
SEEDS = st.integers(0, 2**32 - 1)
N = 14
DIFFERENCE = np.array([0.0, 1.0, 0.0])
BOTH = np.eye(3)[1:]

ESTIMATIONS: dict[str, models.Estimation] = {
    "fixed": models.FixedEffects(),
    **{f"mixed {method}": models.MixedEffects(method) for method in ("dl", "pm", "ml", "reml", "hedges")},
    "knapp_hartung": models.MixedEffects("dl", "knapp_hartung"),
    "huber": models.Robust("huber"),
    "bisquare": models.Robust("bisquare"),
    **{kind: models.LeastSquares(models.Hc(kind)) for kind in ("hc0", "hc1", "hc2", "hc3", "hc4")},
    "cluster": models.LeastSquares(models.Clustered(Block("site", np.arange(N) // 2, tuple("abcdefg")))),
}


def group(seed: int, n_loc: int = 4) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Design, effects and first-level variances."""
    rng = np.random.default_rng(seed)
    matrix = np.column_stack([np.ones(N), np.arange(N) % 2, rng.standard_normal(N)])
    variances = rng.uniform(0.2, 2.0, (N, n_loc))
    y = matrix @ rng.standard_normal((3, n_loc)) + rng.standard_normal((N, n_loc)) * np.sqrt(variances + 0.5)
    return matrix, y, variances


@pytest.fixture(scope="session")
def make_weighted(make_data: Callable[..., xr.Dataset]) -> Callable[..., xr.Dataset]:
    """Data with variances and covariates."""

    def make(
        y: np.ndarray, variances: np.ndarray | None = None, covariates: np.ndarray | None = None
    ) -> xr.Dataset:
        data = make_data(y)
        if variances is not None:
            data["variance"] = (("observation", "location"), variances)
        if covariates is not None:
            data["voxelwise"] = (("covariate", "observation", "location"), covariates)
            data = data.assign_coords(covariate=[f"c{i}" for i in range(len(covariates))])
        return data

    return make


def weights_and_covariance(
    name: str, matrix: np.ndarray, y: np.ndarray, variances: np.ndarray, tau2: float
) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients and their covariance by dense algebra, of what has a closed form given tau2."""
    n, p = matrix.shape
    if name == "fixed" or name.startswith("mixed") or name == "knapp_hartung":
        w = np.diag(1 / (variances + tau2))
        cov = np.linalg.inv(matrix.T @ w @ matrix)
        beta = cov @ matrix.T @ w @ y
        rest = y - matrix @ beta
        return beta, cov * ((rest @ w @ rest) / (n - p) if name == "knapp_hartung" else 1.0)
    inverse = np.linalg.inv(matrix.T @ matrix)
    beta = inverse @ matrix.T @ y
    rest, hat = y - matrix @ beta, matrix @ inverse @ matrix.T
    h = np.diag(hat)
    if name == "cluster":
        meat = np.zeros((p, p))
        for g in range(n // 2):
            own = [2 * g, 2 * g + 1]
            values, axes = np.linalg.eigh(np.eye(2) - hat[np.ix_(own, own)])
            score = matrix[own].T @ (axes / np.sqrt(values)) @ axes.T @ rest[own]
            meat += np.outer(score, score)
    else:
        factor = {
            "hc0": np.ones(n),
            "hc1": np.full(n, n / (n - p)),
            "hc2": 1 / (1 - h),
            "hc3": 1 / (1 - h) ** 2,
            "hc4": (1 - h) ** -np.minimum(4, h / h.mean()),
        }[name]
        meat = matrix.T @ np.diag(factor * rest**2) @ matrix
    return beta, inverse @ meat @ inverse


@pytest.mark.parametrize("name", [name for name in ESTIMATIONS if name not in ("huber", "bisquare")])
def test_estimates_are_those_of_dense_algebra(
    name: str, make_design: Make, make_weighted: Callable[..., xr.Dataset]
) -> None:
    matrix, y, variances = group(1)
    y[2, 1] = y[5, 1] = y[3, 2] = np.nan
    design = make_design(matrix, t={"a": DIFFERENCE}, f={"both": BOTH, "twice": np.vstack([BOTH, BOTH[:1]])})
    fitted = fit(make_weighted(y, variances), design, engine=ONE, estimation=ESTIMATIONS[name])
    maps = contrast_maps(fitted, design)
    assert fitted.local is not None
    for location in range(4):
        here = np.isfinite(y[:, location])
        n = int(here.sum())
        if name == "cluster" and n < N:
            continue  # pairs that have lost one are no pairs
        tau2 = fitted.local.maps["tau2"][0, location] if "tau2" in fitted.local.maps else 0.0
        own = matrix[here], y[here, location], variances[here, location], tau2
        beta, cov = weights_and_covariance(name, *own)
        one = maps.isel(location=location)
        assert_allclose(fitted.beta[:, location], beta, rtol=1e-9)
        assert_allclose(one["effect"].sel(contrast="a"), beta[1], rtol=1e-9)
        assert_allclose(one["variance"].sel(contrast="a"), cov[1, 1], rtol=1e-9)
        assert_allclose(one["stat"].sel(contrast="a"), beta[1] / np.sqrt(cov[1, 1]), rtol=1e-9)
        wald = beta[1:] @ np.linalg.solve(cov[1:, 1:], beta[1:])
        if name == "cluster":
            continue  # its F has degrees of freedom of its own: see the reference tests
        expected = wald if name == "fixed" else wald / 2
        assert_allclose(one["stat"].sel(contrast="both"), expected, rtol=1e-8)
        assert_allclose(one["stat"].sel(contrast="twice"), expected, rtol=1e-8)
        t = float(one["stat"].sel(contrast="a"))
        p = 2 * (scipy_stats.norm.sf(abs(t)) if name == "fixed" else scipy_stats.t.sf(abs(t), n - 3))
        assert_allclose(one["p"].sel(contrast="a"), p, rtol=1e-9)
        p_f = scipy_stats.chi2.sf(wald, 2) if name == "fixed" else scipy_stats.f.sf(wald / 2, 2, n - 3)
        assert_allclose(one["p"].sel(contrast="both"), p_f, rtol=1e-8)
    letters = ["z", "chi2", "chi2"] if name == "fixed" else ["t", "F", "F"]
    assert maps["kind"].values.tolist() == letters
    assert fitted.findings == ()


@given(SEEDS, st.sampled_from(sorted(ESTIMATIONS)), st.floats(1e-4, 1e4))
@settings(max_examples=40)
def test_scaling_data_and_variances_leaves_z(
    make_design: Make, make_weighted: Callable[..., xr.Dataset], seed: int, name: str, scale: float
) -> None:
    matrix, y, variances = group(seed)
    design = make_design(matrix, t={"a": DIFFERENCE}, f={"f": BOTH})
    way = ESTIMATIONS[name]
    plain, scaled = (
        contrast_maps(
            fit(make_weighted(k * y, k * k * variances), design, engine=ONE, estimation=way), design
        )
        for k in (1.0, scale)
    )
    # Iterations end a little earlier or later: a millionth of a standard error is no difference.
    assert_allclose(scaled["z"], plain["z"], rtol=1e-6, atol=1e-6)
    assert_allclose(scaled["effect"].isel(contrast=0), scale * plain["effect"].isel(contrast=0), rtol=1e-6)


@given(SEEDS, st.sampled_from(sorted(ESTIMATIONS)))
@settings(max_examples=30)
def test_the_order_of_rows_says_nothing(
    make_design: Make, make_weighted: Callable[..., xr.Dataset], seed: int, name: str
) -> None:
    matrix, y, variances = group(seed)
    order = np.random.default_rng(seed).permutation(N)
    way = other_way = ESTIMATIONS[name]
    if name == "cluster":
        codes = np.arange(N) // 2
        other_way = models.LeastSquares(models.Clustered(Block("site", codes[order], tuple("abcdefg"))))
    ids = [f"sub-{i:02}" for i in range(N)]
    design = make_design(matrix, t={"a": DIFFERENCE}, f={"f": BOTH})
    other = make_design(
        matrix[order], t={"a": DIFFERENCE}, f={"f": BOTH}, observations=[ids[i] for i in order]
    )
    data = make_weighted(y, variances)
    maps = contrast_maps(fit(data, design, engine=ONE, estimation=way), design)
    again = contrast_maps(fit(data, other, engine=ONE, estimation=other_way), other)
    assert_allclose(again["z"], maps["z"], rtol=1e-6, atol=1e-6)


def test_no_heterogeneity_and_equal_variances_are_least_squares(
    make_design: Make, make_weighted: Callable[..., xr.Dataset]
) -> None:
    """With one variance for all, weights are equal, and Knapp and Hartung's t is that of least squares."""
    matrix, y, _ = group(3)
    design = make_design(matrix, t={"a": DIFFERENCE}, f={"f": BOTH})
    equal = np.full(y.shape, 0.3)
    plain = contrast_maps(fit(make_weighted(y), design, engine=ONE), design)
    way = models.MixedEffects("reml", "knapp_hartung")
    mixed = contrast_maps(fit(make_weighted(y, equal), design, engine=ONE, estimation=way), design)
    for name in ("effect", "variance", "stat", "z", "p"):
        assert_allclose(mixed[name], plain[name], rtol=1e-9)


def test_a_robust_fit_without_outliers_is_close_to_least_squares_and_heeds_no_outlier(
    make_design: Make, make_weighted: Callable[..., xr.Dataset]
) -> None:
    rng = np.random.default_rng(4)
    matrix = np.ones((N, 1))
    y = 1.0 + 0.1 * rng.uniform(-1, 1, (N, 50))
    design = make_design(matrix, t={"mean": [1.0]})
    plain = fit(make_weighted(y), design, engine=ONE).beta[0]
    wild = y.copy()
    wild[0] += 50.0
    for loss in ("huber", "bisquare"):
        way = models.Robust(loss)
        clean = fit(make_weighted(y), design, engine=ONE, estimation=way).beta[0]
        assert np.abs(clean - plain).max() < 0.02
        spoilt = fit(make_weighted(wild), design, engine=ONE, estimation=way)
        assert np.abs(spoilt.beta[0] - clean).max() < (0.05 if loss == "huber" else 0.02)
        weights = extra_maps(["weights"], spoilt, make_weighted(wild), design, engine=ONE)["weights"]
        assert weights[0].max() < 0.01
        assert np.median(weights[1:]) > 0.8


@pytest.mark.parametrize("name", ["hc3", "cluster"])
def test_blocks_are_taken_out_as_columns_would_be(
    name: str, make_design: Make, make_weighted: Callable[..., xr.Dataset]
) -> None:
    rng = np.random.default_rng(5)
    blocks = np.arange(N) // 2
    x = rng.standard_normal(N)
    y = rng.standard_normal((N, 3)) + 100 * blocks[:, None]
    dummies = (blocks[:, None] == np.arange(7)).astype(float)
    site = Block("site", np.arange(N) // 4, tuple("abcd"))
    way = ESTIMATIONS["hc3"] if name == "hc3" else models.LeastSquares(models.Clustered(site))
    blocked = make_design(np.column_stack([np.ones(N), x]), t={"x": [0.0, 1.0]}, blocks=blocks)
    written = make_design(np.column_stack([dummies, x]), t={"x": [0.0] * 7 + [1.0]})
    one, two = (
        contrast_maps(fit(make_weighted(y), design, engine=ONE, estimation=way), design)
        for design in (blocked, written)
    )
    for key in ("effect", "variance", "z"):
        assert_allclose(one[key], two[key], rtol=1e-8)


def voxelwise_design(make_design: Make, matrix: np.ndarray, **contrasts: object) -> Design:
    """A design whose last column is multiplied by the covariate c0."""
    design = make_design(matrix, **contrasts)
    names = [f"r{i}" for i in range(matrix.shape[1])]
    regressors = [Regressor(name, name) for name in names]
    regressors[-1] = replace(regressors[-1], covariates=("c0",))
    return replace(design, regressors=tuple(regressors), voxelwise=("c0",))


@pytest.mark.parametrize("name", ["ols", *(name for name in ESTIMATIONS if name != "cluster")])
def test_a_voxelwise_covariate_is_a_column_of_each_location(
    name: str, make_design: Make, make_weighted: Callable[..., xr.Dataset]
) -> None:
    matrix, y, variances = group(6)
    covariate = np.random.default_rng(6).standard_normal((N, 4)) + 3.0
    y += covariate * 0.5
    way = models.LeastSquares() if name == "ols" else ESTIMATIONS[name]
    last = np.array([0.0, 0.0, 0.0, 1.0])
    asked = {"t": {"c": last, "a": [0.0, 1.0, 0.0, 0.0]}, "f": {"f": np.eye(4)[2:]}}
    design = voxelwise_design(make_design, np.column_stack([matrix, np.ones(N)]), **asked)
    data = make_weighted(y, variances, covariate[None])
    fitted = fit(data, design, engine=ONE, estimation=way)
    maps = contrast_maps(fitted, design)
    rest = residuals(data, design, fitted, engine=ONE)
    for location in range(4):
        own = make_design(np.column_stack([matrix, covariate[:, location]]), **asked)
        here = slice(location, location + 1)
        alone = fit(make_weighted(y[:, here], variances[:, here]), own, engine=ONE, estimation=way)
        expected = contrast_maps(alone, own)
        for key in ("effect", "variance", "stat", "z", "p"):
            assert_allclose(maps[key][:, here], expected[key], rtol=1e-7, err_msg=key)
        alone_rest = residuals(make_weighted(y[:, here], variances[:, here]), own, alone, engine=ONE)
        assert_allclose(rest[:, here], alone_rest, atol=1e-8)


def test_where_a_covariate_does_not_vary_nothing_is_said(
    make_design: Make, make_weighted: Callable[..., xr.Dataset]
) -> None:
    matrix, y, _ = group(7)
    covariate = np.random.default_rng(7).standard_normal((1, N, 4))
    covariate[0, :, 2] = 5.0
    design = voxelwise_design(
        make_design, np.column_stack([matrix, np.ones(N)]), t={"c": [0.0, 0.0, 0.0, 1.0]}
    )
    fitted = fit(make_weighted(y, None, covariate), design, engine=ONE)
    assert_array_equal(np.isnan(contrast_maps(fitted, design)["z"][0]), [False, False, True, False])
    assert [finding.code for finding in fitted.findings] == ["W404"]


def test_each_variance_group_has_a_tau2(make_design: Make, make_weighted: Callable[..., xr.Dataset]) -> None:
    """A design that is separable by group: each group alone gives the same."""
    rng = np.random.default_rng(8)
    n, codes = 24, np.arange(24) % 2
    variances = rng.uniform(0.1, 0.5, (n, 6))
    y = rng.standard_normal((n, 6)) * np.sqrt(variances + np.where(codes, 4.0, 0.2)[:, None])
    cells = (codes[:, None] == np.arange(2)).astype(float)
    design = replace(
        make_design(cells, t={"d": [1.0, -1.0]}), variance_groups=Block("group", codes, ("a", "b"))
    )
    for method in ("reml", "ml", "dl", "hedges", "pm"):
        way = models.MixedEffects(method)
        fitted = fit(make_weighted(y, variances), design, engine=ONE, estimation=way)
        assert fitted.local is not None
        for g in range(2):
            own = make_design(np.ones((12, 1)), t={"m": [1.0]})
            alone = fit(make_weighted(y[codes == g], variances[codes == g]), own, engine=ONE, estimation=way)
            assert alone.local is not None
            # Paule and Mandel's several equations are solved by iteration.
            tolerance = 1e-4 if method == "pm" else 1e-6
            assert_allclose(
                fitted.local.maps["tau2"][g], alone.local.maps["tau2"][0], rtol=tolerance, atol=tolerance
            )


def test_welch_with_a_covariate_that_is_the_same_everywhere(
    make_design: Make, make_weighted: Callable[..., xr.Dataset]
) -> None:
    """v and G of a voxelwise covariate, equal at all locations, are those of a column."""
    matrix, y, _ = group(9)
    covariate = np.random.default_rng(90).standard_normal(N)
    groups = Block("group", np.arange(N) % 2, ("a", "b"))
    asked = {"t": {"a": [0.0, 1.0, 0.0, 0.0], "c": [0.0, 0.0, 0.0, 1.0]}, "f": {"f": np.eye(4)[2:]}}
    column = replace(make_design(np.column_stack([matrix, covariate]), **asked), variance_groups=groups)
    local = voxelwise_design(make_design, np.column_stack([matrix, np.ones(N)]), **asked)
    local = replace(local, variance_groups=groups)
    everywhere = np.repeat(covariate[:, None], 4, axis=1)[None]
    one = contrast_maps(fit(make_weighted(y), column, engine=ONE), column)
    two = contrast_maps(fit(make_weighted(y, None, everywhere), local, engine=ONE), local)
    for key in ("effect", "variance", "stat", "z", "dof"):
        assert_allclose(two[key], one[key], rtol=1e-8, err_msg=key)
    assert two["kind"].values.tolist() == ["v", "v", "G"]


@pytest.mark.parametrize("name", sorted(ESTIMATIONS))
def test_threads_change_no_bit(
    name: str, make_design: Make, make_weighted: Callable[..., xr.Dataset]
) -> None:
    matrix, y, variances = group(10, n_loc=9000)
    y[3, ::7] = np.nan
    design = make_design(matrix, t={"a": DIFFERENCE}, f={"f": BOTH})
    data, way = make_weighted(y, variances), ESTIMATIONS[name]
    fits = [fit(data, design, engine=Threads(n), estimation=way) for n in (1, 2)]
    one, two = (contrast_maps(fitted, design) for fitted in fits)
    assert_array_equal(one["z"], two["z"])
    first, second = (observation_quality(data, design, fits[n - 1], engine=Threads(n)) for n in (1, 2))
    assert_array_equal(first.distance, second.distance)
    assert_array_equal(first.mahalanobis, second.mahalanobis)


def test_studentised_residuals_have_the_variance_of_one(
    make_design: Make, make_weighted: Callable[..., xr.Dataset]
) -> None:
    rng = np.random.default_rng(11)
    matrix, _, _ = group(11)
    variances = rng.uniform(0.2, 3.0, (N, 4000))
    design = make_design(matrix, t={"a": DIFFERENCE})
    for way, between in ((models.FixedEffects(), 0.0), (models.MixedEffects("reml"), 5.0)):
        y = rng.standard_normal((N, 4000)) * np.sqrt(variances + between)
        data = make_weighted(y, variances)
        fitted = fit(data, design, engine=ONE, estimation=way)
        distance = observation_quality(data, design, fitted, engine=ONE).distance
        # Of 4000 locations a root mean square is off by 1% or so; an estimated tau2 adds a little.
        assert_allclose(distance, 1.0, atol=0.05)
