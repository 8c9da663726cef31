"""Plan a group of subjects' maps: rows, design, files, grid."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from specgl import images
from specgl.design import Design, Rows, build, drop_rows, lint, read_table, repeated_rows, select_rows
from specgl.errors import DesignError, Finding, SpecError, TableError
from specgl.images import Located, Roots
from specgl.models import Estimation
from specgl.planning import translate
from specgl.planning.beside import Beside, find_beside, wanted
from specgl.planning.estimation import plan_estimation
from specgl.planning.files import Files, read_files
from specgl.planning.records import GroupSource
from specgl.planning.shuffling import Shuffling, plan_exchange, plan_shuffling, variance_groups
from specgl.spec import AnalysisSpec, Data, Model


@dataclass(frozen=True, eq=False)
class PlannedGroup:
    """What was settled; without a design something in `findings` is an error.

    Attributes
    ----------
    rows
        The analysed rows, and the others with their reasons.
    design
        Built on the rows, where it could be.
    estimation
        How the model is estimated, where that is known.
    shuffling
        How observations will be shuffled; None where nothing is.
    files
        Headers read, and the grid they agree on.
    findings
        Everything found, in the order of the stages.
    """

    rows: Rows
    design: Design | None
    estimation: Estimation | None
    shuffling: Shuffling | None
    files: Files
    findings: tuple[Finding, ...]

    def source(self, data: Data) -> GroupSource:
        """The source that `specgl.run` loads."""
        assert self.design is not None, "a plan with errors has no source"
        assert self.estimation is not None, "nor an estimation"
        return GroupSource(
            rows=self.rows,
            design=self.design,
            estimation=self.estimation,
            images=self.files.images,
            own_masks=self.files.own_masks,
            mask=self.files.mask,
            missing=translate.missing_voxels(data.missing),
            smoothing_fwhm=data.smoothing_fwhm,
            resample=self.files.resample,
            shuffling=self.shuffling,
            variances=self.files.companions.variances,
            voxelwise=self.files.companions.voxelwise,
        )


def plan_group(spec: AnalysisSpec, data: Data, model: Model, *, roots: Roots, threads: int) -> PlannedGroup:
    """Plan an analysis of subjects' maps.

    Parameters
    ----------
    spec, data, model
        The spec and its two parts that a group must have.
    roots
        Folders that files are found from.
    threads
        How many read headers.

    Raises
    ------
    DesignError or DataError
        When the table cannot be read or leaves no rows. What is found after that is in `findings`.
    """
    rows = read_rows(spec, data, model, roots)
    located = find_images(data, rows, roots)
    beside = find_beside(data, model, rows, roots)
    rows, missing = settle_missing(data, rows, located, beside)
    estimation, clusters = plan_estimation(model, rows)
    design, shuffling, faults = build_design(spec, model, rows)
    files = read_files(spec, data, rows, located.refs, beside, roots=roots, threads=threads)
    sought = (*located.findings, *beside.findings, *missing)
    found = (*rows.table.findings, *rows.findings, *sought, *clusters, *faults, *files.findings)
    return PlannedGroup(rows, design, estimation, shuffling, files, found)


def read_rows(spec: AnalysisSpec, data: Data, model: Model, roots: Roots) -> Rows:
    """Read the table and choose its rows.

    Raises
    ------
    SpecError
        The table's path leads outside the spec's folder, and that is not allowed.
    DesignError or TableError
        With everything found in the table.
    """
    path = spec.folder / data.table
    if not translate.is_admitted(path, roots):
        raise SpecError(translate.outside(data.table, ("data", "table")))
    table = read_table(path, id_columns=data.id, name=data.table)
    rows = select_rows(
        table,
        include=data.include,
        exclude=data.exclude,
        variables=translate.variables(spec),
        block=model.block,
        missing_covariate=data.missing.covariate,
    )
    thought_of = model.block or _exchanged(spec)
    repeated = repeated_rows(rows, data.id, formula=model.formula, block=thought_of)
    return replace(rows, findings=(*rows.findings, *repeated))


def _exchanged(spec: AnalysisSpec) -> str | None:
    """Column of the blocks, where all inferences go by them; others take rows for independent."""
    if spec.permutation is None or len(translate.shuffled(spec)) < len(spec.inference):
        return None
    return next((level.by for level in spec.permutation.levels), None)


def build_design(
    spec: AnalysisSpec, model: Model, rows: Rows
) -> tuple[Design | None, Shuffling | None, tuple[Finding, ...]]:
    """Build the design and its shuffles, with their warnings; or tell all that is wrong with them."""
    exchange, found = plan_exchange(spec, rows)
    try:
        design = build(
            rows,
            variables=translate.variables(spec),
            formula=model.formula,
            block=model.block,
            contrasts=translate.contrast_requests(spec),
            variance_groups=variance_groups(model, exchange),
            voxelwise=() if spec.data is None else tuple(spec.data.voxelwise),
        )
    except (DesignError, TableError) as error:
        return None, None, (*found, *error.findings)
    found = (*found, *design.findings, *lint(design))
    if exchange is None:
        return design, None, found
    shuffling, more = plan_shuffling(spec, design, exchange)
    return design, shuffling, (*found, *more)


def find_images(data: Data, rows: Rows, roots: Roots) -> Located:
    """Find each kept row's image; none where the spec names none."""
    if data.images is None:
        return Located(refs={}, missing={})
    frame = rows.table.frame.loc[list(rows.kept)]
    source = translate.image_source(data.images, data.id)
    return images.locate_images(source, frame, roots=roots, where=("data", "images"))


def check_image_columns(data: Data, model: Model, rows: Rows) -> tuple[Finding, ...]:
    """Columns that the spec wants for images of any kind, and the table lacks; no file is looked for."""
    found: tuple[Finding, ...] = ()
    for key, asked in (("images", data.images), ("masks", data.masks)):
        if asked is not None:
            source = translate.image_source(asked, data.id)
            found += images.missing_columns(source, rows.table.frame, where=("data", key))
    for one in wanted(data, model).values():
        found += images.missing_columns(one.source, rows.table.frame, where=one.where)
    return found


def settle_missing(
    data: Data, rows: Rows, located: Located, beside: Beside
) -> tuple[Rows, tuple[Finding, ...]]:
    """Drop the rows of which an image is missing, or tell which they are."""
    lacking: list[tuple[str, tuple[str, ...], Mapping[str, str]]] = [
        ("image", ("data", "images"), located.missing)
    ]
    lacking += [(one.what, one.where, missing) for one, missing in beside.missing()]
    if data.missing.image == "drop":
        reasons: dict[str, str] = {}
        for what, _, missing in lacking:
            reasons = {who: f"no {what}: {why}" for who, why in missing.items()} | reasons
        return (drop_rows(rows, reasons) if reasons else rows), ()
    told = [
        images.missing_findings(dict(missing), len(rows.kept), where, what=what)
        for what, where, missing in lacking
    ]
    return rows, tuple(finding for findings in told for finding in findings)
