"""Where work runs: the threads of this machine, or a cluster. Engines know nothing of what they run."""

from __future__ import annotations

from specgl.engines.cluster import Dask
from specgl.engines.engine import Engine
from specgl.engines.memory import read_memory
from specgl.engines.store import ChunkStore
from specgl.engines.threads import Threads, default_threads

__all__ = ["ChunkStore", "Dask", "Engine", "Threads", "default_threads", "read_memory"]
