"""The page and its viewer: who gets how many bytes, and what happens without one."""

from __future__ import annotations

import pytest

from specgl.reporting import page as pages
from specgl.reporting import render
from specgl.reporting.viewer import Viewer


def test_the_viewer_gets_what_the_rest_leaves(bundle_of, monkeypatch) -> None:
    asked = []

    def make(bundle, *, budget, draft):
        asked.append(budget)
        return Viewer("<p>here</p>", ("void 0;",), "notice", {})

    monkeypatch.setattr(pages, "make_viewer", make)
    made = render(bundle_of("plain"))
    spent = pages.MOST_BYTES - asked[0]
    # The viewer's section, its script element, its hash and its notice are all that came after.
    assert spent < len(made.html.encode()) < spent + 1500
    assert "data-peak" in made.html
    assert "notice" in made.html


@pytest.mark.parametrize("viewer", [None, Viewer("<p class='missing'>not installed</p>", (), "", {})])
def test_without_a_viewer_no_button_pretends_to_lead_there(bundle_of, monkeypatch, viewer) -> None:
    monkeypatch.setattr(pages, "make_viewer", lambda bundle, budget, draft: viewer)
    made = render(bundle_of("plain"))
    assert "data-peak" not in made.html
    assert ("not installed" in made.html) is (viewer is not None)
    assert "Licence of the viewer" not in made.html


def test_what_the_viewer_needs_is_in_the_policy(bundle_of, monkeypatch) -> None:
    viewer = Viewer("<p>here</p>", ("void 0;",), "notice", {"worker-src": "blob:", "connect-src": "data:"})
    monkeypatch.setattr(pages, "make_viewer", lambda bundle, budget, draft: viewer)
    assert "worker-src blob:; connect-src data:" in render(bundle_of("plain")).html


def test_asking_for_the_words_alone_imports_no_template() -> None:
    import subprocess
    import sys

    told = "import sys, specgl.reporting.words; print('specgl.reporting.page' in sys.modules)"
    out = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "False"
