"""The words for what estimators there are, without any of their code: importing them costs nothing."""

from __future__ import annotations

from typing import Literal

Tau2Method = Literal["dl", "pm", "ml", "reml", "hedges"]
"""How the variance between observations is estimated, see `specgl.kernels.estimators.heterogeneity`."""

Loss = Literal["huber", "bisquare"]
"""What a robust fit minimises, see `specgl.kernels.estimators.robust`."""

HcKind = Literal["hc0", "hc1", "hc2", "hc3", "hc4"]
"""How squared residuals are corrected, see `specgl.kernels.estimators.sandwich`."""

ClusterCorrection = Literal["c0", "c1", "c2", "c3"]
"""How residuals of clusters are corrected, see `specgl.kernels.estimators.clustered`."""
