"""Whether systems have all of their cores: bursts of instructions between windows, and the first core's limits."""

from __future__ import annotations

from bisect import insort
from collections.abc import Sequence
from typing import Any, Final, Protocol, TypeAlias

import numpy as np

from chainrule.backends.native.probe import Burst, flaw
from chainrule.bench.floor import Limits
from chainrule.bench.row import unsteady

ATTENTIVE: Final = 0.95  # of the most instructions a cycle: what surrounds an undisturbed window
AGREEING: Final = 7  # of the best readings

Bursts: TypeAlias = tuple[Burst, ...]


class Probing(Protocol):
    """A process that probes its core."""

    def do(self, order: str) -> dict[str, Any]:
        """What it says to "probe", or to "attention"."""
        ...


class Agreed:
    """What several of the best readings reach, so that one that was misread decides nothing."""

    def __init__(self) -> None:
        self._best: list[float] = []

    def note(self, reading: float) -> None:
        """One more."""
        insort(self._best, reading)
        del self._best[:-AGREEING]

    @property
    def value(self) -> float:
        """The least of the best readings."""
        return self._best[0]


class Watch:
    """Probes the first core, and tells what every core gives between two windows.

    Attributes:
        probes: what was read, in order.
    """

    def __init__(self, processes: Sequence[Probing]) -> None:
        self._processes = processes
        self._issued, self._clock = Agreed(), Agreed()
        self._last: Bursts = ()
        self.probes: list[dict[str, Any]] = []

    def probe(self) -> None:
        """Read the limits of the first core; bursts are only to be told after a probe."""
        for process in self._processes[1:] if not self.probes else ():
            process.do("probe")
        self.probes.append(self._processes[0].do("probe"))
        self.attend()

    def attend(self) -> Bursts:
        """What every core gave the last time and now."""
        now: list[Burst] = []
        for process in self._processes:
            said = process.do("attention")
            burst = Burst(float(said["issued"]), float(said["clock"]))
            self._issued.note(burst.issued)
            self._clock.note(burst.clock)
            now.append(burst)
        around = (*self._last, *now)
        self._last = tuple(now)
        return around

    def saw_all(self, around: Bursts) -> bool:
        """Whether the cores began as many instructions a cycle as they can in all these bursts."""
        most = self._issued.value / self._clock.value
        return all(ATTENTIVE * most <= burst.per_cycle <= most / ATTENTIVE for burst in around)

    @property
    def limits(self) -> Limits:
        """The best of all readings, and their median clock: one alone may have been disturbed."""
        best = max(self.probes, key=lambda read: float(read["gflops"]))
        clock = float(np.median([float(read["ghz"]) for read in self.probes]))
        fastest = max(float(read["light_ghz"]) for read in self.probes)
        return Limits(float(best["gflops"]), clock, float(best["latency"]), fastest, int(best["lanes"]))

    @property
    def isa(self) -> str:
        """The instruction set that all were held to."""
        return str(self.probes[0]["isa"])

    @property
    def flaw(self) -> str:
        """What is wrong with all that was measured meanwhile; "" where nothing is."""
        limits = self.limits
        return flaw(self.isa, limits.gflops / limits.ghz) or unsteady([float(read["gflops"]) for read in self.probes])
