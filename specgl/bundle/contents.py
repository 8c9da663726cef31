"""What a bundle is made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from specgl.bundle.manifest import Status
from specgl.design import Block, Design, Rows
from specgl.errors import Finding
from specgl.images import Grid, InputFile, Space, Underlay
from specgl.inference import Inferred, Regions
from specgl.variables import DEFAULT_MAPS

if TYPE_CHECKING:  # types only: a parametric run does not wait for what shuffles
    from specgl.models.schemes import Scheme


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecText:
    """What was asked, as written and as understood.

    Attributes
    ----------
    resolved
        The spec with every default said, ready for JSON.
    digest
        SHA-256 of it in hex: the analysis' identity.
    folder
        Folder that the spec's paths start from; it is named nowhere in the bundle.
    original
        Bytes of the file as it was given; None for a spec made in Python.
    suffix
        Suffix of that file, `.yaml` or `.json`.
    """

    resolved: Mapping[str, Any]
    digest: str
    folder: Path
    original: bytes | None = None
    suffix: str = ".yaml"


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of a run.

    Attributes
    ----------
    name
        `plan`, `load`, `fit`, `infer` ...
    started
        When it began, with a time zone.
    seconds
        How long it took.
    """

    name: str
    started: datetime
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """How the run went: the only part of a bundle that differs between two runs of one spec.

    Attributes
    ----------
    started
        When the run began, with a time zone.
    stages
        What it went through, in order.
    findings
        Everything found on the way; warnings, and after a failure the errors too.
    command
        Words of the command line, or none from Python. Paths in it are shortened before they are written.
    threads
        How many threads it could use.
    peak_memory
        Largest resident size in bytes, where it is known.
    """

    started: datetime
    stages: tuple[Stage, ...] = ()
    findings: tuple[Finding, ...] = ()
    command: tuple[str, ...] = ()
    threads: int = 1
    peak_memory: int | None = None


@dataclass(frozen=True, eq=False, kw_only=True)
class QualityContents:
    """What is told of the data's quality.

    Attributes
    ----------
    observations
        Indexed by observation: `distance`, `outlier`, `mahalanobis`, `mean_absolute_residual`, `coverage`,
        `n_values`, `leverage`; of a robust fit `mean_weight` and `downweighted`.
    mean
        Mean over the observations, ``(n_loc,)``.
    present
        Observations with a value at each voxel of the mask, 0 elsewhere, ``(i, j, k)``.
    slices, slices_grid
        One slab of some observations, ``(n, i, j, k)`` with one voxel along one axis, and where it lies.
    sliced
        Ids of these observations.
    peaks
        Columns x, y, z (mm) and one an observation: its value at each peak of the cluster tables.
    beside
        The same with a column `what` before: weights (`WEIGHT`) and voxelwise covariates at these peaks;
        None where the model has neither.
    """

    observations: pd.DataFrame
    mean: NDArray[np.floating]
    present: NDArray[np.int32]
    slices: NDArray[np.floating]
    slices_grid: Grid
    sliced: tuple[str, ...]
    peaks: pd.DataFrame
    beside: pd.DataFrame | None = None


@dataclass(frozen=True, eq=False, kw_only=True)
class Contents:
    """Everything that a complete bundle holds.

    Attributes
    ----------
    name
        Name of the analysis.
    spec
        What was asked.
    run
        How it went.
    stats
        StatMaps: variables of the vocabulary over `(contrast, location)` or `(location)`, with the
        coordinates `contrast`, `kind`, `alternative` and `dof1` `(contrast)`, and `dof` and `n` of any shape
        that broadcasts to `(contrast, location)`.
    space
        Where the locations lie.
    extra
        Further arrays by their names in the vocabulary: `r2`, `sigma`, `rpv` `(n_loc,)`, `residuals`
        `(n_obs, n_loc)`.
    maps
        Names in the vocabulary of the maps to write; those that `stats` and `extra` do not hold are left
        out, and so are `dof` and `n` where they do not vary.
    inferred
        One result for each contrast and inference.
    design, rows
        The model and the table's rows; None for ready-made maps.
    clusters
        Clusters within which errors go together; None where the model has none.
    images, variances
        Path of the image of each observation, and of its first-level variance where these are used, for
        `observations.tsv`.
    inputs
        Every file that was read.
    roots
        Folders that input paths are told relative to, by name, such as `spec` and `dataset`.
    counts
        Numbers of locations by kind: of the mask, complete, constant ...
    schemes
        How observations were shuffled; empty where nothing was.
    tree
        What could change places with what, drawn as text, a line each.
    quality
        What is told of the data's quality; None for ready-made maps.
    underlay
        What figures are drawn on; None where the spec names nothing.
    atlas
        Region of each location, where the spec names an atlas.
    """

    name: str
    spec: SpecText
    run: Run
    stats: xr.Dataset
    space: Space
    extra: Mapping[str, NDArray[np.floating[Any]] | xr.DataArray] = field(default_factory=dict)
    maps: tuple[str, ...] = DEFAULT_MAPS
    inferred: tuple[Inferred, ...] = ()
    design: Design | None = None
    clusters: Block | None = None
    rows: Rows | None = None
    images: Mapping[str, Path] = field(default_factory=dict)
    variances: Mapping[str, Path] = field(default_factory=dict)
    inputs: tuple[InputFile, ...] = ()
    roots: Mapping[str, Path] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)
    schemes: tuple[Scheme, ...] = ()
    tree: tuple[str, ...] = ()
    quality: QualityContents | None = None
    underlay: Underlay | None = None
    atlas: Regions | None = None


@dataclass(frozen=True, eq=False, kw_only=True)
class Failure:
    """What is kept of a run that stopped.

    Attributes
    ----------
    name
        Name of the analysis.
    status
        `FAILED` or `INTERRUPTED`.
    stage
        The stage it stopped in.
    message
        Why, in words.
    run
        How it went until then, with all findings.
    spec
        What was asked, as far as it was understood.
    inputs, roots
        As in `Contents`.
    """

    name: str
    status: Status
    stage: str
    message: str
    run: Run
    spec: SpecText | None = None
    inputs: tuple[InputFile, ...] = ()
    roots: Mapping[str, Path] = field(default_factory=dict)
