"""From the words of the spec to the arguments of the rooms that do the work, which never see a spec."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import singledispatch
from pathlib import Path

from specgl import design, images, inference
from specgl import spec as language
from specgl.errors import Finding
from specgl.grammar import read_formula
from specgl.spec import AnalysisSpec, Data, Missing, Model


def variables(spec: AnalysisSpec) -> dict[str, design.Categorical | design.Continuous]:
    """Declared columns that the formula uses, as the design takes them; the others change no number."""
    used = {use.name for use in read_formula(spec.model.formula).names} if spec.model is not None else set()
    return {name: _variable(declared) for name, declared in spec.variables.items() if name in used}


@singledispatch
def _variable(declared: object) -> design.Categorical | design.Continuous:
    raise TypeError(f"no such variable: {declared!r}")


@_variable.register
def _(declared: language.Categorical) -> design.Categorical:
    return design.Categorical(levels=declared.levels, coding=declared.coding)


@_variable.register
def _(declared: language.Continuous) -> design.Continuous:
    return design.Continuous(center=declared.center, scale=declared.scale, unit=declared.unit)


def contrast_requests(spec: AnalysisSpec) -> list[design.ContrastRequest]:
    """Contrasts, as the design takes them."""
    return [_request(contrast, name) for name, contrast in spec.contrasts.items()]


@singledispatch
def _request(contrast: object, name: str) -> design.ContrastRequest:
    raise TypeError(f"no such contrast: {contrast!r}")


@_request.register
def _(contrast: language.HypothesisT, name: str) -> design.ContrastRequest:
    return design.ContrastRequest(
        name,
        ("contrasts", name, "hypothesis"),
        alternative=contrast.alternative,
        hypotheses=(contrast.hypothesis,),
    )


@_request.register
def _(contrast: language.HypothesisF, name: str) -> design.ContrastRequest:
    return design.ContrastRequest(
        name, ("contrasts", name, "hypothesis"), hypotheses=contrast.hypothesis, is_f=True
    )


@_request.register
def _(contrast: language.WeightsT, name: str) -> design.ContrastRequest:
    return design.ContrastRequest(
        name,
        ("contrasts", name, "weights"),
        alternative=contrast.alternative,
        weights=(contrast.weights,),
    )


@_request.register
def _(contrast: language.WeightsF, name: str) -> design.ContrastRequest:
    return design.ContrastRequest(name, ("contrasts", name, "weights"), weights=contrast.weights, is_f=True)


@_request.register
def _(contrast: language.TermF, name: str) -> design.ContrastRequest:
    return design.ContrastRequest(name, ("contrasts", name, "term"), term=contrast.term, is_f=True)


@_request.register
def _(contrast: language.Conjunction, name: str) -> design.ContrastRequest:
    return design.ContrastRequest(
        name,
        ("contrasts", name, "conjunction"),
        alternative=contrast.alternative,
        members=contrast.conjunction,
    )


def inferences(spec: AnalysisSpec) -> tuple[inference.Inference, ...]:
    """How contrasts are thresholded."""
    return tuple(_inference(asked, name, spec) for name, asked in spec.inference.items())


@singledispatch
def _inference(asked: object, name: str, spec: AnalysisSpec) -> inference.Inference:
    raise TypeError(f"no such inference: {asked!r}")


@_inference.register
def _(asked: language.Parametric, name: str, spec: AnalysisSpec) -> inference.Inference:
    return inference.Parametric(
        name=name,
        correction=asked.correction,
        alpha=asked.alpha,
        min_cluster_size=asked.min_cluster_size,
        connectivity=asked.connectivity,
        across=asked.across,
    )


@_inference.register
def _(asked: language.VoxelPermutation, name: str, spec: AnalysisSpec) -> inference.Inference:
    return replace(_shuffled(asked, name, spec), correction=asked.correction)


@_inference.register
def _(asked: language.ExtentPermutation, name: str, spec: AnalysisSpec) -> inference.Inference:
    return replace(_shuffled(asked, name, spec), forming=_forming(asked))


@_inference.register
def _(asked: language.MassPermutation, name: str, spec: AnalysisSpec) -> inference.Inference:
    return replace(_shuffled(asked, name, spec), forming=_forming(asked), mass=asked.mass)


@_inference.register
def _(asked: language.TfcePermutation, name: str, spec: AnalysisSpec) -> inference.Inference:
    step = None if asked.tfce.dh == "exact" else asked.tfce.dh
    return replace(_shuffled(asked, name, spec), tfce=inference.Tfce(E=asked.tfce.E, H=asked.tfce.H, dh=step))


@_inference.register
def _(asked: language.TdpPermutation, name: str, spec: AnalysisSpec) -> inference.Inference:
    return replace(_shuffled(asked, name, spec), correction=asked.correction, sets=_sets(asked))


@_inference.register
def _(asked: language.AllResolutions, name: str, spec: AnalysisSpec) -> inference.Inference:
    return inference.AllResolutions(
        name=name,
        sets=_sets(asked),
        alpha=asked.alpha,
        connectivity=asked.connectivity,
        across=asked.across,
    )


@_inference.register
def _(asked: language.VoxelField, name: str, spec: AnalysisSpec) -> inference.Inference:
    return _random_field(asked, name)


@_inference.register
def _(asked: language.ExtentField, name: str, spec: AnalysisSpec) -> inference.Inference:
    forming = inference.Forming(p=asked.cluster_forming_p)
    return replace(_random_field(asked, name), forming=forming, extent=asked.extent)


@_inference.register
def _(asked: language.ExtentSimulated, name: str, spec: AnalysisSpec) -> inference.Inference:
    return _simulated(asked, name)


@_inference.register
def _(asked: language.MassSimulated, name: str, spec: AnalysisSpec) -> inference.Inference:
    return replace(_simulated(asked, name), mass=asked.mass)


def _shuffled(asked: language.AnyPermutation, name: str, spec: AnalysisSpec) -> inference.Permutation:
    """What all inferences by permutation have."""
    assert spec.permutation is not None, "the rules have seen that the section is there"
    return inference.Permutation(
        name=name,
        statistic=asked.statistic,
        correction=asked.correction,
        alpha=asked.alpha,
        connectivity=asked.connectivity,
        scale=asked.scale,
        across=asked.across,
        tail=spec.permutation.tail,
    )


def _random_field(asked: language.VoxelField | language.ExtentField, name: str) -> inference.RandomField:
    """What both inferences by random fields have."""
    return inference.RandomField(
        name=name,
        statistic=asked.statistic,
        alpha=asked.alpha,
        connectivity=asked.connectivity,
        fwhm=_widths(asked.smoothness),
        across=asked.across,
    )


def _simulated(asked: language.ExtentSimulated | language.MassSimulated, name: str) -> inference.Simulated:
    """What both inferences by simulation have."""
    return inference.Simulated(
        name=name,
        statistic=asked.statistic,
        forming=_forming(asked),
        n=asked.n,
        seed=asked.seed,
        alpha=asked.alpha,
        connectivity=asked.connectivity,
        fwhm=_widths(asked.smoothness),
        across=asked.across,
    )


def _forming(asked: language.Forming) -> inference.Forming:
    return inference.Forming(p=asked.cluster_forming_p, stat=asked.cluster_forming_stat)


def _widths(asked: language.GivenSmoothness | str) -> tuple[float, float, float] | None:
    """A given smoothness in mm; None for that of the residuals."""
    return asked.widths if isinstance(asked, language.GivenSmoothness) else None


def _sets(asked: language.DiscoverySets) -> inference.Sets:
    return inference.Sets(
        forming_z=asked.cluster_forming_z or (),
        regions=asked.regions is not None,
        largest=None if asked.largest is None else asked.largest.tdp,
    )


@dataclass(frozen=True, slots=True)
class RegionsRequest:
    """A label image as the spec names it.

    Attributes
    ----------
    image
        The image, relative to the spec's folder.
    labels
        The table of its regions' names, or None.
    where
        Keys of the spec that lead to it.
    """

    image: str
    labels: str | None
    where: tuple[str, ...]


def regions(spec: AnalysisSpec) -> dict[str, RegionsRequest]:
    """The label images whose regions inferences are about, by the inference's name."""
    return {
        name: RegionsRequest(asked.regions.image, asked.regions.labels, ("inference", name, "regions"))
        for name, asked in spec.inference.items()
        if isinstance(asked, language.DiscoverySets) and asked.regions is not None
    }


