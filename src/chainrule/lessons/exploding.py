"""Exploding gradients: factors above 1 multiplied up, before any step is taken."""

from __future__ import annotations

from itertools import pairwise
from typing import Final

import numpy as np

import chainrule as cr
from chainrule.document import Number, equals, times
from chainrule.document import number as numeral
from chainrule.errors import NonFiniteError
from chainrule.lessons.probing import Probe, Values, probe
from chainrule.lessons.taught import Lesson, Told
from chainrule.lessons.writing import COUNT, claim, curves, formulas, part, say, table

LONGEST: Final = 8
WEIGHT: Final = 10.0
DEPTH: Final = 10
UNITS: Final = 16
GAINS: Final = (0.5, 1.0, 2.0, 3.0)
RATE: Final = 0.05
EPOCHS: Final = 5


def teach(seed: int) -> Told:
    """A chain of weights of 10, a deep network drawn too large, and what a step makes of both."""
    return (*_chain(), *_digits(seed), *_diverging())


def _chain() -> Told:
    """Linear units in a row: the gradient of the first weight is the product of all that follow."""
    data = cr.load((np.array([[1.0]]), np.array([[0.0]])))
    lengths = list(range(1, LONGEST + 1))
    slopes = [_first_slope(length, data) for length in lengths]
    ratios = [longer / shorter for shorter, longer in pairwise(slopes)]
    return (
        say("Units in a row without activation, each with the weight 10. What the last one puts out moves by the "
            "product of the weights on the way when the first pre-activation moves by 1."),
        formulas(equals(times(*(numeral(WEIGHT, 2),) * 4), Number(WEIGHT**4, COUNT))),
        curves("How fast the output moves with the first unit", {"slope": (lengths, slopes)},
               x="units", y="∂a/∂z", logarithmic=True),
        claim("tenfold", "every unit more multiplies the slope by ", ratios[0], ": with ", LONGEST, " units it is ",
              slopes[-1], ", and no step has been taken yet",
              holds=all(abs(ratio / WEIGHT - 1) < 1e-9 for ratio in ratios), ratios=ratios, slope=slopes[-1]),
        say("In a recurrent network the same weight is met again at every moment of a sequence, so it is multiplied "
            "with itself: the chain is as long as the sequence."),
    )  # fmt: skip


def _first_slope(length: int, data: cr.Dataset) -> float:
    """∂a/∂z from the first unit to the last: δ of the first over the error 2 (a − y) at the end."""
    layers = [cr.Dense(1) for _ in range(length)]
    weights = {f"dense_{k}.W": [[WEIGHT]] for k in range(1, length + 1)}
    found = probe(layers, data, 0, weights=weights, loss="mse", scale_features="none")
    return float(found.gradients["dense_1.b"][0] / found.gradients[f"dense_{length}.b"][0])


def _network() -> list[cr.Dense]:
    hidden = [cr.Dense(UNITS, "relu", kernel_initializer="he_uniform") for _ in range(DEPTH)]
    return [*hidden, cr.Dense(10)]


def _digits(seed: int) -> Told:
    """One network of ten layers, its weights drawn and then made larger or smaller by one factor."""
    digits = cr.load("digits")
    drawn = probe(_network(), digits, seed)
    scaled = {gain: _enlarged(drawn, gain) for gain in GAINS}
    found = {gain: probe(_network(), digits, seed, weights=weights) for gain, weights in scaled.items()}
    sizes = {gain: each.size("dense_1.W") for gain, each in found.items()}
    ends = {gain: _loss_after(scaled[gain], seed) for gain in GAINS}
    growth = sizes[3.0] / sizes[1.0]
    return (
        part("Ten layers on digits"),
        say(DEPTH, " hidden layers of ", UNITS, " ReLU units, drawn as is customary (He), and then all weights times "
            "a factor. The loss and the size of the first layer's gradient are taken before any step; the last column "
            "is the loss after ", EPOCHS, " epochs of SGD with η = ", RATE, "."),
        table(("weights times", "loss before", "‖∂L/∂W¹‖", f"loss after {EPOCHS} epochs"),
              [(f"{gain:g}", found[gain].loss, sizes[gain], ends[gain] or "left the numbers") for gain in GAINS],
              name="gains"),
        claim("grows", "weights three times as large make the first layer's gradient ", growth, " times as large: "
              "3 is a factor in every layer that it passes", holds=growth > 3**5, growth=growth,
              sizes={f"{gain:g}": size for gain, size in sizes.items()}),
        claim("wrecks", "with weights three times as large ", _ending(ends[3.0]), "; with those as drawn ",
              _ending(ends[1.0]), holds=_is_better(ends[1.0], ends[3.0]), drawn=ends[1.0], threefold=ends[3.0]),
    )  # fmt: skip


def _enlarged(drawn: Probe, gain: float) -> dict[str, Values]:
    return {name: gain * value for name, value in drawn.weights.items() if name.endswith(".W")}


def _loss_after(weights: dict[str, Values], seed: int) -> float | None:
    """The loss of the last epoch; None where it left the numbers."""
    try:
        run = cr.train(_network(), cr.load("digits"), optimizer=cr.SGD(RATE), epochs=EPOCHS, seed=seed,
                       weights=weights, runs=None)  # fmt: skip
    except NonFiniteError:
        return None
    return run.history["loss"][-1]


def _ending(loss: float | None) -> str:
    return "the loss leaves the numbers in training" if loss is None else f"training ends at a loss of {loss:.3g}"


def _is_better(one: float | None, other: float | None) -> bool:
    return one is not None and (other is None or one < other / 2)


def _diverging() -> Told:
    """The other thing: one factor, a harmless gradient, and a step that is too large for it."""
    data = cr.load("one_weight")
    layers = [cr.Dense(1, use_bias=False)]
    at_first = probe(layers, data, 0, weights={"dense_1.W": [[0.7]]}, loss="mse")
    losses = {
        rate: cr.train(layers, data, loss="mse", optimizer=cr.SGD(rate), epochs=12, weights={"dense_1.W": [[0.7]]},
                       dtype="float64", runs=None).history["loss"]
        for rate in (0.1, 0.8)
    }  # fmt: skip
    gradient = float(at_first.gradients["dense_1.W"][0, 0])
    return (
        part("Not the same as a step that is too large"),
        say("A gradient explodes in the network, on the way back, whatever the learning rate. A step diverges on the "
            "way down: the gradient is harmless, and the learning rate too large for the curve. One weight, two "
            "rates."),
        curves("Loss by step", {f"η = {rate:g}": values for rate, values in losses.items()},
               x="step", y="loss", logarithmic=True),
        claim("diverges", "one weight has a gradient of ", gradient, " and nothing to multiply it with; with η = 0.1 "
              "its loss falls to ", losses[0.1][-1], ", with η = 0.8 it grows to ", losses[0.8][-1],
              holds=losses[0.1][-1] < losses[0.1][0] < losses[0.8][-1], gradient=gradient,
              small=losses[0.1][-1], large=losses[0.8][-1]),
        say("The remedies differ too. Against divergence: a smaller rate. Against explosion: weights drawn to fit "
            "their layer, gradients that are clipped, normalization, shorter ways back."),
    )  # fmt: skip


LESSON: Final = Lesson(
    name="exploding",
    title="Exploding gradients",
    question="What happens when every factor on the way back is larger than 1?",
    teach=teach,
)
