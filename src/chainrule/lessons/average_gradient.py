"""Average the gradient, not the error: what goes wrong when errors are averaged before they are multiplied."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

import chainrule as cr
from chainrule.document import (
    Fraction,
    Parentheses,
    Product,
    Sum,
    equals,
    juxtaposed,
    minus,
    partial,
    relation,
    symbol,
    times,
)
from chainrule.document import number as numeral
from chainrule.lessons.nudges import network
from chainrule.lessons.probing import pixels, probe
from chainrule.lessons.taught import Lesson, Told
from chainrule.lessons.writing import claim, curves, formulas, opened, part, say, table

COUNT: Final = 21
SLOPE: Final = 2.0
EPOCHS: Final = 40
RATE: Final = 0.2
WEIGHTS: Final = 8
BATCH: Final = 32
BOUND: Final = 1e-12


def teach(seed: int) -> Told:
    """The formula, a line that can only be learned in the right order, and the loudest weights of a digit network."""
    return (*_formula(), *_line(seed), *_digits(seed))


def _formula() -> Told:
    y_hat, y, x, w = symbol("ŷ", "n"), symbol("y", "n"), symbol("x", "n"), symbol("w")
    mean = Fraction(numeral(1), symbol("N"))
    error = minus(y_hat, y)
    own = Product((mean, Sum(juxtaposed(error, x), symbol("n"))), "space")
    mixed = times(*(Parentheses(Product((mean, Sum(each, symbol("n"))), "space")) for each in (error, x)))
    return (
        say("Every sample has its own error ŷₙ − yₙ, and its own input xₙ which it is multiplied with on the way to "
            "the weight. The gradient of the mean loss is the mean of these products. It is not the product of the "
            "means."),
        formulas(equals(partial(symbol("L"), w), own), relation(partial(symbol("L"), w), "≠", mixed)),
    )  # fmt: skip


def _line(seed: int) -> Told:
    """y = 2 x on both sides of 0: both means are 0 while every error is not."""
    x = np.linspace(-1.0, 1.0, COUNT)[:, None]
    y = SLOPE * x
    whole, means = cr.load((x, y)), cr.load((x.mean(axis=0, keepdims=True), y.mean(axis=0, keepdims=True)))
    right, wrong = (_fit(data, seed) for data in (whole, means))
    start = float(right.at(0).weights["dense_1.W"][0, 0])
    slopes = {
        "gradients averaged": [float(right.at(step).weights["dense_1.W"][0, 0]) for step in range(0, EPOCHS + 1, 2)],
        "errors averaged": [float(wrong.at(step).weights["dense_1.W"][0, 0]) for step in range(0, EPOCHS + 1, 2)],
    }
    found = probe([cr.Dense(1)], whole, seed, weights=right.at(0).weights, loss="half_squared_error",
                  scale_features="none")  # fmt: skip
    errors = right.at(0).predict(x) - y[:, 0]
    mixed = float(errors.mean() * x.mean())
    gradient = float(found.gradients["dense_1.W"][0, 0])
    end, stuck = slopes["gradients averaged"][-1], slopes["errors averaged"][-1]
    return (
        part("A line that errors cannot see"),
        say(COUNT, " points on y = ", SLOPE, " x, from −1 to 1, and one linear unit whose weight begins at ", start,
            ". Left of 0 the errors have one sign, right of it the other: they cancel. Their products with x do not. "
            "To average errors and inputs first is, for a linear unit, to train on one sample, the mean of all; so "
            "this is what the second network gets."),
        table(("", "mean error", "mean input", "their product", "∂L/∂w"),
              [("before the first step", float(errors.mean()), float(x.mean()), mixed, gradient)], name="line"),
        curves("The weight by step", {name: (list(range(0, EPOCHS + 1, 2)), values) for name, values in slopes.items()},
               x="step", y="w"),
        claim("learned", "with gradients averaged the weight goes from ", start, " to ", end, ", the slope is ", SLOPE,
              holds=abs(end - SLOPE) < 0.1 * abs(start - SLOPE), start=start, end=end),
        claim("stuck", "with errors averaged first it stays at ", stuck, " through all ", EPOCHS, " steps: both means "
              "are 0, to rounding, and so is their product",
              holds=abs(stuck - start) < BOUND, end=stuck),
    )  # fmt: skip


def _fit(data: cr.Dataset, seed: int) -> cr.Run:
    return cr.train(
        [cr.Dense(1)], data, loss="half_squared_error", optimizer=cr.SGD(RATE), batch_size=data.row_count,
        epochs=EPOCHS, seed=seed, dtype="float64", scale_features="none", scale_targets="none", test_fraction=0.0,
        runs=None,
    )  # fmt: skip


def _digits(seed: int) -> Told:
    run = cr.train(
        network(), pixels(), epochs=2, seed=seed, dtype="float64", scale_features="none", test_fraction=0.0, runs=None
    )
    page = run.nudges(layer="dense_1.W", top=WEIGHTS, samples=range(BATCH))
    weights: Any = page.data["weights"]  # Any: plain JSON values
    own, first = (np.array([each[key] for each in weights]) for key in ("average", "errors_first"))
    samples = np.array([each["nudges"] for each in weights])
    off = float(np.max(np.abs(samples.mean(axis=1) - own)))
    misses = np.abs(first / own - 1)
    return (
        part("On digits"),
        say("The loudest weights of the first layer on a batch of ", BATCH, " images."),
        *opened(page, "errors first"),
        claim("mean", "the mean of the images' own gradients is the batch gradient, off by at most ", off,
              holds=off < BOUND, off=off),
        claim("misses", "averaging δ and a first misses by ", float(misses.min()), " to ", float(misses.max()),
              " times the gradient", holds=bool(misses.max() > 0.1), misses=misses.tolist()),
    )  # fmt: skip


LESSON: Final = Lesson(
    name="average-gradient",
    title="Average the gradient, not the error",
    question="May errors be averaged before they are multiplied?",
    teach=teach,
)
