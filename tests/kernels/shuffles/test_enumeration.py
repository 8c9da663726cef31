"""Counts and enumerations against every permutation and every pattern of signs."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from specgl.kernels.shuffles import Level, build_tree, count, invariance, make_shuffles, orbits
from specgl.kernels.shuffles.labellings import find_labellings


def codes(text: str) -> np.ndarray:
    """Codes of the letters of a text."""
    return np.array([ord(letter) for letter in text])


def level(text: str, exchange: str, order: str | None = None) -> Level:
    return Level(codes(text), exchange, None if order is None else np.array([int(c) for c in order]))  # type: ignore[arg-type]  # one of three words


TREES: dict[str, tuple[Level, ...]] = {
    "free": (),
    "pairs": (level("aabbccdd", "within"),),
    "uneven within": (level("aaabbcda", "within"),),
    "wholes": (level("aabbccdd", "whole"),),
    "interleaved wholes": (level("abcdabcd", "whole"),),
    "wholes by order": (level("aabbccdd", "whole", "01101001"),),
    "both": (level("aabbccdd", "both"),),
    "both of three": (level("abababab", "both"),),
    "types of families": (level("aaaabbb", "within"), level("xxyyzzz", "both")),
    "types of whole families": (level("aaaabbbb", "within"), level("xxyyxyxy", "whole", "01010011")),
    "wholes of pairs": (level("aaaabbbb", "whole"), level("xxyyxyxy", "within")),
    "wholes of wholes": (level("aaaabbbb", "whole"), level("xxyyxxyy", "whole")),
    "wholes of both": (level("aaaabbbb", "both"), level("xxyyxyyx", "both")),
    "shapes matched": (level("aaabbb", "whole"), level("xxyxyy", "within")),
    "shapes and order": (level("aaabbb", "whole", "210021"), level("xxyyyx", "within")),
    "three levels": (level("aaaaaabb", "within"), level("mmmnnnoo", "both"), level("pqqrrspp", "within")),
    "whole inside within": (level("aaaaaaab", "within"), level("pprrsstu", "within")),
}

CLASSES = {
    "all different": "abcdefgh",
    "two groups": "aaaabbbb",
    "alternating": "abababab",
    "mirrored": "abbaabba",
    "one covariate": "abcabcdd",
    "equal": "aaaaaaaa",
}


def rows_of(array: np.ndarray) -> set[tuple[int, ...]]:
    return set(map(tuple, array.tolist()))


@pytest.mark.parametrize("name", TREES)
def test_enumeration_is_all_labellings_once(name: str, true_permutations, true_signs) -> None:
    levels = TREES[name]
    n = len(levels[0].codes) if levels else 7
    tree = build_tree(n, levels)
    permutations, signs = true_permutations(n, levels), rows_of(true_signs(n, levels))
    for design in CLASSES.values():
        classes = codes(design)[:n]
        labels = rows_of(classes[permutations])
        expected = {"permute": (len(labels), 1), "flip": (1, len(signs)), "both": (len(labels), len(signs))}
        for exchange, (moved, flipped) in expected.items():
            counted = count(tree, classes, exchange)
            assert (counted.permutations, counted.flips, counted.possible) == (
                moved,
                flipped,
                moved * flipped,
            )
            if counted.possible > 20_000:
                continue
            made = make_shuffles(tree, classes, exchange, None, 0)
            assert made.exhaustive
            assert made.n == made.possible == counted.possible
            np.testing.assert_array_equal(made.rows[0], np.arange(n))
            assert rows_of(made.rows) <= rows_of(permutations)
            if exchange == "permute":
                assert made.signs is None
                assert rows_of(classes[made.rows]) == labels
            else:
                assert made.signs is not None
                assert (made.signs[0] == 1).all()
                found = rows_of(np.hstack([classes[made.rows], made.signs]))
                own = {tuple(classes.tolist())} if exchange == "flip" else labels
                assert found == {(*a, *b) for a, b in itertools.product(own, signs)}


@pytest.mark.parametrize("name", TREES)
def test_orbits_and_invariance_are_those_of_all_permutations(name: str, true_permutations) -> None:
    levels = TREES[name]
    n = len(levels[0].codes) if levels else 7
    tree = build_tree(n, levels)
    permutations = true_permutations(n, levels)
    mean = np.eye(n)[permutations].mean(axis=0)
    np.testing.assert_allclose(invariance(tree, "permute"), mean, atol=1e-12)  # sums of up to 5040 ones
    found = orbits(tree, "permute")
    np.testing.assert_array_equal(found[:, None] == found[None, :], mean > 0)
    np.testing.assert_array_equal(orbits(tree, "both"), found)
    np.testing.assert_array_equal(orbits(tree, "flip"), np.arange(n))
    assert not invariance(tree, "flip").any()
    assert not invariance(tree, "both").any()


@pytest.mark.parametrize(
    ("classes", "levels", "exchange", "possible"),
    [
        (np.zeros(8), (), "flip", 256),
        (np.repeat([0, 1], 4), (), "permute", 70),
        (np.tile([0, 1], 6), (Level(np.repeat(np.arange(6), 2), "within"),), "permute", 64),
        (np.repeat([0, 1], 6), (Level(np.repeat(np.arange(6), 2), "whole"),), "permute", 20),
        (np.arange(8), (), "permute", math.factorial(8)),
        (np.repeat([0, 1, 2], 3), (), "permute", 1680),
        (np.repeat([0, 1], 4), (), "both", 70 * 256),
        (np.zeros(300), (), "flip", 2**300),
        (np.arange(200), (), "permute", math.factorial(200)),
    ],
)
def test_known_counts(classes, levels, exchange, possible: int) -> None:
    assert count(build_tree(len(classes), levels), classes.astype(int), exchange).possible == possible


def next_arrangement(sequence: list[int]) -> list[int] | None:
    """Knuth's Algorithm L, one step."""
    rise = [j for j in range(len(sequence) - 1) if sequence[j] < sequence[j + 1]]
    if not rise:
        return None
    j = rise[-1]
    k = max(k for k in range(j + 1, len(sequence)) if sequence[k] > sequence[j])
    sequence[j], sequence[k] = sequence[k], sequence[j]
    return sequence[: j + 1] + sequence[j + 1 :][::-1]


