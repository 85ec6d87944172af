"""XOR: what a 2-2-1 network can represent, how often training finds it, and what another layer or width changes."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

import chainrule as cr
from chainrule.document import Beside, Code, Equations, call, equals, juxtaposed, minus, number, plus, symbol
from chainrule.lessons.probing import Values, probe
from chainrule.lessons.taught import Lesson, Told
from chainrule.lessons.writing import bars, claim, formulas, opened, part, say, table

SEEDS: Final = 100
COPIES: Final = 100  # of the four rows, so that an epoch is a hundred updates
EPOCHS: Final = 5
ROWS: Final = 4
SHOWN: Final = 1  # the row 01
BOUND: Final = 1e-12  # of gradients below 1; rounding of a few products stays far below
SURE: Final = 5.0  # the score that the weights set by hand give a row that is right
BY_HAND: Final = {
    "dense_1.W": [[1.0, 1.0], [1.0, 1.0]],
    "dense_1.b": [0.0, -1.0],
    "dense_2.W": [[2 * SURE], [-4 * SURE]],
    "dense_2.b": [-SURE],
}
NETWORKS: Final = {"2-2-1": (2,), "2-2-2-1": (2, 2), "2-8-1": (8,), "2-8-8-1": (8, 8)}


@dataclass(frozen=True, eq=False, slots=True)
class Ending:
    """Where the training of one seed ended.

    Attributes:
        loss: mean of the last epoch.
        right: whether all four rows were, in all of it.
        said: the probability of class 1 for the four rows, (4,).
    """

    loss: float
    right: bool
    said: Values


def teach(seed: int) -> Told:
    """Weights that do it, a hundred seeds that look for them, and other networks."""
    found = {name: _study(hidden, seed) for name, hidden in NETWORKS.items()}
    return (*_by_hand(), *_equations(seed), *_hundred(found["2-2-1"]), *_others(found))


def network(hidden: tuple[int, ...]) -> list[cr.Dense]:
    """ReLU layers of these units, and a sigmoid."""
    return [*(cr.Dense(units, "relu") for units in hidden), cr.Dense(1, "sigmoid")]


def _by_hand() -> Told:
    xor = cr.load("xor")
    run = cr.train(network((2,)), xor, loss="binary_cross_entropy", optimizer=cr.SGD(0.01), batch_size=ROWS, epochs=1,
                   weights=BY_HAND, dtype="float64", runs=None).at(0)  # fmt: skip
    said = run.predict_proba(xor.x)[:, 1]
    right = int(np.count_nonzero((said > 0.5) == xor.y))
    return (
        say("Exclusive or is 1 where two inputs differ. No straight line parts its classes, so it needs a hidden "
            "layer. Two ReLU units are enough: one that counts the ones, and one that takes off what is too much when "
            "both are 1. These weights are set by hand:"),
        _formulas(),
        table(("x₀", "x₁", "wanted", "ŷ"), [(float(x[0]), float(x[1]), int(y), float(p))
                                           for x, y, p in zip(xor.x, xor.y, said, strict=True)], name="by-hand"),
        claim("can", "a 2-2-1 ReLU network can represent XOR: with these weights ", right, " of ", ROWS, " rows are "
              "right, each with a probability of at least "
              "", float(np.min(np.where(xor.y == 1, said, 1 - said))), holds=right == ROWS, said=said.tolist()),
    )  # fmt: skip


def _formulas() -> Equations:
    """The network with these weights in it."""
    x0, x1, a0, a1 = symbol("x", 0), symbol("x", 1), symbol("a", 0, 1), symbol("a", 1, 1)
    score = minus(juxtaposed(number(2 * SURE), a0), juxtaposed(number(4 * SURE), a1), number(SURE))
    return formulas(
        Beside((equals(a0, call("ReLU", plus(x0, x1))), equals(a1, call("ReLU", minus(plus(x0, x1), number(1)))))),
        equals(symbol("ŷ"), call("σ", score)),
    )


def _equations(seed: int) -> Told:
    """The derivatives of all nine weights and biases on one row, before the first step."""
    xor = cr.load("xor")
    one = probe(network((2,)), cr.load(xor.x[SHOWN : SHOWN + 1], [[1.0]]), seed, loss="binary_cross_entropy",
                scale_features="none")  # fmt: skip
    run = cr.train(network((2,)), xor, loss="binary_cross_entropy", weights=one.weights, optimizer=cr.SGD(1.0),
                   batch_size=ROWS, epochs=1, dtype="float64", runs=None)  # fmt: skip
    page = run.explain(network=True, depth="scalar", sample=SHOWN, at="start")
    weights: Any = page.data["weights"]  # Any: plain JSON values
    found = {each["weight"]: each["gradient"] for each in weights}
    stepped = {f"{name}[{', '.join(map(str, index))}]": float(values[index])
               for name, values in one.gradients.items() for index in np.ndindex(values.shape)}  # fmt: skip
    off = max(abs(found[name] - stepped[name]) for name in found)
    silent = sum(gradient == 0.0 for gradient in found.values())
    return (
        part("Its nine equations"),
        say("The same network with weights that were drawn, on the row 01, which is a 1. Every derivative is a product "
            "along the way from the loss to the weight, and each begins with ŷ − y."),
        *opened(page, "forward", "output", "weights dense_2", "weights dense_1"),
        claim("equations", "the ", len(found), " equations give what one real step on this row takes away, off by at "
              "most ",
              off, "; ", silent, " of them are 0, where an input is 0 or a unit is off",
              holds=len(found) == 9 and found.keys() == stepped.keys() and off < BOUND, gradients=found),
    )  # fmt: skip


def _study(hidden: tuple[int, ...], seed: int) -> list[Ending]:
    """A hundred trainings, each from weights of its own seed, on all four rows at once."""
    xor = cr.load("xor")
    copies = cr.load(np.tile(xor.x, (COPIES, 1)), np.tile(xor.y, COPIES))
    return [_ending(hidden, copies, xor.x, seed * SEEDS + each) for each in range(SEEDS)]


def _ending(hidden: tuple[int, ...], copies: cr.Dataset, x: Values, seed: int) -> Ending:
    run = cr.train(
        network(hidden), copies, loss="binary_cross_entropy", optimizer=cr.Adam(0.05), batch_size=ROWS, epochs=EPOCHS,
        seed=seed, shuffle=False, scale_features="none", test_fraction=0.0, runs=None,
    )  # fmt: skip
    return Ending(run.history["loss"][-1], run.history["accuracy"][-1] == 1.0, run.predict_proba(x)[:, 1])


def _hundred(endings: list[Ending]) -> Told:
    """How often 2-2-1 gets there, and where it ends when it does not."""
    right = sum(each.right for each in endings)
    places = Counter(round(each.loss, 1) if each.right else round(each.loss, 2) for each in endings)
    rows: list[tuple[Any, ...]] = []
    for place, count in places.most_common(4):
        one = next(each for each in endings if each.loss == _nearest(endings, place))
        hits = sum((p > 0.5) == y for p, y in zip(one.said, (0, 1, 1, 0), strict=True))
        rows.append((count, one.loss, f"{hits} of {ROWS}", ", ".join(f"{p:.2f}" for p in one.said)))
    stuck = [each for each in endings if not each.right]
    shared = sum(len({round(float(p), 1) for p in each.said}) < ROWS for each in stuck)
    return (
        part("A hundred seeds"),
        say("Now the weights are drawn and trained, ", COPIES * EPOCHS, " updates of Adam with all four rows in each, "
            "from a hundred seeds. These are the places where most of them end, and what one of each says of the rows "
            "00, 01, 10 and 11."),
        table(("seeds", "loss", "right", "ŷ of the four rows"), rows, name="places"),
        claim("finds", "training finds such weights from ", right, " of ", SEEDS, " seeds", holds=0 < right < SEEDS / 2,
              right=[place for place, each in enumerate(endings) if each.right]),
        claim("stuck", "in ", shared, " of the ", len(stuck), " others two rows or more get the same answer: the "
              "units that could tell them apart are off there, or fold them onto one another, and ReLU passes nothing "
              "back through a unit that is off (", Code("chainrule lesson dying-relu"), ")",
              holds=shared > 0.9 * len(stuck), shared=shared, stuck=len(stuck)),
    )  # fmt: skip


def _nearest(endings: list[Ending], place: float) -> float:
    return min((each.loss for each in endings), key=lambda loss: abs(loss - place))


def _others(found: dict[str, list[Ending]]) -> Told:
    right = {name: sum(each.right for each in endings) for name, endings in found.items()}
    deep, wide, both = right["2-2-2-1"], right["2-8-1"], right["2-8-8-1"]
    return (
        part("Another layer, or a wider one"),
        bars(f"Seeds of {SEEDS} from which all four rows come out "
            "right", {name: float(k) for name, k in right.items()}),
        claim("deeper", "one more hidden layer of two units takes it from ", right["2-2-1"], " to ", deep, " of "
              "", SEEDS,
              ": depth alone does not solve it, for a layer of two can lose what it needs as easily as the first",
              holds=deep < SEEDS / 2, narrow=right["2-2-1"], deep=deep),
        claim("wider", "eight units instead of two take it to ", wide, ": where more units begin, more of them begin "
              "well",
              holds=wide > 2 * max(right["2-2-1"], deep), wide=wide),
        claim("both", "two layers of eight take it to ", both, holds=both > max(right["2-2-1"], deep), both=both),
    )  # fmt: skip


LESSON: Final = Lesson(
    name="xor",
    title="XOR",
    question="Two hidden units are enough for exclusive or: does training find them?",
    teach=teach,
)
