"""How long the farthest steps of long trainings take to reach, by the clock: `python -m tests.runs.far_steps`.

`--steps` N trains each that long (100,000 takes an hour in all); `--only` NAME trains those whose name begins so.
Nothing in the tests is timed; this is run on demand, on a machine that does nothing else.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

import chainrule as cr
from chainrule.runs.reach import reach_of, size_in_words
from chainrule.train.folder import RunFolder

ROWS = 4096
SAMPLED = 50
FARTHEST = 5


@dataclass(frozen=True)
class Case:
    """A training of so many inputs, hidden units and rows an update, with Adam."""

    inputs: int
    hidden: tuple[int, ...]
    backend: str
    batch_size: int
    validation: float = 0.0

    @property
    def name(self) -> str:
        """Such as "native 784-16-16-10, batches of 128"."""
        shape = "-".join(map(str, (self.inputs, *self.hidden, 10)))
        return f"{self.backend} {shape}, batches of {self.batch_size}{', validated' if self.validation else ''}"


CASES = [
    Case(inputs, hidden, backend, batch_size, validation)
    for backend in ("native", "reference")
    for inputs, hidden, batch_size, validation in (
        (64, (64, 32), 32, 0.2),
        (784, (16, 16), 128, 0.0),
        (784, (128, 64), 128, 0.0),
        (784, (512, 512), 128, 0.0),
    )
]


def trained(case: Case, steps: int, folder: Path) -> cr.Run:
    """On noise in 256 levels, of which the network may learn what it can."""
    draws = np.random.default_rng(1)
    x, y = draws.integers(0, 256, (ROWS, case.inputs)).astype(np.float32), draws.integers(0, 10, ROWS)
    per_epoch = -(-round(ROWS * (1.0 - case.validation)) // case.batch_size)
    layers = [*(cr.Dense(units, "relu") for units in case.hidden), cr.Dense(10)]
    return cr.train(
        layers, (x, y), optimizer=cr.Adam(1e-4), epochs=-(-steps // per_epoch), batch_size=case.batch_size,
        test_fraction=0.0, validation_split=case.validation, backend=case.backend, runs=folder,
    )  # fmt: skip


def farthest_steps(folder: RunFolder) -> list[int]:
    """The last steps before a checkpoint, of which the one before is farthest."""
    costs = folder.checkpoints.costs
    gaps = sorted(pairwise(sorted(costs)), key=lambda pair: costs[pair[0]] - costs[pair[1]])
    return [last - 1 for _, last in gaps[:FARTHEST]]


def seconds_to(run: cr.Run, step: int) -> float:
    """Of `run.at(step)`, the run being open."""
    began = time.perf_counter()
    run.at(step)
    return time.perf_counter() - began


def seconds_of_command(path: Path, step: int) -> float:
    """Of `chainrule replay`, from a prompt to the next."""
    began = time.perf_counter()
    words = ["replay", str(path), "--step", str(step)]
    subprocess.run([sys.executable, "-m", "chainrule", *words], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def measured(case: Case, steps: int, folder: Path) -> str:
    """A row of the table."""
    path = trained(case, steps, folder).path
    assert path is not None
    run, kept = cr.open_run(path), RunFolder(path)
    far, reach = farthest_steps(kept), reach_of(kept)
    random = np.random.default_rng(2).integers(0, run.step, SAMPLED)
    worst, usual = max(seconds_to(run, step) for step in far), [seconds_to(run, int(step)) for step in random]
    cells = (
        case.name, f"{run.step:,}", f"{reach.checkpoints:,}", size_in_words(reach.size), f"{reach.seconds:.2f} s",
        f"{worst:.2f} s", f"{max(usual):.2f} s", f"{seconds_of_command(path, far[0]):.2f} s",
    )  # fmt: skip
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Train and measure, a row a training."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=100_000)
    parser.add_argument("--only", default="")
    asked = parser.parse_args()
    sys.stdout.write("| training | steps | checkpoints | take | told | farthest | 50 at random | command |\n")
    sys.stdout.write("|---" * 8 + "|\n")
    for case in CASES:
        if case.name.startswith(asked.only):
            with tempfile.TemporaryDirectory() as folder:
                sys.stdout.write(f"{measured(case, asked.steps, Path(folder))}\n")


if __name__ == "__main__":
    main()
