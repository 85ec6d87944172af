"""What a row that is 1 at one place and 0 elsewhere picks: Σₘ 1[m = j] xₘ is xⱼ, and xⱼ / s is (x / s)ⱼ."""

from __future__ import annotations

import functools
from typing import Final

from chainrule.autodiff.algebra import Quotients
from chainrule.graph import expr as e
from chainrule.graph.expr import Expr
from chainrule.graph.node import Node
from chainrule.graph.rewrite import Context, Rule


def one_place(x: Expr, place: int) -> Expr:
    """1 where the last index is `place`, else 0, in the type of x."""
    position = e.iota(x.shape, len(x.shape) - 1)
    return e.cast(e.equal(position, e.constant(place, position.type)), x.dtype)


def _pick(node: Node, _: Context) -> Node | None:
    """Σₘ 1[m = j] xₘ -> xⱼ."""
    if len(axes := node.integers("axes")) != 1:
        return None
    (axis,) = axes
    factors = _factors(node.inputs[0])
    for at, factor in enumerate(factors):
        place = _place(factor, axis)
        others = [Expr(each) for each in factors[:at] + factors[at + 1 :]]
        if place is not None and others:
            x = functools.reduce(Expr.__mul__, others)
            return e.reshape(e.slice_axis(x, axis, place, place + 1), node.tensor.shape).node
    return None


def _factors(node: Node) -> list[Node]:
    if node.primitive != "multiply":
        return [node]
    return [factor for each in node.inputs for factor in _factors(each)]


def _place(mask: Node, axis: int) -> int | None:
    """The j of a mask 1[m = j], where m counts along the axis and j lies on it."""
    if mask.primitive != "cast" or mask.inputs[0].primitive != "equal":
        return None
    for position, place in (mask.inputs[0].inputs, mask.inputs[0].inputs[::-1]):
        if position.primitive == "iota" and position["axis"] == axis and place.primitive == "constant":
            value, length = place["value"], mask.tensor.shape[axis]
            return value if isinstance(value, int) and isinstance(length, int) and 0 <= value < length else None
    return None


def _pick_quotient(node: Node, quotients: Quotients) -> Node | None:
    """xⱼ / s -> (x / s)ⱼ, where x / s is in the graph already and s does not vary along the axis of j."""
    over, under = node.inputs
    if over.primitive != "broadcast" or over.inputs[0].primitive != "reshape" or under.primitive != "broadcast":
        return None
    part = over.inputs[0].inputs[0]
    if part.primitive != "slice" or part["stop"] != part.integer("start") + 1:
        return None
    axis, whole = part.integer("axis"), quotients.get((part.inputs[0], under))
    if whole is None or over.integers("axes") != (axis,) or axis not in under.integers("axes"):
        return None
    start = part.integer("start")
    picked = e.reshape(e.slice_axis(Expr(whole), axis, start, start + 1), over.inputs[0].tensor.shape)
    return e.broadcast(picked, over.tensor.shape, [axis]).node


PICK: Final = Rule("Σₘ 1[m = j] xₘ -> xⱼ", ("sum",), _pick)


def pick_quotient(quotients: Quotients) -> Rule:
    """The rule xⱼ / s -> (x / s)ⱼ for the quotients of a graph."""
    return Rule(
        "xⱼ / s -> (x / s)ⱼ, where s does not vary with j", ("divide",), lambda n, _: _pick_quotient(n, quotients)
    )
