"""Which maps can be chosen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from specgl.reporting.viewer.grids import box_around
from specgl.reporting.viewer.maps import Map, maps_of

from .conftest import StandIn, ball


def maps(bundle: StandIn) -> list[Map]:
    box = box_around(bundle.mask)
    assert box is not None
    return list(maps_of(bundle, box))  # type: ignore[arg-type]


def test_all_maps_of_all_contrasts_in_order(bundle: StandIn) -> None:
    found = maps(bundle)

    keys = ["statistic", "effect", "z", "surviving fdr", "logp fdr", "surviving clusters", "logp clusters"]
    assert [(m.contrast, m.key) for m in found] == [(c, key) for c in ("faces", "age") for key in keys]
    assert len({(m.contrast, m.label) for m in found}) == len(found)
    assert {m.key: m.colours for m in found}["logp fdr"] == "sequential"
    assert {m.key: m.colours for m in found}["effect"] == "signed"
    assert [m.start for m in found if m.key == "statistic"] == [3.0, 3.0], (
        "the threshold of the first inference"
    )


def test_values_are_those_of_the_mask(bundle: StandIn) -> None:
    held = next(m for m in maps(bundle) if (m.contrast, m.key) == ("age", "effect"))

    expected = bundle.truth["effect"][1].T[ball().T]
    np.testing.assert_array_equal(np.sort(held.values), np.sort(expected))  # type: ignore[arg-type]


def test_what_survives_is_told_by_flags(bundle: StandIn) -> None:
    held = next(m for m in maps(bundle) if m.key == "surviving clusters")

    assert held.values is None
    assert held.survives is not None
    assert held.survives.sum() == (np.abs(bundle.truth["stat"][0][ball()]) > 4).sum()


def test_without_a_statistic_what_survives_has_values_of_its_own(bundle: StandIn) -> None:
    bundle.maps = bundle.maps.drop_vars(["stat", "z", "effect"])

    held = next(m for m in maps(bundle) if m.key == "surviving fdr")

    assert held.values is not None


def test_a_contrast_has_the_maps_that_have_values(make_stand_in: Callable[..., StandIn]) -> None:
    made = make_stand_in({"both": "F", "one": "t"})
    made.maps["effect"][0] = np.nan

    found = {(m.contrast, m.key): m for m in maps(made)}

    assert ("both", "effect") not in found
    assert ("one", "effect") in found
    assert found["both", "statistic"].colours == "positive"


def test_z_is_told_once(make_stand_in: Callable[..., StandIn]) -> None:
    assert "z" not in {m.key for m in maps(make_stand_in({"c": "z"}))}


def test_p_is_shown_as_its_logarithm(make_stand_in: Callable[..., StandIn]) -> None:
    made = make_stand_in({"c": "p"})
    made.maps["stat"][...] = np.where(ball(), 0.001, np.nan)
    made.maps["stat"][0, 9, 11, 6] = 0.0

    held = next(m for m in maps(made) if m.kind == "statistic")

    assert held.values is not None
    assert np.isfinite(held.values).all()
    assert np.median(held.values) == pytest.approx(3)
    assert held.colours == "sequential"


def test_shares_of_true_discoveries(bundle: StandIn) -> None:
    bundle.maps["tdp_fdr"] = bundle.maps["stat"] * 0 + 0.5

    assert "tdp fdr" in {m.key for m in maps(bundle)}


@pytest.mark.parametrize("results", [[], [{"contrast": "faces", "inference": "fdr", "threshold": None}]])
def test_thresholds_may_be_unknown(bundle: StandIn, results: list[dict[str, Any]]) -> None:
    bundle.manifest = {"results": results}

    assert np.isnan(next(m for m in maps(bundle) if m.kind == "statistic").start)
