"""The same mathematics in a form that floating point survives: exponentials are shifted, logarithms rejoined.

Applied before differentiation, so that a derivative is taken of the safe form. Source of the forms: Blanchard, Higham
and Higham, "Accurately computing the log-sum-exp and softmax functions", IMA J. Numer. Anal. 41 (2021); Mächler,
"Accurately computing log(1 - exp(-|a|))", 2012, for log1p(exp).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from chainrule.graph import expr as e
from chainrule.graph.expr import Expr
from chainrule.graph.node import Graph, Node
from chainrule.graph.rewrite import Context, Rule, call, identity, rewrite, wild

_x, _y = wild("x y")


def stabilize(graph: Graph) -> Graph:
    """The graph with softmax, log-softmax, log-sigmoid, log-sum-exp and softplus in their safe forms."""
    return rewrite(graph, STABLE_RULES)[0]


def _softmax(node: Node, _: Context) -> Node | None:
    """exp(z) / Σ exp(z) -> exp(z - m) / Σ exp(z - m), with m the row's largest z."""
    over, under = node.inputs
    if over.primitive != "exp" or under.primitive != "broadcast" or under.inputs[0].primitive != "sum":
        return None
    total = under.inputs[0]
    if total.inputs[0] is not over or total["axes"] != under["axes"] or _is_shifted(over.inputs[0]):
        return None
    shape, axes = under.tensor.shape, total.integers("axes")
    shifted = e.exp(_shifted(Expr(over.inputs[0]), axes))
    return (shifted / e.broadcast(e.sum(shifted, axes), shape, axes)).node


def _log_of_sum(node: Node, _: Context) -> Node | None:
    """log Σ exp(z) -> m + log Σ exp(z - m), with m the largest z."""
    (total,) = node.inputs
    if total.primitive != "sum" or total.inputs[0].primitive != "exp" or _is_shifted(total.inputs[0].inputs[0]):
        return None
    axes, z = total.integers("axes"), Expr(total.inputs[0].inputs[0])
    largest = e.stop_gradient(e.max(z, axes))
    return (largest + e.log(e.sum(e.exp(_shifted(z, axes)), axes))).node


def _shifted(z: Expr, axes: Sequence[int]) -> Expr:
    """Z minus its largest along the axes; the shift cancels, so differentiation may hold it constant."""
    return z - e.broadcast(e.stop_gradient(e.max(z, axes)), z.shape, axes)


def _is_shifted(z: Node) -> bool:
    if z.primitive != "subtract" or z.inputs[1].primitive != "broadcast":
        return False
    held = z.inputs[1].inputs[0]
    return (
        held.primitive == "stop_gradient"
        and held.inputs[0].primitive == "max"
        and held.inputs[0].inputs[0] is z.inputs[0]
    )


def _log_of_broadcast(node: Node, _: Context) -> Node | None:
    """The logarithm of something repeated is taken once and repeated."""
    (x,) = node.inputs
    if x.primitive != "broadcast":
        return None
    return e.broadcast(e.log(Expr(x.inputs[0])), x.tensor.shape, x.integers("axes")).node


STABLE_RULES: Final[tuple[Rule, ...]] = (
    Rule("softmax with its largest score taken off", ("divide",), _softmax),
    Rule("log of a sum of exponentials with the largest taken off", ("log",), _log_of_sum),
    Rule("log of a repeated value", ("log",), _log_of_broadcast),
    identity("log(exp(x) / y) -> x - log y", call("log", call("exp", _x) / _y), _x - call("log", _y)),
    identity("log(exp x) -> x", call("log", call("exp", _x)), _x),
    identity("log(sigmoid x) -> -softplus(-x)", call("log", call("sigmoid", _x)), -call("softplus", -_x)),
    identity("log(1 - sigmoid x) -> -softplus(x)", call("log", 1 - call("sigmoid", _x)), -call("softplus", _x)),
    identity("log(1 + exp x) -> softplus x", call("log", 1 + call("exp", _x)), call("softplus", _x)),
    identity("log1p(exp x) -> softplus x", call("log1p", call("exp", _x)), call("softplus", _x)),
    identity("1 / (1 + exp(-x)) -> sigmoid x", 1 / (1 + call("exp", -_x)), call("sigmoid", _x)),
    identity("exp(x) - 1 -> expm1 x", call("exp", _x) - 1, call("expm1", _x)),
    identity("log(1 + x) -> log1p x", call("log", 1 + _x), call("log1p", _x)),
)
