"""A core that others use: which probes and windows count, told from scripted processes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from chainrule.bench.watch import AGREEING, Agreed, Watch

ALL = 4.0  # instructions a cycle of a core that nobody shares
MISREAD = 9.0  # of a burst whose clock was read while something else ran
CLOCK = 2.5


class Scripted:
    """Says so many instructions a cycle, burst after burst, and reads these shares of its peak."""

    def __init__(self, per_cycle: Sequence[float], shares: Sequence[float] = ()) -> None:
        self._per_cycle = iter([*[ALL] * AGREEING, *per_cycle])
        self._shares = iter(shares)

    def do(self, order: str) -> dict[str, Any]:
        if order == "attention":
            now = next(self._per_cycle)
            clock = CLOCK if now <= ALL else CLOCK * ALL / now
            return {"issued": now * clock, "clock": clock}
        reading = {"ghz": CLOCK, "latency": 4.0, "light_ghz": CLOCK, "isa": "x86-64-v3", "lanes": 8}
        return reading | {"gflops": 80.0 * next(self._shares)}


def watched(*cores: Scripted) -> Watch:
    """After some bursts that had all of every core."""
    watch = Watch(cores)
    for _ in range(AGREEING):
        assert watch.saw_all(watch.attend())
    return watch


def test_a_probe_that_was_disturbed_is_outdone() -> None:
    watch = watched(Scripted([ALL] * 6, [1.0, 0.6, 1.0, 0.99, 0.99, 0.7]))
    for _ in range(6):
        watch.probe()
    assert watch.flaw == ""
    assert watch.limits.gflops == 80.0


def test_a_machine_that_changed_is_void() -> None:
    watch = watched(Scripted([ALL] * 4, [1.0, 1.0, 0.9, 0.9]))
    for _ in range(4):
        watch.probe()
    assert "the machine changed: its probes read from 72.0 to 80.0 GFLOP/s" in watch.flaw


def test_a_window_is_judged_by_both_ends_and_every_core() -> None:
    watch = watched(Scripted([ALL] * 4), Scripted([ALL, 2.0, ALL, ALL]))
    assert [watch.saw_all(watch.attend()) for _ in range(4)] == [True, False, False, True]


def test_many_clocks_that_were_misread_set_nothing_else_aside() -> None:
    watch = watched(Scripted([MISREAD] * 30 + [ALL] * 2))
    assert not any(watch.saw_all(watch.attend()) for _ in range(30))
    assert [watch.saw_all(watch.attend()) for _ in range(2)] == [False, True]


def test_one_reading_alone_decides_nothing() -> None:
    agreed = Agreed()
    for reading in (4.0, 3.0, 4.0, 4.6, *[4.0] * AGREEING):
        agreed.note(reading)
    assert agreed.value == 4.0
