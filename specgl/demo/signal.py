"""The numbers of the demo: who takes part, where the brain is, what is true in it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
Triple = tuple[float, float, float]

NOISE_SD = 0.2
NOISE_FWHM = 8.0
GROUP_DIFFERENCE = 1.0
AGE_SLOPE = 0.03
_FWHM_PER_SIGMA = float(np.sqrt(8 * np.log(2)))


@dataclass(frozen=True, slots=True)
class Participant:
    """One simulated person, a row of ``participants.tsv``.

    Attributes
    ----------
    participant_id
        The observation's id, ``sub-01`` and on.
    group
        ``control`` or ``patient``.
    sex
        ``F`` or ``M``.
    age
        Age in whole years.
    """

    participant_id: str
    group: str
    sex: str
    age: int


@dataclass(frozen=True, slots=True)
class Cluster:
    """A ball of locations in which something is true.

    Attributes
    ----------
    name
        The contrast of the demo's spec that should find it.
    meaning
        What was added there, in words.
    center
        Centre x, y, z in mm.
    radius
        Radius in mm.
    effect
        The true value of the contrast inside the ball; outside it is 0.
    unit
        Unit of `effect`.
    n_locations
        Number of voxels of the ball.
    """

    name: str
    meaning: str
    center: Triple
    radius: float
    effect: float
    unit: str
    n_locations: int


@dataclass(frozen=True, eq=False)
class Brain:
    """An ellipsoid brain on a regular grid.

    Attributes
    ----------
    shape
        Voxels along i, j, k.
    affine
        Voxel indices to mm, ``(4, 4)``; the grid's middle voxel lies at 0, 0, 0.
    inside
        Which voxels are brain, ``shape``.
    coordinates
        x, y, z in mm of every voxel, ``(*shape, 3)``.
    semi_axes
        Half the ellipsoid's length along x, y, z in mm, ``(3,)``.
    """

    shape: tuple[int, int, int]
    affine: FloatArray
    inside: BoolArray
    coordinates: FloatArray
    semi_axes: FloatArray


def make_brain(shape: tuple[int, int, int], zoom: float) -> Brain:
    """Ellipsoid that leaves a small margin on every side of the grid.

    Parameters
    ----------
    shape
        Voxels along i, j, k.
    zoom
        Edge of a voxel in mm.

    Returns
    -------
    Brain
        The grid and the ellipsoid in it.
    """
    sizes = np.asarray(shape, dtype=np.float64)
    affine = np.diag([zoom, zoom, zoom, 1.0])
    affine[:3, 3] = -zoom * (sizes // 2)
    indices = np.moveaxis(np.indices(shape), 0, -1).astype(np.float64)
    coordinates: FloatArray = indices * zoom + affine[:3, 3]
    semi_axes: FloatArray = 0.46 * zoom * sizes
    middle = affine[:3, 3] + zoom * (sizes - 1) / 2
    inside = (((coordinates - middle) / semi_axes) ** 2).sum(axis=-1) <= 1
    return Brain(shape, affine, inside, coordinates, semi_axes)


def make_participants(n_subjects: int, rng: np.random.Generator) -> tuple[Participant, ...]:
    """Participants whose group, sex and age do not go along with one another.

    Groups and sexes are counterbalanced; each group spans the same ages (22 to 64 years, a little jittered),
    so that neither can be taken for the other.

    Parameters
    ----------
    n_subjects
        How many, at least 6.
    rng
        Source of the jitter and of the order of ages.

    Returns
    -------
    tuple of Participant
        In the order of their ids.
    """
    groups = ("control", "patient")
    width = max(2, len(str(n_subjects)))
    ages: dict[int, FloatArray] = {}
    for code in range(2):
        n_here = len(range(code, n_subjects, 2))
        spread = np.linspace(22, 64, n_here) + rng.normal(0, 1.5, n_here)
        ages[code] = rng.permutation(np.rint(spread))
    return tuple(
        Participant(
            participant_id=f"sub-{index + 1:0{width}d}",
            group=groups[index % 2],
            sex="FM"[(index // 2) % 2],
            age=int(ages[index % 2][index // 2]),
        )
        for index in range(n_subjects)
    )


def _ball(brain: Brain, share: Triple) -> tuple[Triple, float, BoolArray]:
    """Ball around the voxel nearest to these shares of the semi-axes: its centre, radius and voxels."""
    zoom = float(brain.affine[0, 0])
    center = np.rint(np.asarray(share) * brain.semi_axes / zoom) * zoom
    radius = min(9.0, 0.3 * float(brain.semi_axes.min()))
    voxels = ((brain.coordinates - center) ** 2).sum(axis=-1) <= radius**2
    x, y, z = (float(value) for value in center)
    return (x, y, z), radius, voxels & brain.inside


@dataclass(frozen=True, eq=False)
class Truth:
    """What is true in the demo.

    Attributes
    ----------
    group, age
        The two clusters.
    group_voxels, age_voxels
        Their voxels, each of the brain's shape.
    """

    group: Cluster
    age: Cluster
    group_voxels: BoolArray
    age_voxels: BoolArray

    def signal(self, person: Participant, mean_age: float) -> FloatArray:
        """Noise-free map of one participant, of the brain's shape."""
        difference = self.group.effect if person.group == "patient" else 0.0
        slope = self.age.effect * (person.age - mean_age)
        return difference * self.group_voxels + slope * self.age_voxels