@pytest.mark.parametrize("design", ["aabbc", "cbaab", "abcde", "edcba", "abab", "aaaab"])
def test_order_is_that_of_algorithm_l_from_the_identity_on(design: str) -> None:
    classes = codes(design)
    made = make_shuffles(build_tree(len(classes)), classes, "permute", None, 0)
    expected, now = [], list(classes.tolist())
    for _ in range(made.n):
        expected.append(now)
        now = next_arrangement(now.copy()) or sorted(now)
    np.testing.assert_array_equal(classes[made.rows], expected)


def test_nodes_advance_like_an_odometer_and_signs_in_binary() -> None:
    classes = np.array([0, 1, 0, 1])
    tree = build_tree(4, (Level(np.array([0, 0, 1, 1]), "within"),))
    made = make_shuffles(tree, classes, "both", None, 0)
    pairs = [[0, 1, 2, 3], [1, 0, 2, 3], [0, 1, 3, 2], [1, 0, 3, 2]]
    np.testing.assert_array_equal(made.rows, pairs * 16)
    assert made.signs is not None
    flipped = (made.signs[::4] < 0) @ (1 << np.arange(4))
    np.testing.assert_array_equal(flipped, np.arange(16))


def test_flipped_signs_mirror_about_the_middle() -> None:
    """So that half of an exhaustive one-sample test gives the other half."""
    signs = make_shuffles(build_tree(6), np.zeros(6, dtype=int), "flip", None, 0).signs
    assert signs is not None
    np.testing.assert_array_equal(signs, -signs[::-1])


def test_observations_move_as_little_as_their_labels_allow() -> None:
    classes = np.repeat([0, 1], 4)
    made = make_shuffles(build_tree(8), classes, "permute", None, 0)
    moved = made.rows != np.arange(8)
    np.testing.assert_array_equal(moved, classes[made.rows] != classes)


def test_wheel_of_no_choice_is_none() -> None:
    labellings = find_labellings(build_tree(5), np.zeros(5, dtype=int), "permute")
    assert labellings.wheels == ()
    assert labellings.count.possible == 1


def test_too_many_are_not_enumerated() -> None:
    with pytest.raises(ValueError, match="too many to enumerate"):
        make_shuffles(build_tree(41), np.zeros(41, dtype=int), "flip", None, 0)
