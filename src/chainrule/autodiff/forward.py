"""Forward mode as the transpose of the transpose: no second table of derivatives.

The vector-Jacobian product u ↦ uᵀJ is linear in u, so its own vector-Jacobian product with ẋ is J ẋ, whatever u is.
For witnesses and directional derivatives, never in training.
Source: Jamie Townsend, "A new trick for calculating Jacobian vector products", 2017.
"""

from __future__ import annotations

from collections.abc import Mapping

from chainrule.autodiff.reverse import gradients
from chainrule.errors import ShapeError
from chainrule.graph import expr as e
from chainrule.graph.expr import Expr
from chainrule.graph.node import Node, topological, transform
from chainrule.graph.primitives import apply, rebuild


def jvp(output: Node, tangents: Mapping[Node, Node]) -> Node:
    """The tangent of the output, J ẋ, when each node v of `tangents` moves along v̇.

    Returns: a node of the output's type.

    Raises: ShapeError when a tangent is not of its node's type.
    """
    for node, tangent in tangents.items():
        if node.type != tangent.type:
            raise ShapeError(f"the tangent of {node.label} is {tangent.type}, and must be {node.type}")
    used = [node.label for node in topological([output, *tangents.values()])]
    dual = apply("input", name=_fresh("dual", used), type=output.tensor)
    pulled = gradients(output, list(tangents), seed=dual)
    terms = [e.sum(Expr(p) * Expr(t)) for p, t in zip(pulled, tangents.values(), strict=True)]
    if not terms:
        return e.constant(0.0, output.tensor).node
    total = terms[0]
    for term in terms[1:]:
        total = total + term
    (tangent,) = gradients(total.node, [dual])
    return _without(tangent, dual)


def _fresh(name: str, used: list[str]) -> str:
    taken = set(used)
    while name in taken:
        name += "_"
    return name


def _without(tangent: Node, dual: Node) -> Node:
    """The tangent with the dual set to 0: it is linear in the dual, so its derivative does not depend on it."""
    zero = e.constant(0.0, dual.tensor).node
    image = transform([tangent], lambda node, inputs: zero if node is dual else rebuild(node, inputs))
    return image[tangent]
