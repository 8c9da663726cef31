"""Every code that a finding can carry, said once, by the stage that finds it."""

from __future__ import annotations

from specgl.errors.catalogue.code import Code
from specgl.errors.catalogue.design import DESIGN
from specgl.errors.catalogue.images import IMAGES
from specgl.errors.catalogue.language import LANGUAGE
from specgl.errors.catalogue.results import RESULTS
from specgl.errors.catalogue.table import TABLE

__all__ = ["CATALOGUE", "Code"]

CATALOGUE: dict[str, Code] = {**LANGUAGE, **TABLE, **DESIGN, **IMAGES, **RESULTS}
