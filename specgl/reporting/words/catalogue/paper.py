"""How an article is written down."""

from __future__ import annotations

from specgl.reporting.words.reference import Reference

NEUROIMAGE = "NeuroImage"
HBM = "Human Brain Mapping"
BIOMETRIKA = "Biometrika"


def paper(
    key: str, year: int, authors: str, title: str, within: str, place: str, doi: str = "", named: int = 1
) -> Reference:
    """An article.

    Parameters
    ----------
    key, year, title, within, doi, named
        As in `Reference`.
    authors
        Apart by semicolons.
    place
        ``volume(number):pages``.
    """
    volume, _, pages = place.partition(":")
    volume, _, number = volume.partition("(")
    return Reference(
        key=key,
        kind="article",
        year=year,
        authors=tuple(authors.split("; ")),
        title=title,
        within=within,
        volume=volume,
        number=number.rstrip(")"),
        pages=pages,
        doi=doi,
        named=named,
    )
