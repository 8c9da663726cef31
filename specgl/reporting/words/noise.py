"""How smooth the noise was taken to be, for random fields and simulations."""

from __future__ import annotations

from specgl.reporting.words.citations import Citations
from specgl.reporting.words.facts import Facts, Row, Settings
from specgl.reporting.words.language import listed, name, number


def smoothness_words(label: str, settings: Settings, facts: Facts, cite: Citations) -> list[str]:
    """Sentences on the smoothness, its source, and the size of the mask in resels.

    Parameters
    ----------
    label
        Name of the inference.
    settings
        The inference, as it was resolved.
    facts
        The analysis.
    cite
        Gathers what is cited.
    """
    rows = [row for row in facts.rows(label) if row.get("field") is not None]
    if settings["smoothness"] == "residuals":
        how = f"The smoothness of the noise was estimated from the residuals {cite('kiebel1999')}"
    else:
        how = "The smoothness of the noise was given"
    by_field: dict[str, list[str]] = {}
    for row in rows:
        by_field.setdefault(_field(row), []).append(str(row["contrast"]))
    if not by_field:
        return [f"{how}."]
    if len(by_field) == 1:
        return [f"{how}: {next(iter(by_field))}."]
    each = [f"{told} for {listed(map(name, who))}" for told, who in by_field.items()]
    return [f"{how}: {'; '.join(each)}."]


def _field(row: Row) -> str:
    """Widths and resels of one field; an axis of one voxel has no width."""
    field = row["field"]
    widths, voxels = _lengths(field["fwhm"]), _lengths(field["fwhm_voxels"])
    resels = next((count for count in reversed(field["resels"]) if count > 0), 0.0)
    return f"FWHM {widths} mm ({voxels} voxels), {number(resels, 4)} resels in the mask"


def _lengths(several: list[float | None]) -> str:
    return " × ".join("–" if one is None else f"{one:,.1f}" for one in several)
