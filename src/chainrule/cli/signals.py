"""Ctrl-C and SIGTERM from the first moment of a command: it ends with a word, and with the exit code that says so."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from types import FrameType
from typing import Final, NoReturn

from chainrule.errors import EXIT_INTERRUPTED, EXIT_TERMINATED

# What is said and the exit code; a training under way takes both signals itself, and saves first.
ENDINGS: Final[dict[int, tuple[str, int]]] = {
    signal.SIGINT: ("interrupted", EXIT_INTERRUPTED),
    signal.SIGTERM: ("terminated", EXIT_TERMINATED),
}

AGAIN: Final = 0.05  # seconds after which a signal comes again whose exception was lost


class Stopped(BaseException):
    """A signal asked the process to end; no KeyboardInterrupt, which libraries turn into exits of their own."""


class Signals:
    """Which signal came.

    Attributes: number: of the last one; None while none came.
    """

    def __init__(self) -> None:
        self.number: int | None = None
        self._hook = sys.unraisablehook

    def raise_stopped(self, number: int, _: FrameType | None) -> NoReturn:
        """The handler: remembers the signal, for whatever it interrupts may turn the exception into another."""
        self.number = number
        raise Stopped

    def raise_again(self, lost: sys.UnraisableHookArgs) -> None:
        """Where Python lets no exception through, as in callbacks of weak references, the signal comes again."""
        if self.number is not None and lost.exc_type is Stopped:
            threading.Timer(AGAIN, signal.raise_signal, (self.number,)).start()
        else:
            self._hook(lost)

    @property
    def ending(self) -> tuple[str, int]:
        """The word to say and the exit code."""
        return ENDINGS[self.number or signal.SIGINT]


@contextmanager
def signals_end() -> Generator[Signals]:
    """Within this block SIGINT and SIGTERM raise `Stopped`; outside the main thread, and where they are ignored, no."""
    signals = Signals()
    if threading.current_thread() is not threading.main_thread():
        yield signals
        return
    hook, before = sys.unraisablehook, {number: signal.getsignal(number) for number in ENDINGS}
    for number, handler in before.items():
        if handler is not signal.SIG_IGN:
            signal.signal(number, signals.raise_stopped)
    sys.unraisablehook = signals.raise_again
    try:
        yield signals
    finally:
        sys.unraisablehook = hook
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)  # None: not installed from Python
