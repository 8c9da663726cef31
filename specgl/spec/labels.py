"""Images whose values are the numbers of regions, for inferences about regions and for tables."""

from typing import Annotated

from pydantic import BeforeValidator

from specgl.spec.base import Part, Text


class LabelImage(Part):
    """An image whose values are the numbers of regions."""

    image: Text
    """The image, relative to the spec's folder. Each value is the number of a region, a whole number; 0 is
    none. It may lie on any grid of the same space: a location has the value of the nearest voxel."""

    labels: Text | None = None
    """A TSV or CSV with the columns `index` and `name` (as the `dseg.tsv` of BIDS), relative to the spec's
    folder. Left out, and for numbers that it lacks: `region 12`."""


AnyLabelImage = Annotated[
    LabelImage,
    BeforeValidator(
        lambda value: {"image": value} if isinstance(value, str) else value,
        json_schema_input_type=Text | LabelImage,
    ),
]
"""A label image: its path, or its path and that of its table."""
