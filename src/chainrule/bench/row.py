"""One result: a system's time for a step of a case, what it is measured against, and the rules that void it."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final, Literal

import numpy as np

from chainrule.bench.surroundings import Machine
from chainrule.bench.task import Recipe

TOLERANCES: Final = {"sgd": 1e-5, "adam": 1e-4}  # of a loss, relative; float32 leaves 1e-6
STEADY: Final = 0.03  # share of the peak by which probes before, among and after the windows may differ
ENOUGH: Final = 5  # undisturbed windows, from which times can be told
OFTEN: Final = 0.05  # of all windows: fewer may have been disturbed between two bursts that were not
PARTS: Final = 3  # of a run, before, among and after whose windows the best probes are compared
MICRO: Final = 1e6


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What a line of results says; each field is a key of its JSON object.

    Attributes:
        workload: its name.
        optimizer: sgd or adam.
        storage: of the samples.
        system: title of the peer.
        variant: how it was used.
        effort: "documented" or "best".
        cores: it could use.
        samples: where they come from.
        best_us: µs a step in the best window; None where nothing can be said.
        p25_us: the 25th percentile of the windows.
        median_us: the median.
        windows: how many the times are taken from.
        disturbed: how many were set aside, because something else had a part of the core before or after them.
        steps_per_window: in each.
        floor_us: µs below which no system can be.
        instruction_set: that the probe ran and all systems were held to.
        probe_gflops: 10⁹ flops a second of one core, the best probe of the run.
        flops_per_cycle: of that probe.
        share_of_peak: flops of the products in the best window, as a share of the peak of these cores.
        share_of_floor: the floor as a share of the best window.
        compile_ms: of the first run, what its steps do not account for.
        loss_error: largest relative difference of the first losses from those in float64.
        void: why this is no result; None where it is one.
        note: what to keep in mind.
        stolen: share of time the hypervisor gave to others while measuring; -1 where not known.
        versions: of the libraries.
        machine: where and when.
    """

    workload: str
    optimizer: str
    storage: str
    system: str
    variant: str
    effort: Literal["documented", "best"]
    cores: int
    samples: str
    best_us: float | None = None
    p25_us: float | None = None
    median_us: float | None = None
    windows: int = 0
    disturbed: int = 0
    steps_per_window: int = 0
    floor_us: float | None = None
    instruction_set: str | None = None
    probe_gflops: float | None = None
    flops_per_cycle: float | None = None
    share_of_peak: float | None = None
    share_of_floor: float | None = None
    compile_ms: float | None = None
    loss_error: float | None = None
    void: str | None = None
    note: str = ""
    stolen: float = -1.0
    versions: dict[str, str] = field(default_factory=dict[str, str])
    machine: Machine | None = None

    @property
    def case(self) -> tuple[str, str, str]:
        """What rows must share to be compared."""
        return self.workload, self.optimizer, self.storage

    def data(self) -> dict[str, Any]:
        """The row as plain values for JSON."""
        return asdict(self)


def voided(row: Row, reason: str) -> Row:
    """The row without its times: they would be wrong, not merely noisy."""
    return replace(
        row,
        best_us=None,
        p25_us=None,
        median_us=None,
        share_of_peak=None,
        share_of_floor=None,
        compile_ms=None,
        void=reason,
    )


def disagreement(recipe: Recipe, error: float) -> str:
    """Why losses this far from the true ones void a row; "" where they do not."""
    allowed = TOLERANCES[recipe.optimizer]
    if error <= allowed:
        return ""
    return (
        f"its losses differ from those in float64 by {error:.1e}, and {allowed:.0e} is allowed: it trains another net"
    )


def impossible(best_us: float, floor_us: float) -> str:
    """Why a time below the floor voids a row; "" where it is not below."""
    if best_us >= floor_us:
        return ""
    return f"{best_us:.4g} µs is below the floor of {floor_us:.4g} µs: an error of the benchmark"


def crowded(undisturbed: int, windows: int) -> str:
    """Why so few undisturbed windows void a row; "" where they are enough."""
    if undisturbed >= min(max(ENOUGH, OFTEN * windows), windows):
        return ""
    return f"something else shared the core: {undisturbed} of {windows} windows had all of it; measure again later"


def unsteady(gflops: list[float]) -> str:
    """Why these probes void a run; "" where the best of them before, among and after the windows agree.

    A probe that others disturbed reads less, so that of several the best counts: the machine has not changed where it
    still reached, in the last third of its probes, what it reached in the first.
    """
    bests = [float(max(third)) for third in np.array_split(np.array(gflops), PARTS) if third.size]
    least, most = min(bests), max(bests)
    if most - least <= STEADY * most:
        return ""
    return f"the machine changed: its probes read from {least:.1f} to {most:.1f} GFLOP/s, more than {STEADY:.0%} apart"


def loss_error(losses: list[float], true: list[float]) -> float:
    """The largest relative difference; infinite where one is missing or no number."""
    if len(losses) < len(true) or not all(map(math.isfinite, losses)):
        return float("inf")
    return max(abs(loss - truth) / abs(truth) for loss, truth in zip(losses, true, strict=False))
