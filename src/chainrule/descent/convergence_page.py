"""Whether a run has come to rest, set as a page: the verdict, the losses, the evidence with its thresholds."""

from __future__ import annotations

import math
from typing import Final

from chainrule.descent.convergence import BACK, FLAT, STILL, TURN, Convergence
from chainrule.descent.words import percent, short, signed
from chainrule.document import (
    Block,
    Code,
    Column,
    Content,
    Document,
    Figure,
    Items,
    Labeled,
    Number,
    NumberStyle,
    Paragraph,
    Plain,
    Row,
    Series,
    Table,
)
from chainrule.errors.counts import counted

THREE: Final = NumberStyle("significant", 3)
WIDE: Final = 10.0  # times the smallest loss: beyond, a logarithmic axis shows more
ALIKE: Final = 0.1  # cosines closer to 0 than this say that an update knows nothing of the one before
MANY: Final = 10  # updates that make a mean cosine tell
NOTHING: Final = 1e-4  # of a loss: a smaller change is not worth its digits
FOLD: Final = 2.0  # a loss of so many times another is told in times, not in percent


def convergence_page(found: Convergence, run: str, context: str, *, remembers: bool) -> Document:
    """How a run ended.

    Args:
        found: the verdict and its evidence.
        run: its name.
        context: when: "step 900".
        remembers: whether the optimizer goes on with updates of before, as momentum does.
    """
    readings = _readings(found, remembers)
    blocks: list[Block] = [Paragraph(_said(found), name="verdict")]
    blocks += [_losses(found)] if len(found.losses) > 1 else []
    blocks += [_evidence(found)] if found.losses else []
    blocks += [Labeled("Read on", (Items(tuple(readings)),), name="readings")] if readings else []
    return Document(
        "Convergence", tuple(blocks), subtitle=f"of {run}", context=context, name="convergence", data=_data(found)
    )


def _said(found: Convergence) -> str:
    moving = f"an update still moves the weights by {_share(found.update)} of their size"
    over = f"over the last {counted(found.epochs, 'epoch')} the loss"
    match found.rest:
        case "converged":
            return f"Converged: the updates have become ≈ 0, {_share(found.update)} of the size of the weights."
        case "plateau":
            return f"On a plateau: {over} {_changed(found.change)}, though {moving}."
        case "oscillating" if found.swing >= FLAT:
            return (
                f"Oscillating: {over} moved by {percent(found.swing)} from one to the next, "
                f"{percent(found.upward)} of that way upward, and {moving}."
            )
        case "oscillating":
            return f"Oscillating: {over} {_changed(found.change)}, but {moving}, and the next one back."
        case "diverging":
            return f"Diverging: {over} {_grown(found.change)}, and {moving}."
        case "still falling":
            return f"Still falling: {over} {_changed(found.change)}, and {moving}."
        case "left the numbers":
            return f"Left the numbers: {found.problem}."
        case "too short":
            return f"Too short to tell: {_done(found)} complete, and {moving}."


def _changed(change: float) -> str:
    return "hardly changed" if abs(change) < NOTHING else f"changed by {percent(change, sign=True)}"


def _done(found: Convergence) -> str:
    return f"{counted(len(found.losses), 'epoch')} {'is' if len(found.losses) == 1 else 'are'}"


def _losses(found: Convergence) -> Figure:
    finite = [loss for loss in found.losses if math.isfinite(loss)]
    places = tuple(float(epoch) for epoch in range(1, len(found.losses) + 1))
    first, last, lowest = found.losses[0], found.losses[-1], min(finite)
    at = found.losses.index(lowest) + 1
    below = f", lowest {short(lowest)} in epoch {at}" if lowest < min(first, last) else ""
    sentence = f"The loss goes from {short(first)} in epoch 1 to {short(last)} in epoch {len(found.losses):,}{below}."
    wide = lowest > 0.0 and max(finite) > WIDE * lowest
    series = (Series("loss", places, found.losses),)
    return Figure("line", series, sentence, title="Loss", x_label="epoch", logarithmic=wide, name="losses")


