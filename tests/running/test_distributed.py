"""A whole run on a cluster, of which a worker is killed in the middle: the same bundle."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from typing import Any

import specgl
from specgl.engines import Dask


class Deadly(Dask):
    """An engine that kills one of its workers after the fifth result."""

    victim: int
    results: int = 0

    def stream(self, fn: Any, shared: Any, items: Any) -> Iterator[tuple[int, Any]]:
        for result in super().stream(fn, shared, items):
            self.results += 1
            if self.results == 5:
                os.kill(self.victim, signal.SIGKILL)
            yield result


def test_a_worker_that_is_killed_changes_no_byte(
    shuffled_study: Any, cluster: Any, digests: Callable[[specgl.Bundle], dict[str, str]]
) -> None:
    spec = specgl.read(shuffled_study.spec)
    here = specgl.run(spec, shuffled_study.folder / "here", threads=2)
    engine = Deadly(cluster.scheduler_address, threads=1)
    before = set(cluster.scheduler.workers)
    engine.victim = next(iter(cluster.workers.values())).pid
    there = specgl.run(spec, shuffled_study.folder / "there", engine=engine)
    assert engine.results > 50
    assert set(cluster.scheduler.workers) != before, "a worker has gone"
    there.verify()
    assert digests(there) == digests(here)
    assert [path.name for path in shuffled_study.folder.iterdir() if path.name.startswith(".")] == []
