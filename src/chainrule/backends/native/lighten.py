"""Rewrites a graph so that its values cost less on a processor: fewer divisions, fewer values to keep."""

from __future__ import annotations

from collections.abc import Mapping

from chainrule.graph.node import Graph, Node, transform
from chainrule.graph.primitives import apply, rebuild
from chainrule.graph.tensor_type import TensorType


def lighten(graph: Graph) -> Graph:
    """A graph with the same inputs and outputs.

    - x / s, where all rows of x are divided by the same numbers s, becomes x · (1 / s), which is within 1.5 ulp for s
      from 2⁻¹²⁶ to 2¹²⁶: a division takes ten times as long as a multiplication.
    - z > c becomes max(z, c) > c where max(z, c) is computed too: then z need not be kept, nor what came of it.
    """
    clipped = {node.inputs: node for node in graph.nodes if node.primitive == "maximum"}

    def change(node: Node, inputs: tuple[Node, ...]) -> Node:
        if node.primitive == "divide" and _is_shared(node.inputs[1]):
            return apply("multiply", inputs[0], _reciprocal(inputs[1]))
        if node.primitive == "greater" and node.inputs in clipped:
            return apply("greater", apply("maximum", *inputs), inputs[1])
        return rebuild(node, inputs)

    image: Mapping[Node, Node] = transform(graph.results, change)
    return Graph(graph.inputs, tuple((name, image[node]) for name, node in graph.outputs), graph.facts)


def _is_shared(divisor: Node) -> bool:
    """Whether a divisor is the same in every row."""
    if divisor.primitive != "broadcast" or not divisor.tensor.dtype.startswith("float"):
        return False
    new = divisor["axes"]
    return isinstance(new, tuple) and 0 in new and divisor.tensor.shape[0] != 1


def _reciprocal(divisor: Node) -> Node:
    """1 / s, broadcast as s was."""
    (source,) = divisor.inputs
    one = apply("constant", value=1.0, type=TensorType(source.tensor.dtype, source.tensor.shape))
    return rebuild(divisor, (apply("divide", one, source),))
