"""What each estimator costs beside ordinary least squares, alone and in a whole run, and beside PyMARE.

30 subjects, an ellipsoid of about 235,000 voxels, noise smoothed to a FWHM of 6 mm, first-level variances
around 1 with a variance of 0.5 between subjects. A mean, a covariate and two groups are fitted, and one
contrast is tested.

fits    each estimator's fit and statistics, in a process of its own, round by round beside least squares;
        kernels are compiled, and data in memory, before the clock runs
run     `specgl run --no-report` as a whole process, with least squares, fixed effects and REML
pymare  PyMARE's DerSimonian-Laird and REML on the same arrays, timed as the fits are

    python benchmarks/models.py [--rounds 3] [--quick] [--only fits] [--cores 2]
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median

import nibabel as nib
import numpy as np
from brain import Brain, make_brain
from fitting import FITS, PEERS, write_arrays
from measure import compare, table
from slopes import Aim, verdict

VOXELS = 235_000
SECONDS = 30.0
"""Aim: no estimator's fit takes longer."""

TIMES = 3.0
"""Aim: a whole run with REML takes at most so many times as long as one with least squares."""

FASTER = 5.0
"""Aim: at least so many times as fast as PyMARE."""

PARTS = ("fits", "run", "pymare")
REFERENCE = "ols"

SPEC = """\
specgl: 1
name: benchmark
data:
  table: participants.tsv
  images: "maps/{{participant_id}}_effect.nii.gz"
{variances}mask: mask.nii.gz
variables:
  age: {{type: continuous, unit: year}}
  group: {{type: categorical, levels: [control, patient]}}
model:
  formula: age + group
  estimator: {estimator}
contrasts:
  difference: "group[patient] - group[control]"
output: {{directory: results, maps: [effect, variance, stat, z, p]}}
"""

RUNS = {
    "ols": "{method: ols}",
    "fixed_effects": "{method: fixed_effects}",
    "mixed_effects, reml": "{method: mixed_effects, tau2: reml}",
}


@dataclass(frozen=True)
class Fit:
    """One process: seconds of its quickest fit, MiB before the fit and at the peak."""

    seconds: float
    before: float
    peak: float


