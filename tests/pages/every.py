"""THE TABLE of pages: one of every kind that a run can be asked for, by name, and how it is made."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

import chainrule as cr
from chainrule.document import Document
from chainrule.lessons.overview import overview
from chainrule.nn.drawing import network_document
from chainrule.runs.listing import listing_of
from chainrule.runs.opening import list_runs
from chainrule.runs.replaying import replayed

DEPTHS: Final = ("scalar", "layer", "matrix")


@dataclass(frozen=True)
class Runs:
    """Runs that pages are made of.

    Attributes:
        small: 2-2-1 on XOR, with Adam, every number of which has room on a page.
        digits: 64-16-16-10 on digits.
        deep: five hidden layers that are alike and one that is not, on two targets.
        linear: layers without an activation, which multiply out.
        folder: where they lie.
    """

    small: cr.Run
    digits: cr.Run
    deep: cr.Run
    linear: cr.Run
    folder: Path


def trained(folder: Path) -> Runs:
    """The runs, trained for as long as shows something."""

    def train(layers: Sequence[cr.layers.Layer], *data: object, epochs: int = 2, rate: float = 0.01) -> cr.Run:
        return cr.train(
            cr.Network(layers), *data, epochs=epochs, seed=1, optimizer=cr.Adam(rate), backend="reference", runs=folder
        )

    x = np.array([[np.sin(7 * row + 3 * column) for column in range(4)] for row in range(120)])
    y = np.stack((3 * x[:, 0] - x[:, 1] ** 2, 10 + x[:, 2]), axis=1)
    alike = [cr.Dense(6, "tanh") for _ in range(5)]
    return Runs(
        small=train([cr.Dense(2, "tanh"), cr.Dense(1, "sigmoid")], "xor", epochs=40, rate=0.05),
        digits=train([cr.Dense(16, "relu"), cr.Dense(16, "relu"), cr.Dense(10)], "digits"),
        deep=train([*alike, cr.Dense(5, use_bias=False), cr.layers.ActivationLayer("relu"), cr.Dense(2)], x, y),
        linear=train([cr.Dense(3), cr.Dense(2)], x, y),
        folder=folder,
    )


Make = Callable[[Runs], Document]


def _derived(run: str, what: str, depth: str, **on: int) -> Make:
    """What is named, derived: a weight, a unit, a layer, or everything."""
    kind = "weight" if "." in what else "unit" if "[" in what else "layer" if "_" in what else "network"

    def make(runs: Runs) -> Document:
        asked = {kind: True if kind == "network" else what}
        return getattr(runs, run).explain(**asked, depth=depth, **on).document

    return make


# A row a derivation: what of which run, and on what. Each kind is there at each depth, on a sample and on a batch.
_DERIVED: Final = (
    ("small", "network", {"sample": 1}),
    ("small", "dense_1.W[0, 1]", {"batch": 0}),
    ("digits", "dense_2.W[3, 7]", {"sample": 17}),
    ("digits", "dense_2[7]", {"sample": 17}),
    ("digits", "dense_1", {"batch": 0}),
    ("deep", "network", {"batch": 0}),
)

PAGES: Final[dict[str, Make]] = {
    **{f"{run} {what} {depth}": _derived(run, what, depth, **on) for run, what, on in _DERIVED for depth in DEPTHS},
    "a weight on a sample": lambda runs: runs.digits.explain("dense_1.W[28, 3]", sample=17).document,
    "a weight on a batch": lambda runs: runs.digits.explain("dense_2.W[3, 7]").document,
    "a weight of a deep network": lambda runs: runs.deep.explain("dense_1.W[0, 0]", sample=0).document,
    "nudges": lambda runs: runs.digits.nudges(batch=0).document,
    "nudges of a unit": lambda runs: runs.digits.nudges(unit="dense_3[2]", samples=[1, 2, 3]).document,
    "the history of a weight": lambda runs: runs.digits.weight_history("dense_3.W[4, 2]").document,
    "a curve": lambda runs: runs.digits.curve("dense_3.W[4, 2]").document,
    "a surface": lambda runs: runs.small.surface(points=7).document,
    "a surface over two weights": lambda runs: (
        runs.small.surface(["dense_1.W[0, 1]", "dense_2.b[0]"], points=7).document
    ),
    "a collapse": lambda runs: runs.linear.collapse().document,
    "no collapse": lambda runs: runs.small.collapse().document,
    "convergence": lambda runs: runs.small.convergence().document,
    "a step beside another": lambda runs: replayed(runs.digits, 90, 45).document,
    "descents": lambda _: (
        cr.descent([cr.Dense(2, "tanh"), cr.Dense(1)], "xor", epochs=8, backend="reference").page.document
    ),
    "gradients checked": lambda runs: runs.digits.check_gradients(3).page.document,
    "a summary": lambda runs: runs.digits.summary().document,
    "a report": lambda runs: cr.report(runs.digits).document,
    "runs listed": lambda runs: listing_of(list_runs(runs.folder), runs.folder),
    "lessons listed": lambda _: overview(),
    "a network": lambda _: network_document(cr.Network([cr.Dense(16, "relu"), cr.Dense(10)]), (64,)),
}
