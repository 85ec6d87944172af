"""A sample's own term of a gradient before it is summed over the batch, for one entry of one parameter.

The gradient of a parameter is a sum over the samples in disguise: xᵀ δ contracts n, the gradient of a bias adds δ up
along n, and what follows is linear. From its root the graph is read downward to those contractions, carrying the part
of each value that is needed (a window), and the terms are built from there up again without the last addition.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Final, TypeAlias

import msgspec

from chainrule.autodiff.sample_axis import Followed, follow
from chainrule.autodiff.sample_sum import contracted, terms
from chainrule.autodiff.window import Window, before_transpose, cut, lengths, permuted, stretches
from chainrule.errors import DerivativeError, ShapeError
from chainrule.graph import expr as e
from chainrule.graph.expr import Expr
from chainrule.graph.node import Node, topological
from chainrule.graph.primitives import apply
from chainrule.graph.tensor_type import Dim, Shape, Size, TensorType, named, show_shape, symbols_of

Reading: TypeAlias = Generator[tuple[Node, Window], Expr, Expr]  # asks for the terms of an input, ends with its own


def contributions(gradient: Node, index: tuple[int, ...], samples: str = "n") -> Node:
    """Each sample's own term of one entry of a parameter's gradient, shape (n,); they add up to the entry.

    For a dense layer, entry (i, j) of xᵀ δ gives x[:, i] · δ[:, j]: the columns, never all products at once. A term is
    the gradient of the sample's own loss, times its weight in the mean, where `row_separable` holds.

    Args:
        gradient: a sum over the samples, followed by nothing but sums and differences, factors that the samples share
            and changes of shape.
        index: the entry, one number per axis of the parameter, counted from 0.
        samples: the named size that counts the samples.

    Raises: ShapeError when the gradient has no such entry; DerivativeError naming the primitive in the way when the
        gradient has another form, such as a penalty on the weights added to it.

    Example: the gradient of Σₙ w xₙ with respect to w has the terms x₀, x₁, …:
        >>> from chainrule.autodiff.reverse import gradients
        >>> from chainrule.graph.tensor_type import named
        >>> x, w = e.variable("x", "float64", [named("n")]), e.variable("w", "float64")
        >>> (gradient,) = gradients(e.sum(w * x).node, [w.node])
        >>> contributions(gradient, ()).tensor
        TensorType(dtype='float64', shape=(Size(factor=1, symbols=('n',)),))
    """
    shape = gradient.tensor.shape
    if samples in symbols_of(shape):
        raise DerivativeError(
            f"a value of shape {show_shape(shape)} is not summed over {samples} yet; give the gradient of a parameter"
        )
    if len(index) != len(shape) or any(not _inside(i, dim) for i, dim in zip(index, shape, strict=True)):
        raise ShapeError(f"entry {index} lies outside a gradient of shape {show_shape(shape)}; count from 0")
    followed = follow([gradient], samples)
    reader = _Reader(named(samples), followed, _sums(gradient, followed, named(samples)))
    return e.reshape(_read(reader, gradient, tuple((i, i + 1) for i in index)), (named(samples),)).node


def row_separable(per_sample_loss: Node, samples: str = "n") -> Node | None:
    """The first node at which rows of different samples mix; None when row n depends on row n of the data alone.

    A mean over the samples as batch normalization takes it, a product that contracts n and a maximum over n mix rows.
    The number of samples, `size(n)`, does not. A loop mixes when its body does, or when it runs over the samples.
    """
    mixing = follow([per_sample_loss], samples).mixing
    return mixing[0] if mixing else None


def _inside(i: int, dim: Dim) -> bool:
    return isinstance(dim, int) and 0 <= i < dim


class _Reader(msgspec.Struct, frozen=True):
    """What the rules below look up: the samples' size, where it lies, and which nodes are sums over it."""

    samples: Size
    followed: Followed
    sums: frozenset[Node]

    def zeros(self, node: Node, window: Window) -> Expr:
        """No contribution from any sample."""
        return e.constant(0.0, TensorType(node.tensor.dtype, (self.samples, *lengths(node, window))))

    def repeated(self, x: Expr) -> Expr:
        """What the samples share, once for each."""
        return e.broadcast(x, (self.samples, *x.shape), (0,))

    def the_sum(self, product: Node) -> Node:
        """The one operand of a product that is a sum over the samples.

        Raises: DerivativeError when both are, so that no sample has a term of its own.
        """
        left, right = product.inputs
        if left in self.sums and right in self.sums:
            raise DerivativeError(
                f"{product.label} of type {product.type} multiplies two sums over {self.samples}, "
                "so it has no term for each sample; give the gradient of a loss whose rows are separable"
            )
        return left if left in self.sums else right


