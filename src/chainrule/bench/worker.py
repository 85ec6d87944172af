"""The process one system trains in: pinned to its cores before anything is loaded, told line by line what to do.

Each line on stdin is a JSON object, each answer one on what was stdout; whatever a system prints goes to stderr.

    {"do": "check"}             losses of the first steps, and how long the first run took
    {"do": "calibrate"}         how many steps fill a window
    {"do": "window"}            train so many steps, answer the seconds
    {"do": "probe"}             what the processor can do (only of the process that probes)
    {"do": "attention"}         how much of itself it gives just now (only of that process)
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TextIO

if TYPE_CHECKING:  # nothing heavy is loaded before the process is pinned
    from chainrule.bench.peers.contract import Training, Variant
    from chainrule.bench.task import Task

PROBE: Final = "probe"
LEAP: Final = 32  # a calibration's run is at most so many times longer than the one before
TRIALS: Final = 5  # runs a calibration takes the best of


class Session:
    """A variant of a system, training a task window by window."""

    def __init__(self, task: Task, variant: Variant, window: float) -> None:
        self._task, self._variant, self._window = task, variant, window
        self._training: Training = variant.make(task)
        self._at, self._steps = 0, 1

    def check(self) -> dict[str, Any]:
        """The losses of the first steps, and the seconds of the first run beyond what its steps take later."""
        from chainrule.bench.task import CHECKED

        together = min(CHECKED, self._task.recipe.horizon)
        counts = [1] * together if self._variant.is_blind else [together]
        began = time.perf_counter()
        done = self._training.run(0, counts[0])
        first_seconds = time.perf_counter() - began
        losses = list(self._training.losses(done))
        for step in range(1, len(counts)):
            losses += self._training.losses(self._training.run(step, 1))
        self._restart()
        return {"losses": losses, "first_seconds": first_seconds, "first_steps": counts[0]}

    def calibrate(self) -> dict[str, Any]:
        """How many steps fill a window, after runs that grow to it; the first of each length may compile."""
        longest, steps = self._task.recipe.horizon, 1
        seconds = self._best(steps)
        while seconds < self._window / 2 and steps < longest:  # a call's own cost hides how short a step is
            fitting = round(steps * self._window / max(seconds, 1e-9))
            steps = min(longest, max(2 * steps, min(fitting, LEAP * steps)))
            seconds = self._best(steps)
        self._steps = max(1, min(longest, round(steps * self._window / seconds)))
        self._best(self._steps)
        self._restart()
        return {"steps": self._steps}

    def window(self) -> dict[str, Any]:
        """One window; training begins anew where the order of rows would end."""
        if self._at + self._steps > self._task.recipe.horizon:
            self._restart()
        began = time.perf_counter()
        self._training.run(self._at, self._steps)
        seconds = time.perf_counter() - began
        self._at += self._steps
        return {"seconds": seconds, "steps": self._steps}

    def _best(self, steps: int) -> float:
        """The fewest seconds of a few runs of so many steps, not counting the first."""
        self._restart()
        self._training.run(0, steps)
        seconds: list[float] = []
        for _ in range(TRIALS):
            self._restart()
            began = time.perf_counter()
            self._training.run(0, steps)
            seconds.append(time.perf_counter() - began)
        return min(seconds)

    def _restart(self) -> None:
        self._training.restart()
        self._at = 0


class ProbeSession:
    """The processor's probe, read when told."""

    def __init__(self) -> None:
        from chainrule.backends.native.machine import this_machine
        from chainrule.backends.native.probe import Probe

        self._isa = this_machine()
        self._probe = Probe(self._isa)

    def probe(self) -> dict[str, Any]:
        """A reading."""
        read = self._probe.read()
        return {
            "gflops": read.gflops,
            "ghz": read.ghz,
            "latency": read.latency,
            "light_ghz": read.light_ghz,
            "isa": self._isa.name,
            "lanes": self._isa.lanes("float32"),
        }

    def attention(self) -> dict[str, Any]:
        """A burst that fills the processor."""
        burst = self._probe.attention()
        return {"issued": burst.issued, "clock": burst.clock}


def main(words: list[str]) -> int:
    """Serve until stdin ends.

    Args: words: folder of the task, name of the peer (or "probe"), number of its variant, numbers of the
        cores, and how long a window is, as a multiple of the variant's.
    """
    folder, peer, number, cores, length = words
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {int(core) for core in cores.split(",")})
    answers = _own_stdout()
    session = _session(folder, peer, int(number), float(length), answers)
    if session is None:
        return 1
    for line in sys.stdin:
        order: str = json.loads(line)["do"]
        _answer(answers, getattr(session, order))
    return 0


def _session(folder: str, peer: str, number: int, length: float, answers: TextIO) -> Session | ProbeSession | None:
    made: list[Session | ProbeSession] = []

    def begin() -> dict[str, Any]:
        if peer == PROBE:
            made.append(ProbeSession())
        else:
            from chainrule.bench.peers import PEERS, variants_of
            from chainrule.bench.task import read_task

            variant = variants_of(PEERS[peer])[number]
            made.append(Session(read_task(Path(folder)), variant, length * variant.window))
        return {"ready": True}

    _answer(answers, begin)
    return made[0] if made else None


def _own_stdout() -> TextIO:
    """Where answers go; what others print to stdout goes to stderr from now on."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return answers


def _answer(answers: TextIO, act: Callable[[], dict[str, Any]]) -> None:
    """What came of an order; any failure of any system is an answer too."""
    try:
        said = act()
    except Exception as error:  # noqa: BLE001 - other systems raise what they like
        said = {"error": f"{type(error).__name__}: {error}".splitlines()[0][:300]}
    answers.write(json.dumps(said) + "\n")
    answers.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
