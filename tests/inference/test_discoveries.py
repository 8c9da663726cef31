"""True discoveries in the regions of an image, on hand-made maps."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from scipy.stats import norm

from specgl.errors import CATALOGUE, DataError
from specgl.inference import CLUSTER_COLUMNS, AllResolutions, Provisions, Regions, Sets, infer, stats_from_map

ABOVE = AllResolutions("tdp", Sets(forming_z=(3.1,)))
BY_REGION = AllResolutions("reg", Sets(regions=True))


def one_of(values, asked, space, alternative="two-sided", provisions=None):
    stats = stats_from_map("motor", np.asarray(values, dtype=float), "z", alternative=alternative)
    (found,) = infer(stats, space, [asked], provisions)
    return found


def with_regions(codes, names=None) -> Provisions:
    codes = np.asarray(codes, dtype=np.int64)
    return Provisions(regions={"reg": Regions(codes, names or {})})


def formula(p: np.ndarray, h: int, alpha: float) -> int:
    return max([0, *(1 - u + np.count_nonzero(h * p <= u * alpha) for u in range(1, p.size + 1))])


def test_regions_by_hand(bench):
    z = np.array([6, -7, 0.5, np.nan, 1, 1, 0, 2, -2, 5, np.nan, 0.0])
    codes = [7, 7, 0, 7, 2, 2, 2, 30, 30, 30, 99, 0]
    names = {2: "insula", 7: "amygdala", 99: "beyond", 100: "elsewhere"}
    space = bench.Box((12, 1, 1))
    found = one_of(z, BY_REGION, space, provisions=with_regions(codes, names))
    table = found.clusters
    assert table["region"].tolist() == ["insula", "amygdala", "30"]  # by code; 99 was not analysed
    assert table["cluster"].tolist() == [1, 2, 3]
    assert table["sign"].tolist() == ["+", "-", "+"]
    assert table["statistic"].tolist() == [1, -7, 5]
    assert table["x"].tolist() == [8, 2, 18]  # of the two equals of the insula the first
    assert table["size"].tolist() == [3, 2, 3]
    assert table["size_mm3"].tolist() == [24, 16, 24]
    assert table["mass"].tolist() == [2, 13, 9]
    np.testing.assert_allclose(table["center_x"], [9, 2 * 7 / 13, (14 * 2 + 16 * 2 + 18 * 5) / 9])
    assert table["discoveries"].tolist() == [0, 2, 1]
    assert table["tdp"].tolist() == [0, 1, 1 / 3]
    assert table["p_corrected"].tolist() == [found.p_corrected[k] for k in (4, 1, 9)]
    assert table["threshold"].isna().all()
    np.testing.assert_array_equal(found.tdp, [1, 1, 0, np.nan, 0, 0, 0, *[1 / 3] * 3, np.nan, 0])
    assert np.flatnonzero(found.thresholded).tolist() == [0, 1, 7, 8, 9]
    assert found.threshold is None


def test_tables_of_regions_and_of_clusters_have_the_same_columns(bench):
    z = np.array([6, 7, 0.5, 0, 1, 1, 0, 2, 2, 5, 0, 0.0])
    space = bench.Box((12, 1, 1))
    stats = stats_from_map("motor", z, "z")
    effect = (("contrast", "location"), z[None] / 2)
    stats = stats.assign(effect=effect, variance=(effect[0], np.full((1, 12), 0.25)))
    stats["dof"] = xr.full_like(stats["dof"], 20.0)
    stats = stats.assign_coords(region=("location", np.array(["a"] * 6 + [""] * 6, dtype=object)))
    provisions = with_regions([1] * 3 + [2] * 9, {1: "one", 2: "two"})
    clusters, regions = (one.clusters for one in infer(stats, space, [ABOVE, BY_REGION], provisions))
    assert list(clusters.columns) == list(regions.columns)
    assert clusters.dtypes.to_dict() == regions.dtypes.to_dict()
    assert list(regions.columns) == [name for name in CLUSTER_COLUMNS if name in regions.columns]
    assert clusters["region"].tolist() == ["a", None]
    assert regions["region"].tolist() == ["one", "two"]
    assert regions["regions"].tolist() == ["a 100 %", "none 67 %; a 33 %"]
    assert regions["effect"].tolist() == [3.5, 2.5]
    assert regions["effect_low"].notna().all()


def test_the_peak_of_a_region_is_in_the_direction_of_the_contrast(bench):
    z = [1, -5, 2, -1, -3, -2]
    for alternative, expected, signs in [
        ("two-sided", [-5, -3], ["-", "-"]),
        ("greater", [2, -1], ["+", "-"]),
        ("less", [-5, -3], ["-", "-"]),
    ]:
        provisions = with_regions([1, 1, 1, 2, 2, 2])
        table = one_of(z, BY_REGION, bench.Box((6, 1, 1)), alternative, provisions).clusters
        assert table["statistic"].tolist() == expected
        assert table["sign"].tolist() == signs


def test_a_region_without_any_mass_has_its_plain_centre(bench):
    table = one_of([0, 0, 0, 4], BY_REGION, bench.Box((4, 1, 1)), provisions=with_regions([1, 1, 1, 2]))
    assert table.clusters["center_x"].tolist() == [2, 6]
    assert table.clusters["mass"].tolist() == [0, 4]


def test_no_analysed_location_in_any_region(bench):
    z = [1, 2, np.nan, np.nan]
    with pytest.raises(DataError, match="none of the 2 locations") as caught:
        one_of(z, BY_REGION, bench.Box((4, 1, 1)), provisions=with_regions([0, 0, 5, 5]))
    (finding,) = caught.value.findings
    assert finding.code == "E325"
    assert finding.where == ("inference", "reg", "regions")
    assert CATALOGUE["E325"].exit == DataError.exit_code


def test_regions_must_be_given(bench):
    with pytest.raises(ValueError, match="has none"):
        one_of([1, 2], BY_REGION, bench.Box((2, 1, 1)))


def test_a_set_of_regions_is_bounded_whatever_its_shape(bench):
    """Scattered locations, by the formula."""
    rng = np.random.default_rng(8)
    space = bench.Box((10, 6, 5))
    z = rng.standard_normal(300) + np.where(rng.random(300) < 0.3, 4, 0)
    codes = rng.integers(0, 6, 300)
    found = one_of(z, BY_REGION, space, provisions=with_regions(codes))
    p = 2 * norm.sf(np.abs(z))
    expected = [formula(p[codes == code], found.discoveries.h, 0.05) for code in range(1, 6)]
    assert min(expected) > 0
    assert found.clusters["discoveries"].tolist() == expected
