"""`specgl run` beside a nilearn script that loads, fits and writes the same maps, as whole processes.

30 subjects at 2 mm, whole brain, made here from a seed: noise smoothed to a FWHM of 6 mm, a covariate, a mask
of about 230,000 voxels. Both write effect, variance, t, z and p of one contrast, and neither makes a report
(see `report.py`). Also: one `specgl validate`, beside a process that only imports the libraries which it
needs.

    python benchmarks/end_to_end.py [--rounds 5] [--subjects 30] [--keep DIR]
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import nibabel as nib
import numpy as np
from brain import SHAPE, ZOOM, make_brain
from measure import compare, table

NILEARN = """\
import sys
from pathlib import Path
import pandas as pd
from nilearn.glm.second_level import SecondLevelModel

folder, out = Path(sys.argv[1]), Path(sys.argv[2])
table = pd.read_csv(folder / "participants.tsv", sep="\\t")
design = pd.DataFrame({"age": table["age"] - table["age"].mean(), "intercept": 1.0})
images = [str(folder / "maps" / f"{name}.nii.gz") for name in table["participant_id"]]
model = SecondLevelModel(mask_img=str(folder / "mask.nii.gz")).fit(images, design_matrix=design)
maps = model.compute_contrast("age", output_type="all")
out.mkdir(parents=True)
for name, image in maps.items():
    image.to_filename(out / f"{name}.nii.gz")
"""

SPEC = """\
specgl: 1
name: benchmark
data:
  table: participants.tsv
  images: "maps/{participant_id}.nii.gz"
mask: mask.nii.gz
variables:
  age: {type: continuous, unit: year}
model:
  formula: age
contrasts:
  ageSlope: age
output: {directory: results, maps: [effect, variance, stat, z, p]}
"""


def make_data(folder: Path, subjects: int) -> None:
    """Write maps, mask, table, the spec and the peer's script."""
    rng = np.random.default_rng(20261122)
    brain = make_brain()
    print(f"{subjects} subjects, {SHAPE} at {ZOOM} mm, {brain.n_voxels:,} voxels in the mask")
    (folder / "maps").mkdir(parents=True)
    nib.save(nib.Nifti1Image(brain.mask.astype(np.uint8), brain.affine), folder / "mask.nii.gz")
    lines = ["participant_id\tage"]
    for index in range(subjects):
        name = f"sub-{index + 1:02d}"
        nib.save(nib.Nifti1Image(brain.noise(rng), brain.affine), folder / "maps" / f"{name}.nii.gz")
        lines.append(f"{name}\t{rng.integers(20, 70)}")
    (folder / "participants.tsv").write_text("\n".join(lines) + "\n")
    (folder / "analysis.yaml").write_text(SPEC)
    (folder / "peer.py").write_text(NILEARN)


def main() -> None:
    """Make the data, run both in turn, print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--subjects", type=int, default=30)
    parser.add_argument("--keep", type=Path, help="folder for data and results; a temporary one by default")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.keep or Path(temporary)
        if not (folder / "analysis.yaml").exists():
            make_data(folder, options.subjects)
        results = folder / "out"

        def fresh(*command: str) -> Sequence[str]:
            shutil.rmtree(results, ignore_errors=True)
            return command

        # The installed command, as a user calls it: its modules are compiled, and no checkout is in the way.
        specgl = [str(Path(sys.executable).with_name("specgl"))]
        spec = str(folder / "analysis.yaml")
        commands = {
            "specgl run": lambda: fresh(*specgl, "run", spec, "--no-report", "--output", str(results)),
            "nilearn": lambda: fresh(sys.executable, str(folder / "peer.py"), str(folder), str(results)),
        }
        print(table(compare(commands, options.rounds), "nilearn"))
        print()
        # What the libraries take by themselves is the least that a validation could take on this machine now.
        libraries = "import click, yaml; from pydantic import BaseModel"
        validate = {
            "specgl validate": lambda: [*specgl, "validate", spec],
            "its libraries alone": lambda: [sys.executable, "-c", libraries],
        }
        print(table(compare(validate, 3 * options.rounds), "its libraries alone"))


if __name__ == "__main__":
    main()
