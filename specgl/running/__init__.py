"""From a plan to a bundle."""

from __future__ import annotations

from specgl.running.verbs import run

__all__ = ["run"]
