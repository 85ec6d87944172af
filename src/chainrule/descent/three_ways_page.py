"""Three ways down set as a page: how often they update, what an epoch costs and brings, and how they walk."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
from msgspec.structs import replace

from chainrule.descent.directions import Plane, principal
from chainrule.descent.surface import grid_of
from chainrule.descent.surface_page import landscape_of
from chainrule.descent.three_ways import BACK, STEADY, ZIGZAG, Way
from chainrule.descent.walk import Walk
from chainrule.descent.words import capital, short
from chainrule.document import (
    COUNT,
    Block,
    Cell,
    Column,
    Document,
    Figure,
    Group,
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
FOUR: Final = NumberStyle("significant", 4)
COSINE: Final = NumberStyle("fixed", 2, signed=True)
ALIKE: Final = 0.1  # cosines closer to 0 than this say that an update knows nothing of the one before
MUCH: Final = 0.5
POINTS: Final = 17  # a side of the grid under the paths
WIDE: Final = 10.0  # times the smallest loss: beyond, a logarithmic axis shows more


def three_ways_page(name: str, ways: Sequence[Way], training: str) -> Document:
    """The ways side by side.

    Args:
        name: of the data.
        ways: at least one; the first has all rows in a batch.
        training: loss, optimizer and seed in words.
    """
    rows = ways[0].batch_size
    title = {1: "One descent", 2: "Two descents"}.get(len(ways), "Three descents")
    together = " All start from the same weights." if len(ways) > 1 else ""
    blocks: list[Block] = [Paragraph(f"{capital(training)}.{together}"), _table(ways)]
    figure = _losses(ways)
    blocks += [figure] if figure else []
    walked = [way for way in ways if way.walk is not None]
    if walked:
        blocks += [_walks(walked), *_paths(walked)]
    blocks.append(Labeled("Read on", (Items(tuple(_readings(ways))),), name="readings"))
    return Document(
        title,
        tuple(blocks),
        subtitle=f"on {name}",
        context=counted(rows, "row"),
        name="descent",
        data={"data": name, "rows": rows, "ways": [_data(way) for way in ways]},
    )


def _table(ways: Sequence[Way]) -> Table:
    columns = (
        Column("way", heading=True),
        Column("rows an", "update", style=COUNT),
        Column("updates", "an epoch", style=COUNT),
        Column("updates", "in all", style=COUNT),
        Column("loss", "at first", style=FOUR),
        Column("loss", "at last", style=FOUR),
        Column("time an epoch", align="left"),
    )
    return Table(columns, tuple(_row(way) for way in ways), name="ways")


def _row(way: Way) -> Row:
    sizes: tuple[Cell, ...] = (way.name, Number(way.batch_size), Number(way.updates_per_epoch))
    if way.fit is None:
        return Row((*sizes, None, None, None, "diverged"))
    return Row((*sizes, Number(way.updates), Number(way.losses[0]), Number(way.losses[-1]), _time(way.seconds)))


def _time(seconds: float) -> str:
    """A time in the unit in which it is read best."""
    for unit, factor in (("s", 1.0), ("ms", 1e3)):
        if seconds * factor >= 1.0:
            return f"{seconds * factor:.3g} {unit}"
    return f"{seconds * 1e6:.3g} µs"


def _losses(ways: Sequence[Way]) -> Figure | None:
    """The loss over all training rows after every epoch; nothing where no way has one."""
    series = tuple(Series(way.name, tuple(range(len(way.losses))), way.losses) for way in ways if len(way.losses) > 1)
    if not series:
        return None
    ends = ", ".join(f"{way.name} {short(way.losses[-1])}" for way in ways if way.losses)
    epochs = max(len(each.x) for each in series) - 1
    sentence = f"The loss over all training rows after {counted(epochs, 'epoch')}: {ends}."
    every = [loss for each in series for loss in each.y]
    wide = min(every) > 0.0 and max(every) > WIDE * min(every)
    return Figure("line", series, sentence, title="Loss", x_label="epoch", logarithmic=wide, name="losses")


def _walks(ways: Sequence[Way]) -> Group:
    columns = (
        Column("way", heading=True),
        Column("length", "Σ‖Δw‖", style=THREE),
        Column("straight line", "‖w − w₀‖", style=THREE),
        Column("detour", "times", style=THREE),
        Column("turn", "mean cos", style=COSINE),
        Column("looks like a", align="left"),
    )
    walks = [(way, way.walk) for way in ways if way.walk is not None]
    rows = tuple(Row((way.name, *_walk_cells(walk), way.kind or "standstill")) for way, walk in walks)
    said = (
        "The turn is the cosine between an update and the one before: 1 straight on, 0 at random, −1 back; a steady "
        f"walk has a detour below {STEADY:g} and goes on, a zig-zag one below {ZIGZAG:g} or turns back by more than "
        f"{-BACK:g}, a drunkard's walk is what remains."
    )
    return Group((Table(columns, rows), Paragraph(said)), name="walks")


def _walk_cells(walk: Walk) -> tuple[Cell, ...]:
    values = (walk.length, walk.net, walk.detour, walk.cosine)
    return tuple(Number(value) if math.isfinite(value) else "-" for value in values)


def _paths(ways: Sequence[Way]) -> list[Block]:
    """The ways in the plane in which they differ most, on the loss there."""
    walked = [(way, way.walk, way.fit) for way in ways if way.walk is not None and way.fit is not None]
    places = np.concatenate([walk.places for _, walk, _ in walked])
    if len(places) < 3 or not np.ptp(places, axis=0).any():
        return []
    _, first, fit = walked[0]
    plane = principal(places, first.places[0])
    if not plane.up.any():  # all lies on one line
        return []
    x, y, losses = grid_of(fit.prepared, fit.state, plane, plane.placed(places), fit.checkpoint.backend, POINTS)
    sentence = (
        "The ways from the same weights, at (0, 0), on the loss in the two directions in which they differ most, which "
        f"hold {sum(plane.shares):.0%} of the variance of all places; the other weights are those of the beginning."
    )
    paths = tuple(_path(way.name, walk, plane) for way, walk, _ in walked)
    drawn = landscape_of(x, y, losses, paths, plane, sentence)
    return [replace(drawn, title="Paths", name="paths", data={"shares": list(plane.shares)})]


def _path(name: str, walk: Walk, plane: Plane) -> Series:
    x, y = plane.placed(walk.places)
    return Series(name, tuple(x.tolist()), tuple(y.tolist()))


# ---- what the numbers say ----


def _readings(ways: Sequence[Way]) -> list[str]:
    said: list[str] = []
    for way in ways:
        if way.fit is None:
            said.append(f"{capital(way.name)} descent left the numbers: {way.problem}.")
        if way.last_batch < way.batch_size:
            said.append(_remainder(way))
    ended = [way for way in ways if way.losses]
    if len(ended) > 1:
        said.append(_best(ended))
    said += [_gait(way, way.walk) for way in ended if way.walk is not None]
    return said


def _remainder(way: Way) -> str:
    full = way.updates_per_epoch - 1
    last = way.last_batch
    return (
        f"{capital(way.name)}: {counted(way.updates_per_epoch, 'update')} an epoch, {full:,} of "
        f"{counted(way.batch_size, 'row')} and one of the {last:,} that {'remains' if last == 1 else 'remain'}."
    )


def _best(ways: Sequence[Way]) -> str:
    """Which ended lowest, and how many updates that took."""
    best = min(ways, key=lambda way: way.losses[-1])
    worst = max(ways, key=lambda way: way.losses[-1])
    return (
        f"After {counted(len(best.losses) - 1, 'epoch')} {best.name} descent is lowest, with a loss of "
        f"{short(best.losses[-1])} after {counted(best.updates, 'update')}; {worst.name} descent is at "
        f"{short(worst.losses[-1])} after {worst.updates:,}."
    )


def _gait(way: Way, walk: Walk) -> str:
    """How the way walked, from its detour and its turns."""
    if not math.isfinite(walk.detour):
        return f"{capital(way.name)} descent did not move."
    if not math.isfinite(walk.cosine):
        return f"{capital(way.name)} descent made a single update."
    turn = f"cos {walk.cosine:+.2f}".replace("-", "−")
    if walk.cosine > MUCH:
        how = f"an update goes on much as the one before ({turn})"
    elif walk.cosine > ALIKE:
        how = f"an update goes on a little as the one before ({turn})"
    elif walk.cosine < -ALIKE:
        how = f"an update takes back part of the one before ({turn})"
    else:
        how = f"an update knows nothing of the one before ({turn})"
    return (
        f"{capital(way.name)} descent: {how}; the way is {short(walk.detour, 3)} times the straight line, a {way.kind}."
    )


# ---- for programs ----


def _data(way: Way) -> dict[str, Plain]:
    walk = way.walk
    walked: dict[str, Plain] | None = None
    if walk is not None:
        walked = {
            "length": walk.length, "net": walk.net, "detour": walk.detour, "cosine": walk.cosine, "kind": way.kind,
        }  # fmt: skip
    return {
        "way": way.name,
        "batch_size": way.batch_size,
        "updates_per_epoch": way.updates_per_epoch,
        "last_batch": way.last_batch,
        "updates": way.updates,
        "seconds_per_epoch": way.seconds,
        "losses": list(way.losses),
        "test": dict(way.fit.scores.metrics) if way.fit and way.fit.scores else None,
        "walk": walked,
        "problem": way.problem or None,
    }
