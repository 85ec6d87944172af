"""How far rounding can have moved a number that a graph computes: a bound that is itself a graph.

An error of one unit in the last place in any value v on the way changes the result by |∂result/∂v| · |v| · ε, to first
order; the bound adds these up over every value. A matrix product or a sum makes an error for each of its terms, which
are taken to partly cancel (√m of m terms, as for independent errors).
Source: Higham, "Accuracy and Stability of Numerical Algorithms", 2nd edition, 2002, sections 1.5, 2.8 and 3.1.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from chainrule.autodiff.reverse import adjoints
from chainrule.backends.protocol import Array
from chainrule.explain.numbers import evaluate_once
from chainrule.graph import expr as e
from chainrule.graph.expr import Expr
from chainrule.graph.node import Node, topological

EPSILON: Final = 2.0**-52  # the spacing of float64 at 1; an elementary function is off by at most about this much
BOUNDS_KEPT: Final = 8  # of the losses whose weights are opened one after the other, and of their last gradients
SAFETY: Final = 4.0  # for what first order and the square root leave out


def rounding_bound(result: Node, inputs: Mapping[str, Array]) -> float:
    """A bound on the rounding error of a scalar node computed in float64, in the unit of the node."""
    return SAFETY * EPSILON * float(evaluate_once({"moved": _all_moved(result)}, inputs)["moved"])


@lru_cache(maxsize=BOUNDS_KEPT)
def _all_moved(result: Node) -> Node:
    """The bound as a graph, in ulps."""
    sources = [node for node in topological([result]) if node.primitive == "input" and node.tensor.is_float]
    terms = [
        _moved(node, adjoint) for node, adjoint in adjoints(result, sources).items() if node.primitive != "constant"
    ]
    total = terms[0] if terms else e.constant(0.0, result.tensor)
    for term in terms[1:]:
        total = total + term
    return total.node


def _moved(node: Node, adjoint: Node) -> Expr:
    """Σ |adjoint| · (the size of what was rounded to make the node)."""
    return e.sum(e.absolute(Expr(adjoint)) * _rounded(node))


def _rounded(node: Node) -> Expr:
    inputs = [e.absolute(Expr(i)) for i in node.inputs if i.tensor.is_float]
    match node.primitive:
        case "matmul":
            return (inputs[0] @ inputs[1]) * _growth(node.inputs[0].tensor.shape[-1])
        case "sum":
            return e.sum(inputs[0], node.integers("axes")) * _growth(
                *(node.inputs[0].tensor.shape[a] for a in node.integers("axes"))
            )
        case "add" | "subtract":
            return inputs[0] + inputs[1]
        case _:
            return e.absolute(Expr(node))


def _growth(*dims: object) -> float:
    return math.sqrt(math.prod(d if isinstance(d, int) and d > 0 else 1024 for d in dims))  # n is at most a batch
