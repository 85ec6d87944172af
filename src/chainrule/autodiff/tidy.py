"""Removes what does nothing: identities that hold bit for bit, so that what runs may use them.

They hold where values are finite, but for the sign of a zero: -0 + 0 is 0, and stays -0 here. Nothing regroups a sum or
a product. The one rule that rests on a fact, Σ y = 1, replaces a rounded 1 by 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from chainrule.graph import expr as e
from chainrule.graph.expr import Expr
from chainrule.graph.facts import Fact
from chainrule.graph.node import Graph, Node
from chainrule.graph.rewrite import Context, Rule, call, identity, rewrite, wild
from chainrule.graph.tensor_type import Shape

_x, _y, _c = wild("x y c")


def _constant_stays_constant(node: Node, _: Context) -> Node | None:
    (x,) = node.inputs
    if x.primitive != "constant":
        return None
    return e.constant(_number(x), node.tensor).node


def _negated_constant(node: Node, _: Context) -> Node | None:
    (x,) = node.inputs
    is_number = x.primitive == "constant" and x.tensor.is_float  # an unsigned one would wrap
    return e.constant(-_number(x), x.tensor).node if is_number else None


def _number(node: Node) -> float | int | bool:
    value = node["value"]
    assert isinstance(value, (int, float))
    return value


def _first_power(node: Node, _: Context) -> Node | None:
    return node.inputs[0] if node["exponent"] == 1.0 else None


def _same_cast(node: Node, _: Context) -> Node | None:
    return node.inputs[0] if node.inputs[0].tensor.dtype == node["dtype"] else None


def _reshape(node: Node, _: Context) -> Node | None:
    return e.reshape(Expr(node.inputs[0]), node.tensor.shape).node


def _transpose(node: Node, _: Context) -> Node | None:
    (x,) = node.inputs
    outer = node.integers("permutation")
    if outer == tuple(range(len(outer))):
        return x
    if x.primitive != "transpose":
        return None
    inner = x.integers("permutation")
    return e.transpose(Expr(x.inputs[0]), [inner[axis] for axis in outer]).node


def _broadcast(node: Node, _: Context) -> Node | None:
    return repeated(node.inputs[0], node.tensor.shape, node.integers("axes"))


def repeated(x: Node, shape: Shape, axes: Sequence[int]) -> Node:
    """The node x repeated along new axes; repeating what was repeated is one repetition."""
    if x.primitive != "broadcast" or not axes:
        return e.broadcast(Expr(x), shape, axes).node
    kept = [axis for axis in range(len(shape)) if axis not in axes]
    both = sorted([*axes, *(kept[axis] for axis in x.integers("axes"))])
    return e.broadcast(Expr(x.inputs[0]), shape, both).node


def _whole_slice(node: Node, _: Context) -> Node | None:
    return node.inputs[0] if node.type == node.inputs[0].type else None


def _alone(node: Node, _: Context) -> Node | None:
    return node.inputs[0] if len(node.inputs) == 1 else None


def _ones(node: Node, context: Context) -> Node | None:
    """Σ y -> 1, and Σ g·y -> g where g does not vary along the row, given that the rows of y sum to 1."""
    (x,) = node.inputs
    last = x.tensor.rank - 1
    if node["axes"] != (last,):
        return None
    if context.holds(Fact.ROWS_SUM_TO_ONE, x):
        return e.constant(1, node.tensor).node
    if x.primitive != "multiply":
        return None
    for g, y in (x.inputs, x.inputs[::-1]):
        if g.primitive == "broadcast" and last in g.integers("axes") and context.holds(Fact.ROWS_SUM_TO_ONE, y):
            axes = [axis for axis in g.integers("axes") if axis != last]
            return e.broadcast(Expr(g.inputs[0]), node.tensor.shape, axes).node
        if g.primitive == "constant" and context.holds(Fact.ROWS_SUM_TO_ONE, y):
            return e.constant(_number(g), node.tensor).node
    return None


rows_sum_to_one: Final = Rule("the rows of y sum to 1", ("sum",), _ones)

TIDY_RULES: Final[tuple[Rule, ...]] = (
    identity("x + 0 -> x", _x + 0, _x),
    identity("x - 0 -> x", _x - 0, _x),
    identity("0 - x -> -x", 0 - _x, -_x),
    identity("x * 1 -> x", _x * 1, _x),
    identity("x * -1 -> -x", _x * -1, -_x),
    identity("x / 1 -> x", _x / 1, _x),
    identity("-(-x) -> x", call("negate", -_x), _x),
    identity("x + (-y) -> x - y", _x + (-_y), _x - _y),
    identity("x - (-y) -> x + y", _x - (-_y), _x + _y),
    identity("(-x) * y -> -(x * y)", (-_x) * _y, -(_x * _y)),
    identity("(-x) / y -> -(x / y)", (-_x) / _y, -(_x / _y)),
    identity("x / (-y) -> -(x / y)", _x / (-_y), -(_x / _y)),
    identity("x if c else x -> x", call("select", _c, _x, _x), _x),
    Rule("-(number) -> number", ("negate",), _negated_constant),
    Rule("a repeated number is a number", ("broadcast", "reshape", "transpose"), _constant_stays_constant),
    Rule("x ** 1 -> x", ("power",), _first_power),
    Rule("cast to its own dtype -> x", ("cast",), _same_cast),
    Rule("reshape of reshape -> reshape", ("reshape",), _reshape),
    Rule("transpose of transpose -> transpose", ("transpose",), _transpose),
    Rule("broadcast of broadcast -> broadcast", ("broadcast",), _broadcast),
    Rule("all of an axis -> x", ("slice", "pad"), _whole_slice),
    Rule("one part joined -> x", ("concatenate",), _alone),
    rows_sum_to_one,
)


def tidy(graph: Graph) -> Graph:
    """The same computation without operations that do nothing."""
    return rewrite(graph, TIDY_RULES)[0]
