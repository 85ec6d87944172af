"""Results of one case in order, with what they mean for each other: used by every way to show them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from chainrule.bench.row import Row
from chainrule.bench.workloads import WORKLOADS

NATIVE = "chainrule native"


@dataclass(frozen=True, slots=True)
class Ranked:
    """A case's rows, the fastest first, those without a time last.

    Attributes:
        rows: all of one case and one number of cores.
    """

    rows: tuple[Row, ...]

    @property
    def title(self) -> str:
        """As a person says it: "W2, SGD, uint8, 1 core"."""
        first = self.rows[0]
        cores = "1 core" if first.cores == 1 else f"{first.cores} cores"
        optimizer = "SGD" if first.optimizer == "sgd" else "Adam"
        return f"{first.workload}, {optimizer}, {first.storage}, {cores}"

    @property
    def sentence(self) -> str:
        """The network, the batch and what it shows."""
        workload = WORKLOADS[self.rows[0].workload]
        sizes = "-".join(map(str, workload.sizes))
        return f"{sizes}, {workload.hidden}: {workload.sentence}"

    @property
    def timed(self) -> tuple[Row, ...]:
        """The rows that have a time."""
        return tuple(row for row in self.rows if row.best_us is not None)

    @property
    def floor_us(self) -> float | None:
        """Of the case; None where nothing was measured."""
        return next((row.floor_us for row in self.rows if row.floor_us is not None), None)

    @property
    def native_us(self) -> float | None:
        """The native backend's best."""
        return next((row.best_us for row in self.rows if row.system == NATIVE), None)

    def times_native(self, row: Row) -> float | None:
        """How many times longer than the native backend a row's best is."""
        if row.best_us is None or not self.native_us:
            return None
        return row.best_us / self.native_us


def ranked(rows: Iterable[Row]) -> list[Ranked]:
    """The cases in the order in which they came."""
    cases: dict[tuple[object, ...], list[Row]] = {}
    for row in rows:
        cases.setdefault((*row.case, row.cores), []).append(row)
    return [Ranked(tuple(sorted(case, key=_by_time))) for case in cases.values()]


def remarks(rows: Sequence[Row]) -> tuple[str, ...]:
    """What makes rows void and what to keep in mind, each once, in order."""
    return tuple(dict.fromkeys(each for row in rows for each in (row.void, row.note) if each and row.best_us))


def conditions(rows: Sequence[Row]) -> str:
    """Where and when, in a sentence; empty without rows that were measured."""
    row = next((row for row in rows if row.machine is not None and row.probe_gflops), None)
    if row is None or row.machine is None:
        return ""
    machine, load = row.machine, max(row.machine.load for row in rows if row.machine is not None)
    stolen = max(row.stolen for row in rows)
    origins = ", ".join(dict.fromkeys(row.samples for row in rows))
    return (
        f"{machine.date} UTC, {machine.processor}, {machine.cores} cores, instruction set {row.instruction_set}, "
        f"governor {machine.governor}, {machine.system}, Python {machine.python}; load up to {load:g}, "
        f"{_percent(stolen)} of the time stolen; {origins}."
    )


def versions(rows: Iterable[Row]) -> str:
    """Every library that was measured, with its version."""
    found = {package: version for row in rows for package, version in row.versions.items() if row.best_us}
    return ", ".join(f"{package} {version}" for package, version in sorted(found.items()))


def _percent(share: float) -> str:
    return "an unknown share" if share < 0 else f"{share:.1%}"


def _by_time(row: Row) -> tuple[bool, float]:
    return row.best_us is None, row.best_us or 0.0
