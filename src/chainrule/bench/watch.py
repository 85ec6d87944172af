"""Whether systems have all of their cores: bursts of instructions between windows, and the first core's limits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from chainrule.backends.native.probe import flaw
from chainrule.bench.floor import Limits
from chainrule.bench.row import ATTENTIVE, agreed, hidden, unsteady


class Probing(Protocol):
    """A process that probes its core."""

    def do(self, order: str) -> dict[str, Any]:
        """What it says to "probe", or to "attention"."""
        ...


@dataclass(frozen=True, slots=True)
class Probed:
    """What a probe read, and the fewer instructions a cycle the cores began right before and right after it."""

    read: dict[str, Any]
    issued: float


class Watch:
    """Probes the first core, and tells what every core gives between two windows.

    Attributes:
        probed: the readings, in order.
        most: instructions a cycle that the cores began in the best bursts.
    """

    def __init__(self, processes: Sequence[Probing]) -> None:
        self._processes = processes
        self._bursts: list[float] = []
        self._before = 0.0
        self.probed: list[Probed] = []
        self.most = 0.0

    def probe(self) -> None:
        """Read the limits of the first core."""
        if not self.probed:
            for process in self._processes:
                process.do("probe")  # bursts are only to be told after one
        self.attend()
        read = self._processes[0].do("probe")
        self.probed.append(Probed(read, self.attend()))

    def attend(self) -> float:
        """Instructions a cycle now or the last time, whichever are fewer, of the core that began the fewest."""
        now = min(float(process.do("attention")["issued"]) for process in self._processes)
        self._bursts.append(now)
        self.most = agreed(self._bursts)
        before, self._before = self._before, now
        return min(before, now)

    @property
    def limits(self) -> Limits:
        """The best of the undisturbed readings, and their median clock: one alone may have been misread."""
        reads = [probed.read for probed in self._undisturbed or self.probed]
        best = max(reads, key=lambda read: float(read["gflops"]))
        clock = float(np.median([float(read["ghz"]) for read in reads]))
        fastest = max(float(read["light_ghz"]) for read in reads)
        return Limits(float(best["gflops"]), clock, float(best["latency"]), fastest, int(best["lanes"]))

    @property
    def isa(self) -> str:
        """The instruction set that all were held to."""
        return str(self.probed[0].read["isa"])

    @property
    def flaw(self) -> str:
        """What is wrong with all that was measured meanwhile; "" where nothing is."""
        undisturbed, limits = [float(probed.read["gflops"]) for probed in self._undisturbed], self.limits
        alone = hidden(len(undisturbed), len(self.probed))
        return alone or flaw(self.isa, limits.gflops / limits.ghz) or unsteady(undisturbed)

    @property
    def _undisturbed(self) -> list[Probed]:
        return [probed for probed in self.probed if probed.issued >= ATTENTIVE * self.most]
