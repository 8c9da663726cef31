"""A plan in words and tables, for a terminal or a file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import singledispatch

import numpy as np

from specgl.bundle import planned_maps
from specgl.cli.estimation_text import estimation_words
from specgl.cli.inference_text import inference_words
from specgl.design import CategoricalColumn, Contrast, Design
from specgl.kernels.shuffles import short_count
from specgl.planning import GroupSource, MapSource, Plan, Shuffling

_LISTED = 12
"""Rows of a list that are printed before it is cut short."""


def plan_lines(plan: Plan) -> Iterator[str]:
    """Everything a reader wants to know before the run, line by line."""
    yield f"Analysis {plan.spec.name} (digest {plan.digest[:12]})"
    if plan.spec.description:
        yield f"  {plan.spec.description}"
    yield ""
    yield from _source_lines(plan.source)
    yield from _inference_lines(plan)
    yield from _file_lines(plan)


@singledispatch
def _source_lines(source: object) -> Iterator[str]:
    raise TypeError(f"no such source: {source!r}")


@_source_lines.register
def _(source: GroupSource) -> Iterator[str]:
    rows, design = source.rows, source.design
    yield f"Observations: {len(rows.kept)} kept, {len(rows.dropped)} dropped ({rows.table.name})"
    yield from _cut(f"  {row.observation} (line {row.line}): {row.reason}" for row in rows.dropped)
    for column in design.columns.values():
        if isinstance(column, CategoricalColumn):
            counts = Counter(column.codes.tolist())
            cells = ", ".join(f"{level} {counts[code]}" for code, level in enumerate(column.levels))
            yield f"  {column.name} ({column.coding} coding): {cells}"
        else:
            unit = f" {column.unit}" if column.unit else ""
            low, high = column.values.min(), column.values.max()
            yield (
                f"  {column.name}: centred at {column.center:.4g}{unit}, scaled by {column.scale:.4g}, "
                f"then from {low:.4g} to {high:.4g}"
            )
    yield ""
    yield from _design_lines(design, source.letters)
    yield estimation_words(source.estimation)
    yield ""


@_source_lines.register
def _(source: MapSource) -> Iterator[str]:
    yield f"Ready-made maps: {len(source.maps)}"
    for ready in source.maps:
        dof = f" with {' and '.join(f'{d:g}' for d in ready.dof)} degrees of freedom" if ready.dof else ""
        yield f"  {ready.name}: {ready.statistic}{dof}, {ready.image.shown}"
    yield ""


def _design_lines(design: Design, letters: Mapping[str, str]) -> Iterator[str]:
    n_obs, n_reg = design.matrix.shape
    yield f"Design: ~ {design.formula}"
    yield f"  {n_obs} observations, {n_reg} regressors, rank {design.rank}, {design.dof} degrees of freedom"
    if design.block is not None:
        yield f"  means of {len(design.block.labels)} blocks of {design.block.name} taken out"
    names = [regressor.name for regressor in design.regressors]
    width = max(map(len, names), default=0)
    for index, name in enumerate(names):
        times, whose = _listed(design.regressors[index].covariates)
        values = design.matrix[:, index]
        low, high, mean = values.min(), values.max(), values.mean()
        # What rounding leaves of a centred column is not worth a digit.
        mean = 0.0 if abs(mean) < 1e-12 * (high - low) else mean
        told = f"  {name:<{width}}  from {low:.4g} to {high:.4g}, mean {mean:.4g}"
        yield f"{told}, times {times}, from {whose} images" if times else told
    yield ""
    yield "Contrasts:"
    for contrast in design.contrasts:
        yield from _contrast_lines(contrast, letters[contrast.name], names)
    for joint in design.conjunctions:
        letter = letters[joint.name]
        yield f"  {joint.name} ({letter}, {joint.alternative}): {'; '.join(joint.words)}"
    yield ""


def _listed(covariates: tuple[str, ...]) -> tuple[str, str]:
    """Voxelwise covariates that multiply a regressor in words, and whose their images are."""
    return " and ".join(covariates), "its" if len(covariates) == 1 else "their"


def _contrast_lines(contrast: Contrast, letter: str, names: list[str]) -> Iterator[str]:
    direction = f", {contrast.alternative}" if contrast.kind == "t" else ""
    yield f"  {contrast.name} ({letter}{direction}): {'; '.join(contrast.words)}"
    for row in contrast.weights:
        parts = [
            f"{weight:+.4g} {name}"
            for weight, name in zip(row, names, strict=True)
            if not np.isclose(weight, 0)
        ]
        yield f"    = {' '.join(parts)}"


def _inference_lines(plan: Plan) -> Iterator[str]:
    if not plan.inferences:
        yield "Inference: none; maps are written without a threshold"
    else:
        yield "Inference:"
    own_dof = any(letter in ("v", "G") for letter in _letters(plan.source).values())
    for asked in plan.inferences:
        family = ", over all contrasts" if asked.across == "contrasts" else ""
        what, after = inference_words(asked, own_dof)
        yield f"  {asked.name}: {asked.method}, {what}{family}, alpha {asked.alpha:g}{after}"
    yield ""
    if isinstance(plan.source, GroupSource) and plan.source.shuffling is not None:
        yield from _shuffling_lines(plan.source.shuffling, plan.source.missing.available < 1)


def _shuffling_lines(shuffling: Shuffling, may_lack: bool) -> Iterator[str]:
    yield "Shuffles:"
    yield from (f"  {line}" for line in shuffling.exchange.lines())
    for scheme in shuffling.schemes:
        yield f"  {scheme.exchange} for {', '.join(scheme.contrasts)}: {scheme.why}"
        how = "each used once" if scheme.exhaustive else f"{scheme.n:,} of them drawn with seed {scheme.seed}"
        nuisance = f"nuisance by {scheme.nuisance}"
        if scheme.nuisance == "huh_jhun":
            nuisance += f", which shuffles {scheme.tree.n_obs} mixtures of the observations"
        if may_lack and scheme.nuisance != "draper_stoneman":
            nuisance += ", or by draper_stoneman as soon as a location lacks an observation"
        yield f"    {short_count(scheme.possible)} distinct labellings, {how}; {nuisance}"
    yield ""


def _file_lines(plan: Plan) -> Iterator[str]:
    if plan.grid is None:
        yield "Images: none named, so this spec can be planned but not run"
        return
    yield f"Grid: {plan.grid.describe()}"
    if plan.estimate is not None:
        cost = plan.estimate
        yield (
            f"Cost: about {cost.seconds:.0f} s and {_mebibytes(cost.memory)} of memory "
            f"(at most {_mebibytes(cost.memory_bound)}, were every voxel analysed)"
        )
    files = planned_maps(
        plan.maps,
        _letters(plan.source),
        plan.inferences,
        space=plan.grid.space,
        without_effect=_of_several_rows(plan.source),
        with_margin=plan.margins,
    )
    if plan.underlay is not None:
        yield f"The report's figures are drawn on {plan.underlay.shown}"
    yield f"Will be written to {plan.directory}: {len(files)} maps or fewer, their tables and provenance"
    yield from _cut(f"  {name}" for name in files)


@singledispatch
def _letters(source: object) -> dict[str, str]:
    """Letter of each contrast's statistic."""
    raise TypeError(f"no such source: {source!r}")


@_letters.register
def _(source: GroupSource) -> dict[str, str]:
    return source.letters


@_letters.register
def _(source: MapSource) -> dict[str, str]:
    return {ready.name: ready.statistic for ready in source.maps}


def _of_several_rows(source: object) -> set[str]:
    """Contrasts that have no single effect."""
    if not isinstance(source, GroupSource):
        return set()
    design = source.design
    several = {contrast.name for contrast in design.contrasts if len(contrast.weights) > 1}
    return several | {joint.name for joint in design.conjunctions}


def _mebibytes(size: int) -> str:
    return f"{size / 2**20:,.0f} MiB"


def _cut(lines: Iterable[str]) -> Iterator[str]:
    """The first lines of a list, and how many more there are."""
    every = list(lines)
    yield from every[:_LISTED]
    if len(every) > _LISTED:
        yield f"  ... and {len(every) - _LISTED} more"
