"""The demo's folder."""

from __future__ import annotations

import hashlib
import json
import time
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

import specgl
from specgl.demo import DemoData, make_group_data, write_demo
from specgl.errors import UsageError

SMALL = (16, 18, 14)


def digests(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {p.relative_to(folder).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> DemoData:
    return make_group_data(tmp_path_factory.mktemp("small"), seed=5, n_subjects=8, shape=SMALL)


def test_equal_arguments_give_equal_bytes(small: DemoData, tmp_path: Path) -> None:
    again = make_group_data(tmp_path / "again", seed=5, n_subjects=8, shape=SMALL)
    assert digests(small.folder) == digests(again.folder)
    assert again.clusters == small.clusters


def test_another_seed_gives_other_maps(small: DemoData, tmp_path: Path) -> None:
    other = digests(make_group_data(tmp_path, seed=6, n_subjects=8, shape=SMALL).folder)
    mine = digests(small.folder)
    assert all(mine[name] != other[name] for name in mine if name.startswith("derivatives/"))
    assert mine["brain_mask.nii.gz"] == other["brain_mask.nii.gz"]


def test_files_say_what_the_record_says(small: DemoData) -> None:
    mask = np.asarray(nib.load(small.mask).dataobj)
    assert mask.shape == SMALL
    assert set(np.unique(mask)) == {0, 1}
    assert mask.sum() == small.n_locations
    assert list(small.images) == [p.participant_id for p in small.participants]
    for name, path in small.images.items():
        image = nib.load(path)
        assert image.get_data_dtype() == np.float32
        assert image.header.get_zooms() == (3.0, 3.0, 3.0)
        values = np.asarray(image.dataobj)
        assert not values[mask == 0].any(), "outside the brain there are zeros"
        assert (values[mask == 1] != 0).all()
        missing = int(np.isnan(values).sum())
        assert missing == (small.missing_locations if name == small.missing_observation else 0)
    assert small.missing_locations > 0


def test_table_is_tab_separated_with_a_row_each(small: DemoData) -> None:
    lines = small.table.read_text(encoding="utf-8").splitlines()
    assert lines[0].split("\t") == ["participant_id", "group", "sex", "age"]
    rows = [line.split("\t") for line in lines[1:]]
    assert rows == [[p.participant_id, p.group, p.sex, str(p.age)] for p in small.participants]
    described = json.loads((small.folder / "participants.json").read_text(encoding="utf-8"))
    assert list(described) == lines[0].split("\t")


def test_too_few_participants_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="at least 6"):
        make_group_data(tmp_path / "few", n_subjects=5)
    assert not (tmp_path / "few").exists()


def test_demo_is_complete_and_its_analysis_finds_what_is_true(tmp_path: Path) -> None:
    start = time.perf_counter()
    spec_path = write_demo(tmp_path / "demo")
    # The bar is 6 s on two free cores; these two may be shared with another test.
    assert time.perf_counter() - start < 12
    folder = spec_path.parent
    readme = (folder / "README.md").read_text(encoding="utf-8")
    assert "$" not in readme
    modeline = spec_path.read_text(encoding="utf-8").splitlines()[0]
    assert (folder / modeline.partition("$schema=")[2]).is_file()

    bundle = specgl.run(specgl.read(spec_path))
    bundle.verify()
    results = {(row["contrast"], row["inference"]): row for row in bundle.manifest["results"]}
    truth = make_group_data(tmp_path / "truth").clusters
    assert {contrast for contrast, _ in results} == {cluster.name for cluster in truth}
    for cluster in truth:
        for inference in ("uncorrected", "fdr", "bonferroni"):
            row = results[cluster.name, inference]
            peak = [row["peak"][axis] for axis in "xyz"]
            assert np.linalg.norm(np.subtract(peak, cluster.center)) <= cluster.radius
            assert row["n_surviving"] >= 10
        # Bonferroni lets little else through than what is true.
        assert results[cluster.name, "bonferroni"]["n_surviving"] <= cluster.n_locations + 10
