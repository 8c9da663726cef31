"""Plans of shuffles: who may change places, why, how many labellings there are, and what stops them."""

from __future__ import annotations

import pytest

import specgl
from specgl.errors import Exit, SpecglError
from specgl.planning import GroupSource, Shuffling, check_data

SHUFFLED = """\
inference:
  maxT: {method: permutation, statistic: voxel}
permutation: {n: 500, seed: 3}
"""


def _write(study, *, permutation: str = "{n: 500, seed: 3}", **edits: str) -> None:
    text = study.spec.read_text()
    head, tail = text[: text.index("inference:")], text[text.index("output:") :]
    study.write(head + SHUFFLED.replace("{n: 500, seed: 3}", permutation) + tail)
    for before, after in edits.items():
        study.edit(before, after)


def _planned(study) -> tuple[Shuffling, set[str]]:
    plan = specgl.plan(specgl.read(study.spec))
    assert isinstance(plan.source, GroupSource)
    assert plan.source.shuffling is not None
    return plan.source.shuffling, {finding.code for finding in plan.findings}


def _column(study, name: str, cells: list[str]) -> None:
    header, *rows = study.table.read_text().splitlines()
    lines = [f"{header}\t{name}", *(f"{row}\t{cell}" for row, cell in zip(rows, cells, strict=True))]
    study.table.write_text("\n".join(lines) + "\n")


def test_a_spec_without_shuffles_plans_none(study) -> None:
    source = specgl.plan(specgl.read(study.spec)).source
    assert isinstance(source, GroupSource)
    assert source.shuffling is None


def test_contrasts_share_a_set_of_shuffles_where_they_are_exchanged_alike(study) -> None:
    _write(study, **{"  any:": "  average: mean\n  any:"})
    shuffling, _ = _planned(study)
    assert [(one.exchange, one.contrasts) for one in shuffling.schemes] == [
        ("permute", ("patientGtControl", "ageSlope", "any")),
        ("flip", ("average",)),
    ]
    assert [one.possible for one in shuffling.schemes] == [3_628_800, 1024]
    assert [one.n for one in shuffling.schemes] == [500, 500]


def test_shuffles_are_part_of_the_cost(study) -> None:
    before = specgl.plan(specgl.read(study.spec)).estimate
    _write(study)
    after = specgl.plan(specgl.read(study.spec)).estimate
    assert before is not None
    assert after is not None
    assert after.seconds > before.seconds
    assert after.memory > before.memory


def test_blocks_are_read_from_the_table(study) -> None:
    _column(study, "site", ["a", "a", "a", "b", "b"] * 2)
    _write(study, permutation="{n: all, seed: 3, blocks: {by: site, shuffle: within}}")
    shuffling, _ = _planned(study)
    (scheme,) = shuffling.schemes
    assert (scheme.possible, scheme.exhaustive) == (720 * 24, True)
    assert "site" in "\n".join(shuffling.exchange.lines())


def test_blocks_of_unequal_size_cannot_change_places(study) -> None:
    _column(study, "family", ["a", "a", "a", "b", "b", "c", "c", "d", "d", "e"])
    _write(study, permutation="{seed: 3, blocks: {by: family, shuffle: whole}}")
    with pytest.raises(SpecglError) as caught:
        specgl.plan(specgl.read(study.spec))
    (finding,) = (f for f in caught.value.findings if f.is_error)
    assert (finding.code, finding.file, finding.line) == ("E260", "participants.tsv", 2)


def test_fewer_labellings_than_alpha_needs(study) -> None:
    _column(study, "site", ["a"] * 5 + ["b"] * 5)
    _write(study, permutation="{n: all, seed: 3, blocks: {by: site, shuffle: whole}}")
    with pytest.raises(SpecglError) as caught:
        specgl.plan(specgl.read(study.spec))
    assert "E271" in {finding.code for finding in caught.value.findings}


def test_variance_groups_follow_from_blocks(study) -> None:
    _column(study, "site", ["a", "a", "a", "b", "b"] * 2)
    _write(
        study,
        permutation="{n: 500, seed: 3, blocks: {by: site, shuffle: within}}",
        **{"  formula: group + age": "  formula: group + age\n  variance_groups: {from: blocks}"},
    )
    plan = specgl.plan(specgl.read(study.spec))
    assert isinstance(plan.source, GroupSource)
    groups = plan.source.design.variance_groups
    assert groups is not None
    assert groups.codes.tolist() == [0, 0, 0, 1, 1] * 2
    assert plan.source.letters == {"patientGtControl": "v", "ageSlope": "v", "any": "G"}


@pytest.mark.parametrize(("exchange", "warned"), [("permute", True), ("flip", False)])
def test_small_variance_groups_of_unequal_size_are_warned_of_where_they_change_places(
    study, exchange: str, warned: bool
) -> None:
    _column(study, "scanner", ["a"] * 3 + ["b"] * 7)
    _write(
        study,
        permutation=f"{{n: 500, seed: 3, exchange: {exchange}}}",
        **{"  formula: group + age": "  formula: group + age\n  variance_groups: scanner"},
    )
    _, codes = _planned(study)
    assert ("W271" in codes) is warned


def test_a_family_of_contrasts_that_are_not_shuffled_alike(study) -> None:
    """It is seen with the table alone, and at its line."""
    _write(
        study,
        **{"  any:": "  average: mean\n  any:", "statistic: voxel}": "statistic: voxel, across: contrasts}"},
    )
    with pytest.raises(SpecglError) as caught:
        specgl.plan(specgl.read(study.spec))
    (finding,) = (f for f in caught.value.findings if f.is_error)
    assert (finding.code, finding.where) == ("E432", ("inference", "maxT", "across"))
    assert finding.line is not None
    assert caught.value.exit_code == Exit.SPEC


@pytest.mark.parametrize("tail", ["gpd", "gamma"])
def test_a_fitted_tail_may_be_asked_for_less_than_one_over_n(study, tail: str) -> None:
    _write(
        study,
        permutation=f"{{n: 300, seed: 3, tail: {tail}}}",
        **{"statistic: voxel}": "statistic: voxel, alpha: 0.001}"},
    )
    _, codes = _planned(study)
    assert not {code for code in codes if code.startswith("E")}


@pytest.mark.parametrize(
    ("inference", "warned"),
    [("", False), ("  parametric: {method: parametric}\n", True)],
)
def test_people_exchanged_as_wholes_are_not_taken_for_independent(
    study, inference: str, warned: bool
) -> None:
    header, *rows = study.table.read_text().splitlines()
    twice = [f"{row}\t{visit}" for row in rows for visit in ("first", "second")]
    study.table.write_text("\n".join([f"{header}\tvisit", *twice]) + "\n")
    blocks = "{by: participant_id, shuffle: whole, order: visit}"
    _write(
        study,
        permutation=f"{{n: 500, seed: 3, blocks: {blocks}}}",
        **{
            "  table: participants.tsv": "  table: participants.tsv\n  id: [participant_id, visit]",
            "inference:\n": f"inference:\n{inference}",
        },
    )
    codes = {finding.code for finding in check_data(specgl.read(study.spec))}
    assert not {code for code in codes if code.startswith("E")}
    assert ("W239" in codes) is warned
