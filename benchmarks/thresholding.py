"""What each way of saying what is significant takes after a fit; clusters' true discoveries beside nilearn's.

30 subjects, an ellipsoid of about 230,000 voxels at 2 mm, noise smoothed to a FWHM of 6 mm with a smooth
effect in it, float32. The mean is tested to be above 0. Everything runs in turn, round by round, on the same
statistics; a time is the least of the rounds, and of simulated maps and shuffles the slope between two
numbers of them.

    python benchmarks/thresholding.py [--rounds 5] [--quick] [--cores 2]
"""

from __future__ import annotations

import argparse
import os
import platform
import warnings
from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import version

import nibabel as nib
import numpy as np
from brain import Brain, make_brain
from nilearn.glm import cluster_level_inference
from shuffling import VOXEL, OneSample
from slopes import Worker, in_turn

from specgl.engines import Threads
from specgl.inference import (
    AllResolutions,
    Forming,
    Inferred,
    Lattice,
    Parametric,
    Permutation,
    Provisions,
    RandomField,
    Regions,
    Sets,
    Simulated,
    infer,
)
from specgl.inference.asked import Inference
from specgl.models import contrast_maps, fit
from specgl.models.smoothness import residual_smoothness

SEED = 20261122
SUBJECTS = 30
HEIGHTS = (2.5, 3.1, 4.0)
EDGE = 10  # voxels of a region's side
FORMING = Forming(p=0.001)

FIT, SMOOTHNESS = "fit and contrast", "smoothness of the residuals"
CLUSTERS, NILEARN = "all_resolutions, 3 heights", "nilearn cluster_level_inference, 3 heights"
TDP, PLAIN = "permutation, voxel, tdp: one shuffle", "permutation, voxel, fwe: one shuffle"

METHODS: dict[str, Inference] = {
    "parametric, fdr_bh": Parametric("fdr", "fdr_bh", 0.05, 1, 26, "none"),
    "random_field, voxel": RandomField("peaks", "voxel"),
    "random_field, cluster_extent": RandomField("extent", "cluster_extent", forming=FORMING),
    CLUSTERS: AllResolutions("heights", Sets(forming_z=HEIGHTS), connectivity=6),
    "all_resolutions, regions": AllResolutions("regions", Sets(regions=True)),
    "all_resolutions, largest with 0.7": AllResolutions("largest", Sets(largest=0.7)),
}


def prepare(brain: Brain, cores: int) -> OneSample:
    """The group, fitted, with an effect where a smooth map is high; tested to one side, as nilearn does."""
    maps = brain.group(SUBJECTS, SEED)
    effect = brain.noise(np.random.default_rng([SEED, SUBJECTS]))[brain.mask]
    maps += np.maximum(effect, 0)
    own = OneSample.prepare(maps, brain, cores)
    design = replace(
        own.design, contrasts=tuple(replace(one, alternative="greater") for one in own.design.contrasts)
    )
    return replace(own, design=design, stats=_statistics(own.data, design, cores))


def _statistics(data: object, design: object, cores: int) -> object:
    engine = Threads(cores)
    return contrast_maps(fit(data, design, engine=engine), design, engine=engine)


def provide(own: OneSample, brain: Brain) -> Provisions:
    """What the methods need beside the statistics; the regions are boxes."""
    engine = Threads(own.threads)
    boxes = own.space.voxels // EDGE
    _, codes = np.unique(boxes, axis=0, return_inverse=True)
    codes = codes.reshape(-1).astype(np.int64) + 1
    i, j, k = (float(length) for length in own.space.grid.zooms)
    return Provisions(
        lattice=Lattice(own.space.voxels, (i, j, k)),
        smoothness=residual_smoothness(
            own.data, own.design, fit(own.data, own.design, engine=engine), own.space, engine=engine
        ),
        regions={"regions": Regions(codes, {int(code): f"box {code}" for code in np.unique(codes)})},
        engine=engine,
    )


