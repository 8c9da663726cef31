"""Work on a cluster, through dask.distributed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Self

from specgl.engines.crew import Crew
from specgl.engines.engine import Item, Progress, Result, Shared
from specgl.engines.threads import Threads, default_threads
from specgl.errors import ComputationError, Finding, UsageError

if TYPE_CHECKING:
    from distributed import Client


class Dask:
    """An engine that sends long work to the workers of a dask scheduler.

    Any deployment serves: `distributed.LocalCluster`, SLURM and others through dask-jobqueue, Kubernetes.
    Results are those of `Threads`, to the bit, where workers have processors of the same kind as this one.

    Dask talks in pickles: connect only to a scheduler that you trust.

    Parameters
    ----------
    address
        Of the scheduler, such as ``tcp://10.0.0.1:8786``; ``cluster.scheduler_address`` in Python.
    timeout
        Seconds to wait for the scheduler, and for a first worker.
    patience
        Seconds that all workers may be gone, in the middle of the work, before it is given up.
    threads
        Threads on this machine for what stays here; all cores by default.

    Examples
    --------
    >>> import specgl
    >>> from specgl.engines import Dask
    >>> bundle = specgl.run(spec, engine=Dask("tcp://10.0.0.1:8786"))  # doctest: +SKIP
    """

    def __init__(
        self, address: str, *, timeout: float = 10.0, patience: float = 300.0, threads: int | None = None
    ) -> None:
        self.address = address
        self._timeout = timeout
        self._patience = patience
        self._here = Threads(threads or default_threads())
        self._client: Client | None = None
        self._crew: Crew | None = None

    @property
    def n(self) -> int:
        """Threads of all workers together; 1 as long as there is no connection."""
        return 1 if self._crew is None else self._crew.n

    def map(
        self,
        fn: Callable[[Item], Result],
        items: Iterable[Item],
        *,
        progress: Progress | None = None,
    ) -> list[Result]:
        """Results of ``fn`` for each item, computed in threads of this process: see `Threads.map`."""
        return self._here.map(fn, items, progress=progress)

    def stream(
        self, fn: Callable[[Shared, Item], Result], shared: Shared, items: Iterable[Item]
    ) -> Iterator[tuple[int, Result]]:
        """Yield results as workers have computed them; the engine must have been entered.

        ``shared`` is sent once to each worker. At most twice as many items as there are threads are on their
        way. Where a worker dies, its items are sent to others; up to three times each.

        Parameters
        ----------
        fn
            A function of a module that workers can import, called as ``fn(shared, item)``.
        shared
            What all items need; must be picklable.
        items
            What it is called with; must be picklable.

        Yields
        ------
        (int, Result)
            Position of the item, from 0, and its result, in the order in which they arrive.

        Raises
        ------
        ComputationError
            E420, E422, E424: scheduler or workers were lost.
        BaseException
            Whatever ``fn`` raised.
        """
        from specgl.engines.dispatch import Dispatch

        if self._client is None or self._crew is None:
            raise RuntimeError("the engine is not connected: use it in a `with` statement")
        dispatch = Dispatch(self._client, self._crew, fn, shared)
        try:
            yield from dispatch.results(items)
        finally:
            dispatch.close()

    def __enter__(self) -> Self:
        """Connect, and examine the workers.

        Raises
        ------
        UsageError
            E421 if the package `distributed` is missing.
        ComputationError
            E420 if the scheduler cannot be reached, E422 if it has no worker, E423 if a worker lacks the
            package or has another version of it, of Python or of numpy.
        """
        self._client = _connect(self.address, self._timeout)
        self._crew = Crew(self._client, self._patience)
        try:
            self._crew.muster(self._timeout)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        """Close the connection; scheduler and workers live on."""
        client, self._client, self._crew = self._client, None, None
        if client is not None:
            client.close(timeout=self._timeout)


async def _knock(address: str, timeout: float) -> None:
    """See that a scheduler answers: a client waits for ever where somebody listens and says nothing."""
    from distributed.comm.core import connect
    from distributed.security import Security

    async def knock() -> None:
        comm = await connect(address, timeout=timeout, **Security().get_connection_args("client"))
        await comm.close()

    await asyncio.wait_for(knock(), timeout)


def _connect(address: str, timeout: float) -> Client:
    try:
        from distributed import Client
    except ImportError as error:
        raise UsageError(
            Finding(
                "E421",
                f"the dask engine needs the package distributed ({error})",
                help="python -m pip install 'specgl[distributed]'",
            )
        ) from error
    try:
        # Apart, because a thread that is already in an event loop (Jupyter) can't enter another.
        with ThreadPoolExecutor(1) as apart:
            apart.submit(asyncio.run, _knock(address, timeout)).result()
        return Client(address, timeout=timeout, set_as_default=False)
    except (OSError, ValueError, ImportError, TypeError, RuntimeError) as error:
        raise ComputationError(
            Finding(
                "E420",
                f"no dask scheduler was reached at '{address}': "
                f"{str(error) or f'no answer within {timeout:g} seconds'}",
                help="check that the scheduler runs, that this machine may connect to it, and that the "
                "address is the one that it printed, such as tcp://10.0.0.1:8786",
            )
        ) from error
