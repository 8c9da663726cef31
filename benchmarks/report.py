"""A report of 1, 3 and 5 contrasts at 2 mm: how long it takes as a whole process, and how large the page is.

30 subjects at 2 mm, whole brain (about 230,000 voxels), made here from a seed: smooth noise, five covariates.
Each contrast is thresholded in three ways. Beside it nilearn's `generate_report` on the same maps, which has
to load and fit them in the same process, since it has no results on disk to begin with; its glass brains want
the MNI template, so that it draws slices.

    python benchmarks/report.py [--rounds 3] [--subjects 30] [--contrasts 1 3 5] [--keep DIR]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import nibabel as nib
import numpy as np
from brain import SHAPE, ZOOM, make_brain
from measure import compare, run_process, table

AIM_SECONDS, AIM_MEGABYTES = 10, 15

NILEARN = """\
import sys
from pathlib import Path
import pandas as pd
from nilearn.glm.second_level import SecondLevelModel

folder, page, n = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
table = pd.read_csv(folder / "participants.tsv", sep="\\t")
design = table.filter(regex="^x")
design = design - design.mean()
design["intercept"] = 1.0
images = [str(folder / "maps" / f"{name}.nii.gz") for name in table["participant_id"]]
model = SecondLevelModel(mask_img=str(folder / "mask.nii.gz")).fit(images, design_matrix=design)
mean = str(folder / "maps" / "sub-01.nii.gz")
report = model.generate_report([f"x{k + 1}" for k in range(n)], bg_img=mean, alpha=0.001, two_sided=True)
report.save_as_html(page)
"""

SPEC = """\
specgl: 1
name: benchmark
data:
  table: participants.tsv
  images: "maps/{{participant_id}}.nii.gz"
mask: mask.nii.gz
variables:
{variables}
model:
  formula: x1 + x2 + x3 + x4 + x5
contrasts:
{contrasts}
inference:
  uncorrected: {{method: parametric, correction: none, alpha: 0.001, min_cluster_size: 10}}
  fdr: {{method: parametric, correction: fdr_bh}}
  bonferroni: {{method: parametric, correction: bonferroni}}
output: {{directory: results-{n}}}
"""


def make_data(folder: Path, subjects: int) -> None:
    """Write maps, mask, table and the peer's script; the first two covariates have an effect somewhere."""
    rng = np.random.default_rng(20261129)
    brain = make_brain()
    covariates = rng.standard_normal((subjects, 5)).round(3)
    i, j, k = np.indices(SHAPE)
    places = [(i - a) ** 2 + (j - 60) ** 2 + (k - 45) ** 2 < 49 for a in (30, 60)]
    (folder / "maps").mkdir(parents=True)
    nib.save(nib.Nifti1Image(brain.mask.astype(np.uint8), brain.affine), folder / "mask.nii.gz")
    lines = ["participant_id\tx1\tx2\tx3\tx4\tx5"]
    for index, own in enumerate(covariates):
        name = f"sub-{index + 1:02d}"
        values = brain.noise(rng)
        for place, x in zip(places, own, strict=False):
            values[place & brain.mask] += np.float32(0.4 * x)
        nib.save(nib.Nifti1Image(values, brain.affine), folder / "maps" / f"{name}.nii.gz")
        lines.append("\t".join([name, *map(str, own)]))
    (folder / "participants.tsv").write_text("\n".join(lines) + "\n")
    (folder / "peer.py").write_text(NILEARN)
    print(f"{subjects} subjects, {SHAPE} at {ZOOM} mm, {brain.n_voxels:,} voxels in the mask")


def write_spec(folder: Path, n: int) -> Path:
    """The spec with so many contrasts."""
    variables = "\n".join(f"  x{number}: {{type: continuous}}" for number in range(1, 6))
    contrasts = "\n".join(f"  x{number}: x{number}" for number in range(1, n + 1))
    path = folder / f"analysis-{n}.yaml"
    path.write_text(SPEC.format(variables=variables, contrasts=contrasts, n=n))
    return path


def main() -> None:
    """Make the data and the bundles, then the reports in turn; print times, ratios and sizes."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--subjects", type=int, default=30)
    parser.add_argument("--contrasts", type=int, nargs="+", default=[1, 3, 5], choices=range(1, 6))
    parser.add_argument("--keep", type=Path, help="folder for data and results; a temporary one by default")
    options = parser.parse_args()
    specgl = str(Path(sys.executable).with_name("specgl"))
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.keep or Path(temporary)
        if not (folder / "peer.py").exists():
            make_data(folder, options.subjects)
        for n in options.contrasts:
            bundle, page = folder / f"results-{n}", folder / f"nilearn-{n}.html"
            if not (bundle / "manifest.json").exists():
                run_process([specgl, "run", "--no-report", str(write_spec(folder, n))])
            commands = {
                "specgl report": lambda bundle=bundle: [specgl, "report", str(bundle)],
                "nilearn": lambda page=page, n=n: [
                    *(sys.executable, str(folder / "peer.py"), str(folder), str(page), str(n))
                ],
            }
            print(f"\n{n} contrast{'s' if n > 1 else ''}, 3 inferences each")
            print(table(compare(commands, options.rounds), "nilearn"))
            for name, path in (("specgl", bundle / "report.html"), ("nilearn", page)):
                print(f"{name + ' page':<24}{path.stat().st_size / 1e6:>9.2f} MB")
    print(f"\naims: under {AIM_SECONDS} s and {AIM_MEGABYTES} MB")


if __name__ == "__main__":
    main()
