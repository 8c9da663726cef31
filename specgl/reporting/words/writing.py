"""Methods of an analysis, ready for a paper."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from specgl.bundle import Bundle
from specgl.bundle.printed import escapes
from specgl.reporting.words.citations import Citations
from specgl.reporting.words.facts import Facts, facts_of
from specgl.reporting.words.fitted import contrasts_text, model_text
from specgl.reporting.words.programs import availability_text, software_text, tables_text
from specgl.reporting.words.reference import Reference
from specgl.reporting.words.samples import data_text, observations_text
from specgl.reporting.words.shuffling import shuffling_text
from specgl.reporting.words.thresholds import inference_text


@dataclass(frozen=True, slots=True)
class Methods:
    """What was done, in plain text.

    Attributes
    ----------
    paragraphs
        Heading and text of each, in the order of the COBIDAS checklist (doi:10.1038/nn.4500).
    references
        What they cite, by author and year.
    """

    paragraphs: tuple[tuple[str, str], ...] = ()
    references: tuple[Reference, ...] = ()

    def markdown(self) -> str:
        """Paragraphs and references as Markdown, in which no stranger's word is a mark."""
        return "\n".join(self._lines())

    def bibtex(self) -> str:
        """The references as BibTeX."""
        return "\n".join(reference.bibtex() for reference in self.references)

    def _lines(self) -> Iterator[str]:
        yield "# Methods"
        for heading, text in self.paragraphs:
            yield from ("", f"## {escapes.markdown(heading)}", "", escapes.markdown(text))
        if self.references:
            yield from ("", "## References", "")
            yield from (f"- {escapes.markdown(reference.text())}" for reference in self.references)
        yield ""


def methods(bundle: Bundle) -> Methods:
    """Say what was done: only what was, and all of it.

    Parameters
    ----------
    bundle
        A bundle.

    Returns
    -------
    told
        Without paragraphs for a run that stopped, of which there is nothing to report.
    """
    return write_methods(facts_of(bundle))


def write_methods(facts: Facts) -> Methods:
    """As `methods`, from facts."""
    if not facts.complete:
        return Methods()
    cite = Citations()
    paragraphs = tuple((heading, text) for heading, text in _paragraphs(facts, cite) if text)
    return Methods(paragraphs, cite.references())


def _paragraphs(facts: Facts, cite: Citations) -> Iterator[tuple[str, str]]:
    if facts.design is not None:
        yield "Observations", observations_text(facts)
    yield "Data", data_text(facts)
    if facts.design is not None:
        yield "Model", model_text(facts, cite)
    yield "Contrasts" if facts.design is not None else "Maps", contrasts_text(facts, cite)
    for label in facts.inferences:
        yield f"Inference: {label}", inference_text(label, facts, cite)
    if not facts.inferences:
        yield "Inference", "No inference was made: the maps are not thresholded."
    yield "Permutation", shuffling_text(facts, cite)
    yield "Tables", tables_text(facts)
    yield "Software", software_text(facts, cite)
    yield "Data and code availability", availability_text(facts, cite)
