"""A small analysis whose every part is known, ready to be written."""

from __future__ import annotations

import dataclasses
import hashlib
import os
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy import stats as distributions

from specgl.bundle import Contents, Run, SpecText, Stage
from specgl.design import Contrast, Design, Dropped, Regressor, Rows, Table
from specgl.errors import Finding
from specgl.images import Grid, InputFile, Space
from specgl.inference import Parametric, infer
from specgl.spec import digest

SHAPE = (6, 7, 5)
AFFINE = np.array([[-3.0, 0, 0, 9], [0, 3, 0, -12], [0, 0, 4, -8], [0, 0, 0, 1]])
N_OBS = 9
ORIGINAL = b"specgl: 1\r\nname: facesHouses  # as it was typed\n"
RESOLVED = {
    "specgl": 1,
    "name": "facesHouses",
    "description": "Faces against houses.\nWith age.",
    "contrasts": {"mean": {"hypothesis": "mean"}},
    "inference": {
        "uncorrected": {"method": "parametric", "correction": "none", "alpha": 0.2},
        "fwe": {"method": "parametric", "correction": "bonferroni", "alpha": 0.05},
    },
}
HOSTILE = "a|b_c & 5% \\textbf{x} $y$ <b> * [z](u) `q` ~~s~~ #1 ^"
"""Name of a region to be wary of."""
INFERENCES = (
    Parametric("uncorrected", "none", 0.2, 1, 26, "none"),
    Parametric("fwe", "bonferroni", 0.05, 1, 26, "none"),
)


def _design() -> Design:
    age = np.linspace(-4, 4, N_OBS)
    matrix = np.column_stack([np.ones(N_OBS), age])
    return Design(
        matrix=matrix,
        regressors=(Regressor("Intercept", "Intercept"), Regressor("age", "age", (("age", None),))),
        observations=tuple(f"{i + 1:03d}" for i in range(N_OBS)),
        contrasts=(
            Contrast("mean", np.array([[1.0, 0.0]]), "t", "two-sided", ("mean",)),
            Contrast("all", np.eye(2), "F", "two-sided", ("mean", "age")),
        ),
        block=None,
        rank=2,
        dof=N_OBS - 2,
        formula="1 + age",
        columns={},
    )


def _rows(folder: Path) -> Rows:
    ids = [f"{i + 1:03d}" for i in range(N_OBS + 1)]
    frame = pd.DataFrame({"age": [str(30 + i) for i in range(N_OBS + 1)]}, index=pd.Index(ids))
    table = Table(folder / "participants.tsv", "participants.tsv", frame, tuple(range(2, 12)), {"age": 2})
    return Rows(table, tuple(ids[:-1]), (Dropped(ids[-1], "'age' is missing", 11),))


def _stats(space: Space, seed: int) -> xr.Dataset:
    rng = np.random.default_rng(seed)
    n = space.n_locations
    effect, variance = rng.normal(size=n), rng.uniform(0.2, 2, size=n)
    t, f = effect / np.sqrt(variance), rng.uniform(0, 30, size=n)
    p = np.stack([2 * distributions.t.sf(np.abs(t), 7), distributions.f.sf(f, 2, 7)])
    none = np.full(n, np.nan)
    dims = ("contrast", "location")
    return xr.Dataset(
        {
            "effect": (dims, np.stack([effect, none])),
            "variance": (dims, np.stack([variance, none])),
            "stat": (dims, np.stack([t, f])),
            "z": (
                dims,
                np.stack([distributions.norm.isf(p[0] / 2) * np.sign(t), distributions.norm.isf(p[1])]),
            ),
            "p": (dims, p),
            "dof": 7.0,
            "n": N_OBS,
        },
        coords={
            "contrast": ["mean", "all"],
            "kind": ("contrast", ["t", "F"]),
            "alternative": ("contrast", ["two-sided", "two-sided"]),
            "dof1": ("contrast", [1.0, 2.0]),
        },
    )


@pytest.fixture(autouse=True)
def _hurried(monkeypatch):
    """Do not wait for the disk: no test pulls the plug."""
    monkeypatch.setattr(os, "fsync", lambda handle: None)


@pytest.fixture
def study(tmp_path):
    """Folder of a study: its spec, its table and its images."""
    folder = tmp_path / "study"
    (folder / "maps").mkdir(parents=True)
    (folder / "participants.tsv").write_text("participant_id\tage\n")
    for number in range(N_OBS):
        (folder / "maps" / f"{number + 1:03d}.nii.gz").write_bytes(bytes([number]))
    return folder


@pytest.fixture
def space():
    """A small brain in a flipped, axis-aligned grid."""
    centre = (np.array(SHAPE) - 1) / 2
    distance = (((np.indices(SHAPE).T - centre) / (centre + 0.4)) ** 2).sum(axis=-1).T
    return Space.from_mask(distance <= 1, Grid(SHAPE, AFFINE, 1, 4, "MNI152"))


@pytest.fixture
def make_contents(study, space):
    """Make contents; keywords replace fields of them."""

    def make(seed: int = 0, **changes) -> Contents:
        stats = changes.pop("stats", None)
        stats = _stats(changes.get("space", space), seed) if stats is None else stats
        place = changes.get("space", space)
        paths = sorted((study / "maps").iterdir())
        inputs = [(study / "participants.tsv", "table"), *((path, "image") for path in paths)]
        started = datetime(2026, 11, 1, 12, tzinfo=UTC)
        contents = Contents(
            name="facesHouses",
            spec=SpecText(
                resolved=RESOLVED, digest=digest(RESOLVED), folder=study, original=ORIGINAL, suffix=".yaml"
            ),
            run=Run(
                started=started,
                stages=(Stage("load", started, 1.5), Stage("fit", started, 0.25)),
                findings=(Finding("W400", "5 of 100 locations are constant", notes=("a note",)),),
                command=("specgl", "run", str(study / "spec.yaml"), "--threads", "2"),
                threads=2,
                peak_memory=10**8,
            ),
            stats=stats,
            space=place,
            inferred=infer(stats, place, INFERENCES),
            design=_design(),
            rows=_rows(study),
            images={path.name[:3]: path for path in paths},
            inputs=tuple(
                InputFile(p, p.stat().st_size, hashlib.sha256(p.read_bytes()).hexdigest(), role, p.name)
                for p, role in inputs
            ),
            roots={"spec": study},
            counts={"mask": place.n_locations, "constant": 0},
        )
        return dataclasses.replace(contents, **changes)

    return make


@pytest.fixture
def with_atlas(make_contents, space):
    """Contents whose locations have regions, with names to be wary of."""
    contents = make_contents()
    place = np.array(["", HOSTILE, "A1"], dtype=object)[np.arange(space.n_locations) % 3]
    stats = contents.stats.assign_coords(region=("location", place))
    return dataclasses.replace(contents, stats=stats, inferred=infer(stats, space, INFERENCES))
