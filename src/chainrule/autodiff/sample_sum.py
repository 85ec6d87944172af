"""Where a gradient adds up over the samples, and the terms of that sum, sample by sample."""

from __future__ import annotations

from collections.abc import Sequence

from chainrule.autodiff.sample_axis import Followed, Rows, quotient
from chainrule.autodiff.window import Window, cut, lengths, permuted
from chainrule.graph import expr as e
from chainrule.graph.expr import Expr
from chainrule.graph.node import Node
from chainrule.graph.tensor_type import Shape, Size, symbols_of


def contracted(node: Node, followed: Followed, samples: Size) -> Rows | None:
    """How the samples lie in the axis of the first operand that a sum or a product contracts; None if it does not."""
    if samples.symbols[0] in symbols_of(node.tensor.shape):
        return None
    if node.primitive == "sum":
        return _among(followed.of(node.inputs[0]), node.inputs[0].tensor.shape, node.integers("axes"), samples)
    if node.primitive != "matmul":
        return None
    left, right = (followed.of(operand) for operand in node.inputs)
    last = node.tensor.rank - 1
    mirrored = Rows(last, right.inner) if right is not None and right.axis == last - 1 else None
    if left is not None and left.axis == last:
        return left if mirrored in (None, left) else None
    return mirrored or _among(None, node.inputs[0].tensor.shape, (last,), samples)


def _among(rows: Rows | None, shape: Shape, axes: Sequence[int], samples: Size) -> Rows | None:
    if rows is not None:
        return rows if rows.axis in axes else None
    found = [axis for axis in axes if quotient(shape[axis], samples) is not None]
    if len(found) != 1:
        return None
    inner = quotient(shape[found[0]], samples)  # all samples share the value, so any order of them will do
    return None if inner is None else Rows(found[0], inner)


def terms(node: Node, window: Window, rows: Rows, samples: Size) -> Expr:
    """What each sample adds to a node that contracts the samples, in a window, shape (n, *window).

    `rows` is what `contracted` found.
    """
    return (_terms_of_sum if node.primitive == "sum" else _terms_of_product)(node, window, rows, samples)


def _terms_of_sum(node: Node, window: Window, rows: Rows, samples: Size) -> Expr:
    axes, kept = node.integers("axes"), iter(window)
    source = node.inputs[0]
    inner: Window = tuple(None if axis in axes else next(kept) for axis in range(source.tensor.rank))
    each = _front(cut(source, inner), rows, samples)  # (n, …) with what shares the samples' axis in its place
    others = [1 + axis for axis in axes if each.shape[1 + axis] != 1]
    total = e.sum(each, others, keepdims=True) if others else each
    return e.reshape(total, (samples, *lengths(node, window)))


def _terms_of_product(node: Node, window: Window, rows: Rows, samples: Size) -> Expr:
    """Rows of the left operand times columns of the right one, sample by sample."""
    *batch, across, down = window
    left = _front(cut(node.inputs[0], (*batch, across, None)), rows, samples)  # (n, …, i, inner)
    right = _front(cut(node.inputs[1], (*batch, None, down)), Rows(rows.axis - 1, rows.inner), samples)
    if left.shape == right.shape == (samples, *lengths(node, window)):
        return left * right
    return left @ right


def _front(x: Expr, rows: Rows, samples: Size) -> Expr:
    """The samples moved to the front: (…, outer·n·inner, …) to (n, …, outer·inner, …)."""
    before, after = x.shape[: rows.axis], x.shape[rows.axis + 1 :]
    rest = quotient(x.shape[rows.axis], samples)
    assert rest is not None
    outer = quotient(rest, rows.inner)
    assert outer is not None
    parts = [part for part in (outer, samples, rows.inner) if part is samples or part != 1]
    split = e.reshape(x, (*before, *parts, *after))
    at = rows.axis + parts.index(samples)
    moved = permuted(split, (at, *(axis for axis in range(split.type.rank) if axis != at)))
    return e.reshape(moved, (samples, *before, rest, *after))
