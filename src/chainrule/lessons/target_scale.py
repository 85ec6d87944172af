"""The scale of the target: ten thousand cannot come out of a sigmoid."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

import chainrule as cr
from chainrule.document import Call, Column, relation, symbol
from chainrule.document import number as numeral
from chainrule.draws import Purpose, uniform
from chainrule.lessons.probing import probe
from chainrule.lessons.taught import Lesson, Told
from chainrule.lessons.writing import FOUR, claim, formulas, part, say, table

ROWS: Final = 200
HIDDEN: Final = 8
EPOCHS: Final = 60
TYPICAL: Final = 10_000.0


def teach(seed: int) -> Told:
    """The same numbers to predict, by three outputs."""
    data = _houses(seed)
    return (*_sigmoid(data, seed), *_three(data, seed))


def _houses(seed: int) -> cr.Dataset:
    """Two features from 0 to 1, and a target around 10,000 that follows from them."""
    x = uniform(seed, Purpose.GENERATE, 0, (ROWS, 2))
    return cr.load((x, (TYPICAL * (0.5 + 0.8 * x[:, 0] + 0.4 * x[:, 1] ** 2))[:, None]))


def _network(output: str) -> list[cr.Dense]:
    return [cr.Dense(HIDDEN, "tanh"), cr.Dense(1, output)]


def _train(data: cr.Dataset, output: str, targets: Any, seed: int) -> cr.Run:  # Any: the names that cr.train takes
    return cr.train(
        _network(output), data, loss="mse", optimizer=cr.Adam(0.03), epochs=EPOCHS, seed=seed, scale_targets=targets,
        test_fraction=0.0, dtype="float64", runs=None,
    )  # fmt: skip


def _sigmoid(data: cr.Dataset, seed: int) -> Told:
    run = _train(data, "sigmoid", "none", seed)
    said = run.predict(data.x)
    losses = run.history["loss"]
    best = float(np.mean((data.y - 1.0) ** 2))
    slopes = said * (1 - said)
    start = probe(_network("sigmoid"), data, seed, loss="mse").size("dense_1.W")
    end = probe(_network("sigmoid"), data, seed, loss="mse", weights=run.weights).size("dense_1.W")
    return (
        say("A network shall say numbers of about ", TYPICAL, ", and its last layer is a sigmoid. Nothing is wrong "
            "with the data, nothing with the network, nothing with the loss: they contradict each other."),
        formulas(relation(Call(symbol("σ"), (symbol("z"),)), "<", numeral(1))),
        claim("below", "after ", EPOCHS, " epochs the largest number it says is ", float(said.max()), ", the smallest "
              "target is ", float(data.y.min()), holds=bool(said.max() <= 1 < data.y.min()), said=float(said.max()),
              smallest_target=float(data.y.min())),
        claim("floor", "its loss is ", losses[-1], "; a network that says 1 every time, the most a sigmoid comes to, "
              "has ", best, ", so no training can go below", holds=losses[-1] >= best * (1 - 1e-12), loss=losses[-1],
              best=best),
        claim("flat", "it pushes as far as it can, and loses its slope: σ′ is at most ", float(slopes.max()),
              " at the end, and the first layer's gradient has shrunk from ", start, " to ", end,
              holds=end < start / 100, start=start, end=end),
    )  # fmt: skip


def _three(data: cr.Dataset, seed: int) -> Told:
    ways = {
        "sigmoid, targets as they are": ("sigmoid", "none"),
        "linear, targets as they are": ("linear", "none"),
        "linear, targets standardized": ("linear", "standardize"),
        "sigmoid, targets from 0 to 1": ("sigmoid", "minmax"),
    }
    runs = {name: _train(data, *way, seed) for name, way in ways.items()}
    scores = {name: run.evaluate(data).metrics for name, run in runs.items()}
    r2 = {name: score["r2"] for name, score in scores.items()}
    fitting, sigmoid = r2["linear, targets standardized"], r2["sigmoid, targets as they are"]
    return (
        part("Output and target that fit"),
        say("For numbers: a linear output, which has no ceiling, and targets that are scaled for training and scaled "
            "back in every prediction. A sigmoid fits targets from 0 to 1. r² is the share of the variance explained; "
            "rmse is in the target's own units."),
        table(("output", Column("rmse", style=FOUR), Column("r²", style=FOUR)),
              [(name, score["rmse"], score["r2"]) for name, score in scores.items()], name="ways"),
        claim("fits", "with a linear output and standardized targets r² is ", fitting, ", with the sigmoid and targets "
              "as they are ", sigmoid, holds=fitting > 0.95 and sigmoid < 0, linear=fitting, sigmoid=sigmoid),
        claim("scaled", "both are needed: a linear output that has to climb to ", TYPICAL, " from 0 is at an r² of ",
              r2["linear, targets as they are"], " after as many epochs; a sigmoid whose targets lie from 0 to 1 is "
                  "at ",
              r2["sigmoid, targets from 0 to 1"],
              holds=r2["linear, targets as they are"] < fitting and r2["sigmoid, targets from 0 to 1"] > 0.9,
              linear=r2["linear, targets as they are"], sigmoid=r2["sigmoid, targets from 0 to 1"]),
    )  # fmt: skip


LESSON: Final = Lesson(
    name="target-scale",
    title="The scale of the target",
    question="Can a sigmoid say 10,000?",
    teach=teach,
)