def atlas(spec: AnalysisSpec) -> RegionsRequest | None:
    """The label image that tables name places by; None where there is none."""
    asked = spec.output.atlas
    return None if asked is None else RegionsRequest(asked.image, asked.labels, ("output", "atlas"))


def shuffled(spec: AnalysisSpec) -> dict[str, language.PermutationInference]:
    """The inferences that want shuffles."""
    return {
        name: asked
        for name, asked in spec.inference.items()
        if isinstance(asked, language.PermutationInference)
    }


def block_levels(spec: AnalysisSpec) -> list[design.BlockLevel]:
    """Levels of exchangeability blocks, the outer first, as the design takes them."""
    if spec.permutation is None:
        block = spec.model.block if spec.model is not None else None
        return [] if block is None else [design.BlockLevel(block, where=("model", "block"))]
    return [
        design.BlockLevel(level.by, level.shuffle, level.order, where=("permutation", "blocks", number))
        for number, level in enumerate(spec.permutation.levels)
    ]


@singledispatch
def image_source(asked: object, id_columns: tuple[str, ...]) -> images.Source:
    """How each row's image is found."""
    raise TypeError(f"no such way to name images: {asked!r}")


@image_source.register
def _(asked: str, id_columns: tuple[str, ...]) -> images.Source:
    return images.Template(asked)


