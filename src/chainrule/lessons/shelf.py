"""The lessons that come with the package, in the order in which to read them."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from typing import Final

from chainrule.errors import UnknownNameError
from chainrule.errors.calls import check_kind
from chainrule.lessons.taught import Lesson, Taught

# Each file holds one lesson of its own name, with dashes for underscores.
NAMES: Final = (
    "one-weight",
    "xor",
    "nudges",
    "importance",
    "average-gradient",
    "three-descents",
    "learning-rate",
    "activations",
    "vanishing",
    "exploding",
    "dying-relu",
    "unscaled-inputs",
    "target-scale",
    "batch-sizes",
)  # fmt: skip


def named(name: str) -> Lesson:
    """The lesson of that name.

    Raises: UnknownNameError for a name that does not exist, with the nearest that does.
    """
    check_kind("the lesson", name, str, "its name as text, such as 'one-weight'")
    if name not in NAMES:
        raise UnknownNameError("lesson", name, NAMES)
    lesson: Lesson = importlib.import_module(f"chainrule.lessons.{name.replace('-', '_')}").LESSON
    return lesson


def every() -> Iterator[Lesson]:
    """All lessons in order."""
    return (named(name) for name in NAMES)


def lesson(name: str, seed: int = 0) -> Taught:
    """Run a lesson: `print(cr.lesson("one-weight"))`.

    Args:
        name: of the lesson; `cr.lessons.NAMES` has all.
        seed: of everything in it that is drawn.

    Returns: the lesson as it was run: its page, and what it states.
    Raises: UnknownNameError for a name that does not exist.
    """
    return named(name).run(seed)
