"""``output``: where results go and which maps are written. Outside the analysis' identity."""

from typing import Annotated, Literal

from pydantic import Field

from specgl.spec.base import Part, Text
from specgl.spec.labels import AnyLabelImage

MapName = Literal[
    "effect",
    "variance",
    "stat",
    "z",
    "p",
    "dof",
    "n",
    "rpv",
    "tost",
    "tau2",
    "i2",
    "standard_error",
    "ci",
    "cohen_d",
    "hedges_g",
    "partial_r2",
    "bf10",
    "r2",
    "sigma",
    "q",
    "weights",
    "leverage",
    "normality",
    "residuals",
]

DEFAULT: tuple[MapName, ...] = (
    "effect",
    "variance",
    "stat",
    "z",
    "p",
    "dof",
    "n",
    "rpv",
    "tost",
    "tau2",
    "i2",
)
"""Maps that are written where nothing is said; those that a model does not have are not."""

LEVEL = 0.95
"""Level of confidence intervals where nothing is said."""


class Output(Part):
    """Where results go and which maps are written."""

    directory: Text | None = None
    """Folder of the results, relative to the spec's folder and under it. The command line's `--output` goes
    before it and may point anywhere."""

    maps: Annotated[
        tuple[MapName, ...], Field(strict=False, min_length=1, json_schema_extra={"uniqueItems": True})
    ] = DEFAULT
    """Maps to write. `dof` and `n` are written where they vary, `rpv` (resels per voxel) where smoothness is
    estimated, `tau2` and `i2` with `method: mixed_effects` (`i2` with `method: fixed_effects` too), `tost`
    for contrasts with a `margin`. Not written by default are `standard_error`, `ci` (confidence limits),
    `cohen_d`, `hedges_g`, `partial_r2`, `bf10` (the JZS Bayes factor), `r2`, `sigma`, `q` (Cochran's),
    `normality`, and with a volume an observation `weights`, `leverage` and `residuals`."""

    level: Annotated[float, Field(strict=True, gt=0, lt=1)] = LEVEL
    """Level of the confidence intervals that `ci` writes, above 0 and below 1."""

    atlas: AnyLabelImage | None = None
    """Regions that tables name the peaks and clusters by: a label image, or `{image: atlas.nii.gz, labels:
    atlas.tsv}`. It changes no p-value."""

    underlay: Text | None = None
    """An anatomical image, such as the template or a mean T1, on which the report draws its figures; on any
    grid of the images' space, relative to the spec's folder. Left out: the mean of the analysed images. It
    changes no number."""
