"""Threshold-free cluster enhancement on lattices and networks.

`Graph` says which locations touch, `tfce_map` enhances a map, `tfce_max` finds the maximum alone, as a null
distribution needs it. Importing this package imports numba.

How it is done: every positive location belongs to the local maximum that the steepest way up leads to, its
basin. Components are then unions of basins cut off at a height, and two basins are joined at the height of a
border between them. So the union-find runs over a few thousand basins instead of all locations, and every
large array is read in order.
"""

from __future__ import annotations

from specgl.kernels.tfce.enhance import MAX_STEPS, Work, tfce_map, tfce_max
from specgl.kernels.tfce.graph import Graph, Lattice

__all__ = ["MAX_STEPS", "Graph", "Lattice", "Work", "tfce_map", "tfce_max"]
