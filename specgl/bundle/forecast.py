"""Which maps a bundle will hold, said before any is made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from specgl.bundle import names
from specgl.variables import VARIABLES


def planned_maps(
    maps: Iterable[str],
    contrasts: Mapping[str, str],
    inferences: Iterable[str],
    *,
    space: str | None = None,
) -> list[str]:
    """Names of the maps that a run would write.

    Parameters
    ----------
    maps
        Names in the vocabulary that were asked for.
    contrasts
        Letter of the statistic of each contrast, such as ``t``.
    inferences
        Names of the inferences.
    space
        Label of the standard space, where it has one.

    Returns
    -------
    list of str
        Paths in the bundle. Maps that exist only where something varies (`dof`, `n`) are among them.
    """
    asked = [VARIABLES[name] for name in maps]
    thresholds = tuple(inferences)
    found = [names.mask_map(space)]
    for contrast, letter in contrasts.items():
        stats = [
            letter if variable.name == "stat" else variable.name for variable in asked if variable.by_contrast
        ]
        found += [names.stat_map(stat, contrast=contrast, space=space) for stat in stats]
        for inference in thresholds:
            found += [
                names.stat_map(stat, contrast=contrast, inference=inference, space=space)
                for stat in (letter, names.LOGP)
            ]
    return found + [names.stat_map(v.name, space=space) for v in asked if not v.by_contrast]
