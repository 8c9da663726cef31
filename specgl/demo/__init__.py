"""A seeded group data set with known effects, and a commented spec to analyse it with."""

from __future__ import annotations

from specgl.demo.files import DemoData, make_group_data, write_demo
from specgl.demo.signal import Cluster, Participant

__all__ = ["Cluster", "DemoData", "Participant", "make_group_data", "write_demo"]
