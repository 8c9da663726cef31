"""Plan ready-made maps: files and grid."""

from __future__ import annotations

from dataclasses import dataclass

from specgl import images
from specgl.engines import Threads
from specgl.errors import Finding, ImageError
from specgl.images import Grid, ImageRef, Roots
from specgl.planning import translate
from specgl.planning.estimate import Estimate, estimate
from specgl.planning.files import find_mask
from specgl.planning.records import MapSource, ReadyMap
from specgl.spec import AnalysisSpec


@dataclass(frozen=True, eq=False)
class PlannedMaps:
    """What was settled about ready-made maps.

    Attributes
    ----------
    source
        The maps that were found, and the mask.
    grid
        The grid they share; None where they do not.
    estimate
        What reading them will take.
    findings
        Everything found.
    """

    source: MapSource
    grid: Grid | None
    estimate: Estimate | None
    findings: tuple[Finding, ...]


def plan_maps(spec: AnalysisSpec, *, roots: Roots, threads: int) -> PlannedMaps:
    """Plan the thresholding of ready-made maps.

    Parameters
    ----------
    spec
        What is asked.
    roots
        Folders that files are found from.
    threads
        How many headers are read at once.
    """
    mask, findings = find_mask(spec.mask, roots)
    found = list(findings)
    refs: dict[str, ImageRef] = {}
    for name, asked in spec.maps.items():
        file = images.locate_file(asked.image, roots=roots, where=("maps", name, "image"))
        found.extend(file.findings)
        if file.ref is not None:
            refs[name] = file.ref
    maps = tuple(
        ReadyMap(name, ref, spec.maps[name].statistic, translate.map_dof(spec.maps[name]))
        for name, ref in refs.items()
    )
    source = MapSource(maps, mask)
    if any(finding.is_error for finding in found):
        return PlannedMaps(source, None, None, tuple(found))
    headers = images.read_headers(refs, Threads(threads), where=("maps",))
    try:
        agreed = images.common_grid(headers, mask=mask)
    except ImageError as error:
        return PlannedMaps(source, None, None, (*found, *error.findings))
    cost = estimate(
        agreed.grid.shape,
        [ref.path for ref in refs.values()],
        n_maps=len(maps) * (3 + 2 * len(spec.inference)),
        threads=threads,
    )
    return PlannedMaps(source, agreed.grid, cost, (*found, *agreed.findings))
