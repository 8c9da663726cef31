"""What a worker of a cluster is sent: a question about itself, what all calls share, and calls."""

from __future__ import annotations

import pickle
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from specgl.engines.blas import one_blas_thread
from specgl.version import __version__


def describe() -> dict[str, str]:
    """Versions on which results depend, here."""
    import numpy as np

    return {
        "specgl": __version__,
        "numpy": np.__version__.partition(".")[0],
        "python": "{}.{}".format(*sys.version_info),
    }


@dataclass(frozen=True)
class Parcel:
    """Something that travels in one piece of bytes, and whose arrays arrive in memory of their own.

    Left to itself, distributed hands out arrays as views into what came over the network, at any address and
    read-only. numpy copies an array that is not aligned before each product, and may then choose another
    product, with other rounding; numba compiles anew.

    Attributes
    ----------
    content
        What travels.
    """

    content: Any

    def __reduce__(self) -> tuple[Callable[[bytes], Parcel], tuple[bytes]]:
        """As bytes, which nobody looks into on the way."""
        return _unpack, (pickle.dumps(self.content, protocol=5),)


def _unpack(content: bytes) -> Parcel:
    return Parcel(pickle.loads(content))


@dataclass(frozen=True)
class Call:
    """A function and an item, closed, so that nobody on the way looks into them.

    Attributes
    ----------
    fn
        Called as ``fn(shared, item)``.
    item
        What it is called with.
    """

    fn: Callable[[Any, Any], Any]
    item: Any

    def __call__(self, shared: Parcel) -> Parcel:
        """Result of the call, with linear algebra held to one thread."""
        with one_blas_thread():
            return Parcel(self.fn(shared.content, self.item))
