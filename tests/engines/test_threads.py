"""Order, errors, interrupts, and bits that do not depend on the number of threads."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from specgl.engines import Threads, default_threads
from specgl.engines.threads import _cgroup_quota


def blas_threads() -> set[int]:
    return {int(pool["num_threads"]) for pool in threadpool_info() if pool["user_api"] == "blas"}


@pytest.mark.parametrize("n", [1, 2, 5])
def test_results_come_in_order(n: int) -> None:
    def slow_first(i: int) -> int:
        time.sleep(0.02 if i == 0 else 0.0)
        return i * i

    assert Threads(n).map(slow_first, range(9)) == [i * i for i in range(9)]
    assert Threads(n).map(slow_first, []) == []


@pytest.mark.parametrize("n", [1, 2])
def test_progress_is_told_in_the_calling_thread(n: int) -> None:
    seen: list[tuple[int, int]] = []
    here = threading.get_ident()

    def progress(done: int, total: int) -> None:
        assert threading.get_ident() == here
        seen.append((done, total))

    Threads(n).map(lambda i: i, range(4), progress=progress)
    assert seen[-1] == (4, 4)
    assert seen == sorted(seen)


@pytest.mark.parametrize("n", [1, 2])
@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt])
def test_an_error_stops_what_has_not_begun(n: int, error: type[BaseException]) -> None:
    begun: list[int] = []

    def work(i: int) -> None:
        begun.append(i)
        if i == 1:
            raise error("stop")
        time.sleep(0.005)

    with pytest.raises(error, match="stop"):
        Threads(n).map(work, range(300))
    assert len(begun) < 20


def test_an_interrupt_of_the_caller_cancels_what_is_queued() -> None:
    begun: list[int] = []

    def progress(done: int, total: int) -> None:
        raise KeyboardInterrupt

    def work(i: int) -> None:
        begun.append(i)
        time.sleep(0.02)

    with pytest.raises(KeyboardInterrupt):
        Threads(2).map(work, range(300), progress=progress)
    count = len(begun)
    assert count < 50
    time.sleep(0.05)
    assert len(begun) == count  # nobody works on after map has returned


@pytest.mark.parametrize("n", [1, 2])
def test_linear_algebra_is_held_to_one_thread_meanwhile(n: int) -> None:
    np.ones((2, 2)) @ np.ones((2, 2))
    before = blas_threads()
    assert Threads(n).map(lambda _: blas_threads(), range(3)) == [{1}] * 3
    assert blas_threads() == before


def test_same_bytes_whatever_the_number_of_threads() -> None:
    rng = np.random.default_rng(0)
    tiles = [rng.standard_normal((60, 500)) for _ in range(8)]
    left = rng.standard_normal((200, 60))
    one, two, three = (Threads(n).map(lambda tile: (left @ tile).tobytes(), tiles) for n in (1, 2, 3))
    assert one == two == three


@pytest.mark.parametrize("n", [1, 2])
def test_work_sees_the_callers_error_state(n: int) -> None:
    with np.errstate(divide="raise"), pytest.raises(FloatingPointError):
        Threads(n).map(lambda i: np.ones(2) / (np.arange(2) + i * 0), range(2))


def test_at_least_one_thread() -> None:
    with pytest.raises(ValueError, match="at least one"):
        Threads(0)
    assert 1 <= default_threads() <= (os.cpu_count() or 1)


@pytest.mark.parametrize(
    ("group", "limits", "expected"),
    [
        ("0::/a/b\n", {"a": "max 100000"}, None),
        ("0::/a/b\n", {"a": "150000 100000"}, 2),
        ("0::/a/b\n", {"a": "400000 100000", "a/b": "50000 100000"}, 1),
        ("0::/\n", {"": "300000 100000"}, 3),
        ("4:cpu:/old\n", {}, None),
        ("0::/a\n", {"a": "nonsense"}, None),
    ],
)
def test_a_containers_quota_is_honoured(
    tmp_path: Path, group: str, limits: dict[str, str], expected: int | None
) -> None:
    for name, text in limits.items():
        (tmp_path / name).mkdir(parents=True, exist_ok=True)
        (tmp_path / name / "cpu.max").write_text(text + "\n")
    membership = tmp_path / "cgroup"
    membership.write_text(group)
    assert _cgroup_quota(tmp_path, membership) == expected
