"""What a bundle keeps of the shuffles: how they were made, and which they were."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from specgl.bundle import names
from specgl.bundle.contents import Contents
from specgl.bundle.files import TextFile
from specgl.bundle.names import Role
from specgl.bundle.statistics import Statistic
from specgl.bundle.text import json_bytes, tsv_bytes
from specgl.kernels.shuffles import short_count

if TYPE_CHECKING:  # types only: a parametric run does not wait for what shuffles
    from specgl.models.schemes import Scheme

GENERATOR = "Philox, keyed by (seed, shuffle)"
"""Where random shuffles come from."""

MAX_CELLS = 5_000_000
"""Shuffles times observations up to which the shuffles are kept; beyond, seed and rule tell them."""

_EXACT = 2**53
"""Integers up to here are exact in every reader of JSON."""

_GZIP = 31
"""Window bits that make zlib write the gzip format, whose header then has no time and no name."""


def describe_schemes(contents: Contents) -> list[dict[str, Any]]:
    """How observations were shuffled, a record a scheme, as the manifest says it."""
    return [describe_scheme(scheme, contents.tree) for scheme in contents.schemes]


def describe_scheme(scheme: Scheme, tree: Sequence[str]) -> dict[str, Any]:
    """One scheme in plain values."""
    return {
        "exchange": scheme.exchange,
        "why": scheme.why,
        "contrasts": list(scheme.contrasts),
        "possible": json_count(scheme.possible),
        "n": scheme.n,
        "exhaustive": scheme.exhaustive,
        "seed": scheme.seed,
        "generator": GENERATOR,
        "nuisance": scheme.nuisance,
        "tree": list(tree),
    }


def json_count(number: int) -> int | float:
    """A number of labellings, which may be beyond what readers of JSON hold exactly, or at all."""
    if number <= _EXACT:
        return number
    return float(number) if number.bit_length() < 1000 else float(np.finfo(np.float64).max)


def shuffle_files(contents: Contents) -> Iterator[TextFile]:
    """A table of the shuffles for each scheme, and the words beside it."""
    if contents.design is None:
        return
    observations = contents.design.observations
    for scheme in contents.schemes:
        shuffles = scheme.shuffles()
        if shuffles.n_obs != len(observations) or shuffles.rows.size > MAX_CELLS:
            continue  # Huh-Jhun shuffles rows of a smaller space; a huge table tells no more than the seed
        rows = shuffles.rows + 1
        values = rows if shuffles.signs is None else rows * shuffles.signs
        table = pd.DataFrame(values, columns=list(observations))
        table.insert(0, "shuffle", np.arange(len(values)), allow_duplicates=True)
        path = names.shuffle_table(scheme.exchange if len(contents.schemes) > 1 else None)
        yield TextFile(path, Role.SHUFFLES, _gzip(tsv_bytes(table)))
        yield TextFile(names.sidecar(path), Role.SIDECAR, json_bytes(_shuffle_words(scheme, contents.tree)))


def shuffling_words(contents: Contents) -> Iterator[str]:
    """How observations were shuffled, a line a scheme, for the README of a bundle."""
    for scheme in contents.schemes:
        used = (
            f"all {scheme.n:,} labellings that exist"
            if scheme.exhaustive
            else f"{scheme.n:,} of {short_count(scheme.possible)} labellings, drawn with seed {scheme.seed}"
        )
        yield (
            f"- Shuffling ({scheme.exchange}) for {', '.join(f'`{c}`' for c in scheme.contrasts)}: {used}; "
            f"nuisance by {scheme.nuisance}."
        )


def _shuffle_words(scheme: Scheme, tree: Sequence[str]) -> dict[str, Any]:
    return {
        "shuffle": {"Description": "Number of the shuffle; 0 is the observed labelling."},
        "OtherColumns": "One an observation, in the order of design.tsv: v says that the observation carries "
        "row |v| of the design, counted from 1; a negative v, that it is flipped.",
        "Scheme": describe_scheme(scheme, tree),
    }


def compared_as(settings: Mapping[str, Any], statistic: Statistic) -> str:
    """On what scale an inference by permutation compares: ``z``, or the letter of the statistic itself.

    Parameters
    ----------
    settings
        The inference, as it was resolved.
    statistic
        The contrast's statistic.
    """
    asked = settings.get("scale") == "z" or settings.get("across") == "contrasts"
    # Shuffles of a chi-square are of F with endless degrees of freedom: what both have is z.
    return "z" if asked or statistic.varies or statistic.kind == "chi2" else statistic.kind


def _gzip(content: bytes) -> bytes:
    """A text compressed without a time stamp, so that equal texts are equal bytes."""
    press = zlib.compressobj(6, zlib.DEFLATED, _GZIP)
    return press.compress(content) + press.flush()
