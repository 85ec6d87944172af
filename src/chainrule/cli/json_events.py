"""What happens in a training as JSON lines, for programs."""

from __future__ import annotations

from pathlib import Path

from chainrule.cli.screen import Screen
from chainrule.train.events import EpochDone, Event, TrainingStarted


class JsonEvents:
    """A listener that writes a line when training starts and one after every epoch; epochs count from 1."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen

    def __call__(self, event: Event) -> None:
        """Write what happened, where it is worth a line."""
        if isinstance(event, TrainingStarted):
            train, validate, test = event.rows
            trained, frozen = event.parameters
            self._screen.json(
                {
                    "event": "start", "name": event.name, "run": show_path(event.folder), "backend": event.backend,
                    **({"note": event.note} if event.note else {}),
                    "epochs": event.epochs, "first_epoch": event.first_epoch + 1,
                    "steps_per_epoch": event.steps_per_epoch,
                    "rows": {"train": train, "validation": validate, "test": test},
                    "parameters": {"trained": trained, "frozen": frozen},
                }
            )  # fmt: skip
        elif isinstance(event, EpochDone):
            row = {"event": "epoch", "epoch": event.epoch + 1, "step": event.step, **event.metrics}
            self._screen.json({**row, "seconds": round(event.seconds, 6)})


def show_path(path: Path | None) -> str | None:
    """A path as text; None stays None."""
    return None if path is None else str(path)
