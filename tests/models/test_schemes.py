"""Which contrasts share a set of shuffles, how many there are, and what cannot be."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from specgl.design.records import Block, Design
from specgl.errors import DesignError
from specgl.kernels.shuffles import Level, Tree, build_tree
from specgl.models.reach import reachable
from specgl.models.schemes import Scheme, make_schemes

MakeDesign = Callable[..., Design]
AGE = np.array([3.0, 1, 4, 1.5, 9, 2, 6, 5])


def made(design: Design, tree: Tree | None = None, **more: object) -> tuple[Scheme, ...]:
    settings = {"exchange": None, "n": None, "seed": 1, "nuisance": "freedman_lane"} | more
    return make_schemes(design, tree or build_tree(len(design.matrix)), **settings)


def codes(caught: pytest.ExceptionInfo[DesignError]) -> list[str]:
    return [finding.code for finding in caught.value.findings]


def test_means_are_flipped_and_slopes_permuted(make_design: MakeDesign) -> None:
    m = np.column_stack([np.ones(8), AGE])
    schemes = made(make_design(m, t={"mean": [1, 0], "slope": [0, 1]}, f={"both": np.eye(2)}), n=300)
    assert [(s.exchange, s.contrasts) for s in schemes] == [
        ("flip", ("mean", "both")),
        ("permute", ("slope",)),
    ]
    assert "change signs" in schemes[0].why
    assert "change places" in schemes[1].why
    flip, permute = schemes
    assert (flip.n, flip.possible, flip.exhaustive) == (256, 256, True)
    assert (permute.n, permute.possible, permute.exhaustive) == (300, 40320, False)
    assert permute.shuffles() is permute.shuffles()
    assert permute.shuffles().n == 300
    assert_array_equal(permute.mirror_of, np.arange(300))


def test_what_is_asked_for_serves_all(make_design: MakeDesign) -> None:
    m = np.column_stack([np.ones(8), AGE])
    (scheme,) = made(make_design(m, t={"mean": [1, 0], "slope": [0, 1]}), exchange="both", n=50)
    assert scheme.exchange == "both"
    assert scheme.contrasts == ("mean", "slope")
    assert scheme.why.startswith("asked for")
    (one,) = made(make_design(m, t={"mean": [1, 0], "slope": [0, 1]}), n=50, contrasts=["slope"])
    assert one.contrasts == ("slope",)


def test_equal_rows_are_one_class(make_design: MakeDesign) -> None:
    two = np.column_stack([np.ones(8), np.repeat([0.0, 1], 4)])
    (scheme,) = made(make_design(two, t={"c": [0, 1]}))
    assert (scheme.possible, scheme.n) == (70, 70)
    assert_array_equal(scheme.classes, np.repeat([0, 1], 4))
    third = 0.1 + 0.2  # and 0.3 differ in the last bit: rows that are the same to anybody
    (near,) = made(make_design(np.column_stack([np.ones(4), [0.3, third, 1, 1]]), t={"c": [0, 1]}))
    assert_array_equal(near.classes, [0, 0, 1, 1])


def test_pairs_stay_together(make_design: MakeDesign) -> None:
    pairs = np.repeat(np.arange(4), 2)
    design = make_design(np.tile([0.0, 1], 4)[:, None], t={"c": [1]}, blocks=pairs)
    (scheme,) = made(design, build_tree(8, [Level(pairs, "within", None)]))
    assert (scheme.exchange, scheme.possible) == ("permute", 16)
    assert np.count_nonzero(scheme.mirror_of != np.arange(16)) == 8
    assert scheme.mirror_of.max() < 16


def test_halving_is_for_all_contrasts_at_once(make_design: MakeDesign) -> None:
    two = np.column_stack([np.repeat([1.0, 0], 3), np.repeat([0.0, 1], 3)])
    (groups,) = made(make_design(two, t={"a": [1, -1], "b": [-1, 1]}))
    assert np.count_nonzero(groups.mirror_of != np.arange(20)) == 10
    (means,) = made(make_design(two, t={"a": [1, 0], "b": [0, 1]}))
    assert means.exchange == "flip"
    assert np.count_nonzero(means.mirror_of != np.arange(64)) == 32
    (braak,) = made(make_design(two, t={"a": [1, 0]}), nuisance="ter_braak")
    assert np.count_nonzero(braak.mirror_of != np.arange(64)) == 31
    assert not (braak.mirror_of[1:] == 0).any()


def test_variance_groups_keep_their_rows(make_design: MakeDesign) -> None:
    from dataclasses import replace

    two = np.column_stack([np.ones(6), np.repeat([0.0, 1], 3)])
    groups = Block("site", np.repeat([0, 1], 3), ("a", "b"))
    design = replace(make_design(two, t={"c": [0, 1]}), variance_groups=groups)
    (scheme,) = made(design)
    assert_array_equal(scheme.mirror_of, np.arange(20))
    (flips,) = made(replace(make_design(two, t={"c": [1, 0.5]}), variance_groups=groups))
    assert np.count_nonzero(flips.mirror_of != np.arange(64)) == 32


def test_rotated_observations(make_design: MakeDesign) -> None:
    m = np.column_stack([np.ones(7), AGE[:7]])
    (scheme,) = made(make_design(m, t={"slope": [0, 1]}), nuisance="huh_jhun")
    assert (scheme.tree.n_obs, scheme.possible) == (6, 720)
    pairs = np.array([0, 0, 1, 1, 2, 2, 3])
    with pytest.raises(DesignError) as caught:
        made(
            make_design(m, t={"slope": [0, 1]}),
            build_tree(7, [Level(pairs, "within", None)]),
            nuisance="huh_jhun",
        )
    assert codes(caught) == ["E274"]
    wide = np.column_stack([np.ones(8), AGE, AGE**2])
    with pytest.raises(DesignError) as caught:
        made(
            make_design(wide, t={"one": [0, 1, 0]}, f={"two": [[0, 1, 0], [0, 0, 1]]}),
            exchange="permute",
            nuisance="huh_jhun",
        )
    assert codes(caught) == ["E275"]


def test_a_statistic_that_no_shuffle_changes(make_design: MakeDesign) -> None:
    with pytest.raises(DesignError, match="permuting changes nothing") as caught:
        made(make_design(np.ones((8, 1)), t={"mean": [1]}), exchange="permute")
    assert codes(caught) == ["E270"]
    pairs = np.repeat(np.arange(4), 2)
    between = np.column_stack([np.ones(8), np.repeat([0.0, 1], 4), AGE])
    tree = build_tree(8, [Level(pairs, "within", None)])
    with pytest.raises(DesignError) as caught:
        made(make_design(between[:, :2], t={"group": [0, 1]}), tree)
    assert codes(caught) == ["E270"]
    # A covariate moves inside the pairs and gives many labellings; the group that is tested never moves.
    with pytest.raises(DesignError) as caught:
        made(make_design(between, t={"group": [0, 1, 0]}), tree)
    assert codes(caught) == ["E270"]
    (scheme,) = made(make_design(between, t={"age": [0, 0, 1]}, f={"both": np.eye(3)[1:]}), tree)
    assert scheme.contrasts == ("age", "both")


def test_sets_that_are_too_large(make_design: MakeDesign) -> None:
    n = 40
    m = np.column_stack([np.ones(n), np.arange(n)])
    with pytest.raises(DesignError, match="about 10") as caught:
        made(make_design(m, t={"slope": [0, 1]}))
    assert codes(caught) == ["E273"]
    (scheme,) = made(make_design(m, t={"slope": [0, 1]}), n=100)
    assert scheme.possible > 10**40


def test_levels_that_no_data_can_reach(make_design: MakeDesign) -> None:
    five = made(make_design(np.ones((5, 1)), t={"mean": [1]}))
    assert [f.code for f in reachable(five, {"a": 0.05})] == ["E271"]  # 2 / 32: both sides count
    assert [f.code for f in reachable(five, {"a": 0.1, "b": 0.01})] == ["W270", "E271"]
    one_sided = made(make_design(np.ones((5, 1)), t={"mean": [1]}, alternative="greater"))
    assert [f.code for f in reachable(one_sided, {"a": 0.05})] == ["W270"]
    slope = make_design(np.column_stack([np.ones(8), AGE]), t={"slope": [0, 1]})
    (found,) = reachable(made(slope, n=10), {"a": 0.05})
    assert found.code == "E271"
    assert found.help is not None
    assert "40,320" in found.help
    assert reachable(made(slope, n=1000), {"a": 0.05}) == ()


def test_a_fitted_tail_goes_below_one_over_n(make_design: MakeDesign) -> None:
    slope = make_design(np.column_stack([np.ones(8), AGE]), t={"slope": [0, 1]})
    assert [f.code for f in reachable(made(slope, n=100), {"a": 0.001})] == ["E271"]
    assert reachable(made(slope, n=100), {"a": 0.001}, fitted=True) == ()
    # Nothing is fitted to ten shuffles, and all that exist leave nothing to guess.
    assert [f.code for f in reachable(made(slope, n=10), {"a": 0.001}, fitted=True)] == ["E271"]
    every = made(make_design(np.ones((6, 1)), t={"mean": [1]}))
    assert [f.code for f in reachable(every, {"a": 0.01}, fitted=True)] == ["E271"]
