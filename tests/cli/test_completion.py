"""The scripts that complete in a shell know every verb and its options, and bash really completes with them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from chainrule.cli.verbs import VERBS
from tests.absent import require
from tests.cli.conftest import Command

BASH = """
source "$1"
shift
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
COMPREPLY=()
$(complete -p chainrule | sed 's/.*-F \\([^ ]*\\).*/\\1/')
echo "${COMPREPLY[@]}"
"""


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_verb_and_option_is_known(command: Command, shell: str) -> None:
    ended = command("completion", shell)
    assert ended.code == 0
    assert all(verb in ended.out for verb in VERBS)
    assert all(option in ended.out for option in ("weight", "batch-size", "learning-rate", "peers"))


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        (("tr",), "train"),
        (("explain", "latest", "--form"), "--format"),
        (("explain", "latest", "--format", "h"), "html"),
        (("runs", "re"), "remove"),
    ],
)
def test_bash_completes(command: Command, tmp_path: Path, typed: tuple[str, ...], offered: str) -> None:
    bash = require("bash", "install bash, the shell")
    script = tmp_path / "chainrule"
    script.write_text(command("completion", "bash").out, encoding="utf-8")
    done = subprocess.run(
        [bash, "-c", BASH, "bash", str(script), "chainrule", *typed], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == [offered]


def test_another_shell_is_refused_with_those_there_are(command: Command) -> None:
    ended = command("completion", "tcsh")
    assert ended.code == 2
    assert all(shell in ended.err for shell in ("bash", "zsh", "fish"))