def _read(reader: _Reader, root: Node, window: Window) -> Expr:
    """The terms of a node in a window, shape (n, *window); a loop instead of recursion, each part read once."""
    done: dict[tuple[Node, Window], Expr] = {}
    waiting: list[tuple[tuple[Node, Window], Reading]] = []
    wanted: tuple[Node, Window] | None = (root, window)
    answer: Expr | None = None
    while True:
        if wanted is not None:
            answer = done.get(wanted) or _at_hand(reader, *wanted)
            if answer is None:
                waiting.append((wanted, TERMS[wanted[0].primitive][1](reader, *wanted)))
            else:
                done[wanted] = answer
        if not waiting:
            assert answer is not None
            return answer
        key, reading = waiting[-1]
        try:
            wanted = next(reading) if answer is None else reading.send(answer)
        except StopIteration as finished:
            waiting.pop()
            answer, wanted = finished.value, None
            done[key] = finished.value


def _at_hand(reader: _Reader, node: Node, window: Window) -> Expr | None:
    """The terms that need no other terms: of a contraction over the samples, and of a constant 0."""
    if _is_zero(node):
        return reader.zeros(node, window)
    if node not in reader.sums:
        raise _in_the_way(node, reader.samples)
    rows = contracted(node, reader.followed, reader.samples)
    return None if rows is None else terms(node, window, rows, reader.samples)


def _is_zero(node: Node) -> bool:
    return node.primitive == "constant" and node["value"] == 0.0


def _in_the_way(node: Node, samples: Size) -> DerivativeError:
    return DerivativeError(
        f"{node.label} of type {node.type} is no sum over {samples}, so it has no term for each sample; "
        "give the gradient of the data's loss alone, before penalties and clipping"
    )


def _sums(root: Node, followed: Followed, samples: Size) -> frozenset[Node]:
    """The nodes that are linear in contractions over the samples."""
    result: set[Node] = set()
    for node in topological([root]):
        if _is_linear_in(node, result) and samples.symbols[0] not in symbols_of(node.tensor.shape):
            result.add(node)
        if contracted(node, followed, samples) is not None:
            result.add(node)
    return frozenset(result)


def _is_linear_in(node: Node, sums: set[Node]) -> bool:
    row = TERMS.get(node.primitive)
    if row is None or not node.tensor.is_float:
        return False
    operands, _ = row
    return any(node.inputs[i] in sums for i in operands or range(len(node.inputs)))


# ---- the rules: the terms of a node from the terms of its inputs ----


def _same(_: _Reader, node: Node, window: Window) -> Reading:
    each = yield node.inputs[0], window
    return Expr(apply(node.primitive, each.node, **dict(node.attributes)))


def _add(_: _Reader, node: Node, window: Window) -> Reading:
    left, right = node.inputs
    if _is_zero(right):
        return (yield left, window)
    if _is_zero(left):
        each = yield right, window
        return -each if node.primitive == "subtract" else each
    first = yield left, window
    second = yield right, window
    return first - second if node.primitive == "subtract" else first + second


def _multiply(reader: _Reader, node: Node, window: Window) -> Reading:
    left, right = node.inputs
    if reader.the_sum(node) is left:
        return (yield left, window) * cut(right, window)
    return cut(left, window) * (yield right, window)


def _divide(_: _Reader, node: Node, window: Window) -> Reading:
    numerator, denominator = node.inputs
    return (yield numerator, window) / cut(denominator, window)


def _select(_: _Reader, node: Node, window: Window) -> Reading:
    condition, yes, no = node.inputs
    first = yield yes, window
    second = yield no, window
    return e.select(cut(condition, window), first, second)


def _matmul(reader: _Reader, node: Node, window: Window) -> Reading:
    left, right = node.inputs
    *batch, across, down = window
    rows, columns = (*batch, across, None), (*batch, None, down)
    if reader.the_sum(node) is left:
        return (yield left, rows) @ reader.repeated(cut(right, columns))
    return reader.repeated(cut(left, rows)) @ (yield right, columns)


def _sum(_: _Reader, node: Node, window: Window) -> Reading:
    axes, kept = node.integers("axes"), iter(window)
    source = node.inputs[0]
    each = yield source, tuple(None if axis in axes else next(kept) for axis in range(source.tensor.rank))
    return e.sum(each, [1 + axis for axis in axes])


