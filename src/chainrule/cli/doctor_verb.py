"""`chainrule doctor`: what is installed, which backend works, what the terminal can show."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from cyclopts import Parameter

from chainrule.cli.parse import call
from chainrule.errors import EXIT_FAILED


def run(words: Sequence[str]) -> int:
    """Do what was typed after `chainrule doctor`."""
    return call("doctor", doctor, words)


def doctor(
    *, json: Annotated[bool, Parameter(negative=(), show_default=False, help="The findings as JSON.")] = False
) -> int:
    """Say what is installed, train a network whose answer is known on every backend, and look at the terminal."""
    from chainrule.cli.health import examine
    from chainrule.cli.screen import stdout

    health, screen = examine(), stdout()
    if json:
        screen.json(health.data())
    else:
        screen.show(health.page(screen))
    return 0 if health.is_good else EXIT_FAILED
