"""What will be done: everything that can be decided before a voxel is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from specgl.design import Design, Rows
from specgl.errors import Finding
from specgl.images import Grid, ImageRef, LabelImage, Mask, MissingVoxels, Resample, Roots
from specgl.inference import Inference
from specgl.models import Estimation, letters_of
from specgl.planning.estimate import Estimate
from specgl.planning.shuffling import Shuffling
from specgl.spec import AnalysisSpec


@dataclass(frozen=True, eq=False)
class GroupSource:
    """A group of subjects' maps, as they will be loaded.

    Attributes
    ----------
    rows
        The table's rows, kept and dropped.
    design
        Matrix and contrasts over the kept rows.
    estimation
        How the model is estimated, and what is assumed of its errors.
    images
        One image an observation; empty where the spec names none, and then nothing can be run.
    own_masks
        Each observation's own mask, or ``None``.
    mask
        Where to analyse.
    missing
        What counts as a missing value, and how many a location may have.
    smoothing_fwhm
        mm, or ``None``.
    resample
        How images on other grids are brought to one, or ``None``.
    shuffling
        How observations are shuffled, or ``None`` where nothing is.
    variances
        First-level variance of each observation's effect, or ``None`` where the estimator uses none.
    voxelwise
        Images of each covariate that differs by location and that the formula names, by its name.
    """

    rows: Rows
    design: Design
    estimation: Estimation
    images: Mapping[str, ImageRef]
    own_masks: Mapping[str, ImageRef] | None
    mask: Mask
    missing: MissingVoxels
    smoothing_fwhm: float | None
    resample: Resample | None
    shuffling: Shuffling | None = None
    variances: Mapping[str, ImageRef] | None = None
    voxelwise: Mapping[str, Mapping[str, ImageRef]] = field(default_factory=dict)

    @property
    def letters(self) -> dict[str, str]:
        """Letter of each contrast's statistic."""
        return letters_of(self.design, self.estimation)


@dataclass(frozen=True)
class ReadyMap:
    """One ready-made map to be thresholded.

    Attributes
    ----------
    name
        Stands where a contrast's name would.
    image
        Its file.
    statistic
        ``z``, ``t``, ``F``, ``chi2`` or ``p``.
    dof
        Degrees of freedom: one for t and chi2, two for F, none otherwise.
    """

    name: str
    image: ImageRef
    statistic: str
    dof: tuple[float, ...] = ()


@dataclass(frozen=True)
class MapSource:
    """Ready-made maps instead of a group.

    Attributes
    ----------
    maps
        In the spec's order.
    mask
        Where to analyse, or ``None`` for each map's own finite values.
    """

    maps: tuple[ReadyMap, ...]
    mask: Mask


@dataclass(frozen=True, eq=False)
class Plan:
    """A spec with everything resolved; `specgl.run` carries it out.

    Attributes
    ----------
    spec
        What was asked.
    resolved
        The same with every default said, ready for JSON.
    digest
        SHA-256 of the resolved spec without name, description, metadata and output: the analysis' identity.
    source
        A group of subjects' maps, or ready-made maps.
    grid
        The voxel grid that the images share; ``None`` where the spec names no images.
    inferences
        How each contrast is thresholded.
    maps
        Names of the maps to be written, from the vocabulary.
    directory
        Where the bundle will stand unless `specgl.run` is told otherwise.
    estimate
        Memory and time, roughly.
    roots
        Folders that files were found from.
    findings
        Warnings so far.
    regions
        Label images of inferences about regions, by the inference's name.
    atlas
        Label image by which tables name places, or ``None``.
    underlay
        Image that the report's figures are drawn on, or ``None``.
    margins
        Margin of equivalence of each contrast that has one, in the contrast's unit.
    """

    spec: AnalysisSpec
    resolved: Mapping[str, Any]
    digest: str
    source: GroupSource | MapSource
    grid: Grid | None
    inferences: tuple[Inference, ...]
    maps: tuple[str, ...]
    directory: Path
    estimate: Estimate | None
    roots: Roots
    findings: tuple[Finding, ...]
    regions: Mapping[str, LabelImage] = field(default_factory=dict)
    atlas: LabelImage | None = None
    underlay: ImageRef | None = None
    margins: Mapping[str, float] = field(default_factory=dict)
