"""Where everything lies in a bundle: each file name is made here, and nowhere else.

The rooms of a bundle are `spec/`, `model/`, `maps/`, `tables/`, `null/`, `qc/` (what a report shows and the
maps don't hold), `figures/` and `logs/`. Names follow BIDS: entities `key-label` joined by `_`, `desc` last.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

MANIFEST = "manifest.json"
DATASET_DESCRIPTION = "dataset_description.json"
BIDSIGNORE = ".bidsignore"
README = "README.md"
CRATE = "ro-crate-metadata.json"
RESOLVED = "spec/resolved.json"
INPUTS = "spec/inputs.json"
DESIGN_TABLE = "model/design.tsv"
DESIGN_WORDS = "model/design.json"
OBSERVATIONS = "model/observations.tsv"
VARIABLES = "model/variables.tsv"
LOG = "logs/run.jsonl"
REPORT = "report.html"
METHODS = "methods.md"
REFERENCES = "references.bib"

QUALITY = "qc/observations.tsv"
PEAKS = "qc/peaks.tsv"
BESIDE = "qc/beside.tsv"
ATLAS_NAMES = "qc/atlas.tsv"
MEAN = "qc/mean.nii.gz"
COVERAGE = "qc/coverage.nii.gz"
SLICES = "qc/slices.nii.gz"
UNDERLAY = "qc/underlay.nii.gz"
ATLAS = "qc/atlas.nii.gz"

CLUSTERS_SUFFIX = "clusters"
LOGP = "logp"
"""Label of maps of −log10 of a corrected p; the maps of other results carry their variable's own name."""

UNCORRECTED = "uncorrectedlogp"
"""Label of maps of −log10 of the shuffled, uncorrected p."""

ENHANCED = "tfce"
"""Label of maps enhanced by TFCE."""

EXTRAPOLATED = "extrapolated"
"""Label of maps that say where a p-value was extrapolated from a fitted tail instead of counted."""


TDP = "tdp"
"""Label of maps of the share of true discoveries."""


class Role(StrEnum):
    """What a file is for, as the manifest says it."""

    MASK = "mask"
    MAP = "map"
    THRESHOLDED = "thresholded map"
    CORRECTED = "corrected p map"
    UNCORRECTED = "uncorrected p map"
    ENHANCED = "enhanced map"
    EXTRAPOLATED = "map of extrapolated p"
    TDP = "map of true discoveries"
    SIDECAR = "sidecar"
    TABLE = "table"
    NULL = "null distribution"
    SHUFFLES = "shuffles"
    DESIGN = "design"
    OBSERVATIONS = "observations"
    VARIABLES = "variables"
    QUALITY = "data quality"
    QUALITY_IMAGE = "data quality image"
    UNDERLAY = "underlay"
    ATLAS = "atlas"
    REGIONS = "names of regions"
    REPORT = "report"
    FIGURE = "figure"
    METHODS = "methods"
    SPEC = "spec"
    INPUTS = "inputs"
    README = "readme"
    DATASET = "dataset description"
    PROVENANCE = "provenance"
    LOG = "log"

    @property
    def is_image(self) -> bool:
        """Whether files of this role hold voxels, and so carry a digest of them."""
        return self in _IMAGES

    @property
    def is_map(self) -> bool:
        """Whether files of this role hold results: what was estimated or found at each location."""
        return self in _MAPS

    @property
    def is_report(self) -> bool:
        """Whether files of this role are made from the others, and may be made anew."""
        return self in _REPORT


_MAPS = frozenset(
    {
        Role.MAP,
        Role.THRESHOLDED,
        Role.CORRECTED,
        Role.UNCORRECTED,
        Role.ENHANCED,
        Role.EXTRAPOLATED,
        Role.TDP,
    }
)
_IMAGES = _MAPS | {Role.MASK, Role.QUALITY_IMAGE, Role.UNDERLAY, Role.ATLAS}
_REPORT = frozenset({Role.REPORT, Role.FIGURE, Role.METHODS})


def original_spec(suffix: str) -> str:
    """Name of the spec as it was given; ``suffix`` is that of its file (`.json`, or else YAML)."""
    return f"spec/original{'.json' if suffix.lower() == '.json' else '.yaml'}"


def mask_map(space: str | None) -> str:
    """Name of the image of the analysed mask."""
    return f"maps/{_space(space)}mask.nii.gz"


def stat_map(
    stat: str, *, contrast: str | None = None, inference: str | None = None, space: str | None = None
) -> str:
    """Name of a map.

    Parameters
    ----------
    stat
        What its values are: `effect`, `t`, `F`, `z`, `p`, `logp`, `dof` ...
    contrast
        The contrast it belongs to; None for a map of the whole model.
    inference
        The inference that made it; None for a map that stands before any inference.
    space
        Label of the standard space, where it has one.
    """
    of_contrast = f"contrast-{contrast}_" if contrast is not None else ""
    by_inference = f"_desc-{inference}" if inference is not None else ""
    return f"maps/{_space(space)}{of_contrast}stat-{stat}{by_inference}_statmap.nii.gz"


def cluster_table(contrast: str, inference: str) -> str:
    """Name of the table of clusters and peaks of one contrast under one inference."""
    return f"tables/contrast-{contrast}_desc-{inference}_{CLUSTERS_SUFFIX}.tsv"


def null_table(contrast: str, inference: str) -> str:
    """Name of the null distribution of one contrast under one inference."""
    return f"null/contrast-{contrast}_desc-{inference}_null.tsv"


def shuffle_table(exchange: str | None = None) -> str:
    """Name of the shuffles; with several sets of them, each bears how observations were exchanged."""
    return f"model/{f'exchange-{exchange}_' if exchange is not None else ''}shuffles.tsv.gz"


def figure(name: str) -> str:
    """Name of a figure, given that of its file."""
    return f"figures/{name}"


def sidecar(name: str) -> str:
    """Name of the JSON file that describes an image or a table."""
    for suffix in (".nii.gz", ".tsv.gz", ".tsv"):
        if name.endswith(suffix):
            return name.removesuffix(suffix) + ".json"
    raise ValueError(f"{name!r} is neither an image nor a table, and has no sidecar")


def failed_beside(target: Path) -> Path:
    """Where the record of a failed run goes when a complete bundle stands at ``target``."""
    return target.with_name(f"{target.name}.failed")


def _space(label: str | None) -> str:
    return f"space-{label}_" if label is not None else ""