def workers_of(own: OneSample, brain: Brain, *, quick: bool) -> dict[str, Worker]:
    """Every way, by what the table calls it."""
    engine, held = Threads(own.threads), provide(own, brain)
    fitted = fit(own.data, own.design, engine=engine)
    workers = {
        FIT: _once(lambda: _statistics(own.data, own.design, own.threads)),
        SMOOTHNESS: _once(
            lambda: residual_smoothness(own.data, own.design, fitted, own.space, engine=engine)
        ),
    }
    for name, asked in METHODS.items():
        workers[name] = _once(lambda asked=asked: infer(own.stats, own.space, [asked], held))
    workers[NILEARN] = _once(_nilearn(own, brain))

    def simulated(n: int) -> tuple[Inferred, ...]:
        return infer(own.stats, own.space, [Simulated("mc", "cluster_extent", FORMING, n, SEED)], held)

    workers["simulated, cluster_extent: one map"] = Worker(simulated, 4, 12 if quick else 36)
    tdp = Permutation("tdp", "voxel", correction="tdp", connectivity=6, sets=Sets(forming_z=HEIGHTS))
    few, many = 256, 512 if quick else 1280
    workers[PLAIN] = Worker(own.shuffled([VOXEL]), few, many)
    workers[TDP] = Worker(own.shuffled([tdp]), few, many)
    return workers


def _once(call: Callable[[], object]) -> Worker:
    return Worker(lambda n: call(), 0, 1)


def _nilearn(own: OneSample, brain: Brain) -> Callable[[], object]:
    z, mask = _images(own, brain)

    def call() -> object:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return cluster_level_inference(z, mask, threshold=list(HEIGHTS), alpha=0.05)

    return call


def _images(own: OneSample, brain: Brain) -> tuple[nib.Nifti1Image, nib.Nifti1Image]:
    """The map of z and the mask as nilearn wants them."""
    volume = np.zeros(brain.mask.shape)
    volume[brain.mask] = own.stats["z"].values[0]
    mask = brain.mask.astype(np.uint8)
    return nib.Nifti1Image(volume, brain.affine), nib.Nifti1Image(mask, brain.affine)


def apart(own: OneSample, brain: Brain) -> tuple[float, float]:
    """Compare the shares of true discoveries that specgl and nilearn tell: largest difference, largest share.

    nilearn writes the clusters of all heights into one map: both are compared at each height alone.
    """
    image, mask = _images(own, brain)
    worst = largest = 0.0
    for height in HEIGHTS:
        asked = AllResolutions("one", Sets(forming_z=(height,)), connectivity=6)
        mine = infer(own.stats, own.space, [asked])[0]
        theirs = cluster_level_inference(image, mask, threshold=height, alpha=0.05).get_fdata()[brain.mask]
        worst = max(worst, float(np.max(np.abs(np.nan_to_num(mine.tdp) - theirs))))
        largest = max(largest, float(theirs.max()))
    return worst, largest


def show(slopes: dict[str, list[float]]) -> None:
    """Print the least time of each way and how it stands to its peer."""
    least = {name: min(values) for name, values in slopes.items()}
    peers = {CLUSTERS: NILEARN, SMOOTHNESS: FIT, TDP: PLAIN}
    print(f"{'':<46}{'ms':>10}   beside")
    for name, value in least.items():
        peer = peers.get(name)
        told = f"{value / least[peer]:.2f} x as long as {peer}" if peer else ""
        print(f"{name:<46}{value:>10.2f}   {told}".rstrip())


def main() -> None:
    """Measure everything in turn and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, help="5, or 2 with --quick")
    parser.add_argument("--quick", action="store_true", help="fewer maps and shuffles: rough figures")
    parser.add_argument("--cores", type=int, default=2)
    options = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):  # not on macOS and Windows: there nilearn alone may use more
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: options.cores])
    told = ", ".join(f"{name} {version(name)}" for name in ("specgl", "nilearn", "numpy", "numba"))
    print(f"{told}; Python {platform.python_version()}, {platform.machine()}, {options.cores} cores")
    brain = make_brain()
    own = prepare(brain, options.cores)
    print(f"{SUBJECTS} subjects, {brain.n_voxels:,} voxels at 2 mm")
    worst, largest = apart(own, brain)
    print(f"shares of true discoveries, up to {largest:.2f}: differ from nilearn's by at most {worst:.0e}")
    if hasattr(os, "getloadavg"):
        print(f"load of the machine before: {os.getloadavg()[0]:.1f}")
    slopes = in_turn(
        workers_of(own, brain, quick=options.quick), options.rounds or (2 if options.quick else 5)
    )
    show(slopes)
    if hasattr(os, "getloadavg"):
        print(f"load of the machine after: {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
