"""``maps``: ready-made statistical maps to threshold, cluster and table."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from specgl.spec.base import Part, PositiveNumber, Text


class ImageOfStatistic(Part):
    """A ready-made map."""

    image: Text
    """The map, relative to the spec's folder."""


class TMap(ImageOfStatistic):
    """A map of t."""

    statistic: Literal["t"]
    """`t`: Student's t with `dof` degrees of freedom."""

    dof: PositiveNumber
    """Residual degrees of freedom."""


class FMap(ImageOfStatistic):
    """A map of F."""

    statistic: Literal["F"]
    """`F`: with `dof: [q, nu]` degrees of freedom."""

    dof: Annotated[tuple[PositiveNumber, PositiveNumber], Field(strict=False)]
    """Degrees of freedom of the numerator and of the residuals, `[q, nu]`."""


class Chi2Map(ImageOfStatistic):
    """A map of chi-square."""

    statistic: Literal["chi2"]
    """`chi2`: chi-square with `dof` degrees of freedom."""

    dof: PositiveNumber
    """Degrees of freedom."""


class ZMap(ImageOfStatistic):
    """A map of z, or of p."""

    dof: ClassVar[None] = None

    statistic: Literal["z", "p"]
    """`z`: a standard normal deviate. `p`: a p-value; give a `mask` with it, since without one an exact 0,
    however significant, is taken for a voxel outside the brain."""


AnyMap = TMap | FMap | Chi2Map | ZMap

ReadyMap = Annotated[AnyMap, Field(discriminator="statistic")]
"""A ready-made map, by its `statistic`."""
