"""Read the headers of all images and masks, and settle the grid."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from specgl import images
from specgl.design import Rows
from specgl.engines import Threads
from specgl.errors import Finding, ImageError
from specgl.images import Companions, Grid, ImageRef, Mask, Resample, Roots
from specgl.planning import translate
from specgl.planning.beside import Beside, files_of
from specgl.planning.estimate import Estimate, estimate
from specgl.planning.estimation import written_maps
from specgl.spec import AnalysisSpec, Data, MaskImage, MaskThreshold


@dataclass(frozen=True, eq=False)
class Files:
    """The images of an analysis, as their headers tell.

    Attributes
    ----------
    images
        One an observation, in the order of the rows.
    own_masks
        Each observation's own mask, or None.
    companions
        Variances and covariates that are read beside the images.
    mask
        Where to analyse.
    resample
        How images on other grids are brought to one, or None.
    grid
        The grid they agree on; None where there are no images, or no agreement.
    estimate
        What reading and fitting them will take.
    findings
        What is wrong or doubtful.
    """

    images: Mapping[str, ImageRef] = field(default_factory=dict)
    own_masks: Mapping[str, ImageRef] | None = None
    companions: Companions = Companions()  # noqa: RUF009  # frozen, so one default may serve all
    mask: Mask = None
    resample: Resample | None = None
    grid: Grid | None = None
    estimate: Estimate | None = None
    findings: tuple[Finding, ...] = ()


def read_files(
    spec: AnalysisSpec,
    data: Data,
    rows: Rows,
    refs: Mapping[str, ImageRef],
    beside: Beside,
    *,
    roots: Roots,
    threads: int,
) -> Files:
    """Read the headers of a group's images and masks, and of what belongs to the images.

    Parameters
    ----------
    spec, data
        What is asked.
    rows
        The analysed rows.
    refs
        Image of each row that has one; empty where the spec names no images.
    beside
        Variances and covariates, as far as they were found.
    roots
        Folders that files are found from.
    threads
        How many headers are read at once.

    Returns
    -------
    Files
        Nothing is raised: what is wrong is in its findings.
    """
    mask, mask_findings = find_mask(spec.mask, roots)
    resample, resample_findings = _find_target(data, roots)
    own, own_findings = _find_own_masks(data, rows, roots)
    kept = {who: refs[who] for who in rows.kept if who in refs}
    companions = beside.of(rows)
    findings = (*mask_findings, *resample_findings, *own_findings)
    found = Files(kept, own, companions, mask, resample, findings=findings)
    if not kept or any(finding.is_error for finding in found.findings):
        return found
    engine = Threads(threads)
    headers = images.read_headers(kept, engine)
    own_headers = None if own is None else images.read_headers(own, engine, where=("data", "masks"))
    try:
        agreed = images.common_grid(
            headers,
            mask=mask,
            own_masks=own_headers,
            companions=images.read_stacks(companions, list(kept), engine),
            resample=resample,
        )
    except ImageError as error:
        return replace(found, findings=(*found.findings, *error.findings))
    cost = estimate(
        agreed.grid.shape,
        [ref.path for ref in kept.values()],
        beside=files_of(companions),
        n_maps=len(spec.contrasts) * (len(written_maps(spec)) + 2 * len(spec.inference)),
        threads=threads,
    )
    return replace(found, grid=agreed.grid, estimate=cost, findings=(*found.findings, *agreed.findings))


def find_mask(asked: MaskImage | MaskThreshold | None, roots: Roots) -> tuple[Mask, tuple[Finding, ...]]:
    """Find the mask's file, where there is one."""
    if asked is None:
        return None, ()
    if isinstance(asked, MaskThreshold):
        return images.MaskThreshold(asked.absolute_threshold), ()
    found = images.locate_file(asked.image, roots=roots, where=("mask", "image"))
    if found.ref is None:
        return None, found.findings
    return images.MaskImage(found.ref, asked.threshold), found.findings


def _find_target(data: Data, roots: Roots) -> tuple[Resample | None, tuple[Finding, ...]]:
    """Find the grid that images are brought to."""
    asked = data.resample
    if asked is None:
        return None, ()
    if asked.to == "mask":
        return Resample("mask", asked.interpolation), ()
    if asked.to == "first":
        return Resample("first", asked.interpolation), ()
    found = images.locate_file(asked.to, roots=roots, where=("data", "resample", "to"))
    if found.ref is None:
        return None, found.findings
    return Resample(found.ref, asked.interpolation), found.findings


def _find_own_masks(
    data: Data, rows: Rows, roots: Roots
) -> tuple[Mapping[str, ImageRef] | None, tuple[Finding, ...]]:
    """Find each observation's own mask; one that lacks it is an error, since a mask is never dropped."""
    if data.masks is None:
        return None, ()
    where = ("data", "masks")
    frame = rows.table.frame.loc[list(rows.kept)]
    located = images.locate_images(
        translate.image_source(data.masks, data.id), frame, roots=roots, where=where
    )
    missing = images.missing_findings(located.missing, len(rows.kept), where, what="mask")
    return located.refs, (*located.findings, *missing)
