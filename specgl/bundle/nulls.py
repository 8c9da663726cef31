"""Null distributions as a bundle keeps them: what each shuffle, or each simulated map, gave."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from specgl.bundle import names
from specgl.bundle.contents import Contents
from specgl.bundle.files import TextFile
from specgl.bundle.manifest import Label
from specgl.bundle.names import Role
from specgl.bundle.shuffled import compared_as
from specgl.bundle.statistics import Statistic, statistics_of
from specgl.bundle.text import json_bytes, tsv_bytes
from specgl.inference import Inferred

SHUFFLE, SIMULATION = "shuffle", "simulation"
"""First column of a null distribution, by what was drawn."""


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


def _null_words(inferred: Inferred, resolved: Mapping[str, Any], statistic: Statistic) -> dict[str, Any]:
    settings = resolved.get("inference", {}).get(inferred.inference, {})
    scale = "z" if inferred.simulations is not None else compared_as(settings, statistic)
    size = {
        "cluster_extent": f"the number of locations in a cluster, formed on {scale}",
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
            "value": {"Description": f"Maximum over the clusters of the simulated map: {size}."},
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
