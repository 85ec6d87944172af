"""What a system of the benchmark offers: variants of its use, each a training that runs so many steps when told."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, Protocol, TypeAlias

from chainrule.bench.task import Task

Effort: TypeAlias = Literal["documented", "best"]

WINDOW: Final = 0.02  # seconds of work before another system has its turn
LONG_WINDOW: Final = 0.5  # for a system whose call that trains costs milliseconds by itself


class Training(Protocol):
    """A training under way in one system."""

    def restart(self) -> None:
        """Go back to the task's weights; not timed."""
        ...

    def run(self, first: int, steps: int) -> Any:  # whatever `losses` can read
        """Do these steps, counted from 0 since the restart, and return when all their arithmetic is done."""
        ...

    def losses(self, done: Any) -> Sequence[float]:
        """The loss of each of these steps, before its update; not timed."""
        ...


def everything(task: Task) -> str:
    """For a variant that can train every task."""
    return ""


@dataclass(frozen=True, slots=True)
class Variant:
    """One way to use a system.

    Attributes:
        name: what is done, in a few words.
        effort: as its documentation shows it, or the best we could make of it.
        make: prepares a training; nothing is compiled before its first run.
        refuses: why the task cannot be trained so; "" where it can.
        window: seconds of work in a turn.
        is_blind: whether only the mean loss of a run is known, so that losses are checked one step at a time.
    """

    name: str
    effort: Effort
    make: Callable[[Task], Training]
    refuses: Callable[[Task], str] = everything
    window: float = WINDOW
    is_blind: bool = False


def library(name: str) -> Any:  # Any: other systems have types of their own, or none
    """A library that only this process needs."""
    return importlib.import_module(name)
