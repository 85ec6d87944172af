"""Systems take turns at the same case, window by window, with the processor's probe before, among and after them."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import numpy as np

from chainrule.bench.floor import floor_seconds, share_of_peak
from chainrule.bench.oracle import task_of, true_losses
from chainrule.bench.peers import Peer, absence, variants_of
from chainrule.bench.peers.contract import WINDOW, Variant
from chainrule.bench.process import Failed, Process, probe_process, unheld
from chainrule.bench.row import (
    MICRO,
    Row,
    crowded,
    disagreement,
    impossible,
    loss_error,
    voided,
)
from chainrule.bench.samples import samples_of
from chainrule.bench.surroundings import (
    BUSY,
    Machine,
    can_pin,
    core_times,
    look,
    quietest,
    stolen_share,
    usable_cores,
    version_of,
)
from chainrule.bench.task import CHECKED, Task, write_task
from chainrule.bench.watch import Bursts, Watch
from chainrule.bench.workloads import Case
from chainrule.errors import ValueRangeError

WINDOWS: Final = 200
SECONDS: Final = 10.0
SHORTEST, LONGEST = 0.001, 0.02  # seconds of a window
PROBES: Final = 8  # among the windows
PATIENCE: Final = 4  # times as many windows, or seconds, where some are disturbed

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """How to measure.

    Attributes:
        cores: each system may use.
        windows: after so many undisturbed ones a system is done, or four times as many of any kind.
        seconds: after so many of undisturbed work a system is done, however few its windows, or four times as many.
        window: seconds of work in a turn, from 0.001 to 0.02: a short one falls between interruptions, in a long one
            the cost of a call counts less. Where a call costs milliseconds it is 25 times as long.
        folder: of MNIST's files; None to look for them.
        rows: of the samples to use; None for all.

    Raises: ValueRangeError for less than one window or core, more cores than there are, or another window.
    """

    cores: int = 1
    windows: int = WINDOWS
    seconds: float = SECONDS
    window: float = WINDOW
    folder: Path | None = None
    rows: int | None = None

    def __post_init__(self) -> None:
        there = len(usable_cores())
        if not 1 <= self.cores <= there:
            raise ValueRangeError(f"{self.cores} cores were asked for, and {there} can be used here: give 1 to {there}")
        if not SHORTEST <= self.window <= LONGEST:
            raise ValueRangeError(
                f"a window of {self.window * 1e3:g} ms came: give {SHORTEST * 1e3:g} to {LONGEST * 1e3:g} ms"
            )
        if self.windows < 1 or self.seconds <= 0:
            raise ValueRangeError(f"{self.windows} windows in {self.seconds} seconds measure nothing: give at least 1")


@dataclass(frozen=True, slots=True)
class _Window:
    """How long one took, and what the cores gave right before and right after it."""

    seconds: float
    around: Bursts


@dataclass(eq=False, slots=True)
class _Entry:
    """A variant under way."""

    row: Row
    process: Process
    losses: list[float] = field(default_factory=list[float])
    first: tuple[float, int] = (0.0, 1)  # seconds and steps of the first run
    steps: int = 0
    windows: list[_Window] = field(default_factory=list["_Window"])
    failure: str = ""

    def undisturbed(self, watch: Watch) -> list[float]:
        """Seconds of the windows around which the cores gave all they have."""
        return [window.seconds for window in self.windows if watch.saw_all(window.around)]

    def is_done(self, plan: Plan, watch: Watch) -> bool:
        quiet, all_ = self.undisturbed(watch), [window.seconds for window in self.windows]
        return bool(self.failure) or any(
            len(seconds) >= times * plan.windows or sum(seconds) >= times * plan.seconds
            for seconds, times in ((quiet, 1), (all_, PATIENCE))
        )


@dataclass(frozen=True, slots=True)
class _Conditions:
    """What a row is judged by."""

    task: Task
    truth: list[float]
    watch: Watch
    stolen: float

    @property
    def flaw(self) -> str:
        """What is wrong with the whole run; "" where nothing is."""
        return self.watch.flaw if can_pin() else "this system cannot bind a process to a core"


def measure(case: Case, peers: Sequence[Peer], plan: Plan, say: Say) -> list[Row]:
    """A row for every variant of every peer that can train the case, and one with a reason where none can.

    Args:
        case: what is trained.
        peers: the systems.
        plan: how long, on what.
        say: is told how it goes.

    Raises: BackendError when the probe cannot be compiled; DataError and UnreadableFileError for samples.
    """
    samples = samples_of(case.workload.samples, case.storage, plan.folder, plan.rows)
    task = task_of(case, samples, plan.cores)
    cores = quietest(plan.cores)
    machine = look(cores)
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        write_task(folder, task)
        starter = _Starter(folder, cores, stack, say, plan.window / WINDOW)
        rows, entries = _begin(case, task, samples.origin, peers, machine, starter)
        say(f"{case.name}: the losses in float64")
        truth = true_losses(task, min(CHECKED, task.recipe.horizon))
        probes = [stack.enter_context(probe_process(folder, core)) for core in cores]
        for probe in probes:
            probe.ready()
        before = core_times()
        say(f"{case.name}: {len(entries)} take turns")
        watch = Watch(probes)
        _take_turns(entries, watch, plan)
        stolen = stolen_share(before, core_times())
    conditions = _Conditions(task, truth, watch, stolen)
    return [*(_judged(entry, conditions) for entry in entries), *rows]


@dataclass(frozen=True, slots=True)
class _Starter:
    """Where and how processes begin."""

    folder: Path
    cores: tuple[int, ...]
    stack: ExitStack
    say: Say
    length: float

    def start(self, peer: Peer, number: int) -> Process:
        log = self.folder / f"{peer.name}-{number}.log"
        return self.stack.enter_context(Process(self.folder, peer.name, number, self.cores, log, self.length))


def _begin(
    case: Case, task: Task, origin: str, peers: Sequence[Peer], machine: Machine, starter: _Starter
) -> tuple[list[Row], list[_Entry]]:
    """Rows of what cannot be measured, and what can."""
    rows: list[Row] = []
    entries: list[_Entry] = []
    for peer in peers:
        variants = variants_of(peer)
        blank = [_blank(case, task, origin, peer, variant, machine) for variant in variants]
        refusals = [variant.refuses(task) for variant in variants]
        reason = absence(peer) or unheld(peer.name) or (refusals[0] if all(refusals) else "")
        if reason:
            rows.append(replace(blank[0], void=reason))
            continue
        for number, (row, refusal) in enumerate(zip(blank, refusals, strict=True)):
            if not refusal:
                starter.say(f"{case.name}: {row.system}, {row.variant}: first steps")
                entries.append(_prepared(row, starter.start(peer, number)))
    return rows, entries


def _blank(case: Case, task: Task, origin: str, peer: Peer, variant: Variant, machine: Machine) -> Row:
    note = ""
    if task.recipe.cores > 1 and machine.busy > BUSY:
        note = f"a core was {machine.busy:.0%} busy with other work at the start"
    return Row(
        workload=case.workload.name,
        optimizer=case.optimizer,
        storage=case.storage,
        system=peer.title,
        variant=variant.name,
        effort=variant.effort,
        cores=task.recipe.cores,
        samples=origin,
        note=note,
        versions={package: version_of(package) for package in peer.packages},
        machine=machine,
    )


def _prepared(row: Row, process: Process) -> _Entry:
    """A system that has done its first steps, checked later, and found the length of its window."""
    entry = _Entry(row, process)
    try:
        entry.process.ready()
        said = entry.process.do("check")
        entry.losses = [float(loss) for loss in said["losses"]]
        entry.first = (float(said["first_seconds"]), int(said["first_steps"]))
        entry.steps = int(entry.process.do("calibrate")["steps"])
    except Failed as error:
        entry.failure = str(error)
    return entry


def _take_turns(entries: Sequence[_Entry], watch: Watch, plan: Plan) -> None:
    """Windows in turn until every system is done, with probes before, among and after them."""
    watch.probe()
    turn = 0
    while not all(entry.is_done(plan, watch) for entry in entries):
        for entry in entries:
            if entry.is_done(plan, watch):
                continue
            seconds = _seconds(entry)
            around = watch.attend()
            if seconds is not None:
                entry.windows.append(_Window(seconds, around))
        turn += 1
        if turn % max(1, plan.windows // PROBES) == 0:
            watch.probe()
    watch.probe()


def _seconds(entry: _Entry) -> float | None:
    """Of a window; None where the system failed."""
    try:
        said = entry.process.do("window")
    except Failed as error:
        entry.failure = str(error)
        return None
    entry.steps = int(said["steps"])
    return float(said["seconds"])


def _judged(entry: _Entry, conditions: _Conditions) -> Row:
    """The row with its times, or without them and with the reason."""
    recipe, limits = conditions.task.recipe, conditions.watch.limits
    floor_us = floor_seconds(recipe, limits) * MICRO
    row = replace(
        entry.row,
        floor_us=floor_us,
        instruction_set=conditions.watch.isa,
        probe_gflops=limits.gflops,
        flops_per_cycle=limits.gflops / limits.ghz,
        stolen=conditions.stolen,
        windows=len(entry.windows),
        steps_per_window=entry.steps,
    )
    if entry.failure:
        return voided(row, entry.failure)
    error = loss_error(entry.losses, conditions.truth)
    quiet = entry.undisturbed(conditions.watch)
    few = crowded(len(quiet), len(entry.windows))
    seconds = [window.seconds for window in entry.windows] if few else quiet
    times = np.array(seconds) / entry.steps * MICRO
    best = float(times.min())
    row = replace(row, loss_error=error, windows=len(seconds), disturbed=len(entry.windows) - len(quiet))
    wrong = disagreement(recipe, error) or impossible(best, floor_us)
    if wrong:
        return voided(row, wrong)
    first_seconds, first_steps = entry.first
    return replace(
        row,
        best_us=best,
        p25_us=float(np.percentile(times, 25)),
        median_us=float(np.median(times)),
        share_of_peak=share_of_peak(recipe, best / MICRO, limits),
        share_of_floor=floor_us / best,
        compile_ms=max(0.0, (first_seconds - first_steps * best / MICRO) * 1e3),
        void=conditions.flaw or few or None,
    )
