"""Which maps a bundle will hold, said before any is made."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from specgl.bundle import names
from specgl.bundle.maps import NEEDS_EFFECT
from specgl.inference import Inference, Permutation
from specgl.variables import VARIABLES

_OWN_DOF = frozenset({"v", "G"})
"""Statistics whose degrees of freedom are a contrast's own."""


def planned_maps(
    maps: Iterable[str],
    contrasts: Mapping[str, str],
    inferences: Iterable[Inference],
    *,
    space: str | None = None,
    without_effect: Collection[str] = (),
) -> list[str]:
    """Names of the maps that a run would write.

    Parameters
    ----------
    maps
        Names in the vocabulary that were asked for.
    contrasts
        Letter of the statistic of each contrast, such as ``t``.
    inferences
        What is asked.
    space
        Label of the standard space, where it has one.
    without_effect
        Contrasts of several rows, which have no effect and no variance of it.

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
            letter if variable.name == "stat" else variable.name
            for variable in asked
            if (variable.by_contrast or (variable.name == "dof" and letter in _OWN_DOF))
            and not (variable.name in NEEDS_EFFECT and contrast in without_effect)
        ]
        found += [names.stat_map(stat, contrast=contrast, space=space) for stat in stats]
        for inference in thresholds:
            found += [
                names.stat_map(stat, contrast=contrast, inference=inference.name, space=space)
                for stat in (letter, names.LOGP, *_by_permutation(inference))
            ]
    own_dof = bool(contrasts) and all(letter in _OWN_DOF for letter in contrasts.values())
    return found + [
        names.stat_map(v.name, space=space)
        for v in asked
        if not v.by_contrast and not (v.name == "dof" and own_dof)
    ]


def _by_permutation(asked: Inference) -> tuple[str, ...]:
    """Labels of the further maps that an inference by permutation makes."""
    if not isinstance(asked, Permutation):
        return ()
    uncorrected = asked.statistic == "voxel" or asked.correction != "fwe"
    made = {
        names.UNCORRECTED: uncorrected,
        names.ENHANCED: asked.tfce is not None,
        names.EXTRAPOLATED: asked.tail != "counts",
    }
    return tuple(name for name, is_made in made.items() if is_made)
