"""Shuffles of a design that voxelwise covariates take part in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.testing import assert_array_equal

from specgl.design.records import Design, Regressor
from specgl.kernels.shuffles import build_tree
from specgl.kernels.statistics import partition
from specgl.models.schemes import Scheme, make_schemes

MakeDesign = Callable[..., Design]


def with_covariate(make_design: MakeDesign, matrix: np.ndarray, **tests: object) -> Design:
    """A design whose last regressor is multiplied by a covariate."""
    design = make_design(matrix, **tests)
    names = [Regressor(f"x{j}", f"x{j}") for j in range(matrix.shape[1] - 1)]
    return replace(design, regressors=(*names, Regressor("gm", "gm", covariates=("gm",))), voxelwise=("gm",))


def made(design: Design, **more: object) -> tuple[Scheme, ...]:
    settings = {"exchange": None, "n": None, "seed": 1, "nuisance": "freedman_lane"} | more
    return make_schemes(design, build_tree(len(design.matrix)), **settings)  # type: ignore[arg-type]


def test_a_voxelwise_covariate_makes_each_row_its_own(make_design: MakeDesign) -> None:
    groups = np.column_stack([np.ones(6), np.repeat([0.0, 1], 3)])
    (alone,) = made(make_design(groups, t={"c": [0, 1]}))
    assert alone.possible == 20
    design = with_covariate(make_design, np.column_stack([groups, np.ones(6)]), t={"c": [0, 1, 0]})
    (scheme,) = made(design)
    assert (scheme.exchange, scheme.possible) == ("permute", 720)
    assert_array_equal(scheme.classes, np.arange(6))


def test_a_mean_at_0_of_the_covariate_is_flipped_and_its_slope_permuted(make_design: MakeDesign) -> None:
    design = with_covariate(make_design, np.ones((6, 2)), t={"mean": [1, 0], "slope": [0, 1]})
    flip, permute = made(design)
    assert [(s.exchange, s.contrasts) for s in (flip, permute)] == [
        ("flip", ("mean",)),
        ("permute", ("slope",)),
    ]
    assert (flip.possible, permute.possible) == (64, 720)


def test_mirrors_hold_whatever_the_covariate_s_values(make_design: MakeDesign) -> None:
    n = 6
    design = with_covariate(make_design, np.ones((n, 2)), t={"mean": [1, 0]})
    (scheme,) = made(design)
    made_shuffles, mirror_of = scheme.shuffles(), scheme.mirror_of
    assert np.count_nonzero(mirror_of != np.arange(64)) == 32
    rng = np.random.default_rng(0)
    for covariate in (rng.normal(size=n), np.ones(n) + np.arange(n) % 2):
        matrix = np.column_stack([np.ones(n), covariate])
        parts, y = partition(matrix, np.array([[1.0, 0.0]])), rng.normal(size=n)
        residual = y - parts.z @ (parts.z.T @ y)
        t = []
        for row, sign in zip(made_shuffles.rows, made_shuffles.signs, strict=True):
            # Freedman and Lane: the residuals under the null hypothesis are shuffled.
            shuffled = sign * residual[row]
            beta, rss, *_ = np.linalg.lstsq(matrix, shuffled, rcond=None)
            root = np.sqrt(float(rss[0]) * np.linalg.inv(matrix.T @ matrix)[0, 0])
            t.append(beta[0] / root)
        for k, mirror in enumerate(mirror_of.tolist()):
            if mirror != k:
                # The same sums with turned signs.
                np.testing.assert_allclose(t[k], -t[mirror], rtol=1e-9)
