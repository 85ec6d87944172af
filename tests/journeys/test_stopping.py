"""Stopping well: interrupted, terminated, aborted, and gone on with to the same bits."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

from tests.journeys.processes import chainrule, interrupted

pytestmark = pytest.mark.journey
OPTIONS = ["train", "digits", "--batch-size", "8", "--epochs", "8", "--validation-split", "0.1"]


def history(run: Path) -> list[dict[str, float]]:
    """The epochs without the time they took."""
    lines = [json.loads(line) for line in (run / "history.jsonl").read_text().splitlines()]
    return [{name: value for name, value in line.items() if name != "seconds"} for line in lines]


@pytest.mark.parametrize(
    ("number", "code", "word"), [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated")]
)
def test_a_run_that_was_stopped_goes_on_to_the_same_bits(
    tmp_path: Path, number: signal.Signals, code: int, word: str
) -> None:
    whole = chainrule(OPTIONS, tmp_path)
    stopped = interrupted([*OPTIONS, "--name", "stopped"], tmp_path, 2, [number])
    assert stopped.code == code
    assert stopped.end["reason"] == word
    assert 2 <= stopped.end["epochs"] < 8
    first, second = stopped.err.splitlines()
    assert first.startswith(f"{word} in epoch ")
    assert second == f"go on with: chainrule resume {Path(stopped.end['run']).name}"
    resumed = chainrule(second.removeprefix("go on with: chainrule ").split(), tmp_path)
    assert resumed.code == 0, resumed.err
    assert resumed.end["test"] == whole.end["test"]
    runs = [tmp_path / each.end["run"] for each in (whole, stopped)]
    assert history(runs[0]) == history(runs[1])
    for file in ("weights.safetensors", "best.safetensors"):
        assert (runs[0] / file).read_bytes() == (runs[1] / file).read_bytes(), file


def test_ctrl_c_twice_aborts_and_what_was_saved_goes_on(tmp_path: Path) -> None:
    """Steps long enough that the second signal finds the first one's step still running."""
    options = ["train", "digits", "--hidden", "2000,2000", "--batch-size", "1400", "--epochs", "30"]
    aborted = interrupted([*options, "--backend", "reference"], tmp_path, 1, [signal.SIGINT, signal.SIGINT])
    assert aborted.code == 130
    assert "Traceback" not in aborted.err
    said = aborted.err.splitlines()
    assert said[-1].startswith("go on with: chainrule resume digits-")
    resumed = chainrule([*said[-1].removeprefix("go on with: chainrule ").split(), "--epochs", "31"], tmp_path)
    assert resumed.code == 0, resumed.err


def test_a_killed_run_goes_on(tmp_path: Path) -> None:
    whole = chainrule(OPTIONS, tmp_path)
    killed = interrupted([*OPTIONS, "--name", "killed"], tmp_path, 3, [signal.SIGKILL])
    assert killed.code == -signal.SIGKILL
    listed = chainrule(["runs"], tmp_path).lines
    assert next(each for each in listed if each["name"].startswith("killed"))["state"] == "unfinished"
    resumed = chainrule(["resume", "killed"], tmp_path)
    assert resumed.code == 0, resumed.err
    weights = [(tmp_path / each.end["run"] / "weights.safetensors").read_bytes() for each in (whole, resumed)]
    assert weights[0] == weights[1]
