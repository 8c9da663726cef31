"""A study whose analysis shuffles."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import specgl


@pytest.fixture
def shuffled_study(study: Any) -> Any:
    """The small group study, with maxima, clusters and TFCE by permutation, in some sixty chunks."""
    text = study.spec.read_text()
    first, last = text.index("inference:"), text.index("output:")
    asked = """\
inference:
  maxT: {method: permutation, statistic: voxel}
  mass: {method: permutation, statistic: cluster_mass, cluster_forming_p: 0.05}
  tfce: {method: permutation, statistic: tfce}
permutation: {n: 1000, seed: 7}
"""
    study.write(text[:first] + asked + text[last:])
    return study


@pytest.fixture
def digests() -> Callable[[specgl.Bundle], dict[str, str]]:
    """Function from a bundle to the digest of each file that tells no time and no environment."""

    def of(bundle: specgl.Bundle) -> dict[str, str]:
        timed = ("ro-crate-metadata.json", "logs/run.jsonl", "README.md", "methods.md")
        found = {file.path: file.sha256 for file in bundle.files if file.path not in timed}
        assert sum(path.endswith("_null.tsv") for path in found) == 9
        return found

    return of


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """A scheduler in this process and two workers in processes of their own."""
    import dask

    distributed = pytest.importorskip("distributed")
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 0}),
        distributed.LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            processes=True,
            dashboard_address="127.0.0.1:0",
            silence_logs=logging.CRITICAL,
        ) as started,
    ):
        yield started
