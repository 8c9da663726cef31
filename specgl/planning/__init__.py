"""From what is asked to what will be done: headers and tables are read, and no voxel yet."""

from __future__ import annotations

from specgl.planning.estimate import Estimate
from specgl.planning.make import check_data, errors_located, located, make_plan, output_target
from specgl.planning.records import GroupSource, MapSource, Plan, ReadyMap
from specgl.planning.shuffling import Shuffling

__all__ = [
    "Estimate",
    "GroupSource",
    "MapSource",
    "Plan",
    "ReadyMap",
    "Shuffling",
    "check_data",
    "errors_located",
    "located",
    "make_plan",
    "output_target",
]
