"""JSON and TSV as bundles hold them: the same values are the same bytes."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from enum import Enum
from io import StringIO
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


def tsv_bytes(frame: pd.DataFrame) -> bytes:
    """A table as TSV, UTF-8: a header, `n/a` for what is missing, and numbers with all their digits."""
    text = frame.to_csv(sep="\t", index=False, na_rep=MISSING, lineterminator="\n")
    return str(text).encode()


def read_tsv(path: Path, *, as_text: tuple[str, ...] = ()) -> pd.DataFrame:
    """Read back what `tsv_bytes` wrote; the columns ``as_text`` stay text, whatever they look like."""
    text = path.read_text(encoding="utf-8")
    return pd.read_csv(
        StringIO(text),
        sep="\t",
        na_values=[MISSING],
        keep_default_na=False,
        float_precision="round_trip",
        dtype=dict.fromkeys(as_text, str),
    )
