"""`chainrule completion`: a script with which a shell completes verbs and options."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated, Literal

from chainrule.cli.option import Option
from chainrule.cli.parse import call

Shell = Literal["bash", "zsh", "fish"]


def run(words: Sequence[str]) -> int:
    """Do what was typed after `chainrule completion`."""
    return call("completion", completion, words)


def completion(shell: Annotated[Shell, Option(help="Which shell.")], /) -> int:
    """Write the script to stdout; put it where the shell looks for such scripts, and begin a new shell.

    bash: ~/.local/share/bash-completion/completions/chainrule. zsh: a file _chainrule in a folder of $fpath. fish:
    ~/.config/fish/completions/chainrule.fish.
    """
    from chainrule.cli.help import completion_script

    sys.stdout.write(completion_script(shell))
    return 0
