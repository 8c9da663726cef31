"""What is used of ipyniivue is there: when a new release breaks this, the pin in pyproject.toml stays."""

from __future__ import annotations

import re
from importlib import metadata

import pytest

from specgl.reporting.viewer import niivue
from specgl.reporting.viewer.making import SCRIPTS, _resource
from specgl.reporting.viewer.niivue import PACKAGE, as_script, read_niivue

MODULE = (
    'var A=class{};async initialize({model:A}){if(!v){console.log("Creating new Niivue instance");'
    "let B=A.get(),C=g(B);v=new A(C)}return}};export{w as default};\n"
)


def test_the_class_is_found_in_what_is_installed() -> None:
    held = read_niivue()

    assert held is not None
    assert held.script.startswith('(()=>{"use strict";')
    assert re.search(r"\nglobalThis\.specglNiivue=[\w$]+;\}\)\(\);\n\Z", held.script)
    assert "export{" not in held.script[-1000:]


def test_what_a_page_cannot_use_is_left_out() -> None:
    held = read_niivue()

    assert held is not None
    assert len(held.script) < 1_200_000
    assert "AGFzbQ" not in held.script, "WebAssembly needs a policy of its own"


@pytest.mark.parametrize("unsafe", [r"\beval\(", r"new Function\b", r"new Worker\b"])
def test_nothing_needs_a_weaker_policy(unsafe: str) -> None:
    held = read_niivue()

    assert held is not None
    assert re.search(unsafe, held.script) is None


def test_what_the_scripts_use_is_there() -> None:
    held = read_niivue()
    assert held is not None
    drawing = _resource("drawing.js")

    used = set(re.findall(r"\bniivue\.(\w+)", drawing)) | set(re.findall(r"\boverlay\.(\w+)", drawing))
    used |= set(re.findall(r"^    (\w+): ", drawing.split("OPTIONS = {")[1].split("};")[0], re.MULTILINE))

    assert {"attachToCanvas", "addColormap", "mm2frac", "cal_min", "logLevel"} <= used
    own = {"specglDrawn"}
    assert [name for name in sorted(used - own) if not re.search(rf"\b{name}\b", held.script)] == []


def test_the_notice_says_name_version_and_licence() -> None:
    held = read_niivue()

    assert held is not None
    assert re.match(rf"The viewer is NiiVue \d+\.\d+\.\d+ .*{PACKAGE} 2\.4", held.notice)
    assert "BSD 2-Clause License" in held.notice
    assert "THIS SOFTWARE IS PROVIDED" in held.notice


def test_a_known_layout_is_rewritten() -> None:
    script = as_script(MODULE, "2.4.4")

    assert script.endswith("globalThis.specglNiivue=A;})();\n")
    assert "export" not in script


@pytest.mark.parametrize(
    "module",
    [
        MODULE.replace("Creating", "Making"),
        MODULE.replace("export{w as default};", "export default w;"),
        MODULE + MODULE,
        "",
    ],
)
def test_another_layout_is_an_error_that_says_what_to_do(module: str) -> None:
    with pytest.raises(
        niivue.UnknownLayoutError, match=r"ipyniivue 3\.0.*pip install 'ipyniivue>=2\.4,<2\.5'"
    ):
        as_script(module, "3.0")


def test_it_need_not_be_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> metadata.Distribution:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "distribution", missing)
    assert niivue.read_niivue.__wrapped__() is None


def test_scripts_can_stand_in_a_page() -> None:
    for name in SCRIPTS:
        text = _resource(name)
        assert "</script" not in text.lower()
        assert "<!--" not in text
        assert "\r" not in text
