"""The learning rate: too small, right, too large, on one weight where it can be computed, and on digits."""

from __future__ import annotations

from itertools import pairwise
from typing import Final

import chainrule as cr
from chainrule.document import Code, Fraction, Power, equals, juxtaposed, minus, symbol
from chainrule.document import number as numeral
from chainrule.errors import NonFiniteError
from chainrule.lessons.taught import Lesson, Told
from chainrule.lessons.writing import claim, curves, formulas, part, say, table

X: Final = 1.2
START: Final = 0.7
STEPS: Final = 12
BEST: Final = 0.5 / X**2  # leaves 1 − 2 η x² = 0 of the distance
EDGE: Final = 1.0 / X**2  # leaves −1 of it
RATES: Final = {"too small": 0.01, "small": 0.1, "right": BEST, "swings": 0.9 * EDGE, "too large": 1.1 * EDGE}
DIGITS_RATES: Final = (0.0001, 0.001, 0.01, 0.1, 1.0, 10.0)
EPOCHS: Final = 5


def teach(seed: int) -> Told:
    """One weight at five rates, then digits at six."""
    return (*_one_weight(), *_digits(seed))


def _one_weight() -> Told:
    losses = {name: _losses(rate) for name, rate in RATES.items()}
    factors = {name: 1 - 2 * rate * X**2 for name, rate in RATES.items()}
    falls = {name: values[1] / values[0] for name, values in losses.items()}
    eta, x = symbol("η"), symbol("x")
    return (
        say("The gradient says which way is down, and how steep it is here. How far to go is not in it: that is the "
            "learning rate η. On one weight, with L = (x w − y)², every step leaves the same share of the distance "
            "to the minimum."),
        formulas(equals(symbol("r"), minus(numeral(1), juxtaposed(numeral(2), eta, Power(x, numeral(2)))))),
        table(("rate", "η", "r", "loss at first", "after 1 step", f"after {STEPS - 1}"),
              [(name, RATES[name], factors[name], values[0], values[1], values[-1]) for name, values in losses.items()],
              name="rates"),
        claim("share", "at all ", len(RATES), " rates the first step leaves r² of the loss, which is a square: in "
              "the run as in the formula",
              holds=all(abs(falls[name] - factors[name] ** 2) < 1e-12 for name in RATES), shares=falls),
        claim("small", "with η = ", RATES["too small"], " a loss of ", losses["too small"][-1], " is left after ",
              STEPS - 1, " steps, ", losses["too small"][-1] / losses["small"][-1], " times as much as with η = ",
              RATES["small"], holds=losses["too small"][-1] > 10 * losses["small"][-1],
              too_small=losses["too small"][-1], small=losses["small"][-1]),
        formulas(equals(symbol("η", "best"), Fraction(numeral(1), juxtaposed(numeral(2), Power(x, numeral(2)))),
                        numeral(BEST))),
        claim("right", "with η = ", BEST, " the first step lands on the minimum: the loss is then ", losses["right"][1],
              holds=losses["right"][1] < 1e-30, loss=losses["right"][1]),
        claim("swings", "with η = ", RATES["swings"], ", just under 1 / x² = ", EDGE, ", r is negative: every step "
              "passes the minimum and lands on the other side, and the loss still falls, to ", losses["swings"][-1],
              holds=factors["swings"] < 0 and losses["swings"][-1] < losses["swings"][0], loss=losses["swings"][-1]),
        claim("large", "with η = ", RATES["too large"], ", just over it, every step lands farther away than it began, "
              "and the loss grows from ", losses["too large"][0], " to ", losses["too large"][-1],
              holds=_grows(losses["too large"]), first=losses["too large"][0], last=losses["too large"][-1]),
        curves("Loss by step", {f"{name}, η = {RATES[name]:.3g}": losses[name]
                                for name in ("too small", "small", "swings", "too large")},
               x="step", y="loss", logarithmic=True),
        say("This is a diverging step, and its remedy is a smaller rate. An exploding gradient is another thing, a "
            "product of many factors above 1, which is there before any step is taken: ",
            Code("chainrule lesson exploding"), "."),
    )  # fmt: skip


def _losses(rate: float) -> list[float]:
    run = cr.train(
        [cr.Dense(1, use_bias=False)], cr.load("one_weight"), loss="mse", optimizer=cr.SGD(rate), epochs=STEPS,
        weights={"dense_1.W": [[START]]}, dtype="float64", runs=None,
    )  # fmt: skip
    return run.history["loss"]


def _grows(values: list[float]) -> bool:
    return all(later > earlier for earlier, later in pairwise(values))


def _digits(seed: int) -> Told:
    found = {rate: _on_digits(rate, seed) for rate in DIGITS_RATES}
    finite = {rate: losses for rate, losses in found.items() if losses is not None}
    best = min(finite, key=lambda rate: finite[rate][-1])
    slowest, fastest = DIGITS_RATES[0], DIGITS_RATES[-1]
    ends = {f"{rate:g}": losses[-1] if losses else None for rate, losses in found.items()}
    return (
        part("On digits"),
        say("A network of two hidden layers has no such formula: its curve is another one in every direction and at "
            "every place. Rates are tried, each ten times the one before."),
        table(("η", "loss in epoch 1", f"in epoch {EPOCHS}"),
              [(f"{rate:g}", *((losses[0], losses[-1]) if losses else ("left the numbers", None)))
               for rate, losses in found.items()], name="digits"),
        curves("Loss by epoch", {f"η = {rate:g}": (list(range(1, EPOCHS + 1)), losses)
                                 for rate, losses in finite.items() if rate in (slowest, 0.01, best, 1.0)},
               x="epoch", y="loss", logarithmic=True),
        claim("between", "of these the best is η = ", best, ": smaller ones crawl (", finite[slowest][-1], " with ",
              slowest, "), larger ones overshoot (", finite.get(fastest, ["the loss left the numbers"])[-1], " with ",
              fastest, ")", holds=slowest < best < fastest, losses=ends, best=best),
    )  # fmt: skip


def _on_digits(rate: float, seed: int) -> list[float] | None:
    """The loss of every epoch; None where it left the numbers."""
    try:
        run = cr.train(None, cr.load("digits"), optimizer=cr.SGD(rate), epochs=EPOCHS, seed=seed, runs=None)
    except NonFiniteError:
        return None
    return run.history["loss"]


LESSON: Final = Lesson(
    name="learning-rate",
    title="The learning rate",
    question="How far should a step go?",
    teach=teach,
)
