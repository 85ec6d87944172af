"""A core that others use: which probes and windows count, told from scripted processes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from chainrule.bench.watch import Watch

ALL = 4.0  # instructions a cycle of a core that nobody shares
OFTEN = 7  # bursts that must have reached them


class Scripted:
    """Says so many instructions a cycle, burst after burst, and reads what a core of 2.5 GHz gives of its peak."""

    def __init__(self, issued: Sequence[float], shares: Sequence[float] = ()) -> None:
        self._issued = iter(issued)
        self._shares = iter([1.0, *shares])

    def do(self, order: str) -> dict[str, Any]:
        if order == "attention":
            return {"issued": next(self._issued)}
        reading = {"ghz": 2.5, "latency": 4.0, "light_ghz": 2.5, "isa": "x86-64-v3", "lanes": 8}
        return reading | {"gflops": 80.0 * next(self._shares)}


def watched(issued: Sequence[float], shares: Sequence[float]) -> Watch:
    """One core, after some bursts that had all of it."""
    watch = Watch([Scripted([ALL] * OFTEN + list(issued), shares)])
    for _ in range(OFTEN):
        watch.attend()
    return watch


def test_a_probe_that_was_disturbed_is_set_aside() -> None:
    watch = watched([ALL, ALL, ALL, 2.1, ALL, ALL], [1.0, 0.6, 0.99])
    for _ in range(3):
        watch.probe()
    assert [probed.issued for probed in watch.probed] == [ALL, 2.1, ALL]
    assert watch.flaw == ""
    assert watch.limits.gflops == 80.0


def test_a_machine_that_changed_is_void() -> None:
    watch = watched([ALL] * 4, [1.0, 0.9])
    watch.probe()
    watch.probe()
    assert "the machine changed: its probes read from 72.0 to 80.0 GFLOP/s" in watch.flaw


def test_probes_that_were_all_disturbed_are_void() -> None:
    watch = watched([ALL, 2.0, 2.0, ALL, 2.0, ALL], [0.6, 0.6, 0.6])
    for _ in range(3):
        watch.probe()
    assert "0 of 3 probes had all of it" in watch.flaw
    assert watch.limits.gflops == 48.0


def test_a_window_is_judged_by_both_ends_and_every_core() -> None:
    second = [ALL] * OFTEN + [2.0] + [ALL] * 2
    watch = Watch([Scripted([ALL] * len(second)), Scripted(second)])
    assert [watch.attend() for _ in second] == [0.0, *[ALL] * (OFTEN - 1), 2.0, 2.0, ALL]
    assert watch.most == ALL
