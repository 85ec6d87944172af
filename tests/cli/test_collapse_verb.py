"""`chainrule collapse` before a person and on a pipe."""

from __future__ import annotations

import json
from pathlib import Path

from chainrule import errors
from tests.cli.conftest import Command


def test_a_line_is_linear_and_digits_are_not(command: Command, terminal: Command, there: Path) -> None:
    assert there
    assert terminal("collapse", "line").out.startswith("One linear map   what the layers of line")
    shown = terminal("collapse", "digits")
    assert shown.code == 0
    assert "patterns" in shown.out
    assert json.loads(command("collapse", "digits", "--format", "json").out)["linear"] is False


def test_a_mistake_is_one_sentence(command: Command, there: Path) -> None:
    assert there
    ended = command("collapse", "nothing")
    assert ended.code == errors.EXIT_USAGE
    assert len(ended.err.splitlines()) == 1
