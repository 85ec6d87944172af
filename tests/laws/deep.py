"""Deep networks with a loss, and every pass over them: for laws about how work grows, and about order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from chainrule.autodiff.reverse import gradients
from chainrule.autodiff.simplify import simplify
from chainrule.autodiff.stabilize import stabilize
from chainrule.autodiff.tidy import tidy
from chainrule.graph import expr as e
from chainrule.graph.expr import Expr
from chainrule.graph.facts import Fact
from chainrule.graph.node import Graph, make_graph
from chainrule.graph.tensor_type import named
from chainrule.graph.text import to_text

N: Final = named("n")


def relu(z: Expr) -> Expr:
    return e.maximum(z, 0.0)


def gelu(z: Expr) -> Expr:
    return z * (0.5 * (1.0 + e.erf(z / 2.0**0.5)))


def normalized(z: Expr) -> Expr:
    centered = z - e.mean(z, -1, keepdims=True)
    return relu(centered / e.sqrt(e.mean(centered**2, -1, keepdims=True) + 1e-5))


def softmax(z: Expr) -> Expr:
    return e.exp(z) / e.sum(e.exp(z), -1, keepdims=True)


# The layer's function, and whether the layer's input is added to it.
KINDS: Final[dict[str, tuple[Callable[[Expr], Expr], bool]]] = {
    "dense relu": (relu, False),
    "residual relu": (relu, True),
    "dense tanh": (e.tanh, False),
    "residual gelu": (gelu, True),
    "residual normalized": (normalized, True),
    "softmax of softmax": (softmax, False),
}


def network(kind: str, depth: int) -> Graph:
    """The mean cross-entropy of so many layers of width 8."""
    function, adds = KINDS[kind]
    x, y = e.variable("x", "float32", (N, 8)), e.variable("y", "float32", (N, 8))
    a = x
    for k in range(depth):
        layer = function(a @ e.variable(f"W{k}", "float32", (8, 8)) + e.variable(f"b{k}", "float32", (8,)))
        a = a + layer if adds else layer
    loss = e.mean(-e.sum(y * e.log(softmax(a)), -1))
    return make_graph({"loss": loss.node}, facts={"y": [Fact.ROWS_SUM_TO_ONE]})


def differentiated(graph: Graph) -> Graph:
    """The loss with its gradient for each parameter."""
    wrt = [x for x in graph.inputs if x.label not in "xy"]
    found = gradients(graph["loss"], wrt)
    slopes = {f"d{x.label}": gradient for x, gradient in zip(wrt, found, strict=True)}
    return make_graph({"loss": graph["loss"], **slopes}, graph.inputs, dict(graph.facts))


def step_graph(kind: str, depth: int) -> Graph:
    """What runs: built, made safe, differentiated, tidied."""
    return tidy(differentiated(stabilize(network(kind, depth))))


def texts() -> str:
    """Every pass over every kind of network, as text, with the trails."""
    parts: list[str] = []
    for kind in KINDS:
        simple, trail = simplify(differentiated(network(kind, 2)))
        steps = [(step.rule, [(str(fact), repr(node)) for fact, node in step.facts]) for step in trail]
        parts += [to_text(step_graph(kind, 2)), to_text(simple), repr(steps)]
    return "\n".join(parts)
