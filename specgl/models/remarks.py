"""What is to be said about locations that got no statistic."""

from __future__ import annotations

from collections.abc import Mapping

from specgl.errors import Finding


def remarks(
    n_loc: int, *, constant: int, short: int, lost: Mapping[str, int], stuck: int = 0, dependent: int = 0
) -> tuple[Finding, ...]:
    """Warnings about locations without statistics.

    Parameters
    ----------
    n_loc
        Number of locations.
    constant
        How many have no residual variance.
    short
        How many have no more observations than the model's rank.
    lost
        For each contrast, how many of the others cannot estimate it.
    stuck
        How many have a fit that did not converge.
    dependent
        How many have regressors that depend on each other there, and nowhere else.

    Returns
    -------
    tuple of Finding
        W400, W401, a W402 for each contrast, W403 and W404, where the number is not 0.
    """
    findings = []
    if constant:
        message = f"{constant} of {n_loc} locations have no residual variance and get no statistic"
        findings.append(Finding("W400", message, help="give a tighter mask if they lie outside the brain"))
    if short:
        message = f"{short} of {n_loc} locations have no more observations than the model's rank"
        findings.append(Finding("W401", message, where=("data", "missing", "voxel")))
    for name, count in lost.items():
        if count:
            message = f"contrast '{name}' is not estimable at {count} of {n_loc} locations"
            findings.append(Finding("W402", message, where=("contrasts", name)))
    if stuck:
        message = f"the fit did not converge at {stuck} of {n_loc} locations, which get no statistic"
        findings.append(Finding("W403", message, where=("model", "estimator")))
    if dependent:
        message = (
            f"a regressor is a combination of the others at {dependent} of {n_loc} locations, which get no "
            "statistic"
        )
        findings.append(Finding("W404", message, where=("data", "voxelwise")))
    return tuple(findings)
