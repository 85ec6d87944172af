"""`chainrule completion`: a script with which a shell completes verbs and options."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from typing import Annotated, Literal

from cyclopts import App, Parameter

from chainrule.cli.parse import application, call
from chainrule.cli.verbs import VERBS

Shell = Literal["bash", "zsh", "fish"]


def run(words: Sequence[str]) -> int:
    """Do what was typed after `chainrule completion`."""
    return call("completion", completion, words)


def completion(shell: Annotated[Shell, Parameter(help="Which shell.")], /) -> int:
    """Write the script to stdout; put it where the shell looks for such scripts, and begin a new shell.

    bash: ~/.local/share/bash-completion/completions/chainrule. zsh: a file _chainrule in a folder of $fpath. fish:
    ~/.config/fish/completions/chainrule.fish.
    """
    sys.stdout.write(_everything().generate_completion(shell=shell))
    return 0


def _everything() -> App:
    """All verbs as one command."""
    whole = application("chainrule")
    for verb in VERBS.values():
        module = importlib.import_module(f"chainrule.cli.{verb.module}_verb")
        whole.command(_verb(verb.name, module.__dict__))
    return whole


def _verb(name: str, defined: dict[str, object]) -> App:
    """A verb with its options; `runs` has verbs of its own."""
    app = application(name)
    app.default(defined[name])  # pyright: ignore[reportArgumentType, reportCallIssue]
    for below in ("remove", "thin") if name == "runs" else ():
        app.command(defined[below], name=below)  # pyright: ignore[reportArgumentType, reportCallIssue]
    return app
