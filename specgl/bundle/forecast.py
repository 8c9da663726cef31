"""Which maps a bundle will hold, said before any is made."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from specgl.bundle import names
from specgl.bundle.maps import NEEDS_EFFECT, TOST, as_label
from specgl.inference import AllResolutions, Inference, Permutation, needs_smoothness
from specgl.variables import RPV, VARIABLES

_OWN_DOF = frozenset({"v", "G"})
"""Statistics whose degrees of freedom are a contrast's own."""


def planned_maps(
    maps: Iterable[str],
    contrasts: Mapping[str, str],
    inferences: Iterable[Inference],
    *,
    space: str | None = None,
    without_effect: Collection[str] = (),
    with_margin: Collection[str] = (),
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
        Contrasts of several rows and conjunctions, which have no effect and no variance of it.
    with_margin
        Contrasts with a margin of equivalence.

    Returns
    -------
    list of str
        Paths in the bundle. Maps that exist only where something varies (`dof`, `n`) are among them; `rpv` is
        where an inference needs it.
    """
    asked = [VARIABLES[name] for name in maps]
    thresholds = tuple(inferences)
    found = [names.mask_map(space)]
    for contrast, letter in contrasts.items():
        stats = [
            letter if variable.name == "stat" else as_label(variable.name)
            for variable in asked
            if (variable.by_contrast or (variable.name == "dof" and letter in _OWN_DOF))
            and not (variable.name in NEEDS_EFFECT and contrast in without_effect)
            and not (variable.name == TOST and contrast not in with_margin)
        ]
        found += [names.stat_map(stat, contrast=contrast, space=space) for stat in dict.fromkeys(stats)]
        for inference in thresholds:
            found += [
                names.stat_map(stat, contrast=contrast, inference=inference.name, space=space)
                for stat in (letter, names.LOGP, *_further(inference))
            ]
    estimated = any(needs_smoothness(inference) for inference in thresholds)
    own_dof = any(letter in _OWN_DOF for letter in contrasts.values())
    return found + [
        names.stat_map(as_label(v.name), space=space)
        for v in asked
        if not v.by_contrast and not (v.name == "dof" and own_dof) and (v.name != RPV or estimated)
    ]


def _further(asked: Inference) -> tuple[str, ...]:
    """Labels of the maps that an inference makes beside those that all make."""
    if isinstance(asked, AllResolutions):
        return (names.TDP,)
    if not isinstance(asked, Permutation):
        return ()
    by_sets = asked.sets is not None
    made = {
        names.UNCORRECTED: not by_sets and (asked.statistic == "voxel" or asked.correction != "fwe"),
        names.ENHANCED: asked.tfce is not None,
        names.EXTRAPOLATED: asked.tail != "counts" and not by_sets,
        names.TDP: by_sets,
    }
    return tuple(name for name, is_made in made.items() if is_made)
