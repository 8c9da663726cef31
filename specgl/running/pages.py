"""The last verb: a bundle's report, made from the bundle alone."""

from __future__ import annotations

import time
from pathlib import Path

from specgl import images
from specgl.bundle import (
    Bundle,
    Place,
    Role,
    Status,
    TextFile,
    open_bundle,
    renew_report,
    renew_underlay,
    verify,
)
from specgl.bundle import names as bundle_names
from specgl.images import ImageRef


def report(bundle: str | Path | Bundle, *, underlay: str | Path | None = None) -> Path:
    """Make the report of a bundle, and put it into the bundle.

    Parameters
    ----------
    bundle
        The bundle or its folder, of whatever status.
    underlay
        Image on which figures are drawn from now on; it goes into the bundle in place of the one that is
        there. No number depends on it.

    Returns
    -------
    Path
        ``report.html``: one self-contained page. Its figures are files of their own in ``figures/``;
        ``methods.md`` and ``references.bib`` stand beside it.

    Raises
    ------
    VerificationError
        E500 to E512: the bundle is not what its manifest says, and a page would not show what was found. A
        record of a run that stopped is not verified.
    ImageError
        E309 to E316: the underlay is no readable image of one volume.
    UsageError
        E413: another run is writing there.
    WriteError
        E411: the disk refused; the bundle is then as it was before.
    """
    held = bundle if isinstance(bundle, Bundle) else open_bundle(bundle)
    if held.status is Status.COMPLETE:
        verify(held.path, report=False)  # what a person has changed in the old report is no hindrance
    if underlay is not None:
        path = Path(underlay)
        renew_underlay(held.path, images.read_underlay(ImageRef(path.resolve(), name=str(underlay))))
    return render_into(held.path)


def render_into(target: Path | Place) -> Path:
    """Make the report of a bundle that was just written, without verifying it; see `report`."""
    folder = target.target if isinstance(target, Place) else target
    began = time.perf_counter()
    from specgl.reporting import render  # brings matplotlib and jinja2, for which nothing else waits

    page = render(open_bundle(folder))
    files = [TextFile(bundle_names.REPORT, Role.REPORT, page.html.encode())]
    files += [
        TextFile(bundle_names.figure(name), Role.FIGURE, content) for name, content in page.figures.items()
    ]
    beside = {bundle_names.METHODS: page.methods, bundle_names.REFERENCES: page.references}
    files += [
        TextFile(name, Role.METHODS, text.encode()) for name, text in beside.items() if text is not None
    ]
    renew_report(target, files, time.perf_counter() - began)
    return folder / bundle_names.REPORT
