"""The command line called within this process, with what it wrote and how it ended."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

import chainrule as cr
from chainrule.cli import main


@dataclass(frozen=True)
class Ended:
    """A command that has ended."""

    code: int
    out: str
    err: str


Command = Callable[..., Ended]


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        """A person sits before it."""
        return True


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs a command on pipes: command("train", "digits")."""

    def run(*words: str) -> Ended:
        capsys.readouterr()
        code = main(words)
        written = capsys.readouterr()
        return Ended(code, written.out, written.err)

    return run


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Command:
    """Runs a command before a person, on a screen of 80 columns without colors."""
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("CI", raising=False)

    def run(*words: str) -> Ended:
        out, err = Terminal(), Terminal()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "stdout", out)
            patch.setattr(sys, "stderr", err)
            code = main(words)
        return Ended(code, out.getvalue(), err.getvalue())

    return run


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with runs in it: digits (64-16-10), two epochs, and a line through points."""
    folder = tmp_path_factory.mktemp("cli")
    net = [cr.Dense(16, "relu"), cr.Dense(10)]
    cr.train(net, "digits", epochs=2, runs=folder / "runs")
    table = folder / "line.csv"
    table.write_text("x,y\n" + "".join(f"{k / 10},{k / 5 + 1}\n" for k in range(50)))
    data = cr.load(table, target="y")
    cr.train([cr.Dense(1)], data, optimizer=cr.SGD(0.1), epochs=50, runs=folder / "runs")
    return folder


@pytest.fixture
def there(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """That folder, as the working directory."""
    monkeypatch.chdir(home)
    return home
