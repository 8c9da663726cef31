"""The whole spec."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, JsonValue, PrivateAttr, model_validator
from pydantic_core import PydanticCustomError

from specgl.spec.base import Label, Part, Text
from specgl.spec.contrasts import Contrast
from specgl.spec.data import Data, Mask
from specgl.spec.inference import Inference
from specgl.spec.maps import ReadyMap
from specgl.spec.model import Model
from specgl.spec.output import Output
from specgl.spec.permutation import BlockLevel, PermutationSettings
from specgl.spec.source import Source
from specgl.spec.variables import Variable


def _no_truth(value: Any) -> Any:
    """Refuse true, which Python takes for 1."""
    if isinstance(value, bool):
        raise PydanticCustomError("literal_error", "Input should be 1", {"expected": "1"})
    return value


def _held(part: Any, key: str) -> Any:
    """What a part of a spec holds under a key, be it values still or a model already."""
    return part.get(key) if isinstance(part, dict) else getattr(part, key, None)


def _is_shuffled(inference: Any) -> bool:
    """Whether an inference wants shuffles."""
    asked = inference.values() if isinstance(inference, dict) else ()
    return any(_held(how, "method") == "permutation" for how in asked)


class AnalysisSpec(Part):
    """One group analysis: everything that can change a number, and nothing else."""

    specgl: Annotated[Literal[1], BeforeValidator(_no_truth)]
    """Major version of the language: 1."""

    name: Label
    """Name of the analysis: letters and digits."""

    description: Text | None = None
    """What is asked, in words. Outside the analysis' identity."""

    data: Data | None = None
    """The observations and their images."""

    mask: Mask | None = None
    """Where the analysis is done: a path; `{image: ..., threshold: 0.2}` (kept where the mask image is
    above it); or `{absolute_threshold: 0.2}` (every image above it). Left out: where all observations have
    a value and the values vary."""

    variables: dict[Text, Variable] = Field(default_factory=dict)
    """What each column of the model is; every column that the formula uses is declared."""

    model: Model | None = None
    """The linear model of every location."""

    contrasts: dict[Label, Contrast] = Field(default_factory=dict)
    """The questions put to the fitted model, by name: a hypothesis such as `group[patient] - group[control]`;
    `{hypothesis: ...}` (a text: t; a list: F); `{weights: {regressor: number}}` (a list of them: F);
    `{term: "age:sex"}` (F over the term's regressors); or `{conjunction: [a, b]}` (where all of these
    t contrasts hold)."""

    maps: dict[Label, ReadyMap] = Field(default_factory=dict)
    """Ready-made maps to threshold, cluster and table, instead of `data`, `variables`, `model` and
    `contrasts`."""

    inference: dict[Label, Inference] = Field(default_factory=dict)
    """What is called significant, by name. Left out: unthresholded maps only."""

    permutation: PermutationSettings | None = None
    """The shuffles that all inferences with `method: permutation` share; needed where there are any."""

    output: Output = Output.model_construct()
    """Where results go and which maps are written. Outside the analysis' identity."""

    metadata: dict[str, JsonValue] = Field(default_factory=dict)
    """Anything else worth keeping. Outside the analysis' identity."""

    _source: Source | None = PrivateAttr(default=None)

    @model_validator(mode="before")
    @classmethod
    def _shuffles_of_the_model(cls, said: Any) -> Any:
        """Say what shuffles follow from the model, where nothing else is said.

        They stay within the blocks whose means are taken out; and the variance between observations is kept
        from the model without what is tested.
        """
        permutation = said.get("permutation") if isinstance(said, dict) else None
        if not isinstance(permutation, dict | PermutationSettings):
            return said
        model, implied = said.get("model"), dict[str, Any]()
        block = _held(model, "block")
        if isinstance(block, str) and block and _held(permutation, "blocks") is None:
            implied["blocks"] = (BlockLevel.model_validate({"by": block}),)
        mixed = _held(_held(model, "estimator"), "method") == "mixed_effects"
        if mixed and _held(permutation, "tau2") is None and _is_shuffled(said.get("inference")):
            implied["tau2"] = "reduced_model"
        if isinstance(permutation, PermutationSettings):
            return {**said, "permutation": permutation.model_copy(update=implied)}
        return {**said, "permutation": {**permutation, **implied}}

    @property
    def source(self) -> Source | None:
        """The text from which the spec was read; None for a spec made in Python."""
        return self._source

    @property
    def folder(self) -> Path:
        """Folder to which the spec's paths are relative: its file's, else the current one."""
        path = self._source.path if self._source else None
        return path.parent if path else Path.cwd()

    def read_from(self, source: Source) -> "AnalysisSpec":
        """The same spec, which knows the text from which it was read."""
        copy = self.model_copy()
        copy._source = source
        return copy

    def __eq__(self, other: Any) -> bool:
        """Whether both ask the same; where they were read from does not matter."""
        if not isinstance(other, AnalysisSpec):
            return NotImplemented
        return self.__dict__ == other.__dict__
