"""A bundle in words: the question, the methods, the references.

Both are made from the resolved spec, the meaning of the design, the manifest and the versions, never from
what somebody wrote about the analysis. All texts are plain: whoever shows them escapes them.
"""

from __future__ import annotations

from specgl.reporting.words.asking import Question, question
from specgl.reporting.words.reference import Reference
from specgl.reporting.words.writing import Methods, methods

__all__ = ["Methods", "Question", "Reference", "methods", "question"]
