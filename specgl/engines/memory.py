"""An amount of memory as people write it."""

from __future__ import annotations

import re

from specgl.errors import Finding, UsageError

_FORM = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([A-Za-z]*)\s*")
_UNITS = {
    "": 1,
    "b": 1,
    **{f"{letter}b": 1000**power for power, letter in enumerate("kmgt", start=1)},
    **{f"{letter}ib": 1024**power for power, letter in enumerate("kmgt", start=1)},
}
_LEAST = 64 * 10**6  # under this, not even the libraries fit


def read_memory(size: str | int) -> int:
    """Bytes that a size means.

    Parameters
    ----------
    size
        A number with one of the units B, KB, MB, GB, TB (powers of 1000) or KiB, MiB, GiB, TiB (powers of
        1024), in any case; a plain number counts bytes.

    Returns
    -------
    int
        Bytes.

    Raises
    ------
    UsageError
        E425: not a size, or under 64 MB.

    Examples
    --------
    >>> read_memory("4GB"), read_memory("1.5 GiB")
    (4000000000, 1610612736)
    """
    match = _FORM.fullmatch(str(size))
    unit = None if match is None else _UNITS.get(match[2].lower())
    if match is None or unit is None:
        raise _refused(f"'{size}' is no amount of memory")
    count = int(float(match[1]) * unit)
    if count < _LEAST:
        raise _refused(f"{count:,} bytes of memory ('{size}') are too few; at least 64MB are needed")
    return count


def _refused(seen: str) -> UsageError:
    return UsageError(Finding("E425", seen, help="write a number and a unit, such as 4GB, 800MB or 2GiB"))