def make_truth(brain: Brain) -> Truth:
    """Two balls that do not touch: left, a group difference; right and further forward, a slope of age."""
    where, radius, group_voxels = _ball(brain, (-0.5, -0.25, 0.2))
    group = Cluster(
        name="patientGtControl",
        meaning="patients have higher values than controls",
        center=where,
        radius=radius,
        effect=GROUP_DIFFERENCE,
        unit="unit of the maps",
        n_locations=int(group_voxels.sum()),
    )
    where, radius, age_voxels = _ball(brain, (0.45, 0.4, 0.1))
    age = Cluster(
        name="ageSlope",
        meaning="values rise with age",
        center=where,
        radius=radius,
        effect=AGE_SLOPE,
        unit="units of the maps per year",
        n_locations=int(age_voxels.sum()),
    )
    return Truth(group, age, group_voxels, age_voxels)


def smooth_noise(brain: Brain, rng: np.random.Generator) -> FloatArray:
    """Gaussian noise of 8 mm FWHM and a standard deviation of 0.2, of the brain's shape.

    The filter wraps around the grid, so that the noise is equally strong everywhere.
    """
    sigma = NOISE_FWHM / _FWHM_PER_SIGMA / float(brain.affine[0, 0])
    smooth = ndimage.gaussian_filter(rng.standard_normal(brain.shape), sigma, mode="wrap")
    return np.asarray(smooth * (NOISE_SD / smooth.std()), dtype=np.float64)


def missing_top(brain: Brain) -> BoolArray:
    """Brain voxels above seven tenths of the upper semi-axis: a field of view that was set too low."""
    gap: BoolArray = brain.inside & (brain.coordinates[..., 2] > 0.7 * brain.semi_axes[2])
    return gap


def make_maps(
    brain: Brain, truth: Truth, people: tuple[Participant, ...], rng: np.random.Generator
) -> Iterator[FloatArray]:
    """Each participant's map, of the brain's shape, one after the other and in their order.

    Parameters
    ----------
    brain
        The grid.
    truth
        What is added to the noise.
    people
        Whose maps are made.
    rng
        Source of the noise.

    Yields
    ------
    ndarray
        Signal and noise in every voxel of the grid, also outside the brain.
    """
    mean_age = float(np.mean([person.age for person in people]))
    for person in people:
        yield truth.signal(person, mean_age) + smooth_noise(brain, rng)
