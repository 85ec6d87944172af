"""Which checkpoints of a run stay, so that every step is soon reached again, and the disk does not fill up.

Those of steps 0, 1, 2, 4, 8, … stay, and the first of every stretch of training. A stretch lasts half a second; when a
run has had more stretches than may stay, a stretch becomes twice as long, and every second of the kept ones goes. To
reach a step takes thus about one stretch of training at most: half a second, or 1/128 of the training where that is
more and a checkpoint is small.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

STRETCH_SECONDS: Final = 0.5  # of training; with an opened run, a step is at hand within the 2 s a person waits
MOST_BYTES: Final = 256 * 2**20  # for the first checkpoints of stretches; Adam on 784-512-512-10 in float32 has 8 MB
FEWEST: Final = 16  # stretches, however large a checkpoint is
MOST: Final = 256  # stretches, however small it is


def is_kept(step: int) -> bool:
    """Whether the checkpoint of this step stays in any case, as of 0, 1, 2, 4, 8 and so on."""
    return step & (step - 1) == 0


def next_kept(step: int) -> int:
    """The first step after this one whose checkpoint stays in any case."""
    return 1 << step.bit_length()


def last_kept(step: int) -> int:
    """The last step at or before this one whose checkpoint stays in any case."""
    return 1 << (step.bit_length() - 1) if step else 0


def most_stretches(size: int) -> int:
    """How many stretches keep their first checkpoint.

    Args: size: of a checkpoint, bytes.
    """
    return max(FEWEST, min(MOST, MOST_BYTES // max(size, 1)))


def stretch_length(seconds: float, most: int) -> float:
    """The length of a stretch in seconds: `STRETCH_SECONDS`, doubled until at most so many fit.

    Args:
        seconds: of training so far.
        most: stretches.
    """
    length = STRETCH_SECONDS
    while seconds / length >= most:
        length *= 2
    return length


def stretch_of(seconds: float, length: float) -> int:
    """The number of the stretch that this second of training lies in, from 0."""
    return int(seconds / length)


def superfluous(times: Mapping[int, float], most: int, *, log_spaced: bool = True) -> list[int]:
    """The steps whose checkpoints may go: neither the last, nor log-spaced, nor the first of their stretch.

    Args:
        times: the seconds of training at each step of which there is a checkpoint.
        most: stretches.
        log_spaced: whether those of steps 1, 2, 4, 8, … stay in any case.
    """
    length = stretch_length(max(times.values(), default=0.0), most)
    last, seen = max(times, default=0), set[int]()
    found: list[int] = []
    for step in sorted(times):
        stretch = stretch_of(times[step], length)
        if stretch in seen and step != last and not (log_spaced and is_kept(step)):
            found.append(step)
        seen.add(stretch)
    return found


def spread(times: Mapping[int, float], count: int) -> list[int]:
    """The steps whose checkpoints go so that at most so many stay, spread over the training, the first and last too.

    Args:
        times: the seconds of training at each step of which there is a checkpoint.
        count: at least 2.
    """
    steps, length = sorted(times), STRETCH_SECONDS / 2**20
    kept = set(steps)
    while len(kept) > count:
        length *= 2
        first_of = {stretch_of(times[step], length): step for step in reversed(steps)}
        kept = {*first_of.values(), steps[0], steps[-1]}
    return [step for step in steps if step not in kept]
