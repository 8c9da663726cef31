"""What a printed table tells of: its row of results, and how the inference was asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from specgl.bundle.columns import forming_scale, is_about_clusters, is_about_discoveries
from specgl.bundle.statistics import statistic_of_row


@dataclass(frozen=True, slots=True)
class About:
    """What a printed table tells of.

    Attributes
    ----------
    row
        The row of results for its contrast and inference, as the manifest has it.
    settings
        The inference, as it was resolved; empty where that is not known.
    space
        Label of the images' space; None where it has none.
    """

    row: Mapping[str, Any]
    settings: Mapping[str, Any] = field(default_factory=dict)
    space: str | None = None

    @property
    def contrast(self) -> str:
        """Name of the contrast."""
        return str(self.row["contrast"])

    @property
    def inference(self) -> str:
        """Name of the inference."""
        return str(self.row["inference"])

    @property
    def kind(self) -> str:
        """Letter of the statistic."""
        return str(self.row["statistic"])

    @property
    def of_clusters(self) -> bool:
        """Whether the corrected p-values are those of whole clusters."""
        return is_about_clusters(self.settings) and not self.of_discoveries

    @property
    def of_discoveries(self) -> bool:
        """Whether it is told how many true discoveries there are."""
        return is_about_discoveries(self.settings)

    @property
    def of_regions(self) -> bool:
        """Whether a row is a region, not a cluster."""
        return self.of_discoveries and self.settings.get("regions") is not None

    @property
    def scale(self) -> str:
        """Letter of what the threshold is a height of."""
        if self.of_discoveries or self.of_clusters:
            return forming_scale(self.settings, statistic_of_row(self.row))
        return self.kind

    @property
    def controlled(self) -> str:
        """What the corrected p-values control: ``FWE``, ``FDR``, or ``uncorrected``."""
        correction = str(self.settings.get("correction", "fwe"))
        if correction == "none":
            return "uncorrected"
        return "FDR" if correction.startswith("fdr") else "FWE"
