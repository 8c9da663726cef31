"""A bundle into a viewer: the words, the data and the script, within a budget of bytes."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup
from numpy.typing import NDArray

from specgl.plot.colours import lut
from specgl.reporting.viewer.grids import Box, beneath, box_around
from specgl.reporting.viewer.maps import Map, maps_of
from specgl.reporting.viewer.niivue import PACKAGE, Niivue, UnknownLayoutError, read_niivue
from specgl.reporting.viewer.packing import LEVELS, Packed, Part, as_json, fit_maps, pack_at
from specgl.reporting.viewer.volumes import as_text, compress, nifti, pack_bits

if TYPE_CHECKING:
    from specgl.bundle import Bundle

SCRIPTS = ("volumes.js", "drawing.js", "viewer.js")
"""In the order in which they run."""

_STYLE = "viewer.css"
_FINE, _COARSE = 2_500_000, 700_000
"""Voxels that the underlay may have, and where room is short."""

_TABLES = ("positive", "negative", "sequential")
_SENTENCES = 1000
"""Bytes of the sentences that are known only when all is packed."""


@dataclass(frozen=True, slots=True)
class Viewer:
    """An interactive viewer, as a page takes it in.

    Attributes
    ----------
    html
        A fragment, everything escaped; it may stand once in a page.
    scripts
        Texts of inline scripts, in order; none where there is nothing to run.
    notice
        Name, version and licence of NiiVue, as text; empty without it.
    csp
        Sources that the page's content-security policy has to allow, by directive: the hashes of NiiVue,
        which is run from within the page, and of a style; and ``data:`` for the picture from which NiiVue
        takes its letters.
    """

    html: str
    scripts: tuple[str, ...]
    notice: str
    csp: Mapping[str, str]


@dataclass(frozen=True, slots=True, eq=False)
class _Source:
    """What is read of a bundle, once."""

    box: Box
    maps: tuple[Map, ...]
    underlay: xr.DataArray | None
    codes: NDArray[np.uint16] | None
    names: tuple[str, ...]
    start: tuple[float, float, float] | None


@dataclass(frozen=True, slots=True, eq=False)
class Draft:
    """All of a viewer that does not depend on how much room it has, which takes most of the time.

    Attributes
    ----------
    source
        What is read of the bundle.
    niivue
        NiiVue, and its text as the page holds it.
    parts
        The maps with all their bits.
    """

    source: _Source
    niivue: Niivue
    script: str
    parts: tuple[Part, ...]


def draft_viewer(bundle: Bundle) -> Draft | Viewer | None:
    """Read and pack what a viewer shows; it may run beside the making of the rest of a page.

    Parameters
    ----------
    bundle
        The bundle; nothing but it is read.

    Returns
    -------
    draft
        For `make_viewer`. A viewer without scripts, which is a sentence, where NiiVue cannot be had; None
        where the bundle has no maps.

    Raises
    ------
    VerificationError
        When a map of the bundle cannot be read.
    """
    if not bundle.maps.data_vars:
        return None
    source = _source(bundle)
    if source is None:
        return None
    try:
        niivue = read_niivue()
    except UnknownLayoutError as error:
        return _told(f"The interactive viewer is not in this page: {error}.")
    if niivue is None:
        return _told(
            "The interactive viewer is not in this page: the package that carries it was not installed when "
            f"the page was written. Install it with pip install {PACKAGE}, and write the report again."
        )
    script = as_text(compress(niivue.script.encode()))
    return Draft(source, niivue, script, pack_at(source.maps, source.box.inside, LEVELS[0]))


def make_viewer(bundle: Bundle, *, budget: int, draft: Draft | Viewer | None = None) -> Viewer | None:
    """Make the viewer of a bundle.

    Parameters
    ----------
    bundle
        The bundle; nothing but it is read.
    budget
        Bytes that the fragment and the scripts may take together. Values have fewer bits, and then maps are
        left out, where they would take more.
    draft
        What `draft_viewer` made of the bundle, where that was called before.

    Returns
    -------
    viewer
        None where the bundle has no maps. Without scripts, and with a sentence, where ipyniivue is not
        installed or is laid out in another way than is known, or the budget is too small for any map.

    Raises
    ------
    VerificationError
        When a map of the bundle cannot be read.
    """
    held = draft_viewer(bundle) if draft is None else draft
    if not isinstance(held, Draft):
        return held
    source = held.source
    scripts = tuple(_resource(name) for name in SCRIPTS)
    taken = sum(len(text.encode()) for text in scripts) + _SENTENCES
    taken += sum(len(words.encode()) for words in _listed(source.maps))
    for most in (_FINE, _COARSE):
        around = _around(source, most) | {"niivue": held.script}
        bare = _html(source, Packed((), {}, LEVELS[0], ()), around)
        packed = fit_maps(held.parts, source.box.inside, budget - taken - len(bare.encode()))
        if not packed.left_out:
            break
    if not packed.facts:
        return _told("The interactive viewer is not in this page: there was no room for its maps.")
    style = _hash(_resource(_STYLE))
    csp = {"script-src": _hash(held.niivue.script), "style-src": style, "img-src": "data:"}
    return Viewer(_html(source, packed, around), scripts, held.niivue.notice, MappingProxyType(csp))


def _source(bundle: Bundle) -> _Source | None:
    """None where there is nothing to see."""
    box = box_around(bundle.mask)
    maps = () if box is None else tuple(maps_of(bundle, box))
    if box is None or not maps:
        return None
    if (regions := bundle.regions) is None:
        return _Source(box, maps, bundle.underlay, None, (), _start(bundle, maps[0].contrast))
    held, names = regions
    # Counted anew, since codes of an atlas may be any numbers.
    known, codes = np.unique(held.values[box.slices], return_inverse=True)
    within = codes.reshape(box.inside.shape).astype(np.uint16)
    told = tuple(names.get(int(code), "") for code in known)
    return _Source(box, maps, bundle.underlay, within, told, _start(bundle, maps[0].contrast))


def _start(bundle: Bundle, contrast: str) -> tuple[float, float, float] | None:
    """Where the viewer opens: at the highest peak of a contrast; None where it has none."""
    peaks = [row["peak"] for row in bundle.manifest["results"] if row["contrast"] == contrast]
    peak = max((peak for peak in peaks if peak), key=lambda peak: abs(peak["z_score"]), default=None)
    return None if peak is None else (peak["x"], peak["y"], peak["z"])


def _around(source: _Source, most: int) -> dict[str, str]:
    """Blocks that are there whatever maps there are."""
    box = source.box
    grey, affine = beneath(box, source.underlay, most)
    empty = np.zeros(box.inside.shape, dtype=np.float32)
    tables = np.stack([lut(name) for name in _TABLES])
    blocks = {
        "underlay": as_text(compress(nifti(grey, affine, calibration=(0, 255)))),
        "overlay": as_text(compress(nifti(empty, box.affine))),
        "mask": as_text(pack_bits(box.inside.ravel(order="F"))),
        "tables": as_text(compress(tables.tobytes())),
    }
    if source.codes is not None:
        blocks["regions"] = as_text(compress(source.codes.astype("<u2").tobytes(order="F")))
    return blocks


def _html(source: _Source, packed: Packed, around: Mapping[str, str]) -> str:
    facts = {
        "shape": source.box.inside.shape,
        "affine": source.box.affine.tolist(),
        "toVoxel": np.linalg.inv(source.box.affine).tolist(),
        "tables": _TABLES,
        "regions": source.names,
        "contrasts": packed.facts,
        "start": source.start,
    }
    return str(
        _template().render(
            style=Markup(_resource(_STYLE)),
            facts=Markup(as_json(facts)),
            blocks={**around, **packed.blocks},
            underlay=None if source.underlay is None else str(source.underlay.attrs["source"]),
            bits=packed.bits,
            most_bits=LEVELS[0],
            left_out=_listed(packed.left_out),
        )
    )


def _listed(left_out: tuple[Map, ...]) -> list[str]:
    return [f"{held.label} of {held.contrast}" for held in left_out]


def _told(sentence: str) -> Viewer:
    html = (
        Environment(autoescape=True)
        .from_string('<p class="missing">{{ sentence }}</p>')
        .render(sentence=sentence)
    )
    return Viewer(html, (), "", MappingProxyType({}))


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _resource(name: str) -> str:
    # A page has LF, and its hashes are of what it has.
    text = resources.files(__package__ or "").joinpath(name).read_text(encoding="utf-8")
    return text.replace("\r\n", "\n")


@cache
def _template() -> Any:
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(_resource("viewer.html.j2"))
