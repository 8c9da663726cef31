"""Which contrasts have a scale that a Bayes factor can use."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from numpy.testing import assert_allclose

from specgl.design.records import ContinuousColumn, Contrast, Design, Regressor
from specgl.engines import Threads
from specgl.kernels.bayes import jzs_bf10
from specgl.models import add_estimates, contrast_maps, fit
from specgl.models.estimates import spread_of

N = 12
AGE = np.random.default_rng(0).uniform(20, 60, N)
REGRESSORS = (
    Regressor("Intercept", "Intercept"),
    Regressor("group[T.b]", "group", (("group", "b"),), (("group", "treatment"),)),
    Regressor("age", "age", (("age", None),)),
    Regressor("group[T.b]:age", "group:age", (("group", "b"), ("age", None)), (("group", "treatment"),)),
    Regressor("poly(age, 2)[1]", "poly(age, 2)", (("age", None),)),
    Regressor("gm", "gm", covariates=("gm",)),
)


@pytest.fixture
def design(make_design: Callable[..., Design]) -> Design:
    plain = make_design(np.eye(N)[:, :6], t={})
    return replace(plain, regressors=REGRESSORS, columns={"age": ContinuousColumn("age", AGE - AGE.mean())})


@pytest.mark.parametrize(
    ("weights", "spread"),
    [
        ([1, 0, 0, 0, 0, 0], 1.0),  # a mean
        ([0, 1, 0, 0, 0, 0], 1.0),  # a difference of levels
        ([1, 0, 3.5, 0, 0, 0], 1.0),  # a mean away from the covariate's
        ([0, 0, 1, 0, 0, 0], AGE.std()),  # a slope
        ([0, 0, 0, 1, 0, 0], AGE.std()),  # a difference of slopes
        ([0, 0, 1, 0.5, 0, 0], AGE.std()),
        ([0, 0, 0, 0, 1, 0], None),  # a function of a variable
        ([0, 0, 0, 0, 0, 1], None),  # a covariate that differs from voxel to voxel
        ([0, 0, 1, 0, 0, 1], None),
    ],
)
def test_what_one_step_of_a_contrast_is(design: Design, weights: list[float], spread: float | None) -> None:
    contrast = Contrast("c", np.array([weights], dtype=float), "t", "two-sided", ("c",))
    found = spread_of(design, contrast)
    assert found is None if spread is None else found == pytest.approx(spread)


def test_a_slope_has_the_bayes_factor_of_its_standard_deviation_whatever_its_unit(
    make_design: Callable[..., Design], make_data: Callable[..., xr.Dataset]
) -> None:
    y = np.random.default_rng(1).standard_normal((N, 4))
    told = []
    for unit in (1.0, 100.0):
        values = (AGE - AGE.mean()) * unit
        design = make_design(np.column_stack([np.ones(N), values]), t={"slope": [0.0, 1.0]})
        columns = {"age": ContinuousColumn("age", values)}
        design = replace(design, regressors=(REGRESSORS[0], REGRESSORS[2]), columns=columns)
        fitted = fit(make_data(y), design, engine=Threads(1))
        stats, findings = add_estimates(contrast_maps(fitted, design), ["bf10"], fitted, design)
        assert findings == ()
        told.append(stats["bf10"].values[0])
        # One slope beside a mean: as many observations as there are tell of a standard deviation.
        assert_allclose(told[-1], jzs_bf10(stats["stat"].values[0], N, N - 2), rtol=1e-9)
    assert_allclose(told[0], told[1], rtol=1e-9)


def test_a_contrast_without_a_scale_has_no_map_and_is_told(
    make_design: Callable[..., Design], make_data: Callable[..., xr.Dataset]
) -> None:
    design = make_design(np.column_stack([np.ones(N), AGE]), t={"curve": [0.0, 1.0]})
    design = replace(design, regressors=(REGRESSORS[0], REGRESSORS[4]))
    fitted = fit(make_data(np.random.default_rng(2).standard_normal((N, 3))), design, engine=Threads(1))
    stats, findings = add_estimates(contrast_maps(fitted, design), ["bf10"], fitted, design)
    assert [(finding.code, finding.where) for finding in findings] == [("W406", ("contrasts", "curve"))]
    assert stats["bf10"].isnull().all()
