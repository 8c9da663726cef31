"""Variances and covariates brought to the locations of the effects; what lacks one of them is missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from specgl.engines import Threads
from specgl.errors import Finding
from specgl.images.companions import Stack
from specgl.images.masks import InputFile
from specgl.images.paths import listing
from specgl.images.reading import Counter, Reading
from specgl.images.stores import Gathered, Slab, keep, narrow, varying
from specgl.images.transforms import Interpolation, MissingVoxels, PositiveOnly, Preparation, Real


@dataclass(frozen=True, eq=False)
class Attached:
    """The effects with their companions.

    Attributes
    ----------
    gathered
        The effects at the locations that are left; an effect that lacks a companion is NaN.
    variances
        ``(n_obs, n_loc)``, or None where none were asked for.
    covariates
        ``(n_cov, n_obs, n_loc)``, or None.
    names
        Of the covariates.
    lost
        Locations that fell away by ``without_variance`` and, after that, by ``without_covariate``; only what
        was asked for.
    inputs
        The files that were read.
    findings
        Errors E321, and warnings W313 and W316.
    """

    gathered: Gathered
    variances: Real | None
    covariates: Real | None
    names: tuple[str, ...]
    lost: Mapping[str, int]
    inputs: tuple[InputFile, ...]
    findings: tuple[Finding, ...]


def attach(
    gathered: Gathered,
    stacks: Sequence[Stack],
    *,
    missing: MissingVoxels,
    interpolation: Interpolation | None,
    engine: Threads,
    counter: Counter,
) -> Attached:
    """Read companions at the locations of the effects, and leave out what lacks one.

    Companions are resampled as the effects are, and not smoothed. A variance that is no finite number above
    0 is none; a covariate is missing by the rules for the images. The effect of an observation that lacks a
    companion at a location becomes missing there, after which a location stays only where enough effects are
    left and where these vary. Memory: one array for the variances and one for all covariates, taken once and
    shrunk in place.

    Parameters
    ----------
    gathered
        The effects, where enough of them have a value and where they vary; changed in place.
    stacks
        With sound headers; none gives the effects back.
    missing
        The rules for missing voxels.
    interpolation
        How images on another grid are brought onto that of the effects; None when all lie on it.
    engine
        Where it runs.
    counter
        Counts images.

    Raises
    ------
    ImageError
        E311 when a file is damaged.
    """
    space, n_obs = gathered.space, len(gathered.values)
    kept = np.ones(space.n_locations, dtype=np.bool_)
    blocks: dict[str, Real] = {}
    lost: dict[str, int] = {}
    inputs: list[InputFile] = []
    findings: list[Finding] = []
    for role in ("variance", "covariate"):
        asked = [stack for stack in stacks if stack.role == role]
        if not asked:
            continue
        rule = PositiveOnly() if role == "variance" else missing
        dtype = np.result_type(*(stack.dtype for stack in asked))
        block: Real = np.empty((len(asked) * n_obs, space.n_locations), dtype=dtype)
        preparation = Preparation(space.grid, dtype, rule, interpolation)
        layers = list(block.reshape(len(asked), n_obs, -1))
        for stack, layer in zip(asked, layers, strict=True):
            reading = Reading(stack.headers, None, preparation, Slab(layer, space), counter, role)
            inputs += reading.run(engine)
        gathered, lacks = _leave_out(gathered, layers)
        del layers  # so that nothing refers to the block when it is shrunk
        before = kept
        if any(lack.values.any() for lack in lacks):
            kept = (gathered.present[space.file_index] >= missing.needed(n_obs)) & varying(gathered.values)
        lost[f"without_{role}"] = int(np.count_nonzero(before & ~kept))
        findings += _told(asked, lacks, lost[f"without_{role}"])
        blocks[role] = block
    blocks = {role: keep(block, space, kept)[0] for role, block in blocks.items()}
    covariates = blocks.get("covariate")
    return Attached(
        gathered=narrow(gathered, kept),
        variances=blocks.get("variance"),
        covariates=None if covariates is None else covariates.reshape(-1, n_obs, covariates.shape[1]),
        names=tuple(stack.name for stack in stacks if stack.role == "covariate"),
        lost=lost,
        inputs=tuple(inputs),
        findings=tuple(findings),
    )


@dataclass(frozen=True, eq=False)
class _Lack:
    """Effects that have a value and lack a companion.

    Attributes
    ----------
    values
        How many of each observation, ``(n_obs,)``.
    at
        Where there is any, ``(n_loc,)``.
    void
        Observations that had effects, each of which lacks some companion, ``(n_obs,)``; shared by all.
    """

    values: npt.NDArray[np.int64]
    at: npt.NDArray[np.bool_]
    void: npt.NDArray[np.bool_]


def _leave_out(gathered: Gathered, layers: Sequence[Real]) -> tuple[Gathered, list[_Lack]]:
    """Make effects without a companion missing, and have coverage and numbers follow."""
    values, index = gathered.values, gathered.space.file_index
    n_obs, n_loc = values.shape
    expected = gathered.present[index] >= gathered.least
    lost = np.zeros(n_obs)
    gone_at = np.zeros(n_loc, dtype=np.int32)
    void = np.zeros(n_obs, dtype=np.bool_)
    lacks = [_Lack(np.zeros(n_obs, np.int64), np.zeros(n_loc, np.bool_), void) for _ in layers]
    for row in range(n_obs):
        there = np.isfinite(values[row])
        gone = np.zeros(n_loc, dtype=np.bool_)
        for layer, lack in zip(layers, lacks, strict=True):
            lacking = there & np.isnan(layer[row])
            lack.values[row] = np.count_nonzero(lacking)
            lack.at[lacking] = True
            gone |= lacking
        values[row][gone] = np.nan
        gone_at += gone
        lost[row] = np.count_nonzero(gone & expected)
        void[row] = gone.any() and np.array_equal(gone, there)
    gathered.present[index] -= gone_at
    coverage = np.maximum(gathered.coverage - lost / gathered.n_expected, 0)
    return replace(gathered, coverage=coverage), lacks


def _told(stacks: Sequence[Stack], lacks: Sequence[_Lack], n_lost: int) -> list[Finding]:
    """Say how many effects lack a companion, whose, and where; and which observations have none left."""
    findings = []
    names = list(stacks[0].headers.refs)
    void = [f"'{names[row]}'" for row in np.flatnonzero(lacks[0].void).tolist()]
    if void:
        what = stacks[0].label if len(stacks) == 1 else "covariate"
        message = f"{len(void)} of {len(names)} observations without a usable {what}: {listing(void)}"
        advice = "check these images, or exclude these rows"
        findings.append(Finding("E321", message, stacks[0].where, help=advice))
    for stack, lack in zip(stacks, lacks, strict=True):
        if lack.values.any():
            findings.append(_lacking(stack, lack, names, n_lost))
    return findings


def _lacking(stack: Stack, lack: _Lack, names: Sequence[str], n_lost: int) -> Finding:
    rows = np.flatnonzero(lack.values).tolist()
    shown = listing([f"'{names[row]}' ({lack.values[row]:,})" for row in rows])
    is_variance = stack.role == "variance"
    return Finding(
        "W313" if is_variance else "W316",
        f"{int(lack.values.sum()):,} effects have no "
        + ("usable variance" if is_variance else f"value of the covariate '{stack.name}'")
        + f" and count as missing: in {len(rows)} of {len(names)} observations, "
        f"at {np.count_nonzero(lack.at):,} of {lack.at.size:,} locations",
        stack.where,
        help="a variance is a finite number above 0: look at these images, or use a mask without such places"
        if is_variance
        else "look at these images; where 0 is a value of the covariate, say data.missing.zero: data",
        notes=(f"observations: {shown}", f"locations that are not analysed for want of these: {n_lost:,}"),
    )
