"""A real cluster on this machine."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest

Start = Callable[..., AbstractContextManager[Any]]


@contextmanager
def local_cluster(n_workers: int = 2) -> Iterator[Any]:
    """A scheduler in this process and workers of one thread each in processes of their own."""
    import dask
    from distributed import LocalCluster

    # With no failure allowed, every death of a worker reaches the client, and not the fourth of a task only.
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 0}),
        LocalCluster(
            n_workers=n_workers,
            threads_per_worker=1,
            processes=True,
            dashboard_address="127.0.0.1:0",
            silence_logs=logging.CRITICAL,
        ) as cluster,
    ):
        yield cluster


@pytest.fixture(scope="session")
def start_cluster() -> Start:
    """Function that starts a cluster of so many workers, as a context."""
    return local_cluster


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """A cluster of two workers."""
    with local_cluster() as started:
        yield started
