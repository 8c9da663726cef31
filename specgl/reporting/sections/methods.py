"""Methods: a text to paste, and what it cites."""

from __future__ import annotations

from dataclasses import dataclass

from specgl.reporting.words import Methods, Reference


@dataclass(frozen=True, slots=True)
class Cited:
    """A reference in the page.

    Attributes
    ----------
    text
        The reference, without its DOI where it has one.
    doi
        Its DOI; empty where there is none.
    """

    text: str
    doi: str


@dataclass(frozen=True, slots=True)
class MethodsSection:
    """The section: headings with their paragraphs, and the references."""

    paragraphs: tuple[tuple[str, str], ...]
    references: tuple[Cited, ...]


def make_methods(methods: Methods) -> MethodsSection:
    """Paragraphs and references of the methods text."""
    return MethodsSection(methods.paragraphs, tuple(map(_cited, methods.references)))


def _cited(reference: Reference) -> Cited:
    doi = reference.doi
    return Cited(reference.text().removesuffix(f"doi:{doi}").rstrip() if doi else reference.text(), doi)
