"""`chainrule convergence` before a person and on a pipe."""

from __future__ import annotations

import json
from pathlib import Path

from chainrule import errors
from tests.cli.conftest import Command


def test_how_a_run_ended(command: Command, terminal: Command, there: Path) -> None:
    assert there
    shown = terminal("convergence", "digits")
    assert shown.code == 0
    assert "Too short to tell" in shown.out
    assert json.loads(command("convergence", "digits", "--format", "json").out)["rest"] == "too short"
    assert command("convergence", "nothing").code == errors.EXIT_USAGE
