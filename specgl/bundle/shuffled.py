"""What a bundle keeps of the shuffles: how they were made, which they were, and what each of them gave."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from specgl.bundle import names
from specgl.bundle.contents import Contents
from specgl.bundle.files import TextFile
from specgl.bundle.manifest import Label
from specgl.bundle.names import Role
from specgl.bundle.statistics import Statistic, statistics_of
from specgl.bundle.text import json_bytes, tsv_bytes
from specgl.inference import Inferred
from specgl.kernels.shuffles import short_count

if TYPE_CHECKING:  # types only: a parametric run does not wait for what shuffles
    from specgl.models.schemes import Scheme

GENERATOR = "Philox, keyed by (seed, shuffle)"
"""Where random shuffles come from."""

SHUFFLE, SIMULATION = "shuffle", "simulation"
"""First column of a null distribution, by what was drawn."""

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


def null_files(contents: Contents) -> Iterator[TextFile]:
    """The null distribution of each contrast under each inference by permutation or simulation."""
    statistics = statistics_of(contents.stats)
    for inferred in contents.inferred:
        if inferred.null is None:
            continue
        drawn = SHUFFLE if inferred.simulations is None else SIMULATION
        table = pd.DataFrame({drawn: np.arange(inferred.null.size), "value": inferred.null})
        path = names.null_table(inferred.contrast, inferred.inference)
        label = Label(contrast=inferred.contrast, inference=inferred.inference)
        yield TextFile(path, Role.NULL, tsv_bytes(table), label)
        words = _null_words(inferred, contents.spec.resolved, statistics[inferred.contrast])
        yield TextFile(names.sidecar(path), Role.SIDECAR, json_bytes(words), label)


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


def _null_words(inferred: Inferred, resolved: Mapping[str, Any], statistic: Statistic) -> dict[str, Any]:
    settings = resolved.get("inference", {}).get(inferred.inference, {})
    scale = "z" if inferred.simulations is not None else compared_as(settings, statistic)
    size = {
        "cluster_extent": f"the number of locations in a cluster, which its {scale} forms",
        "cluster_mass": f"the mass of a cluster, in {scale}",
        "tfce": f"the enhanced map, made of {scale}",
    }.get(settings.get("statistic", ""), scale)
    family = " of all contrasts" if settings.get("across") == "contrasts" else ""
    drawn = {
        SHUFFLE: {"Description": "Number of the shuffle; 0 is the observed labelling."},
        "value": {"Description": f"Maximum over the analysed locations{family} under this shuffle: {size}."},
    }
    if inferred.simulations is not None:
        drawn = {
            SIMULATION: {"Description": "Number of the simulated map."},
            "value": {"Description": f"Largest of the simulated map's clusters: {size}."},
        }
    elif inferred.discoveries is not None:
        drawn["value"] = {
            "Description": "Minus the decimal logarithm of the least, over k, of m p(k) / k under this "
            f"shuffle, p(k) the k-th smallest p-value of the m analysed locations{family}.",
        }
    return {
        **drawn,
        "Contrast": inferred.contrast,
        "Scale": scale,
        "Inference": {"Name": inferred.inference, **settings},
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
    return "z" if asked or statistic.varies else statistic.kind


def _gzip(content: bytes) -> bytes:
    """A text compressed without a time stamp, so that equal texts are equal bytes."""
    press = zlib.compressobj(6, zlib.DEFLATED, _GZIP)
    return press.compress(content) + press.flush()
