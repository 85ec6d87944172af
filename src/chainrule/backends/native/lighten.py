"""Rewrites a graph so that its values cost less on a processor: fewer divisions, fewer values to keep, full vectors."""

from __future__ import annotations

from collections.abc import Mapping

from chainrule.backends.native.layout import HALF, Sizes
from chainrule.backends.native.tiles import MOST_ROWS
from chainrule.graph.node import Graph, Node, transform
from chainrule.graph.primitives import apply, rebuild
from chainrule.graph.tensor_type import TensorType


def lighten(graph: Graph, sizes: Sizes) -> Graph:
    """A graph with the same inputs and outputs.

    - x / s, where all rows of x are divided by the same numbers s, becomes x · (1 / s), which is within 1.5 ulp for s
      from 2⁻¹²⁶ to 2¹²⁶: a division takes ten times as long as a multiplication.
    - z > c becomes max(z, c) > c where max(z, c) is computed too: then z need not be kept, nor what came of it.
    - Xᵀ D of 2 to 7 columns, summed over many rows, becomes (Dᵀ X)ᵀ, since a row of it would not fill a vector; each
      element is the same chain of additions.
    """
    clipped = {node.inputs: node for node in graph.nodes if node.primitive == "maximum"}

    def change(node: Node, inputs: tuple[Node, ...]) -> Node:
        if node.primitive == "divide" and _is_shared(node.inputs[1]):
            return apply("multiply", inputs[0], _reciprocal(inputs[1]))
        if node.primitive == "greater" and node.inputs in clipped:
            return apply("greater", apply("maximum", *inputs), inputs[1])
        if _is_narrow(node, sizes):
            left, right = inputs
            (tall,) = left.inputs
            return _turned(apply("matmul", _turned(right), tall))
        return rebuild(node, inputs)

    image: Mapping[Node, Node] = transform(graph.results, change)
    return Graph(graph.inputs, tuple((name, image[node]) for name, node in graph.outputs), graph.facts)


def _turned(matrix: Node) -> Node:
    return apply("transpose", matrix, permutation=(1, 0))


def _is_narrow(node: Node, sizes: Sizes) -> bool:
    if node.primitive != "matmul" or node.tensor.rank != 2 or node.inputs[0].primitive != "transpose":
        return False
    (rows, columns), depth = sizes.extents(node.tensor.shape), sizes.extent(node.inputs[1].tensor.shape[0])
    is_narrow = rows.is_fixed and columns.is_fixed and 1 < columns.most < HALF <= rows.most
    return is_narrow and depth.most >= 2 * MOST_ROWS


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
