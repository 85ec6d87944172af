"""The section on learning: what was measured after every epoch."""

from __future__ import annotations

from msgspec.structs import replace

from chainrule.document import Block, Code, Group, Heading, Paragraph
from chainrule.document.numbers import short
from chainrule.report.material import Material, source
from chainrule.train.curves import is_steep, loss_curve, score_curve
from chainrule.train.history import History


def learning(material: Material) -> list[Block]:
    """The curves, the best epoch, and where they come from."""
    run = material.run
    history = run.history
    if history.epochs < 2:
        return [Heading("Learning"), Paragraph(_short(history)), source(*_whence(material))]
    loss = tuple(replace(figure, logarithmic=is_steep(history)) for figure in loss_curve(history))
    blocks: list[Block] = [Heading("Learning"), Group((*loss, *score_curve(history)), name="learning")]
    validated = "val_loss" in history
    if validated:
        blocks.append(Paragraph(_best(history)))
    measured = "A training value is the mean over the batches of its epoch, each measured before its update" + (
        "; a validation value is measured after the epoch, on rows that are not trained on." if validated else "."
    )
    return [*blocks, Paragraph(measured), source(*_whence(material))]


def _short(history: History) -> str:
    if not history.epochs:
        return "No epoch is complete yet, so there is no curve."
    listed = ", ".join(f"{name} {values[-1]:.6g}" for name, values in history.items())
    return f"One epoch is complete, so there is no curve: {listed}."


def _best(history: History) -> str:
    losses = history["val_loss"]
    best = min(range(len(losses)), key=losses.__getitem__)
    after = history.epochs - 1 - best
    rest = f"; the {after} after it did not lower it" if after > 1 else ""
    return (
        f"The validation loss was smallest, {short(losses[best])}, after epoch {best + 1} of {history.epochs:,}{rest}."
    )


def _whence(material: Material) -> tuple[str | Code, ...]:
    count = material.run.history.epochs
    epochs = "no epoch yet" if not count else "one epoch" if count == 1 else f"all {count:,} epochs"
    if material.run.path is None:
        return ("the history of this run, which is in memory only, ", epochs)
    return (Code("history.jsonl"), " in the folder of the run, ", epochs)
