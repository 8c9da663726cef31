from __future__ import annotations

from specgl.errors.catalogue.code import Code

BUILD: dict[str, Code] = {}
