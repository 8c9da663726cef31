"""A paper or a program that a text cites, in the text, in its list of references, and as BibTeX."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from specgl.bundle.printed import escapes


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A paper or a program.

    Attributes
    ----------
    key
        Its key in BibTeX.
    kind
        Its type in BibTeX: `article`, `book`, `incollection`, `inproceedings`, or `misc` for programs.
    authors
        Family name, comma, initials, of each; a body of people has no comma.
    title
        Its title.
    year
        When it came out; None for programs, whose version says more.
    others
        Whether there are more authors than are named.
    within
        The journal or book.
    editors
        Of a book, as the authors.
    volume, number, pages, publisher, doi, url, version
        What is known of these; empty where there is none.
    named
        Authors that the text names before "et al.", so that two papers of one first author and year differ.
    """

    key: str
    kind: str
    authors: tuple[str, ...]
    title: str
    year: int | None = None
    others: bool = False
    within: str = ""
    volume: str = ""
    number: str = ""
    pages: str = ""
    editors: tuple[str, ...] = ()
    publisher: str = ""
    doi: str = ""
    url: str = ""
    version: str = ""
    named: int = 1

    @property
    def cited(self) -> str:
        """As the text cites it: ``Freedman and Lane, 1983``."""
        families = [author.partition(",")[0] for author in self.authors]
        date = "software" if self.year is None else str(self.year)
        if len(families) == 1 and not self.others:
            return f"{families[0]}, {date}"
        if len(families) == 2 and not self.others:
            return f"{families[0]} and {families[1]}, {date}"
        some = ", ".join(families[: self.named])
        return f"{some}{',' if self.named > 1 else ''} et al., {date}"

    @property
    def link(self) -> str:
        """Where it is found on the web; empty where that is not known."""
        return f"https://doi.org/{self.doi}" if self.doi else self.url

    def text(self) -> str:
        """As a list of references has it, in plain text."""
        parts = [f"{self._who()} ({self._when()}).", f"{self.title}."]
        if self.within or self.publisher:
            parts.append(f"{self._where()}.")
        if self.doi:
            parts.append(f"doi:{self.doi}")
        elif self.url:
            parts.append(self.url)
        return " ".join(parts)

    def bibtex(self) -> str:
        """As an entry of BibTeX, whose titles keep their capitals."""
        lines = [f"  {name} = {{{value}}}," for name, value in self._fields()]
        return "\n".join([f"@{self.kind}{{{self.key},", *lines, "}", ""])

    def _who(self) -> str:
        return f"{', '.join(self.authors)}, et al." if self.others else _people(self.authors)

    def _when(self) -> str:
        if self.year is not None:
            return str(self.year)
        return f"software, version {escapes.one_line(self.version)}" if self.version else "software"

    def _where(self) -> str:
        told = f"In {_people(self.editors)} (Eds.), {self.within}" if self.editors else self.within
        if self.volume:
            told += f", {self.volume}"
        if self.number:
            told += f"({self.number})"
        if self.pages:
            told += f", {self.pages}"
        return ". ".join(filter(None, (told, self.publisher)))

    def _fields(self) -> Iterator[tuple[str, str]]:
        people = [escapes.latex(a) if "," in a else f"{{{escapes.latex(a)}}}" for a in self.authors]
        yield "author", " and ".join([*people, *(["others"] if self.others else [])])
        yield "title", f"{{{escapes.latex(self.title)}}}"
        if self.within:
            yield "journal" if self.kind == "article" else "booktitle", escapes.latex(self.within)
        if self.editors:
            yield "editor", escapes.latex(" and ".join(self.editors))
        if self.publisher:
            yield "publisher", escapes.latex(self.publisher)
        if self.year is not None:
            yield "year", str(self.year)
        for name, value in (("volume", self.volume), ("number", self.number), ("pages", self.pages)):
            if value:
                yield name, value.replace("–", "--")  # our own digits; `latex` would part the hyphens
        if self.version:
            yield "note", f"Version {escapes.latex(self.version)}"
        if self.doi:
            yield "doi", self.doi  # verbatim, as styles expect it
        if self.url:
            yield "url", self.url


def _people(several: tuple[str, ...]) -> str:
    return several[0] if len(several) == 1 else f"{', '.join(several[:-1])}, and {several[-1]}"
