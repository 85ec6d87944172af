"""Batch sizes: whether powers of two are faster, measured on this machine."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

import chainrule as cr
from chainrule.document import Column
from chainrule.draws import Purpose, normal
from chainrule.lessons.taught import Lesson, Told
from chainrule.lessons.writing import THREE, claim, curves, measured, part, say, table

ROWS: Final = 4000
FEATURES: Final = 32
UNITS: Final = 64
ROUNDS: Final = 5  # of which the quickest counts: others can only make it slower
POWERS: Final = (32, 64, 128, 256, 512)
SIZES: Final = tuple(size for power in POWERS for size in (power - 1, power, power + 1))
CUT: Final = (800, 150)  # rows and a batch size that does not divide them
MICROSECONDS: Final = 1e6


def teach(seed: int) -> Told:
    """Time an epoch at sizes that are powers of two and at their neighbors; then cut 800 rows into batches of 150."""
    x = normal(seed, Purpose.GENERATE, 0, (ROWS, FEATURES))
    data = cr.load((x, np.sin(x[:, :1])))
    seconds = dict.fromkeys(SIZES, math.inf)
    runs: dict[int, cr.Run] = {}
    for _ in range(ROUNDS):
        for size in SIZES:  # in turns, so that a slow moment of the machine falls on all
            runs[size] = _epoch(data, size, seed)
            seconds[size] = min(seconds[size], runs[size].history.entries[0].seconds)
    return (*_times(seconds, runs), *_updates(runs), *_cut(seed))


def _epoch(data: cr.Dataset, size: int, seed: int) -> cr.Run:
    return cr.train(
        [cr.Dense(UNITS, "relu"), cr.Dense(1)], data, optimizer=cr.SGD(0.01), batch_size=size, epochs=1, seed=seed,
        test_fraction=0.0, runs=None,
    )  # fmt: skip


def _times(seconds: dict[int, float], runs: dict[int, cr.Run]) -> Told:
    per_row = {size: MICROSECONDS * value / ROWS for size, value in seconds.items()}
    won = [power for power in POWERS if per_row[power] < min(per_row[power - 1], per_row[power + 1])]
    gains = {power: min(per_row[power - 1], per_row[power + 1]) / per_row[power] - 1 for power in POWERS}
    best = max(gains, key=lambda power: gains[power])
    fastest = min(per_row, key=per_row.__getitem__)
    backend = next(iter(runs.values())).checkpoint.backend
    return (
        say("Batch sizes are often powers of two, and the reason given is that memory counts in twos. Here is one "
            "epoch of ", ROWS, " rows at such sizes and at their neighbors, one less and one more; of ", ROUNDS,
            " rounds the quickest counts. These times are of this machine and this moment; the backend was ", backend,
            "."),
        table(("batch size", *(Column(what, "µs a row", style=THREE) for what in ("one less", "itself", "one more"))),
              [(str(power), per_row[power - 1], per_row[power], per_row[power + 1]) for power in POWERS], name="times"),
        curves("Time a row by batch size",
               {"time a row": ([float(size) for size in SIZES], [per_row[size] for size in SIZES])},
               x="batch size", y="µs", logarithmic_x=True),
        measured("powers", len(won), " of ", len(POWERS), " powers of two were quicker here than both neighbors",
                 *((", most of all ", best, ", by ", 100 * gains[best], "%") if won else ()),
                 won=won, microseconds={str(size): value for size, value in per_row.items()}),
        measured("larger", "the quickest of all was ", fastest, ", with ", per_row[fastest], " µs a row; ", SIZES[0],
                 " took ", per_row[SIZES[0]] / per_row[fastest], " times as long: what an update costs by itself is "
                 "shared by more rows", fastest=fastest),
    )  # fmt: skip


def _updates(runs: dict[int, cr.Run]) -> Told:
    """What a quick epoch does not tell: how far it came."""
    steps = {size: run.step for size, run in runs.items()}
    losses = {size: run.history["loss"][0] for size, run in runs.items()}
    small, large = SIZES[0], SIZES[-1]
    return (
        part("A quick epoch is not a quick descent"),
        claim("updates", "batches of ", small, " make ", steps[small], " updates of ", ROWS, " rows, batches of "
              "", large,
              " make ", steps[large], "; the mean loss over the epoch was ", losses[small], " and ", losses[large],
              holds=all(step == -(-ROWS // size) for size, step in steps.items()) and losses[small] < losses[large],
              small=steps[small], large=steps[large]),
    )  # fmt: skip


def _cut(seed: int) -> Told:
    rows, size = CUT
    x = normal(seed, Purpose.GENERATE, 1, (rows, FEATURES))
    seen: list[int] = []

    def listen(event: object) -> None:
        if isinstance(event, cr.SliceDone):
            seen.append(event.samples)

    run = cr.train(
        [cr.Dense(1)], cr.load((x, x[:, :1])), optimizer=cr.SGD(0.01), batch_size=size, epochs=1, seed=seed,
        test_fraction=0.0, runs=None, listeners=(listen,),
    )  # fmt: skip
    last = rows - (run.step - 1) * size
    return (
        part("A size that does not divide the rows"),
        say("Nothing needs to divide anything. The rows that are left over make a last, smaller batch, and it counts."),
        claim("cut", rows, " rows in batches of ", size, " made ", run.step, " updates: ", run.step - 1, " of ", size,
              " and one of ", last, "; all ", sum(seen), " rows were seen",
              holds=run.step == math.ceil(rows / size) and 0 < last <= size and sum(seen) == rows, updates=run.step,
              last=last),
    )  # fmt: skip


LESSON: Final = Lesson(
    name="batch-sizes",
    title="Batch sizes",
    question="Are powers of two faster, and what about rows left over?",
    teach=teach,
)
