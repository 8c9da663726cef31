"""Studies of pain with their variances, 5 to 21 of them at a voxel: public data, not shipped."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import yaml

import specgl


@pytest.fixture
def spec(shared_data: Path, tmp_path: Path) -> specgl.AnalysisSpec:
    (tmp_path / "pain21").symlink_to(shared_data / "pain21")
    asked = {
        "specgl": 1,
        "name": "pain21",
        "data": {
            "table": "pain21/studies.tsv",
            "id": "study_id",
            "images": {"column": "effect_map"},
            "variances": {"column": "variance_map"},
            "missing": {"voxel": {"available": 0.5}},
        },
        "mask": "pain21/mask.nii.gz",
        "variables": {"software": {"type": "categorical", "levels": ["SPM", "FSL"]}},
        "model": {"formula": "software", "estimator": {"method": "mixed_effects"}},
        "contrasts": {"pain": {"hypothesis": "mean", "alternative": "greater"}},
        "inference": {"tfce": {"method": "permutation", "statistic": "tfce"}},
        "permutation": {"n": 20, "seed": 1, "exchange": "flip"},
        "output": {"directory": "out"},
    }
    path = tmp_path / "pain21.yaml"
    path.write_text(yaml.safe_dump(asked), encoding="utf-8")
    return specgl.read(path)


def test_available_studies_by_reml_with_flipped_signs_end_in_a_bundle_that_verifies(
    spec: specgl.AnalysisSpec,
) -> None:
    bundle = specgl.run(spec, allow_outside=True)
    bundle.verify()
    (row,) = bundle.manifest["results"]
    assert (row["n"], row["n_min"], row["dof"]) == (21, 11, 19.0)
    # Half of the brain answers to pain; with 20 shuffles nothing is found unless all of it is.
    assert row["n_surviving"] > 50_000
    assert row["min_p"] == pytest.approx(1 / 20)
    n, dof = (bundle.maps[name].values for name in ("n", "dof"))
    assert np.array_equal(n[np.isfinite(n)] - 2, dof[np.isfinite(dof)])
    tau2, i2 = (bundle.maps[name].values for name in ("tau2", "i2"))
    assert np.nanmin(tau2) == 0.0
    assert 0.0 <= np.nanmin(i2) <= np.nanmax(i2) < 1.0
    assert 0.5 < np.nanmedian(i2) < 0.65
