"""How the planner sees each primitive: computed element by element, only moved about, reduced, or multiplied."""

from __future__ import annotations

from typing import Final

from chainrule.backends.native.layout import Extent, Sizes
from chainrule.errors import BackendError
from chainrule.graph.node import Graph, Node
from chainrule.graph.primitives import PRIMITIVES
from chainrule.graph.tensor_type import TensorType

# What is read at another index, or needs no memory, and so is never worth a buffer of its own.
MOVED: Final = frozenset(
    {
        "constant",
        "size",
        "iota",
        "broadcast",
        "reshape",
        "transpose",
        "slice",
        "pad",
        "concatenate",
        "stop_gradient",
    }
)

TURNS: Final = 4  # of a sum: so many vectors are added to by turns
RESUMED: Final = {"sum": TURNS, "max": 1}  # reductions that can go on later, and how many vectors wait till then

# Done again rather than kept where nothing but inputs is read.
CHEAP: Final = frozenset(
    {
        "add",
        "subtract",
        "multiply",
        "negate",
        "maximum",
        "minimum",
        "abs",
        "greater",
        "greater_equal",
        "equal",
        "logical_and",
        "logical_not",
        "select",
        "cast",
    }
)

ABSENT: Final[dict[str, str]] = {
    "scan": "loops are reserved; they arrive with recurrent layers",
    "item": "it reads an output of scan, and loops are reserved; they arrive with recurrent layers",
}


def check(graph: Graph) -> None:
    """Refuse a graph that holds a primitive the backend lacks.

    Raises: BackendError with the reason.
    """
    for node in graph.nodes:
        if node.primitive in ABSENT:
            raise BackendError(f"the native backend cannot run {node.primitive}: {ABSENT[node.primitive]}")


def axes_of(node: Node) -> tuple[int, ...]:
    """The axes a reduction runs along."""
    if node.primitive == "argmax":
        axis = node["axis"]
        assert isinstance(axis, int)
        return (axis,)
    return integers(node, "axes")


def integers(node: Node, attribute: str) -> tuple[int, ...]:
    """An attribute that is a tuple of whole numbers."""
    value = node[attribute]
    assert isinstance(value, tuple)
    return tuple(v for v in value if isinstance(v, int))


def integer(node: Node, attribute: str) -> int:
    """An attribute that is one whole number."""
    value = node[attribute]
    assert isinstance(value, int)
    return value


def space(type_: TensorType, sizes: Sizes) -> tuple[Extent, ...]:
    """The lengths of the axes that take part."""
    return tuple(extent for extent in sizes.extents(type_.shape) if not extent.is_one)


def loop_space(node: Node, sizes: Sizes) -> tuple[Extent, ...]:
    """The indices at which a node is computed: those of its result, of a reduction those of its input."""
    return space((node.inputs[0] if is_reduction(node) else node).tensor, sizes)


def is_reduction(node: Node) -> bool:
    """Whether the node combines the elements along axes."""
    return PRIMITIVES[node.primitive].kind == "reduction"


def is_product(node: Node) -> bool:
    """Whether the node is a product of matrices."""
    return node.primitive == "matmul"


def is_trivial(node: Node, sizes: Sizes) -> bool:
    """Whether a reduction runs along axes of length 1 only, and so does nothing."""
    if not is_reduction(node):
        return False
    shape = node.inputs[0].tensor.shape
    return all(sizes.extent(shape[axis]).is_one for axis in axes_of(node))


def is_moved(node: Node, sizes: Sizes) -> bool:
    """Whether the node is read through, at the cost of an index."""
    return node.primitive in MOVED or is_trivial(node, sizes)


def keeps_index(node: Node, sizes: Sizes) -> bool:
    """Whether a moved node has the elements of its one input at the same places."""
    if node.primitive == "stop_gradient" or is_trivial(node, sizes):
        return node.primitive != "argmax"
    if node.primitive != "reshape":
        return False
    return space(node.tensor, sizes) == space(node.inputs[0].tensor, sizes)
