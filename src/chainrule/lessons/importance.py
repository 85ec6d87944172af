"""Importance: the size of a derivative says how much the loss minds a weight, here and now."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

import chainrule as cr
from chainrule.document import Code
from chainrule.lessons.nudges import network
from chainrule.lessons.probing import Probe, Values, pixels, probe
from chainrule.lessons.taught import Lesson, Told
from chainrule.lessons.writing import claim, part, say, table

EPOCHS: Final = 2
ROWS: Final = 200
MOVE: Final = 1e-4  # small enough that the slopes stay what they are, large enough not to drown in rounding
RANKS: Final = (0, 9, 99)
TOP: Final = 50

Weight = tuple[str, tuple[int, ...]]


def teach(seed: int) -> Told:
    """Rank all weights by their derivative, move some of them, and see whether the loss minds as foretold."""
    data = pixels(ROWS)
    run = cr.train(
        network(), data, epochs=EPOCHS, seed=seed, dtype="float64", scale_features="none", test_fraction=0.0, runs=None
    )
    found = probe(network(), data, seed, weights=run.weights, scale_features="none")
    ranking = _ranking(found.gradients)
    return (*_moved(found, ranking, data, seed), *_groups(found, ranking, data, seed), *_inputs(found, data))


def _ranking(gradients: dict[str, Values]) -> list[tuple[float, Weight]]:
    """Every weight and bias with its derivative, the largest |∂L/∂w| first."""
    every = [
        (float(values[index]), (name, index))
        for name, values in gradients.items()
        for index in np.ndindex(values.shape)
    ]
    return sorted(every, key=lambda each: -abs(each[0]))


def _moved(found: Probe, ranking: list[tuple[float, Weight]], data: cr.Dataset, seed: int) -> Told:
    """Four weights, each moved alone by the same amount."""
    alive = sum(slope != 0.0 for slope, _ in ranking)
    ranks = (*RANKS, 3 * alive // 4)
    chosen = [ranking[rank] for rank in ranks]
    changes = [_change(found, [weight], data, seed) for _, weight in chosen]
    (first, one), (last, other) = chosen[0], chosen[-1]
    foretold, seen = abs(first / last), abs(changes[0] / changes[-1])
    off = max(abs(change / (MOVE * slope) - 1) for change, (slope, _) in zip(changes, chosen, strict=True))
    return (
        say("A network for the digits has ", sum(value.size for value in found.weights.values()), " weights and "
            "biases. The derivative ∂L/∂w says what the loss does when it alone moves a little. These four are moved, "
            "one at a time, by ", MOVE, ", and the loss is measured again."),
        table(("weight", "rank", "∂L/∂w", "foretold", "the loss changes by"),
              [(_said(weight), rank + 1, slope, MOVE * slope, change)
               for rank, (slope, weight), change in zip(ranks, chosen, changes, strict=True)], name="moved"),
        claim("foretold", "the change of the loss is the derivative times the move, off by at most ", off,
              " of it", holds=off < 0.05, off=off),
        claim("times", "the loss is ", foretold, " times more sensitive to ", Code(_said(one)), " than to ",
              Code(_said(other)), ": so say the derivatives, and so it does when both are moved, ", seen, " times",
              holds=abs(seen / foretold - 1) < 0.05, foretold=foretold, seen=seen),
    )  # fmt: skip


def _change(found: Probe, weights: list[Weight], data: cr.Dataset, seed: int, *, against: bool = False) -> float:
    """How much the loss changes when these weights move, each by the same, up or against its own slope."""
    moved = {name: value.copy() for name, value in found.weights.items()}
    for name, index in weights:
        moved[name][index] -= MOVE * np.sign(found.gradients[name][index]) if against else -MOVE
    return probe(network(), data, seed, weights=moved, scale_features="none").loss - found.loss


def _groups(found: Probe, ranking: list[tuple[float, Weight]], data: cr.Dataset, seed: int) -> Told:
    """The same move for the first fifty and for the last fifty."""
    alive = [weight for slope, weight in ranking if slope != 0.0]
    silent = len(ranking) - len(alive)
    loud, soft = (-_change(found, group, data, seed, against=True) for group in (alive[:TOP], alive[-TOP:]))
    shares: Values = np.cumsum([slope * slope for slope, _ in ranking])
    half = int(np.count_nonzero(shares < shares[-1] / 2)) + 1
    return (
        part("Few matter much"),
        say("Now ", TOP, " weights at once, each by ", MOVE, " against its own slope: first those with the largest "
            "derivatives, then those with the smallest that are not 0."),
        claim("groups", "moving the ", TOP, " most sensitive weights lowers the loss by ", loud, ", moving the ", TOP,
              " least sensitive by ", soft, holds=loud > 100 * abs(soft), most=loud, least=soft),
        claim("half", half, " of ", len(ranking), " weights make up half of ‖∇L‖², the fall that a small step brings; ",
              silent, " have the derivative 0 and no part in it",
              holds=half < len(ranking) / 10, half=half, silent=silent),
        say("Importance in this sense belongs to a place and a moment, not to a weight: after the next step it is "
            "another one. A large weight is something else than a large derivative."),
    )  # fmt: skip


def _inputs(found: Probe, data: cr.Dataset) -> Told:
    """Why some derivatives are 0: a pixel that is white on every image."""
    white = np.flatnonzero(np.all(data.x == 0, axis=0))
    rows: Any = found.gradients["dense_1.W"][white]
    return (
        part("Why some do not matter at all"),
        claim("white", "∂L/∂w is δ times what the weight carries: ", len(white), " of ", data.x.shape[1], " pixels are "
              "white on all ", data.row_count, " images, and the ", int(rows.size), " weights that carry them have the "
              "derivative 0", holds=bool(len(white)) and not np.any(rows), pixels=len(white)),
    )  # fmt: skip


def _said(weight: Weight) -> str:
    name, index = weight
    return f"{name}[{', '.join(map(str, index))}]"


LESSON: Final = Lesson(
    name="importance",
    title="Importance",
    question="To which of a thousand weights is the loss most sensitive?",
    teach=teach,
)
