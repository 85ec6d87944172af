"""The live line: what it says, and how it fits narrow screens."""

from __future__ import annotations

import pytest

from chainrule.cli.progress import Progress
from chainrule.cli.screen import Screen
from chainrule.train.events import EpochDone, SliceDone, TrainingStarted
from tests.cli.conftest import Terminal


def told(width: int, *, ascii: bool = False, live: bool = True) -> tuple[Progress, Screen]:
    """A progress that has seen two epochs of four and half of the third."""
    screen = Screen(Terminal(), width, ascii, color=False, live=live, person=True)
    progress = Progress(screen)
    with progress:
        progress(TrainingStarted("digits", None, "reference", 4, 0, 0, 10, (100, 10, 10), (50, 0)))
        for epoch in range(2):
            progress(SliceDone(epoch, 10 * epoch + 10, 10, 10, (0.5, 0.3), 100, 0.001))
            metrics = {"loss": 0.4, "accuracy": 0.9, "val_loss": 0.5, "val_accuracy": 0.875}
            progress(EpochDone(epoch, 10 * epoch + 10, metrics, 0.01))
        progress(SliceDone(2, 25, 5, 10, (0.25,), 50, 0.001))
    return progress, screen


def test_the_line_says_where_training_is() -> None:
    line = told(100)[0].line(25)
    assert line.startswith("epoch 3/4  ━━━━━━━━━━╌╌╌╌╌╌  loss 0.355")
    assert "val_accuracy 0.875" in line
    assert "left" in line
    assert line.endswith("samples/s")


@pytest.mark.parametrize("width", [20, 30, 45, 60, 80, 120])
def test_the_line_fits(width: int) -> None:
    progress, screen = told(width)
    assert len(progress.line(25)) <= width
    assert progress.line(25).startswith("epoch 3/4")
    assert screen.stream.getvalue()  # pyright: ignore[reportAttributeAccessIssue]


def test_a_plain_terminal_gets_plain_characters() -> None:
    assert told(100, ascii=True)[0].line(25).isascii()


def test_where_no_line_can_be_rewritten_the_last_epoch_has_one() -> None:
    progress, screen = told(80, live=False)
    progress(EpochDone(3, 40, {"loss": 0.1}, 0.01))
    written = screen.stream.getvalue()  # pyright: ignore[reportAttributeAccessIssue]
    assert written.count("\n") == 1
    assert "\x1b" not in written
    assert "loss 0.1" in written
