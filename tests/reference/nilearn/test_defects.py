"""Where nilearn 0.14 is wrong: its value, why it is wrong, and what specgl does.

Each test first shows nilearn's number, so that it fails, and this page is read again, when nilearn mends it.
"""

from __future__ import annotations

import nibabel
import numpy as np
import pandas as pd
import pytest
from nilearn.glm.second_level import SecondLevelModel

from specgl.errors import ComputationError

N = 12
HALF = np.repeat([1.0, 0.0], N // 2)
PAIRS = np.tile(np.arange(N // 2), 2)
DUMMIES = {f"S{pair}": (pair == PAIRS).astype(float) for pair in range(N // 2)}
ONE = np.ones(N)
# Two orders of computation in float64 on a well-conditioned design; the atol is for values next to 0.
CLOSE = {"rtol": 1e-6, "atol": 1e-12}


def test_redundant_column_counts_as_a_parameter(beside):
    """An intercept beside all subjects' dummies explains nothing more, yet nilearn's t shrinks.

    It divides the residual sum of squares by n minus the number of columns, where n minus the rank are free.
    """
    study = beside.study(N, 1)
    frame = pd.DataFrame({"condition": HALF, **DUMMIES})
    redundant = frame.assign(intercept=ONE)
    weights = [1] + [0] * (N // 2)
    right = beside.theirs(study, frame, weights)["stat"]
    wrong = beside.theirs(study, redundant, [*weights, 0])["stat"]
    rank, columns = 7, 8
    np.testing.assert_allclose(wrong, right * np.sqrt((N - columns) / (N - rank)), **CLOSE)

    design = beside.design(redundant, study.ids, [*weights, 0])
    stats = beside.ours(study.data, design)
    np.testing.assert_allclose(stats["stat"].sel(contrast="both"), right, **CLOSE)
    assert stats["dof"] == N - rank


def test_contrast_that_is_not_estimable(beside):
    """With two groups and an intercept, no data can tell a group's coefficient; nilearn gives it a t.

    Infinitely many coefficients fit alike, and the generalised inverse picks one of them by its length: the
    answer about one group moves when the other group's column is merely written in other units.
    """
    study = beside.study(N, 2)
    frame = pd.DataFrame({"a": HALF, "b": 1 - HALF, "intercept": ONE})
    theirs = beside.theirs(study, frame, [1, 0, 0])
    assert np.isfinite(theirs["stat"]).all()
    same_space = pd.DataFrame({"a": HALF, "b": 3 * (1 - HALF), "intercept": ONE})
    moved = beside.theirs(study, same_space, [1, 0, 0])
    assert np.abs(moved["effect_size"] - theirs["effect_size"]).max() > 0.1

    design = beside.design(frame, study.ids, [1, 0, 0])
    with pytest.raises(ComputationError, match="not estimable") as error:
        beside.ours(study.data, design)
    assert {finding.code for finding in error.value.findings} == {"E402"}


def test_f_with_a_redundant_row(beside):
    """A row that is the sum of two others adds no hypothesis; nilearn inverts a singular matrix.

    It would also divide by the number of rows instead of their rank.
    """
    study = beside.study(N, 3)
    age = np.random.default_rng(8).uniform(20, 60, N)
    frame = pd.DataFrame({"group": HALF, "age": age, "intercept": ONE})
    rows = [[1, 0, 0], [0, 1, 0]]
    # Twice the same row: the matrix is singular to the last bit.
    with pytest.raises(np.linalg.LinAlgError, match="Singular matrix"):
        beside.theirs(study, frame, [[1, 0, 0], [1, 0, 0]])

    plain = beside.ours(study.data, beside.design(frame, study.ids, rows, kind="F"))
    redundant = beside.ours(study.data, beside.design(frame, study.ids, [*rows, [1, 1, 0]], kind="F"))
    np.testing.assert_allclose(redundant["stat"], plain["stat"], **CLOSE)
    np.testing.assert_allclose(redundant["p"], plain["p"], **CLOSE)
    assert redundant["dof1"].values.tolist() == [2]
    np.testing.assert_allclose(plain["stat"][0], beside.theirs(study, frame, rows)["stat"], **CLOSE)


def test_missing_values_count_as_0(beside):
    """A subject without a value at a voxel is taken to have measured 0 there, and still counted in n."""
    study = beside.study(N, 4)
    frame = pd.DataFrame({"intercept": ONE})
    image = nibabel.load(study.paths[0])
    volume = image.get_fdata()
    volume[5, 4, 4] = np.nan
    nibabel.Nifti1Image(volume, image.affine).to_filename(study.paths[0])
    here = int(np.flatnonzero((np.argwhere(study.inside) == [5, 4, 4]).all(axis=1))[0])
    values = study.values.copy()
    values[0, here] = np.nan
    others = values[1:, here]
    theirs = beside.theirs(study, frame, [1])
    assert theirs["effect_size"][here] == pytest.approx(others.sum() / N, rel=1e-6)

    data = study.data.assign(effect=(("observation", "location"), values))
    stats = beside.ours(data, beside.design(frame, study.ids, [1]))
    assert stats["effect"].sel(contrast="both").values[here] == pytest.approx(others.mean(), rel=1e-12)
    assert stats["n"].values[here] == N - 1
    assert stats["dof"].values[here] == N - 2


def test_rows_of_the_design_meet_other_subjects(beside):
    """nilearn sorts a table of maps by subject and leaves the user's design as it is, without a word.

    Here the table runs backwards, and the groups change places: the difference changes its sign.
    """
    study = beside.study(N, 5, HALF * 3)
    backwards = list(reversed(range(N)))
    table = pd.DataFrame(
        {
            "subject_label": [study.ids[row] for row in backwards],
            "map_name": "map",
            "effects_map_path": [str(study.paths[row]) for row in backwards],
        }
    )
    frame = pd.DataFrame({"group": HALF[backwards], "intercept": ONE})  # in the table's order
    # Without a word: a warning would be an error here.
    model = SecondLevelModel(mask_img=study.mask).fit(table, design_matrix=frame)
    image = model.compute_contrast("group", first_level_contrast="map", output_type="effect_size")
    truth = study.values[HALF == 1].mean(axis=0) - study.values[HALF == 0].mean(axis=0)
    np.testing.assert_allclose(image.get_fdata()[study.inside], -truth, **CLOSE)

    ids = [study.ids[row] for row in backwards]
    for order in (backwards, list(range(N))):  # whatever the maps' order
        stats = beside.ours(study.data.isel(observation=order), beside.design(frame, ids, [1, 0]))
        np.testing.assert_allclose(stats["effect"].sel(contrast="both"), truth, **CLOSE)
