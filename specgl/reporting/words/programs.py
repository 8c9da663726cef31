"""What the analysis ran with, and where its results and inputs are told."""

from __future__ import annotations

from collections.abc import Iterator

from specgl.inference import MAX_PEAKS, PEAK_DISTANCE
from specgl.reporting.words.citations import Citations
from specgl.reporting.words.corrections import NEIGHBOURS
from specgl.reporting.words.facts import Facts
from specgl.reporting.words.forming import is_voxelwise
from specgl.reporting.words.language import listed, name

_LIBRARIES = (("numpy", "NumPy", "harris2020"), ("scipy", "SciPy", "virtanen2020"))
_COMPILED = frozenset({"permutation", "simulated", "all_resolutions"})
"""Methods that run compiled code."""


def software_text(facts: Facts, cite: Citations) -> str:
    """Programs with their versions, and the digest that identifies the analysis."""
    version = str(facts.manifest["specgl"])
    python = str(facts.environment.get("python", "Python"))
    told = (
        f"The analysis was made with specgl {name(version)} {cite('specgl', version=version)} under "
        f"{_plain(python)}"
    )
    libraries = list(_libraries(facts, cite))
    return f"{told}, using {listed(libraries)}." if libraries else f"{told}."


def _libraries(facts: Facts, cite: Citations) -> Iterator[str]:
    held = facts.environment.get("distributions", {})
    for package, title, key in _LIBRARIES:
        if package in held:
            yield f"{title} {name(held[package])} {cite(key)}"
    if "nibabel" in held:
        yield f"NiBabel {name(held['nibabel'])} {cite('nibabel', version=str(held['nibabel']))}"
    if "formulaic" in held and facts.design is not None:
        yield f"formulaic {name(held['formulaic'])} {cite('formulaic', version=str(held['formulaic']))}"
    methods = {str(settings["method"]) for settings in facts.inferences.values()}
    if "numba" in held and methods & _COMPILED:
        yield f"Numba {name(held['numba'])} {cite('lam2015')}"


def _plain(text: str) -> str:
    """Words of the environment, such as ``CPython 3.11.7``."""
    return " ".join(map(name, text.split()))


def tables_text(facts: Facts) -> str:
    """What tables list, and what named their places; empty where nothing was inferred."""
    if not facts.inferences:
        return ""
    told = [f"Tables list each cluster with at most {MAX_PEAKS} peaks, {PEAK_DISTANCE:g} mm or more apart."]
    alike: dict[int, list[str]] = {}
    for label, settings in facts.inferences.items():
        if is_voxelwise(settings):
            alike.setdefault(int(settings["connectivity"]), []).append(label)
    for n, labels in alike.items():
        whose = "" if len(alike) == 1 == len(facts.inferences) else f" under {listed(map(name, labels))}"
        told.append(f"The voxels that survive{whose} form clusters with {n} neighbours ({NEIGHBOURS[n]}).")
    if (atlas := facts.section("output").get("atlas")) is not None:
        told.append(f"Regions are named by {name(str(atlas['image']).rpartition('/')[2])}.")
    return " ".join(told)


def availability_text(facts: Facts, cite: Citations) -> str:
    """What the bundle holds, so that others can check and repeat the analysis."""
    maps = "unthresholded maps, " if {"stat", "z"} & set(facts.section("output").get("maps", ())) else ""
    return (
        "The analysis is defined by a specification whose resolved form has the SHA-256 digest "
        f"{facts.manifest['spec_digest']}. The results bundle holds this specification, {maps}thresholded "
        "maps, "
        "tables, the versions of all libraries, and the SHA-256 digests of all input files and results; the "
        "input images are not part of it. This text follows the order of the reporting checklist of the "
        f"Committee on Best Practices in Data Analysis and Sharing (COBIDAS; {cite.bare('nichols2017')})."
    )
