"""Why activations: layers without one multiply out to a single layer, however many they are."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

import chainrule as cr
from chainrule.document import Code
from chainrule.lessons.taught import Lesson, Told
from chainrule.lessons.writing import PERCENT, bars, claim, opened, part, say, shown

ROWS: Final = 400
UNITS: Final = 16
EPOCHS: Final = 60
BOUND: Final = 1e-12
BENT: Final = 0.05  # of the scores: what no linear map explains
NETWORKS: Final = {
    "1 layer": (),
    "4 layers, linear": ("linear",) * 3,
    "4 layers, tanh": ("tanh",) * 3,
    "4 layers, ReLU": ("relu",) * 3,
}


def teach(seed: int) -> Told:
    """Two moons, four networks; then the linear one multiplied out, and what prevents it in the one with ReLU."""
    moons = cr.load("moons", rows=ROWS, noise=0.1, seed=seed)
    runs = {name: _train(activations, moons, seed) for name, activations in NETWORKS.items()}
    collapsed = _collapsed(runs["4 layers, linear"], runs["1 layer"], moons)
    return (*_scores(runs), *collapsed, *_bent(runs["4 layers, ReLU"]))


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
              "instead of ", sizes["1 layer"], ", and get ", shown(linear, PERCENT), " right instead of ",
              shown(single, PERCENT),
              holds=abs(linear - single) <= 0.05, single=single, linear=linear),
        claim("bent", "with an activation between the same layers it is ", shown(bent["4 layers, tanh"], PERCENT),
              " with tanh and ", shown(bent["4 layers, ReLU"], PERCENT), " with ReLU",
              holds=min(bent.values()) > linear + 0.05, **bent),
    )  # fmt: skip


def _collapsed(run: cr.Run, single: cr.Run, moons: cr.Dataset) -> Told:
    """The layers multiplied out, and the map put in the place of the one layer."""
    page = run.collapse()
    one = cr.train(
        [cr.Dense(2)], moons, optimizer=cr.SGD(1e-300), epochs=1, scale_features="none", dtype="float64",
        weights={"dense_1.W": _numbers(page, "W"), "dense_1.b": _numbers(page, "b")}, runs=None,
    )  # fmt: skip
    off = float(np.max(np.abs(run.predict_proba(moons.x) - one.predict_proba(moons.x))))
    changed = float(np.max(np.abs(run.predict_proba(moons.x) - single.predict_proba(moons.x))))
    return (
        part("One layer in the place of four"),
        say("Without activations a layer multiplies by a matrix and adds a bias, and so does the next: the matrices "
            "can be multiplied once and for all. ", Code("run.collapse()"), " does it with the network's own graph."),
        *opened(page, "symbols", "numbers"),
        claim("same", "a network of one layer with this W and this b says the same as the trained one with four, for "
              "all ", ROWS, " points: its probabilities are off by at most ", off, holds=off < BOUND, off=off),
        claim("other", "it need not be the one layer that training found alone; between these two the probabilities "
              "differ by up to ", changed, holds=changed > off, differ=changed),
    )  # fmt: skip


def _bent(run: cr.Run) -> Told:
    """What stands between the matrices where there is an activation."""
    page = run.collapse()
    off, scale, unexplained = (_number(page, name) for name in ("off", "scale", "unexplained"))
    patterns, rows = (int(_number(page, name)) for name in ("patterns", "rows"))
    return (
        part("What an activation puts between them"),
        say("The network with ReLU has no such W. A change dx of the inputs still passes through every matrix, but "
            "between two of them it is multiplied by 1[z > 0], which is 1 for a unit that is on and 0 for one that is "
            "off, for the point at hand:"),
        *opened(page, "symbols"),
        claim("patterns", "the ", rows, " points of the training switch the units on and off in ", patterns,
              " patterns, each of them a linear map of its own: the map of one point misses the scores of another by "
              "up to ", off, ", where they reach ", scale, holds=patterns > 1 and off > BENT * scale, patterns=patterns,
              off=off),
        claim("unexplained", "the best single linear map for all of them leaves ", shown(unexplained, PERCENT), " of "
              "what the scores vary", holds=unexplained > BENT, unexplained=unexplained),
    )  # fmt: skip


def _numbers(page: cr.Page, name: str) -> npt.NDArray[np.float64]:
    return np.array(page.data[name], np.float64)


def _number(page: cr.Page, name: str) -> float:
    return float(_numbers(page, name))


LESSON: Final = Lesson(
    name="activations",
    title="Why activations",
    question="What is a deep network without them?",
    teach=teach,
)
