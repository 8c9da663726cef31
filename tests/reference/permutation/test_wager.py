"""Thirty real maps by permutation, from a spec to a bundle that verifies.

Reappraise negative against look negative (Wager 2008, doi:10.1016/j.neuron.2008.09.006). A short run: it
shows that the way is whole, not what the maps mean.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

import specgl

N = 100
COMPLETE = 49_245

SPEC = """\
specgl: 1
name: reappraisal
data:
  table: TABLE
  images: {column: effect_map}
mask: {image: MASK}
variables:
  reappraisal_success: {type: continuous}
model: {formula: reappraisal_success}
contrasts:
  mean: mean
  success: {hypothesis: reappraisal_success, alternative: greater}
inference:
  maxT: {method: permutation, statistic: voxel}
  mass: {method: permutation, statistic: cluster_mass}
  tfce: {method: permutation, statistic: tfce}
permutation: {n: 100, seed: 20261101}
output: {directory: results}
"""


@pytest.fixture(scope="module")
def bundle(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> specgl.Bundle:
    data = shared_data / "wager2008"
    if not data.is_dir():
        pytest.skip("the data set wager2008 is not on this machine")
    folder = tmp_path_factory.mktemp("wager")
    (mask,) = (data / "masks").glob("*.nii.gz")

    def relative(path: Path) -> str:
        return Path(os.path.relpath(path.resolve(), folder.resolve())).as_posix()

    text = SPEC.replace("TABLE", relative(data / "participants.tsv")).replace("MASK", relative(mask))
    path = folder / "analysis.yaml"
    path.write_text(text, encoding="utf-8")
    spec = specgl.read(path, allow_outside=True)
    return specgl.run(spec, folder / "results", allow_outside=True)


def test_the_bundle_verifies(bundle):
    bundle.verify()
    results = {(row["contrast"], row["inference"]) for row in bundle.manifest["results"]}
    assert results == {(c, i) for c in ("mean", "success") for i in ("maxT", "mass", "tfce")}
    assert int(bundle.mask.values.astype(bool).sum()) == COMPLETE


def test_the_mean_is_flipped_and_the_slope_permuted(bundle):
    schemes = {one["exchange"]: one for one in bundle.manifest["shuffling"]}
    assert schemes.keys() == {"flip", "permute"}
    assert schemes["flip"]["possible"] == 2**30
    assert [schemes[how]["n"] for how in ("flip", "permute")] == [N, N]


def test_every_null_has_a_value_for_each_shuffle(bundle):
    nulls = sorted((bundle.path / "null").glob("*_null.tsv"))
    assert len(nulls) == 6
    for path in nulls:
        values = np.loadtxt(path, skiprows=1, ndmin=2)
        assert len(values) == N, path.name
        assert np.isfinite(values).all()


def test_the_mean_survives_and_no_p_is_below_one_in_all_shuffles(bundle):
    """The effect of instruction is strong; its smallest p is what 100 shuffles can give, 2/100 or 1/100."""
    rows = {(row["contrast"], row["inference"]): row for row in bundle.manifest["results"]}
    assert rows["mean", "maxT"]["n_surviving"] > 0
    for row in rows.values():
        assert row["min_p"] * N == pytest.approx(round(row["min_p"] * N), abs=1e-6)
        assert row["min_p"] >= 1 / N
