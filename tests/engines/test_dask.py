"""A real cluster of two worker processes: the same results, whoever dies.

Functions that are sent are nested, so that they travel by value: workers cannot import tests.
"""

from __future__ import annotations

import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import numpy as np
import pytest

from specgl.engines import Dask, Threads
from specgl.engines.crew import Crew
from specgl.engines.worker import describe
from specgl.errors import ComputationError, SpecglError, UsageError

pytest.importorskip("distributed")

SHARED = {"data": np.random.default_rng(0).standard_normal((40, 3000))}


def code(error: SpecglError) -> str:
    (finding,) = error.findings
    assert finding.help
    return finding.code


def work() -> Callable[[Any, int], tuple[int, bytes]]:
    def product(shared: Any, item: int) -> tuple[int, bytes]:
        import os
        import time

        time.sleep(0.02)
        return os.getpid(), (shared["data"][item:] @ shared["data"].T).tobytes()

    return product


def expected(n: int) -> dict[int, bytes]:
    return {index: value for index, (_, value) in Threads(2).stream(work(), SHARED, range(n))}


@pytest.fixture
def engine(cluster: Any) -> Iterator[Dask]:
    # Workers that another test has killed are started again.
    limit = time.monotonic() + 20
    while len(cluster.scheduler.workers) < 2 and time.monotonic() < limit:
        time.sleep(0.02)
    with Dask(cluster.scheduler_address, threads=1) as entered:
        yield entered


def test_results_are_those_of_threads(engine: Dask) -> None:
    assert engine.n == 2
    found = list(engine.stream(work(), SHARED, range(12)))
    assert len(found) == 12
    assert {index: value for index, (_, value) in found} == expected(12)
    assert len({pid for _, (pid, _) in found}) == 2
    assert list(engine.stream(work(), SHARED, [])) == []


@pytest.mark.parametrize("shared", [[1, 2], {"a": 3}, None, "text", (4,)], ids=str)
def test_what_is_shared_arrives_as_it_was(engine: Dask, shared: object) -> None:
    assert list(engine.stream(lambda given, item: (given, item), shared, ["a"])) == [(0, (shared, "a"))]


def test_what_stays_here_runs_here(engine: Dask) -> None:
    import os

    assert engine.map(lambda _: os.getpid(), range(3)) == [os.getpid()] * 3


def test_workers_hold_linear_algebra_to_one_thread(engine: Dask) -> None:
    def blas(_: None, item: int) -> list[int]:
        from threadpoolctl import threadpool_info

        return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]

    for _, threads in engine.stream(blas, None, range(4)):
        assert set(threads) == {1}


def test_an_error_of_the_function_comes_as_it_was(engine: Dask) -> None:
    def fail(_: None, item: int) -> int:
        if item == 2:
            raise TimeoutError("of its own")
        return item

    with pytest.raises(TimeoutError, match="of its own"):
        list(engine.stream(fail, None, range(50)))
    assert len(list(engine.stream(lambda _, item: item, None, range(3)))) == 3


def test_a_closed_stream_drops_what_has_not_begun(engine: Dask, tmp_path: Any) -> None:
    def touch(folder: Any, item: int) -> int:
        (folder / str(item)).touch()
        return item

    with closing(engine.stream(touch, tmp_path, range(1000))) as results:
        next(results)
    time.sleep(0.2)
    count = len(list(tmp_path.iterdir()))
    assert count < 20
    time.sleep(0.1)
    assert len(list(tmp_path.iterdir())) == count


@pytest.mark.parametrize("victims", [1, 2])
def test_workers_that_are_killed_change_nothing(engine: Dask, victims: int) -> None:
    import os
    import signal

    found: dict[int, bytes] = {}
    pids: set[int] = set()
    killed = False
    for index, (pid, value) in engine.stream(work(), SHARED, range(40)):
        assert index not in found
        found[index] = value
        pids.add(pid)
        if len(pids) == 2 and not killed:
            killed = True
            for each in sorted(pids)[:victims]:
                os.kill(each, signal.SIGKILL)
    assert killed
    assert found == expected(40)


def test_a_piece_that_ends_every_worker_ends_the_run(engine: Dask) -> None:
    def deadly(_: None, item: int) -> int:
        import os
        import signal

        if item == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        return item

    with pytest.raises(ComputationError, match="lost 4 times") as caught:
        list(engine.stream(deadly, None, range(2)))
    assert code(caught.value) == "E424"