def _transpose(_: _Reader, node: Node, window: Window) -> Reading:
    each = yield node.inputs[0], before_transpose(node, window)
    return permuted(each, (0, *(1 + axis for axis in node.integers("permutation"))))


def _broadcast(reader: _Reader, node: Node, window: Window) -> Reading:
    axes = node.integers("axes")
    each = yield node.inputs[0], tuple(stretch for axis, stretch in enumerate(window) if axis not in axes)
    return e.broadcast(each, (reader.samples, *lengths(node, window)), [1 + axis for axis in axes])


def _reshape(reader: _Reader, node: Node, window: Window) -> Reading:
    """One element is one element of the source; a larger part is cut from all of it."""
    source, shape = node.inputs[0], (reader.samples, *lengths(node, window))
    place = _one_place(node.tensor.shape, window)
    wanted = None if place is None else _window_at(place, source.tensor.shape)
    if wanted is not None:
        return e.reshape((yield source, wanted), shape)
    everything = yield source, (None,) * source.tensor.rank
    return stretches(e.reshape(everything, (reader.samples, *node.tensor.shape)), (None, *window))


def _one_place(shape: Shape, window: Window) -> int | None:
    """The position of the one element in the window, in the order of the elements; None where there are more."""
    place = 0
    for dim, stretch in zip(shape, window, strict=True):
        start, stop = (0, dim) if stretch is None else stretch
        if not isinstance(dim, int) or not isinstance(stop, int) or stop - start != 1:
            return None
        place = place * dim + start
    return place


def _window_at(place: int, shape: Shape) -> Window | None:
    """The window of the one element at a position; None where the shape has names."""
    window: list[tuple[int, int]] = []
    for dim in reversed(shape):
        if not isinstance(dim, int):
            return None
        place, start = divmod(place, dim)
        window.append((start, start + 1))
    return tuple(reversed(window))


def _slice(_: _Reader, node: Node, window: Window) -> Reading:
    axis, first, last = (node.integer(name) for name in ("axis", "start", "stop"))
    start, stop = window[axis] or (0, last - first)
    return (yield node.inputs[0], _with(window, axis, (first + start, first + stop)))


def _pad(reader: _Reader, node: Node, window: Window) -> Reading:
    source, axis, before = node.inputs[0], node.integer("axis"), node.integer("before")
    start, stop = _stretch(node, window, axis)
    first, last = max(start, before), min(stop, before + _length(source, axis))
    if first >= last:
        return reader.zeros(node, window)
    each = yield source, _with(window, axis, (first - before, last - before))
    return e.pad(each, 1 + axis, first - start, stop - last) if (first, last) != (start, stop) else each


def _concatenate(_: _Reader, node: Node, window: Window) -> Reading:
    axis, offset = node.integer("axis"), 0
    start, stop = _stretch(node, window, axis)
    parts: list[Expr] = []
    for source in node.inputs:
        first, last = max(start, offset) - offset, min(stop, offset + _length(source, axis)) - offset
        if first < last:
            parts.append((yield source, _with(window, axis, (first, last))))
        offset += _length(source, axis)
    return parts[0] if len(parts) == 1 else e.concatenate(parts, 1 + axis)


def _with(window: Window, axis: int, stretch: tuple[int, int]) -> Window:
    return (*window[:axis], stretch, *window[axis + 1 :])


def _stretch(node: Node, window: Window, axis: int) -> tuple[int, int]:
    return window[axis] or (0, _length(node, axis))


def _length(node: Node, axis: int) -> int:
    dim = node.tensor.shape[axis]
    assert isinstance(dim, int)  # slice, pad and concatenate act along numbers
    return dim


Rule: TypeAlias = Callable[[_Reader, Node, Window], Reading]

# Each primitive that is linear in some of its operands: which ones, and its rule.
TERMS: Final[dict[str, tuple[tuple[int, ...] | None, Rule]]] = {
    "add": (None, _add),
    "subtract": (None, _add),
    "concatenate": (None, _concatenate),
    "negate": ((0,), _same),
    "cast": ((0,), _same),
    "stop_gradient": ((0,), _same),
    "multiply": ((0, 1), _multiply),
    "divide": ((0,), _divide),
    "select": ((1, 2), _select),
    "matmul": ((0, 1), _matmul),
    "sum": ((0,), _sum),
    "transpose": ((0,), _transpose),
    "broadcast": ((0,), _broadcast),
    "reshape": ((0,), _reshape),
    "slice": ((0,), _slice),
    "pad": ((0,), _pad),
}
