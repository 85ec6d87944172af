"""`chainrule replay`, `explain --at` and `runs thin`: steps brought back, and one sentence where that cannot be."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import chainrule as cr
from chainrule.train.folder import RunFolder
from chainrule.train.thinning import is_kept
from tests.cli.conftest import Command

STEPS = 90


@pytest.fixture
def run(home: Path, tmp_path: Path) -> Path:
    """A copy of the run on digits, to be damaged."""
    (path,) = (home / "runs").glob("digits-*")
    copy = Path(shutil.copytree(path, tmp_path / path.name))
    checkpoints = RunFolder(copy).checkpoints
    for step in checkpoints.steps:
        if step != STEPS and not is_kept(step):  # on a slow machine
            checkpoints.drop(step)
    return copy


def test_a_step_is_shown_to_people_and_to_programs(run: Path, command: Command) -> None:
    shown = command("replay", str(run), "--step", "50", "--compare", "9")
    assert (shown.code, shown.err) == (0, "")
    assert "step 50 of 90" in shown.out
    assert "since step 9" in shown.out
    data = json.loads(command("replay", str(run), "--step", "50", "--compare", "9", "--format", "json").out)
    assert (data["step"], data["compared_with"]) == (50, 9)


def damage(file: str) -> Callable[[Path], None]:
    def spoil(path: Path) -> None:
        content = (path / file).read_bytes()
        (path / file).write_bytes(content[: len(content) // 3] + b"\x00{")

    return spoil


def without(file: str) -> Callable[[Path], None]:
    return lambda path: (path / file).unlink()


def without_checkpoints(path: Path) -> None:
    for file in (path / "checkpoints").iterdir():
        file.unlink()


def untouched(_: Path) -> None:
    """Nothing is damaged: the request itself is wrong."""


REQUESTS = {
    "step beyond the run": (untouched, ["replay", "--step", "91"], "there is no step 91: digits-.* has steps 0 to 90"),
    "negative step": (untouched, ["replay", "--step", "-1"], "there is no step -1: digits-.* has steps 0 to 90"),
    "step that is no number": (untouched, ["replay", "--step", "x"], "--step takes a whole number, and got 'x'"),
    "compared with a step beyond": (untouched, ["replay", "--step", "3", "--compare", "99"], "there is no step 99"),
    "explained beyond the run": (
        untouched, ["explain", "--weight", "dense_1.W[0, 0]", "--at", "91"], "has steps 0 to 90"
    ),
    "explained before the run": (
        untouched, ["explain", "--weight", "dense_1.W[0, 0]", "--at", "-3"], "there is no step -3"
    ),
    "no such layer": (
        untouched, ["explain", "--weight", "dense_9.W[0, 0]", "--at", "9"], r"did you mean '.*'\? known are dense_1.W"
    ),
    "index out of range": (
        untouched, ["explain", "--weight", "dense_1.W[64, 0]", "--at", "9"], "index 64 on axis 0, which has 0 to 63"
    ),
    "no such unit": (untouched, ["nudges", "--unit", "dense_1[16]", "--at", "9"], "dense_1, which has units 0 to 15"),
    "no such sample": (
        untouched, ["explain", "--weight", "dense_1.b[0]", "--sample", "1797", "--at", "9"], "samples 0 to 1796"
    ),
    "no such batch": (untouched, ["nudges", "--batch", "45", "--at", "9"], "an epoch of digits has 0 to 44"),
    "missing experiment": (without("experiment.toml"), ["replay", "--step", "3"], r"holds no experiment\.toml"),
    "damaged experiment": (damage("experiment.toml"), ["replay", "--step", "3"], r"experiment\.toml is not TOML"),
    "missing data record": (without("data.json"), ["replay", "--step", "3"], r"data\.json is missing from its folder"),
    "damaged data record": (damage("data.json"), ["replay", "--step", "3"], r"data\.json is damaged"),
    "missing history": (without("history.jsonl"), ["replay", "--step", "3"], r"history\.jsonl is missing from its"),
    "no checkpoint": (without_checkpoints, ["replay", "--step", "3"], "there is no checkpoint"),
    "too few to stay": (untouched, ["runs", "thin", "--keep", "1"], "keep at least 2"),
}  # fmt: skip


@pytest.mark.parametrize("name", REQUESTS)
def test_a_request_that_cannot_be_met_gets_one_sentence(name: str, run: Path, command: Command) -> None:
    spoil, words, says = REQUESTS[name]
    spoil(run)
    verb = words[:2] if words[0] == "runs" else words[:1]
    ended = command(*verb, str(run), *words[len(verb) :])
    assert ended.code in (1, 2)
    assert ended.out == ""
    assert ended.err.startswith("error[")
    assert ended.err.count("\n") == 1
    assert re.search(says, ended.err), ended.err


def test_data_that_changed_since_are_told(tmp_path: Path, command: Command) -> None:
    table = tmp_path / "line.csv"
    table.write_text("x,y\n" + "".join(f"{k / 10},{k / 5 + 1}\n" for k in range(50)))
    made = cr.train([cr.Dense(1)], cr.load(table, target="y"), epochs=5, runs=tmp_path / "runs")
    table.write_text(table.read_text().replace("0.3,", "0.35,"))
    ended = command("replay", str(made.path), "--step", "3")
    assert ended.code == 2
    assert ended.err.count("\n") == 1
    assert "line.csv" in ended.err
    table.unlink()
    ended = command("replay", str(made.path), "--step", "3")
    assert (ended.code, ended.err.count("\n")) == (2, 1)
    assert "line.csv" in ended.err


def test_damaged_weights_are_told_and_the_checkpoint_serves(run: Path, command: Command) -> None:
    right = command("evaluate", str(run))
    damage("weights.safetensors")(run)
    told = command("evaluate", str(run))
    assert (told.code, told.out) == (0, right.out)
    assert told.err.startswith("notice: the checkpoint of step 90 serves, as ")
    assert "weights.safetensors is damaged" in told.err
    assert told.err.count("\n") == 1


def test_a_damaged_checkpoint_is_passed_over_with_a_notice(run: Path, command: Command) -> None:
    right = command("replay", str(run), "--step", "50", "--format", "json")
    damage("checkpoints/step-32.safetensors")(run)
    ended = command("replay", str(run), "--step", "50", "--format", "json")
    assert (ended.code, ended.out) == (0, right.out)
    told = ended.err.splitlines()
    assert told
    assert all(line.startswith("notice: step") for line in told)
    assert "step-32.safetensors is damaged" in told[0]
    damage(f"checkpoints/step-{STEPS}.json")(run)
    ended = command("replay", str(run), "--step", str(STEPS), "--format", "json")
    assert ended.code == 0
    assert f"step-{STEPS}.json is damaged" in ended.err


def test_a_run_is_thinned_and_every_step_is_still_reached(run: Path, command: Command) -> None:
    right = command("replay", str(run), "--step", "50", "--format", "json").out
    before = len(list((run / "checkpoints").glob("*.json")))
    ended = command("runs", "thin", str(run), "--keep", "3")
    assert (ended.code, ended.out) == (0, "")
    left = len(list((run / "checkpoints").glob("*.json")))
    assert left <= 3 < before
    assert ended.err.startswith(f"{before - left} checkpoints are deleted, {left} stay: ")
    assert command("replay", str(run), "--step", "50", "--format", "json").out == right
    assert command("resume", str(run), "--epochs", "3").code == 0
