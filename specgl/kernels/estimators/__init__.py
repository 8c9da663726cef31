"""Estimators beyond ordinary least squares, each for many locations at once.

===================  ========================================================================================
``bases``            orthonormal bases of designs that differ from location to location
``weighted``         least squares with weights at each location
``heterogeneity``    variance between observations whose own variances are known; Q and the typical variance
``robust``           Huber's and Tukey's M-estimators
``sandwich``         covariances where observations have variances of their own: hc0 to hc4
``clustered``        covariances where observations of a cluster go together, and their degrees of freedom
===================  ========================================================================================

What ``heterogeneity`` is made of: ``likelihood`` (ML, REML), ``moments`` (DerSimonian-Laird, Hedges,
Paule-Mandel), ``place`` (one location's numbers, whitened) and ``solving`` (small systems, in place).

The first four import numba, and this door does not: import from them where they are used
(``from specgl.kernels.estimators.robust import fit_robust``). They loop over locations in compiled code that
releases the interpreter's lock. In no module does a bit of a location depend on which others share its call.

To add an estimator
    A variance between observations: its step in ``moments`` or ``likelihood``, its word in ``kinds`` and its
    number in ``heterogeneity.TAU2_METHODS``. A loss: its weight and the derivative of its psi in ``robust``.
    A correction of residuals: its row in ``sandwich.HC_KINDS`` or ``clustered.CLUSTER_CORRECTIONS``.
"""

from __future__ import annotations

from specgl.kernels.estimators.clustered import cluster_adjustment, cluster_covariance, cluster_dof
from specgl.kernels.estimators.kinds import ClusterCorrection, HcKind, Loss, Tau2Method
from specgl.kernels.estimators.sandwich import HC_KINDS, hc_covariance, hc_factors

__all__ = [
    "HC_KINDS",
    "ClusterCorrection",
    "HcKind",
    "Loss",
    "Tau2Method",
    "cluster_adjustment",
    "cluster_covariance",
    "cluster_dof",
    "hc_covariance",
    "hc_factors",
]
