"""``permutation``: the shuffles that all permutation inferences of a spec share."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag
from pydantic_core import PydanticCustomError

from specgl.spec.base import Part, PositiveInteger, Text

MOST_SEED = 2**53 - 1
"""The largest whole number that every reader of JSON keeps."""


class BlockLevel(Part):
    """Blocks of observations, and how they restrict what may change places."""

    by: Text
    """Column of the table that says to which block an observation belongs, such as `family`."""

    shuffle: Literal["within", "whole", "both"] = "within"
    """`within`: observations change places inside their block. `whole`: blocks of the same build change
    places as wholes, their members staying together. `both`."""

    order: Text | None = None
    """Column by which the members of blocks that change places as wholes are matched, such as `session`:
    numbers by their size, anything else as text. Left out: by their sorted ids, never by the table's
    order."""


def _blocks_form(value: Any) -> str:
    """Tag of the form in which blocks are said: one level, or a list of them."""
    return "<levels>" if isinstance(value, list | tuple) else "<BlockLevel>"


Blocks = Annotated[
    Annotated[BlockLevel, Tag("<BlockLevel>")]
    | Annotated[tuple[BlockLevel, ...], Field(strict=False, min_length=1), Tag("<levels>")],
    Discriminator(_blocks_form),
    AfterValidator(lambda blocks: blocks if isinstance(blocks, tuple) else (blocks,)),
]
"""One level of blocks, or a list of them, the outer first; always kept as a list."""


def _not_kennedy(value: Any) -> Any:
    """Refuse a method by name that others offer."""
    if value == "kennedy":
        raise PydanticCustomError(
            "refused",
            "Kennedy's method is not valid: it shuffles residuals against residualised regressors as if "
            "neither had been estimated, and finds too much",
            {"code": "E031", "help": "write `freedman_lane`, or `huh_jhun`, which mends this very fault"},
        )
    return value


class PermutationSettings(Part):
    """The shuffles that all permutation inferences share."""

    n: Literal["all"] | PositiveInteger = 10000
    """How many shuffles, the unshuffled data among them; each possible labelling once where there are no more
    than this, or where this is `all`."""

    seed: Annotated[int, Field(strict=True, ge=0, le=MOST_SEED)]
    """Seed of the random shuffles, a whole number of 0 or more. The same seed gives the same result to the
    bit on any machine."""

    exchange: Literal["permute", "flip", "both"] | None = None
    """What a shuffle does: observations change places (`permute`), keep theirs and change sign (`flip`), or
    `both`. Permuting takes the errors for exchangeable, flipping for symmetric about 0. Left out: decided
    for each contrast by the design's algebra, never by a column's look: `flip` where nothing but the tested
    part explains the mean, as in a one-sample test, else `permute`. `specgl plan` prints it."""

    blocks: Blocks | None = None
    """What may change places with what: `{by: family, shuffle: within}`, or a list of such levels, the outer
    first, whose blocks lie in one another. Left out: everything with everything, or within the blocks that
    `model.block` names."""

    nuisance: Annotated[
        Literal[
            "freedman_lane",
            "dekker",
            "draper_stoneman",
            "still_white",
            "ter_braak",
            "manly",
            "huh_jhun",
        ],
        BeforeValidator(_not_kennedy),
    ] = "freedman_lane"
    """How effects that a contrast does not test are kept while the others are shuffled. With
    `missing: {voxel: {available: ...}}` `draper_stoneman` is used, whose data stay in place, as soon as one
    location lacks an observation."""

    tail: Literal["counts", "gpd", "gamma"] = "counts"
    """How small p-values are made: shuffles counted (`counts`); below 0.1 extrapolated by a generalised
    Pareto distribution (`gpd`); or a gamma distribution with the shuffles' moments (`gamma`)."""

    tau2: Literal["reduced_model"] | None = None
    """`reduced_model`: with `method: mixed_effects`, each location keeps under all shuffles the variance
    between observations of the model without what is tested, and with it its weights: neither is estimated
    anew for each. The variance of the statistic that is compared comes from the weighted residuals (as Knapp
    and Hartung's), with either `adjustment`. Filled in where it applies."""

    @property
    def levels(self) -> tuple[BlockLevel, ...]:
        """Levels of blocks, the outer first; none where everything may change places."""
        return () if self.blocks is None else _as_levels(self.blocks)


def _as_levels(blocks: BlockLevel | tuple[BlockLevel, ...]) -> tuple[BlockLevel, ...]:
    return blocks if isinstance(blocks, tuple) else (blocks,)
