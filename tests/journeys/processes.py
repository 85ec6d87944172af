"""The command line in a real process, on pipes: run to its end, or interrupted on the way."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LONGEST = 300.0  # seconds a process may take on a loaded machine


@dataclass(frozen=True)
class Ended:
    """A process that has ended."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[dict[str, Any]]:
        """What it wrote, a JSON value a line."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def end(self) -> dict[str, Any]:
        """The last line."""
        return self.lines[-1]


def chainrule(words: Sequence[str], folder: Path, environment: Mapping[str, str] | None = None) -> Ended:
    """Run a command to its end."""
    done = subprocess.run(
        [sys.executable, "-m", "chainrule", *words],
        cwd=folder,
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        timeout=LONGEST,
        check=False,
    )
    return Ended(done.returncode, done.stdout, done.stderr)


def interrupted(
    words: Sequence[str], folder: Path, after_epochs: int, signals: Sequence[signal.Signals] = (signal.SIGINT,)
) -> Ended:
    """Run a command on a pipe and send it signals once it has written so many epochs."""
    with subprocess.Popen(
        [sys.executable, "-m", "chainrule", *words],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as child:
        assert child.stdout is not None
        assert child.stderr is not None
        watchdog = threading.Timer(LONGEST, child.kill)
        watchdog.start()
        written: list[str] = []
        epochs = 0
        for line in child.stdout:
            written.append(line)
            epochs += '"event": "epoch"' in line
            if epochs == after_epochs and signals:
                for number in signals:
                    child.send_signal(number)
                signals = ()
        errors = child.stderr.read()
        code = child.wait()
        watchdog.cancel()
    return Ended(code, "".join(written), errors)