def fit_once(name: str, folder: Path, cores: int, repeats: int) -> Fit:
    """Fit in a process of its own; one that fails stops the benchmark with what it printed."""
    script = str(Path(__file__).with_name("fitting.py"))
    command = [sys.executable, script, name, str(folder), str(cores), str(repeats)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{name}\n{done.stdout}{done.stderr}")
    found = json.loads(done.stdout.splitlines()[-1])
    return Fit(min(found["seconds"]), found["before"], found["peak"])


def fit_in_turn(names: Sequence[str], folder: Path, rounds: int, cores: int) -> dict[str, list[Fit]]:
    """All fits, round by round, the order swapped from round to round."""
    runs: dict[str, list[Fit]] = {name: [] for name in names}
    for number in range(rounds):
        for name in names if number % 2 == 0 else reversed(names):
            runs[name].append(fit_once(name, folder, cores, repeats=2))
    return runs


def show_fits(runs: Mapping[str, Sequence[Fit]]) -> None:
    """A row an estimator: medians, and the median of the rounds' ratios to least squares."""
    print(f"{'fit and statistics of one contrast':<36}{'s':>9}{'x ols':>9}{'data MiB':>10}{'peak MiB':>10}")
    slowest = 0.0
    for name, own in runs.items():
        ratio = median(a.seconds / b.seconds for a, b in zip(own, runs[REFERENCE], strict=True))
        seconds = median(one.seconds for one in own)
        slowest = max(slowest, seconds)
        before, peak = median(one.before for one in own), median(one.peak for one in own)
        print(f"{name:<36}{seconds:>9.2f}{ratio:>9.1f}{before:>10.0f}{peak:>10.0f}")
    print(f"slowest: {slowest:.1f} s (aim: at most {SECONDS:g} s): {verdict(slowest <= SECONDS)}\n")


def show_peers(runs: Mapping[str, Sequence[Fit]], folder: Path) -> None:
    """Each of PyMARE's estimators beside specgl's, and by how much their tau2 differ."""
    print(f"{'beside PyMARE ' + version('pymare'):<36}{'s':>9}{'data MiB':>10}{'peak MiB':>10}")
    aim = Aim("", FASTER, "faster")
    for theirs, ours in PEERS.items():
        for name in (ours, theirs):
            own = runs[name]
            figures = [median(getattr(one, what) for one in own) for what in ("seconds", "before", "peak")]
            print(f"{name:<36}{figures[0]:>9.2f}{figures[1]:>10.0f}{figures[2]:>10.0f}")
        print(f"  specgl: {aim.judge([r.seconds for r in runs[ours]], [r.seconds for r in runs[theirs]])}")
        away = np.abs(np.load(folder / f"tau2 {ours}.npy") - np.load(folder / f"tau2 {theirs}.npy"))
        print(
            f"  tau2 differs by {np.nanmedian(away):.0e} (median of locations), {np.nanmax(away):.0e} at most"
        )
    print()


def write_study(brain: Brain, folder: Path, arrays: Path) -> None:
    """Effects and variances as images, mask, table, and a spec for each estimator."""
    (folder / "maps").mkdir(parents=True)
    nib.save(nib.Nifti1Image(brain.mask.astype(np.uint8), brain.affine), folder / "mask.nii.gz")
    rng, lines = np.random.default_rng(20261122), ["participant_id\tage\tgroup"]
    effects, variances = (np.load(arrays / f"{what}.npy", mmap_mode="r") for what in ("effect", "variance"))
    for index in range(len(effects)):
        name = f"sub-{index + 1:02d}"
        for what, maps in (("effect", effects), ("variance", variances)):
            image = np.zeros(brain.mask.shape, dtype=np.float32)
            image[brain.mask] = maps[index]
            nib.save(nib.Nifti1Image(image, brain.affine), folder / "maps" / f"{name}_{what}.nii.gz")
        lines.append(f"{name}\t{rng.integers(20, 70)}\t{('control', 'patient')[index % 2]}")
    (folder / "participants.tsv").write_text("\n".join(lines) + "\n")
    for name, estimator in RUNS.items():
        line = "" if name == REFERENCE else '  variances: "maps/{participant_id}_variance.nii.gz"\n'
        (folder / f"{name}.yaml").write_text(SPEC.format(variances=line, estimator=estimator))


def whole_runs(folder: Path, rounds: int, cores: int) -> None:
    """`specgl run` from load to written maps, for each estimator in turn."""
    results = folder / "out"
    # The installed command, as a user calls it: its modules are compiled, and no checkout is in the way.
    command = [str(Path(sys.executable).with_name("specgl")), "run"]
    options = ["--no-report", "--threads", str(cores), "--output", str(results)]

    def make(name: str) -> Sequence[str]:
        shutil.rmtree(results, ignore_errors=True)
        return [*command, str(folder / f"{name}.yaml"), *options]

    runs = compare({name: lambda name=name: make(name) for name in RUNS}, rounds)
    print("specgl run --no-report, as a whole process")
    print(table(runs, REFERENCE))
    aim = Aim("", TIMES, "within")
    *_, mixed = RUNS
    print(f"{mixed}: {aim.judge([r.wall for r in runs[mixed]], [r.wall for r in runs[REFERENCE]])}\n")


def has_peer() -> bool:
    """Whether PyMARE is installed; says so where it is not."""
    try:
        version("pymare")
    except PackageNotFoundError:
        print("PyMARE is not installed (`python -m pip install '.[bench]'`): its rows are left out\n")
        return False
    return True


def main() -> None:
    """Make the data, run the parts in turn, print their tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--subjects", type=int, default=30)
    parser.add_argument("--voxels", type=int, default=VOXELS)
    parser.add_argument("--cores", type=int, default=os.cpu_count() or 1)
    parser.add_argument(
        "--quick", action="store_true", help="a tenth of the voxels, one round: rough figures"
    )
    parser.add_argument("--only", choices=PARTS, help="one part instead of all")
    options = parser.parse_args()
    rounds = 1 if options.quick else options.rounds
    brain = make_brain(options.voxels // 10 if options.quick else options.voxels)
    parts = [options.only] if options.only else list(PARTS)
    if "pymare" in parts and not has_peer():
        parts.remove("pymare")
    print(f"specgl {version('specgl')}, numpy {np.__version__}, numba {version('numba')}; ", end="")
    print(f"Python {platform.python_version()}, {platform.machine()}, {options.cores} cores")
    print(f"{options.subjects} subjects, {brain.n_voxels:,} voxels; load before: {os.getloadavg()[0]:.1f}\n")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        write_arrays(brain, options.subjects, folder)
        if "fits" in parts:
            show_fits(fit_in_turn(list(FITS), folder, rounds, options.cores))
        if "pymare" in parts:
            pairs = [name for pair in PEERS.items() for name in pair]
            show_peers(fit_in_turn(pairs, folder, rounds, options.cores), folder)
        if "run" in parts:
            write_study(brain, folder / "study", folder)
            whole_runs(folder / "study", rounds, options.cores)
    print(f"load after: {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
