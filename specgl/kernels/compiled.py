"""One way to compile a kernel, with types that the checker understands.

A compiled function releases the interpreter's lock, so that threads run side by side, and is kept on disk, so
that it is compiled once for each machine. Importing this module imports numba (half a second): whoever may do
without imports the kernels that use it where they are called.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, overload

import numba

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
        try:
            result: Function = numba.njit(cache=True, **options)(python)
        except RuntimeError:  # no directory that can be written: compiled anew by each process
            result = numba.njit(cache=False, **options)(python)
        return result

    return compile_ if function is None else compile_(function)
