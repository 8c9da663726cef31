"""What every page keeps, whatever bundle it shows."""

from __future__ import annotations

import base64
import hashlib
import re
from itertools import pairwise

import pytest

from specgl.reporting import render

KINDS = (
    "plain",
    "several",
    "hostile",
    "nothing",
    "one_cluster",
    "one_voxel",
    "gaps",
    "f_only",
    "ready",
    "no_inference",
    "few_maps",
    "one_slice",
    "failed",
)
every_kind = pytest.mark.parametrize("kind", KINDS)


@every_kind
def test_ids_are_unique_and_links_lead_somewhere(tree_of, kind) -> None:
    tree = tree_of(kind)
    ids = [element.attributes["id"] for element in tree.every if "id" in element.attributes]
    assert len(ids) == len(set(ids))
    targets = {element.attributes["href"] for element in tree.find("a")}
    assert {target[1:] for target in targets if target.startswith("#")} <= set(ids)
    named = {name for e in tree.every for name in (e.attributes.get("aria-labelledby") or "").split()}
    assert named <= set(ids)


@every_kind
def test_headings_are_in_order(tree_of, kind) -> None:
    levels = [int(e.tag[1]) for e in tree_of(kind).every if re.fullmatch("h[1-6]", e.tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert all(e.text for e in tree_of(kind).every if re.fullmatch("h[1-6]", e.tag))


@every_kind
def test_nothing_is_loaded_and_links_lead_to_dois_only(tree_of, kind) -> None:
    for element in tree_of(kind).every:
        for name, value in element.attributes.items():
            if name in ("src", "data", "action", "srcset", "poster", "background", "xlink:href"):
                assert value.startswith("data:image/"), (element.tag, name, value[:80])
            if name == "href":
                assert value.startswith(("#", "https://doi.org/10.")), value
            assert not name.startswith("on")
    assert not re.search(r"@import|url\(", "".join(e.text for e in tree_of(kind).find("style")))


@every_kind
def test_pictures_say_what_they_show(tree_of, kind) -> None:
    for image in tree_of(kind).find("img"):
        alt = image.attributes["alt"]
        assert len(alt) > 20, alt
        assert int(image.attributes["width"]) > 0
        assert int(image.attributes["height"]) > 0


@every_kind
def test_tables_have_captions_and_heads_with_a_scope(tree_of, kind) -> None:
    for table in tree_of(kind).find("table"):
        assert table.children[0].tag == "caption"
        assert table.children[0].text
    assert all(head.attributes.get("scope") in ("col", "row") for head in tree_of(kind).find("th"))
    # Rows are as long as their heads.
    for table in tree_of(kind).find("table"):
        head, *bodies = [part for part in table.children if part.tag in ("thead", "tbody")]
        assert {len(row.children) for body in bodies for row in body.children} <= {
            len(head.children[0].children)
        }


@every_kind
def test_the_policy_names_every_script_and_style_and_nothing_else(tree_of, kind) -> None:
    tree = tree_of(kind)
    (meta,) = [m for m in tree.find("meta") if "http-equiv" in m.attributes]
    assert meta.attributes["http-equiv"] == "Content-Security-Policy"
    policy = dict(part.strip().split(" ", 1) for part in meta.attributes["content"].split(";"))
    assert policy["default-src"] == "'none'"
    for tag, directive in (("script", "script-src"), ("style", "style-src")):
        run = [e for e in tree.find(tag) if e.attributes.get("type") in (None, "text/javascript", "module")]
        texts = ["".join(element.pieces) for element in run]
        hashes = {
            f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" for text in texts
        }
        allowed = set(policy[directive].split())
        assert hashes <= allowed or "'unsafe-inline'" in allowed
        assert not any(source.startswith("http") for source in allowed)
    assert "'unsafe-inline'" not in policy["script-src"]
    # The policy stands before anything that it is about.
    first = next(e for e in tree.every if e.tag in ("script", "style", "img"))
    assert tree.every.index(meta) < tree.every.index(first)


@pytest.mark.parametrize("kind", ["several", "hostile", "ready", "failed"])
def test_the_same_bundle_gives_the_same_bytes(bundle_of, page_of, kind) -> None:
    again = render(bundle_of(kind))
    assert again.html == page_of(kind).html
    assert dict(again.figures) == dict(page_of(kind).figures)
    assert (again.methods, again.references) == (page_of(kind).methods, page_of(kind).references)


@every_kind
def test_figures_have_names_that_files_may_have_and_are_what_they_say(page_of, kind) -> None:
    page = page_of(kind)
    starts = {"svg": (b"<?xml", b"<svg"), "png": (b"\x89PNG",)}
    for name, content in page.figures.items():
        assert re.fullmatch(r"[A-Za-z0-9_-]+\.(svg|png)", name)
        assert content.startswith(starts[name[-3:]])
        assert base64.b64encode(content).decode() in page.html


@every_kind
def test_buttons_that_jump_say_where(tree_of, kind) -> None:
    for button in [b for b in tree_of(kind).find("button") if "data-peak" in b.attributes]:
        place = [float(word) for word in button.attributes["data-peak"].split()]
        assert len(place) == 3
        assert button.attributes["data-contrast"]
