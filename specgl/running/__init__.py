"""From a plan to a bundle."""

from __future__ import annotations

from specgl.running.run import run

__all__ = ["run"]
