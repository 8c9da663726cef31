"""Where work runs. Engines know nothing of what they run."""

from __future__ import annotations

from specgl.engines.threads import Threads, default_threads

__all__ = ["Threads", "default_threads"]
