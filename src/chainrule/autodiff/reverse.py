"""Reverse mode, graph to graph: each node's adjoint is computed once and shared."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from chainrule.autodiff.derivatives import ABSENT, DERIVATIVES, NO_DERIVATIVE, Adjoint
from chainrule.errors import DerivativeError, ShapeError
from chainrule.graph import expr as e
from chainrule.graph.expr import Expr
from chainrule.graph.node import Node, depends_on, topological


def adjoints(output: Node, wrt: Sequence[Node], seed: Node | None = None) -> dict[Node, Node]:
    """∂(seed · output)/∂v for every node v between `wrt` and the output.

    Args:
        output: what is differentiated; any shape.
        wrt: the nodes asked for; what they cannot change is not visited.
        seed: the adjoint of the output, of its type; 1 everywhere by default, so that an output of one row per
            sample gives each sample's own adjoints.

    Returns: the adjoint of each node that both depends on `wrt` and changes the output; a node missing here has
        adjoint 0.

    Raises: DerivativeError when an integer or a bool is asked for, or a primitive on the way has no derivative.
    """
    for node in wrt:
        if not node.tensor.is_float:
            raise DerivativeError(f"{node.label} is {node.type}, which has no derivative; ask for a float value")
    if not output.tensor.is_float:
        raise DerivativeError(f"the output is {output.type}, which has no derivative; differentiate a float value")
    start = Expr(seed) if seed is not None else e.constant(1.0, output.tensor)
    if start.type != output.type:
        raise ShapeError(f"the seed is {start.type}, and the output is {output.type}; give the output's type")
    active = depends_on([output], wrt)
    found: dict[Node, Expr] = {output: start} if output in active else {}
    for node in reversed(topological([output])):
        if node in found and node in active:
            for source, adjoint in zip(node.inputs, _vjp(node, found[node]), strict=True):
                if source in active and isinstance(adjoint, Expr):
                    found[source] = found[source] + adjoint if source in found else adjoint
    return {node: adjoint.node for node, adjoint in found.items()}


def gradients(output: Node, wrt: Sequence[Node], seed: Node | None = None) -> list[Node]:
    """∂(seed · output)/∂v for each v in `wrt`; a constant 0 where v changes nothing.

    Example: the gradient of x² with respect to x is 2 x:
        >>> from chainrule.graph import expr as e
        >>> x = e.variable("x", "float64")
        >>> gradients((x**2).node, [x.node])[0] is (e.like(1.0, x) * (2.0 * x)).node
        True
    """
    found = adjoints(output, wrt, seed)
    return [found[node] if node in found else e.constant(0.0, node.tensor).node for node in wrt]


def _vjp(node: Node, dy: Expr) -> tuple[Adjoint, ...]:
    rule = DERIVATIVES.get(node.primitive)
    if rule is None:
        raise DerivativeError(f"{node.primitive} has no derivative yet: {ABSENT[node.primitive]}")
    if node.primitive in ("input", "constant"):
        return ()
    return rule(dy, Expr(node), *_operands(node.inputs), **dict(node.attributes))


def _operands(inputs: Iterable[Node]) -> list[Expr]:
    return [Expr(node) for node in inputs]


def is_differentiable(node: Node, position: int) -> bool:
    """Whether the derivative table gives this input of the node an adjoint other than NO_DERIVATIVE."""
    if not node.tensor.is_float:
        return False
    return _vjp(node, e.constant(1.0, node.tensor))[position] is not NO_DERIVATIVE
