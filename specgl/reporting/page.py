"""The page: sections put together, and what a browser is told of them."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from specgl.bundle import Status
from specgl.reporting.held import Held
from specgl.reporting.policy import content_policy
from specgl.reporting.rendering import fill, resource
from specgl.reporting.sections.data import make_data
from specgl.reporting.sections.design import make_design
from specgl.reporting.sections.findings import say_findings
from specgl.reporting.sections.glance import make_glance
from specgl.reporting.sections.methods import make_methods
from specgl.reporting.sections.provenance import make_provenance
from specgl.reporting.sections.results import Result, make_results
from specgl.reporting.viewer import Viewer, draft_viewer, make_viewer
from specgl.reporting.words import Methods, methods, question
from specgl.version import __version__

if TYPE_CHECKING:
    from specgl.bundle import Bundle

MOST_BYTES = 14_500_000
"""Size that a page does not pass while the viewer can give way: mails and browsers take 15 MB."""

Contents = list[tuple[str, str, list[tuple[str, str]]]]
"""Anchor, words and what stands below, of each section."""


@dataclass(frozen=True, slots=True)
class Page:
    """A report.

    Attributes
    ----------
    html
        The page, whole in itself.
    figures
        Its figures by file name.
    methods
        The methods as Markdown; None where a run stopped.
    references
        What they cite, as BibTeX; None where a run stopped.
    """

    html: str
    figures: Mapping[str, bytes]
    methods: str | None
    references: str | None


def render(bundle: Bundle) -> Page:
    """Make the report of a bundle, of whatever status.

    Parameters
    ----------
    bundle
        The bundle; nothing but it is read.

    Returns
    -------
    page
        The same bundle gives the same bytes.

    Raises
    ------
    VerificationError
        Where a file of the bundle is missing or cannot be read.
    """
    if bundle.status is not Status.COMPLETE:
        return Page(_stopped(bundle), MappingProxyType({}), None, None)
    with ThreadPoolExecutor(1) as beside:
        # Compressing maps keeps a core busy and lets go of Python, which draws the figures meanwhile.
        draft = beside.submit(draft_viewer, bundle)
        sections = _Sections(Held(bundle, question(bundle)), told := methods(bundle))
        spent = len(sections.page(None, jumps=True).encode())
        viewer = make_viewer(bundle, budget=max(MOST_BYTES - spent, 0), draft=draft.result())
    html = sections.page(viewer, jumps=viewer is not None and bool(viewer.scripts))
    return Page(html, MappingProxyType(dict(sections.album.files)), told.markdown(), told.bibtex())


class _Sections:
    """Records of all sections, made once, and the page with or without a viewer."""

    def __init__(self, held: Held, told: Methods) -> None:
        self.bundle = held.bundle
        self.album = held.album
        self.glance = make_glance(held)
        self.data = make_data(held)
        self.design = make_design(held)
        self.results = make_results(held, self.glance)
        self.methods = make_methods(told)
        self.provenance = make_provenance(held.bundle)
        label = held.bundle.manifest["space"]["label"]
        self.space = f" of the space {label}" if label else ""

    def page(self, viewer: Viewer | None, *, jumps: bool) -> str:
        """The page; `jumps` makes peaks buttons that lead to them in the viewer, else they are text."""
        notice = "" if viewer is None else viewer.notice
        made: list[tuple[str, str, str]] = [
            (
                "glance",
                "At a glance",
                fill("glance.html.j2", glance=self.glance, space=self.space, has_viewer=jumps),
            )
        ]
        if self.data is not None:
            made.append(("data", "Data", fill("data.html.j2", data=self.data)))
        if self.design is not None:
            made.append(("design", "Design", fill("design.html.j2", design=self.design)))
        made.append(("results", "Results", fill("results.html.j2", results=self.results, has_viewer=jumps)))
        if viewer is not None:
            made.append(("viewer", "Viewer", fill("viewer.html.j2", html=Markup(viewer.html))))
        made.append(("methods", "Methods", fill("methods.html.j2", methods=self.methods)))
        made.append(
            (
                "provenance",
                "Provenance",
                fill("provenance.html.j2", provenance=self.provenance, notice=notice),
            )
        )
        return _assemble(
            self.bundle,
            lead=self.glance.lead,
            contents=[(at, words, _inner(at, self.results)) for at, words, _ in made],
            sections=[text for _, _, text in made],
            scripts=() if viewer is None else viewer.scripts,
            csp=None if viewer is None else viewer.csp,
        )


def _inner(anchor: str, results: tuple[Result, ...]) -> list[tuple[str, str]]:
    return [(result.anchor, result.name) for result in results] if anchor == "results" else []


def _stopped(bundle: Bundle) -> str:
    """The page of a run that failed or was interrupted."""
    manifest = bundle.manifest
    message = str(manifest.get("message") or "")
    if manifest["errors"] and all(error["message"] in message for error in manifest["errors"]):
        message = ""  # it is nothing but the errors, which are told one by one
    stopped = fill(
        "stopped.html.j2",
        status=bundle.status.value,
        stage=manifest.get("stage"),
        message=message,
        errors=say_findings(manifest["errors"]),
        warnings=say_findings(manifest["warnings"]),
    )
    provenance = fill("provenance.html.j2", provenance=make_provenance(bundle), notice="")
    contents: Contents = [("stopped", "What happened", []), ("provenance", "Provenance", [])]
    return _assemble(bundle, lead="", contents=contents, sections=[stopped, provenance])


def _assemble(
    bundle: Bundle,
    *,
    lead: str,
    contents: Contents,
    sections: list[str],
    scripts: tuple[str, ...] = (),
    csp: Mapping[str, str] | None = None,
) -> str:
    style = resource("page.css")
    every = (resource("page.js"), *scripts)
    described: Any = (bundle.spec or {}).get("description")
    return fill(
        "page.html.j2",
        policy=content_policy(every, (style,), csp),
        version=__version__,
        name=bundle.name,
        description=described.strip() if isinstance(described, str) else "",
        lead=lead,
        contents=contents,
        sections=[Markup(text) for text in sections],
        scripts=[Markup(text) for text in every],
        style=Markup(style),
    )
