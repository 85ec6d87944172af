"""A graph as a schedule: which row of the table runs when, on which values, and when a value is let go."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final, TypeAlias

import msgspec

from chainrule.backends.protocol import Array
from chainrule.backends.reference.table import ABSENT, COMPLEX_ABSENT, TABLE
from chainrule.errors import BackendError
from chainrule.graph.node import Attribute, Graph, Node
from chainrule.graph.tensor_type import Size, TensorType, concrete

Values: TypeAlias = "list[Any]"  # one place for each node, empty (None) before and after use
Action: TypeAlias = Callable[[Values], None]

BOUND_KEPT: Final = 4  # a full batch, the last one, and the same for validation


class Instruction(msgspec.Struct, frozen=True):
    """Computes one node; then the places in `release` are not needed any more."""

    node: Node
    action: Action
    release: tuple[int, ...]


class Bound(msgspec.Struct, frozen=True):
    """A schedule in which every named size is a number.

    Attributes:
        fixed: the values that depend on no input, in their places.
        instructions: what to do, in order.
    """

    fixed: Values
    instructions: tuple[Instruction, ...]


class Plan:
    """The schedule of one graph.

    Raises: BackendError when the graph holds a primitive that the table lacks.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self._nodes = tuple(dict.fromkeys((*graph.inputs, *graph.nodes)))
        self._place = {node: place for place, node in enumerate(self._nodes)}
        self._inputs = {node.label: self._place[node] for node in graph.inputs}
        self._outputs = {name: self._place[node] for name, node in graph.outputs}
        self._varying = _varying(self._nodes)
        self._release = self._last_uses()
        self._bound: OrderedDict[tuple[tuple[str, int], ...], Bound] = OrderedDict()
        for node in self._nodes:
            if node.primitive != "input" and node.primitive not in TABLE:
                reason = ABSENT.get(node.primitive, "it is not in the table")
                raise BackendError(f"the reference backend cannot run {node.primitive}: {reason}")

    def bind(self, sizes: Mapping[str, int]) -> Bound:
        """The schedule for these sizes; the last few are kept."""
        key = tuple(sorted(sizes.items()))
        bound = self._bound.pop(key, None) or self._bind(dict(sizes))
        self._bound[key] = bound
        while len(self._bound) > BOUND_KEPT:
            self._bound.popitem(last=False)
        return bound

    def execute(self, bound: Bound, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """Every output, as it comes: perhaps a NumPy scalar, a view of an input, or shared between calls."""
        values = self._filled(bound, inputs)
        for instruction in bound.instructions:
            instruction.action(values)
            for place in instruction.release:
                values[place] = None
        return {name: values[place] for name, place in self._outputs.items()}

    def execute_complex(self, bound: Bound, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """The same where some inputs are complex; refuses the rows that have no complex meaning."""
        values = self._filled(bound, inputs)
        for instruction in bound.instructions:
            _check_complex(instruction.node, [values[self._place[i]] for i in instruction.node.inputs])
            instruction.action(values)
            for place in instruction.release:
                values[place] = None
        return {name: values[place] for name, place in self._outputs.items()}

    def _filled(self, bound: Bound, inputs: Mapping[str, Array]) -> Values:
        values = bound.fixed.copy()
        for name, place in self._inputs.items():
            values[place] = inputs[name]
        return values

    def _bind(self, sizes: dict[str, int]) -> Bound:
        fixed: Values = [None] * len(self._nodes)
        instructions: list[Instruction] = []
        for node in self._nodes:
            if node.primitive == "input":
                continue
            action = self._action(node, sizes)
            if node in self._varying:
                instructions.append(Instruction(node, action, self._release.get(node, ())))
            else:
                action(fixed)
        return Bound(fixed, tuple(instructions))

    def _action(self, node: Node, sizes: dict[str, int]) -> Action:
        attributes = {name: _in_numbers(value, sizes) for name, value in node.attributes}
        row = partial(TABLE[node.primitive], **attributes) if attributes else TABLE[node.primitive]
        return _assign(row, tuple(self._place[i] for i in node.inputs), self._place[node])

    def _last_uses(self) -> dict[Node, tuple[int, ...]]:
        """For each node, the places read there for the last time; what the graph returns is never let go."""
        last: dict[Node, Node] = {}
        for node in self._nodes:
            if node in self._varying:
                last.update(dict.fromkeys((*node.inputs, node), node))
        result: dict[Node, tuple[int, ...]] = {}
        kept = set(self.graph.results)
        for node, user in last.items():
            if node not in kept:
                result[user] = (*result.get(user, ()), self._place[node])
        return result


def _varying(nodes: Sequence[Node]) -> set[Node]:
    """The nodes that depend on an input; the others have one value for given sizes."""
    result: set[Node] = set()
    for node in nodes:
        if node.primitive == "input" or any(i in result for i in node.inputs):
            result.add(node)
    return result


def _assign(row: Callable[..., Any], sources: tuple[int, ...], target: int) -> Action:
    """values[target] = row(*values at sources), without a loop for one and two operands."""
    if len(sources) == 1:
        (one,) = sources

        def unary(values: Values) -> None:
            values[target] = row(values[one])

        return unary
    if len(sources) == 2:
        left, right = sources

        def binary(values: Values) -> None:
            values[target] = row(values[left], values[right])

        return binary

    def several(values: Values) -> None:
        values[target] = row(*[values[place] for place in sources])

    return several


def _in_numbers(value: Attribute, sizes: dict[str, int]) -> Attribute:
    """The attribute with the value of every named size in its place."""
    if isinstance(value, Size):
        return concrete((value,), sizes)[0]
    if isinstance(value, TensorType):
        return value.with_shape(concrete(value.shape, sizes))
    if isinstance(value, tuple):
        return tuple(_in_numbers(each, sizes) for each in value)
    return value


def _check_complex(node: Node, operands: Sequence[Array]) -> None:
    if not any(operand.dtype.kind == "c" for operand in operands):
        return
    if node.primitive in COMPLEX_ABSENT:
        raise BackendError(f"{node!r} has no complex value: {COMPLEX_ABSENT[node.primitive]}")
    if node.primitive == "cast" and node["dtype"] != "float64":
        raise BackendError(f"{node!r} has no complex value: only float64 has a complex partner; retype the graph first")
