"""Stopping when asked: Ctrl-C once finishes the slice, twice aborts; SIGTERM finishes the slice too."""

from __future__ import annotations

import signal
import threading
from collections.abc import Generator
from contextlib import contextmanager
from types import FrameType
from typing import Final, Literal, TypeAlias

from chainrule.backends.protocol import StopFlag

Request: TypeAlias = Literal["interrupted", "terminated"]


class Stopper:
    """A request to stop, and why; the backend polls its flag before each step."""

    def __init__(self) -> None:
        self.flag: Final = StopFlag()
        self.reason: Request | None = None

    def ask(self, reason: Request = "interrupted") -> None:
        """Ask to stop before the next step; the first reason given stays."""
        self.reason = self.reason or reason
        self.flag.set()


@contextmanager
def signals_stop(stopper: Stopper) -> Generator[None]:
    """Within this block SIGINT and SIGTERM ask the stopper; a second SIGINT raises KeyboardInterrupt at once.

    Outside the main thread nothing is changed: there Python delivers no signals. One that is ignored stays ignored, as
    a shell wants of its background jobs. The handlers that were there before are put back at the end.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(_: int, __: FrameType | None) -> None:
        if stopper.flag.is_set():
            raise KeyboardInterrupt
        stopper.ask("interrupted")

    def terminate(_: int, __: FrameType | None) -> None:
        stopper.ask("terminated")

    handlers = {signal.SIGINT: interrupt, signal.SIGTERM: terminate}
    before = {
        number: signal.signal(number, handler)
        for number, handler in handlers.items()
        if signal.getsignal(number) is not signal.SIG_IGN
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)  # None: not installed from Python
