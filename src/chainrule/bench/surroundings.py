"""The machine a benchmark runs on: its name, its load, what others took of it; and the versions of what is measured."""

from __future__ import annotations

import os
import platform
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Final

from chainrule.backends.native import jit
from chainrule.errors import BackendError

PROC: Final = Path("/proc")
GOVERNOR: Final = Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
UNKNOWN: Final = "unknown"
GLANCE: Final = 0.3  # seconds over which the load of each core is looked at
IDLE, WAITING, STOLEN = 3, 4, 7  # columns of /proc/stat, after Linux's proc(5)
BUSY: Final = 0.1  # a core that others use more than that is not idle


@dataclass(frozen=True, slots=True)
class Machine:
    """What a result cannot be read without.

    Attributes:
        processor: its name.
        cores: that this process may use.
        system: operating system and kernel.
        python: version.
        governor: of the clock.
        date: when the run began, UTC.
        load: processes that wanted to run, mean of the last minute, at the beginning; -1 where not known.
        busy: share of the used cores that others took just before the run; -1 where not known.
    """

    processor: str
    cores: int
    system: str
    python: str
    governor: str
    date: str
    load: float
    busy: float


def usable_cores() -> tuple[int, ...]:
    """The numbers of the cores this process may use."""
    if sys.platform == "linux":
        return tuple(sorted(os.sched_getaffinity(0)))
    return tuple(range(os.cpu_count() or 1))


def can_pin() -> bool:
    """Whether a process can be bound to cores: without that, one core is a wish."""
    return hasattr(os, "sched_setaffinity")


def look(cores: tuple[int, ...]) -> Machine:
    """The machine now, and how busy these cores are."""
    return Machine(
        processor=processor_name(),
        cores=len(usable_cores()),
        system=f"{platform.system()} {platform.release()}",
        python=platform.python_version(),
        governor=GOVERNOR.read_text(encoding="ascii").strip() if GOVERNOR.is_file() else UNKNOWN,
        date=datetime.now(UTC).strftime("%Y-%m-%d %H:%M"),
        load=round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else -1.0,
        busy=max(busy_shares(cores).values(), default=-1.0),
    )


def quietest(count: int) -> tuple[int, ...]:
    """That many usable cores, the least busy ones, in order."""
    usable = usable_cores()
    busy = busy_shares(usable)
    return tuple(sorted(sorted(usable, key=lambda core: (busy.get(core, 0.0), -core))[:count]))


def busy_shares(cores: tuple[int, ...]) -> dict[int, float]:
    """The share of time in which each core is used, over a glance; empty where it cannot be seen."""
    before = core_times()
    if not before:
        return {}
    time.sleep(GLANCE)
    after = core_times()
    return {core: _busy(before[core], after[core]) for core in cores if core in before and core in after}


def core_times() -> dict[int, tuple[int, ...]]:
    """For each core its ticks by kind since the machine began, as /proc/stat has them; empty elsewhere."""
    stat = PROC / "stat"
    if not stat.is_file():
        return {}
    found: dict[int, tuple[int, ...]] = {}
    for line in stat.read_text(encoding="ascii").splitlines():
        name, *ticks = line.split()
        if name.startswith("cpu") and name != "cpu":
            found[int(name[3:])] = tuple(map(int, ticks))
    return found


def stolen_share(before: dict[int, tuple[int, ...]], after: dict[int, tuple[int, ...]]) -> float:
    """The share of time a hypervisor gave to other machines; -1 where it cannot be seen."""
    pairs = [(before[core], after[core]) for core in before if core in after]
    total = sum(sum(late) - sum(early) for early, late in pairs)
    if not total:
        return -1.0
    return sum(late[STOLEN] - early[STOLEN] for early, late in pairs) / total


def version_of(package: str) -> str:
    """Of an installed distribution."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return UNKNOWN


def processor_name() -> str:
    """The processor's name where the system tells it, else the one LLVM has for it, else its kind."""
    information = PROC / "cpuinfo"
    if information.is_file():
        for line in information.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return _llvms_name() or platform.processor() or platform.machine()


def _llvms_name() -> str:
    """Such as neoverse-n1: Linux on ARM says numbers where others say a name; "" where LLVM does not know them."""
    try:
        name = jit.host().cpu
    except BackendError:  # without llvmlite
        return ""
    return "" if name.startswith("generic") else name


def _busy(early: tuple[int, ...], late: tuple[int, ...]) -> float:
    spent = [b - a for a, b in zip(early, late, strict=True)]
    total = sum(spent)
    return 1 - (spent[IDLE] + spent[WAITING]) / total if total else 0.0
