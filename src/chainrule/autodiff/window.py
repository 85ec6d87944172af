"""A part of a value, computed from parts of its inputs where that saves work."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeAlias

from chainrule.graph import expr as e
from chainrule.graph.expr import Expr
from chainrule.graph.node import Node
from chainrule.graph.tensor_type import Shape

Window: TypeAlias = tuple[tuple[int, int] | None, ...]  # for each axis the stretch that is needed, None for all of it

PUSHES: Final = 8  # an outer product stands this near to the sum over it; a value farther down is cut as it is


def cut(node: Node, window: Window, pushes: int = PUSHES) -> Expr:
    """The part of a value in a window; of an outer product only the factors' parts are multiplied.

    Values of two axes or fewer, such as activations and deltas, are read as they are.
    """
    if all(stretch is None for stretch in window):
        return Expr(node)
    if node.primitive == "transpose" or (node.tensor.rank > 2 and pushes > 0):
        parts = _pushed(node, window)
        if parts is not None:
            operands = [cut(source, each, pushes - 1).node for source, each in zip(node.inputs, parts, strict=True)]
            return _applied(node, operands, window)
    return stretches(Expr(node), window)


def _pushed(node: Node, window: Window) -> list[Window] | None:
    """The windows of the inputs where cutting them first saves work."""
    if node.primitive == "transpose":
        return [before_transpose(node, window)]
    if node.primitive == "broadcast":
        axes = node.integers("axes")
        return [tuple(stretch for axis, stretch in enumerate(window) if axis not in axes)]
    if node.primitive == "multiply":
        return [window, window]
    if node.primitive == "matmul":
        *batch, across, down = window
        return [(*batch, across, None), (*batch, None, down)]
    return None


def _applied(node: Node, operands: Sequence[Node], window: Window) -> Expr:
    """The node's primitive on parts of its inputs."""
    first = Expr(operands[0])
    if node.primitive == "transpose":
        return permuted(first, node.integers("permutation"))
    if node.primitive == "broadcast":
        return e.broadcast(first, lengths(node, window), node.integers("axes"))
    second = Expr(operands[1])
    return first * second if node.primitive == "multiply" else first @ second


def lengths(node: Node, window: Window) -> Shape:
    """The shape of a node's part in a window."""
    pairs = zip(node.tensor.shape, window, strict=True)
    return tuple(dim if stretch is None else stretch[1] - stretch[0] for dim, stretch in pairs)


def before_transpose(node: Node, window: Window) -> Window:
    """The window of a transpose's input."""
    order = node.integers("permutation")
    return tuple(window[order.index(axis)] for axis in range(len(order)))


def stretches(x: Expr, window: Window) -> Expr:
    """The part of a value in a window, cut off as it is."""
    for axis, stretch in enumerate(window):
        if stretch is not None and stretch != (0, x.shape[axis]):
            x = e.slice_axis(x, axis, *stretch)
    return x


def permuted(x: Expr, order: Sequence[int]) -> Expr:
    """A transpose; one of a transpose is one."""
    if x.node.primitive != "transpose":
        return e.transpose(x, order)
    inner = x.node.integers("permutation")
    return e.transpose(Expr(x.node.inputs[0]), [inner[axis] for axis in order])
