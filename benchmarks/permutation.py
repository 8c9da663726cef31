"""specgl's shuffles beside nilearn's, the bare matrix product and the package tfce: one table, one machine.

30 subjects, an ellipsoid of about 230,000 voxels at 2 mm, noise smoothed to a FWHM of 6 mm, float32. The mean
is tested by sign flips, two-sided. A cost per shuffle is the slope between two numbers of shuffles, so that
what is done once (starting processes, fitting, concluding) does not count; ratios are taken round by round.

    python benchmarks/permutation.py [--rounds 5] [--quick] [--only ROW ...] [--cores 2]

Rows: maxt, clusters, tfce, map, process (the table with the aims); voxels, subjects, nuisance (how costs
grow).
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from statistics import median

import numpy as np
import tfce as tfce_package
from brain import Brain, make_brain
from end_to_end import make_data
from growth import grow_nuisance, grow_subjects, grow_voxels
from measure import Run, run_process
from peers import nilearn_one_sample, product_alone
from shuffling import FORMING_P, TFCE, VOXEL, OneSample, clusters
from slopes import Aim, Worker, in_turn, show, verdict

from specgl.images import Space
from specgl.images.grid import Grid
from specgl.kernels.tfce import Graph, tfce_map, tfce_max
from specgl.kernels.tfce import Work as Room

SEED = 20261122
SUBJECTS = 30
MAP_VOXELS = 302_000
OWN, NILEARN = "specgl", "nilearn permuted_ols"
_WARMING = 200  # shuffles, as many as alpha needs
MOST_SECONDS, MOST_BYTES = 120.0, 1e9

SPEC = """\
specgl: 1
name: benchmark
data:
  table: participants.tsv
  images: "maps/{participant_id}.nii.gz"
mask: mask.nii.gz
model:
  formula: "1"
contrasts:
  mean: mean
inference:
  tfce: {method: permutation, statistic: tfce}
permutation: {n: SHUFFLES, seed: 20261122}
output: {directory: results}
"""


@dataclass(frozen=True)
class Bench:
    """What all rows share.

    Attributes
    ----------
    rounds
        How often each way is measured, in turn.
    quick
        Fewer shuffles: to see that it works; the ratios are rough.
    cores
        How many cores every way may use.
    """

    rounds: int
    quick: bool
    cores: int

    @cached_property
    def brain(self) -> Brain:
        """The brain at 2 mm."""
        return make_brain()

    @cached_property
    def maps(self) -> np.ndarray:
        """The group's maps, ``(subjects, n_voxels)`` float32."""
        print(f"({SUBJECTS} subjects, {self.brain.n_voxels:,} voxels at 2 mm)\n", flush=True)
        return self.brain.group(SUBJECTS, SEED)

    @cached_property
    def own(self) -> OneSample:
        """The same, fitted."""
        return OneSample.prepare(self.maps, self.brain, self.cores)

    def nilearn(self, **how: object) -> Callable[[int], object]:
        """The same test by nilearn, one process a core."""
        return nilearn_one_sample(self.maps, self.brain, self.cores, **how)


def row_maxt(bench: Bench) -> None:
    quick = bench.quick
    product = f"signs @ data, float32, {bench.cores} BLAS threads"
    workers = {
        NILEARN: Worker(bench.nilearn(), 50, 150 if quick else 550),
        product: Worker(product_alone(bench.maps, bench.cores), 0, 4096 if quick else 8192),
        OWN: Worker(bench.own.shuffled([VOXEL]), 4096, 8192 if quick else 12288),
    }
    title = "max-T, one shuffle (specgl also counts every voxel's own p; nilearn does not)"
    aims = [Aim(NILEARN, 40, "faster"), Aim(product, 2, "within")]
    show(title, in_turn(workers, bench.rounds), OWN, aims)


def row_clusters(bench: Bench) -> None:
    quick = bench.quick
    many = 256 if quick else 2048
    workers = {
        NILEARN: Worker(bench.nilearn(threshold=FORMING_P), 10, 40 if quick else 150),
        OWN: Worker(bench.own.shuffled([VOXEL, *clusters(6)]), 128, many),
        "specgl, without max-T": Worker(bench.own.shuffled(clusters(6)), 128, many),
        "specgl, 26 neighbours (its default), no max-T": Worker(bench.own.shuffled(clusters(26)), 128, many),
    }
    title = (
        "cluster extent and excess mass at p < 0.001, one shuffle (6 neighbours and max-T too, as nilearn)"
    )
    show(title, in_turn(workers, bench.rounds), OWN, [Aim(NILEARN, 30, "faster")])


def row_tfce(bench: Bench) -> None:
    quick = bench.quick
    many = 64 if quick else 288
    workers = {
        NILEARN: Worker(bench.nilearn(tfce=True), 2, 4 if quick else 8),
        OWN: Worker(bench.own.shuffled([VOXEL, TFCE]), 32, many),
        "specgl, without max-T": Worker(bench.own.shuffled([TFCE]), 32, many),
    }
    title = "TFCE, both signs, one shuffle (6 neighbours, max-T too; specgl exactly, nilearn in 100 steps)"
    show(title, in_turn(workers, bench.rounds), OWN, [Aim(NILEARN, 200, "faster")])


