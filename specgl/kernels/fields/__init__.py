"""Smooth random fields: how often they exceed a height, and what a mask measures in units of smoothness.

`densities` holds the Euler characteristic densities of Gauss, t, F and chi-square fields, `resels` the resel
counts of a set of voxels, and `pvalues` the p-values of peaks and of clusters that follow from both
(Worsley et al. 1996, doi:10.1002/(SICI)1097-0193(1996)4:1<58::AID-HBM4>3.0.CO;2-O).
"""

from __future__ import annotations

from specgl.kernels.fields.averaging import average_near
from specgl.kernels.fields.densities import Family, Kind, height_at, log_densities, log_sf
from specgl.kernels.fields.noise import NoiseMaker, smoothing_kernel
from specgl.kernels.fields.pvalues import (
    FormedClusters,
    PeakField,
    log_any,
    log_cluster_p,
    log_expected,
    log_peak_p,
)
from specgl.kernels.fields.resels import LatticeCounts, count_lattice, dimension, resels, thick_axes
from specgl.kernels.fields.smoothness import (
    Beside,
    ResidualSmoothness,
    find_beside,
    local_roughness,
    settle_smoothness,
)

__all__ = [
    "Beside",
    "Family",
    "FormedClusters",
    "Kind",
    "LatticeCounts",
    "NoiseMaker",
    "PeakField",
    "ResidualSmoothness",
    "average_near",
    "count_lattice",
    "dimension",
    "find_beside",
    "height_at",
    "local_roughness",
    "log_any",
    "log_cluster_p",
    "log_densities",
    "log_expected",
    "log_peak_p",
    "log_sf",
    "resels",
    "settle_smoothness",
    "smoothing_kernel",
    "thick_axes",
]
