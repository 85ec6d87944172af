"""Three descents: all rows an update, some, or one, on the same data from the same start."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, Final

import numpy as np

import chainrule as cr
from chainrule.document import Differential, Fraction, Product, Sum, juxtaposed, minus, relation, symbol
from chainrule.document import number as numeral
from chainrule.draws import Purpose, normal
from chainrule.lessons.taught import Lesson, Told
from chainrule.lessons.writing import claim, formulas, measured, opened, part, say

ROWS: Final = 800
BATCH: Final = 150
EPOCHS: Final = 20
RATE: Final = 0.05
WEIGHTS: Final = np.array([[2.0], [-1.0]])
NOISE: Final = 0.5
MILLISECONDS: Final = 1000.0


def teach(seed: int) -> Told:
    """Two weights and a bias to be found under noise, three times."""
    x = normal(seed, Purpose.GENERATE, 0, (ROWS, 2))
    y = x @ WEIGHTS + NOISE * normal(seed, Purpose.GENERATE, 1, (ROWS, 1))
    found = cr.descent(
        [cr.Dense(1)], x, y, loss="half_squared_error", optimizer=cr.SGD(RATE), batch_size=BATCH, epochs=EPOCHS,
        seed=seed, weights={"dense_1.W": [[0.0], [0.0]]}, dtype="float64", scale_features="none", scale_targets="none",
        test_fraction=0.0,
    )  # fmt: skip
    ways: Any = found.data["ways"]  # Any: plain JSON values
    named = {each["way"]: each for each in ways}
    return (*_updates(found.page, named), *_losses(found.page, named), *_walks(found.page, named))


def _updates(page: cr.Page, ways: dict[str, Any]) -> Told:
    batch, mini, single = (ways[name] for name in ("batch", "mini-batch", "stochastic"))
    counts = {name: way["updates_per_epoch"] for name, way in ways.items()}
    w, eta, size = symbol("w"), symbol("η"), symbol("B")
    mean = Product((Fraction(numeral(1), size), Sum(Differential(symbol("ℓ", "n"), "∇"), symbol("n"))), "space")
    return (
        say(ROWS, " rows with two inputs and some noise in the target, and a linear unit that begins at 0. An update "
            "goes against the mean gradient of B rows. B may be all of them, some, or one; everything else is the "
            "same."),
        formulas(relation(w, "←", minus(w, juxtaposed(eta, mean)))),
        *opened(page, "ways"),
        claim("updates", ROWS, " rows make ", counts["batch"], " update an epoch as one batch, ", counts["stochastic"],
              " one by one, and ", counts["mini-batch"], " in batches of ", BATCH, ": ", counts["mini-batch"] - 1, " "
              "of ",
              BATCH, " rows, and the ", mini["last_batch"], " that are left over are a batch too",
              holds=counts == {"batch": 1, "mini-batch": 6, "stochastic": ROWS} and mini["last_batch"] == 50,
              updates=counts, last_batch=mini["last_batch"]),
        measured("time", "an epoch took ", MILLISECONDS * batch["seconds_per_epoch"], " ms as one batch, ",
                 MILLISECONDS * mini["seconds_per_epoch"], " ms in mini-batches and ",
                 MILLISECONDS * single["seconds_per_epoch"], " ms row by row: the same rows, and what an update costs "
                 "by itself each time", seconds={name: way["seconds_per_epoch"] for name, way in ways.items()}),
    )  # fmt: skip


def _losses(page: cr.Page, ways: dict[str, Any]) -> Told:
    losses = {name: way["losses"] for name, way in ways.items()}
    first = {name: values[1] for name, values in losses.items()}
    last = {name: values[-1] for name, values in losses.items()}
    rises = {name: sum(b > a for a, b in pairwise(values)) for name, values in losses.items()}
    best = min(last, key=last.__getitem__)
    return (
        part("Which gets there first"),
        *opened(page, "losses"),
        claim("sooner", "after one epoch the loss over all rows is ", first["stochastic"], " row by row, ",
              first["mini-batch"], " in mini-batches and ", first["batch"], " as one batch: more updates, sooner down",
              holds=first["stochastic"] < first["mini-batch"] < first["batch"], losses=first),
        claim("settles", "after ", EPOCHS, " epochs ", best, " descent is lowest, with ", last[best], "; row by row "
              "it is ",
              last["stochastic"], ", and rose in ", rises["stochastic"], " of ", EPOCHS, " epochs: single rows keep "
              "throwing the weights about, unless the rate is lowered",
              holds=best == "mini-batch" and rises["stochastic"] > rises["mini-batch"], losses=last, rises=rises),
    )  # fmt: skip


def _walks(page: cr.Page, ways: dict[str, Any]) -> Told:
    detours = {name: way["walk"]["detour"] for name, way in ways.items()}
    turns = {name: way["walk"]["cosine"] for name, way in ways.items()}
    return (
        part("How they walk"),
        say("One batch walks straight down, for its gradient is that of the loss itself. A single row knows only "
            "itself, and its update may undo the one before: the walk of a drunkard, that comes down all the same."),
        *opened(page, "walks", "paths"),
        claim("detour", "the way is ", detours["batch"], " times the straight line as one batch, ",
              detours["mini-batch"], " times in mini-batches and ", detours["stochastic"], " times row by row",
              holds=detours["batch"] < detours["mini-batch"] < detours["stochastic"], detours=detours),
        claim("turn", "the cosine between an update and the one before is ", turns["batch"], ", ", turns["mini-batch"],
              " and ", turns["stochastic"], ": straight on, still downhill, hardly any direction",
              holds=turns["batch"] > turns["mini-batch"] > turns["stochastic"] and abs(turns["stochastic"]) < 0.2,
              cosines=turns),
    )  # fmt: skip


LESSON: Final = Lesson(
    name="three-descents",
    title="Three descents",
    question="All rows an update, some, or one?",
    teach=teach,
)