def row_map(bench: Bench) -> None:
    brain = make_brain(MAP_VOXELS)
    volume = brain.noise(np.random.default_rng(SEED))
    volume /= volume[brain.mask].std()
    heights, column_major = volume[brain.mask], np.asfortranarray(volume)
    space = Space.from_mask(brain.mask, Grid(brain.mask.shape, brain.affine))
    for connectivity in (6, 26):
        graph = Graph.of_grid(space.voxels, connectivity)
        room = Room(graph, np.float32)

        def both(
            enhance: Callable[..., object], graph: Graph = graph, room: Room = room
        ) -> tuple[object, object]:
            return enhance(heights, graph, work=room), enhance(-heights, graph, work=room)

        def peer(connectivity: int = connectivity) -> np.ndarray:
            return tfce_package.tfce(column_major, connectivity=connectivity, n_jobs=1)

        up, down = both(tfce_map)
        theirs = peer()[brain.mask]
        apart = float(np.max(np.abs(up - down - theirs)) / np.max(np.abs(theirs)))
        once = 3 if bench.quick else 10
        workers = {
            "tfce": Worker(_repeat(peer), 0, once),
            OWN: Worker(_repeat(lambda both=both: both(tfce_map)), 0, once),
            "specgl, maximum alone": Worker(_repeat(lambda both=both: both(tfce_max)), 0, once),
        }
        title = (
            f"TFCE of one map, one thread, both signs, {brain.n_voxels:,} voxels, {connectivity} neighbours "
            f"(they differ by {apart:.0e} of the maximum)"
        )
        show(title, in_turn(workers, bench.rounds), OWN, [Aim("tfce", 2.5, "faster")])


def _repeat(call: Callable[[], object]) -> Callable[[int], None]:
    def repeated(n: int) -> None:
        for _ in range(n):
            call()

    return repeated


def row_process(bench: Bench) -> None:
    shuffles = 500 if bench.quick else 5000
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        make_data(folder, SUBJECTS)
        _run_written(folder, _WARMING, bench.cores)  # kernels are compiled, files are in the disk's cache
        rounds = 1 if bench.quick else min(bench.rounds, 3)
        runs = [_run_written(folder, shuffles, bench.cores) for _ in range(rounds)]
    wall, peak = median(run.wall for run in runs), median(run.peak for run in runs) * 1024**2
    print(f"{shuffles:,} shuffles with TFCE, whole process (loads {SUBJECTS} maps, writes a bundle)")
    told = wall < MOST_SECONDS, peak < MOST_BYTES
    aims = (f"aim: under {MOST_SECONDS:.0f} s", f"aim: under {MOST_BYTES / 1e9:.0f} GB")
    rough = " (of fewer shuffles)" if bench.quick else ""
    print(f"  wall {wall:.1f} s ({aims[0]}): {verdict(told[0])}{rough}")
    print(f"  processor {median(run.cpu for run in runs):.1f} s")
    print(f"  peak memory {peak / 1e9:.2f} GB ({aims[1]}): {verdict(told[1])}{rough}\n", flush=True)


def _run_written(folder: Path, shuffles: int, cores: int) -> Run:
    """One `specgl run` of the data in a folder."""
    spec, out = folder / "permutation.yaml", folder / "out"
    spec.write_text(SPEC.replace("SHUFFLES", str(shuffles)))
    shutil.rmtree(out, ignore_errors=True)
    specgl = str(Path(sys.executable).with_name("specgl"))
    return run_process([specgl, "run", str(spec), "--threads", str(cores), "--output", str(out)])


ROWS: dict[str, Callable[[Bench], None]] = {
    "maxt": row_maxt,
    "clusters": row_clusters,
    "tfce": row_tfce,
    "map": row_map,
    "process": row_process,
    "voxels": lambda bench: grow_voxels(bench.cores, quick=bench.quick),
    "subjects": lambda bench: grow_subjects(bench.cores, quick=bench.quick),
    "nuisance": lambda bench: grow_nuisance(bench.cores, quick=bench.quick),
}


def main() -> None:
    """Measure the rows that are asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, help="rounds of each row; 5, or 2 with --quick")
    parser.add_argument("--quick", action="store_true", help="fewer shuffles: rough figures in a few minutes")
    parser.add_argument("--only", choices=ROWS, nargs="+", metavar="ROW", help="some rows; all by default")
    parser.add_argument("--cores", type=int, default=2)
    options = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):  # not on macOS and Windows: there nilearn alone may use more
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: options.cores])
    packages = ("specgl", "nilearn", "tfce", "numpy", "numba")
    told = ", ".join(f"{name} {version(name)}" for name in packages)
    print(f"{told}; Python {platform.python_version()}, {platform.machine()}, {options.cores} cores\n")
    bench = Bench(options.rounds or (2 if options.quick else 5), options.quick, options.cores)
    for row in options.only or ROWS:
        ROWS[row](bench)


if __name__ == "__main__":
    main()
