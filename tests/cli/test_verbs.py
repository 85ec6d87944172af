"""What each verb shows a person and hands a program."""

from __future__ import annotations

import itertools
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from chainrule import errors
from chainrule.train.lock import RunLock
from tests.cli.conftest import Command

BATCH = ("--weight", "dense_1.W[28, 3]", "--batch", "0")


def lines(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines()]


# ---- train and resume ----


def test_training_on_a_pipe_writes_a_json_line_an_epoch(command: Command, tmp_path: Path) -> None:
    ended = command("train", "moons", "--epochs", "3", "--validation-split", "0.2", "--runs", str(tmp_path))
    start, *epochs, end = lines(ended.out)
    assert ended.code == 0
    assert ended.err == ""
    assert start["event"] == "start"
    assert start["rows"] == {"train": 320, "validation": 80, "test": 100}
    assert start["first_epoch"] == 1
    assert [epoch["epoch"] for epoch in epochs] == [1, 2, 3]
    assert {"loss", "accuracy", "val_loss", "val_accuracy", "seconds", "step"} <= set(epochs[0])
    assert end["reason"] == "completed"
    assert Path(str(end["run"])).is_dir()


def test_training_before_a_person_shows_data_network_curve_scores_and_what_is_next(
    terminal: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ended = terminal("train", "digits", "--hidden", "16,16", "--epochs", "2")
    assert ended.code == 0
    for said in ("1,797 images of 8 × 8", "1,438 train, 359 test", "dense_3", "1,482", "The training loss fell",
                 "precision", "accuracy 0.", "Run      runs/digits-", "chainrule resume digits-"):  # fmt: skip
        assert said in ended.out, said
    assert max(map(len, ended.out.splitlines())) <= 80
    assert "epoch 2/2" in ended.err
    typed = [line.strip() for line in ended.out.splitlines() if line.strip().startswith("chainrule ")]
    for line in typed[:2]:
        assert terminal(*_words(line)).code == 0, line


def _words(line: str) -> list[str]:
    import shlex

    return shlex.split(line)[1:]


def test_going_on_where_it_stopped(command: Command, terminal: Command, tmp_path: Path) -> None:
    command("train", "moons", "--epochs", "2", "--runs", str(tmp_path))
    run = str(next(tmp_path.iterdir()))
    more = command("resume", run, "--epochs", "4")
    assert [line["epoch"] for line in lines(more.out) if line["event"] == "epoch"] == [3, 4]
    shown = terminal("resume", run, "--epochs", "5")
    assert "goes on after step 52, epoch 5" in shown.err
    asked = command("resume", run, "--epochs", "4")
    assert "has 5 epochs already, and 4 in all were asked for: ask for more than 5 epochs" in asked.err
    refused = command("resume", run)
    assert refused.code == errors.EXIT_USAGE
    assert "ask for more than 5 epochs" in refused.err


def test_a_rate_far_too_large_fails_with_advice(command: Command, tmp_path: Path) -> None:
    ended = command("train", "moons", "--optimizer", "sgd", "--lr", "1e30", "--runs", str(tmp_path))
    assert ended.code == errors.EXIT_FAILED
    assert ended.err.startswith("error[non-finite]: ")
    assert "smaller learning rate" in ended.err
    assert lines(command("runs", "--runs", str(tmp_path)).out)[0]["state"] == "non-finite"


# ---- runs ----


def test_runs_are_listed(command: Command, terminal: Command, there: Path) -> None:
    assert {line["name"] for line in lines(command("runs").out)} == {path.name for path in Path("runs").iterdir()}
    shown = terminal("runs").out
    assert "accuracy 0." in shown
    assert "R² 1.0000" in shown
    assert "no run" in terminal("runs", "--runs", "elsewhere").out


def test_a_run_is_removed_by_its_whole_name_only(command: Command, there: Path) -> None:
    run = next(path for path in Path("runs").iterdir() if path.name.startswith("line"))
    copy = Path(shutil.copytree(run, Path("runs") / "copied-1"))
    assert "did you mean copied-1?" in command("runs", "remove", "copied", "--yes").err
    assert "add --yes" in command("runs", "remove", "copied-1").err
    assert copy.exists()
    assert command("runs", "remove", "copied-1", "--yes").code == 0
    assert not copy.exists()
    assert command("runs", "remove", "latest", "--yes").code == errors.EXIT_USAGE


def test_a_run_that_is_in_use_is_neither_removed_nor_resumed(command: Command, there: Path) -> None:
    copy = Path(shutil.copytree(next(Path("runs").glob("line*")), Path("runs") / "used-1"))
    with RunLock(copy):
        for words in (("runs", "remove", "used-1", "--yes"), ("resume", "used-1", "--epochs", "60")):
            ended = command(*words)
            assert ended.code == errors.EXIT_USAGE
            assert "the run used-1 is in use" in ended.err
    assert command("resume", "used-1", "--epochs", "51").code == 0
    assert command("runs", "remove", "used-1", "--yes").code == 0
    assert not copy.exists()


# ---- predict and evaluate ----


def test_predictions_are_a_table(command: Command, there: Path) -> None:
    Path("new.csv").write_text("x\n0.5\n2.0\n".replace("x\n", "x,z\n").replace("0.5", "0.5,1").replace("2.0", "2.0,1"))
    ended = command("predict", "line", "new.csv")
    header, first, second = ended.out.splitlines()
    assert header == "predicted_y"
    assert float(first) == pytest.approx(2.0, abs=0.01)
    assert float(second) == pytest.approx(5.0, abs=0.01)
    assert command("predict", "line", "new.csv", "-o", "said.csv").err == "2 predictions written to said.csv\n"
    assert Path("said.csv").read_text() == ended.out


def test_predictions_are_json_lines_with_probabilities(command: Command, there: Path) -> None:
    rows = lines(command("predict", "digits", "digits", "--format", "json", "--probabilities").out)
    assert len(rows) == 1797
    shares = {name: value for name, value in rows[0].items() if name.startswith("p_")}
    assert len(shares) == 10
    assert max(shares, key=lambda name: float(str(shares[name]))) == f"p_{rows[0]['predicted']}"


def test_scores(command: Command, terminal: Command, there: Path) -> None:
    data = json.loads(command("evaluate", "digits").out)
    assert data["rows"] == 359
    assert sum(map(sum, data["confusion"])) == 359
    assert f"accuracy {data['accuracy']:.4f}" in terminal("evaluate", "digits").out
    assert json.loads(command("evaluate", "line", "line.csv").out)["targets"][0]["name"] == "y"
    assert "R² 1.0000" in terminal("evaluate", "line", "line.csv").out


# ---- explain and gradcheck ----


def test_an_explanation_as_text_and_as_data(command: Command, there: Path) -> None:
    text = command("explain", "digits", *BATCH, "--width", "60").out
    assert text.startswith("dense_1.W[28, 3]")
    assert max(map(len, text.splitlines())) <= 60
    assert command("explain", "digits", *BATCH, "--ascii").out.isascii()
    data = json.loads(command("explain", "digits", *BATCH, "--format", "json").out)
    assert data["weight"] == "dense_1.W[28, 3]"
    assert abs(sum(data["terms"]) - data["gradient"]) <= 1e-12 * sum(map(abs, data["terms"]))
    one = json.loads(command("explain", "digits", "--weight", "dense_1.b[3]", "--sample", "17", "--at", "start",
                             "--format", "json").out)  # fmt: skip
    assert one["sample"] == 17
    few = json.loads(command("explain", "digits", "--weight", "dense_1.b[3]", "--samples", "17,3", "--format",
                             "json").out)  # fmt: skip
    assert few["samples"] == [17, 3]


def test_derivatives_are_checked(command: Command, terminal: Command, there: Path) -> None:
    data = json.loads(command("gradcheck", "digits", "--weights", "4", "--json").out)
    assert data["agree"] is True
    assert len(data["weights"]) == 4
    shown = terminal("gradcheck", "digits", "--weights", "4", "--seed", "7")
    assert shown.code == 0
    assert "forward" in shown.out
    assert max(map(len, shown.out.splitlines())) <= 80


def test_a_long_check_says_how_far_it_has_come_and_where_results_are_not(
    command: Command, there: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chainrule.cli.countdown.time.monotonic", itertools.count(0.0, 30.0).__next__)
    ended = command("gradcheck", "digits", "--weights", "2", "--json")
    assert len(json.loads(ended.out)["weights"]) == 2
    assert ended.err.splitlines() == [
        "checking weight 1 of 2, about 30 s left", "checking weight 2 of 2, about 0 s left",
    ]  # fmt: skip


def test_verdicts_come_in_every_form(command: Command, there: Path, tmp_path: Path) -> None:
    few = ("gradcheck", "digits", "--weights", "2")
    narrow = command(*few, "--width", "60", "--ascii").out
    assert narrow.isascii()
    assert max(map(len, narrow.splitlines())) <= 60
    assert command(*few, "--json").out == command(*few, "--format", "json").out
    for form, begins in {"html": "<!DOCTYPE html>", "latex": "\\documentclass"}.items():
        where = tmp_path / f"verdicts.{form}"
        written = command(*few, "--format", form, "-o", str(where))
        assert (written.code, written.out) == (0, "")
        assert where.read_text(encoding="utf-8").startswith(begins)
    refused = command(*few, "-o", str(tmp_path / "absent" / "page.txt"))
    assert (refused.code, f"there is no folder {tmp_path / 'absent'}" in refused.err) == (1, True)
    both = command(*few, "--json", "--format", "html")
    assert (both.code, "--json is --format json" in both.err) == (2, True)


def test_a_wrong_derivative_fails(command: Command, there: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from chainrule.autodiff import derivatives

    table = dict(derivatives.DERIVATIVES)
    right: Any = table["maximum"]
    wrong = {**table, "maximum": lambda dy, y, a, b: tuple(each * 2.0 for each in right(dy, y, a, b))}
    monkeypatch.setattr("chainrule.autodiff.reverse.DERIVATIVES", wrong)
    ended = command("gradcheck", "digits", "--weights", "6", "--json")
    assert ended.code == errors.EXIT_FAILED
    assert json.loads(ended.out)["agree"] is False


# ---- plan ----


def test_the_plan_of_a_run_is_shown_and_handed_on(command: Command, terminal: Command, tmp_path: Path) -> None:
    assert command("train", "xor", "--epochs", "1", "--runs", str(tmp_path)).code == 0
    (folder,) = tmp_path.iterdir()
    shown = terminal("plan", str(folder), "--batch-size", "3")
    assert shown.code == 0
    assert "from plan to code" in " ".join(shown.out.split())
    data = json.loads(command("plan", str(folder), "--format", "json").out)
    assert data["batch"] == 4
    assert data["stages"]


# ---- doctor ----


def test_the_doctor_tries_every_backend(command: Command, terminal: Command) -> None:
    data = json.loads(command("doctor", "--json").out)
    assert data["healthy"] is True
    assert [(each["name"], each["works"]) for each in data["backends"]] == [("native", True), ("reference", True)]
    shown = terminal("doctor")
    assert shown.code == 0
    assert "Everything works." in shown.out


def test_the_doctor_names_the_folder_in_use(command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CHAINRULE_CACHE_DIR", str(tmp_path / "code"))
    assert json.loads(command("doctor", "--json").out)["cache"] == str(tmp_path / "code")


def test_a_backend_that_is_not_installed_is_no_illness(
    command: Command, terminal: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chainrule.cli.health.NEEDED", {"native": "llvmlite_that_is_absent"})
    shown = terminal("doctor")
    assert shown.code == 0
    assert "not installed; the reference serves" in " ".join(shown.out.split())
    assert "Everything works." in shown.out
    data = json.loads(command("doctor", "--json").out)
    assert data["healthy"] is True
    assert [each["installed"] for each in data["backends"]] == [False, True]


def test_one_backend_that_fails_is_enough_for_a_failure(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    said = [("reference", True, "fine"), ("native", False, "broken")]
    monkeypatch.setattr("chainrule.cli.health.available", lambda: said)
    monkeypatch.setattr("chainrule.cli.health.NEEDED", {})
    assert command("doctor").code == errors.EXIT_FAILED


def test_the_doctor_sees_a_backend_that_computes_something_else(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chainrule.cli.health.KNOWN_WEIGHT", 0.6)
    ended = command("doctor", "--json")
    assert ended.code == errors.EXIT_FAILED
    assert "where 0.6 is known" in ended.out


# ---- any step again ----


def test_replay_shows_a_step_and_hands_it_over(command: Command, terminal: Command, there: Path) -> None:
    assert there
    shown = terminal("replay", "digits", "--step", "50", "--compare", "0")
    assert shown.code == 0
    assert "step 50 of 90" in shown.out
    assert "since step 0" in shown.out
    handed = json.loads(command("replay", "digits", "--step", "50", "--format", "json").out)
    assert (handed["step"], handed["compared_with"], handed["epoch"]) == (50, 32, 1)
    typed = shown.out.splitlines()[-1].strip()
    assert terminal(*_words(typed)).code == 0, typed


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("replay", "digits", "--step", "91"), "has steps 0 to 90"),
        (("replay", "digits", "--step", "5", "--compare", "-1"), "has steps 0 to 90"),
        (("replay", "digits"), "--step is missing"),
        (("explain", "digits", *BATCH, "--at", "91"), "has steps 0 to 90"),
        (("explain", "digits", *BATCH, "--step", "91"), "has steps 0 to 90"),
        (("explain", "digits", *BATCH, "--width", "19"), "a page of 19 columns was asked for: give at least 20"),
        (("explain", "digits", *BATCH, "--at", "then"), "now, start or the number of a step"),
    ],
)
def test_a_step_that_does_not_exist_is_one_sentence(
    command: Command, there: Path, words: tuple[str, ...], said: str
) -> None:
    assert there
    ended = command(*words)
    assert ended.code == errors.EXIT_USAGE
    assert said in ended.err
    assert len(ended.err.splitlines()) == 1
