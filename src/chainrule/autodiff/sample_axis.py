"""Where the axis of the samples lies in each value of a graph, and at which nodes rows of different samples mix.

Along the samples' axis n of a value, row n may depend on sample n alone, so long as no primitive adds up, compares or
contracts along it. The axis may move (transpose), lie inside a longer one (n·t after a reshape) and come apart again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, TypeAlias

import msgspec

from chainrule.graph.node import Graph, Node, topological
from chainrule.graph.primitives import PRIMITIVES
from chainrule.graph.tensor_type import Dim, Shape, Size, TupleType, named, product


class Rows(msgspec.Struct, frozen=True):
    """The samples lie along `axis`, each as `inner` consecutive places of it: 1, or t where the axis is n·t."""

    axis: int
    inner: Dim = 1


class Mixed:
    """What a rule answers where rows of different samples meet."""


MIXED: Final = Mixed()

Layout: TypeAlias = Rows | None  # None: nothing in the value varies with one sample's data
Layouts: TypeAlias = tuple[Layout, ...]  # one per output of the node


class Followed(msgspec.Struct, frozen=True):
    """The layouts of every output of every node, and the nodes at which rows mix, in order."""

    layouts: dict[Node, Layouts]
    mixing: tuple[Node, ...]

    def of(self, node: Node) -> Layout:
        """The layout of a node that is one tensor."""
        return self.layouts[node][0]


def follow(outputs: Iterable[Node], samples: str, known: Mapping[Node, Layout] | None = None) -> Followed:
    """The layout of every node under the outputs.

    An input whose shape names `samples` holds one sample per place of its first such axis; `known` says otherwise.
    What comes out of mixing has no layout, and is followed on as a value that all samples share.
    """
    layouts: dict[Node, Layouts] = {}
    mixing: list[Node] = []
    for node in topological(outputs):
        if known is not None and node in known:
            layouts[node] = (known[node],)
            continue
        answers = FOLLOW[node.primitive](node, [layouts[i] for i in node.inputs], samples)
        if any(isinstance(answer, Mixed) for answer in answers):
            mixing.append(node)
        layouts[node] = tuple(None if isinstance(answer, Mixed) else answer for answer in answers)
    return Followed(layouts, tuple(mixing))


def quotient(whole: Dim, part: Dim) -> Dim | None:
    """The dimension that times `part` makes `whole`; None where there is none.

    Example: quotient(6*n, 2) is 3*n, and quotient(n, 2) is None.
    """
    factor, symbols = _parts(whole)
    divisor, names = _parts(part)
    if divisor == 0 or factor % divisor:
        return None
    left = list(symbols)
    for name in names:
        if name not in left:
            return None
        left.remove(name)
    return product([factor // divisor, *map(named, left)])


def _parts(dim: Dim) -> tuple[int, tuple[str, ...]]:
    return (dim.factor, dim.symbols) if isinstance(dim, Size) else (dim, ())


def outermost(shape: Shape, samples: str) -> Layout:
    """The first axis that holds the samples, which come before whatever else lies along it; None if none does."""
    for axis, dim in enumerate(shape):
        inner = quotient(dim, named(samples))
        if inner is not None:
            return Rows(axis, inner)
    return None


# ---- one rule per primitive ----

Answer: TypeAlias = tuple[Layout | Mixed, ...]
Rule: TypeAlias = Callable[[Node, list[Layouts], str], Answer]


def _input(node: Node, _: list[Layouts], samples: str) -> Answer:
    return (outermost(node.tensor.shape, samples),)


def _shared(_: Node, __: list[Layouts], ___: str) -> Answer:
    return (None,)


def _aligned(_: Node, inputs: list[Layouts], __: str) -> Answer:
    """Operands that vary with the samples must hold them along the same axis."""
    return (_joined([layout for (layout,) in inputs]),)


def _joined(layouts: Iterable[Layout]) -> Layout | Mixed:
    found = {layout for layout in layouts if layout is not None}
    if len(found) > 1:
        return MIXED
    return found.pop() if found else None


def _reshape(node: Node, inputs: list[Layouts], samples: str) -> Answer:
    ((rows,),) = inputs
    if rows is None:
        return (None,)
    before, after = node.inputs[0].tensor.shape, node.tensor.shape
    within = product((rows.inner, *before[rows.axis + 1 :]))  # consecutive elements that belong to one sample
    for axis, dim in enumerate(after):
        inner = quotient(within, product(after[axis + 1 :]))
        if inner is not None and quotient(dim, product((inner, named(samples)))) is not None:
            return (Rows(axis, inner),)
    return (MIXED,)


def _transpose(node: Node, inputs: list[Layouts], _: str) -> Answer:
    return _kept(inputs, node.integers("permutation"))


def _reduction(node: Node, inputs: list[Layouts], _: str) -> Answer:
    gone = [node.integer("axis")] if node.primitive == "argmax" else node.integers("axes")
    return _kept(inputs, [axis for axis in range(node.inputs[0].tensor.rank) if axis not in gone])


def _kept(inputs: list[Layouts], axes: Sequence[int]) -> Answer:
    """The result has these axes of the input, in this order."""
    ((rows,),) = inputs
    if rows is None:
        return (None,)
    return (Rows(axes.index(rows.axis), rows.inner) if rows.axis in axes else MIXED,)


def _broadcast(node: Node, inputs: list[Layouts], _: str) -> Answer:
    ((rows,),) = inputs
    new = node.integers("axes")
    old = [axis for axis in range(node.tensor.rank) if axis not in new]
    return (None if rows is None else Rows(old[rows.axis], rows.inner),)


def _matmul(node: Node, inputs: list[Layouts], samples: str) -> Answer:
    (left,), (right,) = inputs
    last = node.tensor.rank - 1
    contracted = (left is not None and left.axis == last) or (right is not None and right.axis == last - 1)
    return (MIXED,) if contracted else _aligned(node, inputs, samples)


def _scan(node: Node, inputs: list[Layouts], samples: str) -> Answer:
    """Carried values are followed round the loop until their layouts no longer change."""
    body, carries, slices = node["body"], node.integer("carries"), node.integer("xs")
    assert isinstance(body, Graph)
    given = [layout for (layout,) in inputs]
    steps = [_inside(layout) for layout in given[carries : carries + slices]]
    if any(isinstance(step, Mixed) for step in steps):
        return _all_mixed(node)
    sliced = [step for step in steps if not isinstance(step, Mixed)]
    carried = given[:carries]
    while True:
        known = dict(zip(body.inputs, [*carried, *sliced, *given[carries + slices :]], strict=True))
        inside = follow(body.results, samples, known)
        after = [inside.of(result) for result in body.results]
        joined = [_joined(pair) for pair in zip(carried, after[:carries], strict=True)]
        if inside.mixing or any(isinstance(each, Mixed) for each in joined):
            return _all_mixed(node)
        settled = [each for each in joined if not isinstance(each, Mixed)]
        if settled == carried:
            return (*settled, *(None if rows is None else Rows(rows.axis + 1, rows.inner) for rows in after[carries:]))
        carried = settled


def _inside(layout: Layout) -> Layout | Mixed:
    """The layout of one slice along axis 0, over which the loop runs."""
    if layout is None:
        return None
    return MIXED if layout.axis == 0 else Rows(layout.axis - 1, layout.inner)


def _all_mixed(node: Node) -> Answer:
    assert isinstance(node.type, TupleType)
    return (MIXED,) * len(node.type.items)


def _item(node: Node, inputs: list[Layouts], _: str) -> Answer:
    return (inputs[0][node.integer("index")],)


_STRUCTURE: Final[dict[str, Rule]] = {
    "input": _input,
    "constant": _shared,
    "size": _shared,  # the number of samples, not their data
    "iota": _shared,
    "random_bits": _aligned,  # a draw belongs to its place
    "reshape": _reshape,
    "transpose": _transpose,
    "broadcast": _broadcast,
    "concatenate": _aligned,  # these three act along axes that are numbers, and n is a name
    "slice": _aligned,
    "pad": _aligned,
    "sum": _reduction,
    "max": _reduction,
    "argmax": _reduction,
    "matmul": _matmul,
    "scan": _scan,
    "item": _item,
}

FOLLOW: Final[dict[str, Rule]] = {
    **{row.name: _aligned for row in PRIMITIVES.values() if row.kind == "elementwise"},
    **_STRUCTURE,
}
