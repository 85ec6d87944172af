"""How many threads share a step: the flag that sets what the native backend reads from the environment."""

from __future__ import annotations

import os
from typing import Annotated, TypeAlias

from cyclopts import Parameter

from chainrule.cli.flags import TRAINING

Threads: TypeAlias = Annotated[
    int | None, Parameter(group=TRAINING, help="That share a step; the bits are the same for any number.")
]


def use_threads(count: int | None) -> None:
    """Have so many threads share a step; None leaves it to CHAINRULE_THREADS, or to the cores there are.

    Raises: ValueRangeError for a number that is too small or too large.
    """
    if count is None:
        return
    from chainrule.backends.native.crew import VARIABLE, thread_count

    os.environ[VARIABLE] = str(count)
    thread_count()