@image_source.register
def _(asked: language.ColumnImages, id_columns: tuple[str, ...]) -> images.Source:
    return images.Column(asked.column)


@image_source.register
def _(asked: language.BidsImages, id_columns: tuple[str, ...]) -> images.Source:
    return images.Bids(asked.bids.dataset, asked.bids.filters, id_columns)


@image_source.register
def _(asked: language.FileImages, id_columns: tuple[str, ...]) -> images.Source:
    return images.Volumes(asked.file, asked.index)


def uses_variances(model: Model) -> bool:
    """Whether the estimator weights observations by their first-level variances."""
    return isinstance(model.estimator, language.FixedEffects | language.MixedEffects)


def voxelwise(data: Data, model: Model) -> tuple[str, ...]:
    """Covariates that differ by location and that the formula names, in the order of the spec."""
    named = {use.name for use in read_formula(model.formula).names}
    return tuple(name for name in data.voxelwise if name in named)


def missing_voxels(missing: Missing) -> images.MissingVoxels:
    """What counts as missing, and how many observations may lack a location."""
    available = missing.voxel.available if isinstance(missing.voxel, language.Available) else 1.0
    return images.MissingVoxels(available=available, zero=missing.zero)


def map_dof(asked: language.AnyMap) -> tuple[float, ...]:
    """Degrees of freedom of a ready-made map, as a tuple of none, one or two."""
    if asked.dof is None:
        return ()
    return asked.dof if isinstance(asked.dof, tuple) else (asked.dof,)


def roots(spec: AnalysisSpec, *, allow_outside: bool) -> images.Roots:
    """Folders that files are found from."""
    table = (spec.folder / spec.data.table).parent if spec.data is not None else spec.folder
    return images.Roots(spec.folder, table, allow_outside)


def is_admitted(path: Path, roots: images.Roots) -> bool:
    """Whether a path, its links followed, lies under the spec's folder or may lie elsewhere."""
    try:
        real = path.resolve()
    except (OSError, RuntimeError, ValueError):
        return True  # it leads nowhere, which is told where it is opened
    return images.Roots(roots.spec, roots.spec, roots.allow_outside).admit(real)


def outside(text: str, where: tuple[str, ...]) -> Finding:
    """Finding for a path that leads out of the spec's folder."""
    return Finding(
        "E303",
        f"'{text}' leads outside the folder of the spec",
        where,
        help="move it below the spec's folder, or pass --allow-outside if you trust this spec",
        notes=("links are followed before this is decided",),
    )


def output_directory(spec: AnalysisSpec) -> Path:
    """Where the bundle goes when nothing else is said: beside the spec, under the analysis' name."""
    return spec.folder / (spec.output.directory or Path("results") / spec.name)
