"""Sets the history of a weight on a page: where it went, its largest moves, and the samples that moved it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np

from chainrule.document import (
    COUNT,
    Block,
    Column,
    Document,
    Figure,
    Labeled,
    Number,
    NumberStyle,
    Paragraph,
    Plain,
    Row,
    Series,
    Span,
    Summary,
    Table,
    format_number,
)
from chainrule.explain.weight_history import ClassShare, Move, Past, SampleShare

MOST_POINTS: Final = 400  # of the chart; more cannot be told apart on a screen
MOST_SAMPLES: Final = 10  # rows of the table of samples
MOST_CLASSES: Final = 20
VALUE: Final = NumberStyle("significant", 6, signed=True)
SIGNED: Final = NumberStyle("significant", 4, signed=True)
PART: Final = NumberStyle("significant", 2, signed=True)
FOUR: Final = NumberStyle("significant", 4)
ONE: Final = NumberStyle("significant", 1)
TWO: Final = NumberStyle("significant", 2)
STRAIGHT: Final = 1.05  # times the change: a way no longer than that goes straight there


class Told(msgspec.Struct, frozen=True):
    """What the page says beside the numbers.

    Attributes:
        place: of the weight, in words: "weight from input 3 to unit 7".
        optimizer: in a few words: "SGD, η = 0.5".
        batch: how many samples a step takes.
        every: steps between the values that programs get.
    """

    place: str
    optimizer: str
    batch: int
    every: int


def weight_history_page(
    past: Past,
    told: Told,
    moves: Sequence[Move],
    samples: Sequence[SampleShare],
    classes: Sequence[ClassShare],
    extra: tuple[Block, ...] = (),
) -> Document:
    """The page of a weight.

    Args:
        past: what was measured.
        told: what else is known.
        moves: the largest steps, the largest first.
        samples: every sample that was visited, the one that moved it most first.
        classes: the same by class; none where targets are numbers.
        extra: what else is told, at the end.
    """
    last = past.first + past.steps
    blocks: tuple[Block, ...] = (
        *_chart(past),
        Paragraph(_way(past), name="way"),
        *_moves_table(moves, with_past=bool(np.any(past.credit.factors != past.credit.at_once))),
        *_samples_table(past, samples),
        *_classes_table(classes),
        *_how(past, told),
        Labeled("Adds up", (Paragraph(_sum(past)),), name="sum"),
        *extra,
    )
    return Document(
        past.name,
        blocks,
        subtitle=told.place,
        context=f"steps {past.first:,} to {last:,}",
        name="weight-history",
        data=_data(past, told, moves, samples, classes),
    )


# ---- where it went ----


def _chart(past: Past) -> tuple[Block, ...]:
    if past.steps < 2:
        return ()
    places = np.unique(np.linspace(0, past.steps, MOST_POINTS).round().astype(int))
    values = past.values[places]
    low, high = int(np.argmin(past.values)), int(np.argmax(past.values))
    said = (
        f"{past.name} lay between {_four(past.values[low])} (step {past.first + low:,}) and "
        f"{_four(past.values[high])} (step {past.first + high:,})."
    )
    steps = tuple((past.first + places).astype(float).tolist())
    series = Series(past.name, steps, tuple(values.tolist()))
    return (Figure("line", (series,), said, title="Value", x_label="step", name="values"),)


def _four(value: float) -> str:
    return format_number(float(value), FOUR, minus="−")


def _way(past: Past) -> tuple[Span, ...]:
    """How far it came, how far it went for that, and when half of the way was behind it."""
    moves = np.abs(np.diff(past.values))
    length, change = float(np.sum(moves)), past.change
    spans: tuple[Span, ...] = (
        "from ",
        Number(float(past.values[0]), VALUE),
        " to ",
        Number(float(past.values[-1]), VALUE),
        f" in {past.steps:,} {'step' if past.steps == 1 else 'steps'}, a change of ",
        Number(change, SIGNED),
    )
    if length == 0.0:
        return (*spans, "; it never moved")
    half = past.first + int(np.searchsorted(np.cumsum(moves), length / 2)) + 1
    return (*spans, *_along(length, abs(change)), f", half of it by step {half:,}")


def _along(length: float, change: float) -> tuple[Span, ...]:
    """How far the weight went for a change."""
    if length <= STRAIGHT * change:
        return ("; it hardly ever turned back",)
    along: tuple[Span, ...] = ("; it went ", Number(length, TWO), " up and down for that")
    return (*along, ", ", Number(length / change, TWO), " times as far") if change else along


# ---- its largest moves ----


def _moves_table(moves: Sequence[Move], *, with_past: bool) -> tuple[Block, ...]:
    if not moves:
        return ()
    columns = (
        Column("step", style=COUNT, heading=True),
        Column("epoch", style=COUNT),
        Column("from", style=SIGNED),
        Column("to", style=SIGNED),
        Column("move", style=SIGNED),
        *((Column("by its batch", style=SIGNED),) if with_past else ()),
        Column("gradient", style=SIGNED),
    )
    rows = tuple(
        Row(
            (
                Number(each.step),
                Number(each.epoch),
                Number(each.before),
                Number(each.after),
                Number(each.after - each.before),
                *((Number(each.at_once),) if with_past else ()),
                Number(each.gradient),
            ),
            _loudest(each),
        )
        for each in moves
    )
    return (Table(columns, rows, caption="largest moves", name="moves"),)


def _loudest(move: Move) -> tuple[Span, ...] | str:
    spans: list[Span] = []
    for row, target, part in move.samples:
        spans += [", " if spans else "most by sample ", f"{row} ({target}) ", Number(part, PART)]
    return tuple(spans) if spans else ""


# ---- who moved it ----


def _samples_table(past: Past, samples: Sequence[SampleShare]) -> tuple[Block, ...]:
    if not samples:
        return ()
    shown, rest = samples[:MOST_SAMPLES], samples[MOST_SAMPLES:]
    rows = [Row((str(each.row), each.target, Number(each.visits), Number(each.moved))) for each in shown]
    if past.credit.carried != 0.0:
        rows.insert(0, Row((f"before step {past.first:,}", None, None, Number(past.credit.carried))))
    remainder = None
    if rest:
        visits, moved = sum(each.visits for each in rest), float(sum(each.moved for each in rest))
        remainder = Summary(f"and {len(rest):,} more, together", (None, None, Number(visits), Number(moved)))
    total = float(np.sum(past.parts)) + past.credit.carried
    columns = (
        Column("sample", heading=True),
        Column("target"),
        Column("visits", style=COUNT),
        Column("moved it by", style=SIGNED),
    )
    table = Table(columns, tuple(rows), remainder, Summary("sum", (None, None, None, Number(total))), name="samples")
    first = samples[0]
    times = "in 1 visit" if first.visits == 1 else f"over {first.visits:,} visits"
    said: tuple[Span, ...] = (
        f"sample {first.row} ({first.target}) moved it most, by ", Number(first.moved, SIGNED), f" {times}; ",
        *_both_ways(samples),
    )  # fmt: skip
    return (Labeled("Samples", (table, Paragraph(said)), name="samples"),)


def _both_ways(samples: Sequence[SampleShare]) -> tuple[Span, ...]:
    """How many samples raised the weight and how many lowered it, and by how much each together."""
    up = [each.moved for each in samples if each.moved > 0.0]
    down = [each.moved for each in samples if each.moved < 0.0]
    idle = len(samples) - len(up) - len(down)
    spans: list[Span] = [
        f"{len(up):,} raised it by ", Number(float(sum(up)), SIGNED),
        f" together, {len(down):,} lowered it by ", Number(float(sum(down)), SIGNED),
    ]  # fmt: skip
    return (*spans, f", {idle:,} never moved it") if idle else tuple(spans)


def _classes_table(classes: Sequence[ClassShare]) -> tuple[Block, ...]:
    if len(classes) < 2:
        return ()
    shown, rest = classes[:MOST_CLASSES], classes[MOST_CLASSES:]
    columns = (
        Column("class", heading=True),
        Column("samples", style=COUNT),
        Column("moved it by", style=SIGNED),
    )
    rows = tuple(Row((each.name, Number(each.samples), Number(each.moved))) for each in shown)
    remainder = None
    if rest:
        count, moved = sum(each.samples for each in rest), float(sum(each.moved for each in rest))
        remainder = Summary(f"and {len(rest):,} more, together", (None, Number(count), Number(moved)))
    return (Labeled("Classes", (Table(columns, rows, remainder, name="classes"),), name="classes"),)


# ---- how it was counted, and that it adds up ----


def _how(past: Past, told: Told) -> tuple[Block, ...]:
    """What a sample's part is, with this optimizer."""
    if past.credit.held:
        held = " and ".join(past.credit.held)
        said = (
            f"{told.optimizer}: {held}, to which all samples contribute, is taken as it was; what is left is a sum "
            "over the gradients, and a sample's part holds what it goes on doing in later steps"
        )
    elif np.any(past.credit.factors != past.credit.at_once):
        said = f"{told.optimizer}: a sample's part holds what the velocity makes of it in later steps"
    else:
        said = f"{told.optimizer}: a sample's part is −η times its own term of the gradient"
    if past.own is None:
        said += f"; batches of {told.batch:,} samples are too large to tell samples apart"
    return (Labeled("Counted", (Paragraph(said),), name="counted"),)


