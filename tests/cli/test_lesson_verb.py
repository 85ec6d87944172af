"""`chainrule lesson` before a person, on a pipe and in a file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import chainrule as cr
from chainrule.lessons import Lesson, claim, shelf
from tests.cli.conftest import Command


def test_the_list(terminal: Command) -> None:
    shown = terminal("lesson")
    assert shown.code == 0
    for name in cr.lessons.NAMES:
        assert name in shown.out
    assert max(map(len, shown.out.splitlines())) <= 80


def test_a_lesson_before_a_person(terminal: Command) -> None:
    shown = terminal("lesson", "one-weight")
    assert (shown.code, shown.err) == (0, "")
    assert shown.out == str(cr.lesson("one-weight"))


def test_for_a_program_and_in_files(command: Command, tmp_path: Path) -> None:
    handed = json.loads(command("lesson", "one-weight", "--seed", "4", "--format", "json").out)
    assert (handed["lesson"], handed["seed"], handed["holds"]) == ("one-weight", 4, True)
    assert [each["name"] for each in json.loads(command("lesson", "--format", "json").out)["lessons"]] == list(
        cr.lessons.NAMES
    )
    for form, begins in {"html": "<!DOCTYPE html>", "latex": "\\documentclass"}.items():
        where = tmp_path / f"page.{form}"
        assert command("lesson", "one-weight", "--format", form, "--output", str(where)).code == 0
        assert where.read_text(encoding="utf-8").startswith(begins)


def test_a_statement_that_does_not_hold_is_a_failure(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = Lesson("wrong", "Wrong", "Is it?", lambda seed: (claim("no", "1 is ", 2, holds=False),))
    monkeypatch.setattr(shelf, "named", lambda name: wrong)
    shown = command("lesson", "wrong")
    assert shown.code == 1
    assert "× Does not hold   1 is 2" in shown.out


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("vanish",), "unknown lesson 'vanish': did you mean 'vanishing'"),
        (("./mine.py",), "a lesson in a file of its own is a program: run it with python ./mine.py"),
        (("one-weight", "--seed", "1.5"), "--seed takes a whole number, and got '1.5'"),
    ],
)
def test_mistakes_are_answered_in_a_sentence(command: Command, words: tuple[str, ...], sentence: str) -> None:
    shown = command("lesson", *words)
    assert (shown.code, shown.out) == (2, "")
    assert sentence in shown.err
