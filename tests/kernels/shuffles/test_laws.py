"""Laws of sets of shuffles, for random trees."""

from __future__ import annotations

import pickle
from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from specgl.kernels.shuffles import (
    Level,
    Shuffles,
    automatic_variance_groups,
    build_tree,
    count,
    make_shuffles,
)
from specgl.kernels.shuffles import making as making_module
from specgl.kernels.shuffles.draws import Generator, draw_ranks

MOVEMENTS = st.sampled_from(["within", "whole", "both"])
EXCHANGES = st.sampled_from(["permute", "flip", "both"])
SEEDS = st.integers(0, 2**64 - 1)


@dataclass
class Case:
    levels: tuple[Level, ...]
    classes: np.ndarray
    exchange: str

    @property
    def n(self) -> int:
        return len(self.classes)

    def make(self, n: int | None, seed: int = 1) -> Shuffles:
        return make_shuffles(build_tree(self.n, self.levels), self.classes, self.exchange, n, seed)  # type: ignore[arg-type]  # one of three words

    @property
    def possible(self) -> int:
        return count(build_tree(self.n, self.levels), self.classes, self.exchange).possible  # type: ignore[arg-type]  # one of three words


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Up to two levels of equal blocks, rows of the table in any order, few classes."""
    widths = draw(st.lists(st.integers(1, 3), min_size=1, max_size=3))
    n = int(np.prod(widths))
    at = np.unravel_index(draw(st.permutations(range(n))), widths)
    levels = tuple(Level(codes, draw(MOVEMENTS)) for codes in at[:-1])
    classes = np.array(draw(st.lists(st.integers(0, 2), min_size=n, max_size=n)))
    return Case(levels, classes, draw(EXCHANGES))


def marks(case: Case, made: Shuffles) -> list[bytes]:
    """Labels and signs of each shuffle."""
    labels = case.classes[made.rows].astype(np.int8)
    both = labels if made.signs is None else np.hstack([labels, made.signs])
    return [row.tobytes() for row in np.ascontiguousarray(both)]


def same(one: Shuffles, other: Shuffles) -> bool:
    signs = one.signs is other.signs is None or np.array_equal(one.signs, other.signs)  # type: ignore[arg-type]  # both or none
    return bool(signs) and np.array_equal(one.rows, other.rows)


@pytest.fixture(params=["by rank", "by sorting"])
def drawn(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways to draw, also where there are few labellings."""
    if request.param == "by sorting":
        monkeypatch.setattr(making_module, "RANKED", 0)
    return str(request.param)