def _sum(past: Past) -> tuple[Span, ...]:
    """That the parts add up to the change, but for rounding."""
    what = "gradients" if past.own is None else "visits"
    count = past.steps if past.own is None else len(past.own)
    verdict = "within" if abs(past.remainder) <= past.rounding else "which is more than"
    return (
        f"the parts of {count:,} {what}",
        " and of the steps before" if past.credit.carried != 0.0 else "",
        " leave ",
        Number(past.remainder, ONE),
        " of the change, ",
        f"{verdict} what rounding in {past.dtype} may make, ",
        Number(past.rounding, ONE),
    )


def _data(
    past: Past, told: Told, moves: Sequence[Move], samples: Sequence[SampleShare], classes: Sequence[ClassShare]
) -> dict[str, Plain]:
    places = np.unique(np.append(np.arange(0, past.steps + 1, told.every), past.steps))
    gradients = [float(past.gradients[place]) if place < past.steps else None for place in places]
    return {
        "weight": past.name,
        "first": past.first,
        "last": past.first + past.steps,
        "change": past.change,
        "steps": (past.first + places).tolist(),
        "values": past.values[places].tolist(),
        "gradients": gradients,
        "moves": [
            {
                "step": each.step, "epoch": each.epoch, "from": each.before, "to": each.after,
                "gradient": each.gradient, "at_once": each.at_once,
                "samples": [{"sample": row, "target": target, "part": part} for row, target, part in each.samples],
            }
            for each in moves
        ],
        "samples": [
            {"sample": each.row, "target": each.target, "visits": each.visits, "moved": each.moved} for each in samples
        ],
        "classes": [{"class": each.name, "samples": each.samples, "moved": each.moved} for each in classes],
        "optimizer": told.optimizer,
        "taken_as_it_was": list(past.credit.held),
        "carried": past.credit.carried,
        "remainder": past.remainder,
        "rounding": past.rounding,
    }  # fmt: skip
