"""The report of a bundle: one page that holds all it shows.

`render` makes it. `sections` makes a small record of each part, `templates` say how these look, `words` puts
the analysis into sentences, and `viewer` shows the maps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from specgl.reporting.page import Page, render

__all__ = ["Page", "render"]


def __getattr__(name: str) -> Any:
    # When it is first asked for: whoever wants the words alone does not wait for templates and figures.
    if name in __all__:
        from specgl.reporting import page

        return getattr(page, name)
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
