"""The live line of a training: epoch, loss, validation, samples a second, time left."""

from __future__ import annotations

import math
import time
from types import TracebackType
from typing import Final, Self

from rich.console import Console
from rich.live import Live
from rich.text import Text

from chainrule.cli.screen import Screen
from chainrule.train.events import EpochDone, Event, SliceDone, TrainingStarted

BAR: Final = 16  # columns of the bar, where there is room
PLAIN_EVERY: Final = 10  # epochs between lines where no line can be rewritten
SMOOTHING: Final = 0.7  # weight of what was measured before, so that rate and time left do not flicker


class Progress:
    """A listener that rewrites one line; where that cannot be it writes a line every ten epochs.

    Used as a context: the line is gone when it ends.
    """

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._live: Live | None = None
        self._started: TrainingStarted | None = None
        self._loss, self._rate = math.nan, math.nan
        self._validated: dict[str, float] = {}
        self._began, self._first, self._epoch = time.monotonic(), 0, 0

    def __enter__(self) -> Self:
        if self._screen.live:
            console = Console(file=self._screen.stream, width=self._screen.width, no_color=not self._screen.color)
            self._live = Live(console=console, auto_refresh=False, transient=True)
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def __call__(self, event: Event) -> None:
        """Take note of what happened."""
        if isinstance(event, TrainingStarted):
            self._started, self._first, self._began = event, event.first_step, time.monotonic()
        elif isinstance(event, SliceDone):
            self._slice(event)
        elif isinstance(event, EpochDone):
            self._epoch_done(event)

    def _slice(self, event: SliceDone) -> None:
        if event.losses:
            self._loss = _smooth(self._loss, sum(event.losses) / len(event.losses))
            self._rate = _smooth(self._rate, event.samples / max(event.seconds, 1e-9))
        self._epoch = event.epoch
        if self._live is not None:
            self._live.update(Text(self.line(event.step), no_wrap=True, overflow="crop"), refresh=True)

    def _epoch_done(self, event: EpochDone) -> None:
        self._loss = event.metrics["loss"]
        self._validated = {name: value for name, value in event.metrics.items() if name.startswith("val_")}
        assert self._started is not None
        last = event.epoch + 1 == self._started.epochs
        if self._live is None and self._screen.person and (last or (event.epoch + 1) % PLAIN_EVERY == 0):
            self._screen.say(self.line(event.step))

    def line(self, step: int) -> str:
        """The line after so many steps, no longer than the screen is wide."""
        assert self._started is not None
        total = self._started.epochs * self._started.steps_per_epoch
        pieces = [f"epoch {self._epoch + 1}/{self._started.epochs}", f"loss {self._loss:.4g}"]
        if self._validated:
            name = next((each for each in self._validated if each != "val_loss"), "val_loss")
            pieces.append(f"{name} {self._validated[name]:.4g}")
        pieces += [f"{_left(self._seconds_left(step, total))} left", f"{self._rate:,.0f} samples/s"]
        while len(pieces) > 1 and len("  ".join(pieces)) > self._screen.width:
            pieces.pop()
        room = self._screen.width - len("  ".join(pieces)) - 2
        if room >= BAR:
            pieces.insert(1, self._bar(step / max(total, 1)))
        return "  ".join(pieces)[: self._screen.width]

    def _bar(self, share: float) -> str:
        full, empty = ("#", ".") if self._screen.ascii else ("━", "╌")
        done = min(BAR, int(share * BAR))
        return full * done + empty * (BAR - done)

    def _seconds_left(self, step: int, total: int) -> float:
        done = step - self._first
        return (time.monotonic() - self._began) * (total - step) / done if done else math.nan


def _smooth(before: float, now: float) -> float:
    return now if math.isnan(before) else SMOOTHING * before + (1 - SMOOTHING) * now


def _left(seconds: float) -> str:
    """Minutes and seconds, or hours too."""
    if math.isnan(seconds):
        return "-:--"
    minutes, rest = divmod(math.ceil(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
