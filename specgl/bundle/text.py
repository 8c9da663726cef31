"""JSON and TSV as bundles hold them: the same values are the same bytes."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Collection, Mapping
from enum import Enum
from pathlib import Path, PurePath
from typing import Any

import numpy as np
import pandas as pd

MISSING = "n/a"


def json_bytes(held: object) -> bytes:
    """A value as indented JSON, UTF-8, with a line's end at its end."""
    text = json.dumps(plain(held), indent=2, ensure_ascii=False, allow_nan=False)
    return f"{text}\n".encode()


def json_line(held: object) -> str:
    """A value as one line of JSON."""
    return json.dumps(plain(held), ensure_ascii=False, allow_nan=False) + "\n"


def plain(held: object) -> Any:
    """Say a value in what JSON knows: numbers that are not finite become null, sequences lists.

    Raises
    ------
    TypeError
        For what has no such form.
    """
    match held:
        case Enum():
            return plain(held.value)
        case None | bool() | int() | str():
            return held
        case np.generic():
            return plain(held.item())
        case float():
            return held if math.isfinite(held) else None
        case np.ndarray():
            return plain(held.tolist())
        case Mapping():
            return {str(key): plain(value) for key, value in held.items()}
        case list() | tuple():
            return [plain(value) for value in held]
        case PurePath():
            return held.as_posix()
    raise TypeError(f"{type(held).__name__} has no form in JSON")


def tsv_bytes(frame: pd.DataFrame, *, digits: int | None = None) -> bytes:
    """A table as TSV, UTF-8: a header, `n/a` for what is missing, numbers with all digits or so many."""
    form = None if digits is None else f"%.{digits}g"
    text = frame.to_csv(sep="\t", index=False, na_rep=MISSING, lineterminator="\n", float_format=form)
    return str(text).encode()


def read_tsv(
    path: Path, *, as_text: tuple[str, ...] = (), numbers: Collection[str] | None = None
) -> pd.DataFrame:
    """Read back what `tsv_bytes` wrote, every number to its last digit.

    Parameters
    ----------
    path
        The file.
    as_text
        Columns that stay text whatever they look like; others become int64 or float64 where all their cells
        are numbers. Missing numbers are NaN, missing texts None.
    numbers
        Where given, the only columns that may become numbers.
    """
    with path.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file, delimiter="\t")
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(header)
    text = {name for name in header if name in as_text or (numbers is not None and name not in numbers)}
    read = [_column(cells, is_text=name in text) for name, cells in zip(header, columns, strict=True)]
    table = pd.concat(read, axis=1) if read else pd.DataFrame()
    return table.set_axis(header, axis=1)


def _column(cells: tuple[str, ...], *, is_text: bool) -> pd.Series[Any]:
    missing = [cell == MISSING for cell in cells]
    if not is_text:
        for kind in (int, float):
            try:
                values = [math.nan if gap else kind(cell) for cell, gap in zip(cells, missing, strict=True)]
            except ValueError:
                continue
            return pd.Series(values, dtype="float64" if kind is float or any(missing) else "int64")
    texts = [None if gap else cell for cell, gap in zip(cells, missing, strict=True)]
    return pd.Series(texts, dtype=object)
