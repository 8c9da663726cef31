"""Find the label images that inferences and tables are about, and what figures are drawn on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from specgl import images
from specgl.errors import Finding
from specgl.images import Grid, ImageRef, LabelImage, Roots
from specgl.planning import translate
from specgl.spec import AnalysisSpec


@dataclass(frozen=True, eq=False)
class FoundRegions:
    """The label images of an analysis, and its underlay.

    Attributes
    ----------
    regions
        For inferences about regions, by the inference's name.
    atlas
        By which tables name places, or None.
    underlay
        On which figures are drawn, or None.
    findings
        What is wrong or doubtful with them.
    """

    regions: Mapping[str, LabelImage]
    atlas: LabelImage | None
    underlay: ImageRef | None
    findings: tuple[Finding, ...]


def find_regions(spec: AnalysisSpec, *, roots: Roots, grid: Grid | None) -> FoundRegions:
    """Find label images and their tables, and the underlay, and look at the images' headers.

    Parameters
    ----------
    spec
        What is asked.
    roots
        Folders that files are found from.
    grid
        The grid of the analysis; None where there is none.
    """
    findings: list[Finding] = []

    def find(asked: translate.RegionsRequest | None) -> LabelImage | None:
        if asked is None:
            return None
        found, told = images.locate_labels(
            asked.image, asked.labels, roots=roots, where=asked.where, grid=grid
        )
        findings.extend(told)
        return found

    found = {name: find(asked) for name, asked in translate.regions(spec).items()}
    atlas = find(translate.atlas(spec))
    regions = {name: one for name, one in found.items() if one is not None}
    underlay = None
    if (named := spec.output.underlay) is not None:
        underlay, told = images.locate_underlay(named, roots=roots, where=("output", "underlay"), grid=grid)
        findings.extend(told)
    return FoundRegions(regions, atlas, underlay, tuple(findings))
