"""An interactive viewer inside the page: the maps, packed small, and NiiVue to look at them."""

from __future__ import annotations

from specgl.reporting.viewer.making import Viewer, draft_viewer, make_viewer

__all__ = ["Viewer", "draft_viewer", "make_viewer"]
