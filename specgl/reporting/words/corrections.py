"""What each correction of p-values controls, and whose procedure it is."""

from __future__ import annotations

from dataclasses import dataclass

from specgl.reporting.words.facts import Facts, Settings


@dataclass(frozen=True, slots=True)
class Correction:
    """A correction in words.

    Attributes
    ----------
    controls
        ``nothing``, ``fwe`` or ``fdr``.
    procedure
        Whose it is, as the text says it.
    cites
        Keys of the catalogue.
    holds
        What the p-values have to be for it; empty where they may be anything.
    """

    controls: str
    procedure: str = ""
    cites: tuple[str, ...] = ()
    holds: str = ""


_POSITIVE = "independent or positively dependent"

CORRECTIONS = {
    "none": Correction("nothing"),
    "bonferroni": Correction("fwe", "the Bonferroni correction"),
    "holm": Correction("fwe", "Holm's step-down procedure", ("holm1979",)),
    "hochberg": Correction("fwe", "Hochberg's step-up procedure", ("hochberg1988",), _POSITIVE),
    "hommel": Correction("fwe", "Hommel's procedure", ("hommel1988",), _POSITIVE),
    "fdr_bh": Correction("fdr", "the Benjamini–Hochberg procedure", ("benjamini1995",), _POSITIVE),
    "fdr_by": Correction("fdr", "the Benjamini–Yekutieli procedure", ("benjamini2001",)),
    "fdr_bky": Correction(
        "fdr",
        "the adaptive procedure of Benjamini, Krieger and Yekutieli",
        ("benjamini2006",),
        "independent",
    ),
}
"""Corrections that act on p-values, by their word in a spec."""

FAMILIES = {
    "none": "of each contrast by itself",
    "contrasts": "of all contrasts taken together as one family",
}
"""What makes a family, by the word of `across`."""

NEIGHBOURS = {
    6: "sharing a face",
    18: "sharing a face or an edge",
    26: "sharing a face, an edge or a corner",
}
"""Which voxels are neighbours, by their number."""


def family(settings: Settings, facts: Facts) -> str:
    """Whose tests make a family: empty where there is one contrast only."""
    return "" if len(facts.contrasts) == 1 else FAMILIES[settings["across"]]


def several_families(settings: Settings, facts: Facts) -> bool:
    """Whether each contrast is a family of its own, and there are several."""
    return len(facts.contrasts) > 1 and settings["across"] == "none"
