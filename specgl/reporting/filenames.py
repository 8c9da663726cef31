"""Names of the figures as files: entities ``key-label`` joined by ``_``, as those of maps are."""

from __future__ import annotations

DESIGN = "design_matrix.svg"
CORRELATIONS = "design_correlations.svg"
CONTRASTS = "design_contrasts.svg"
COVERAGE = "data_coverage.png"
MASK = "data_mask.png"
SPREAD = "data_heterogeneity.png"
OBSERVATIONS = "data_observations.png"


def glass(contrast: str, inference: str | None = None) -> str:
    """Glass brain of a contrast: what survives an inference, or the statistic itself."""
    return f"{_of(contrast, inference)}_glass.png"


def cuts(contrast: str) -> str:
    """Three cuts through a contrast's highest peak."""
    return f"contrast-{contrast}_peak-1_slices.png"


def mosaic(contrast: str, inference: str | None = None) -> str:
    """Slices of a contrast side by side."""
    return f"{_of(contrast, inference)}_mosaic.png"


def qq(contrast: str) -> str:
    """p-values of a contrast against those expected without any effect."""
    return f"contrast-{contrast}_qq.svg"


def null(contrast: str, inference: str) -> str:
    """Null distribution of a contrast under an inference."""
    return f"{_of(contrast, inference)}_null.svg"


def peak(contrast: str, number: int) -> str:
    """Observations' values at a peak of a contrast, counted from 1."""
    return f"contrast-{contrast}_peak-{number}_values.svg"


def _of(contrast: str, inference: str | None) -> str:
    return f"contrast-{contrast}" + ("" if inference is None else f"_desc-{inference}")
