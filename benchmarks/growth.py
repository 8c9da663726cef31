"""How the cost of one more shuffle grows with voxels, subjects and nuisance columns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from brain import Brain, make_brain
from shuffling import TFCE, VOXEL, OneSample, clusters
from slopes import Worker

from specgl.inference import Permutation

SEED = 20261123
SUBJECTS = 30
_MEASURES: dict[str, tuple[Sequence[Permutation], int]] = {
    "max-T": ([VOXEL], 4096),
    "clusters": (clusters(26), 512),
    "TFCE": ([TFCE], 64),
}
"""What is asked, and the smaller number of shuffles for 30 subjects at 2 mm; the larger is three times it."""
_LEAST = 32
_QUICK = 4


def grow_voxels(cores: int, *, quick: bool) -> None:
    """30 subjects, voxels of 3.3, 2 and 1.3 mm."""
    made = (make_brain(voxels) for voxels in (50_000, None, 900_000))
    cases = ((f"{brain.n_voxels:,}", brain, SUBJECTS, 0) for brain in made)
    _table("voxels", cases, cores, quick=quick)


def grow_subjects(cores: int, *, quick: bool) -> None:
    """20, 100 and 500 subjects at 2 mm."""
    cases = ((f"{n}", make_brain(), n, 0) for n in (20, 100, 500))
    _table("subjects", cases, cores, quick=quick)


def grow_nuisance(cores: int, *, quick: bool) -> None:
    """30 subjects at 2 mm with 0, 5 and 20 nuisance columns (Freedman and Lane)."""
    cases = ((f"{q}", make_brain(), SUBJECTS, q) for q in (0, 5, 20))
    _table("nuisance columns", cases, cores, quick=quick)


def _table(what: str, cases: Iterable[tuple[str, Brain, int, int]], cores: int, *, quick: bool) -> None:
    heads = "".join(f"{name:>12}" for name in _MEASURES)
    print(f"ms for one more shuffle, by {what} (specgl alone, {cores} threads; clusters with 26 neighbours)")
    print(f"  {what:>18}{heads}")
    for label, brain, subjects, nuisance in cases:
        own = OneSample.prepare(brain.group(subjects, SEED), brain, cores, nuisance)
        print(f"  {label:>18}", end="", flush=True)
        # About as much work in each case: a product's work follows rows, voxels and subjects, TFCE's voxels.
        voxels = brain.n_voxels / make_brain().n_voxels
        product = voxels * (1 + nuisance) * max(1.0, subjects / SUBJECTS)
        for name, (asked, most) in _MEASURES.items():
            shuffles = most / (voxels if name == "TFCE" else product) / (_QUICK if quick else 1)
            few = max(_LEAST, 16 * round(shuffles / 16))
            worker = Worker(own.shuffled(asked), few, 3 * few)
            worker.warm_up()
            print(f"{worker.slope():>12.3f}", end="", flush=True)
        print(flush=True)
    print(flush=True)
