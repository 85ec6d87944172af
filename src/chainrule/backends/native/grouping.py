"""Which nodes are computed together: groups of nodes that share one loop, in an order that can run.

A group runs over one space of indices. It holds elementwise nodes and reductions that run along the same axes, or one
product with the elementwise nodes that follow it, which are computed while the product's tile is in registers. Values
that only move (broadcast, transpose, …) are read through, wherever they are needed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

import msgspec

from chainrule.backends.native.layout import Extent, Sizes
from chainrule.backends.native.vocabulary import (
    CHEAP,
    axes_of,
    is_moved,
    is_product,
    is_reduction,
    keeps_index,
    loop_space,
    space,
)
from chainrule.graph.node import Node, topological
from chainrule.graph.primitives import PRIMITIVES

FLOATING_DEPTH = 3  # operations that are done again rather than kept


@dataclass(slots=True)
class Group:
    """Nodes computed in one loop.

    Attributes:
        space: the lengths of the axes it runs over, without those of length 1.
        members: the nodes in order.
        head: the product that begins it, if one does.
        reduced: the axes of the space along which its reductions run; empty without reductions.
    """

    space: tuple[Extent, ...]
    members: list[Node] = field(default_factory=list[Node])
    head: Node | None = None
    reduced: tuple[int, ...] = ()


class Read(msgspec.Struct, frozen=True):
    """A computed node or an input that another reads; `same` when at its own index."""

    node: Node
    same: bool


class Grouping:
    """The groups of a graph.

    Attributes:
        groups: in the order in which they run.
        place: for each computed node, the number of its group.
        copied: the nodes that are written out though they only move.
    """

    def __init__(
        self,
        results: Sequence[Node],
        replaced: dict[Node, Node],
        columns: Iterable[Node],
        sizes: Sizes,
        alone: Collection[Node] = (),
    ) -> None:
        """Group what the results need.

        Args:
            results: in the order in which they should be reached.
            replaced: for an input that lives on, the node of its next value.
            columns: inputs that are gathered from data.
            sizes: the values of named sizes.
            alone: products and reductions whose groups hold nothing that follows them or that they are made of.
        """
        self.sizes = sizes
        self._alone = frozenset(alone)
        self._columns = frozenset(columns)
        self._results = frozenset(results)
        order = topological(results)
        self._operands = {source for node in order if is_product(node) for source in map(operand, node.inputs)}
        self.copied = frozenset(n for n in self._operands | self._results if is_moved(n, sizes))
        self.groups: list[Group] = []
        self.place: dict[Node, int] = {}
        self._floating: dict[Node, int] = {}
        self._reads: dict[Node, tuple[Read, ...]] = {}
        self._kept_by = {node: source for source, node in replaced.items()}
        self.readers: dict[Node, list[tuple[Node, bool]]] = {source: [] for source in replaced}
        for node in order:
            if self._is_floating(node):
                continue
            if self.is_computed(node):
                self._note(node)
        early = self._early(order)
        for node in sorted(order, key=lambda node: node not in early):
            if self.is_computed(node):
                self._assign(node)

    def is_computed(self, node: Node) -> bool:
        """Whether the node is computed in a group, rather than given or read through."""
        if node in self.copied:
            return True
        return node.primitive != "input" and not is_moved(node, self.sizes) and node not in self._floating

    def reads(self, node: Node) -> tuple[Read, ...]:
        """The computed nodes and inputs that a node reads, those in between read through."""
        if node not in self._reads:
            found: dict[Node, bool] = {}
            sources = map(operand, node.inputs) if is_product(node) and node.tensor.rank == 2 else node.inputs
            moves = is_product(node) or (node in self.copied and not keeps_index(node, self.sizes))
            stack = [(source, not moves) for source in sources]
            while stack:
                source, same = stack.pop()
                if source.primitive == "input" or self.is_computed(source):
                    found[source] = found.get(source, True) and same
                else:
                    through = same and (source in self._floating or keeps_index(source, self.sizes))
                    stack.extend((inner, through) for inner in source.inputs)
            self._reads[node] = tuple(Read(source, same) for source, same in found.items())
        return self._reads[node]

    def reorder(self, order: Sequence[int]) -> None:
        """Run the groups in another order, given by their numbers, in which they can run too."""
        self.groups = [self.groups[number] for number in order]
        now = {number: place for place, number in enumerate(order)}
        self.place = {node: now[number] for node, number in self.place.items()}

    def _early(self, order: Sequence[Node]) -> frozenset[Node]:
        """What no row of data decides and is small: it is computed first, so that no loop waits for it."""
        early: set[Node] = set()
        for node in order:
            is_small = len(loop_space(node, self.sizes)) <= 1 or is_moved(node, self.sizes)
            if is_small and node not in self._columns and early.issuperset(node.inputs):
                early.add(node)
        return frozenset(early)

    # ---- what is done again ----

    def _is_floating(self, node: Node) -> bool:
        """Whether a node is so cheap, and reads nothing but what is kept, that each reader does it again."""
        if node.primitive not in CHEAP or not space(node.tensor, self.sizes):
            return False
        if node in self._results or node in self._operands:
            return False
        depth = 0
        stack = list(node.inputs)
        while stack:
            source = stack.pop()
            if source in self._columns or source in self.copied or self._is_bare(source):
                return False
            if source in self._floating:
                depth = max(depth, self._floating[source])
            elif is_moved(source, self.sizes):
                stack.extend(source.inputs)
            elif source.primitive != "input" and source not in self._operands:
                return False
        if depth + 1 > FLOATING_DEPTH:
            return False
        self._floating[node] = depth + 1
        return True

    def _is_bare(self, node: Node) -> bool:
        return node.primitive in ("concatenate", "pad")

    # ---- which group ----

    def _note(self, node: Node) -> None:
        for read in self.reads(node):
            if read.node in self.readers:
                self.readers[read.node].append((node, read.same))

    def _assign(self, node: Node) -> None:
        earliest = self._earliest(node)
        if is_product(node):
            self._open(Group(space(node.tensor, self.sizes), [node], head=node), node)
            return
        here, along = loop_space(node, self.sizes), self._along(node)
        for number in range(earliest, len(self.groups)):
            group = self.groups[number]
            if group.space == here and self._fits(node, group, along):
                group.members.append(node)
                group.reduced = group.reduced or along
                self.place[node] = number
                return
        self._open(Group(here, [node], reduced=along), node)

    def _open(self, group: Group, node: Node) -> None:
        self.place[node] = len(self.groups)
        self.groups.append(group)

    def _along(self, node: Node) -> tuple[int, ...]:
        """The axes of the loop's space that a reduction runs along."""
        if not is_reduction(node) or node in self.copied:
            return ()
        extents = self.sizes.extents(node.inputs[0].tensor.shape)
        kept = [axis for axis, extent in enumerate(extents) if not extent.is_one]
        return tuple(kept.index(axis) for axis in axes_of(node) if axis in kept)

    def _fits(self, node: Node, group: Group, along: tuple[int, ...]) -> bool:
        if (node in self._alone) != (group.members[0] in self._alone):
            return False
        if group.head is None:
            return not along or group.reduced in ((), along)
        follows = any(read.same and read.node in group.members for read in self.reads(node))
        return follows and not along and len(group.head.tensor.shape) == 2 and len(group.space) == 2

    def _earliest(self, node: Node) -> int:
        """The first group that comes after everything the node must wait for."""
        first = 0
        for read in self.reads(node):
            if read.node in self.place:
                first = max(first, self._after(read.node, read.same))
        for reader, same in self.readers.get(self._kept_by.get(node, node), ()):
            if reader is not node and reader in self.place and node in self._kept_by:
                first = max(first, self.place[reader] + (0 if same else 1))
        return first

    def _after(self, node: Node, same: bool) -> int:
        inside = same and not (is_reduction(node) and node not in self.copied)
        return self.place[node] + (0 if inside else 1)


def operand(node: Node) -> Node:
    """The value whose rows or columns a product reads: a matrix, or the one that was transposed."""
    return node.inputs[0] if is_transposed(node) else node


def is_transposed(node: Node) -> bool:
    """Whether the node is another with its last two axes exchanged."""
    if node.primitive != "transpose":
        return False
    rank = node.tensor.rank
    return node["permutation"] == (*range(rank - 2), rank - 1, rank - 2)


def is_elementwise(node: Node) -> bool:
    """Whether the node is computed element by element."""
    return PRIMITIVES[node.primitive].kind == "elementwise" or node.primitive == "random_bits"
