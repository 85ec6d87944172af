"""The naive referee: backpropagation number by number on a tape, in plain Python, as a textbook does it.

It shares with the package only the graph it reads. Conventions at kinks are those that `derivatives` states.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from chainrule.graph.node import Graph, Node
from chainrule.graph.tensor_type import Size, concrete

TIE: Final = 1e-9  # numbers nearer than this are equal but for rounding


class UndecidedError(Exception):
    """Which of two rounded numbers is larger depends on the rounding."""


@dataclass(eq=False, slots=True)
class Number:
    """One number, how it came about, and the derivative of the loss with respect to it.

    `weight` is the sum over all paths of the products of absolute slopes: what rounding is measured against.
    """

    value: Any
    parents: tuple[tuple[Number, float], ...] = ()
    exact: bool = False
    adjoint: float = 0.0
    weight: float = 0.0


class Referee:
    """All numbers of a graph at some inputs, in the order they were computed."""

    def __init__(self, graph: Graph, inputs: dict[str, npt.NDArray[Any]], sizes: dict[str, int]) -> None:
        self.sizes = sizes
        self.tape: list[Number] = []
        self.tensors: dict[Node, dict[tuple[int, ...], Number]] = {}
        for node in graph.nodes:
            attributes = {name: self._in_numbers(value) for name, value in node.attributes}
            operands = [self.tensors[i] for i in node.inputs]
            if node.primitive == "input":
                array = inputs[node.label]
                self.tensors[node] = {p: self.new(array[p].item(), exact=True) for p in self.places(node)}
            elif node.primitive in SCALAR:
                self.tensors[node] = {p: self.scalar(node, [x[p] for x in operands]) for p in self.places(node)}
            else:
                self.tensors[node] = TENSOR[node.primitive](self, node, *operands, **attributes)

    def new(self, value: Any, parents: Sequence[tuple[Number, float]] = (), *, exact: bool = False) -> Number:
        number = Number(value, tuple(parents), exact)
        self.tape.append(number)
        return number

    def shape(self, node: Node) -> tuple[int, ...]:
        return concrete(node.tensor.shape, self.sizes)

    def places(self, node: Node) -> Iterator[tuple[int, ...]]:
        return product(*map(range, self.shape(node)))

    def scalar(self, node: Node, operands: list[Number]) -> Number:
        if node.primitive in DECIDING:
            decide(*operands)
        value, *slopes = SCALAR[node.primitive](*(x.value for x in operands), **dict(node.attributes))
        exact = node.primitive in COPYING and all(x.exact for x in operands)
        return self.new(value, list(zip(operands, slopes, strict=False)), exact=exact)

    def backward(self, loss: Node) -> None:
        """The chain rule, from the last number to the first."""
        start = self.tensors[loss][()]
        start.adjoint = start.weight = 1.0
        for number in reversed(self.tape):
            for parent, slope in number.parents:
                parent.adjoint += number.adjoint * slope
                parent.weight += number.weight * abs(slope)

    def read(self, node: Node, what: Callable[[Number], float]) -> npt.NDArray[np.float64]:
        result = np.empty(self.shape(node))
        for place, number in self.tensors[node].items():
            result[place] = what(number)
        return result

    def _in_numbers(self, value: Any) -> Any:
        if isinstance(value, tuple):
            return tuple(self._in_numbers(each) for each in value)
        return concrete((value,), self.sizes)[0] if isinstance(value, Size) else value


def decide(x: Number, y: Number | None = None) -> None:
    """Refuse a comparison that rounding decides; a number is always equal to itself."""
    other = y or Number(0.0, exact=True)
    near = abs(x.value - other.value) <= TIE * max(1.0, abs(x.value))
    if near and x is not other and not (x.exact and other.exact):
        raise UndecidedError


def logistic(x: float) -> float:
    return 1.0 / (1.0 + math.exp(-x))


def signum(x: float) -> float:
    return float((x > 0) - (x < 0))


def cast(x: Any, dtype: str) -> tuple[Any, ...]:
    return (float(x), *((1.0,) if isinstance(x, float) else ())) if dtype.startswith("float") else (int(x),)


# The value, then the slope for each operand; operands without a slope are not differentiated.
SCALAR: Final[dict[str, Callable[..., tuple[Any, ...]]]] = {
    "add": lambda x, y: (x + y, 1.0, 1.0),
    "subtract": lambda x, y: (x - y, 1.0, -1.0),
    "multiply": lambda x, y: (x * y, y, x),
    "divide": lambda x, y: (x / y, 1.0 / y, -x / (y * y)),
    "negate": lambda x: (-x, -1.0),
    "power": lambda x, exponent: (x**exponent, exponent * x ** (exponent - 1.0)),
    "maximum": lambda x, y: (x, 1.0, 0.0) if x > y else (y, 0.0, 1.0),
    "minimum": lambda x, y: (x, 1.0, 0.0) if x < y else (y, 0.0, 1.0),
    "exp": lambda x: (math.exp(x), math.exp(x)),
    "log": lambda x: (math.log(x), 1.0 / x),
    "expm1": lambda x: (math.expm1(x), math.exp(x)),
    "log1p": lambda x: (math.log1p(x), 1.0 / (1.0 + x)),
    "sqrt": lambda x: (math.sqrt(x), 0.5 / math.sqrt(x)),
    "tanh": lambda x: (math.tanh(x), 1.0 / math.cosh(x) ** 2),
    "sigmoid": lambda x: (logistic(x), logistic(x) * logistic(-x)),
    "softplus": lambda x: (max(x, 0.0) + math.log1p(math.exp(-abs(x))), logistic(x)),
    "erf": lambda x: (math.erf(x), math.exp(-(x**2)) * 2.0 / math.sqrt(math.pi)),
    "abs": lambda x: (abs(x), signum(x)),
    "sign": lambda x: (signum(x),),
    "greater": lambda x, y: (x > y,),
    "greater_equal": lambda x, y: (x >= y,),
    "equal": lambda x, y: (x == y,),
    "logical_and": lambda x, y: (x and y,),
    "logical_not": lambda x: (not x,),
    "select": lambda c, x, y: (x if c else y, 0.0, float(c), float(not c)),
    "cast": cast,
    "stop_gradient": lambda x: (x,),
}
DECIDING: Final = {"maximum", "minimum", "greater", "greater_equal", "equal", "abs", "sign"}
COPYING: Final = {"negate", "maximum", "minimum", "abs", "sign", "select", "cast", "stop_gradient"}.union(
    {"greater", "greater_equal", "equal", "logical_and", "logical_not"}
)

Tensor = dict[tuple[int, ...], Number]


def constant(r: Referee, node: Node, value: Any, **_: Any) -> Tensor:
    return {p: r.new(value, exact=True) for p in r.places(node)}


def iota(r: Referee, node: Node, axis: int, **_: Any) -> Tensor:
    return {p: r.new(p[axis], exact=True) for p in r.places(node)}


def reshape(r: Referee, node: Node, x: Tensor, **_: Any) -> Tensor:
    return dict(zip(r.places(node), x.values(), strict=True))  # places run in the order of the elements


def transpose(r: Referee, node: Node, x: Tensor, permutation: tuple[int, ...]) -> Tensor:
    return {p: x[tuple(p[permutation.index(axis)] for axis in range(len(p)))] for p in r.places(node)}


def broadcast(r: Referee, node: Node, x: Tensor, axes: tuple[int, ...], **_: Any) -> Tensor:
    return {p: x[without(p, axes)] for p in r.places(node)}


def without(place: tuple[int, ...], axes: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(i for axis, i in enumerate(place) if axis not in axes)


def moved(place: tuple[int, ...], axis: int, by: int) -> tuple[int, ...]:
    return (*place[:axis], place[axis] + by, *place[axis + 1 :])


def concatenate(r: Referee, node: Node, *parts: Tensor, axis: int) -> Tensor:
    result: Tensor = {}
    for source, part in zip(node.inputs, parts, strict=True):
        offset = max((p[axis] + 1 for p in result), default=0)
        result |= {moved(p, axis, offset): part[p] for p in r.places(source)}
    return {p: result[p] for p in r.places(node)}


def cut(r: Referee, node: Node, x: Tensor, axis: int, start: int, **_: Any) -> Tensor:
    return {p: x[moved(p, axis, start)] for p in r.places(node)}


def pad(r: Referee, node: Node, x: Tensor, axis: int, before: int, **_: Any) -> Tensor:
    return {p: x.get(moved(p, axis, -before)) or r.new(0.0, exact=True) for p in r.places(node)}


def groups(r: Referee, node: Node, x: Tensor, axes: tuple[int, ...]) -> dict[tuple[int, ...], list[Number]]:
    result: dict[tuple[int, ...], list[Number]] = {p: [] for p in r.places(node)}
    for place, number in x.items():
        result[without(place, axes)].append(number)
    return result


def add_up(r: Referee, node: Node, x: Tensor, axes: tuple[int, ...]) -> Tensor:
    found = groups(r, node, x, axes).items()
    return {p: r.new(sum(number.value for number in each), [(number, 1.0) for number in each]) for p, each in found}


def largest(r: Referee, node: Node, x: Tensor, axes: tuple[int, ...]) -> Tensor:
    result: Tensor = {}
    for place, each in groups(r, node, x, axes).items():
        top = max(each, key=lambda number: number.value)
        for number in each:
            decide(top, number)
        winners = [number for number in each if number.value == top.value]
        share = 1.0 / len(winners)
        result[place] = r.new(top.value, [(number, share) for number in winners], exact=top.exact)
    return result


def argmax(r: Referee, node: Node, x: Tensor, axis: int) -> Tensor:
    result: Tensor = {}
    for place, each in groups(r, node, x, (axis,)).items():
        top = max(each, key=lambda number: number.value)
        for number in each:
            decide(top, number)
        result[place] = r.new([number.value for number in each].index(top.value), exact=True)
    return result


def matmul(r: Referee, node: Node, x: Tensor, w: Tensor) -> Tensor:
    result: Tensor = {}
    inner = range(r.shape(node.inputs[0])[-1])
    for place in r.places(node):
        *batch, row, column = place
        pairs = [(x[*batch, row, k], w[*batch, k, column]) for k in inner]
        slopes = [pair for a, b in pairs for pair in ((a, b.value), (b, a.value))]
        result[place] = r.new(sum(a.value * b.value for a, b in pairs), slopes)
    return result


TENSOR: Final[dict[str, Callable[..., Tensor]]] = {
    "constant": constant,
    "size": lambda r, _, of: {(): r.new(of, exact=True)},
    "iota": iota,
    "reshape": reshape,
    "transpose": transpose,
    "broadcast": broadcast,
    "concatenate": concatenate,
    "slice": cut,
    "pad": pad,
    "sum": add_up,
    "max": largest,
    "argmax": argmax,
    "matmul": matmul,
}
