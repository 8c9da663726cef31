"""Codes of engines: a cluster that cannot be used, memory, and chunks that cannot be kept."""

from __future__ import annotations

from specgl.errors.catalogue.code import Code
from specgl.errors.tree import Exit

ENGINES: dict[str, Code] = {
    "E420": Code(
        "the dask scheduler cannot be reached",
        "The run was to send its shuffles to a cluster, and no dask scheduler answers at that address, or\n"
        "it has stopped answering. Check that it runs, that this machine may connect to it (firewalls,\n"
        "login nodes), and that the address is the one it printed when it started, such as\n"
        "tcp://10.0.0.1:8786. Before a run the scheduler is asked before any image is read. Shuffles that\n"
        "an interrupted run had finished are kept, and the next run goes on from them.",
        Exit.COMPUTATION,
    ),
    "E421": Code(
        "the dask engine is not installed",
        "Work on a cluster needs the package distributed, which is not installed with specgl unless you\n"
        "ask for it: python -m pip install 'specgl[distributed]'. Without --engine dask the run uses the\n"
        "threads of this machine and gives the same results.",
        Exit.USAGE,
    ),
    "E422": Code(
        "the cluster has no workers",
        "The scheduler answers, but no worker is connected to it, or all have gone and none came back.\n"
        "Look into the queue of your cluster: jobs that still wait are no workers yet. With\n"
        "dask-jobqueue, cluster.scale(jobs=4) asks for workers; an adaptive cluster needs a minimum of 1.\n"
        "Then run again: finished shuffles are kept.",
        Exit.COMPUTATION,
    ),
    "E423": Code(
        "a worker has another environment",
        "Every worker must have the same version of specgl, the same Python (3.x) and the same major\n"
        "version of numpy as the process that started the run: otherwise results could differ from worker\n"
        "to worker, or nothing could be sent at all. The message names the worker and what differs. Start\n"
        "the workers in the environment in which you start specgl: the same virtual environment on a\n"
        "shared disk, or the same container.",
        Exit.COMPUTATION,
    ),
    "E424": Code(
        "work was lost over and over",
        "Where a worker dies, its work is sent to another. The same piece was lost several times, which\n"
        "is seldom an accident: most often the workers' memory does not suffice, or the queue ends their\n"
        "jobs. Read the workers' logs, give them more memory or fewer threads each, and run again:\n"
        "finished shuffles are kept.",
        Exit.COMPUTATION,
    ),
    "E425": Code(
        "an amount of memory cannot be understood",
        "Write a number with a unit: B, KB, MB, GB, TB (powers of 1000), or KiB, MiB, GiB, TiB (powers of\n"
        "1024), such as 4GB; a plain number counts bytes. Less than 64 MB is refused, because not even\n"
        "the libraries fit into it.",
        Exit.USAGE,
    ),
    "W420": Code(
        "finished shuffles cannot be kept",
        "A run with many shuffles keeps those that are finished in a folder beside its target, so that a\n"
        "run that is stopped can be gone on with. The disk refuses: it is full, or the folder may not be\n"
        "written to. The results do not depend on it, but if this run is stopped, the next one begins\n"
        "again.",
    ),
}
"""Entries E420-E429 and W420 of the catalogue."""
