"""All labellings of each case, listed by hand and by the package."""

from __future__ import annotations

import numpy as np
import pytest
from permutation_truth import brute, listing

from specgl.kernels.shuffles import BlocksError, Level, build_tree, count, make_shuffles


def labels(label, rows, signs):
    """Which model rows went where, with which signs."""
    signs = np.ones_like(rows) if signs is None else signs
    return {tuple(label[r]) + tuple(int(x) for x in s) for r, s in zip(rows, signs, strict=True)}


@pytest.fixture
def setting(case, doors):
    """What may be exchanged, which rows are alike, and all labellings by hand."""
    if case.nuisance != "huh_jhun":
        label = np.array(case.label)
        return doors.tree(case), label, labels(label, *as_arrays(case.shuffles()))
    model = brute.Model(case.model_matrix, case.model_weights, case.y)
    rotated = brute.complement(model).T @ model.tested
    label = np.array(listing.classes(rotated))
    listed = listing.labellings(listing.free(len(rotated)), (), label)
    return doors.tree(case, len(rotated)), label, labels(label, *as_arrays(listed))


def as_arrays(listed):
    return (np.array(part) for part in zip(*listed, strict=True))


def test_every_labelling_once(case, setting):
    tree, label, listed = setting
    made = make_shuffles(tree, label, case.exchange, None, 3)
    assert made.exhaustive
    assert made.n == made.possible == len(listed) == case.n_shuffles
    np.testing.assert_array_equal(made.rows[0], np.arange(len(label)))
    ours = labels(label, made.rows, made.signs)
    assert len(ours) == case.n_shuffles
    assert ours == listed


def test_count_without_listing(case, setting):
    tree, label, listed = setting
    found = count(tree, label, case.exchange)
    assert found.possible == found.permutations * found.flips == len(listed)


def test_random_draws_are_listed_and_differ(case, setting):
    tree, label, listed = setting
    n = max(2, case.n_shuffles // 3)
    made = make_shuffles(tree, label, case.exchange, n, 20261101)
    assert not made.exhaustive
    np.testing.assert_array_equal(made.rows[0], np.arange(len(label)))
    ours = labels(label, made.rows, made.signs)
    assert len(ours) == made.n == n
    assert ours <= listed


# Trees of two levels ----------------------------------------------------------------------------

SITE = np.repeat([0, 1], 6)
FAMILY = np.array([0, 1, 2, 2, 1, 0, 3, 4, 5, 3, 4, 5])
CHILD = np.array([0, 0, 0, 1, 1, 1, 0, 1, 0, 1, 0, 1])
HOUSE = np.repeat([0, 1, 2], 4)
TWINS = np.repeat(np.arange(6), 2)
PLACE = np.tile([0, 1, 2, 3], 3)


def every(tree, n):
    """All labellings of observations that all differ."""
    made = make_shuffles(tree, np.arange(n), "permute", None, 1)
    return {tuple(int(i) for i in row) for row in made.rows}


def test_families_change_places_as_wholes_inside_their_site():
    listed = {
        rows
        for rows in listing.whole(FAMILY, CHILD)
        if all(SITE[i] == SITE[source] for i, source in enumerate(rows))
    }
    tree = build_tree(12, [Level(SITE, "within", None), Level(FAMILY, "whole", CHILD)])
    assert len(listed) == 36
    assert every(tree, 12) == listed


def test_families_change_places_and_pairs_inside_them_too():
    """Three families of two pairs: pairs stay pairs, the first of a family stays the first."""
    inside = list(listing.within(TWINS))
    listed = {tuple(families[i] for i in rows) for families in listing.whole(HOUSE, PLACE) for rows in inside}
    tree = build_tree(12, [Level(HOUSE, "whole", PLACE), Level(TWINS, "within", None)])
    assert len(listed) == 6 * 2**6
    assert every(tree, 12) == listed


def test_pairs_change_places_as_wholes_inside_families_that_do():
    listed = {
        rows
        for rows in listing.whole(TWINS, np.tile([0, 1], 6))
        if all(len({int(HOUSE[rows[i]]) for i in np.flatnonzero(house == HOUSE)}) == 1 for house in range(3))
    }
    tree = build_tree(12, [Level(HOUSE, "whole", PLACE), Level(TWINS, "whole", np.tile([0, 1], 6))])
    assert len(listed) == 6 * 2**3
    assert every(tree, 12) == listed


def test_blocks_of_unequal_size_are_no_wholes():
    with pytest.raises(BlocksError):
        build_tree(7, [Level(np.array([0, 0, 1, 1, 2, 2, 2]), "whole", None)])
