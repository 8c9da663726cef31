"""Streams of threads: every item once, few at a time, nothing left behind."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Iterator
from contextlib import closing

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from specgl.engines import Threads


def blas_threads() -> set[int]:
    return {int(pool["num_threads"]) for pool in threadpool_info() if pool["user_api"] == "blas"}


def own_threads() -> int:
    return sum(thread.name.startswith("specgl") for thread in threading.enumerate())


@pytest.mark.parametrize("n", [1, 2, 5])
def test_every_item_comes_once_with_its_place(n: int) -> None:
    def add(shared: int, item: int) -> int:
        time.sleep(0.01 if item % 3 == 0 else 0.0)
        return shared + item

    found = list(Threads(n).stream(add, 100, range(20)))
    assert len(found) == 20
    assert dict(found) == {i: 100 + i for i in range(20)}
    assert list(Threads(n).stream(add, 0, [])) == []


def test_what_is_done_first_comes_first() -> None:
    slow = threading.Event()

    def wait_for_others(_: None, item: int) -> int:
        if item == 0:
            slow.wait(10)
        elif item == 5:
            slow.set()
        return item

    order = [index for index, _ in Threads(2).stream(wait_for_others, None, range(6))]
    assert sorted(order) == list(range(6))
    assert order[0] != 0


@pytest.mark.parametrize("n", [1, 2])
def test_items_are_taken_only_when_they_are_needed(n: int) -> None:
    taken: list[int] = []

    def endless() -> Iterator[int]:
        for item in itertools.count():
            taken.append(item)
            yield item

    with closing(Threads(n).stream(lambda _, item: item, None, endless())) as results:
        for _ in range(10):
            next(results)
    assert len(taken) <= 10 + 2 * n
    assert own_threads() == 0


@pytest.mark.parametrize("n", [1, 2])
@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt])
def test_an_error_ends_the_stream(n: int, error: type[BaseException]) -> None:
    begun: list[int] = []

    def work(_: None, item: int) -> int:
        begun.append(item)
        if item == 3:
            raise error("stop")
        return item

    found = []
    with pytest.raises(error, match="stop"):
        found.extend(index for index, _ in Threads(n).stream(work, None, range(300)))
    assert set(found) >= {0, 1, 2} or n > 1
    assert len(begun) < 20
    assert own_threads() == 0


def test_an_interrupt_between_two_results_leaves_nothing_running() -> None:
    begun: list[int] = []

    def work(_: None, item: int) -> int:
        begun.append(item)
        time.sleep(0.01)
        return item

    def interrupt(result: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), closing(Threads(2).stream(work, None, range(300))) as results:
        interrupt(next(results))
    count = len(begun)
    assert count < 10
    assert own_threads() == 0
    time.sleep(0.03)
    assert len(begun) == count


@pytest.mark.parametrize("n", [1, 2])
def test_linear_algebra_is_held_to_one_thread_until_the_last_stream_is_closed(n: int) -> None:
    np.ones((2, 2)) @ np.ones((2, 2))
    before = blas_threads()

    def stream() -> Iterator[tuple[int, set[int]]]:
        return Threads(n).stream(lambda _, item: blas_threads(), None, range(3))

    with closing(stream()) as first, closing(stream()) as second:  # type: ignore[type-var]
        assert next(first)[1] == {1}
        assert next(second)[1] == {1}
        first.close()  # type: ignore[attr-defined]
        assert next(second)[1] == {1}, "the first restores nothing while the second works"
    assert blas_threads() == before


def test_same_bytes_whatever_the_number_of_threads() -> None:
    rng = np.random.default_rng(0)
    left = rng.standard_normal((200, 60))
    tiles = [rng.standard_normal((60, 500)) for _ in range(8)]

    def product(left: np.ndarray, tile: np.ndarray) -> bytes:
        return (left @ tile).tobytes()

    one, two, three = (dict(Threads(n).stream(product, left, tiles)) for n in (1, 2, 3))
    assert one == two == three


def test_threads_can_be_entered_as_every_engine() -> None:
    with Threads(2) as engine:
        assert engine.n == 2
