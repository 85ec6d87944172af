"""Help and pages on any terminal: narrow, without Unicode, on a pipe with a width of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from tests.cli.conftest import Command

ASCII = (
    {"PYTHONIOENCODING": "ascii"},
    {"PYTHONIOENCODING": "latin-1"},
    {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
)


def help_of(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "chainrule", *words, "--help"],
        env={**os.environ, **environment}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("environment", ASCII, ids=lambda each: next(iter(each.values())))
def test_help_comes_out_without_unicode(environment: dict[str, str]) -> None:
    shown = help_of("train", **environment)
    assert (shown.returncode, shown.stderr) == (0, "")
    assert shown.stdout.isascii()
    assert "relu, tanh, ..." in " ".join(shown.stdout.replace("|", " ").split())


@pytest.mark.parametrize("words", [(), ("train",)])
def test_help_keeps_to_the_columns_asked_for_down_to_a_least_width(
    command: Command, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    widths: dict[str, int] = {}
    for columns in ("2", "50", "70"):
        monkeypatch.setenv("COLUMNS", columns)
        ended = command(*words, "--help")
        assert ended.code == 0
        widths[columns] = max(map(len, ended.out.splitlines()))
    assert widths["2"] <= 40
    assert widths["50"] <= 50
    assert widths["70"] <= 70
    monkeypatch.delenv("COLUMNS")
    assert 70 < max(map(len, command(*words, "--help").out.splitlines())) <= 80


def test_what_an_ascii_terminal_cannot_show_is_escaped() -> None:
    shown = subprocess.run(
        [sys.executable, "-m", "chainrule", "train", "größe"],
        env={**os.environ, "PYTHONIOENCODING": "ascii"}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert shown.returncode == 2
    assert "Traceback" not in shown.stderr


@pytest.mark.parametrize(
    ("number", "code", "word"), [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated")]
)
@pytest.mark.parametrize("delay", [0.0, 0.2, 0.5])
def test_stopped_while_it_starts_it_says_so_in_a_word(
    number: signal.Signals, code: int, word: str, delay: float
) -> None:
    """The signal comes once the command has begun, while it imports what it needs."""
    script = (
        "import sys, time\n"
        "import chainrule.cli as cli\ndo = cli._main\n"
        "def begun(words):\n    print('begun', flush=True)\n    do(words)\n    time.sleep(60)\n"
        "cli._main = begun\nsys.exit(cli.main(['train', 'digits', '--print-experiment']))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        child.stdout.readline()
        time.sleep(delay)
        child.send_signal(number)
        _, said = child.communicate(timeout=60)
    assert (child.returncode, said) == (code, f"{word}\n")
