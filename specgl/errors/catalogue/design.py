from __future__ import annotations

from specgl.errors.catalogue.build_codes import BUILD
from specgl.errors.catalogue.code import Code
from specgl.errors.catalogue.lint_codes import LINTS

DESIGN: dict[str, Code] = {**BUILD, **LINTS}
