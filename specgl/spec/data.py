"""``data`` and ``mask``: which table, which images, what happens to what is missing."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag

from specgl.spec.base import DistinctTexts, Number, Part, PositiveNumber, Text, Texts


class ColumnImages(Part):
    """Images named in a column of the table."""

    column: Text
    """Column of the table that holds each observation's file; paths in it are relative to the table's
    folder."""


class BidsQuery(Part):
    """A choice of files by their BIDS entities."""

    dataset: Text
    """Folder of the BIDS data set or derivative, relative to the spec's folder."""

    filters: Annotated[dict[Text, Text], Field(min_length=1)]
    """Entities that a file's name must have, such as `{task: faces, contrast: faces, stat: effect, space:
    MNI152NLin2009cAsym}`. With the observation's own entities they must single out one file an
    observation."""


class BidsImages(Part):
    """Images found by their BIDS entities."""

    bids: BidsQuery
    """Where the images lie and which entities single them out."""


class FileImages(Part):
    """Images that are the volumes of one 4-D file."""

    file: Text
    """The 4-D file, relative to the spec's folder."""

    index: Text
    """Column of the table that holds each observation's volume, counted from 0."""


class Available(Part):
    """Locations are analysed where enough observations have a value."""

    available: Annotated[float, Field(strict=True, gt=0, le=1)]
    """Share of the observations, above 0 and at most 1, that must have a value at a location; each location
    then has its own n and degrees of freedom."""


class Missing(Part):
    """What happens to what is missing. Nothing is ever filled in."""

    image: Literal["error", "drop"] = "error"
    """What an observation without an image is: an `error`, or a row to `drop` (counted and listed)."""

    covariate: Literal["error", "drop"] = "error"
    """What an observation with a missing value in a column of the model is: an `error`, or a row to
    `drop`."""

    voxel: Annotated[
        Annotated[Literal["complete"], Tag("<complete>")] | Annotated[Available, Tag("<Available>")],
        Discriminator(lambda value: "<complete>" if isinstance(value, str) else "<Available>"),
    ] = "complete"
    """Where a location is analysed: `complete` where every observation has a value, `{available: 0.8}`
    where at least that share has one. NaN and infinities are always missing."""

    zero: Literal["missing", "data"] = "missing"
    """What an exact 0 is: `missing`, as most first-level tools write outside their mask, or `data`, as in
    lesion and tissue maps."""


class Resample(Part):
    """Bring all images onto one grid. Without it, differing grids are an error."""

    to: Text
    """The grid: `mask`, `first` (the first image's) or the path of an image."""

    interpolation: Literal["linear", "nearest"] = "linear"
    """How values between voxels are made: `linear`, or `nearest` for labels."""


def _images_form(value: Any) -> str:
    """Tag of the form in which images are named."""
    if isinstance(value, str):
        return "<template>"
    if isinstance(value, BidsImages) or (isinstance(value, dict) and "bids" in value):
        return "<BidsImages>"
    if isinstance(value, FileImages) or (isinstance(value, dict) and ("file" in value or "index" in value)):
        return "<FileImages>"
    return "<ColumnImages>"


Images = Annotated[
    Annotated[Text, Tag("<template>")]
    | Annotated[ColumnImages, Tag("<ColumnImages>")]
    | Annotated[BidsImages, Tag("<BidsImages>")]
    | Annotated[FileImages, Tag("<FileImages>")],
    Discriminator(_images_form),
]
"""One image an observation: a template, a column, a BIDS query, or the volumes of a 4-D file."""


class Data(Part):
    """The observations and their images."""

    table: Text
    """Table with one row an observation (TSV or CSV), relative to the spec's folder. `n/a` and empty cells
    are missing."""

    id: Annotated[
        DistinctTexts,
        BeforeValidator(
            lambda value: (value,) if isinstance(value, str) else value,
            json_schema_input_type=Text | DistinctTexts,
        ),
    ] = ("participant_id",)
    """Column that names each observation, or a list of columns joined by `_`, such as
    `[participant_id, session]`. Read as text always (`001` stays `001`), and unique."""

    images: Images | None = None
    """Each observation's image: a template with columns in braces, such as
    `sub/{participant_id}_effect.nii.gz`; or `{column: effect_map}`; or `{bids: {dataset: ..., filters:
    {...}}}`; or `{file: all.nii.gz, index: volume}`. Without it the spec can be validated and its design
    drawn, but not run."""

    variances: Images | None = None
    """Each observation's variance from its first level (its squared standard error), in the same forms as
    `images`, and in squared units of these. Needed by `method: mixed_effects` and `method: fixed_effects`."""

    voxelwise: dict[Text, Images] = Field(default_factory=dict)
    """Covariates that differ from voxel to voxel, such as grey matter: for each name, which the formula can
    use, its images in the same forms as `images`. They are taken as they are: neither declared in
    `variables` nor centred."""

    masks: Images | None = None
    """Each observation's own mask, in the same forms as `images`: outside it, its value is missing."""

    include: dict[Text, Texts] = Field(default_factory=dict)
    """Rows to keep: for each column the values that stay, such as `{group: [control, patient]}`."""

    exclude: dict[Text, Texts] = Field(default_factory=dict)
    """Rows to leave out: for each column the values that go. They are counted and listed in the bundle."""

    missing: Missing = Missing.model_construct()
    """What happens to missing images, covariates and voxels."""

    smoothing_fwhm: PositiveNumber | None = None
    """Full width at half maximum, in mm, of the Gaussian with which every image is smoothed, within its own
    support. Left out: no smoothing."""

    resample: Resample | None = None
    """Bring all images onto one grid. Left out: differing grids are an error that names the files."""


class MaskImage(Part):
    """A mask from an image."""

    image: Text
    """The mask image, relative to the spec's folder."""

    threshold: Number | None = None
    """Keep the locations where the mask image is above this value. Left out: where it is not 0."""


class MaskThreshold(Part):
    """A mask from the observations' own values."""

    absolute_threshold: Number
    """Keep the locations where every observation's image is above this value."""


def _mask_form(value: Any) -> str:
    """Tag of the form in which a mask is said."""
    by_value = isinstance(value, MaskThreshold) or (
        isinstance(value, dict) and "absolute_threshold" in value and "image" not in value
    )
    return "<MaskThreshold>" if by_value else "<MaskImage>"


Mask = Annotated[
    Annotated[MaskImage, Tag("<MaskImage>")] | Annotated[MaskThreshold, Tag("<MaskThreshold>")],
    Discriminator(_mask_form),
    BeforeValidator(
        lambda value: {"image": value} if isinstance(value, str) else value,
        json_schema_input_type=Text | MaskImage | MaskThreshold,
    ),
]
"""Where the analysis is done: a path, an image with a threshold, or a threshold on every image."""
