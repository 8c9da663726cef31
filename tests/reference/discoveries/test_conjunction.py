"""Conjunctions by their definition (Nichols 2005, doi:10.1016/j.neuroimage.2004.12.005)."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from scipy import stats

from specgl.design.records import Block, Conjunction, Contrast, Design
from specgl.engines import Threads
from specgl.models import contrast_maps, fit

N = 18
WEIGHTS = {"a": [1.0, 0, 0], "b": [0, 1.0, 0], "c": [0, 0, 1.0]}


def maps(alternative: str, members: tuple[str, ...], *, groups: bool) -> xr.Dataset:
    """Statistics of three contrasts and their conjunction on noise with effects of both signs."""
    rng = np.random.default_rng(21)
    codes = np.repeat([0, 1, 2], N // 3)
    matrix = np.eye(3)[codes]
    y = rng.standard_normal((N, 60))
    y[:, :20] += 1
    y[:, 20:40] -= 1
    y[:6, 50:] = 5  # no variance in one group
    y[6:, 55:] = 5  # nor in any
    ids = tuple(f"s{i:02}" for i in range(N))
    contrasts = tuple(
        Contrast(name, np.array([weights]), "t", "two-sided", (name,)) for name, weights in WEIGHTS.items()
    )
    block = Block("group", codes.astype(np.int64), ("0", "1", "2")) if groups else None
    design = Design(
        matrix,
        (),
        ids,
        contrasts,
        None,
        3,
        N - 3,
        "x",
        {},
        (),
        block,
        (Conjunction("all", members, alternative),),
    )
    data = xr.Dataset({"effect": (("observation", "location"), y)}, coords={"observation": list(ids)})
    return contrast_maps(fit(data, design, engine=Threads(1)), design)


def by_definition(t: np.ndarray, z: np.ndarray, alternative: str) -> tuple[float, float]:
    """z and p of one location from its members' z: all of them must reject, so the worst counts."""
    if np.isnan(z).any():
        return np.nan, np.nan
    if alternative == "greater":
        return z.min(), stats.norm.sf(z).max()
    if alternative == "less":
        return z.max(), stats.norm.cdf(z).max()
    if (z > 0).all() or (z < 0).all():
        return z[np.argmin(np.abs(z))], (2 * stats.norm.sf(np.abs(z))).max()
    return 0.0, 1.0


@pytest.mark.parametrize("groups", [False, True])
@pytest.mark.parametrize("members", [("a", "b"), ("c", "a", "b")])
@pytest.mark.parametrize("alternative", ["two-sided", "greater", "less"])
def test_conjunction(alternative, members, groups):
    found = maps(alternative, members, groups=groups)
    assert list(found["contrast"].values) == ["a", "b", "c", "all"]
    joined = found.sel(contrast="all")
    z = found["z"].sel(contrast=list(members)).values
    t = found["stat"].sel(contrast=list(members)).values
    expected = np.array([by_definition(t[:, i], z[:, i], alternative) for i in range(z.shape[1])])
    np.testing.assert_allclose(joined["z"], expected[:, 0], rtol=1e-12)
    np.testing.assert_allclose(joined["p"], expected[:, 1], rtol=1e-9)
    assert str(joined["kind"].values) == ("z" if groups else "t")
    if groups:
        np.testing.assert_allclose(joined["stat"], expected[:, 0], rtol=1e-12)
    else:
        # the member's own t, where z is its z
        dof = float(found["dof"])
        np.testing.assert_allclose(stats.t.sf(joined["stat"], dof), stats.norm.sf(joined["z"]), rtol=1e-8)
    for name in ("effect", "variance", "cohen_d"):
        if name in joined:
            assert np.isnan(joined[name]).all()
    if alternative == "two-sided":
        assert (expected[:, 1] == 1).any()
    assert np.isnan(expected).any() == np.isnan(joined["p"]).any()
