"""Lessons: questions, the experiments that answer them, and statements held against what came out."""

from chainrule.lessons.shelf import NAMES, every, lesson, named
from chainrule.lessons.taught import Lesson, Statement, Taught
from chainrule.lessons.writing import bars, claim, curves, formulas, measured, opened, part, say, shown, table

__all__ = [
    "NAMES",
    "Lesson",
    "Statement",
    "Taught",
    "bars",
    "claim",
    "curves",
    "every",
    "formulas",
    "lesson",
    "measured",
    "named",
    "opened",
    "part",
    "say",
    "shown",
    "table",
]
