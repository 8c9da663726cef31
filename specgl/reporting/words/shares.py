"""How bounds on true discoveries were made."""

from __future__ import annotations

from specgl.reporting.words.citations import Citations
from specgl.reporting.words.corrections import family
from specgl.reporting.words.facts import Facts, Settings
from specgl.reporting.words.forming import neighbours, z_words
from specgl.reporting.words.language import name, share


def discoveries_words(settings: Settings, facts: Facts, cite: Citations) -> list[str]:
    """For which sets of voxels bounds were computed, by whose method, and what holds.

    Parameters
    ----------
    settings
        The inference, as it was resolved.
    facts
        The analysis.
    cite
        Gathers what is cited.
    """
    by_hommel = settings["method"] == "all_resolutions"
    keys = ("rosenblatt2018", "goeman2019") if by_hommel else ("blanchard2020",)
    first = (
        "Lower bounds on the true discovery proportion (TDP), the share of voxels with a true effect, were "
        "computed "
        f"for {_sets(settings, facts)} {cite(*keys)}."
    )
    told = family(settings, facts)
    second = (
        f"All bounds {f'on the voxels {told} ' if told else ''}hold simultaneously with "
        f"{share(1 - settings['alpha'])} confidence."
    )
    if by_hommel:
        how = (
            "They follow from the voxels' parametric p-values by closed testing with Hommel's method "
            f"{cite('hommel1988', 'meijer2019')}, which is valid under Simes' inequality."
        )
    else:
        how = (
            "They follow from the voxels' parametric p-values by Simes' inequality, whose critical line was "
            f"calibrated by shuffles of the data: it is the highest that at most {share(settings['alpha'])} "
            "of the "
            "shuffles fall below."
        )
    return [first, second, how]


def _sets(settings: Settings, facts: Facts) -> str:
    """For which sets of voxels bounds were computed."""
    if (regions := settings.get("regions")) is not None:
        return f"each region of {name(str(regions['image']).rpartition('/')[2])}"
    clusters = f"clusters of neighbouring voxels ({neighbours(settings)})"
    if (largest := settings.get("largest")) is not None:
        least = share(largest["tdp"])
        return f"{clusters} at all heights, of which the largest with a TDP of at least {least} were kept"
    return f"{clusters} formed at {z_words(settings['cluster_forming_z'], facts)}"
