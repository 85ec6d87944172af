"""What was measured after every epoch as figures: the loss, and how often or how well the network was right."""

from __future__ import annotations

import math
from typing import Final

from msgspec.structs import replace

from chainrule.document import Column, Document, Figure, Group, Number, Row, Series, Table
from chainrule.document.numbers import short
from chainrule.errors.counts import counted
from chainrule.train.history import History

PARTS: Final = {"": "training", "val_": "validation"}
STEEP: Final = 50.0  # a loss that falls by more is shown in decades
_SCORES: Final = {"accuracy": ("Accuracy", "share right"), "rmse": ("Typical error", "RMSE")}


def loss_curve(history: History) -> tuple[Figure, ...]:
    """The loss after every epoch; nothing for a single one, of which there is no curve."""
    if history.epochs < 2 or "loss" not in history:
        return ()
    first, last = history["loss"][0], history["loss"][-1]
    moved = "fell" if last < first else "rose"
    sentence = f"The training loss {moved} from {short(first)} to {short(last)} in {history.epochs:,} epochs."
    return (Figure("line", _series(history, "loss"), sentence, title="Loss", x_label="epoch", name="loss"),)


def score_curve(history: History) -> tuple[Figure, ...]:
    """The accuracy, or the typical error, after every epoch, where it was measured."""
    if history.epochs < 2:
        return ()
    return tuple(_score(history, name) for name in _SCORES if name in history or f"val_{name}" in history)


def history_document(history: History) -> Document:
    """Curves of loss and score beside one another; of a single epoch, of which there is no curve, a table."""
    steep = is_steep(history)
    curves = (*(replace(figure, logarithmic=steep) for figure in loss_curve(history)), *score_curve(history))
    count = counted(history.epochs, "epoch")
    return Document("History", (Group(curves),) if curves else (_table(history),), subtitle=count, name="history")


def is_steep(history: History) -> bool:
    """Whether the losses span so much that decades show them better; none is 0 or below then."""
    losses = [value for series in _series(history, "loss") for value in series.y if math.isfinite(value)]
    return bool(losses) and min(losses) > 0 and max(losses) / min(losses) > STEEP


def _score(history: History, name: str) -> Figure:
    title, label = _SCORES[name]
    series = _series(history, name)
    ends = " and ".join(f"{short(each.y[-1])} in {each.name}" for each in series)
    sentence = f"{title} after {counted(history.epochs, 'epoch')}: {ends}."
    return Figure("line", series, sentence, title=title, x_label="epoch", y_label=label, name=name)


def _table(history: History) -> Table:
    columns = (Column("epoch", heading=True), *(Column(name) for name in history))
    numbers = [[Number(value) for value in history[name]] for name in history]
    rows = [Row((str(place + 1), *cells)) for place, cells in enumerate(zip(*numbers, strict=True))]
    return Table(columns, tuple(rows), name="epochs")


def _series(history: History, name: str) -> tuple[Series, ...]:
    """The measurement of each part that has it, against the number of the epoch from 1."""
    epochs = tuple(range(1, history.epochs + 1))
    found = ((f"{prefix}{name}", words) for prefix, words in PARTS.items())
    return tuple(Series(words, epochs, tuple(history[key])) for key, words in found if key in history)
