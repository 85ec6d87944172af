"""Immutable, hash-consed nodes, the graphs made of them, and how to walk and change them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Container, Hashable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final, NoReturn, TypeAlias
from weakref import WeakValueDictionary

import msgspec

from chainrule.errors import GraphError, UnknownNameError
from chainrule.graph.tensor_type import AnyType, Size, TensorType

if TYPE_CHECKING:
    from chainrule.graph.facts import Fact

Attribute: TypeAlias = "bool | int | float | str | Size | TensorType | Graph | tuple[Attribute, ...]"
Attributes: TypeAlias = tuple[tuple[str, Attribute], ...]


class Node:
    """One value of a computation: a primitive applied to other nodes.

    Two nodes with the same primitive, inputs and attributes are the same object, so equality is identity and a
    common subexpression exists once. Make nodes with `primitives.apply`, which infers the type.
    """

    __slots__ = ("__weakref__", "attributes", "inputs", "primitive", "type")

    primitive: str
    inputs: tuple[Node, ...]
    attributes: Attributes
    type: AnyType

    def __init__(self, primitive: str, inputs: tuple[Node, ...], attributes: Attributes, type_: AnyType) -> None:
        write = object.__setattr__
        write(self, "primitive", primitive)
        write(self, "inputs", inputs)
        write(self, "attributes", attributes)
        write(self, "type", type_)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"a node is immutable: {name} cannot be set")

    def __repr__(self) -> str:
        inner = ", ".join([i.label for i in self.inputs] + [f"{k}={v}" for k, v in self.attributes])
        return f"{self.primitive}({inner}): {self.type}"

    def __reduce__(self) -> NoReturn:
        raise GraphError("a node is not pickled; write the graph as text with graph.text.to_text")

    def __getitem__(self, attribute: str) -> Attribute:
        """The attribute of that name."""
        for name, value in self.attributes:
            if name == attribute:
                return value
        raise UnknownNameError(f"attribute of {self.primitive}", attribute, [name for name, _ in self.attributes])

    def integer(self, attribute: str) -> int:
        """The attribute of that name, a whole number: the start of a slice."""
        value = self[attribute]
        assert isinstance(value, int)
        return value

    def integers(self, attribute: str) -> tuple[int, ...]:
        """The attribute of that name, several whole numbers: the axes of a sum."""
        value = self[attribute]
        assert isinstance(value, tuple)
        return tuple(each for each in value if isinstance(each, int))

    @property
    def label(self) -> str:
        """The name of an input, else the primitive."""
        return str(self["name"]) if self.primitive == "input" else self.primitive

    @property
    def tensor(self) -> TensorType:
        """The type of a node that is one tensor.

        Raises: GraphError for a node with several outputs.
        """
        if isinstance(self.type, TensorType):
            return self.type
        raise GraphError(f"{self!r} has several outputs; read one of them with item")


_interned: Final[WeakValueDictionary[Hashable, Node]] = WeakValueDictionary()
_lock: Final = threading.Lock()


def intern(primitive: str, inputs: tuple[Node, ...], attributes: Attributes, type_: AnyType) -> Node:
    """The one node with these parts."""
    key = (primitive, inputs, tuple((name, _exact(value)) for name, value in attributes), type_)
    with _lock:
        node = _interned.get(key)
        if node is None:
            node = _interned[key] = Node(primitive, inputs, attributes, type_)
    return node


def _exact(value: Attribute) -> Hashable:
    """A key that tells 1 from 1.0 and True, and 0.0 from -0.0, which are equal in Python."""
    if isinstance(value, float):
        return value.hex()
    if isinstance(value, tuple):
        return tuple(_exact(v) for v in value)
    return (type(value).__name__, value)


class Graph(msgspec.Struct, frozen=True):
    """A computation: named inputs, named outputs, and what is known of the inputs.

    Attributes:
        inputs: the input nodes in order, each with its own name.
        outputs: (name, node) pairs in order.
        facts: (input name, what is known of it) pairs; checked where data enters, not here.
    """

    inputs: tuple[Node, ...]
    outputs: tuple[tuple[str, Node], ...]
    facts: tuple[tuple[str, tuple[Fact, ...]], ...] = ()

    def __getitem__(self, output: str) -> Node:
        """The output of that name."""
        for name, node in self.outputs:
            if name == output:
                return node
        raise UnknownNameError("output", output, self.output_names)

    @property
    def output_names(self) -> tuple[str, ...]:
        """The names of the outputs in order."""
        return tuple(name for name, _ in self.outputs)

    @property
    def input_names(self) -> tuple[str, ...]:
        """The names of the inputs in order."""
        return tuple(node.label for node in self.inputs)

    @property
    def results(self) -> tuple[Node, ...]:
        """The output nodes in order."""
        return tuple(node for _, node in self.outputs)

    @property
    def nodes(self) -> tuple[Node, ...]:
        """Every node the outputs need, each after its inputs."""
        return topological(self.results)

    def input(self, name: str) -> Node:
        """The input node of that name."""
        for node in self.inputs:
            if node.label == name:
                return node
        raise UnknownNameError("input", name, self.input_names)

    def assumed(self) -> dict[Node, tuple[Fact, ...]]:
        """What is known of each input node."""
        return {self.input(name): facts for name, facts in self.facts}

    def with_outputs(self, outputs: Mapping[str, Node]) -> Graph:
        """The same inputs and facts with other outputs."""
        return Graph(self.inputs, tuple(outputs.items()), self.facts)


def make_graph(
    outputs: Mapping[str, Node], inputs: Iterable[Node] = (), facts: Mapping[str, Iterable[Fact]] | None = None
) -> Graph:
    """A graph of these outputs, whose inputs are the ones named first, then any others in the order they are met.

    Raises: GraphError when two different inputs bear one name.
    """
    listed = list(dict.fromkeys(inputs))
    met = [node for node in topological(outputs.values()) if node.primitive == "input"]
    ordered = tuple(dict.fromkeys(listed + met))
    seen: dict[str, Node] = {}
    for node in ordered:
        if seen.setdefault(node.label, node) is not node:
            raise GraphError(f"two inputs are named {node.label}: {seen[node.label].type} and {node.type}; rename one")
    known = {name: tuple(each) for name, each in (facts or {}).items() if name in seen}
    return Graph(ordered, tuple(outputs.items()), tuple(known.items()))


def topological(outputs: Iterable[Node]) -> tuple[Node, ...]:
    """Every node reachable from the outputs, inputs first.

    The order follows from the structure alone (depth first, left to right), so it does not depend on what else the
    process has built; a loop instead of recursion, so depth is not limited.
    """
    order: list[Node] = []
    done: set[Node] = set()
    stack: list[tuple[Node, Iterator[Node]]] = []
    for output in outputs:
        if output in done:
            continue
        done.add(output)
        stack.append((output, iter(output.inputs)))
        while stack:
            node, pending = stack[-1]
            for following in pending:
                if following not in done:
                    done.add(following)
                    stack.append((following, iter(following.inputs)))
                    break
            else:
                order.append(node)
                stack.pop()
    return tuple(order)


def unseen(root: Node, seen: Container[Node]) -> list[Node]:
    """The nodes under `root` that are not in `seen`, inputs first; the walk stops where it meets a seen one."""
    order: list[Node] = []
    met = {root}
    stack = [(root, iter(root.inputs))] if root not in seen else []
    while stack:
        node, pending = stack[-1]
        for following in pending:
            if following not in met and following not in seen:
                met.add(following)
                stack.append((following, iter(following.inputs)))
                break
        else:
            order.append(node)
            stack.pop()
    return order


def users(nodes: Sequence[Node]) -> dict[Node, list[Node]]:
    """For each node, the nodes that read it, in order, once per reading."""
    result: dict[Node, list[Node]] = {node: [] for node in nodes}
    for node in nodes:
        for source in node.inputs:
            result[source].append(node)
    return result


def depends_on(outputs: Iterable[Node], sources: Iterable[Node]) -> set[Node]:
    """The nodes under the outputs that some source can change, sources included."""
    reached = set(sources)
    for node in topological(outputs):
        if any(source in reached for source in node.inputs):
            reached.add(node)
    return reached


def transform(outputs: Iterable[Node], change: Callable[[Node, tuple[Node, ...]], Node]) -> dict[Node, Node]:
    """Each node's image when `change(node, images of its inputs)` is applied from the inputs up."""
    image: dict[Node, Node] = {}
    for node in topological(outputs):
        image[node] = change(node, tuple(image[i] for i in node.inputs))
    return image