def _evidence(found: Convergence) -> Table:
    """What was measured, each beside what it is held against."""
    updates, epochs = f"last {counted(found.updates, 'update')}", f"last {counted(found.epochs, 'epoch')}"
    rows = (
        ("mean ‖Δw‖ / ‖w‖", updates, found.update, f"≈ 0 below {short(STILL)}"),
        ("turn, mean cosine", updates, found.cosine, f"turns back below {short(TURN)}"),
        ("change of L", epochs, found.change, f"flat within ±{short(FLAT)}"),
        ("mean |ΔL| / mean L", epochs, found.swing, f"swings from {short(FLAT)} on,"),
        ("share of |ΔL| upward", epochs, found.upward, f"with {short(BACK)} to {short(1 - BACK)}"),
    )
    columns = (
        Column("evidence", heading=True),
        Column("over the", align="left"),
        Column("value", style=THREE),
        Column("held against", align="left"),
    )
    cells = tuple(
        Row((name, over, Number(value) if math.isfinite(value) else "-", edge)) for name, over, value, edge in rows
    )
    return Table(columns, cells, name="evidence")


def _readings(found: Convergence, remembers: bool) -> list[Content]:
    """What the numbers say beyond the verdict."""
    said: list[Content] = [_pace(found)] if found.rest == "still falling" else []
    if found.rest in ("plateau", "oscillating") and found.losses[-1] > found.losses[0]:
        above = found.losses[-1] / found.losses[0] if found.losses[0] > 0 else math.nan
        said.append(f"The loss stands higher than after the first epoch, at {short(above, 3)} times that.")
    if found.rest == "left the numbers":
        said.append((Code("chainrule lesson learning-rate"), " shows how a step too long does that, ",
                     Code("chainrule lesson exploding"), " how a product of many factors does."))  # fmt: skip
    elif found.cosine < TURN:
        said.append(
            f"An update takes back the one before (mean cosine {signed(found.cosine)}): the steps lead from side to "
            "side, so a smaller learning rate would come nearer."
        )
    elif found.cosine > -TURN and found.rest == "still falling" and not remembers:
        said.append(
            f"An update goes on the way of the one before (mean cosine {signed(found.cosine)}): a larger learning rate "
            "could get farther in as many steps."
        )
    elif abs(found.cosine) < ALIKE and found.updates >= MANY and found.rest in ("plateau", "oscillating"):
        said.append(
            f"An update knows nothing of the one before (mean cosine {signed(found.cosine)}): batches pull in "
            "different directions, which larger batches or a smaller learning rate calm."
        )
    return said


def _pace(found: Convergence) -> str:
    """How fast the loss falls, were it to go on as it does."""
    first, last = found.window[0], found.window[-1]
    factor = (last / first) ** (1.0 / (found.epochs - 1)) if first > 0.0 and last > 0.0 else 0.0
    if not 0.0 < factor < 1.0:
        return f"It went from {short(first)} to {short(last)} over these epochs."
    halves = math.log(0.5) / math.log(factor)
    every = "epoch" if halves < 1.5 else f"{round(halves):,} epochs"
    again = f": at this pace it halves every {every}" if halves > 0.9 else ""
    return f"It falls by {percent(1.0 - factor)} an epoch{again}."


def _grown(change: float) -> str:
    """By how much, in percent or in times."""
    if not math.isfinite(change):
        return "grew beyond the numbers"
    return f"grew to {short(1.0 + change, 3)} times" if change >= FOLD - 1.0 else f"grew by {percent(change)}"


def _share(share: float) -> str:
    """A part of a size: small ones as they are."""
    return percent(share) if share >= 1e-4 else short(share, 2)


def _data(found: Convergence) -> dict[str, Plain]:
    return {
        "rest": found.rest,
        "epochs": found.epochs,
        "updates": found.updates,
        "update": found.update,
        "cosine": found.cosine,
        "change": found.change,
        "swing": found.swing,
        "upward": found.upward,
        "losses": list(found.losses),
        "problem": found.problem or None,
    }
