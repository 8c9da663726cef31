"""`model.block` beside R's strata and nlme's mixed model: one test where designs are balanced.

With every subject once in every condition, differences between conditions and their errors do not depend on
the variance between subjects: taking out each subject's mean (ours), aov's stratum within subjects and the
mixed model agree, as long as the mixed model's variance between subjects is above 0 (as in these cases).
"""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from estimator_truth.frozen import cases, columns, frozen, vectors
from numpy.testing import assert_allclose

from specgl.design.records import Block, Contrast, Design
from specgl.engines import Threads
from specgl.models import contrast_maps, fit

# Means of a few numbers, in another order.
EXACT = 1e-10
# lme's errors carry the residual variance, as good as its optimiser's last step in the ratio of variances.
MIXED = 1e-6


@pytest.mark.parametrize("name", cases()["block"])
def test_within_subjects(name: str) -> None:
    case, theirs = cases()["block"][name], frozen()["block"][name]
    subject, condition = np.array(case["subject"]), np.array(case["condition"])
    y = columns(case["y"])
    n, k, n_subjects = len(subject), condition.max() + 1, subject.max() + 1
    dummies = (condition[:, None] == np.arange(1, k)).astype(float)
    matrix = np.column_stack([np.ones(n), dummies])
    weights = np.eye(k)[1:]
    contrasts = [Contrast(f"c{i}", weights[[i]], "t", "two-sided", ("x",)) for i in range(k - 1)]
    contrasts.append(Contrast("any", weights, "F", "two-sided", ("x",) * (k - 1)))
    ids = tuple(f"row-{i}" for i in range(n))
    block = Block("subject", subject.astype(np.int64), tuple(f"s{i}" for i in range(n_subjects)))
    rank = n_subjects + k - 1
    design = Design(matrix, (), ids, tuple(contrasts), block, rank, n - rank, "x", {})
    data = xr.Dataset({"effect": (("observation", "location"), y)}, coords={"observation": list(ids)})
    maps = contrast_maps(fit(data, design, engine=Threads(1)), design)
    last = maps.isel(contrast=-1)
    assert_allclose(last["stat"], theirs["f"], rtol=EXACT)
    assert_allclose(last["p"], theirs["p"], rtol=EXACT)
    assert_allclose(theirs["dof"], np.tile([k - 1, n - rank], (3, 1)))
    mixed = theirs["lme"]
    first = maps.isel(contrast=slice(0, k - 1))
    assert_allclose(first["effect"], vectors(mixed["b"]), rtol=MIXED)
    assert_allclose(np.sqrt(first["variance"]), vectors(mixed["se"]), rtol=MIXED)
    assert_allclose(first["stat"], vectors(mixed["t"]), rtol=MIXED)
    assert_allclose(first["p"], vectors(mixed["p"]), rtol=MIXED)
    assert_allclose(last["stat"], mixed["f"], rtol=MIXED)
    assert_allclose(vectors(mixed["dof"]), n - rank)
