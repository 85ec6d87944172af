"""How far any step of a run is from a checkpoint, and what the checkpoints take."""

from __future__ import annotations

import math
from typing import Final

import msgspec

from chainrule.train.folder import RunFolder
from chainrule.train.keeper import GIGABYTE
from chainrule.train.thinning import LONGEST_SECONDS, PROMISED_SECONDS, farthest

LARGE: Final = 10**6  # bytes of a checkpoint: of those kept of ten minutes of training a gigabyte may come together
UNITS: Final = (("kB", 10**3), ("MB", 10**6), ("GB", GIGABYTE))


class Reach(msgspec.Struct, frozen=True):
    """Checkpoints as a person counts them.

    Attributes:
        checkpoints: how many there are.
        size: of them all on the disk, bytes.
        seconds: what it costs to run the farthest step again from the one before it.
        needed: bytes with which none would be farther than it shall be, about.
    """

    checkpoints: int
    size: int
    seconds: float
    needed: float


def reach_of(folder: RunFolder) -> Reach:
    """Of the checkpoints that can be read."""
    costs = folder.checkpoints.costs
    size = sum(map(folder.checkpoints.size, costs))
    stretches = max(costs.values(), default=0.0) / LONGEST_SECONDS
    return Reach(len(costs), size, farthest(costs), stretches * size / max(len(costs), 1))


def reach_in_words(reach: Reach) -> str:
    """How far, for what they take; and what nearer ones take, where a step is farther than a person waits."""
    said = f"any step is at most {_time(reach.seconds)} of training away; checkpoints take {size_in_words(reach.size)}"
    if reach.seconds <= PROMISED_SECONDS:
        return said
    needed = f"{size_in_words(reach.needed)} (--disk {reach.needed / GIGABYTE:.2g})"
    return f"{said}, and to be within {_time(LONGEST_SECONDS)} they need about {needed}"


def room_in_words(each: float, room: float, *, is_said: bool) -> str:
    """What checkpoints may take, told before a training whose checkpoints are large; "" of small ones.

    Args:
        each: bytes of one, about.
        room: bytes that all may take.
        is_said: whether somebody said so, rather than that it is a share of what is free.
    """
    if each < LARGE:
        return ""
    why = "as --disk says" if is_said else "a tenth of what is free; --disk says how much"
    return f"checkpoints of about {size_in_words(each)} may take {size_in_words(room)} in all, {why}"


def size_in_words(size: float) -> str:
    """Such as "8.31 MB", in thousands, millions or thousand millions of bytes."""
    unit, bytes_of_it = next(each for each in UNITS if size < 999.5 * each[1] or each is UNITS[-1])
    return f"{size / bytes_of_it:.3g} {unit}"


def _time(seconds: float) -> str:
    """Rounded up, so that it is true."""
    tenths = math.ceil(10.0 * seconds) / 10.0
    return f"{tenths:.0f} s" if tenths >= 10.0 else f"{max(tenths, 0.1):.1f} s"
