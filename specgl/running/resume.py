"""Where finished shuffles are kept while a run goes on, and when they are taken away."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Iterable
from contextlib import suppress
from importlib import metadata
from pathlib import Path

from specgl.engines import ChunkStore
from specgl.images import InputFile
from specgl.planning import Plan
from specgl.version import __version__

_DIGITS = 12
_LIBRARIES = ("numpy", "scipy", "numba")


def chunk_store(target: Path, plan: Plan, inputs: Iterable[InputFile]) -> ChunkStore:
    """The store for what a run has finished; that of another identity is never found.

    It lies beside the target, as `.NAME.IDENTITY.chunks`, and is made when the first chunk is put into it.

    Parameters
    ----------
    target
        Absolute path of the bundle to be.
    plan
        What is done.
    inputs
        Every file that was read: table, images, masks.
    """
    return ChunkStore(target.with_name(f".{target.name}.{_identity(plan, inputs)}.chunks"))


def forget_chunks(target: Path) -> None:
    """Take away the chunks of every run to this target: now that a complete bundle stands, no run needs them.

    Until then they stay, those of other specs and inputs too: who changes a spec and changes it back goes on
    where it was left.
    """
    pattern = re.compile(rf"\.{re.escape(target.name)}\.[0-9a-f]{{{_DIGITS}}}\.chunks")
    with suppress(OSError):  # the bundle stands, whatever becomes of these
        for sibling in sorted(target.parent.iterdir()):
            if pattern.fullmatch(sibling.name) and not sibling.is_symlink():
                shutil.rmtree(sibling, ignore_errors=True)


def _identity(plan: Plan, inputs: Iterable[InputFile]) -> str:
    """What finished shuffles depend on: the question, every input byte, and what computes.

    How a chunk is cut and what is measured in it stand in the chunk's own name.
    """
    told = {
        "spec": plan.digest,
        "inputs": [(file.role, file.name, file.sha256) for file in inputs],
        "versions": {"specgl": __version__, **{name: metadata.version(name) for name in _LIBRARIES}},
    }
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:_DIGITS]
