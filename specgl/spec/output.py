"""``output``: where results go and which maps are written. Outside the analysis' identity."""

from typing import Annotated, Literal

from pydantic import Field

from specgl.spec.base import Part, Text
from specgl.spec.labels import AnyLabelImage

MapName = Literal[
    "effect", "variance", "stat", "z", "p", "dof", "n", "rpv", "cohen_d", "r2", "sigma", "residuals"
]


class Output(Part):
    """Where results go and which maps are written."""

    directory: Text | None = None
    """Folder of the results, relative to the spec's folder and under it. The command line's `--output` goes
    before it and may point anywhere."""

    maps: Annotated[
        tuple[MapName, ...], Field(strict=False, min_length=1, json_schema_extra={"uniqueItems": True})
    ] = ("effect", "variance", "stat", "z", "p", "dof", "n", "rpv")
    """Maps to write. `dof` and `n` are written where they vary, `rpv` (resels per voxel) where smoothness is
    estimated; the others that are not written by default
    are `cohen_d`, `r2`, `sigma` and `residuals`."""

    atlas: AnyLabelImage | None = None
    """Regions that tables name the peaks and clusters by: a label image, or `{image: atlas.nii.gz, labels:
    atlas.tsv}`. It changes no p-value."""

    underlay: Text | None = None
    """An anatomical image, such as the template or a mean T1, on which the report draws its figures; on any
    grid of the images' space, relative to the spec's folder. Left out: the mean of the analysed images. It
    changes no number."""
