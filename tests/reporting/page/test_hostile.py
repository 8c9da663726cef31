"""Strangers' words come out as words."""

from __future__ import annotations

import pytest

from specgl.reporting.policy import content_policy
from specgl.reporting.rendering import fill, minus, visible

ELEMENTS = {
    *("html", "head", "meta", "title", "style", "body", "script", "a", "nav", "ul", "li", "main", "header"),
    *("h1", "h2", "h3", "h4", "p", "section", "div", "span", "dl", "dt", "dd", "table", "caption", "thead"),
    *("tbody", "tr", "th", "td", "small", "figure", "figcaption", "img", "code", "pre", "details", "summary"),
    *("button", "svg", "rect", "footer"),
}
"""What the page is made of; the viewer's own elements stand in its section."""

ATTRIBUTES = {
    *(
        "lang",
        "charset",
        "http-equiv",
        "content",
        "name",
        "class",
        "href",
        "aria-label",
        "aria-labelledby",
        "id",
    ),
    *(
        "tabindex",
        "scope",
        "role",
        "src",
        "alt",
        "width",
        "height",
        "type",
        "data-peak",
        "data-contrast",
        "rel",
    ),
    *("title", "open", "hidden", "data-copy", "data-sorts", "aria-hidden", "focusable"),
}


def _outside_viewer(tree):
    for element in tree.every:
        at = element
        while at is not None and at.attributes.get("id") != "viewer":
            at = at.parent
        if at is None:
            yield element


@pytest.mark.parametrize("kind", ["hostile", "failed", "plain"])
def test_no_element_or_attribute_comes_from_a_stranger(tree_of, kind) -> None:
    for element in _outside_viewer(tree_of(kind)):
        assert element.tag in ELEMENTS
        assert set(element.attributes) <= ATTRIBUTES, element.attributes.keys() - ATTRIBUTES


def test_strangers_words_are_text(tree_of, bundle_of) -> None:
    tree, bundle = tree_of("hostile"), bundle_of("hostile")
    text = tree.root.text
    (described,) = tree.find("p", class_="description")
    assert (
        "<script>alert(1)</script> \"'> <img src=x onerror=alert(2)> $x^2$ {{ 7*7 }} {% raw %} `q` &amp;"
        in (described.text)
    )
    assert "\\u202e" in described.text  # what would turn the order of letters is written out
    for name in map(str, bundle.observations.index):
        assert name in text
    for name in bundle.variables.columns:
        assert str(name) in text
    for level in bundle.design_words["variables"]["group"]["levels"]:
        assert level in text
    assert "<script>alert(3)</script>" in text
    assert "49" not in described.text  # {{ 7*7 }} was not worked out


def test_the_record_of_a_failed_run_shows_its_description_as_text(tree_of) -> None:
    (described,) = tree_of("failed").find("p", class_="description")
    assert "<script>alert(1)</script>" in described.text


def test_a_script_that_would_end_early_is_refused() -> None:
    for text in ("x = '</script>'", "x = '</SCRIPT '", "// <!-- <script>"):
        with pytest.raises(ValueError, match="would end, or hide"):
            content_policy([text], [])
    with pytest.raises(ValueError, match="would end, or hide"):
        content_policy([], ["a {} </style>"])


def test_a_policy_takes_sources_and_nothing_that_ends_a_directive() -> None:
    made = content_policy(["1"], ["a{}"], {"script-src": "blob:", "worker-src": "blob: data:"})
    assert made.startswith("default-src 'none'; script-src 'sha256-")
    assert "worker-src blob: data:" in made
    assert "blob:; style-src" in made
    for directive, source in (("script-src", "blob:; default-src *"), ("img src", "data:"), ("x", "a,b")):
        with pytest.raises(ValueError, match="no part of a content-security policy"):
            content_policy([], [], {directive: source})


def test_a_hash_does_not_stand_beside_unsafe_inline_for_styles() -> None:
    made = content_policy([], ["a{}"], {"style-src": "'unsafe-inline'"})
    assert "style-src 'unsafe-inline';" in made


def test_templates_are_strict() -> None:
    from jinja2 import UndefinedError

    with pytest.raises(UndefinedError):
        fill("stopped.html.j2", status="failed")


def test_what_nobody_sees_is_written_out() -> None:
    assert visible("a\x1b\u202e\ud800b\n\tc") == "a\\u001b\\u202e\\ud800b\n\tc"


def test_minus_is_for_numbers() -> None:
    assert minus("(-27, -3.5) -.2") == "(\N{MINUS SIGN}27, \N{MINUS SIGN}3.5) \N{MINUS SIGN}.2"
    assert minus("sub-01 1e-05 a-b 2-3") == "sub-01 1e-05 a-b 2-3"
