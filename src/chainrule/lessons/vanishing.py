"""Vanishing gradients: factors of at most a quarter, multiplied up."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Final

import numpy as np

import chainrule as cr
from chainrule.document import Power as Raised
from chainrule.document import call as applied
from chainrule.document import equals, juxtaposed, minus, symbol
from chainrule.document import number as numeral
from chainrule.lessons.probing import probe
from chainrule.lessons.taught import Lesson, Told
from chainrule.lessons.writing import PERCENT, claim, curves, formulas, part, say, shown, table

DEPTH: Final = 10
UNITS: Final = 16
EPOCHS: Final = 5
QUARTER: Final = 0.25
GUESS: Final = math.log(10)  # the loss of ten equal guesses, in nats


def teach(seed: int) -> Told:
    """The slope of the sigmoid, a chain of ten, a network of ten layers, and what training makes of it."""
    return (*_slope(), *_chain(), *_digits(seed), *_trained(seed))


def _slope() -> Told:
    z = cr.expr.variable("z", "float64")
    sigmoid = cr.activations.sigmoid(z)
    slope = cr.gradient(sigmoid, z)
    places = np.linspace(-8.0, 8.0, 161).tolist()
    heights, slopes = ([float(cr.evaluate(each, z=place)) for place in places] for each in (sigmoid, slope))
    steepest = int(np.argmax(slopes))
    sigma = applied("σ", symbol("z"))
    return (
        say("Backpropagation multiplies one slope of an activation for every layer it passes. This is the slope of the "
            "sigmoid."),
        formulas(equals(symbol("σ′"), juxtaposed(sigma, minus(numeral(1), sigma)))),
        curves("The sigmoid and its slope", {"σ": (places, heights), "σ′": (places, slopes)},
               x="z"),
        claim("quarter", "over z from ", places[0], " to ", places[-1], " the slope is largest at z = ",
              places[steepest], ", where it is ", slopes[steepest], ": a quarter, not a half",
              holds=slopes[steepest] == QUARTER and abs(places[steepest]) < 1e-9,
              largest=slopes[steepest], at=places[steepest]),
    )  # fmt: skip


def _chain() -> Told:
    """Ten units in a row, each weight 1: nothing but the slopes shrinks what flows back."""
    layers = [cr.Dense(1, "sigmoid") for _ in range(DEPTH)]
    weights = {
        f"dense_{k}.{what}": value for k in range(1, DEPTH + 1) for what, value in (("W", [[1.0]]), ("b", [0.0]))
    }
    data = cr.load((np.array([[1.0]]), np.array([[0.0]])))
    found = probe(layers, data, 0, weights=weights, loss="mse", scale_features="none")
    deltas = [float(found.gradients[f"dense_{k}.b"][0]) for k in range(1, DEPTH + 1)]
    outer = 2 * float(found.run.at(0).predict([[1.0]])[0])
    factors = [*(lower / upper for lower, upper in pairwise(deltas)), deltas[-1] / outer]
    whole, most = deltas[0] / outer, QUARTER**DEPTH
    return (
        part("A chain of ten"),
        say("Ten sigmoid units in a row, each with weight 1 and bias 0, one sample. With weights of 1 only the slopes "
            "are multiplied. δ is ∂L/∂z of the unit; each factor is what one more unit on the way back does to it."),
        table(("unit", "δ", "factor σ′(z)"), [(str(k + 1), deltas[k], factors[k]) for k in reversed(range(DEPTH))],
              name="chain"),
        claim("factors", "all ", DEPTH, " factors are below a quarter, the largest is ", max(factors),
              holds=max(factors) <= QUARTER, factors=factors),
        formulas(equals(Raised(numeral(QUARTER), numeral(DEPTH)), numeral(most, 3))),
        claim("product", "their product is ", whole, "; ten quarters, the best case, would be ", most,
              holds=whole <= most and math.isclose(whole, math.prod(factors), rel_tol=1e-9), product=whole, bound=most),
    )  # fmt: skip


def _network(activation: str) -> list[cr.Dense]:
    kernel = "he_uniform" if activation == "relu" else "glorot_uniform"
    hidden = [cr.Dense(UNITS, activation, kernel_initializer=kernel) for _ in range(DEPTH)]
    return [*hidden, cr.Dense(10)]


def _digits(seed: int) -> Told:
    """The sizes of all layers' gradients before the first step."""
    digits = cr.load("digits")
    sizes = {
        activation: [found.size(f"dense_{k}.W") for k in range(1, DEPTH + 2)]
        for activation in ("sigmoid", "relu")
        for found in (probe(_network(activation), digits, seed),)
    }
    shrinks = {name: values[-1] / values[0] for name, values in sizes.items()}
    layers = list(range(1, DEPTH + 2))
    return (
        part("Ten layers on digits"),
        say("The same for a real network: ", DEPTH, " hidden layers of ", UNITS, " units on the handwritten digits, "
            "drawn as is customary, before any step. This is the size of the gradient in each layer."),
        curves("Size of the gradient by layer", {name: (layers, values) for name, values in sizes.items()},
               x="layer", y="‖∂L/∂W‖", logarithmic=True),
        claim("shrinks", "the first layer's gradient is ", 1 / shrinks["sigmoid"], " times the last one's with "
              "sigmoids, and ", 1 / shrinks["relu"], " times with ReLU",
              holds=shrinks["sigmoid"] > 1e4 and shrinks["relu"] < 1e2, sigmoid=shrinks["sigmoid"],
              relu=shrinks["relu"]),
    )  # fmt: skip


def _trained(seed: int) -> Told:
    runs = {
        name: cr.train(_network(name), cr.load("digits"), epochs=EPOCHS, seed=seed, runs=None)
        for name in ("sigmoid", "relu")
    }
    losses = {name: run.history["loss"] for name, run in runs.items()}
    scores = {name: (run.test or {})["accuracy"] for name, run in runs.items()}
    epochs = list(range(1, EPOCHS + 1))
    return (
        part("What training makes of it"),
        curves("Loss by epoch", {name: (epochs, values) for name, values in losses.items()},
               x="epoch", y="loss"),
        claim("stuck", "after ", EPOCHS, " epochs the sigmoid network's loss is ", losses["sigmoid"][-1], "; ten equal "
              "guesses have log 10 = ", GUESS, ". With ReLU it is ", losses["relu"][-1],
              holds=abs(losses["sigmoid"][-1] - GUESS) < 0.05 and losses["relu"][-1] < GUESS / 2,
              sigmoid=losses["sigmoid"][-1], relu=losses["relu"][-1]),
        claim("accuracy", "of the digits held out, the sigmoid network gets ", shown(scores["sigmoid"], PERCENT),
              " right, and the ReLU network ", shown(scores["relu"], PERCENT),
              holds=scores["sigmoid"] < 0.3 and scores["relu"] > 0.6, **scores),
    )  # fmt: skip


LESSON: Final = Lesson(
    name="vanishing", title="Vanishing gradients", question="Why do deep stacks of sigmoids stop learning?", teach=teach
)
