"""``inference``: what is called significant, and how errors are held in check."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from specgl.spec.base import Part, PositiveInteger


class Parametric(Part):
    """Thresholds from the statistic's own distribution under the null hypothesis."""

    method: Literal["parametric"]
    """`parametric`: p-values from the distribution of t, F or z."""

    correction: Literal["none", "bonferroni", "holm", "hochberg", "hommel", "fdr_bh", "fdr_by", "fdr_bky"] = (
        "none"
    )
    """How p-values are corrected over locations. Family-wise error: `bonferroni`, `holm`, `hochberg`,
    `hommel`. False discovery rate: `fdr_bh` (Benjamini-Hochberg), `fdr_by` (any dependence), `fdr_bky`
    (two-stage)."""

    alpha: Annotated[float, Field(strict=True, gt=0, lt=1)] = 0.05
    """Level: a location survives where its corrected p-value is at most `alpha`."""

    min_cluster_size: PositiveInteger = 1
    """Clusters with fewer locations than this are left out of the thresholded map and of the tables. It
    controls no error rate."""

    connectivity: Literal[6, 18, 26] = 26
    """Which voxels are neighbours: those that share a face (`6`), also an edge (`18`), also a corner
    (`26`)."""

    across: Literal["none", "contrasts"] = "none"
    """What makes a family: the locations of each contrast by itself (`none`), or of all contrasts together
    (`contrasts`)."""
