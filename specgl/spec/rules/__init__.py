"""What no single key can tell: rules between the parts of a spec."""

from __future__ import annotations

from itertools import chain, islice

from specgl.errors import Finding
from specgl.spec.outline import Outline
from specgl.spec.rules.conjunctions import check_conjunctions
from specgl.spec.rules.discoveries import check_discoveries
from specgl.spec.rules.estimation import check_estimation
from specgl.spec.rules.fields import check_fields
from specgl.spec.rules.maps import check_maps
from specgl.spec.rules.names import check_names
from specgl.spec.rules.paths import check_paths
from specgl.spec.rules.permutation import check_permutation
from specgl.spec.rules.sections import check_sections
from specgl.spec.rules.shuffled import check_shuffled
from specgl.spec.rules.voxelwise import check_voxelwise
from specgl.spec.rules.words import check_formula, check_hypotheses, check_terms

__all__ = ["check_outline"]


def check_outline(
    outline: Outline, *, allow_outside: bool = False, most: int | None = None
) -> tuple[Finding, ...]:
    """Everything that the rules find, or so many of it."""
    found = chain(
        check_sections(outline),
        check_estimation(outline),
        check_permutation(outline),
        check_shuffled(outline),
        check_fields(outline),
        check_discoveries(outline),
        check_maps(outline),
        check_names(outline),
        check_voxelwise(outline),
        check_paths(outline, allow_outside=allow_outside),
        check_formula(outline),
        check_hypotheses(outline),
        check_terms(outline),
        check_conjunctions(outline),
    )
    return tuple(islice(found, most))
