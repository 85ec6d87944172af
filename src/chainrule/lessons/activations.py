"""Why activations: layers without one multiply out to a single layer, however many they are."""

from __future__ import annotations

from functools import reduce
from typing import Final

import numpy as np

import chainrule as cr
from chainrule.document import equals, juxtaposed, plus, symbol
from chainrule.lessons.taught import Lesson, Told
from chainrule.lessons.writing import bars, claim, formulas, part, say, table

ROWS: Final = 400
UNITS: Final = 16
EPOCHS: Final = 60
BOUND: Final = 1e-12
NETWORKS: Final = {
    "1 layer": (),
    "4 layers, linear": ("linear",) * 3,
    "4 layers, tanh": ("tanh",) * 3,
    "4 layers, ReLU": ("relu",) * 3,
}


def teach(seed: int) -> Told:
    """Two moons, four networks; then the linear one multiplied out."""
    moons = cr.load("moons", rows=ROWS, noise=0.1, seed=seed)
    runs = {name: _train(activations, moons, seed) for name, activations in NETWORKS.items()}
    return (*_scores(runs), *_collapsed(runs["4 layers, linear"], runs["1 layer"], moons))


def _train(activations: tuple[str, ...], moons: cr.Dataset, seed: int) -> cr.Run:
    layers = [*(cr.Dense(UNITS, activation) for activation in activations), cr.Dense(2)]
    return cr.train(
        layers, moons, optimizer=cr.Adam(0.01), epochs=EPOCHS, seed=seed, scale_features="none", dtype="float64",
        runs=None,
    )  # fmt: skip


def _scores(runs: dict[str, cr.Run]) -> Told:
    scores = {name: (run.test or {})["accuracy"] for name, run in runs.items()}
    sizes = {name: sum(value.size for value in run.weights.values()) for name, run in runs.items()}
    single, linear = scores["1 layer"], scores["4 layers, linear"]
    bent = {name: scores[name] for name in ("4 layers, tanh", "4 layers, ReLU")}
    return (
        say(ROWS, " points in two half moons that reach into each other: no straight line parts them. Four networks "
            "are trained on them, and asked about the fifth of the points that was held out."),
        bars("Share of the held-out points that is right", scores),
        claim("linear", "three more layers without activation have ", sizes["4 layers, linear"], " weights and biases "
              "instead of ", sizes["1 layer"], ", and get ", linear, " right instead of ", single,
              holds=abs(linear - single) <= 0.05, single=single, linear=linear),
        claim("bent", "with an activation between the same layers it is ", bent["4 layers, tanh"], " with tanh and ",
              bent["4 layers, ReLU"], " with ReLU", holds=min(bent.values()) > linear + 0.05, **bent),
    )  # fmt: skip


def _collapsed(run: cr.Run, single: cr.Run, moons: cr.Dataset) -> Told:
    """The product of the four matrices, put in the place of the one layer."""
    weights = run.weights
    layers = [(weights[f"dense_{k}.W"], weights[f"dense_{k}.b"]) for k in range(1, len(weights) // 2 + 1)]
    product = reduce(np.matmul, (matrix for matrix, _ in layers))
    bias = reduce(lambda before, layer: before @ layer[0] + layer[1], layers, np.zeros(len(product)))
    one = cr.train(
        [cr.Dense(2)], moons, optimizer=cr.SGD(1e-300), epochs=1, scale_features="none", dtype="float64",
        weights={"dense_1.W": product, "dense_1.b": bias}, runs=None,
    )  # fmt: skip
    off = float(np.max(np.abs(run.predict_proba(moons.x) - one.predict_proba(moons.x))))
    changed = float(np.max(np.abs(run.predict_proba(moons.x) - single.predict_proba(moons.x))))
    z, x = symbol("z"), symbol("x")
    W = [symbol("W", None, k) for k in range(1, 5)]
    return (
        part("Multiplied out"),
        say("Without activations a layer multiplies by a matrix and adds a bias, and so does the next: the matrices "
            "can be multiplied once and for all."),
        formulas(equals(z, plus(juxtaposed(x, *W), symbol("b", "all")), plus(juxtaposed(x, symbol("W", "all")),
                                                                             symbol("b", "all")))),
        table(("W_all = W¹ W² W³ W⁴", "to output 0", "to output 1"),
              [(f"from x{i}", *map(float, row)) for i, row in enumerate(product)] + [("b_all", *map(float, bias))],
              name="product"),
        claim("same", "a network of one layer with this matrix and this bias says the same as the trained one with "
              "four, for all ", ROWS, " points: its probabilities are off by at most "
              "", off, holds=off < BOUND, off=off),
        claim("other", "it need not be the one layer that training found alone; between these two the probabilities "
              "differ by up to ", changed, holds=changed > off, differ=changed),
    )  # fmt: skip


LESSON: Final = Lesson(
    name="activations",
    title="Why activations",
    question="What is a deep network without them?",
    teach=teach,
)
