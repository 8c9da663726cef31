"""Inference from smooth Gaussian noise: by the theory of random fields, and by simulation."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Discriminator, Field, Tag

from specgl.spec.base import Part, PositiveInteger, PositiveNumber
from specgl.spec.forming import FORMING_P, Across, Alpha, Connectivity, Forming, FormingP
from specgl.spec.permutation import MOST_SEED

MAPS = 5000
"""How many maps are simulated where a spec does not say."""

Widths = Annotated[
    Annotated[PositiveNumber, Tag("<width>")]
    | Annotated[tuple[PositiveNumber, PositiveNumber, PositiveNumber], Field(strict=False), Tag("<widths>")],
    Discriminator(lambda value: "<widths>" if isinstance(value, list | tuple) else "<width>"),
    AfterValidator(lambda value: value if isinstance(value, tuple) else (value, value, value)),
]
"""One width or three, always kept as three."""


class GivenSmoothness(Part):
    """A smoothness that was estimated elsewhere."""

    fwhm: Widths
    """Full width at half maximum of the noise, in mm, along the three axes of the grid: `[9, 9.5, 8]`, or one
    number for all of them. It is that of the residuals, not that of a smoothing kernel."""

    @property
    def widths(self) -> tuple[float, float, float]:
        """The width along each axis of the grid, in mm."""
        return self.fwhm if isinstance(self.fwhm, tuple) else (self.fwhm, self.fwhm, self.fwhm)


Smoothness = Annotated[
    Annotated[Literal["residuals"], Tag("<residuals>")]
    | Annotated[GivenSmoothness, Tag("<GivenSmoothness>")],
    Discriminator(lambda value: "<residuals>" if isinstance(value, str) else "<GivenSmoothness>"),
]


class OfNoise(Part):
    """What is said of smooth noise, be it in theory or simulated."""

    method: Literal["random_field", "simulated"]
    """How maps of smooth noise behave."""

    statistic: Literal["voxel", "cluster_extent", "cluster_mass"]
    """What is compared with smooth noise."""

    alpha: Alpha = 0.05
    """Level: what has a corrected p-value of at most `alpha` survives."""

    connectivity: Connectivity = 26
    """Which voxels belong to one cluster: those that share a face (`6`), also an edge (`18`), also a corner
    (`26`)."""

    smoothness: Smoothness = "residuals"
    """How smooth the noise is: estimated from the model's standardised `residuals`, or given as `{fwhm: [x,
    y, z]}` in mm, which ready-made maps, having no residuals, must do."""

    across: Across = "none"
    """What makes a family: the locations of each contrast by itself (`none`), or of all contrasts together
    (`contrasts`)."""


class RandomField(OfNoise):
    """Thresholds from the theory of random fields, for smooth images."""

    method: Literal["random_field"]
    """`random_field`: family-wise error from the expected Euler characteristic of a smooth Gaussian, t, F or
    chi-square field."""

    statistic: Literal["voxel", "cluster_extent"]
    """What is compared with a random field."""


class VoxelField(RandomField):
    """Each location by its own height, against the maximum of a random field."""

    statistic: Literal["voxel"]
    """`voxel`: the statistic of each location."""


class ExtentField(RandomField):
    """Clusters by their extent, against the largest of a random field."""

    statistic: Literal["cluster_extent"]
    """`cluster_extent`: the size of a cluster."""

    cluster_forming_p: FormingP = FORMING_P
    """Locations with a p-value of at most this form clusters: the p of one tail for a contrast with a
    direction and for F, half of it on either side for a two-sided one. Above 0.001 the theory finds too
    much."""

    extent: Literal["voxels", "resels"] = "voxels"
    """How a cluster's size is counted: its `voxels`, taken for equally smooth everywhere, or its `resels`,
    voxel by voxel by the residuals' own smoothness there, so that smooth places do not favour large
    clusters."""


class Simulated(Forming, OfNoise):
    """Clusters against the largest of simulated maps of smooth Gaussian noise."""

    method: Literal["simulated"]
    """`simulated`: family-wise error from maps of noise, as smooth as the residuals, in the same mask. All
    of it is on z."""

    statistic: Literal["cluster_extent", "cluster_mass"]
    """How a cluster is measured."""

    cluster_forming_stat: PositiveNumber | None = None
    """Locations with a z of at least this form clusters; instead of `cluster_forming_p`."""

    n: PositiveInteger = MAPS
    """How many maps are simulated."""

    seed: Annotated[int, Field(strict=True, ge=0, le=MOST_SEED)]
    """Seed of the random numbers, a whole number of 0 or more. The same seed gives the same result to the bit
    on any machine."""


class ExtentSimulated(Simulated):
    """Clusters by their number of locations, against the largest of each simulated map."""

    statistic: Literal["cluster_extent"]
    """`cluster_extent`: the number of locations in a cluster."""


class MassSimulated(Simulated):
    """Clusters by the sum of their heights, against the heaviest of each simulated map."""

    statistic: Literal["cluster_mass"]
    """`cluster_mass`: the sum of z over a cluster."""

    mass: Literal["total", "excess"] = "total"
    """What is summed: z (`total`), or what it has above the threshold (`excess`)."""


AnyField = Annotated[VoxelField | ExtentField, Field(discriminator="statistic")]
AnySimulated = Annotated[ExtentSimulated | MassSimulated, Field(discriminator="statistic")]
