"""What a person sees after running a command in a terminal of a given width, without colors."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import selectors
import shlex
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROWS = 200  # high enough that a live display never scrolls
LONGEST = 600.0  # seconds after which a command is stopped

# A control sequence: its parameters and its letter, as ECMA-48 section 5.4 lays them out; or a title, or a lone escape.
CONTROL = re.compile(r"\x1b\[([0-?]*)[ -/]*([@-~])|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[@-Z\\^_78=>]")
SHELL_WORDS = {"|", "||", "&&", ";", ">", ">>", "<", "&"}


@dataclass(frozen=True)
class Shown:
    """The screen when the command ended, and its exit code."""

    text: str
    exit_code: int


def arguments(command: str) -> list[str]:
    """The process to start for a line that begins with `chainrule`, run by this Python.

    Raises: ValueError for any other program, and for what only a shell understands.
    """
    words = shlex.split(command, comments=True)
    if not words or words[0] != "chainrule":
        raise ValueError(f"only chainrule is run, and '{command}' is something else")
    for word in words:
        if word in SHELL_WORDS:
            raise ValueError(f"no shell runs '{command}': write it without '{word}'")
    return [sys.executable, "-m", *words]


def run(process: Sequence[str], folder: Path, width: int = 80) -> Shown:
    """Run `process` in `folder` on a terminal of its own, `width` columns wide, and wait for its end.

    Raises: TimeoutError after ten minutes.
    """
    screen_end, process_end = pty.openpty()
    fcntl.ioctl(process_end, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, width, 0, 0))
    with subprocess.Popen(
        process,
        cwd=folder,
        env=_environment(width),
        stdin=subprocess.DEVNULL,
        stdout=process_end,
        stderr=process_end,
        start_new_session=True,
    ) as child:
        os.close(process_end)
        try:
            written = _read_until_closed(screen_end, child)
        finally:
            os.close(screen_end)
        exit_code = child.wait()
    return Shown(replay(written.decode(errors="replace")), exit_code)


def replay(written: str) -> str:
    """The screen that `written` leaves behind, cursor movements obeyed, trailing blanks dropped."""
    screen = _Screen()
    at = 0
    for control in CONTROL.finditer(written):
        screen.put(written[at : control.start()])
        screen.obey(control.group(2), control.group(1) or "")
        at = control.end()
    screen.put(written[at:])
    return screen.text()


class _Screen:
    """Lines of characters and a cursor: as much of a terminal as a live display uses."""

    def __init__(self) -> None:
        self.lines: list[list[str]] = [[]]
        self.row = 0
        self.column = 0

    def put(self, text: str) -> None:
        for character in text:
            if character == "\n":
                self._down()
            elif character == "\r":
                self.column = 0
            elif character >= " ":
                self._write(character)

    def obey(self, letter: str | None, parameters: str) -> None:
        count = int(parameters) if parameters.isdecimal() else None
        line = self.lines[self.row]
        if letter == "A":
            self.row = max(0, self.row - (count or 1))
        elif letter == "G":
            self.column = (count or 1) - 1
        elif letter == "K" and count == 2:
            line.clear()
        elif letter == "K":
            del line[self.column :]
        elif letter == "J" and not count:
            del line[self.column :]
            del self.lines[self.row + 1 :]

    def text(self) -> str:
        return "\n".join("".join(line).rstrip() for line in self.lines).rstrip("\n") + "\n"

    def _down(self) -> None:
        self.row += 1
        if self.row == len(self.lines):
            self.lines.append([])

    def _write(self, character: str) -> None:
        line = self.lines[self.row]
        line.extend(" " * (self.column - len(line)))
        line[self.column : self.column + 1] = [character]
        self.column += 1


def _environment(width: int) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if key not in {"CI", "FORCE_COLOR", "LINES"}}
    return {**kept, "COLUMNS": str(width), "NO_COLOR": "1", "TERM": "xterm", "PYTHONUTF8": "1"}


def _read_until_closed(screen_end: int, child: subprocess.Popen[bytes]) -> bytes:
    written = bytearray()
    deadline = time.monotonic() + LONGEST
    with selectors.DefaultSelector() as ready:
        ready.register(screen_end, selectors.EVENT_READ)
        while True:
            if not ready.select(timeout=deadline - time.monotonic()):
                child.kill()
                raise TimeoutError(
                    f"{child.args} did not end within {LONGEST:.0f} s; the screen was:\n{written.decode()}"
                )
            piece = b""
            with contextlib.suppress(OSError):  # Linux reports the closed other end as an input error
                piece = os.read(screen_end, 65536)
            if not piece:
                return bytes(written)
            written += piece
