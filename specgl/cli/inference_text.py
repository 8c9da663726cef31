"""What an inference does, in the words of one line."""

from __future__ import annotations

from functools import singledispatch

from specgl.inference import (
    AllResolutions,
    Forming,
    Inference,
    Parametric,
    Permutation,
    RandomField,
    Sets,
    Simulated,
)


@singledispatch
def inference_words(asked: object, own_dof: bool) -> tuple[str, str]:
    """What an inference is about, and what is said after its level.

    Parameters
    ----------
    asked
        The inference.
    own_dof
        Whether degrees of freedom differ from location to location, so that all is on z.
    """
    raise TypeError(f"no such inference: {asked!r}")


@inference_words.register
def _(asked: Parametric, own_dof: bool) -> tuple[str, str]:
    if asked.min_cluster_size <= 1:
        return asked.correction, ""
    return asked.correction, f", clusters of {asked.min_cluster_size} or more{_neighbours(asked)}"


@inference_words.register
def _(asked: Permutation, own_dof: bool) -> tuple[str, str]:
    on_z = own_dof or asked.scale == "z" or asked.across == "contrasts"
    words = asked.statistic
    if asked.mass == "excess":
        words += " (excess)"
    if (tfce := asked.tfce) is not None:
        words += f" (E {tfce.E:g}, H {tfce.H:g}, {'exact' if tfce.dh is None else f'dh {tfce.dh:g}'})"
    words += _forming_words(asked.forming, "z" if on_z else "statistic")
    if on_z and (asked.forming is None or asked.forming.stat is None):
        words += " on z"
    after = _neighbours(asked) if asked.statistic != "voxel" or asked.sets is not None else ""
    if asked.sets is not None:
        return f"{words}, true discoveries {_sets_words(asked.sets)}", after
    return f"{words}, {asked.correction}", after


@inference_words.register
def _(asked: RandomField, own_dof: bool) -> tuple[str, str]:
    words = asked.statistic + _forming_words(asked.forming, "statistic")
    if asked.extent == "resels":
        words += " in resels of each place"
    words += f", smoothness {_smoothness_words(asked.fwhm)}"
    return words, _neighbours(asked) if asked.forming is not None else ""


@inference_words.register
def _(asked: AllResolutions, own_dof: bool) -> tuple[str, str]:
    return f"true discoveries {_sets_words(asked.sets)}", "" if asked.sets.regions else _neighbours(asked)


@inference_words.register
def _(asked: Simulated, own_dof: bool) -> tuple[str, str]:
    words = asked.statistic + (" (excess)" if asked.mass == "excess" else "")
    words += _forming_words(asked.forming, "z")
    words += f", {asked.n:,} maps with seed {asked.seed}, smoothness {_smoothness_words(asked.fwhm)}"
    return words, _neighbours(asked)


def _forming_words(forming: Forming | None, scale: str) -> str:
    if forming is None:
        return ""
    return f" at {scale} >= {forming.stat:g}" if forming.stat is not None else f" at p < {forming.p:g}"


def _sets_words(sets: Sets) -> str:
    if sets.regions:
        return "in the regions of an image"
    if sets.largest is not None:
        return f"in the largest clusters with a share of {sets.largest:g}"
    return f"in clusters at z >= {', '.join(f'{height:g}' for height in sets.forming_z)}"


def _smoothness_words(fwhm: tuple[float, float, float] | None) -> str:
    if fwhm is None:
        return "of the residuals"
    return f"{' x '.join(f'{width:g}' for width in fwhm)} mm"


def _neighbours(asked: Inference) -> str:
    return f" ({asked.connectivity} neighbours)"
