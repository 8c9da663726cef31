"""A study whose analysis shuffles."""

from __future__ import annotations

import importlib.util
import itertools
import json
import logging
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import nibabel as nib
import numpy as np
import pytest

import specgl
from specgl.cli import main


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


@dataclass(frozen=True, eq=False)
class Group:
    """People or studies with effects, variances and a covariate that differs from voxel to voxel.

    Two groups take turns, pairs of neighbours in the table make families, and ages are irregular numbers.
    """

    folder: Path
    effects: np.ndarray
    variances: np.ndarray
    grey: np.ndarray
    age: np.ndarray
    number: itertools.count[int] = field(default_factory=itertools.count)

    @property
    def n(self) -> int:
        """Number of observations."""
        return len(self.effects)

    @property
    def of_group_b(self) -> np.ndarray:
        """1 for those of group b, 0 for those of group a."""
        return (np.arange(self.n) % 2).astype(float)

    @property
    def family(self) -> np.ndarray:
        """Number of each one's family."""
        return np.arange(self.n) // 2

    def save(self, key: str, volumes: np.ndarray) -> None:
        """Write the images of one kind, `y`, `v` or `gm`."""
        (self.folder / key).mkdir(parents=True, exist_ok=True)
        for i, volume in enumerate(volumes):
            nib.save(nib.Nifti1Image(volume, np.diag([3.0, 3, 3, 1])), self.folder / key / f"s{i:02}.nii")

    def write(self, lines: str) -> Path:
        """Write a spec, line by line as it is given, beside the images."""
        path = self.folder / "analysis.yaml"
        path.write_text(lines, encoding="utf-8")
        return path

    def spec(self, **sections: Any) -> specgl.AnalysisSpec:
        """A spec of sections, which are added to those that suit most; read from a file."""
        said: dict[str, Any] = {
            "specgl": 1,
            "name": "group",
            "data": {"table": "table.tsv", "id": "id", "images": "y/{id}.nii"},
            "variables": {"group": {"type": "categorical"}, "age": {"type": "continuous", "center": 40}},
            "model": {"formula": "group + age"},
            "contrasts": {
                "difference": "group[b] - group[a]",
                "both": {"hypothesis": ["age", "group[b] - group[a]"]},
            },
        }
        for name, section in sections.items():
            adds = name in ("data", "model", "variables")
            said[name] = {**said[name], **section} if adds else section
        if "age" not in said["model"]["formula"]:
            said["variables"].pop("age", None)
        path = self.folder / f"analysis{next(self.number)}.json"
        path.write_text(json.dumps(said, indent=1), encoding="utf-8")
        return specgl.read(path)

    def run(self, *, threads: int = 1, **sections: Any) -> specgl.Bundle:
        """Run such a spec."""
        spec = self.spec(**sections)
        return specgl.run(spec, self.folder / f"out{next(self.number)}", threads=threads)


@pytest.fixture(scope="session")
def make_group(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Group]:
    """Function that makes a `Group` of `n`, with a `share` of the effects missing."""

    def make(n: int = 14, *, share: float = 0.0, seed: int = 3, shape: tuple[int, ...] = (5, 4, 3)) -> Group:
        rng = np.random.default_rng((seed, n))
        variances = rng.uniform(0.2, 2, (n, *shape)).astype(np.float32)
        grey = rng.uniform(0.2, 0.9, (n, *shape)).astype(np.float32)
        effects = 0.3 + rng.standard_normal((n, *shape)) * np.sqrt(variances + 0.5)
        effects[1::2] += 0.5
        effects[rng.random(effects.shape) < share] = np.nan
        age = np.round(rng.uniform(20, 60, n), 1)
        made = Group(tmp_path_factory.mktemp("group"), effects.astype(np.float32), variances, grey, age)
        for key, volumes in (("y", made.effects), ("v", variances), ("gm", grey)):
            made.save(key, volumes)
        lines = [f"s{i:02}\t{'ab'[i % 2]}\t{age[i]}\tf{i // 2}\n" for i in range(n)]
        (made.folder / "table.tsv").write_text("id\tgroup\tage\tfamily\n" + "".join(lines))
        return made

    return make


@pytest.fixture(scope="session")
def one_voxel() -> ModuleType:
    """The models of `one_voxel.py`, which stands beside this file: tests are no package."""
    name = "specgl_running_one_voxel"
    if name not in sys.modules:
        found = importlib.util.spec_from_file_location(name, Path(__file__).with_name("one_voxel.py"))
        assert found is not None
        assert found.loader is not None
        module = importlib.util.module_from_spec(found)
        sys.modules[name] = module
        found.loader.exec_module(module)
    return sys.modules[name]


@pytest.fixture
def show(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Function that calls the command and gives what it prints."""

    def call(*args: object) -> str:
        capsys.readouterr()
        with pytest.raises(SystemExit) as caught:
            main([str(arg) for arg in args])
        assert not caught.value.code
        return capsys.readouterr().out

    return call
