"""The numbers of the demo: what is said to be true in it is true."""

from __future__ import annotations

import numpy as np
import pytest

from specgl.demo import signal

SHAPE = (53, 63, 46)


@pytest.fixture(scope="module")
def brain() -> signal.Brain:
    return signal.make_brain(SHAPE, 3.0)


@pytest.fixture(scope="module")
def truth(brain: signal.Brain) -> signal.Truth:
    return signal.make_truth(brain)


def test_brain_leaves_a_margin(brain: signal.Brain) -> None:
    inside = brain.inside
    assert inside.shape == SHAPE
    assert 50_000 < inside.sum() < 75_000
    for axis in range(3):
        faces = np.moveaxis(inside, axis, 0)[[0, -1]]
        assert not faces.any()


def test_clusters_lie_in_the_brain_and_do_not_touch(brain: signal.Brain, truth: signal.Truth) -> None:
    for cluster, voxels in ((truth.group, truth.group_voxels), (truth.age, truth.age_voxels)):
        distance = np.linalg.norm(brain.coordinates[voxels] - cluster.center, axis=1)
        assert distance.max() <= cluster.radius
        assert voxels.sum() == cluster.n_locations > 100
        assert not (voxels & ~brain.inside).any()
        assert not (voxels & signal.missing_top(brain)).any()
    gap = np.linalg.norm(np.subtract(truth.group.center, truth.age.center))
    assert gap > truth.group.radius + truth.age.radius + signal.NOISE_FWHM


@pytest.mark.parametrize("n_subjects", [6, 7, 16, 120])
def test_participants_are_balanced(n_subjects: int) -> None:
    people = signal.make_participants(n_subjects, np.random.default_rng(1))
    assert len({p.participant_id for p in people}) == n_subjects
    patient = np.array([p.group == "patient" for p in people])
    woman = np.array([p.sex == "F" for p in people])
    age = np.array([p.age for p in people])
    assert abs(patient.sum() - n_subjects / 2) <= 1
    # Counterbalanced: within each group the sexes differ by one person at most.
    assert abs(2 * woman[patient].sum() - patient.sum()) <= 1
    # Both groups span the same ages up to jitter of 1.5 years.
    assert abs(age[patient].mean() - age[~patient].mean()) < 4
    assert 12 <= age.min() <= 27
    assert 59 <= age.max() <= 72


def test_noise_has_the_strength_it_says(brain: signal.Brain) -> None:
    rng = np.random.default_rng(3)
    noise = signal.smooth_noise(brain, rng)
    assert noise.std() == pytest.approx(signal.NOISE_SD)
    # Smooth: neighbours along k are alike. exp(-d²/4σ²) for 3 mm and σ = 8/2.355 mm is 0.82.
    neighbours = np.corrcoef(noise[..., 1:].ravel(), noise[..., :-1].ravel())[0, 1]
    assert neighbours == pytest.approx(0.82, abs=0.03)


def test_signal_is_what_the_record_says(brain: signal.Brain, truth: signal.Truth) -> None:
    young = signal.Participant("a", "control", "F", 30)
    old = signal.Participant("b", "patient", "F", 40)
    difference = truth.signal(old, 35.0) - truth.signal(young, 35.0)
    assert np.allclose(difference[truth.group_voxels], truth.group.effect)
    assert np.allclose(difference[truth.age_voxels], 10 * truth.age.effect)
    assert not difference[~(truth.group_voxels | truth.age_voxels)].any()
