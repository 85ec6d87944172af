"""Is this graph well formed: may stand at the door of every pass."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from chainrule.errors import ChainruleError, GraphError
from chainrule.graph.facts import Fact
from chainrule.graph.node import Attribute, Graph, Node, intern, topological
from chainrule.graph.primitives import PRIMITIVES, infer
from chainrule.graph.tensor_type import Size, TensorType, product


def verify(graph: Graph) -> Graph:
    """The graph itself, if it is well formed; bodies of loops are looked at too.

    Every node is of a known primitive, has its attributes in order and the type that follows from its inputs, exists
    once, and comes after its inputs; every input is listed; names are unique; facts are of inputs and fit their types.

    Raises: GraphError that names the node, input or output and what is wrong with it.
    """
    pending, seen = [graph], {graph}
    while pending:
        for body in _verify_one(pending.pop()):
            if body not in seen:
                seen.add(body)
                pending.append(body)
    return graph


def _verify_one(graph: Graph) -> list[Graph]:
    """Check one graph; returns the bodies in it."""
    nodes = topological((*graph.inputs, *graph.results))
    _verify_order(nodes)
    for node in nodes:
        _verify_node(node)
    _verify_names(graph)
    _verify_inputs(graph, nodes)
    _verify_facts(graph)
    return [value for node in nodes for _, value in node.attributes if isinstance(value, Graph)]


def _verify_order(nodes: Sequence[Node]) -> None:
    done: set[Node] = set()
    for node in nodes:
        for source in node.inputs:
            if source not in done:
                raise GraphError(f"{_short(node)} depends on itself through {_short(source)}")
        done.add(node)


def _short(node: Node) -> str:
    return f"{node.primitive} of type {node.type}"


def _verify_node(node: Node) -> None:
    row = PRIMITIVES.get(node.primitive)
    if row is None:
        raise GraphError(f"{_short(node)} is of no known primitive")
    names = tuple(name for name, _ in node.attributes)
    if names != row.attributes:
        raise GraphError(f"{_short(node)} has the attributes {names}, and {row.attributes} are wanted")
    for name, value in node.attributes:
        _verify_attribute(node, name, value)
    try:
        inferred = infer(row, tuple(i.type for i in node.inputs), dict(node.attributes))
    except ChainruleError as error:
        raise GraphError(f"{_short(node)} is not well formed: {error}") from error
    if inferred != node.type:
        raise GraphError(f"{_short(node)} should have the type {inferred}")
    if intern(node.primitive, node.inputs, node.attributes, node.type) is not node:
        raise GraphError(f"{_short(node)} is a second copy of one node; make nodes with primitives.apply")


def _verify_attribute(node: Node, name: str, value: Attribute) -> None:
    parts = [value]
    while parts:
        part = parts.pop()
        if isinstance(part, tuple):
            parts.extend(part)
        elif isinstance(part, TensorType):
            parts.extend(part.shape)
        elif isinstance(part, Size):
            if part != product([part]) or not part.symbols:
                raise GraphError(
                    f"{_short(node)}: the size {part!r} in {name} is not in its one form, {product([part])}"
                )
        elif type(part) not in (bool, int, float, str, Graph):
            raise GraphError(
                f"{_short(node)}: {name} holds {part!r}, a {type(part).__name__}; only plain values may be"
            )


def _verify_names(graph: Graph) -> None:
    for what, names in (("inputs", graph.input_names), ("outputs", graph.output_names)):
        for name, times in Counter(names).items():
            if times > 1:
                raise GraphError(f"{times} {what} are named {name}; rename all but one")
            if not name:
                raise GraphError(f"one of the {what} has an empty name; give it one")


def _verify_inputs(graph: Graph, nodes: Sequence[Node]) -> None:
    listed = set(graph.inputs)
    for node in graph.inputs:
        if node.primitive != "input":
            raise GraphError(f"{_short(node)} is listed as an input, and is none")
    for node in nodes:
        if node.primitive == "input" and node not in listed:
            raise GraphError(f"input {node.label} of type {node.type} is used and not listed among the inputs")
    for name, node in graph.outputs:
        if not isinstance(node.type, TensorType):
            raise GraphError(f"output {name} is {_short(node)}, several values; read one of them with item")


# ---- facts ----

_OF_ROWS: Final = frozenset({Fact.ROWS_SUM_TO_ONE, Fact.ONE_HOT})
_UNSIGNED: Final = frozenset({"bool", "uint8", "uint32"})


def _verify_facts(graph: Graph) -> None:
    known = {node.label: node.tensor for node in graph.inputs}
    for name, times in Counter(name for name, _ in graph.facts).items():
        if name not in known:
            raise GraphError(f"facts are assumed of {name}, which is no input; known are {', '.join(known) or 'none'}")
        if times > 1:
            raise GraphError(f"the facts of {name} are given {times} times; give them once")
    for name, facts in graph.facts:
        for fact in facts:
            _verify_fact(name, known[name], fact)
        if {Fact.NEGATIVE} < set(facts) and set(facts) & _NOT_NEGATIVE:
            raise GraphError(f"{name} is assumed to be {' and '.join(facts)}, which cannot be")


_NOT_NEGATIVE: Final = frozenset(
    {Fact.POSITIVE, Fact.NONNEGATIVE, Fact.BINARY, Fact.LABELS, Fact.ONE_HOT, Fact.ROWS_SUM_TO_ONE}
)


def _verify_fact(name: str, kind: TensorType, fact: Fact) -> None:
    if type(fact) is not Fact:
        raise GraphError(f"{fact!r}, assumed of {name}, is no fact; use a member of graph.facts.Fact")
    if fact in _OF_ROWS and not kind.shape:
        raise GraphError(f"{name} is {kind}, which has no rows, and is assumed to have {fact}")
    if fact is Fact.NEGATIVE and kind.dtype in _UNSIGNED:
        raise GraphError(f"{name} is {kind}, which cannot be negative, and is assumed to be")
    if fact is Fact.LABELS and kind.dtype == "bool":
        raise GraphError(f"{name} is {kind}, and labels are whole numbers; use int32")
