"""Dying ReLU: a unit that is off on every sample gets no gradient, so nothing can switch it on again."""

from __future__ import annotations

from typing import Final

import numpy as np

import chainrule as cr
from chainrule.errors import NonFiniteError
from chainrule.errors.counts import verb_of
from chainrule.lessons.probing import Values, pixels, probe
from chainrule.lessons.taught import Lesson, Told
from chainrule.lessons.writing import bars, claim, part, say, table

UNITS: Final = 32
SUNK: Final = 8
DEEP: Final = -20.0  # no image can lift a pre-activation from here
EPOCHS: Final = 5
RATES: Final = (0.01, 0.1, 0.5, 1.0)


def teach(seed: int) -> Told:
    """Sink some units, try to train them with ReLU and with leaky ReLU, then see them die by themselves."""
    return (*_sunk(seed), *_by_themselves(seed))


def _network(activation: str) -> list[cr.Dense]:
    return [cr.Dense(UNITS, activation, kernel_initializer="he_uniform"), cr.Dense(10)]


def _sunk(seed: int) -> Told:
    bias = np.zeros(UNITS)
    bias[:SUNK] = DEEP
    moved: dict[str, Values] = {}
    slopes: dict[str, Values] = {}
    for activation in ("relu", "leaky_relu"):
        found = probe(_network(activation), pixels(), seed, weights={"dense_1.b": bias}, scale_features="none")
        slopes[activation] = np.abs(found.gradients["dense_1.W"][:, :SUNK])
        run = _trained(activation, 0.1, seed, {"dense_1.b": bias})
        moved[activation] = _columns_that_moved(run)
    sunk = {name: int(np.sum(columns[:SUNK])) for name, columns in moved.items()}
    others = int(np.sum(moved["relu"][SUNK:]))
    return (
        say("ReLU passes what is above 0 and stops the rest, and so does its slope: 1 or 0. A unit whose "
            "pre-activation is below 0 on a sample has the slope 0 there, and its weights get nothing from that "
            "sample. Here the biases of ", SUNK, " of ", UNITS, " units begin at ", DEEP, ", too low for any image of "
            "the digits."),
        table(("", "largest |∂L/∂w| of these units", f"units that moved in {EPOCHS} epochs"),
              [(name, float(slopes[name].max()), f"{sunk[name]} of {SUNK}") for name in slopes], name="sunk"),
        claim("silent", "with ReLU all ", int(slopes["relu"].size), " weights of these units have the derivative 0, "
              "not nearly 0 but 0, and after ", EPOCHS, " epochs not a bit of them has changed",
              holds=not slopes["relu"].any() and sunk["relu"] == 0, largest=float(slopes["relu"].max())),
        claim("others", "the others learn: ", others, " of ", UNITS - SUNK, " units moved",
              holds=others > (UNITS - SUNK) / 2, moved=others),
        claim("leaky", "leaky ReLU lets a little through below 0: the largest derivative is ",
              float(slopes["leaky_relu"].max()), ", and ", sunk["leaky_relu"], " of the ", SUNK, " units moved",
              holds=bool(slopes["leaky_relu"].any()) and sunk["leaky_relu"] == SUNK, moved=sunk["leaky_relu"]),
    )  # fmt: skip


def _trained(activation: str, rate: float, seed: int, weights: dict[str, Values] | None = None) -> cr.Run:
    return cr.train(
        _network(activation), pixels(), optimizer=cr.SGD(rate), epochs=EPOCHS, seed=seed, weights=weights,
        scale_features="none", test_fraction=0.0, runs=None,
    )  # fmt: skip


def _columns_that_moved(run: cr.Run) -> Values:
    """Of each unit of the first layer whether any bit of its weights differs from what it was at first, (units,)."""
    before, after = run.at(0).weights, run.weights
    return np.any(before["dense_1.W"] != after["dense_1.W"], axis=0) | (before["dense_1.b"] != after["dense_1.b"])


def _by_themselves(seed: int) -> Told:
    """Units that no sample reaches in the last epoch, by learning rate; nothing was sunk."""
    dead = {rate: _dead(rate, seed) for rate in RATES}
    known = {f"η = {rate:g}": float(count) for rate, count in dead.items() if count is not None}
    least, most = dead[RATES[0]], dead[RATES[-1]]
    return (
        part("How units die by themselves"),
        say("Nobody sets a bias to ", DEEP, ". A step that is too large does: it throws weights so far that a unit is "
            "below 0 on all images, and from there no gradient brings it back. After ", EPOCHS, " epochs, these are "
            "the units, of ", UNITS, ", whose weights all have the derivative 0 over all images, by learning rate."),
        bars("Units that no sample reaches any more", known),
        claim("rate", "with η = ", RATES[0], ", ", _units(least), " dead; with η = ", RATES[-1], ", ", _units(most),
              holds=least is not None and most is not None and least < most,
              dead={f"{rate:g}": count for rate, count in dead.items()}),
        say("What helps: a smaller learning rate, scaled inputs, weights drawn to fit, an activation that is not "
            "flat below 0."),
    )  # fmt: skip


def _dead(rate: float, seed: int) -> int | None:
    """How many units have no derivative but 0 over all images; None where the loss left the numbers."""
    try:
        run = _trained("relu", rate, seed)
    except NonFiniteError:
        return None
    found = probe(_network("relu"), pixels(), seed, weights=run.weights, scale_features="none")
    return int(np.sum(~np.any(found.gradients["dense_1.W"], axis=0)))


def _units(count: int | None) -> str:
    return (
        "the loss leaves the numbers, and what is"
        if count is None
        else f"{count} of {UNITS} units {verb_of(count, 'is', 'are')}"
    )


LESSON: Final = Lesson(
    name="dying-relu",
    title="Dying ReLU",
    question="Why do some units never learn anything again?",
    teach=teach,
)
