"""`chainrule descent` before a person and on a pipe."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from chainrule import errors
from tests.cli.conftest import Command

XOR = ("descent", "xor", "--epochs", "4")


def test_before_a_person(terminal: Command) -> None:
    shown = terminal(*XOR, "--lr", "0.5")
    assert shown.code == 0
    assert shown.out.startswith("Three descents   on xor")
    assert "SGD, η = 0.5, 4 epochs" in shown.out
    assert max(map(len, shown.out.splitlines())) <= 80


def test_for_a_program_and_in_files(command: Command, tmp_path: Path) -> None:
    handed = json.loads(command(*XOR, "--format", "json").out)
    assert [(way["way"], way["updates"]) for way in handed["ways"]] == [
        ("batch", 4), ("mini-batch", 8), ("stochastic", 16),
    ]  # fmt: skip
    for form, begins in {"html": "<!DOCTYPE html>", "latex": "\\documentclass"}.items():
        where = tmp_path / f"page.{form}"
        assert command(*XOR, "--format", form, "--output", str(where)).code == 0
        assert where.read_text(encoding="utf-8").startswith(begins)


def test_an_experiment_file_is_taken_as_it_says(command: Command, tmp_path: Path) -> None:
    file = tmp_path / "experiment.toml"
    file.write_text(command("train", "xor", "--epochs", "3", "--print-experiment").out, encoding="utf-8")
    shown = command("descent", str(file))
    assert "Adam, η = 0.05, 3 epochs" in shown.out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("digts",), "digits"),
        (("xor", "--epochs", "0"), "epochs"),
        (("xor", "--lrr", "1"), "there is no option --lrr"),
    ],
)
def test_a_mistake_is_one_sentence(command: Command, words: tuple[str, ...], said: str) -> None:
    ended = command("descent", *words)
    assert ended.code == errors.EXIT_USAGE
    assert said in ended.err
    assert len(ended.err.splitlines()) == 1
