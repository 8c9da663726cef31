"""Small data for every example spec: the right names, a true effect where the spec looks for one."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from scipy import ndimage

SHAPE = (12, 14, 10)
AFFINE = np.array([[3.0, 0, 0, -18], [0, 3.0, 0, -21], [0, 0, 3.0, -15], [0, 0, 0, 1]])
INSIDE = np.zeros(SHAPE, dtype=bool)
INSIDE[1:-1, 1:-1, 1:-1] = True
BALL = np.zeros(SHAPE)
BALL[4:8, 5:9, 3:7] = 1.0
NAMES = [f"sub-{n:02d}" for n in range(1, 13)]


def save(path: Path, values: np.ndarray, dtype: type = np.float32) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    nib.save(nib.Nifti1Image(values.astype(dtype), AFFINE), path)


def noise(rng: np.random.Generator) -> np.ndarray:
    smooth = ndimage.gaussian_filter(rng.standard_normal(SHAPE), 1.0, mode="wrap")
    return smooth / smooth.std()


def write_table(path: Path, rows: list[dict[str, object]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = ["\t".join(rows[0])] + ["\t".join(str(value) for value in row.values()) for row in rows]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def one_sample(data: Path, rng: np.random.Generator) -> None:
    write_table(data / "participants.tsv", [{"participant_id": name} for name in NAMES])
    for name in NAMES:
        values = 6 * BALL + noise(rng)
        save(data / f"{name}_contrast-leftVsRight_stat-effect_statmap.nii.gz", values * INSIDE)


def two_sample(data: Path, rng: np.random.Generator) -> None:
    groups = ["control", "patient"] * 6 + ["relative"]
    names = [*NAMES, "sub-13"]
    rows = [{"participant_id": n, "group": g} for n, g in zip(names, groups, strict=True)]
    write_table(data / "participants.tsv", rows)
    for name, group in zip(names, groups, strict=True):
        values = 8 * BALL * (group == "patient") + noise(rng)
        save(data / f"{name}_contrast-facesVsHouses_stat-effect_statmap.nii.gz", values * INSIDE)


def paired(data: Path, rng: np.random.Generator) -> None:
    rows = [{"participant_id": n, "condition": c} for n in NAMES for c in ("vertical", "horizontal")]
    write_table(data / "sessions.tsv", rows)
    for name in NAMES:
        person = 5 * noise(rng)
        for condition, effect in (("vertical", 6.0), ("horizontal", 0.0)):
            values = person + effect * BALL + noise(rng)
            save(data / f"{name}_contrast-{condition}_stat-effect_statmap.nii.gz", values * INSIDE)


def association(data: Path, rng: np.random.Generator) -> None:
    fluency = np.linspace(40, 120, len(NAMES)).round(1)
    rows = [{"participant_id": n, "fluency": f} for n, f in zip(NAMES, fluency, strict=True)]
    rows[4]["fluency"] = "n/a"
    write_table(data / "participants.tsv", rows)
    for name, score in zip(NAMES, fluency, strict=True):
        values = 0.3 * (score - 80) * BALL + noise(rng)
        save(data / f"{name}_contrast-leftButton_stat-effect_statmap.nii.gz", values * INSIDE)


def vbm_age_sex(data: Path, rng: np.random.Generator) -> None:
    ages = np.linspace(20, 75, len(NAMES)).round()
    rows = [
        {"participant_id": n, "age": int(a), "sex": "FFMM"[i % 4], "grey_matter": f"maps/{n}_gm.nii.gz"}
        for i, (n, a) in enumerate(zip(NAMES, ages, strict=True))
    ]
    write_table(data / "participants.tsv", rows)
    for name, age in zip(NAMES, ages, strict=True):
        values = 0.6 - 0.004 * (age - 47) * BALL + 0.01 * noise(rng)
        save(data / "maps" / f"{name}_gm.nii.gz", values * INSIDE)
    save(data / "grey_matter_template.nii.gz", 0.7 * INSIDE)


def with_an_atlas(data: Path, rng: np.random.Generator) -> None:
    one_sample(data, rng)
    halves = np.where(np.arange(SHAPE[0]) < SHAPE[0] // 2, 1, 2)[:, None, None] * np.ones(SHAPE)
    save(data / "atlas_dseg.nii.gz", halves, np.uint8)
    names = {1: "left half", 2: "right half"}
    write_table(data / "atlas_dseg.tsv", [{"index": i, "name": name} for i, name in names.items()])


def thresholding(data: Path, rng: np.random.Generator) -> None:
    save(data / "motor_z.nii.gz", (8 * BALL + noise(rng)) * INSIDE)


def design_only(data: Path, rng: np.random.Generator) -> None:
    rows = [
        {"participant_id": f"sub-{n + 1:02d}", "age": 15 + n, "sex": "FM"[int(rng.integers(2))]}
        for n in range(20)
    ]
    write_table(data / "participants.tsv", rows)


def permutation_tfce(data: Path, rng: np.random.Generator) -> None:
    groups = ["control", "patient"] * 6
    ages = rng.integers(20, 60, len(NAMES))
    rows = [{"participant_id": n, "group": g, "age": a} for n, g, a in zip(NAMES, groups, ages, strict=True)]
    write_table(data / "participants.tsv", rows)
    for name, group, age in zip(NAMES, groups, ages, strict=True):
        values = 8 * BALL * (group == "patient") + 0.05 * (age - 40) + noise(rng)
        save(data / f"{name}_contrast-facesVsHouses_stat-effect_statmap.nii.gz", values * INSIDE)


def exchangeability_blocks(data: Path, rng: np.random.Generator) -> None:
    families = [("identical", 2, 4), ("fraternal", 2, 4), ("single", 1, 4)]
    rows: list[dict[str, object]] = []
    for kind, size, n in families:
        for family in range(n):
            alike = 2 * noise(rng)
            for _ in range(size):
                name, empathy = f"sub-{len(rows) + 1:02d}", round(float(rng.normal(50, 10)), 1)
                who = {"participant_id": name, "kind": kind, "family": f"{kind}{family + 1}"}
                rows.append({**who, "empathy": empathy})
                values = 0.6 * (empathy - 50) * BALL + alike + noise(rng)
                save(data / f"{name}_contrast-emotion_stat-effect_statmap.nii.gz", values * INSIDE)
    write_table(data / "participants.tsv", rows)


def conjunction(data: Path, rng: np.random.Generator) -> None:
    rows = [{"participant_id": n, "group": ["control", "patient"][i % 2]} for i, n in enumerate(NAMES)]
    write_table(data / "participants.tsv", rows)
    for name in NAMES:
        values = 6 * BALL + noise(rng)
        save(data / f"{name}_contrast-facesVsHouses_stat-effect_statmap.nii.gz", values * INSIDE)


def mixed_effects(data: Path, rng: np.random.Generator) -> None:
    sizes = rng.integers(10, 60, len(NAMES))
    rows: list[dict[str, object]] = [
        {"study": f"study-{i + 1:02d}", "software": ["FSL", "SPM"][i % 2], "n": int(n)}
        for i, n in enumerate(sizes)
    ]
    write_table(data / "studies.tsv", rows)
    for row, n in zip(rows, sizes, strict=True):
        variance = 12 / n * np.exp(0.3 * noise(rng))
        values = 5 * BALL + 0.7 * noise(rng) + np.sqrt(variance) * noise(rng)
        save(data / f"{row['study']}_stat-effect_statmap.nii.gz", values * INSIDE)
        save(data / f"{row['study']}_stat-variance_statmap.nii.gz", variance * INSIDE)


def robust(data: Path, rng: np.random.Generator) -> None:
    write_table(data / "participants.tsv", [{"participant_id": name} for name in NAMES])
    for name in NAMES:
        values = 6 * BALL + noise(rng)
        if name == "sub-04":
            values[:7] -= 40  # least squares finds nothing there
        save(data / f"{name}_contrast-leftVsRight_stat-effect_statmap.nii.gz", values * INSIDE)


def unequal_variances(data: Path, rng: np.random.Generator) -> None:
    groups = ["control"] * 10 + ["patient"] * 6
    rows = [{"participant_id": f"sub-{i + 1:02d}", "group": g} for i, g in enumerate(groups)]
    write_table(data / "participants.tsv", rows)
    for row in rows:
        patient = row["group"] == "patient"
        values = 10 * BALL * patient + (1.5 if patient else 0.5) * noise(rng)
        save(
            data / f"{row['participant_id']}_contrast-facesVsHouses_stat-effect_statmap.nii.gz",
            values * INSIDE,
        )


def missing_voxels(data: Path, rng: np.random.Generator) -> None:
    names = [f"sub-{n:02d}" for n in range(1, 16)]
    fluency = np.linspace(40, 120, len(names)).round(1)
    rows = [{"participant_id": n, "fluency": f} for n, f in zip(names, fluency, strict=True)]
    write_table(data / "participants.tsv", rows)
    for i, (name, score) in enumerate(zip(names, fluency, strict=True)):
        matter = 0.5 + 0.1 * noise(rng)
        values = 0.3 * (score - 80) * BALL + 5 * matter + noise(rng)
        if i % 5 == 0:
            values[:, :, 6:] = 0.0  # at most three of fifteen lack a voxel
        elif i % 5 == 3:
            values[:, :, :4] = np.nan
        save(data / f"{name}_contrast-leftButton_stat-effect_statmap.nii.gz", values * INSIDE)
        save(data / f"{name}_grey_matter.nii.gz", np.clip(matter, 0.01, 1) * INSIDE)


DATA: dict[str, Callable[[Path, np.random.Generator], None]] = {
    f.__name__: f
    for f in (
        one_sample,
        two_sample,
        paired,
        association,
        vbm_age_sex,
        thresholding,
        design_only,
        permutation_tfce,
        exchangeability_blocks,
        conjunction,
        mixed_effects,
        robust,
        unequal_variances,
        missing_voxels,
    )
} | {
    "paired_permutation": paired,
    "thresholding_every_way": with_an_atlas,
    "true_discoveries": with_an_atlas,
    "random_field": association,
}


@pytest.fixture(scope="session")
def examples_with_data() -> frozenset[str]:
    """Names of the examples for which data can be made."""
    return frozenset(DATA)


@pytest.fixture(scope="session")
def example(tmp_path_factory: pytest.TempPathFactory, root: Path) -> Callable[[str], Path]:
    """Function from an example's name to a copy of its spec with data beside it."""

    def make(name: str) -> Path:
        folder = tmp_path_factory.mktemp(name)
        data = folder / "data"
        data.mkdir()
        save(data / "brain_mask.nii.gz", INSIDE, np.uint8)
        DATA[name](data, np.random.default_rng(20261122))
        return Path(shutil.copy(root / "examples" / "specs" / f"{name}.yaml", folder))

    return make
