"""Unscaled inputs: age beside salary, and one learning rate for both."""

from __future__ import annotations

from typing import Final, Literal

import numpy as np

import chainrule as cr
from chainrule.document import Symbol, equals, juxtaposed, partial, symbol
from chainrule.draws import Purpose, normal, uniform
from chainrule.errors import NonFiniteError
from chainrule.lessons.probing import probe
from chainrule.lessons.taught import Lesson, Told
from chainrule.lessons.writing import claim, curves, formulas, part, say, table

Scaling = Literal["none", "standardize"]

PEOPLE: Final = 200
AGES: Final = (18.0, 65.0)  # years
SALARIES: Final = (20_000.0, 150_000.0)  # a year
NOISE: Final = 0.05
EPOCHS: Final = 30
HOW: Final[tuple[Scaling, ...]] = ("none", "standardize")
RATES: Final = tuple(10.0**power for power in range(-13, 1))


def teach(seed: int) -> Told:
    """People with an age and a salary, a score that depends on both alike, and a linear unit that shall find it."""
    people = _people(seed)
    return (*_slopes(people, seed), *_trained(people, seed))


def _people(seed: int) -> cr.Dataset:
    """Age and salary, drawn evenly; the score is the mean of their places within their ranges, and some noise."""
    noise = NOISE * normal(seed, Purpose.GENERATE, 1, (PEOPLE, 1))
    share = uniform(seed, Purpose.GENERATE, 0, (PEOPLE, 2))
    low, high = np.array([AGES[0], SALARIES[0]]), np.array([AGES[1], SALARIES[1]])
    return cr.load((low + share * (high - low), share.mean(axis=1, keepdims=True) + noise))


def _slopes(people: cr.Dataset, seed: int) -> Told:
    zero = {"dense_1.W": [[0.0], [0.0]]}
    raw, scaled = (
        probe([cr.Dense(1)], people, seed, weights=zero, loss="half_squared_error", scale_features=how)
        for how in ("none", "standardize")
    )
    slopes = {name: each.gradients["dense_1.W"][:, 0] for name, each in (("as they are", raw), ("scaled", scaled))}
    ratios = {name: abs(float(pair[1] / pair[0])) for name, pair in slopes.items()}
    sizes = np.sqrt(np.mean(people.x**2, axis=0))
    w, delta, x = symbol("w", "i"), symbol("δ"), symbol("x", "i")
    return (
        say(PEOPLE, " people, each with an age of ", AGES[0], " to ", AGES[1], " years and a salary of ", SALARIES[0],
            " to ", SALARIES[1], " a year, and a score to which both matter alike. A linear unit shall learn the "
            "score. The derivative of a weight is the delta times what the weight carries:"),
        formulas(equals(partial(Symbol("ℓ"), w), juxtaposed(delta, x))),
        table(("inputs", "∂L/∂w of age", "of salary", "salary / age"),
              [(name, float(pair[0]), float(pair[1]), ratios[name]) for name, pair in slopes.items()], name="slopes"),
        claim("slopes", "salaries are ", float(sizes[1] / sizes[0]), " times as large as ages, and the derivative of "
              "their weight is ", ratios["as they are"], " times as large, though both matter alike; when both are "
              "standardized it is ", ratios["scaled"], " times",
              holds=ratios["as they are"] > 500 and 0.2 < ratios["scaled"] < 5, raw=ratios["as they "
                  "are"], scaled=ratios["scaled"]),
    )  # fmt: skip


def _trained(people: cr.Dataset, seed: int) -> Told:
    found = {
        how: {rate: losses for rate in RATES if (losses := _losses(people, how, rate, seed)) is not None} for how in HOW
    }
    best = {how: min(by_rate, key=lambda rate: by_rate[rate][-1]) for how, by_rate in found.items()}
    curve = {how: by_rate[best[how]] for how, by_rate in found.items()}
    largest = max(found["none"])
    raw, scaled = curve["none"], curve["standardize"]
    epochs = list(range(1, EPOCHS + 1))
    return (
        part("One learning rate for both"),
        say("The rate has to suit the steepest direction, and salary is steep. Both ways are trained with every rate "
            "from 10⁻¹³ to 1, each ten times the one before; these are the best of each."),
        curves("Loss by epoch", {f"as they are, η = {best['none']:.0e}": (epochs, raw),
                                 f"standardized, η = {best['standardize']:g}": (epochs, scaled)},
               x="epoch", y="loss", logarithmic=True),
        claim("rate", "as they are, every rate above ", largest, " makes the loss leave the numbers or grow; the best "
              "is ",
              best["none"], ". Standardized, the best is ", best["standardize"],
              holds=best["none"] < best["standardize"] / 1e6, raw=best["none"], standardized=best["standardize"]),
        claim("loss", "after ", EPOCHS, " epochs at its best rate the loss is ", raw[-1], " as they are, and "
              "", scaled[-1],
              " standardized, ", raw[-1] / scaled[-1], " times smaller", holds=raw[-1] > 5 * scaled[-1], raw=raw[-1],
              standardized=scaled[-1]),
        say("Scaling is fitted on the training rows only and undone for predictions; it is the default for data of "
            "your own."),
    )  # fmt: skip


def _losses(people: cr.Dataset, how: Scaling, rate: float, seed: int) -> list[float] | None:
    """The loss of every epoch; None where it left the numbers or grew."""
    try:
        run = cr.train(
            [cr.Dense(1)], people, loss="half_squared_error", optimizer=cr.SGD(rate), batch_size=PEOPLE,
            epochs=EPOCHS, seed=seed, dtype="float64", weights={"dense_1.W": [[0.0], [0.0]]}, shuffle=False,
            scale_features=how, scale_targets="none", test_fraction=0.0, runs=None,
        )  # fmt: skip
    except NonFiniteError:
        return None
    losses = run.history["loss"]
    return losses if losses[-1] <= losses[0] else None


LESSON: Final = Lesson(
    name="unscaled-inputs",
    title="Unscaled inputs",
    question="What does a salary do to an age?",
    teach=teach,
)
