"""One way to compile a kernel, with types that the checker understands.

A compiled function releases the interpreter's lock, so that threads run side by side, and is kept on disk, so
that it is compiled once for each machine. It is kept under a digest of all kernels' sources: numba looks at
the file of a function and not at those of the functions that it calls, so that an upgrade could leave half of
the old release in use. Importing this module imports numba (half a second): whoever may do without imports
the kernels that use it where they are called.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, overload

import numba

_KERNELS = Path(__file__).parent
_KEPT = 14 * 24 * 3600.0  # seconds

Function = TypeVar("Function", bound=Callable[..., Any])


@overload
def compiled(function: Function) -> Function: ...
@overload
def compiled(
    *, fastmath: bool | set[str] = False, inline: bool = False
) -> Callable[[Function], Function]: ...
def compiled(
    function: Function | None = None, *, fastmath: bool | set[str] = False, inline: bool = False
) -> Function | Callable[[Function], Function]:
    """Compile a function of numbers and arrays, as ``@compiled`` or ``@compiled(fastmath=...)``.

    Parameters
    ----------
    function
        What to compile. It may call other compiled functions. Division by zero gives what numpy gives.
    fastmath
        Freedoms of the compiler with floating point numbers: names of LLVM's flags, such as
        ``{"nnan", "nsz"}`` for maxima. Sums whose bits matter get none.
    inline
        Whether its calls are replaced by its text, for what stands in an innermost loop.

    Returns
    -------
    callable
        The same function, compiled when first called.
    """

    def compile_(python: Function) -> Function:
        options: dict[str, Any] = {"nogil": True, "error_model": "numpy", "fastmath": fastmath}
        if inline:
            options["inline"] = "always"
        with _kept_by_digest():
            try:
                result: Function = numba.njit(cache=True, **options)(python)
            except RuntimeError:  # no directory that can be written: compiled anew by each process
                result = numba.njit(cache=False, **options)(python)
        return result

    return compile_ if function is None else compile_(function)


@contextmanager
def _kept_by_digest() -> Iterator[None]:
    """Have numba keep what it compiles in `_folder`, unless NUMBA_CACHE_DIR names another directory."""
    settings: Any = numba.config
    named = settings.CACHE_DIR
    if named or (folder := _folder()) is None:
        yield
        return
    settings.CACHE_DIR = str(folder)
    try:
        yield
    finally:
        settings.CACHE_DIR = named


@cache
def _folder() -> Path | None:
    """Directory for these very sources: beside them, or the user's; None where neither can be written."""
    digest = hashlib.sha256()
    for source in sorted(_KERNELS.rglob("*.py")):
        digest.update(source.read_bytes())
    users = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "specgl"
    for base in (_KERNELS / "__pycache__", users):
        folder = base / f"compiled-{digest.hexdigest()[:16]}"
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError:
            continue
        if os.access(folder, os.W_OK):
            _forget_old(folder)
            return folder
    return None


def _forget_old(folder: Path) -> None:
    """Take away what other sources left beside a directory and nobody has added to for a while."""
    with suppress(OSError):  # another process may be doing the same
        for sibling in folder.parent.glob("compiled-*"):
            if sibling != folder and time.time() - sibling.stat().st_mtime > _KEPT:
                shutil.rmtree(sibling, ignore_errors=True)
