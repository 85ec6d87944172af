"""The same computation in another float dtype, such as float64 to explain what was trained in float32."""

from __future__ import annotations

from chainrule.errors import DTypeError
from chainrule.graph.node import Graph, Node, transform
from chainrule.graph.primitives import apply, rebuild
from chainrule.graph.tensor_type import FLOATS, DType


def retype(graph: Graph, dtype: DType) -> Graph:
    """The graph with every float32 and float64 in it made `dtype`: inputs, constants, casts and bodies of loops.

    A cast between the two has nothing left to do and goes. Constants keep the number that was written, so 0.1 becomes
    the float64 nearest to 0.1 and not the float32. Facts and names stay.

    Raises: DTypeError for a dtype other than float32 and float64.
    """
    if dtype not in FLOATS:
        raise DTypeError(f"a computation runs in float32 or float64, not in {dtype}; choose one of the two")

    def change(node: Node, inputs: tuple[Node, ...]) -> Node:
        return _retyped(node, inputs, dtype)

    image = transform((*graph.inputs, *graph.results), change)
    outputs = tuple((name, image[node]) for name, node in graph.outputs)
    return Graph(tuple(image[node] for node in graph.inputs), outputs, graph.facts)


def _retyped(node: Node, inputs: tuple[Node, ...], dtype: DType) -> Node:
    attributes = dict(node.attributes)
    if node.primitive in ("input", "constant") and node.tensor.is_float:
        return apply(node.primitive, **(attributes | {"type": node.tensor.with_dtype(dtype)}))
    if node.primitive == "cast" and node["dtype"] in FLOATS:
        return inputs[0] if inputs[0].tensor.dtype == dtype else apply("cast", *inputs, dtype=dtype)
    if node.primitive == "scan":
        body = attributes["body"]
        assert isinstance(body, Graph)
        return apply("scan", *inputs, **(attributes | {"body": retype(body, dtype)}))
    return rebuild(node, inputs)
