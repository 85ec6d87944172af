"""Nudges: what each sample of a batch wants of each weight, and what comes of it on average."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

import chainrule as cr
from chainrule.document import Fraction, Product, Sum, equals, find, negative, partial, symbol
from chainrule.document import number as numeral
from chainrule.lessons.probing import pixels, probe
from chainrule.lessons.taught import Lesson, Told
from chainrule.lessons.writing import claim, formulas, opened, part, say, table

UNITS: Final = 16
EPOCHS: Final = 2
SHOWN: Final = 6
BATCH: Final = 32
RATES: Final = (0.0001, 0.001, 0.01, 0.1)
BOUND: Final = 1e-12  # of the mean |nudge|: rounding of a sum of float64 products stays far below
UNIT: Final = 2  # of the last layer: the one for the digit 2
SAMPLE: Final = 2  # which is a 2


def network() -> list[cr.Dense]:
    """64-16-16-10, for the 8 × 8 digits."""
    return [*(cr.Dense(UNITS, "relu", kernel_initializer="he_uniform") for _ in range(2)), cr.Dense(10)]


def teach(seed: int) -> Told:
    """Ask six digits, take the step that a batch agrees on, and look at the three ways to change one activation."""
    run = cr.train(
        network(), pixels(), epochs=EPOCHS, seed=seed, dtype="float64", scale_features="none", test_fraction=0.0,
        runs=None,
    )  # fmt: skip
    return (*_six(run), *_step(run, seed), *_three_ways(run))


def _six(run: cr.Run) -> Told:
    page = run.nudges(top=5, samples=range(SHOWN))
    weights: Any = page.data["weights"]  # Any: plain JSON values
    nudges = np.array([each["nudges"] for each in weights])
    averages, gradients = (np.array([each[key] for each in weights]) for key in ("average", "gradient"))
    sizes = np.mean(np.abs(nudges), axis=1)
    off = float(np.max(np.abs(nudges.mean(axis=1) + gradients) / sizes))
    split = int(np.sum((nudges > 0).any(axis=1) & (nudges < 0).any(axis=1)))
    loud = int(np.argmax(np.max(np.abs(nudges), axis=1) / np.abs(averages)))
    loss, w = symbol("L"), symbol("w")
    mean = Product(
        (Fraction(numeral(1), symbol("N")), Sum(negative(partial(symbol("ℓ", "n"), w)), symbol("n"))), "space"
    )
    return (
        say("A network of 64 inputs, two layers of ", UNITS, " units and 10 outputs has seen the digits ", EPOCHS,
            " times. Now six images are put to it, and each is asked: what should this weight do, so that my own loss "
            "falls? The answer is a nudge: minus the derivative of the sample's own loss."),
        *opened(page, "table"),
        claim("split", "of these ", len(weights), " weights, ", split, " are pulled both ways by the six images",
              holds=split > 0, split=split),
        formulas(equals(negative(partial(loss, w)), mean)),
        claim("average", "the average of the nudges is minus the derivative of the mean loss, which differentiation "
              "finds by itself: off by at most ", off, " of the size of the nudges", holds=off < BOUND, off=off),
        claim("loud", "an average hides who spoke: for ", weights[loud]["weight"], " one image alone asks for ",
              float(np.max(np.abs(nudges[loud]))), ", and the average is ", float(averages[loud]),
              holds=bool(np.max(np.abs(nudges[loud])) > abs(averages[loud]))),
    )  # fmt: skip


def _step(run: cr.Run, seed: int) -> Told:
    """One step along the average of a batch, at rates from tiny to ordinary."""
    batch = pixels(BATCH)
    found = probe(network(), batch, seed, weights=run.weights, scale_features="none")
    steepness = sum(found.size(name) ** 2 for name in found.gradients)
    taken = {rate: _one_step(run, batch, rate, seed) for rate in RATES}
    drops = {rate: found.loss - float(np.mean(losses)) for rate, losses in taken.items()}
    before, rate = _losses(run, batch), RATES[-2]
    worse = int(np.sum(taken[rate] > before))
    ratio = drops[RATES[0]] / (RATES[0] * steepness)
    return (
        part("The step that they agree on"),
        say("A batch of ", BATCH, " images: all weights move by η times the average of the nudges. For a step so small "
            "that the slopes stay what they are, the mean loss falls by η ‖∇L‖²."),
        table(("η", "the loss falls by", "η ‖∇L‖²", "images whose own loss rises"),
              [(f"{rate:g}", drops[rate], rate * steepness, int(np.sum(taken[rate] > before))) for rate in RATES],
              name="steps"),
        claim("falls", "the step with η = ", RATES[0], " lowers the mean loss by ", ratio, " times what the "
              "slopes promise, that with η = ", RATES[-1], " by only ", drops[RATES[-1]] / (RATES[-1] * steepness),
              holds=abs(ratio - 1) < 0.01 and abs(drops[RATES[-1]] / (RATES[-1] * steepness) - 1) > abs(ratio - 1),
              ratio=ratio),
        claim("outvoted", "it is a step for the average, not for everybody: with η = ", rate, " the mean loss falls, "
              "and the loss of ", worse, " of ", BATCH, " images rises", holds=drops[rate] > 0 and 0 < worse < BATCH,
              worse=worse),
    )  # fmt: skip


def _one_step(run: cr.Run, batch: cr.Dataset, rate: float, seed: int) -> npt.NDArray[np.float64]:
    """The loss of every image after one step of the whole batch."""
    stepped = cr.train(
        network(), batch, optimizer=cr.SGD(rate), batch_size=batch.row_count, epochs=1, seed=seed, weights=run.weights,
        dtype="float64", scale_features="none", test_fraction=0.0, runs=None,
    )  # fmt: skip
    return _losses(stepped, batch)


def _losses(run: cr.Run, batch: cr.Dataset) -> npt.NDArray[np.float64]:
    """−log of the probability that each image's own class is given, (n,)."""
    return -np.log(run.predict_proba(batch.x)[np.arange(batch.row_count), batch.y])


def _three_ways(run: cr.Run) -> Told:
    page = run.nudges(unit=f"dense_3[{UNIT}]", samples=[SAMPLE])
    ways: Any = find(page.document, "three ways").data  # Any: plain JSON values
    asked: Any = run.nudges([f"dense_3.W[{i}, {UNIT}]" for i in range(UNITS)], samples=[SAMPLE]).data["weights"]
    wished, proportional = np.array([each["average"] for each in asked]), np.array(ways["weights"])
    off = float(np.max(np.abs(wished - proportional)))
    silent = int(np.count_nonzero(proportional == 0))
    return (
        part("Three ways to change one activation"),
        say("Sample ", SAMPLE, " is a 2, and wants more of output ", UNIT, ". Its bias can move; its weights can, each "
            "in proportion to the activation it carries; and the activations before it could, each in proportion to "
            "its weight: these cannot be set, so the wish is handed back a layer. That is backpropagation."),
        *opened(page, "three ways"),
        claim("proportion", "differentiation finds for each of the ", UNITS, " weights just this, −δ times the "
              "activation it carries, off by at most ", off, "; ", silent, " units are silent, and their weights are "
              "asked for nothing", holds=off < BOUND and np.count_nonzero(wished == 0) == silent, off=off,
              silent=silent),
    )  # fmt: skip


LESSON: Final = Lesson(
    name="nudges",
    title="Nudges",
    question="What does each image want of each weight, and who decides?",
    teach=teach,
)
