"""The demo's folder: table, maps, mask, and a spec beside them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from string import Template

import numpy as np

from specgl.demo import anatomy, signal
from specgl.errors import UsageError
from specgl.images import Grid, Space, write_map, write_volume
from specgl.spec import json_schema

SEED = 20261122
MAP_NAME = "derivatives/{id}/{id}_contrast-faces_stat-effect_statmap.nii.gz"
_DESCRIPTION = "specgl demo: faces > houses"
_FEWEST = 6
_GAP_IN = 6  # the seventh participant: a control in the middle of the table


@dataclass(frozen=True, slots=True)
class DemoData:
    """What was written, and what is true in it.

    Attributes
    ----------
    folder
        Where everything lies.
    table
        ``participants.tsv``.
    mask
        The brain mask.
    underlay, atlas
        An anatomical image, and an image of regions.
    images
        Map of each participant, by id, in the table's order.
    participants
        The rows of the table.
    clusters
        The two places where something can be found; each is named after the contrast that asks for it.
    seed
        What the noise and the ages were drawn from.
    n_locations
        Number of brain voxels.
    missing_observation
        The participant that has gaps (NaN).
    missing_locations
        In how many brain voxels.
    """

    folder: Path
    table: Path
    mask: Path
    underlay: Path
    atlas: Path
    images: Mapping[str, Path]
    participants: tuple[signal.Participant, ...]
    clusters: tuple[signal.Cluster, ...]
    seed: int
    n_locations: int
    missing_observation: str
    missing_locations: int


def make_group_data(
    folder: Path | str,
    *,
    seed: int = SEED,
    n_subjects: int = 16,
    shape: tuple[int, int, int] = (53, 63, 46),
    zoom: float = 3.0,
) -> DemoData:
    """Write a simulated group data set: a table, a map of each participant, a brain mask, anatomy, an atlas.

    In one ball of the brain patients have higher values than controls, in another values rise with age;
    everywhere else there is smooth noise. One participant has no values at the top of the brain. Maps are 0
    outside the brain, as first-level tools write them. Equal arguments give equal bytes.

    Parameters
    ----------
    folder
        Where to write; made when it does not exist.
    seed
        Seed of the noise and of the ages.
    n_subjects
        Number of participants, at least 6.
    shape
        Voxels along i, j, k.
    zoom
        Edge of a voxel in mm.

    Returns
    -------
    DemoData
        The files, and what is true in them.

    Raises
    ------
    UsageError
        If there are fewer than 6 participants.
    """
    if n_subjects < _FEWEST:
        raise UsageError(f"a demo needs at least {_FEWEST} participants, {n_subjects} were asked for")
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    brain = signal.make_brain(shape, zoom)
    truth = signal.make_truth(brain)
    people = signal.make_participants(n_subjects, rng)
    gap = signal.missing_top(brain)
    incomplete = people[min(_GAP_IN, n_subjects - 1)].participant_id

    table = folder / "participants.tsv"
    _write_table(table, people)
    (folder / "participants.json").write_text(_text("participants.json"), encoding="utf-8", newline="\n")
    space = _space(brain)
    mask = folder / "brain_mask.nii.gz"
    with mask.open("wb") as target:
        write_map(target, np.ones(space.n_locations), space, fill=0, dtype="uint8")
    underlay, atlas = _write_anatomy(folder, brain, space)
    images: dict[str, Path] = {}
    for person, values in zip(people, signal.make_maps(brain, truth, people, rng), strict=True):
        if person.participant_id == incomplete:
            values[gap] = np.nan
        path = folder / MAP_NAME.replace("{id}", person.participant_id)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as target:
            write_map(target, space.from_volume(values), space, fill=0, description=_DESCRIPTION)
        images[person.participant_id] = path
    return DemoData(
        folder=folder,
        table=table,
        mask=mask,
        underlay=underlay,
        atlas=atlas,
        images=images,
        participants=people,
        clusters=(truth.group, truth.age),
        seed=seed,
        n_locations=space.n_locations,
        missing_observation=incomplete,
        missing_locations=int(gap.sum()),
    )


def write_demo(folder: Path | str, *, seed: int = SEED) -> Path:
    """Write the demo's data, a commented spec beside them, the spec's schema and a README.

    Parameters
    ----------
    folder
        Where to write; made when it does not exist.
    seed
        Seed of the data.

    Returns
    -------
    Path
        The spec, ``analysis.yaml``.
    """
    data = make_group_data(folder, seed=seed)
    spec = data.folder / "analysis.yaml"
    texts = {
        spec: _text("analysis.yaml"),
        data.folder / "specgl-1.schema.json": json.dumps(json_schema(), indent=2) + "\n",
        data.folder / "README.md": _readme(data),
    }
    for path, text in texts.items():
        path.write_text(text, encoding="utf-8", newline="\n")
    return spec


def _space(brain: signal.Brain) -> Space:
    """The brain's voxels as the space of its maps."""
    # 4 is the header's code for the MNI template: the demo's brain stands where a template's would.
    grid = Grid(shape=brain.shape, affine=brain.affine, qform_code=0, sform_code=4)
    return Space.from_mask(brain.inside, grid)


def _write_anatomy(folder: Path, brain: signal.Brain, space: Space) -> tuple[Path, Path]:
    """Write what the brain looks like and how its places are called."""
    underlay, atlas = folder / "anatomy.nii.gz", folder / "regions.nii.gz"
    shades, regions = anatomy.make_anatomy(brain), anatomy.make_regions(brain)
    i, j, k = shades.shape
    grid = Grid((i, j, k), anatomy.finer_affine(brain), qform_code=0, sform_code=4)
    with underlay.open("wb") as target:
        write_volume(target, shades, grid, dtype="uint8", description="specgl demo: anatomy")
    with atlas.open("wb") as target:
        write_map(target, space.from_volume(regions), space, fill=0, dtype="int32")
    rows = ["index\tname", *(f"{number}\t{name}" for number, name in anatomy.REGIONS.items())]
    (folder / "regions.tsv").write_text("\n".join(rows) + "\n", encoding="utf-8", newline="\n")
    return underlay, atlas


def _write_table(path: Path, people: tuple[signal.Participant, ...]) -> None:
    rows = ["participant_id\tgroup\tsex\tage"]
    rows += [f"{p.participant_id}\t{p.group}\t{p.sex}\t{p.age}" for p in people]
    path.write_text("\n".join(rows) + "\n", encoding="utf-8", newline="\n")


def _text(name: str) -> str:
    return (resources.files("specgl.demo") / "text" / name).read_text(encoding="utf-8")


def _readme(data: DemoData) -> str:
    rows = [
        f"| `{c.name}` | {c.meaning} | {c.center[0]:g}, {c.center[1]:g}, {c.center[2]:g} | {c.radius:g} "
        f"| {c.n_locations} | {c.effect:g} {c.unit} |"
        for c in data.clusters
    ]
    return Template(_text("README.md")).substitute(
        n_subjects=len(data.participants),
        seed=data.seed,
        n_locations=data.n_locations,
        noise_fwhm=f"{signal.NOISE_FWHM:g}",
        noise_sd=f"{signal.NOISE_SD:g}",
        clusters="\n".join(rows),
        missing_observation=data.missing_observation,
        missing_locations=data.missing_locations,
    )
