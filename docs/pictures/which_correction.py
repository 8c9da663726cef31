"""Draw `which-correction.svg`: one simulated slice under every inference of one spec.

Run `python docs/pictures/which_correction.py`; the picture is written beside this file.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import nibabel as nib
import numpy as np
from matplotlib.colors import ListedColormap
from matplotlib.patheffects import withStroke
from scipy import ndimage

import specgl

SHAPE = (64, 44, 1)
SUBJECTS = 24
SEED = 7
# Centre, width (standard deviation in voxels) and height of each true effect.
EFFECTS = (((14, 24), 1.3, 2.4), ((32, 16), 3.2, 1.1), ((50, 25), 6.0, 0.75))

SPEC = """\
specgl: 1
name: whichCorrection
data: {table: participants.tsv, images: "{participant_id}.nii.gz"}
mask: mask.nii.gz
model: {formula: "1"}
contrasts: {mean: {hypothesis: mean, alternative: greater}}
inference:
  uncorrected: {method: parametric, correction: none, alpha: 0.01}
  fdr: {method: parametric, correction: fdr_bh}
  maxT: {method: permutation, statistic: voxel}
  clusters: {method: permutation, statistic: cluster_mass, cluster_forming_p: 0.01}
  tfce: {method: permutation, statistic: tfce}
  shares: {method: permutation, statistic: voxel, correction: tdp, cluster_forming_z: 2.33}
permutation: {n: 2000, seed: 1}
"""

PANELS = (
    ("uncorrected", "p < 0.01, uncorrected", "each voxel by itself"),
    ("fdr", "false discovery rate 5 %", "most of these voxels"),
    ("maxT", "family-wise, by height", "these voxels"),
    ("clusters", "family-wise, by cluster", "here, somewhere"),
    ("tfce", "family-wise, TFCE", "here, supported by neighbours"),
    ("shares", "true discoveries", "at least this share"),
)


def truth() -> np.ndarray:
    """Size of the true effect at each voxel, (64, 44)."""
    i, j = np.indices(SHAPE[:2])
    bumps = [
        height * np.exp(-((i - x) ** 2 + (j - y) ** 2) / (2 * width**2)) for (x, y), width, height in EFFECTS
    ]
    return np.max(bumps, axis=0)


def brain() -> np.ndarray:
    """An oval mask, (64, 44)."""
    i, j = np.indices(SHAPE[:2])
    return ((i - 31.5) / 30) ** 2 + ((j - 21.5) / 20) ** 2 < 1


def write_study(folder: Path) -> None:
    """Write maps of the subjects, their table, the mask and the spec."""
    rng = np.random.default_rng(SEED)
    affine = np.diag([3.0, 3.0, 3.0, 1.0])
    names = [f"sub-{n:02d}" for n in range(1, SUBJECTS + 1)]
    for name in names:
        noise = ndimage.gaussian_filter(rng.standard_normal(SHAPE[:2]), 1.5, mode="wrap")
        values = (truth() + noise / noise.std()) * brain()
        nib.save(nib.Nifti1Image(values[..., None].astype(np.float32), affine), folder / f"{name}.nii.gz")
    nib.save(nib.Nifti1Image(brain()[..., None].astype(np.uint8), affine), folder / "mask.nii.gz")
    (folder / "participants.tsv").write_text("\n".join(["participant_id", *names]) + "\n")
    (folder / "spec.yaml").write_text(SPEC)


def main() -> None:
    """Simulate, run and draw."""
    with tempfile.TemporaryDirectory() as folder:
        write_study(Path(folder))
        bundle = specgl.run(specgl.read(Path(folder) / "spec.yaml"))
        maps = bundle.maps.sel(contrast="mean").isel(k=0).load()
        table = bundle.tables["mean", "shares"]
    draw(maps, table)


def draw(maps: object, table: object) -> None:
    """Draw the panels and write the picture."""
    mpl.rcParams |= {"svg.hashsalt": "specgl", "svg.fonttype": "path", "font.size": 8}
    figure, axes = plt.subplots(2, 3, figsize=(8.4, 4.3), layout="constrained")
    figure.patch.set_facecolor("white")
    inside, effect = brain(), truth()
    t = np.where(inside, maps["stat"].values, np.nan)  # type: ignore[index]
    for axis, (name, title, says) in zip(axes.flat, PANELS, strict=True):
        survives = maps[f"stat_{name}"].values != 0  # type: ignore[index]
        axis.imshow(t.T, cmap="Greys", vmin=-4, vmax=14, origin="lower")
        shown = np.where(survives, 1.0, np.nan)
        axis.imshow(shown.T, cmap=ListedColormap(["#d55e00"]), origin="lower", alpha=0.85)
        axis.contour(effect.T, levels=[0.25], colors="#0072b2", linewidths=1.2)
        axis.contour(inside.T.astype(float), levels=[0.5], colors="0.4", linewidths=0.6)
        false = np.count_nonzero(survives & (effect < 0.05) & inside)
        axis.set_title(f"{title}\n“{says}”", fontsize=8)
        axis.text(
            0.5,
            -0.02,
            f"{np.count_nonzero(survives)} voxels, {false} where nothing is",
            transform=axis.transAxes,
            ha="center",
            va="top",
            fontsize=7,
        )
        axis.set_axis_off()
    for row in table[table["peak"] == 1].itertuples():  # type: ignore[index]
        if row.tdp > 0:
            axes.flat[-1].annotate(
                f"≥ {100 * row.tdp:.0f} %",
                (row.x / 3, row.y / 3 + 6),
                ha="center",
                va="center",
                fontweight="bold",
                path_effects=[withStroke(linewidth=2.5, foreground="white")],
            )
    figure.savefig(Path(__file__).with_name("which-correction.svg"), metadata={"Date": None})


if __name__ == "__main__":
    main()
