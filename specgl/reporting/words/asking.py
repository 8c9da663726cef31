"""The question of an analysis, for whoever has not read its spec."""

from __future__ import annotations

from dataclasses import dataclass

from specgl.bundle import Bundle
from specgl.reporting.words.contrasts import question_of
from specgl.reporting.words.facts import Facts, facts_of
from specgl.reporting.words.language import counted, one_space
from specgl.reporting.words.promises import promise_of


@dataclass(frozen=True, slots=True)
class Question:
    """What was asked, in plain text.

    Attributes
    ----------
    lead
        One sentence on the analysis.
    contrasts
        Name of each contrast, and what it asks.
    inferences
        Name of each inference, and what it promises.
    """

    lead: str
    contrasts: tuple[tuple[str, str], ...] = ()
    inferences: tuple[tuple[str, str], ...] = ()


def question(bundle: Bundle) -> Question:
    """Say what was asked.

    Parameters
    ----------
    bundle
        A bundle. Of a run that stopped only the first sentence is told.

    Returns
    -------
    Question
        Plain text throughout: whoever shows it escapes it.
    """
    return ask(facts_of(bundle))


def ask(facts: Facts) -> Question:
    """As `question`, from facts."""
    if not facts.complete:
        return Question(_stopped(facts))
    return Question(
        lead=_lead(facts),
        contrasts=tuple((str(c["name"]), question_of(c, facts)) for c in facts.contrasts),
        inferences=tuple((label, promise_of(label, facts)) for label in facts.inferences),
    )


def _lead(facts: Facts) -> str:
    voxels = counted(facts.n_locations, "voxel")
    if facts.design is None:
        n = len(facts.contrasts)
        return (
            f"{counted(n, 'ready-made map')}, {voxels} each: no model was fitted."
            if n > 1
            else (f"1 ready-made map of {voxels}: no model was fitted.")
        )
    observations = counted(int(facts.manifest["observations"]), "observation")
    return f"{observations}, one linear model at each of {voxels}: {model_words(facts)}."


def model_words(facts: Facts) -> str:
    """The model as one writes it: ``image ~ group + age``."""
    return f"image ~ {one_space(str(facts.section('model')['formula']))}"


def _stopped(facts: Facts) -> str:
    ended = f"the run ended in the stage {facts.manifest.get('stage', 'unknown')}, and there are no results"
    if facts.section("model"):
        return f"One linear model at each voxel was asked for, {model_words(facts)}; {ended}."
    if facts.section("maps"):
        return f"{counted(len(facts.section('maps')), 'ready-made map')} to threshold; {ended}."
    return f"What was asked is not known: {ended}."
