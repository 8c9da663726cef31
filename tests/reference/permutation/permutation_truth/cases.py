"""The cases: signs, groups, blocks, nuisance, variances and missing values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from permutation_truth.case import Case, smooth

BIG, MIDDLE, SMALL = (6, 5, 4), (5, 4, 3), (4, 3, 3)
ONES = np.ones((8, 1))
TWO = np.repeat([0, 1], 4)
THREE = np.repeat([0, 1, 2], [3, 2, 2])
PARTS = np.repeat([0, 1], [4, 3])
SLOPE = np.array([0.3, -1.1, 0.8, 1.9, -0.4, -1.6, 0.1, 1.2])
OTHER = np.array([1.0, 0.2, -0.7, 0.4, -1.3, 0.9, 0.5, -1.2])
COVARIATE = np.column_stack([np.ones(8), SLOPE, OTHER])[:7]
CELLS = np.eye(3)[THREE]
PAIRS = np.tile(np.arange(6), 2)
BESIDE = np.repeat([1.0, -1.0], 6)
FAMILIES = np.array([0, 1, 2, 3, 4, 5, 5, 4, 3, 2, 1, 0])
BORN = [0] * 6 + [1] * 6


def _one_sample() -> list[Case]:
    base = Case(
        "one_sample", ONES, [[1]], BIG, smooth(BIG, 8, 1, np.full(8, 1.4)), 256, exchange="flip", forming=1.9
    )
    nuisance = replace(
        base,
        name="flip_with_nuisance",
        matrix=np.column_stack([np.ones(8), SLOPE]),
        weights=[[1, 0]],
        shape=MIDDLE,
        y=smooth(MIDDLE, 8, 2, 1 + SLOPE),
    )
    return [
        base,
        replace(base, name="one_sample_greater", alternative="greater", shape=MIDDLE, y=_middle(3)),
        replace(
            base,
            name="strong_effect",
            shape=MIDDLE,
            y=0.2 * smooth(MIDDLE, 8, 27) + np.linspace(-60, 60, 60),
            steps=30.0,
        ),
        replace(base, name="one_sample_less", alternative="less", shape=MIDDLE, y=_middle(4)),
        replace(base, name="one_sample_f", kind="F", shape=MIDDLE, y=_middle(5), forming=4.0),
        nuisance,
        *(
            replace(nuisance, name=f"flip_with_nuisance_{how}", nuisance=how)
            for how in ("ter_braak", "dekker", "still_white")
        ),
    ]


def _middle(seed: int) -> np.ndarray:
    return smooth(MIDDLE, 8, seed, np.full(8, 1.2))


def _groups() -> list[Case]:
    matrix = np.eye(2)[TWO]
    base = Case("two_groups", matrix, [[1, -1]], BIG, smooth(BIG, 8, 6, 2.0 * (TWO == 0)), 70)
    whole_numbers = np.random.default_rng(7).integers(-3, 4, (8, 60)).astype(float)
    whole_numbers[3], whole_numbers[6] = whole_numbers[1], whole_numbers[5]
    whole_numbers[:, 1] = whole_numbers[:, 0]
    whole_numbers[:, 17] = 2.0
    three = Case(
        "f_three_groups",
        CELLS,
        [[1, -1, 0], [0, 1, -1], [1, 0, -1]],
        MIDDLE,
        smooth(MIDDLE, 7, 8, 4.0 * (THREE == 1)),
        210,
        kind="F",
        forming=3.0,
        steps=5.0,
    )
    return [
        base,
        replace(base, name="two_groups_on_z", scale="z"),
        replace(
            base, name="two_groups_less", shape=MIDDLE, y=smooth(MIDDLE, 8, 9, 3.0 * TWO), alternative="less"
        ),
        replace(
            base,
            name="ties",
            shape=MIDDLE,
            y=whole_numbers,
            constant=(17,),
            steps=0.397,  # no t of whole numbers is a multiple of it
            forming=1.3,
        ),
        replace(
            base,
            name="deficient_model",
            matrix=np.column_stack([np.ones(8), matrix]),
            weights=[[0, 1, -1]],
            shape=MIDDLE,
            y=smooth(MIDDLE, 8, 10, 2.0 * TWO),
        ),
        three,
        replace(three, name="f_three_groups_on_z", scale="z", forming=1.7, steps=0.4),
    ]


def _blocks() -> list[Case]:
    effect = 1.2 * BESIDE
    blocked = smooth(MIDDLE, 12, 11) + np.repeat(smooth((6, 1, 1), 12, 12), 10, axis=1)
    return [
        Case(
            "paired",
            BESIDE[:, None],
            [[1]],
            BIG,
            smooth(BIG, 12, 13, effect),
            64,
            blocks=PAIRS,
            levels=((PAIRS, "within", None),),
            moves=("within", PAIRS),
        ),
        Case(
            "whole_blocks",
            np.eye(2)[(FAMILIES > 2).astype(int)],
            [[-1, 1]],
            MIDDLE,
            blocked + 1.1 * (FAMILIES > 2)[:, None],
            20,
            levels=((FAMILIES, "whole", BORN),),
            moves=("whole", FAMILIES, BORN),
        ),
        Case(
            "whole_blocks_flip",
            np.ones((12, 1)),
            [[1]],
            MIDDLE,
            blocked + 0.5,
            64,
            exchange="flip",
            levels=((FAMILIES, "whole", BORN),),
            units=FAMILIES,
        ),
        Case(
            "whole_and_within",
            np.column_stack([np.ones(8), SLOPE]),
            [[0, 1]],
            MIDDLE,
            smooth(MIDDLE, 8, 14, SLOPE),
            384,
            levels=((np.repeat(np.arange(4), 2), "both", [0, 1] * 4),),
            moves=("both", np.repeat(np.arange(4), 2), [0, 1] * 4),
        ),
        Case(
            "permute_and_flip",
            np.eye(2)[[0, 0, 0, 1, 1]],
            [[1, -1]],
            SMALL,
            smooth(SMALL, 5, 15, 1.5 * (np.arange(5) < 3)),
            320,
            exchange="both",
            asked=True,
        ),
    ]


def _nuisance() -> list[Case]:
    base = Case(
        "covariate",
        COVARIATE,
        [[0, 1, 0]],
        SMALL,
        smooth(SMALL, 7, 16, COVARIATE.sum(axis=1)),
        144,
        levels=((PARTS, "within", None),),
        moves=("within", PARTS),
    )
    crossed = np.column_stack([np.ones(6), [0, 0, 0, 1, 1, 1], [0, 0, 1, 0, 1, 1]])
    ways = ("dekker", "draper_stoneman", "still_white", "ter_braak", "manly")
    return [
        base,
        *(replace(base, name=f"covariate_{how}", nuisance=how) for how in ways),
        replace(base, name="oblique_contrast", weights=[[0, 1, -0.6]], alternative="greater"),
        replace(base, name="f_covariates", weights=[[0, 1, 0], [0, 1, 1]], kind="F", forming=3.0, steps=5.0),
        replace(
            base,
            name="f_dekker",
            matrix=np.column_stack([COVARIATE, (SLOPE * OTHER)[:7]]),
            weights=[[0, 1, 0, 0], [0, 0, 1, 0]],
            kind="F",
            nuisance="dekker",
            forming=3.0,
            steps=5.0,
        ),
        replace(
            base,
            name="f_draper_stoneman",
            matrix=np.column_stack([COVARIATE, (SLOPE * OTHER)[:7]]),
            weights=[[0, 1, 0, 0], [0, 0, 1, 0]],
            kind="F",
            nuisance="draper_stoneman",
            forming=3.0,
            steps=5.0,
        ),
        Case(
            "draper_stoneman_loses_rank",
            crossed,
            [[0, 1, 0]],
            MIDDLE,
            smooth(MIDDLE, 6, 17, crossed[:, 1]),
            180,
            nuisance="draper_stoneman",
        ),
        Case(
            "huh_jhun",
            COVARIATE[:6, :2],
            [[0, 1]],
            SMALL,
            smooth(SMALL, 6, 18, SLOPE[:6]),
            120,
            nuisance="huh_jhun",
        ),
        replace(
            base,
            name="far_from_zero",
            matrix=COVARIATE * [1, 12, 3] + [0, 1960, -40],
            y=smooth(SMALL, 7, 28, SLOPE[:7]) + 5000.0,
        ),
        replace(base, name="blocks_in_the_model", matrix=COVARIATE[:, 1:], weights=[[1, 0]], blocks=PARTS),
    ]


def _variances() -> list[Case]:
    uneven = smooth(SMALL, 8, 19, 1.5 * TWO) * np.where(TWO, 3.0, 1.0)[:, None]
    six = np.column_stack([np.ones(6), [0, 0, 0, 1, 1, 1], SLOPE[:6]])
    corners = np.array([0, 0, 1, 0, 0, 1])
    six_moved = Case(
        "v_dekker",
        six,
        [[0, 1, 0]],
        SMALL,
        smooth(SMALL, 6, 20, 2.0 * six[:, 1]),
        48,
        groups=np.array([0, 0, 0, 1, 1, 1]),
        levels=((corners, "within", None),),
        moves=("within", corners),
        nuisance="dekker",
    )
    return [
        Case("v", np.eye(2)[TWO], [[-1, 1]], SMALL, uneven, 70, groups=TWO),
        Case(
            "v_flip",
            ONES,
            [[1]],
            SMALL,
            uneven + 0.5,
            256,
            exchange="flip",
            groups=TWO,
            alternative="greater",
        ),
        Case(
            "v_covariate",
            COVARIATE,
            [[0, 1, 0]],
            SMALL,
            uneven[:7],
            144,
            groups=PARTS,
            levels=((PARTS, "within", None),),
            moves=("within", PARTS),
        ),
        Case(
            "v_groups_apart_from_rows",
            np.eye(2)[[0, 0, 0, 1, 1, 1]],
            [[1, -1]],
            SMALL,
            smooth(SMALL, 6, 29, 2.0 * six[:, 1]),
            180,
            groups=np.array([0, 1, 0, 1, 0, 1]),
        ),
        six_moved,
        replace(six_moved, name="v_draper_stoneman", nuisance="draper_stoneman"),
        Case(
            "G",
            CELLS,
            [[1, -1, 0], [0, 1, -1]],
            SMALL,
            smooth(SMALL, 7, 21, 2.0 * (THREE == 1)),
            210,
            kind="F",
            groups=THREE,
        ),
    ]


def _missing() -> list[Case]:
    def holes(y: np.ndarray, *rows: int) -> np.ndarray:
        y = y.copy()
        for first, row in enumerate(rows):
            y[row, first::7] = np.nan
        y[rows[0], 3] = y[rows[1], 3] = np.nan
        return y

    covariate = Case(
        "available_covariate",
        COVARIATE,
        [[0, 1, 0]],
        SMALL,
        holes(smooth(SMALL, 7, 22, SLOPE[:7]), 0, 5),
        144,
        levels=((PARTS, "within", None),),
        moves=("within", PARTS),
    )
    return [
        Case(
            "available_two_groups",
            np.eye(2)[TWO],
            [[1, -1]],
            MIDDLE,
            holes(smooth(MIDDLE, 8, 23, 2.0 * TWO), 1, 4, 6),
            70,
        ),
        Case(
            "available_one_sample",
            ONES,
            [[1]],
            MIDDLE,
            holes(_middle(24), 2, 7),
            256,
            exchange="flip",
            alternative="greater",
        ),
        covariate,
        Case(
            "available_paired",
            BESIDE[:, None],
            [[1]],
            MIDDLE,
            holes(smooth(MIDDLE, 12, 25, 1.2 * BESIDE), 1, 4),
            64,
            blocks=PAIRS,
            levels=((PAIRS, "within", None),),
            moves=("within", PAIRS),
        ),
        Case(
            "available_f",
            CELLS,
            [[1, -1, 0], [0, 1, -1]],
            SMALL,
            holes(smooth(SMALL, 7, 26, 2.0 * (THREE == 1)), 0, 4),
            210,
            kind="F",
        ),
    ]


_ALL: tuple[Callable[[], list[Case]], ...] = (
    _one_sample,
    _groups,
    _blocks,
    _nuisance,
    _variances,
    _missing,
)
CASES: dict[str, Case] = {case.name: case for part in _ALL for case in part()}
