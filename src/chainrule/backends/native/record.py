"""What the function of a slice is called with: the words of the call record, and those of the threads' meeting."""

from __future__ import annotations

from typing import Final

from chainrule.backends.native.schedule import Schedule

# The words of the call record, one i64 each; the pointers to columns, rates and reports follow.
STATE, WORK, ORDER, OFFSETS, STEPS, FIRST_STEP, STOP, THREADS, SCRATCH, SCRATCH_EACH, MEETING, TAIL = range(12)

WORDS: Final = 64  # of a meeting, i32: four lines of 64 bytes
COME, TURN, HEARD, SLEPT, ASLEEP = 0, 16, 32, 48, 49


def slots(plan: Schedule) -> dict[tuple[str, str], int]:
    """The words of the call record behind those that are always there."""
    named = (
        ("column", plan.roles.columns),
        ("rate", plan.roles.rates),
        ("report", tuple(name for name, _ in plan.reports)),
    )
    return {key: TAIL + k for k, key in enumerate((kind, each) for kind, names in named for each in names)}
