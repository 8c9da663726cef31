"""The small languages inside a spec: formulas, hypotheses, templates, labels. Read, never evaluated."""

from __future__ import annotations

from specgl.grammar.expressions import Call, Expression, Name, Negative, Number, Operation, read_call
from specgl.grammar.formula import CallUse, Formula, read_formula
from specgl.grammar.functions import FUNCTIONS
from specgl.grammar.hypothesis import Atom, AtomKind, Hypothesis, read_hypothesis
from specgl.grammar.labels import LABEL, propose_label
from specgl.grammar.problems import NameUse, Problem
from specgl.grammar.suggest import did_you_mean, suggest
from specgl.grammar.templates import SAFE_VALUE, TemplateField, fill_template, is_safe_value, template_fields

__all__ = [
    "FUNCTIONS",
    "LABEL",
    "SAFE_VALUE",
    "Atom",
    "AtomKind",
    "Call",
    "CallUse",
    "Expression",
    "Formula",
    "Hypothesis",
    "Name",
    "NameUse",
    "Negative",
    "Number",
    "Operation",
    "Problem",
    "TemplateField",
    "did_you_mean",
    "fill_template",
    "is_safe_value",
    "propose_label",
    "read_call",
    "read_formula",
    "read_hypothesis",
    "suggest",
    "template_fields",
]
