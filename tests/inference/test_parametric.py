"""Parametric inference on hand-made maps, on graphs, and by its laws. No image is needed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import get_args

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array
from scipy.stats import norm

from specgl.inference import (
    CLUSTER_COLUMNS,
    MAX_PEAKS,
    METHODS,
    PEAK_DISTANCE,
    Inference,
    Parametric,
    infer,
    stats_from_map,
)
from specgl.inference.tables import SOMETIMES
from specgl.kernels.multiplicity import ADJUST

REACH = {6: 1, 18: 2, 26: 3}
UNCORRECTED = Parametric(
    "unc", correction="none", alpha=0.001, min_cluster_size=1, connectivity=6, across="none"
)


@dataclass(frozen=True)
class Box:
    """All voxels of a small box with an edge of `edge` mm."""

    shape: tuple[int, int, int]
    edge: float = 2.0
    unequal: bool = False

    @property
    def voxels(self) -> np.ndarray:
        return np.argwhere(np.ones(self.shape))

    @property
    def coordinates(self) -> np.ndarray:
        return self.voxels * self.edge

    @property
    def measure(self) -> float | np.ndarray:
        areas = np.arange(1.0, len(self.voxels) + 1)
        return areas if self.unequal else self.edge**3

    def adjacency(self, connectivity: int, within: np.ndarray | None = None) -> csr_array:
        voxels = self.voxels if within is None else self.voxels[within]
        steps = np.abs(voxels[:, None] - voxels[None])
        touching = (steps.max(axis=2) == 1) & (steps.sum(axis=2) <= REACH[connectivity])
        return csr_array(touching.reshape(len(voxels), len(voxels)))


LINE = Box((12, 1, 1))
ONLY = 0  # the record of a single contrast and inference


def z_map(values, name="motor", alternative="two-sided"):
    return stats_from_map(name, np.asarray(values, dtype=float), "z", alternative=alternative)


def inferred(values, asked=UNCORRECTED, space=LINE, alternative="two-sided"):
    (found,) = infer(z_map(values, alternative=alternative), space, [asked])
    return found


def test_methods_are_named_by_their_records():
    assert METHODS.keys() == {record.method for record in get_args(Inference)}


# Thresholding -----------------------------------------------------------------------------------


def test_both_signs_survive():
    values = [0, 4, 3.5, 0, -5, 1, np.nan, 0, 0, 3, 0, -3.2]
    found = inferred(values)
    np.testing.assert_array_equal(found.thresholded, [0, 4, 3.5, 0, -5, 0, 0, 0, 0, 0, 0, 0])
    assert found.threshold == 3.5
    assert found.n_surviving == 3
    assert np.isnan(found.logp).tolist() == np.isnan(values).tolist()
    assert np.isnan(found.p_corrected).tolist() == np.isnan(values).tolist()
    np.testing.assert_allclose(found.logp[4], -np.log10(2 * norm.sf(5)), rtol=1e-12)
    assert found.min_p == pytest.approx(2 * norm.sf(5), rel=1e-12)


@pytest.mark.parametrize(
    ("alternative", "survives"), [("two-sided", [4, -5]), ("greater", [4]), ("less", [-5])]
)
def test_only_the_signs_of_the_alternative_survive(alternative, survives):
    values = np.zeros(12)
    values[[1, 7]] = 4, -5
    found = inferred(values, alternative=alternative)
    assert found.thresholded[found.thresholded != 0].tolist() == survives


def test_even_at_a_level_of_1_the_other_sign_and_0_do_not_survive():
    found = inferred(np.linspace(-5, 6, 12), replace(UNCORRECTED, alpha=1.0), alternative="greater")
    assert found.n_surviving == 6
    assert found.thresholded.min() == 0
    assert found.clusters["sign"].tolist() == ["+"]


def test_an_f_is_positive():
    stats = stats_from_map("motor", np.array([0.1, 30.0, 1, *[0.5] * 9]), "F", (2, 40))
    (found,) = infer(stats, LINE, [UNCORRECTED])
    assert found.thresholded[1] == 30
    assert found.clusters["sign"].tolist() == ["+"]


def test_the_level_itself_survives():
    values = np.zeros(12)
    values[3] = 3.0
    level = float(z_map(values)["p"].values[0, 3])
    assert inferred(values, replace(UNCORRECTED, alpha=level)).n_surviving == 1
    assert inferred(values, replace(UNCORRECTED, alpha=np.nextafter(level, 0))).n_surviving == 0


@pytest.mark.parametrize("correction", ADJUST)
def test_corrections_act_on_the_analysed_locations(correction):
    values = np.random.default_rng(4).standard_normal(12) * 2.5
    values[[2, 8]] = np.nan
    asked = replace(UNCORRECTED, correction=correction, alpha=0.05)
    found = inferred(values, asked)
    analysed = ~np.isnan(values)
    expected = ADJUST[correction](z_map(values)["p"].values[0, analysed])
    np.testing.assert_array_equal(found.p_corrected[analysed], expected)
    np.testing.assert_array_equal(found.thresholded != 0, np.nan_to_num(found.p_corrected, nan=1) <= 0.05)


def test_a_family_over_contrasts():
    one, two = np.random.default_rng(5).standard_normal((2, 12)) * 2
    one[0] = np.nan
    stats = xr.concat([z_map(one, "one"), z_map(two, "two")], "contrast")
    asked = replace(UNCORRECTED, correction="holm", across="contrasts")
    found = infer(stats, LINE, [asked])
    p = stats["p"].values.ravel()
    pooled = ADJUST["holm"](p[~np.isnan(p)])
    np.testing.assert_array_equal(np.concatenate([found[0].p_corrected[1:], found[1].p_corrected]), pooled)
    alone = infer(stats, LINE, [replace(asked, across="none")])
    np.testing.assert_array_equal(alone[1].p_corrected, ADJUST["holm"](stats["p"].values[1]))


def test_order_of_records():
    stats = xr.concat([z_map(np.zeros(12), name) for name in ("b", "a")], "contrast")
    asked = [UNCORRECTED, replace(UNCORRECTED, name="fdr", correction="fdr_bh")]
    found = [(one.inference, one.contrast) for one in infer(stats, LINE, asked)]
    assert found == [("unc", "b"), ("unc", "a"), ("fdr", "b"), ("fdr", "a")]


def test_logp_goes_on_where_p_is_0():
    found = inferred([50.0, 60.0, *[0.0] * 10], replace(UNCORRECTED, correction="bonferroni"))
    expected = -(norm.logsf([50, 60]) + np.log(2 * 12)) / np.log(10)
    np.testing.assert_allclose(found.logp[:2], expected, rtol=1e-12)
    assert found.peak is not None
    assert found.peak.statistic == 60


# Peak of the map --------------------------------------------------------------------------------


def test_the_peak_is_told_even_where_nothing_survives():
    found = inferred([0, 1, -2, *[0.5] * 9])
    assert (found.n_surviving, found.threshold) == (0, None)
    assert found.peak is not None
    assert (found.peak.x, found.peak.y, found.peak.z) == (4, 0, 0)
    assert found.peak.statistic == found.peak.z_score == -2
    assert found.peak.p_corrected == found.min_p


def test_the_peak_follows_the_alternative():
    values = [-9, 1, 0.5, *[0] * 9]
    assert inferred(values, alternative="greater").peak.statistic == 1
    assert inferred(values, alternative="less").peak.statistic == -9


def test_nothing_analysed():
    stats = z_map(np.zeros(12))
    stats = stats.assign(p=stats["p"] * np.nan)
    (found,) = infer(stats, LINE, [UNCORRECTED])
    assert found.peak is None
    assert np.isnan(found.min_p)
    assert found.n_surviving == 0
    assert np.isnan(found.logp).all()
    assert not np.isnan(found.thresholded).any()


# Clusters ---------------------------------------------------------------------------------------


def test_small_clusters_are_taken_away_sign_by_sign():
    # A pair of +, of which one touches a single -: apart they are 2 and 1, together 3.
    values = [4, 4, -4, 0, 0, -5, -5, -5, 0, 4.5, 0, 0]
    kept = {
        size: inferred(values, replace(UNCORRECTED, min_cluster_size=size)).thresholded.tolist()
        for size in (1, 2, 3, 4)
    }
    assert kept[1] == values
    assert kept[2] == [4, 4, 0, 0, 0, -5, -5, -5, 0, 0, 0, 0]
    assert kept[3] == [0, 0, 0, 0, 0, -5, -5, -5, 0, 0, 0, 0]
    assert kept[4] == [0] * 12


def test_the_height_stays_when_small_clusters_go():
    found = inferred([4, *[0] * 11], replace(UNCORRECTED, min_cluster_size=2))
    assert (found.threshold, found.n_surviving, len(found.clusters)) == (4, 0, 0)


@pytest.mark.parametrize(("connectivity", "sizes"), [(6, [1, 1, 1]), (18, [2, 1]), (26, [3])])
def test_connectivity(connectivity, sizes):
    volume = np.zeros((4, 3, 3))
    volume[0, 0, 0], volume[1, 1, 0], volume[2, 2, 1] = 6, 5, 4
    asked = replace(UNCORRECTED, connectivity=connectivity)
    found = inferred(volume.ravel(), asked, Box((4, 3, 3)))
    assert found.clusters.loc[found.clusters["peak"] == 1, "size"].tolist() == sizes


# Tables -----------------------------------------------------------------------------------------


def test_a_table_by_hand():
    values = [0, 4, 6, 0, -5, -5.5, 0, 0, 3.5, 0, 0, -4]
    found = inferred(values)
    expected = pd.DataFrame(
        {
            "cluster": [1, 2, 3, 4],
            "peak": [1, 1, 1, 1],
            "sign": ["+", "+", "-", "-"],
            "x": [4.0, 16, 10, 22],
            "y": [0.0] * 4,
            "z": [0.0] * 4,
            "statistic": [6, 3.5, -5.5, -4],
            "z_score": [6, 3.5, -5.5, -4],
            "size": [2, 1, 2, 1],
            "size_mm3": [16.0, 8, 16, 8],
            "mass": [10, 3.5, 10.5, 4],
            "center_x": [(4 * 2 + 6 * 4) / 10, 16, (5 * 8 + 5.5 * 10) / 10.5, 22],
            "center_y": [0.0] * 4,
            "center_z": [0.0] * 4,
            "p_corrected": 2 * norm.sf([6, 3.5, 5.5, 4]),
            "threshold": [3.5] * 4,
        }
    )
    expected = expected.astype({name: CLUSTER_COLUMNS[name] for name in expected})
    # scipy's sf and the log survival function behind p differ in the last digits.
    pd.testing.assert_frame_equal(found.clusters, expected, rtol=1e-12)


def test_sub_peaks_are_rows_of_their_cluster():
    # Peaks at 0, 6, 14 and 20 mm: the second is 6 mm from the first; the last 6 mm from the third.
    values = [9, 4, 5, 7, 4, 5, 5, 8, 5, 4, 6, 4]
    found = inferred(values)
    table = found.clusters
    assert table["x"].tolist() == [0, 14]
    assert table["cluster"].tolist() == [1, 1]
    assert table["peak"].tolist() == [1, 2]
    assert table["statistic"].tolist() == [9, 8]
    for column in ("size", "size_mm3", "mass", "center_x", "center_y", "center_z"):
        assert table[column].isna().tolist() == [False, True]
    np.testing.assert_allclose(table["p_corrected"], 2 * norm.sf([9, 8]), rtol=1e-12)
    assert table["size"].iloc[0] == 12


def test_no_more_peaks_than_the_table_holds():
    comb = np.tile([5.0, 4.0], 10) + np.linspace(0, 1, 20)
    found = inferred(comb, space=Box((20, 1, 1), edge=5.0))
    assert found.clusters["peak"].tolist() == list(range(1, MAX_PEAKS + 1))
    assert np.diff(np.sort(found.clusters["x"])).min() >= PEAK_DISTANCE


def test_a_header_even_when_nothing_survives():
    table = inferred(np.zeros(12)).clusters
    always = {name: kind for name, kind in CLUSTER_COLUMNS.items() if name not in SOMETIMES}
    assert list(table.columns) == list(always)
    assert len(table) == 0
    assert table.dtypes.astype(str).tolist() == list(always.values())


def test_measures_of_unequal_locations():
    found = inferred([0, 4, 6, *[0] * 9], space=Box((12, 1, 1), unequal=True))
    assert found.clusters["size_mm3"].tolist() == [2.0 + 3.0]


def test_a_negative_cluster_alone_is_number_one():
    found = inferred([0, -4, *[0] * 10])
    assert found.clusters[["cluster", "sign"]].to_numpy().tolist() == [[1, "-"]]


def test_a_space_of_one_voxel():
    found = inferred([5.0], space=Box((1, 1, 1)))
    assert found.clusters["size"].tolist() == [1]


@settings(max_examples=25)
@given(
    seed=st.integers(0, 2**32 - 1),
    connectivity=st.sampled_from([6, 18, 26]),
    least=st.integers(1, 4),
)
def test_laws(seed, connectivity, least):
    space = Box((5, 4, 3))
    values = np.random.default_rng(seed).standard_normal(60) * 1.5
    asked = replace(UNCORRECTED, alpha=0.2, connectivity=connectivity, min_cluster_size=least)
    found, mirrored = inferred(values, asked, space), inferred(-values, asked, space)
    table = found.clusters
    main = table[table["peak"] == 1]
    np.testing.assert_array_equal(found.thresholded, -mirrored.thresholded)
    np.testing.assert_array_equal(found.p_corrected, mirrored.p_corrected)
    assert main["cluster"].tolist() == list(range(1, len(main) + 1)), "no number is skipped"
    assert (main["size"] >= least).all()
    assert main["size"].sum() == found.n_surviving
    assert main["mass"].sum() == pytest.approx(np.abs(found.thresholded).sum())
    for sign, rows in main.groupby("sign"):
        assert rows["statistic"].abs().is_monotonic_decreasing
        assert (np.sign(rows["statistic"]) == (1 if sign == "+" else -1)).all()
    for _, rows in table.groupby("cluster"):
        assert rows["statistic"].abs().is_monotonic_decreasing
        places = rows[["x", "y", "z"]].to_numpy()
        gaps = np.linalg.norm(places[:, None] - places[None], axis=2)
        assert len(rows) == 1 or gaps[~np.eye(len(rows), dtype=bool)].min() >= PEAK_DISTANCE
