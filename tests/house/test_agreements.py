"""What two rooms that may not know each other must say alike."""

from __future__ import annotations

import json
from pathlib import Path
from typing import get_args

from specgl.bundle import manifest_schema
from specgl.cli.verbs.new import TEMPLATES
from specgl.cli.verbs.schema import schema_text
from specgl.images import CONNECTIVITIES
from specgl.inference import METHODS, READY
from specgl.kernels import shuffles
from specgl.kernels.multiplicity import ADJUST
from specgl.kernels.statistics import Nuisance
from specgl.spec import (
    AnyInference,
    AnyMap,
    AnyPermutation,
    BlockLevel,
    ClusterPermutation,
    Parametric,
    PermutationInference,
    PermutationSettings,
)
from specgl.spec.output import MapName, Output
from specgl.variables import DEFAULT_MAPS, VARIABLES


def _words(model: type, field: str) -> set[object]:
    return set(get_args(model.model_fields[field].annotation))  # type: ignore[attr-defined]  # a model


def test_methods_of_the_language_are_those_of_inference() -> None:
    assert {word for model in get_args(AnyInference) for word in _words(model, "method")} == set(METHODS)


def test_corrections_of_the_language_are_those_of_the_kernel() -> None:
    assert _words(Parametric, "correction") == set(ADJUST)


def test_connectivities_of_the_language_are_those_of_space() -> None:
    assert _words(Parametric, "connectivity") == set(CONNECTIVITIES)


def test_statistics_of_ready_made_maps_are_those_of_inference() -> None:
    words = {word for model in get_args(AnyMap) for word in _words(model, "statistic")}
    assert words == set(READY)


def test_maps_of_the_language_are_those_of_the_vocabulary() -> None:
    # `ci` asks for the limits of whatever is written and has some.
    limits = {name for name in VARIABLES if name.endswith(("_lower", "_upper"))}
    assert set(get_args(MapName)) - {"ci"} == set(VARIABLES) - limits
    assert Output().maps == DEFAULT_MAPS


def test_templates_are_the_files_of_their_folder(root: Path) -> None:
    assert {path.stem for path in (root / "specgl/cli/templates").glob("*.yaml")} == set(TEMPLATES)


def test_published_schemas_are_what_the_command_prints(root: Path) -> None:
    for what, name in (("spec", "specgl-1"), ("bundle", "bundle-1")):
        assert (root / "schemas" / f"{name}.schema.json").read_text(encoding="utf-8") == schema_text(what)
    assert json.loads(schema_text("bundle")) == manifest_schema()


def test_shuffles_of_the_language_are_those_of_the_kernels_and_of_the_design() -> None:
    assert _words(BlockLevel, "shuffle") == set(get_args(shuffles.Movement))
    said = get_args(PermutationSettings.model_fields["exchange"].annotation)
    assert {word for option in said for word in get_args(option)} == set(get_args(shuffles.Exchange))


def test_nuisance_methods_of_the_language_are_those_of_the_kernels() -> None:
    assert _words(PermutationSettings, "nuisance") == set(get_args(Nuisance))


def test_forms_of_permutation_say_what_their_base_says() -> None:
    forms = get_args(AnyPermutation)
    for field in ("statistic", "correction", "connectivity"):
        said = {word for form in forms for word in _words(form, field)}
        assert said == _words(PermutationInference, field)
        assert all(_words(form, field) <= said for form in (*forms, ClusterPermutation))