def both_ways(case: Case, n: int, seed: int) -> list[Shuffles]:
    """A random set drawn by rank, and one drawn by sorting."""
    ranked = case.make(n, seed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(making_module, "RANKED", 0)
        return [ranked, case.make(n, seed)]


@given(cases())
def test_count_is_a_product(case: Case) -> None:
    tree = build_tree(case.n, case.levels)
    permuted, flipped, both = (
        count(tree, case.classes, exchange) for exchange in ("permute", "flip", "both")
    )  # type: ignore[arg-type]  # three words
    assert permuted.flips == flipped.permutations == 1
    assert permuted.possible == permuted.permutations
    assert flipped.possible == flipped.flips
    assert both.possible == permuted.possible * flipped.possible


@given(case=cases(), seed=SEEDS, data=st.data())
def test_drawn_shuffles_are_admissible_and_differ(
    case: Case, seed: int, data: st.DataObject, is_admissible
) -> None:
    possible = case.possible
    n = data.draw(st.integers(1, min(possible - 1, 60))) if possible > 1 else 1
    for made in both_ways(case, n, seed) if possible > 1 else [case.make(1, seed)]:
        assert made.n == n
        assert made.n_obs == case.n
        assert made.possible == possible
        assert made.exhaustive == (n >= possible)
        np.testing.assert_array_equal(made.rows[0], np.arange(case.n))
        assert made.signs is None or (made.signs[0] == 1).all()
        assert is_admissible(made.rows.astype(int), case.levels).all()
        assert len(set(marks(case, made))) == n


@given(cases(), SEEDS, st.data())
def test_shuffle_is_the_same_whatever_the_number(case: Case, seed: int, data: st.DataObject) -> None:
    n = min(case.possible - 1, 60)
    if n < 2:
        return
    fewer = data.draw(st.integers(1, n))
    for many, few in zip(both_ways(case, n, seed), both_ways(case, fewer, seed), strict=True):
        assert np.array_equal(many.rows[:fewer], few.rows)
        assert many.signs is None or np.array_equal(many.signs[:fewer], few.signs)


@given(cases(), st.integers(0, 5))
def test_enough_shuffles_are_all_of_them(case: Case, more: int) -> None:
    possible = case.possible
    if possible > 3000:
        return
    everything = case.make(None)
    assert everything.exhaustive
    assert len(set(marks(case, everything))) == everything.n == possible
    assert same(case.make(possible + more, seed=9), everything)
    if possible > 1:
        one_fewer = case.make(possible - 1)
        assert not one_fewer.exhaustive
        assert set(marks(case, one_fewer)) < set(marks(case, everything))


@given(cases(), st.data())
def test_names_of_blocks_and_classes_change_nothing(case: Case, data: st.DataObject) -> None:
    def renamed(codes: np.ndarray) -> np.ndarray:
        names = data.draw(st.lists(st.integers(-9, 9), min_size=3, max_size=3, unique=True))
        return np.array(names)[codes]

    other = replace(case, levels=tuple(replace(level, codes=renamed(level.codes)) for level in case.levels))
    n = min(case.possible, 40)
    assert same(case.make(n), other.make(n))
    assert replace(case, classes=renamed(case.classes)).possible == case.possible


@given(cases(), st.data())
def test_order_of_the_table_does_not_change_the_count(case: Case, data: st.DataObject) -> None:
    order = np.array(data.draw(st.permutations(range(case.n))))
    # Members of whole blocks are matched by rank, which has to go with the rows.
    ranked = [replace(level, order=np.arange(case.n)) for level in case.levels]
    moved = [replace(level, codes=level.codes[order], order=order) for level in ranked]
    shuffled = Case(tuple(moved), case.classes[order], case.exchange)
    assert shuffled.possible == case.possible


@given(cases(), SEEDS)
def test_sets_are_read_only_and_travel(case: Case, seed: int) -> None:
    for made in (case.make(3, seed), case.make(1, seed)):
        assert made.rows.dtype == np.int32
        assert not made.rows.flags.writeable
        assert (made.signs is None) == (case.exchange == "permute")
        if made.signs is not None:
            assert made.signs.dtype == np.int8
            assert not made.signs.flags.writeable
        assert same(pickle.loads(pickle.dumps(made)), made)


@given(cases())
def test_variance_groups_hold_what_changes_places(case: Case) -> None:
    tree = build_tree(case.n, case.levels)
    groups = automatic_variance_groups(tree)
    rows = make_shuffles(tree, np.arange(case.n), "permute", 200, 5).rows
    assert (groups[rows] == groups).all()
    met = np.unique(groups, return_index=True)[1]
    assert (np.diff(met) > 0).all()


@pytest.mark.parametrize(("exchange", "others"), [("permute", 5), ("flip", 15), ("both", 95)])
def test_every_labelling_is_as_likely(exchange: str, others: int, drawn: str) -> None:
    """The first shuffle after the identity, over many seeds: chi-square within 5 standard deviations."""
    case = Case((), np.array([0, 0, 1, 1]), exchange)
    assert case.possible == others + 1
    seeds = 3000
    found = [marks(case, case.make(2, seed))[1] for seed in range(seeds)]
    times = np.unique(found, return_counts=True)[1]
    assert times.size == others
    square = ((times - seeds / others) ** 2).sum() / (seeds / others)
    assert square < (others - 1) + 5 * np.sqrt(2 * (others - 1))


def test_sorted_draws_come_to_the_last_labelling(drawn: str) -> None:
    """Redraws never give up: all but one of 70 labellings."""
    case = Case((), np.repeat([0, 1], 4), "permute")
    assert len(set(marks(case, case.make(69, 3)))) == 69


@given(SEEDS, st.integers(1, 300), st.integers(0, 50))
def test_ranks_are_drawn_once(seed: int, n: int, more: int) -> None:
    ranks = draw_ranks(Generator(seed), n, n + more)
    assert ranks[0] == 0
    assert np.unique(ranks).size == n
    assert ranks.max() < n + more


@given(SEEDS, st.integers(0, 10**6), st.integers(0, 9), st.integers(1, 20))
def test_words_are_those_of_philox(seed: int, shuffle: int, attempt: int, n: int) -> None:
    generator = Generator(seed)
    generator.words(3, 1, 7)
    key, counter = np.array([seed, shuffle], dtype=np.uint64), np.array([0, 0, 0, attempt], dtype=np.uint64)
    expected = np.random.Philox(key=key, counter=counter).random_raw(n)
    np.testing.assert_array_equal(generator.words(shuffle, attempt, n), expected)


def test_draws_are_for_ever() -> None:
    """Bits of a release are those of the next: a bundle names a seed, not a version."""
    few = make_shuffles(build_tree(6), np.arange(6), "permute", 4, 20261101)
    many = make_shuffles(build_tree(24), np.arange(24) % 2, "both", 3, 20261101)
    assert few.rows[1:].tolist() == PINNED_ROWS
    assert many.signs is not None
    assert ["".join("-+"[int(s > 0)] for s in row) for row in many.signs] == PINNED_SIGNS
    assert many.rows[2].tolist() == PINNED_LAST


PINNED_ROWS = [[4, 5, 3, 1, 0, 2], [4, 1, 2, 0, 3, 5], [4, 0, 2, 1, 3, 5]]
PINNED_SIGNS = ["++++++++++++++++++++++++", "----++-------+---+-+-+-+", "+-++-+-+++----+---+--+-+"]
PINNED_LAST = [0, 8, 2, 3, 4, 5, 6, 10, 1, 12, 7, 18, 9, 13, 14, 15, 16, 17, 11, 19, 21, 20, 23, 22]


@pytest.mark.parametrize(("n", "seed"), [(0, 1), (-3, 1), (5, -1), (5, 2**64)])
def test_impossible_sets_are_refused(n: int, seed: int) -> None:
    with pytest.raises(ValueError, match=r"holds at least|a seed lies"):
        make_shuffles(build_tree(6), np.arange(6), "permute", n, seed)


def test_classes_of_another_length_are_refused() -> None:
    with pytest.raises(ValueError, match="classes for 6 observations"):
        count(build_tree(6), np.arange(5), "permute")


def test_unknown_exchange_is_refused() -> None:
    with pytest.raises(ValueError, match="no such exchange: 'swap'"):
        count(build_tree(6), np.arange(6), "swap")  # type: ignore[arg-type]  # that is the fault
