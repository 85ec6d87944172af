"""Which checkpoints of a run stay, so that every step is soon reached again, and the disk does not fill up.

Those of steps 0, 1, 2, 4, 8, … stay, and the first of every stretch of training. Stretches are measured in what running
their steps again costs, not by the clock, which also counts what else the machine does. A stretch costs 0.3 s as
long as the checkpoints take a tenth of the room they have; then it becomes 0.6 s. That is the longest with which any
step is at hand within the 2 s a person waits, from a prompt to the next, so it becomes longer only where the room is
full.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Final

import msgspec

STRETCH_SECONDS: Final = 0.3  # what it costs to run the steps of a stretch again
LONGEST_SECONDS: Final = 0.6  # while there is room; the rest of 2 s is for Python, the data, the program, the page
PROMISED_SECONDS: Final = 2.0  # of waiting for a step
NEAR: Final = 10  # times less room is taken for stretches that are shorter than they need be
FEWEST: Final = 16  # stretches, however large a checkpoint is
MOST: Final = 4096  # stretches, however small it is: 41 minutes of training


class Room(msgspec.Struct, frozen=True):
    """How much checkpoints may take.

    Attributes:
        size: of a checkpoint, bytes.
        most: for the first checkpoints of all stretches, bytes.
    """

    size: int
    most: float

    def stretches(self, length: float) -> int:
        """How many stretches of a length, in seconds, keep their first checkpoint."""
        room = self.most if length >= LONGEST_SECONDS else self.most / NEAR
        return int(max(FEWEST, min(MOST, room / max(self.size, 1))))


def is_kept(step: int) -> bool:
    """Whether the checkpoint of this step stays in any case, as of 0, 1, 2, 4, 8 and so on."""
    return step & (step - 1) == 0


def next_kept(step: int) -> int:
    """The first step after this one whose checkpoint stays in any case."""
    return 1 << step.bit_length()


def last_kept(step: int) -> int:
    """The last step at or before this one whose checkpoint stays in any case."""
    return 1 << (step.bit_length() - 1) if step else 0


def stretch_length(cost: float, room: Room) -> float:
    """The length of a stretch in seconds: `STRETCH_SECONDS`, doubled until all that there are have room.

    Args:
        cost: of running all steps so far again, seconds.
        room: for their checkpoints.
    """
    length = STRETCH_SECONDS
    while cost / length >= room.stretches(length):
        length *= 2
    return length


def stretch_of(cost: float, length: float) -> int:
    """The number of the stretch that this second of training lies in, from 0."""
    return int(cost / length)


def superfluous(costs: Mapping[int, float], room: Room, *, log_spaced: bool = True) -> list[int]:
    """The steps whose checkpoints may go: neither the last, nor log-spaced, nor the first of their stretch.

    Args:
        costs: of running all steps before again, in seconds, for each step of which there is a checkpoint.
        room: for them.
        log_spaced: whether those of steps 1, 2, 4, 8, … stay in any case.
    """
    length = stretch_length(max(costs.values(), default=0.0), room)
    last, seen = max(costs, default=0), set[int]()
    found: list[int] = []
    for step in sorted(costs):
        stretch = stretch_of(costs[step], length)
        if stretch in seen and step != last and not (log_spaced and is_kept(step)):
            found.append(step)
        seen.add(stretch)
    return found


def spread(costs: Mapping[int, float], count: int) -> list[int]:
    """The steps whose checkpoints go so that at most so many stay, spread over the training, the first and last too.

    Args:
        costs: as of `superfluous`.
        count: at least 2.
    """
    steps, length = sorted(costs), STRETCH_SECONDS / 2**20
    kept = set(steps)
    while len(kept) > count:
        length *= 2
        first_of = {stretch_of(costs[step], length): step for step in reversed(steps)}
        kept = {*first_of.values(), steps[0], steps[-1]}
    return [step for step in steps if step not in kept]


def farthest(costs: Mapping[int, float]) -> float:
    """What it costs at most to run a step again from the checkpoint before it, in seconds; the next one is kept."""
    far = [pair for pair in pairwise(sorted(costs)) if pair[1] - pair[0] > 1]
    return max((costs[last] - costs[first] for first, last in far), default=0.0)
