"""The number that a formula has, worked out in the reference backend."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from chainrule.backends.reference import ReferenceBackend
from chainrule.graph.expr import Expr
from chainrule.graph.node import make_graph

BACKEND = ReferenceBackend()


def evaluate(formulas: dict[str, Expr], inputs: dict[str, npt.ArrayLike]) -> dict[str, np.ndarray]:
    """The value of each formula; inputs that none of them reads are left out."""
    graph = make_graph({name: formula.node for name, formula in formulas.items()})
    return BACKEND.evaluate(graph, {name: inputs[name] for name in graph.input_names})


def array(formula: Expr, **inputs: npt.ArrayLike) -> np.ndarray:
    """The value of one formula."""
    return evaluate({"value": formula}, inputs)["value"]


def value(formula: Expr, digits: int = 15, **inputs: npt.ArrayLike) -> Any:
    """The value of one formula as Python numbers, rounded to so many digits after the point, and 0 without a sign."""
    return (np.round(array(formula, **inputs), digits) + 0.0).tolist()
