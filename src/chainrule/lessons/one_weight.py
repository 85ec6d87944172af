"""One weight: what gradient descent does to a single number, every step of it."""

from __future__ import annotations

from itertools import pairwise
from typing import Final

import numpy as np

import chainrule as cr
from chainrule.document import Code, Column, equals, juxtaposed, minus, symbol
from chainrule.document import Power as Raised
from chainrule.document import number as numeral
from chainrule.lessons.taught import Lesson, Told
from chainrule.lessons.writing import EXACT, claim, curves, formulas, opened, part, say, table

X: Final = 1.2
TARGET: Final = 0.4
START: Final = 0.7
RATE: Final = 0.1
STEPS: Final = 11
ROUNDING: Final = 1e-14  # eleven steps of float64 arithmetic near 1 stay far below


def teach(seed: int) -> Told:
    """Train the one weight, open its first gradient, trace it, and look at the loss over w."""
    run = _train(cr.load("one_weight"), seed)
    first = run.explain("dense_1.W[0, 0]", sample=0, at="start")
    weights = np.array([float(run.at(step).weights["dense_1.W"][0, 0]) for step in range(STEPS + 1)])
    outputs = [float(run.at(step).predict([[X]])[0]) for step in range(STEPS)]
    losses = run.history["loss"]
    best, factor = TARGET / X, 1 - 2 * RATE * X * X
    predicted = best + factor ** np.arange(STEPS + 1) * (START - best)
    off = float(np.max(np.abs(weights - predicted)))
    shrinks = [after / before for before, after in pairwise(losses)]
    mistaken = _train(cr.load((np.array([[X]]), np.array([[START]]))), seed).history["loss"][0]
    y_hat, x, w, y = (symbol(name) for name in "ŷxwy")
    return (
        say("The smallest network there is: one input, one weight, no bias, no activation. The prediction is compared "
            "with the target, and the difference squared is the loss."),
        formulas(
            equals(y_hat, juxtaposed(x, w), numeral(X * START)),
            equals(symbol("L"), Raised(minus(y_hat, y), numeral(2)), numeral(losses[0])),
        ),
        say("Here x = ", X, ", the weight begins at w = ", START, ", the target is y = ", TARGET, ", and the learning "
            "rate is η = ", RATE, "."),
        claim("target", "with the target ", TARGET, " the first loss is ", losses[0], ". A table of this example that "
              "calls ", START, " the desired output is mistaken, it is the initial weight: with the target ", START,
              " the loss would begin at ", mistaken,
              holds=abs(losses[0] - (X * START - TARGET) ** 2) < ROUNDING and abs(mistaken - losses[0]) > 0.1,
              first_loss=losses[0], first_loss_with_other_target=mistaken),
        part("The chain"),
        say("The loss depends on the output, and the output on the weight. The chain rule multiplies the two slopes."),
        *opened(first, "chain", "steps", "gradient", "update", "witnesses"),
        part("Eleven steps"),
        say("Each row holds the loss and the output before the step, and the weight after it."),
        table(
            (Column("step", heading=True), *(Column(name, style=EXACT) for name in ("loss", "weight", "output"))),
            [(k + 1, losses[k], float(weights[k + 1]), outputs[k]) for k in range(STEPS)],
            name="trace",
        ),
        claim("falls", "the loss falls at each of ", STEPS, " steps, from ", losses[0], " to ", losses[-1],
              holds=all(shrink < 1 for shrink in shrinks), losses=losses),
        claim("factor", "each step leaves 1 − 2 η x² = ", factor, " of the distance to the best weight, so the weight "
              "after k steps can be written down at once, and is off by at most ", off,
              holds=off < ROUNDING, factor=factor, off=off),
        part("The loss over the weight"),
        *_curve(best, run),
    )  # fmt: skip


def _train(data: cr.Dataset, seed: int) -> cr.Run:
    return cr.train(
        [cr.Dense(1, use_bias=False)], data, loss="mse", optimizer=cr.SGD(RATE), epochs=STEPS, seed=seed,
        weights={"dense_1.W": [[START]]}, dtype="float64", scale_features="none", scale_targets="none",
        test_fraction=0.0, runs=None,
    )  # fmt: skip


def _curve(best: float, run: cr.Run) -> Told:
    """The loss and its derivative as formulas of w, and where they meet."""
    w = cr.expr.variable("w", "float64")
    loss = (X * w - TARGET) ** 2
    slope = cr.gradient(loss, w)
    places = np.linspace(best - 0.6, best + 0.6, 48).tolist()
    heights, slopes = ([float(cr.evaluate(each, w=place)) for place in places] for each in (loss, slope))
    lowest, level = float(cr.evaluate(loss, w=best)), float(cr.evaluate(slope, w=best))
    last = float(run.weights["dense_1.W"][0, 0])
    signs = [value > 0 for value in slopes]
    return (
        say("The same loss as a formula of w, and its derivative, which ", Code("cr.gradient"), " takes from it."),
        curves("Loss and derivative over w", {"loss": (places, heights), "derivative": (places, slopes)},
               x="w"),
        claim("minimum", "at w = y / x = ", best, " the derivative is 0 and the loss is smallest; left of it the slope "
              "is negative, right of it positive, so a step against the slope leads there from both sides",
              holds=abs(level) < ROUNDING and lowest <= min(heights) and signs == [p > best for p in places],
              w=best, loss=lowest, derivative=level),
        claim("approach", "after ", STEPS, " steps the weight is ", last, ", ", abs(last - best), " from the minimum; "
              "it came from above and never passed it", holds=best < last < START, weight=last),
    )  # fmt: skip


LESSON: Final = Lesson(
    name="one-weight", title="One weight", question="What does gradient descent do to a single number?", teach=teach
)
