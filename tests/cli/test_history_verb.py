"""`chainrule history`: the page, its data, its progress, and one sentence for what cannot be asked."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from chainrule.cli.countdown import Countdown
from chainrule.cli.screen import Screen
from tests.cli.conftest import Command

WEIGHT = "dense_1.W[28, 3]"


def test_a_history_is_shown_to_people_and_to_programs(there: Path, command: Command) -> None:
    shown = command("history", "digits", "--weight", WEIGHT, "--top", "3")
    assert (shown.code, shown.err) == (0, "")
    assert "weight from input 28 to unit 3" in shown.out
    assert "moved it most, by" in shown.out
    assert max(map(len, shown.out.splitlines())) <= 80
    answer = command("history", "digits", "--weight", WEIGHT, "--first", "40", "--last", "60", "--format", "json")
    data = json.loads(answer.out)
    assert (data["first"], data["last"], len(data["values"])) == (40, 60, 21)
    assert len(data["moves"]) == 8


def test_it_is_written_to_a_file(there: Path, tmp_path: Path, command: Command) -> None:
    for form, begins in (("html", "<!doctype html>"), ("latex", r"\documentclass")):
        file = tmp_path / f"history.{form}"
        ended = command("history", "digits", "--weight", WEIGHT, "--format", form, "--output", str(file))
        assert (ended.code, ended.out) == (0, "")
        assert file.read_text(encoding="utf-8").lower().startswith(begins)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--weight", "dense_7.W[0, 0]"], "known are dense_1.W"),
        (["--weight", "dense_1.W[64, 0]"], "index 64 on axis 0, which has 0 to 63"),
        (["--weight", WEIGHT, "--last", "91"], "there are no steps from 0 to 91: digits-"),
        (["--weight", WEIGHT, "--first", "-2"], "has steps 0 to 90"),
        (["--weight", WEIGHT, "--first", "x"], "--first takes a whole number"),
        (["--weight", WEIGHT, "--top", "0"], "top is 0, and at least 1 is wanted"),
        ([], "--weight is missing"),
    ],
)
def test_what_cannot_be_asked_is_told(there: Path, command: Command, words: list[str], says: str) -> None:
    ended = command("history", "digits", *words)
    assert ended.code in (1, 2)
    assert ended.out == ""
    assert ended.err.count("\n") == 1
    assert says in ended.err


class Clock:
    """A time that is set by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """The seconds so far."""
        return self.now


def screen(stream: io.StringIO, *, live: bool) -> Screen:
    return Screen(stream=stream, width=60, ascii=False, color=False, live=live, person=live)


def test_a_long_replay_says_how_far_it_has_come(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, live, plain = Clock(), io.StringIO(), io.StringIO()
    monkeypatch.setattr("chainrule.cli.countdown.time.monotonic", clock)
    with (
        Countdown(screen(live, live=True), "replaying step") as on_terminal,
        Countdown(screen(plain, live=False), "replaying step") as on_pipe,
    ):
        for second, done in ((0.5, 10), (2.0, 1000), (2.1, 1100), (12.0, 6000)):
            clock.now = second
            on_terminal(done, 12_000)
            on_pipe(done, 12_000)
    assert live.getvalue().split("\r\x1b[K") == [
        "", "replaying step 1,000 of 12,000, about 22 s left", "replaying step 6,000 of 12,000, about 12 s left", "",
    ]  # fmt: skip
    assert plain.getvalue() == "replaying step 6,000 of 12,000, about 12 s left\n"
