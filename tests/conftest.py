"""What every test may use."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

# Two workers on two cores: a deadline would time the machine, not the code.
settings.register_profile("specgl", deadline=None, suppress_health_check=[HealthCheck.too_slow])
# A change is judged on the same examples each time; the search for new ones is for people and their machines.
settings.register_profile("ci", settings.get_profile("specgl"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "specgl")


@pytest.fixture(autouse=True)
def _without_reports(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs make no report, which takes longer than a small analysis, but in tests marked ``report``."""
    if request.node.get_closest_marker("report") is None:
        monkeypatch.setattr("specgl.running.verbs.render_into", lambda target: None)


ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def root() -> Path:
    """Folder of the checkout."""
    return ROOT


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of the public multi-subject data sets, which stand beside the checkout."""
    folder = Path(os.environ.get("SPECGL_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip("the multi-subject data sets are not on this machine")
    return folder


@dataclass(frozen=True)
class Study:
    """A small group study on disk: 10 subjects, two groups, age and sex, 7 x 6 x 5 voxels."""

    folder: Path
    data: np.ndarray

    @property
    def spec(self) -> Path:
        """The spec that `write` wrote."""
        return self.folder / "analysis.yaml"

    @property
    def table(self) -> Path:
        """The table."""
        return self.folder / "participants.tsv"

    def image(self, number: int) -> Path:
        """The map of one subject, from 1."""
        return self.folder / "maps" / f"sub-{number:02d}.nii.gz"

    def write(self, text: str) -> Path:
        """Write a spec beside the data."""
        self.spec.write_text(text, encoding="utf-8")
        return self.spec

    def edit(self, before: str, after: str) -> Path:
        """Change the spec in one place."""
        text = self.spec.read_text(encoding="utf-8")
        assert before in text
        return self.write(text.replace(before, after))


STUDY_SPEC = """\
specgl: 1
name: groups
data:
  table: participants.tsv
  images: "maps/{participant_id}.nii.gz"
mask: mask.nii.gz
variables:
  group: {type: categorical, levels: [control, patient]}
  age: {type: continuous, unit: year}
model:
  formula: group + age
contrasts:
  patientGtControl: "group[patient] - group[control]"
  ageSlope: {hypothesis: age, alternative: greater}
  any: {hypothesis: [age, "group[patient] - group[control]"]}
inference:
  fdr: {method: parametric, correction: fdr_bh}
  clusters: {method: parametric, correction: none, alpha: 0.05, min_cluster_size: 2}
output: {directory: results}
"""


@pytest.fixture
def study(tmp_path: Path) -> Study:
    """A small group study with a spec that runs."""
    import nibabel as nib

    rng = np.random.default_rng(7)
    folder = tmp_path / "study"
    (folder / "maps").mkdir(parents=True)
    shape = (7, 6, 5)
    affine = np.diag([3.0, 3.0, 3.0, 1.0])
    data = rng.standard_normal((10, *shape)).astype(np.float32)
    data[5:, 2:5, 2:4, 1:4] += 3
    made = Study(folder, data)
    lines = ["participant_id\tgroup\tage\tsex"]
    for number, volume in enumerate(data, start=1):
        nib.save(nib.Nifti1Image(volume, affine), made.image(number))
        group = "control" if number <= 5 else "patient"
        lines.append(f"sub-{number:02d}\t{group}\t{20 + (number * 7) % 23}\t{'FM'[number % 2]}")
    mask = np.zeros(shape, dtype=np.uint8)
    mask[1:, 1:, 1:] = 1
    nib.save(nib.Nifti1Image(mask, affine), folder / "mask.nii.gz")
    made.table.write_text("\n".join(lines) + "\n", encoding="utf-8")
    made.write(STUDY_SPEC)
    return made
