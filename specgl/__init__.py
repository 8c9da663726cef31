"""Group-level neuroimaging statistics from one validated YAML spec.

>>> import specgl
>>> spec = specgl.read("analysis.yaml")  # doctest: +SKIP
>>> bundle = specgl.run(spec)  # doctest: +SKIP
>>> bundle.maps  # doctest: +SKIP

Names are imported when they are first used, so that checking a spec costs no import of numpy.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from specgl.version import __version__

if TYPE_CHECKING:
    from specgl import plot
    from specgl.bundle import Bundle
    from specgl.bundle import open_bundle as open  # `specgl.open(DIR)` is the contract
    from specgl.errors import (
        DataError,
        DesignError,
        Finding,
        SpecError,
        SpecglError,
        UsageError,
        VerificationError,
    )
    from specgl.planning import Plan
    from specgl.planning import make_plan as plan
    from specgl.running import report, run
    from specgl.spec import AnalysisSpec, read

_HOMES = {
    "AnalysisSpec": "specgl.spec:AnalysisSpec",
    "Bundle": "specgl.bundle:Bundle",
    "DataError": "specgl.errors:DataError",
    "DesignError": "specgl.errors:DesignError",
    "Finding": "specgl.errors:Finding",
    "Plan": "specgl.planning:Plan",
    "SpecError": "specgl.errors:SpecError",
    "SpecglError": "specgl.errors:SpecglError",
    "UsageError": "specgl.errors:UsageError",
    "VerificationError": "specgl.errors:VerificationError",
    "open": "specgl.bundle:open_bundle",
    "plan": "specgl.planning:make_plan",
    "plot": "specgl.plot",
    "read": "specgl.spec:read",
    "report": "specgl.running:report",
    "run": "specgl.running:run",
}

__all__ = [
    "AnalysisSpec",
    "Bundle",
    "DataError",
    "DesignError",
    "Finding",
    "Plan",
    "SpecError",
    "SpecglError",
    "UsageError",
    "VerificationError",
    "__version__",
    "open",
    "plan",
    "plot",
    "read",
    "report",
    "run",
]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'specgl' has no attribute {name!r}")
    module, _, attribute = home.partition(":")
    held = import_module(module)
    value = globals()[name] = getattr(held, attribute) if attribute else held
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
