"""A system's process as its owner sees it: begun, told what to do, asked what came of it, ended."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Final

from chainrule.backends.native.machine import VARIABLE, Isa, runnable, this_machine
from chainrule.bench.worker import PROBE

WORKER: Final = "chainrule.bench.worker"
# Pools that read their size from the environment; the affinity of the process is what truly binds them.
POOLS: Final = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "CHAINRULE_THREADS")
# Where PyTorch keeps what it compiled: it takes up code for wider vectors than it is held to, and computes nonsense.
COMPILED: Final = "TORCHINDUCTOR_CACHE_DIR"
# What other systems read to stay within an instruction set, when CHAINRULE_CPU holds chainrule to it.
HOLDING: Final[dict[str, dict[str, str]]] = {
    "x86-64-v3": {
        "ATEN_CPU_CAPABILITY": "avx2",
        "MKL_ENABLE_INSTRUCTIONS": "AVX2",
        "NPY_DISABLE_CPU_FEATURES": "AVX512F AVX512CD AVX512_SKX AVX512_CLX AVX512_CNL AVX512_ICL AVX512_SPR",
        "ONEDNN_MAX_CPU_ISA": "AVX2",
        "OPENBLAS_CORETYPE": "Haswell",
        "XLA_FLAGS": "--xla_cpu_max_isa=AVX2",
    }
}
LAST_WORDS: Final = 300  # characters of what a process wrote before it died


def held() -> Isa | None:
    """The instruction set all systems are to stay within; None where chainrule runs the best there is.

    Raises: BackendError when llvmlite is missing, UnknownNameError for a name CHAINRULE_CPU should not have.
    """
    isa = this_machine()
    return None if isa is runnable()[0] else isa


def unheld(peer: str) -> str:
    """Why a peer cannot be held to the instruction set that CHAINRULE_CPU names; "" where it can, or need not."""
    isa = held()
    if isa is None or isa.name in HOLDING or peer == "chainrule_native":
        return ""
    return f"it cannot be held to {isa.name}, which {VARIABLE} names"


class Failed(Exception):  # noqa: N818 - what came of an order, never raised to a person
    """A system that could not do what it was told; the text is a sentence for its row."""


class Process:
    """A process that serves one variant of one peer, or the probe.

    On Linux it is stopped while it has nothing to do: threads that wait in a loop after their system's turn would take
    the core from the next.
    """

    def __init__(
        self, folder: Path, peer: str, number: int, cores: tuple[int, ...], log: Path, length: float = 1.0
    ) -> None:
        isa = held()
        holding = {} if isa is None else HOLDING.get(isa.name, {})
        pools = dict.fromkeys(POOLS, str(len(cores)))
        environment = {**os.environ, **pools, **holding, COMPILED: str(folder / f"{peer}-{number}-compiled")}
        self._log = log
        with log.open("wb") as stderr:
            self._process = subprocess.Popen(  # noqa: S603 - this interpreter and our own module
                [sys.executable, "-m", WORKER, str(folder), peer, str(number), ",".join(map(str, cores)), str(length)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                env=environment,
                text=True,
            )

    @property
    def number(self) -> int:
        """The operating system's, for this process."""
        return self._process.pid

    def ready(self) -> None:
        """Wait until it can be told something.

        Raises: Failed.
        """
        self._listen()
        self._stop()

    def do(self, order: str) -> dict[str, Any]:
        """Tell it, and wait for the answer.

        Raises: Failed when it could not, or died.
        """
        assert self._process.stdin is not None
        self._go_on()
        try:
            self._process.stdin.write(json.dumps({"do": order}) + "\n")
            self._process.stdin.flush()
        except OSError:
            raise Failed(self._death()) from None
        said = self._listen()
        self._stop()
        return said

    def end(self) -> None:
        """Let it go: it ends when nobody speaks to it any more."""
        self._go_on()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def __enter__(self) -> Process:
        """Itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it."""
        self.end()

    def _stop(self) -> None:
        """Stop it, and wait until all of its threads are."""
        if sys.platform == "linux":
            self._process.send_signal(signal.SIGSTOP)
            with suppress(ChildProcessError):  # it died, and that was noticed
                os.waitid(os.P_PID, self.number, os.WSTOPPED | os.WEXITED | os.WNOWAIT)

    def _go_on(self) -> None:
        if sys.platform == "linux":
            self._process.send_signal(signal.SIGCONT)

    def _listen(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise Failed(self._death())
        said: dict[str, Any] = json.loads(line)
        if "error" in said:
            raise Failed(str(said["error"]))
        return said

    def _death(self) -> str:
        self._process.wait()
        lines = self._log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        words = lines[-1][-LAST_WORDS:] if lines else "it said nothing"
        return f"its process ended with code {self._process.returncode}: {words}"


def probe_process(folder: Path, core: int) -> Process:
    """The process that probes a core."""
    return Process(folder, PROBE, 0, (core,), folder / f"probe-{core}.log")
