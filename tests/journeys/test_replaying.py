"""Any step of a run that real signals stopped and that went on: the bits it had, in each backend and float type."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import numpy as np
import pytest

import chainrule as cr
from tests.journeys.processes import chainrule, interrupted
from tests.train.observing import observed, same

pytestmark = pytest.mark.journey
OPTIONS = ["train", "digits", "--hidden", "12", "--batch-size", "16", "--epochs", "5", "--validation-split", "0.1"]


@pytest.mark.parametrize(
    ("backend", "dtype", "number"),
    [
        ("reference", "float32", signal.SIGINT),
        ("reference", "float64", signal.SIGTERM),
        ("native", "float32", signal.SIGTERM),
        ("native", "float64", signal.SIGINT),
    ],
)
def test_fifty_steps_of_a_run_that_was_stopped_and_went_on(
    tmp_path: Path, backend: str, dtype: str, number: signal.Signals
) -> None:
    """With mini-batches and Adam."""
    stopped = interrupted([*OPTIONS, "--backend", backend, "--dtype", dtype], tmp_path, 2, [number])
    assert stopped.end["reason"] in ("interrupted", "terminated")
    resumed = chainrule(["resume", "latest"], tmp_path)
    assert resumed.code == 0, resumed.err
    run = cr.open_run(tmp_path / resumed.end["run"])
    assert (run.checkpoint.backend, run.experiment.dtype, run.reason) == (backend, dtype, "completed")
    seen = observed(run)
    assert same(run.checkpoint.state, seen[run.step])
    for step in np.random.default_rng(7).permutation(run.step + 1)[:50]:
        assert same(run.at(int(step)).checkpoint.state, seen[step]), step
    replayed = chainrule(["replay", "latest", "--step", "201", "--format", "json"], tmp_path)
    first = json.loads(replayed.out)["parameters"][0]
    assert first["norm"] == float(np.linalg.norm(seen[201][first["name"]].astype(np.float64)))
