"""`chainrule surface` before a person and on a pipe."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from chainrule import errors
from tests.cli.conftest import Command


def test_one_weight_gives_a_curve_and_two_a_surface(command: Command, terminal: Command, there: Path) -> None:
    assert there
    curve = terminal("surface", "line", "--weight", "dense_1.W[0, 0]")
    assert curve.code == 0
    assert curve.out.startswith("dense_1.W[0, 0]   the loss over one weight of line")
    two = ("--weight", "dense_1.W[0, 0]", "--weight", "dense_1.b[0]", "--points", "5")
    handed = json.loads(command("surface", "line", *two, "--format", "json").out)
    assert handed["directions"] == ["dense_1.W[0, 0]", "dense_1.b[0]"]
    assert len(handed["losses"]) == len(handed["losses"][0]) == 5


def test_the_directions_of_the_path(terminal: Command, there: Path) -> None:
    assert there
    shown = terminal("surface", "digits", "--points", "4")
    assert shown.code == 0
    assert "first principal direction" in shown.out
    assert max(map(len, shown.out.splitlines())) <= 80


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--weight", "dense_9.W[0, 0]"), "unknown parameter 'dense_9.W'"),
        (("--low", "1"), "name one --weight"),
        (("--directions", "up"), "unknown --directions 'up': known are principal, random"),
        (("--weight", "dense_1.b[0]", "--points", "9"), "--points is of a surface: name two weights or none"),
        (("--points", "0"), "from 2 to 200"),
    ],
)
def test_a_mistake_is_one_sentence(command: Command, there: Path, words: tuple[str, ...], said: str) -> None:
    assert there
    ended = command("surface", "digits", *words)
    assert ended.code == errors.EXIT_USAGE
    assert said in ended.err
    assert len(ended.err.splitlines()) == 1
