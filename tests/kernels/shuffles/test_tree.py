"""Trees: what is refused, how members are matched, how they are drawn."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from specgl.kernels.shuffles import (
    BlocksError,
    Level,
    automatic_variance_groups,
    build_tree,
    count,
    make_shuffles,
)


def twins() -> tuple[Level, Level]:
    """Three pairs of identical twins, two of fraternal ones, a family of three siblings."""
    kinds = np.repeat([0, 1, 2], [6, 4, 3])
    families = np.array([0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 5])
    return Level(kinds, "within"), Level(families, "both")


@pytest.mark.parametrize("exchange", ["whole", "both"])
def test_unequal_wholes_are_named(exchange: str) -> None:
    codes = np.array([4, 4, 7, 7, 7, 9, 9, 2])
    with pytest.raises(BlocksError, match="level 0: unequal sizes in blocks 2, 7") as caught:
        build_tree(8, [Level(codes, exchange)])  # type: ignore[arg-type]  # one of two words
    error = caught.value
    assert (error.level, error.reason, error.blocks) == (0, "unequal sizes", (2, 7))
    again = pickle.loads(pickle.dumps(error))
    assert (again.level, again.reason, again.blocks) == (0, "unequal sizes", (2, 7))


def test_unequal_inner_blocks_are_named() -> None:
    outer = np.repeat([0, 1, 2], 4)
    inner = np.array([0, 0, 1, 1, 0, 0, 0, 1, 0, 1, 1, 0])
    with pytest.raises(BlocksError) as caught:
        build_tree(12, [Level(outer, "whole"), Level(inner, "within")])
    assert (caught.value.level, caught.value.reason, caught.value.blocks) == (
        0,
        "unequal inner structure",
        (1,),
    )


def test_inner_level_is_the_one_named() -> None:
    outer, inner = np.repeat([0, 1], 4), np.array([0, 0, 1, 1, 2, 3, 3, 3])
    with pytest.raises(BlocksError) as caught:
        build_tree(8, [Level(outer, "within"), Level(inner, "whole")])
    assert (caught.value.level, caught.value.blocks) == (1, (3,))


def test_outer_level_keeps_unequal_families_apart() -> None:
    kinds, families = twins()
    with pytest.raises(BlocksError):
        build_tree(13, [families])
    assert build_tree(13, [kinds, families]).n_obs == 13


def test_tied_order_of_wholes_is_named() -> None:
    codes, order = np.repeat([0, 1, 2], 2), np.array([0, 1, 0, 0, 1, 0])
    with pytest.raises(BlocksError) as caught:
        build_tree(6, [Level(codes, "whole", order)])
    assert (caught.value.reason, caught.value.blocks) == ("tied order", (1,))
    build_tree(6, [Level(codes, "within", order)])  # nothing is matched


def test_uneven_blocks_may_stay_where_they_are() -> None:
    tree = build_tree(6, [Level(np.array([0, 1, 1, 2, 2, 2]), "within")])
    assert count(tree, np.arange(6), "permute").possible == 12


@pytest.mark.parametrize("level", [Level(np.arange(5), "whole"), Level(np.arange(6), "whole", np.arange(5))])
def test_levels_of_another_length_are_refused(level: Level) -> None:
    with pytest.raises(ValueError, match="there are 6 observations"):
        build_tree(6, [level])


def test_nobody_is_refused() -> None:
    with pytest.raises(ValueError, match="no observations"):
        build_tree(0)


def test_members_are_matched_by_order_not_by_position() -> None:
    session = np.array([0, 1, 1, 0])
    level = Level(np.array([0, 0, 1, 1]), "whole", session)
    made = make_shuffles(build_tree(4, [level]), np.arange(4), "permute", None, 0)
    np.testing.assert_array_equal(made.rows, [[0, 1, 2, 3], [3, 2, 1, 0]])
    assert (session[made.rows] == session).all()
    # Two conditions in one order: the blocks hold the same, and nothing is left to exchange.
    assert count(build_tree(4, [level]), session, "permute").possible == 1
    assert count(build_tree(4, [Level(level.codes, "whole")]), session, "permute").possible == 2


def test_order_of_the_outer_level_holds_inside() -> None:
    outer = Level(np.repeat([0, 1], 4), "whole", np.array([0, 1, 2, 3, 3, 2, 1, 0]))
    inner = Level(np.array([0, 0, 1, 1, 0, 0, 1, 1]), "whole")
    rows = make_shuffles(build_tree(8, [outer, inner]), np.arange(8), "permute", None, 0).rows
    assert [7, 6, 5, 4, 3, 2, 1, 0] in rows.tolist()


def test_codes_of_inner_blocks_are_told_apart_by_the_outer() -> None:
    subject, session = np.repeat(np.arange(3), 4), np.tile([0, 0, 1, 1], 3)
    tree = build_tree(12, [Level(subject, "within"), Level(session, "within")])
    assert count(tree, np.arange(12), "permute").possible == 2**6


def test_variance_groups_of_plain_schemes() -> None:
    codes = np.array([5, 5, 3, 3, 3, 3])
    pairs = np.array([0, 1, 0, 1, 2, 2])
    assert automatic_variance_groups(build_tree(6)).tolist() == [0] * 6
    assert automatic_variance_groups(build_tree(6, [Level(codes, "within")])).tolist() == [0, 0, 1, 1, 1, 1]
    assert automatic_variance_groups(build_tree(6, [Level(pairs, "whole")])).tolist() == [0, 0, 1, 1, 0, 1]
    assert automatic_variance_groups(build_tree(6, [Level(pairs, "both")])).tolist() == [0] * 6
    assert automatic_variance_groups(build_tree(13, twins())).tolist() == [0] * 6 + [1] * 4 + [2] * 3


def test_twin_study_is_drawn() -> None:
    tree = build_tree(13, twins())
    names = [f"sub-{row + 1:02d}" for row in range(13)]
    drawn = list(tree.lines(names, ["kind", "family"], [["identical", "fraternal", "siblings"]]))
    assert drawn == [
        "13 observations",
        "├─ kind identical: 6 observations, stays in place",
        "│  └─ family: 3 blocks of 2 observations (0, 1, 2), change places as wholes",
        "│     └─ observations change places (for example sub-01, sub-02)",
        "├─ kind fraternal: 4 observations, stays in place",
        "│  └─ family: 2 blocks of 2 observations (3, 4), change places as wholes",
        "│     └─ observations change places (for example sub-07, sub-08)",
        "└─ kind siblings: 3 observations, stays in place",
        "   └─ family 5: 3 observations, stays in place",
        "      └─ observations change places (for example sub-11, sub-12, sub-13)",
    ]


def test_simple_trees_are_drawn() -> None:
    assert list(build_tree(8).lines()) == ["8 observations without blocks"]
    codes = np.repeat(np.arange(5), 4)
    assert list(build_tree(20, [Level(codes, "whole")]).lines(level_names=["subject"])) == [
        "20 observations",
        "└─ subject: 5 blocks of 4 observations, change places as wholes",
        "   └─ observations keep their order",
    ]
    nested = [Level(codes, "within"), Level(np.tile([0, 0, 1, 1], 5), "whole")]
    assert list(build_tree(20, nested).lines([str(k) for k in range(20)], ["subject", "session"])) == [
        "20 observations",
        "└─ subject: 5 blocks of 4 observations, stay in place",
        "   └─ session: 2 blocks of 2 observations in each, change places as wholes",
        "      └─ observations keep their order (for example 0, 1)",
    ]


def test_drawing_of_many_blocks_is_short() -> None:
    sizes = np.repeat(np.arange(90), np.tile([1, 2, 3], 30))
    drawn = list(build_tree(sizes.size, [Level(sizes, "within")]).lines())
    assert drawn == [
        "180 observations",
        "├─ block: 30 blocks of 1 observation, stay in place",
        "│  └─ the observation stays in its place",
        "├─ block: 30 blocks of 2 observations, stay in place",
        "│  └─ observations change places",
        "└─ block: 30 blocks of 3 observations, stay in place",
        "   └─ observations change places",
    ]
