"""From a plan to a bundle, and to its report."""

from __future__ import annotations

from specgl.running.pages import report
from specgl.running.verbs import run

__all__ = ["report", "run"]