def test_a_scheduler_that_goes_ends_the_run(start_cluster: Any) -> None:
    with start_cluster(1) as cluster, Dask(cluster.scheduler_address, timeout=2) as engine:
        results = engine.stream(work(), SHARED, range(400))
        next(results)
        cluster.close()
        began = time.monotonic()
        with pytest.raises(ComputationError, match="not answer any more") as caught:
            list(results)
        assert code(caught.value) == "E420"
        assert time.monotonic() - began < 20


def test_no_worker(start_cluster: Any) -> None:
    with start_cluster(0) as cluster, pytest.raises(ComputationError, match="no worker came") as caught:
        Dask(cluster.scheduler_address, timeout=0.5).__enter__()
    assert code(caught.value) == "E422"


@pytest.mark.parametrize(
    "address", ["tcp://127.0.0.1:9", "xyz://here:1", "nonsense", "", "tcp://127.0.0.1:port"]
)
def test_no_scheduler(address: str) -> None:
    began = time.monotonic()
    with pytest.raises(ComputationError, match="no dask scheduler was reached") as caught:
        Dask(address, timeout=1).__enter__()
    assert code(caught.value) == "E420"
    assert repr(address) in str(caught.value)
    assert time.monotonic() - began < 5


def test_somebody_else_at_the_address() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        with pytest.raises(ComputationError, match="no dask scheduler") as caught:
            Dask(f"tcp://127.0.0.1:{silent.getsockname()[1]}", timeout=1).__enter__()
    assert code(caught.value) == "E420"


def test_without_the_package_distributed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(UsageError, match=r"specgl\[distributed\]") as caught:
        Dask("tcp://127.0.0.1:9").__enter__()
    assert code(caught.value) == "E421"


def test_a_stream_wants_a_connection() -> None:
    with pytest.raises(RuntimeError, match="not connected"):
        next(Dask("tcp://127.0.0.1:9").stream(work(), SHARED, [1]))


HIDE = "import sys; sys.modules = sys.modules; hidden = {n: sys.modules.pop(n) for n in list(sys.modules) if n.split('.')[0] == 'specgl'}; sys.modules['specgl'] = None"  # noqa: E501
OTHER = "import specgl.engines.worker as w; w.__version__ = '0.0.9'"


@pytest.mark.parametrize(
    ("change", "told"), [(HIDE, "has no package specgl"), (OTHER, "has specgl 0.0.9 instead")]
)
def test_a_worker_of_another_environment_is_named(start_cluster: Any, change: str, told: str) -> None:
    from distributed import Client

    with start_cluster(2) as cluster:
        with Client(cluster.scheduler_address, set_as_default=False) as client:
            worker = sorted(client.nthreads())[1]
            client.run(exec, change, workers=[worker])
        with pytest.raises(ComputationError, match=told) as caught:
            Dask(cluster.scheduler_address).__enter__()
    assert code(caught.value) == "E423"
    assert worker in str(caught.value)


class Cluster:
    """A client of a cluster in the imagination."""

    def __init__(self, **answers: Any) -> None:
        self.answers = answers
        self.asked: list[str] = []

    def nthreads(self) -> dict[str, int]:
        return dict.fromkeys(self.answers, 2)

    def run(self, fn: Any, workers: list[str], on_error: str) -> dict[str, Any]:
        self.asked += workers
        return {worker: self.answers[worker] for worker in workers}


FIT = describe()


def test_a_worker_that_comes_later_is_examined_once_and_gets_work_only_if_it_is_fit() -> None:
    cluster = Cluster(a=FIT)
    crew = Crew(cluster, patience=60)  # type: ignore[arg-type]
    crew.muster(1)
    assert (crew.threads, crew.n) == ({"a": 2}, 2)
    cluster.answers |= {"b": Exception("ModuleNotFoundError(\"No module named 'specgl'\")"), "c": FIT}
    cluster.answers["d"] = OSError("left before it answered")
    crew.refresh()
    crew.refresh()
    assert crew.threads == {"a": 2, "c": 2}
    assert cluster.asked == ["a", "b", "c", "d", "d"]


def test_a_crew_that_stays_away_is_given_up() -> None:
    cluster = Cluster(a=FIT)
    crew = Crew(cluster, patience=0.05)  # type: ignore[arg-type]
    crew.muster(1)
    cluster.answers.clear()
    crew.refresh()
    assert (crew.threads, crew.n) == ({}, 1)
    time.sleep(0.1)
    with pytest.raises(ComputationError, match="all workers are gone") as caught:
        crew.refresh()
    assert code(caught.value) == "E422"
    cluster.answers["b"] = FIT | {"python": "3.9"}
    with pytest.raises(ComputationError, match=r"b has python 3\.9 instead of") as caught:
        crew.refresh()
    assert code(caught.value) == "E423"
