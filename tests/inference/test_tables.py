"""Tables of clusters by hand: every number can be worked out on paper, and is, beside it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats as distributions
from scipy.sparse import csr_array

from specgl.inference import CLUSTER_COLUMNS
from specgl.inference.contrasts import ContrastMaps, each_contrast
from specgl.inference.sides import sides_above
from specgl.inference.surviving import Rule, surviving_clusters
from specgl.inference.tables import SOMETIMES, Further, as_table, cluster_table, shares_in_words

REACH = {6: 1, 18: 2, 26: 3}
ALWAYS = [name for name in CLUSTER_COLUMNS if name not in SOMETIMES]


@dataclass(frozen=True)
class Voxels:
    """The voxels of a mask with an edge of `edge` mm; those at the same place in `values` belong to them."""

    voxels: np.ndarray
    edge: float = 2.0

    @property
    def coordinates(self) -> np.ndarray:
        return self.voxels * self.edge

    @property
    def measure(self) -> float:
        return self.edge**3

    def adjacency(self, connectivity: int, within: np.ndarray | None = None) -> csr_array:
        voxels = self.voxels if within is None else self.voxels[within]
        steps = np.abs(voxels[:, None] - voxels[None])
        touching = (steps.max(axis=2, initial=0) == 1) & (steps.sum(axis=2) <= REACH[connectivity])
        return csr_array(touching.reshape(len(voxels), len(voxels)))


def line(n: int, edge: float = 2.0) -> Voxels:
    """So many voxels in a row."""
    return Voxels(np.column_stack([np.arange(n), np.zeros((n, 2), dtype=int)]), edge)


def maps(stat, **further) -> ContrastMaps:
    """A contrast whose z is its statistic."""
    stat = np.asarray(stat, dtype=float)
    p = 2 * distributions.norm.sf(np.abs(stat))
    return ContrastMaps("mean", stat, stat, p, "two-sided", (1, -1), **further)


def table_of(stat, space=None, threshold=3.0, connectivity=6, further=None, **fields) -> pd.DataFrame:
    """The table of ``|stat| >= threshold``."""
    contrast = maps(stat, **fields)
    space = line(len(contrast.stat)) if space is None else space
    sides = sides_above((1, -1), contrast.stat, threshold, connectivity, space)
    return cluster_table(sides, contrast, space, contrast.p, threshold, further or Further())


# Peaks ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stat", "peaks"),
    [
        # Maxima 9 and 8 in a row of 2 mm voxels, with one valley between them.
        ([9, 4, 5, 8], [0]),  # 3 steps, 6 mm: too near
        ([9, 5, 4, 5, 8], [0, 8]),  # 4 steps, 8 mm: exactly far enough
        ([9, 5, 4, 4.5, 5, 8], [0, 10]),  # 5 steps, 10 mm
        # 9 at 0, 7 at 6 mm (too near to 9), 8 at 12 mm: 7 is too near to 9, whatever 8 is.
        ([9, 5, 5.5, 7, 5, 5.5, 8], [0, 12]),
        # 9 at 8 mm; 8 at 2 mm and 7 at 0 are one slope: 7 is no maximum. 6 at 16 mm is exactly 8 mm away.
        ([7, 8, 5, 5.5, 9, 5, 4, 5, 6], [8, 16]),
    ],
)
def test_peaks_stand_apart(stat, peaks):
    table = table_of(stat)
    assert table["x"].tolist() == peaks
    assert table["peak"].tolist() == list(range(1, len(peaks) + 1))
    assert table["cluster"].tolist() == [1] * len(peaks)


def test_a_gap_of_8_mm_that_an_affine_has_rounded():
    # 10 steps of 0.8 mm are 8.000000000000002 - 0 or 7.999999999999999, as the case may be.
    stat = [9, 8, 7, 6, 5, 4, 5, 6, 7, 7.5, 8.5]
    space = line(11, edge=0.8)
    assert table_of(stat, space)["x"].tolist() == pytest.approx([0, 8])
    moved = Voxels(space.voxels + np.array([1, 0, 0]), edge=0.8)
    assert table_of(stat, moved)["x"].tolist() == pytest.approx([0.8, 8.8])


@pytest.mark.parametrize(
    ("stat", "peak"),
    [
        ([3, 5, 5, 5, 4], 4.0),  # the middle of three
        ([3, 5, 5, 4], 2.0),  # two are as near to the centre: the first
        ([3, 5, 5, 6, 4], 6.0),  # a shoulder is no peak
    ],
)
def test_a_plateau_is_one_peak(stat, peak):
    table = table_of(stat)
    assert table["x"].tolist() == [peak]
    assert table["size"].tolist() == [len(stat)]
    assert table["mass"].tolist() == [sum(stat)]


# Shapes -----------------------------------------------------------------------------------------


def square(values) -> tuple[np.ndarray, Voxels]:
    """A plane of voxels, and its values as a map."""
    values = np.asarray(values, dtype=float)
    return values.ravel(), Voxels(np.argwhere(np.ones((*values.shape, 1))))


@pytest.mark.parametrize("connectivity", [6, 26])
def test_a_ring_and_its_hole(connectivity):
    stat, space = square([[4, 4, 4], [4, 1, 4], [4, 4, 4]])
    table = table_of(stat, space, connectivity=connectivity)
    # 8 voxels of 8 mm3; sum 8 * 4; the centre of mass is the hole, (1, 1) * 2 mm. The plateau's peak is the
    # first of the four that are 2 mm from it: (0, 1).
    row = table.iloc[0]
    assert len(table) == 1
    assert (row["size"], row["size_mm3"], row["mass"]) == (8, 64.0, 32.0)
    assert (row["center_x"], row["center_y"], row["center_z"]) == (2.0, 2.0, 0.0)
    assert (row["x"], row["y"], row["z"]) == (0.0, 2.0, 0.0)


@pytest.mark.parametrize(("connectivity", "sizes"), [(6, [1, 1, 1, 1]), (18, [4]), (26, [4])])
def test_a_ring_of_corners(connectivity, sizes):
    # The four touch one another along edges only; the hole in the middle is below the threshold.
    stat, space = square([[0, 7, 0], [6, 1, 5], [0, 4, 0]])
    table = table_of(stat, space, connectivity=connectivity)
    main = table[table["peak"] == 1]
    assert main["size"].tolist() == sizes
    assert main["statistic"].tolist() == [7, 6, 5, 4][: len(sizes)]


def test_a_hole_in_the_mask_is_no_bridge():
    # The line without its third voxel: 4 and 6 mm are neighbours no more.
    space = Voxels(np.array([[0, 0, 0], [1, 0, 0], [3, 0, 0], [4, 0, 0]]))
    table = table_of([5, 4, 4.5, 6], space)
    # (0*5 + 2*4) / 9, and (6*4.5 + 8*6) / 10.5
    assert table["x"].tolist() == [8, 0]
    assert table["size"].tolist() == [2, 2]
    assert table["center_x"].tolist() == pytest.approx([75 / 10.5, 8 / 9], rel=1e-15)


def test_a_cluster_at_the_edge_of_the_mask():
    # It rises up to the last voxel; what is beyond is not in the mask, and no neighbour can be higher.
    table = table_of([0, 0, 4, 5, 6])
    assert table["x"].tolist() == [8.0]
    assert table[["size", "size_mm3", "mass"]].iloc[0].tolist() == [3, 24.0, 15.0]
    assert table["center_x"].iloc[0] == pytest.approx((4 * 4 + 6 * 5 + 8 * 6) / 15, rel=1e-15)


def test_negative_clusters_come_after_positive_ones():
    table = table_of([3.5, 0, -9, -4, 0, 5, 0, -3])
    expected = pd.DataFrame(
        {
            "cluster": [1, 2, 3, 4],
            "sign": ["+", "+", "-", "-"],
            "x": [10.0, 0, 4, 14],
            "statistic": [5.0, 3.5, -9, -3],
            "size": [1, 1, 2, 1],
            "mass": [5, 3.5, 13, 3],
            "center_x": [10, 0, (4 * 9 + 6 * 4) / 13, 14],
        }
    )
    expected = expected.astype({name: CLUSTER_COLUMNS[name] for name in expected})
    pd.testing.assert_frame_equal(table[list(expected)], expected, rtol=1e-15)
    assert (table["threshold"] == 3).all()


def test_both_signs_side_by_side_never_merge():
    assert table_of([4, -4])["cluster"].tolist() == [1, 2]


def test_one_single_voxel():
    (row,) = table_of([0, 3, 0]).to_dict("records")
    assert (row["size"], row["mass"], row["center_x"], row["x"]) == (1, 3.0, 2.0, 2.0)


ATLAS = np.array(["", "insula", ""], dtype=object)
EFFECT = {"effect": np.array([0.0, 4, -4]), "variance": np.ones(3), "dof": 5.0}


@pytest.mark.parametrize("fields", [{}, {"region": ATLAS}, EFFECT, {"region": ATLAS, **EFFECT}])
@pytest.mark.parametrize("beside", [(), ("tdp", "discoveries"), ("threshold",)])
def test_a_table_has_the_same_columns_whether_or_not_something_survives(fields, beside):
    def further(*counts: int) -> Further:
        return Further({name: [np.ones(n) for n in counts] for name in beside}, {"p_peak": np.ones(3)})

    nothing = table_of([0, 0, 0], further=further(0, 0), **fields)
    something = table_of([0, 4, -4], further=further(1, 1), **fields)
    assert (len(nothing), len(something)) == (0, 2)
    pd.testing.assert_series_equal(nothing.dtypes, something.dtypes)
    wanted = {*ALWAYS, "p_peak", *beside}
    wanted |= {"region", "regions"} if "region" in fields else set()
    wanted |= {"effect", "effect_low", "effect_high"} if "effect" in fields else set()
    assert list(something) == [name for name in CLUSTER_COLUMNS if name in wanted]
    assert something.dtypes.astype(str).to_dict() == {name: CLUSTER_COLUMNS[name] for name in something}


# Laws -------------------------------------------------------------------------------------------

HEIGHTS = st.lists(st.integers(-6, 6), min_size=1, max_size=24)


@settings(deadline=None, max_examples=60)
@given(HEIGHTS, st.sampled_from([6, 18, 26]))
def test_clusters_share_out_what_survives(heights, connectivity):
    stat = np.array(heights, dtype=float)
    space = Voxels(np.array([[i % 4, i // 4 % 3, i // 12] for i in range(stat.size)]))
    table = table_of(stat, space, connectivity=connectivity)
    main = table[table["peak"] == 1]
    assert main["size"].sum() == np.count_nonzero(np.abs(stat) >= 3)
    assert main["mass"].sum() == np.abs(stat[np.abs(stat) >= 3]).sum()
    assert main["cluster"].tolist() == list(range(1, len(main) + 1))
    # A cluster's first peak is its highest, and no row of a sub-peak is about the cluster.
    for _, rows in table.groupby("cluster"):
        assert np.abs(rows["statistic"].iloc[0]) == np.abs(rows["statistic"]).max()
        assert rows["size"].isna().tolist() == [False] + [True] * (len(rows) - 1)
    # The other way up the signs change places, and nothing else does.
    turned = table_of(-stat, space, connectivity=connectivity)
    for sign, other in ("+-", "-+"):
        here, there = table[table["sign"] == sign], turned[turned["sign"] == other]
        columns = ["peak", "x", "y", "z", "size", "size_mm3", "mass", "center_x", "center_y", "center_z"]
        pd.testing.assert_frame_equal(
            here[columns].reset_index(drop=True), there[columns].reset_index(drop=True)
        )


# Effects ----------------------------------------------------------------------------------------


def test_an_effect_and_its_interval_by_hand():
    # variance 0.25, standard error 0.5; t(0.975) with 10 degrees of freedom is 2.228139 in any printed table,
    # with 3 it is 3.182446.
    stat = [4.0, 0, -6]
    effect = {"effect": np.array([2.0, 0, -3]), "variance": np.full(3, 0.25)}
    table = table_of(stat, dof=10.0, **effect)
    assert table["effect"].tolist() == [2, -3]
    np.testing.assert_allclose(table["effect_low"], [2 - 1.1140694, -3 - 1.1140694], atol=1e-6)
    np.testing.assert_allclose(table["effect_high"], [2 + 1.1140694, -3 + 1.1140694], atol=1e-6)
    varying = table_of(stat, dof=np.array([10.0, 5, 3]), **effect)
    np.testing.assert_allclose(varying["effect_low"], [2 - 1.1140694, -3 - 1.5912232], atol=1e-6)
    reach = distributions.t.ppf(0.975, [10, 3]) * 0.5  # scipy's two ways to t agree to rounding
    np.testing.assert_allclose(varying["effect_high"] - varying["effect"], reach, rtol=1e-12)


def test_an_interval_holds_no_nought_where_the_p_value_is_below_5_percent():
    rng = np.random.default_rng(3)
    effect, variance, dof = (
        rng.normal(0, 2, 40),
        rng.uniform(0.5, 1, 40),
        rng.integers(3, 30, 40).astype(float),
    )
    stat = effect / np.sqrt(variance)
    told = maps(stat, effect=effect, variance=variance, dof=dof).told_at(np.arange(40))
    p = 2 * distributions.t.sf(np.abs(stat), dof)
    np.testing.assert_array_equal((told["effect_low"] > 0) | (told["effect_high"] < 0), p < 0.05)


def test_what_contrasts_hold_beside_their_statistic():
    # A t with an effect, and an F over two rows, which has none; the t's degrees of freedom are its own.
    dims = ("contrast", "location")
    nothing = np.full(3, np.nan)
    stats = xr.Dataset(
        {
            **{name: (dims, np.ones((2, 3))) for name in ("stat", "z", "p")},
            "effect": (dims, [[1.0, 2, 3], nothing]),
            "variance": (dims, [[4.0, 5, 6], nothing]),
            "dof": (dims, [[7.0, 8, 9], [10, 10, 10]]),
        },
        coords={
            "contrast": ["one", "two"],
            "kind": ("contrast", ["v", "F"]),
            "alternative": ("contrast", ["greater", "two-sided"]),
            "dof1": ("contrast", [1.0, 2.0]),
            "region": ("location", np.array(["a", "", "b"], dtype=object)),
        },
    )
    one, two = each_contrast(stats)
    assert (one.kind, one.dof1, one.sides, two.kind, two.dof1, two.sides) == ("v", 1, (1,), "F", 2, (1,))
    np.testing.assert_array_equal(one.dof, [7, 8, 9])
    assert (two.effect, two.variance) == (None, None)
    assert set(two.told_at(np.array([0]))) == {"region"}
    assert one.told_at(np.array([1, 2]))["effect"].tolist() == [2, 3]
    assert one.told_at(np.array([1, 2]))["region"].tolist() == [None, "b"]
    (common, _) = each_contrast(stats.drop_vars(["effect", "region"]).assign(dof=20.0))
    assert (common.dof, common.effect, common.told_at(np.array([0]))) == (20.0, None, {})


@pytest.mark.parametrize("kind", ["F", "G", "chi2"])
def test_what_has_no_sign_has_one_tail(kind):
    dims = ("contrast", "location")
    stats = xr.Dataset(
        {name: (dims, np.ones((1, 2))) for name in ("stat", "z", "p")},
        coords={
            "contrast": ["all"],
            "kind": ("contrast", [kind]),
            "alternative": ("contrast", ["two-sided"]),
        },
    )
    (found,) = each_contrast(stats)
    assert (found.tail, found.sides) == ("greater", (1,))


# Regions ----------------------------------------------------------------------------------------


def test_shares_of_a_cluster_in_regions():
    # Positive: voxels 0 to 3, half of it in A, a quarter in B, a quarter nowhere; its peak lies nowhere.
    # Negative: voxel 5, in B.
    region = np.array(["A", "A", "B", "", "A", "B"], dtype=object)
    table = table_of([4, 4, 4, 5, 0, -4], region=region)
    assert table["region"].tolist() == [None, "B"]
    assert table["regions"].tolist() == ["A 50 %; B 25 %; none 25 %", "B 100 %"]


def test_shares_stand_in_the_row_of_the_highest_peak():
    region = np.array(["A", "A", "", "", "B"], dtype=object)
    table = table_of([9, 5, 4, 5, 8], region=region)
    assert table["region"].tolist() == ["A", "B"]
    assert table["regions"].tolist() == ["A 40 %; none 40 %; B 20 %", None]


def test_clusters_that_are_taken_away_have_no_shares():
    # Clusters 5 (kept), 7 7 (kept) and 6 (taken away); each in a region of its own.
    contrast = maps([5, 0, 7, 7, 0, 6], region=np.array(["A", "", "B", "B", "", "C"], dtype=object))
    space = line(6)
    sides = sides_above((1, -1), contrast.stat, 3.0, 6, space)
    p = [np.array([0.01, 0.9, 0.02]), np.empty(0)]  # by falling peak: 7, 6, 5
    told = Further(of_clusters={"tdp": [np.array([0.7, 0.6, 0.5]), np.empty(0)]})
    found = surviving_clusters(
        contrast, sides, [(one, -np.log10(one)) for one in p], space, Rule("x", 0.05, 6), 3.0, told
    )
    assert found.clusters["tdp"].tolist() == [0.7, 0.5]
    assert found.clusters["regions"].tolist() == ["B 100 %", "A 100 %"]
    assert found.clusters["p_corrected"].tolist() == [0.01, 0.02]
    assert found.thresholded.tolist() == [5, 0, 7, 7, 0, 0]
    assert found.p_corrected.tolist() == [0.02, 1, 0.01, 0.01, 1, 0.9]


@given(st.lists(st.sampled_from(["", "a", "b", "c"]), min_size=1, max_size=50))
def test_shares_add_up(regions):
    told = shares_in_words(np.array(regions, dtype=object))
    shares = {part.rsplit(" ", 2)[0]: int(part.rsplit(" ", 2)[1]) for part in told.split("; ")}
    assert set(shares) == {region or "none" for region in regions}
    # Each is rounded by itself: half a percent off, at most.
    assert abs(sum(shares.values()) - 100) <= 0.5 * len(shares)
    assert list(shares.values()) == sorted(shares.values(), reverse=True)


def test_a_small_share_is_not_nought():
    assert shares_in_words(np.array(["a"] * 299 + ["b"])) == "a 100 %; b <1 %"


# Further columns --------------------------------------------------------------------------------


def test_further_columns():
    # Positive clusters by peak: 8 with its sub-peak 7 at 8 mm; then 5. Negative: -4.
    stat = [8, 5, 4, 5, 7, 0, 5, 0, -4]
    further = Further(
        of_clusters={
            "discoveries": [np.array([3, 1]), np.array([0])],
            "tdp": [np.array([0.6, 1.0]), np.array([0.0])],
            "threshold": [np.array([3.5, 4.5]), np.array([2.5])],
        },
        at_peaks={"p_peak": np.arange(9) / 10},
    )
    table = table_of(stat, further=further)
    assert table["cluster"].tolist() == [1, 1, 2, 3]
    assert table["discoveries"].fillna(-1).tolist() == [3, -1, 1, 0]
    assert table["tdp"].fillna(-1).tolist() == [0.6, -1, 1, 0]
    assert table["threshold"].tolist() == [3.5, 3.5, 4.5, 2.5]
    assert table["p_peak"].tolist() == [0, 0.4, 0.6, 0.8]


def test_columns_come_in_their_order_and_types():
    table = as_table({"tdp": [], "cluster": [], "sign": []}, {"cluster", "peak", "size"})
    assert list(table) == ["cluster", "peak", "sign", "size", "tdp"]
    assert table.dtypes.astype(str).tolist() == ["int64", "int64", "object", "Int64", "float64"]
