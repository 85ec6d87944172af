"""A line that says how far something long has come: rewritten on a terminal, now and then written elsewhere."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Final, Self

from chainrule.cli.screen import Screen

PATIENCE: Final = 1.0  # seconds before anything is said: what is quick needs no word
PAUSE: Final = 0.2  # seconds between two lines that replace each other
LONG_PAUSE: Final = 10.0  # seconds between two lines where none can be replaced


class Countdown:
    """Called with what is done and what there is to do; used as a context, the line is gone when it ends."""

    def __init__(self, screen: Screen, what: str) -> None:
        self._screen, self._what = screen, what
        self._began = self._spoke = time.monotonic()
        self._written = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._written:
            self._write("\r\x1b[K")

    def __call__(self, done: int, whole: int) -> None:
        """Take note of how far it has come."""
        now = time.monotonic()
        if now - self._began < PATIENCE or now - self._spoke < (PAUSE if self._screen.live else LONG_PAUSE):
            return
        self._spoke = now
        line = self.line(done, whole, now - self._began)
        if self._screen.live:
            self._written = True
            self._write(f"\r\x1b[K{line[: self._screen.width - 1]}")
        else:
            self._screen.say(line)

    def line(self, done: int, whole: int, seconds: float) -> str:
        """What is said after so many seconds."""
        left = seconds * (whole - done) / max(done, 1)
        return f"{self._what} {done:,} of {whole:,}, about {left:,.0f} s left"

    def _write(self, text: str) -> None:
        self._screen.stream.write(text)
        self._screen.stream.flush()
