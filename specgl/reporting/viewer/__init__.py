"""An interactive viewer inside the page: the maps, packed small, and NiiVue to look at them."""

from __future__ import annotations

from specgl.reporting.viewer.making import Viewer, make_viewer

__all__ = ["Viewer", "make_viewer"]
