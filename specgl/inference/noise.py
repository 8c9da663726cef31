"""The smooth noise that random fields and simulations compare a contrast with."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from specgl.inference.asked import RandomField, Simulated
from specgl.inference.contrasts import ContrastMaps
from specgl.inference.provisions import Lattice, Provisions
from specgl.inference.records import Field
from specgl.kernels.fields import count_lattice, resels, thick_axes

Floats = NDArray[np.float64]


def analysed_voxels(
    asked: RandomField | Simulated, contrast: ContrastMaps, provisions: Provisions
) -> NDArray[np.int32]:
    """Where a contrast's analysed locations lie in the grid, (m, 3).

    Raises
    ------
    ValueError
        When there is no lattice of voxels.
    """
    return _lattice(asked, provisions).voxels[contrast.analysed]


def field_of(asked: RandomField | Simulated, voxels: NDArray[np.int32], provisions: Provisions) -> Field:
    """The field of noise in some voxels: how smooth it is, and its resels.

    Parameters
    ----------
    asked
        The inference, which gives a smoothness or wants that of the residuals.
    voxels
        As from `analysed_voxels`, (m, 3).
    provisions
        The lattice, and the residuals' smoothness where none is given.

    Raises
    ------
    ValueError
        When the lattice, or a smoothness along an axis of several voxels, is missing.
    """
    steps = np.asarray(_lattice(asked, provisions).steps)
    if asked.fwhm is not None:
        source, widths = "given", np.asarray(asked.fwhm) / steps
    elif provisions.smoothness is not None:
        source, widths = "residuals", np.asarray(provisions.smoothness.fwhm_voxels, dtype=np.float64)
    else:
        raise ValueError(f"inference '{asked.name}' needs the smoothness of the residuals")
    thick = thick_axes(voxels)
    if np.isnan(widths[thick]).any():
        raise ValueError(f"inference '{asked.name}': the smoothness along an axis is not known")
    widths = np.where(thick, widths, np.nan)
    r0, r1, r2, r3 = (float(count) for count in resels(count_lattice(voxels), widths))
    return Field(source, _triple(widths * steps), _triple(widths), (r0, r1, r2, r3))


def _lattice(asked: RandomField | Simulated, provisions: Provisions) -> Lattice:
    if provisions.lattice is None:
        raise ValueError(f"inference '{asked.name}' needs a lattice of voxels")
    return provisions.lattice


def _triple(values: NDArray[Any]) -> tuple[float, float, float]:
    x, y, z = (float(value) for value in values)
    return x, y, z
