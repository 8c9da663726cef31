"""Files to arrays and back: the only door to nibabel."""

from __future__ import annotations

from specgl.images.agreement import Agreement, Resample, common_grid
from specgl.images.companions import Companions, Stack, read_stacks
from specgl.images.grid import AFFINE_ATOL, Grid
from specgl.images.headers import Header, Headers, read_header, read_headers
from specgl.images.labels import LabelImage, Labels, locate_labels, read_labels
from specgl.images.load import Loaded, load
from specgl.images.masks import InputFile, Mask, MaskImage, MaskThreshold
from specgl.images.paths import ImageRef, Resolved, Roots, locate_file, missing_findings
from specgl.images.readymade import LoadedMap, join_maps, load_map
from specgl.images.sources import (
    Bids,
    Column,
    Located,
    Source,
    Template,
    Volumes,
    locate_images,
    missing_columns,
)
from specgl.images.space import CONNECTIVITIES, Space
from specgl.images.transforms import MissingVoxels
from specgl.images.underlay import Underlay, locate_underlay, read_underlay
from specgl.images.write import (
    INTENTS,
    Intent,
    MapType,
    data_digest,
    file_data_digest,
    open_map,
    write_map,
    write_volume,
)

__all__ = [
    "AFFINE_ATOL",
    "CONNECTIVITIES",
    "INTENTS",
    "Agreement",
    "Bids",
    "Column",
    "Companions",
    "Grid",
    "Header",
    "Headers",
    "ImageRef",
    "InputFile",
    "Intent",
    "LabelImage",
    "Labels",
    "Loaded",
    "LoadedMap",
    "Located",
    "MapType",
    "Mask",
    "MaskImage",
    "MaskThreshold",
    "MissingVoxels",
    "Resample",
    "Resolved",
    "Roots",
    "Source",
    "Space",
    "Stack",
    "Template",
    "Underlay",
    "Volumes",
    "common_grid",
    "data_digest",
    "file_data_digest",
    "join_maps",
    "load",
    "load_map",
    "locate_file",
    "locate_images",
    "locate_labels",
    "locate_underlay",
    "missing_columns",
    "missing_findings",
    "open_map",
    "read_header",
    "read_headers",
    "read_labels",
    "read_stacks",
    "read_underlay",
    "write_map",
    "write_volume",
]
