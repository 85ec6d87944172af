"""The threads that run slices together: how many there may be, and a crew that waits for work."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path
from queue import SimpleQueue
from typing import Final, TypeAlias

from chainrule.errors import ValueRangeError

VARIABLE: Final = "CHAINRULE_THREADS"
MOST: Final = 64
QUOTA: Final = Path("/sys/fs/cgroup/cpu.max")
OLD_QUOTA: Final = Path("/sys/fs/cgroup/cpu")

Task: TypeAlias = Callable[[int], object]


def thread_count() -> int:
    """How many threads run a slice: what CHAINRULE_THREADS says, else the cores this process may use.

    Raises: ValueRangeError for a number of threads below 1 or no number.
    """
    asked = os.environ.get(VARIABLE, "").strip()
    if not asked:
        return min(usable_cores(), MOST)
    if not asked.isdigit() or not 1 <= int(asked) <= MOST:
        raise ValueRangeError(f"{VARIABLE} is {asked!r}; set it to a number of threads from 1 to {MOST}, or unset it")
    return int(asked)


def usable_cores() -> int:
    """The physical cores this process may run on, as its affinity and its quota allow."""
    allowed = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set(range(os.cpu_count() or 1))
    cores = {_siblings(cpu) for cpu in allowed}
    quota = _quota()
    return max(1, min(len(cores), int(quota) if quota is not None else len(cores)))


def _siblings(cpu: int) -> str:
    """The processors that share a core with this one, as the system writes it; itself where it does not say."""
    try:
        return Path(f"/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list").read_text("ascii").strip()
    except (OSError, ValueError):
        return str(cpu)


def _quota() -> float | None:
    """The cores' worth of time a control group grants; None where it grants all."""
    try:
        if QUOTA.exists():
            granted, period = QUOTA.read_text("ascii").split()
        else:
            granted = (OLD_QUOTA / "cpu.cfs_quota_us").read_text("ascii").strip()
            period = (OLD_QUOTA / "cpu.cfs_period_us").read_text("ascii").strip()
        return float(granted) / float(period) if granted.isdigit() else None
    except (OSError, ValueError, ZeroDivisionError):
        return None


class Crew:
    """Threads that wait for tasks; the caller is the first of them. A child process begins without."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._begin()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._begin)

    def _begin(self) -> None:
        self._lock = threading.Lock()
        self._tasks: list[SimpleQueue[Task]] = []
        self._done: SimpleQueue[tuple[int, BaseException | None]] = SimpleQueue()

    def run(self, task: Task, threads: int) -> None:
        """Run task(0), task(1), … on as many threads at once, and wait for all, even where the first is interrupted."""
        with self._lock:
            while len(self._tasks) < threads - 1:
                self._hire()
            for queue in self._tasks[: threads - 1]:
                queue.put(task)
            try:
                task(0)
            finally:
                failures = [self._done.get()[1] for _ in range(threads - 1)]
        for failure in failures:
            if failure is not None:
                raise failure

    def _hire(self) -> None:
        queue: SimpleQueue[Task] = SimpleQueue()
        self._tasks.append(queue)
        number = len(self._tasks)
        arguments = (queue, self._done, number)
        threading.Thread(target=_work, args=arguments, name=f"chainrule-{number}", daemon=True).start()


def _work(tasks: SimpleQueue[Task], done: SimpleQueue[tuple[int, BaseException | None]], number: int) -> None:
    while True:
        task = tasks.get()
        try:
            task(number)
        except BaseException as failure:  # noqa: BLE001 - the caller raises it
            done.put((number, failure))
        else:
            done.put((number, None))


CREW: Final = Crew()


class Patience:
    """Whether several threads are worth it now: where they sleep for each other, they must be faster than one alone."""

    ENOUGH: Final = 0.01  # seconds of slices before they are judged: a short one says little
    TOLERATED: Final = 0.03  # of the meetings
    FIRST_PAUSE: Final = 8  # slices alone before trying again; twice as many each time it fails
    LONGEST_PAUSE: Final = 256

    def __init__(self) -> None:
        self._pause = self.FIRST_PAUSE
        self._left = 0
        self._alone: float | None = None  # seconds of a step, when one was last alone
        self._begin()

    def _begin(self) -> None:
        self._steps, self._seconds, self._sleepiness = 0, 0.0, 0.0

    def threads(self, wanted: int) -> int:
        """How many threads the next slice gets."""
        if self._left > 0:
            self._left -= 1
            return 1
        return wanted

    def note_alone(self, steps: int, seconds: float) -> None:
        """Say how long a slice took one thread."""
        self._alone = seconds / steps

    def note(self, steps: int, seconds: float, slept: int, meetings: int, threads: int) -> None:
        """Say how long a slice took several threads, and how often one slept at one of their meetings."""
        self._steps += steps
        self._seconds += seconds
        self._sleepiness += slept - threads - self.TOLERATED * meetings
        if self._seconds >= self.ENOUGH:
            self._judge()
            self._begin()

    def _judge(self) -> None:
        is_faster = self._alone is not None and self._seconds < self._alone * self._steps
        if self._sleepiness <= 0 or is_faster:
            self._pause = self.FIRST_PAUSE
        elif self._alone is None:
            self._left = 1
        else:
            self._left, self._pause = self._pause, min(2 * self._pause, self.LONGEST_PAUSE)
