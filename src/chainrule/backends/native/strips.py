"""Rows of a large batch pass through the stages a strip at a time, so that what one stage leaves the next finds near.

Stages that work row by row do one strip after the other; behind them those that add up over rows go on from where the
strip before left them, in the same order of additions: no bit depends on strips. Weights are read again for every
strip, so it has at least as many bytes of rows as there are of them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from enum import IntEnum
from typing import Final

import msgspec

from chainrule.backends.native.grouping import Group, Grouping
from chainrule.backends.native.layout import LANES, Extent, Layout, Sizes
from chainrule.backends.native.machine import KIB
from chainrule.backends.native.tiles import MOST_ROWS, form_of
from chainrule.backends.native.vocabulary import (
    RESUMED,
    axes_of,
    integer,
    integers,
    is_product,
    is_reduction,
    is_trivial,
    keeps_index,
)
from chainrule.graph.node import Node

NEAR: Final = 256 * KIB  # of what the rows of a strip leave and find, in the second-level cache
FAR: Final = 768 * KIB  # from here on the rows of a whole batch do not stay near


class Part(IntEnum):
    """When a group runs: before the strips, for each strip row by row or adding up over its rows, or after them."""

    BEFORE = 0
    ROWS = 1
    SUMS = 2
    AFTER = 3


class Strips(msgspec.Struct, frozen=True):
    """How the rows of a batch are divided, and what is done strip by strip.

    Attributes:
        rows: of a strip; the last one may have fewer.
        first, sums, after: the numbers of the first group that works row by row, of the first that adds up over the
            rows, and of the first behind the strips.
    """

    rows: int
    first: int
    sums: int
    after: int

    def part(self, group: int) -> Part:
        """When a group runs, by its number."""
        return Part(sum(group >= start for start in (self.first, self.sums, self.after)))

    def inside(self, group: int) -> bool:
        """Whether a group runs strip by strip."""
        return self.first <= group < self.after


def has_rows(node: Node, sizes: Sizes) -> bool:
    """Whether the first axis of a value is the batch, and no other depends on it."""
    extents = sizes.extents(node.tensor.shape)
    return bool(extents) and extents[0].is_batch and all(extent.is_fixed for extent in extents[1:])


def sums_over_rows(node: Node, sizes: Sizes) -> bool:
    """Whether a node is a product of two matrices or a reduction that adds up over the rows of the batch."""
    if node.primitive in RESUMED:
        (source,) = node.inputs
        rest = range(1, source.tensor.rank - 1)  # of the axes behind the rows the last one alone may be kept
        return has_rows(source, sizes) and set(axes_of(node)) >= {0, *rest}
    if not is_product(node) or node.tensor.rank > 2:
        return False
    form = form_of(node, sizes)
    if not form.depth.power or form.rows.power or form.columns.power:
        return False
    return all(has_rows(operand, sizes) for operand in (form.left, form.right))


def carried(group: Group, node: Node) -> Layout:
    """Where a reduction over rows leaves its vectors between strips: those of a panel side by side."""
    is_kept = len(group.space) - 1 not in group.reduced
    lanes = LANES * RESUMED[node.primitive] * (math.ceil(group.space[-1].most / LANES) if is_kept else 1)
    return Layout(node.tensor.dtype, (Extent(lanes, 0, lanes),))


def is_far(order: Sequence[Node], sizes: Sizes) -> bool:
    """Whether the values of a batch are so many that they do not stay near from one stage to the next."""
    if sizes.most < 2 * LANES:
        return False
    products = [node for node in order if is_product(node) and has_rows(node, sizes)]
    return sum(Layout.of(node.tensor, sizes).bytes for node in products) > FAR


def strips(grouping: Grouping) -> Strips | None:
    """Bring the groups of a step into the order of its strips; None where strips are not worth their turns."""
    sizes = grouping.sizes
    parts = _parts(grouping)
    chosen = [group for group, part in zip(grouping.groups, parts, strict=True) if part in (Part.ROWS, Part.SUMS)]
    found = {node for group in chosen for node in _reads(grouping, group) if node not in group.members}
    by_rows = sum(Layout.of(node.tensor, sizes).bytes for node in found if has_rows(node, sizes))
    if not by_rows or Part.SUMS not in parts:
        return None
    again = sum(Layout.of(node.tensor, sizes).bytes for node in found if not has_rows(node, sizes))
    near, enough = NEAR * sizes.most // by_rows, -(-again * sizes.most // by_rows)
    grain = LANES if 2 * max(near, enough) <= MOST_ROWS else MOST_ROWS
    rows = max(1, near // grain, -(-enough // grain)) * grain
    if 2 * rows > sizes.most:
        return None
    order = sorted(range(len(parts)), key=lambda number: parts[number])
    grouping.reorder(order)
    first, sums, after = (sum(part < start for part in parts) for start in (Part.ROWS, Part.SUMS, Part.AFTER))
    return Strips(rows, first, sums, after)


# ---- which part a group belongs to ----


def _parts(grouping: Grouping) -> list[Part]:
    parts: list[Part] = []
    for group in grouping.groups:
        parts.append(_part(grouping, group, parts))
    return parts


def _part(grouping: Grouping, group: Group, parts: Sequence[Part]) -> Part:
    places = [grouping.place[node] for node in _reads(grouping, group) if node in grouping.place]
    before = [parts[place] for place in places if place < len(parts)]
    if any(part > Part.ROWS for part in before):
        return Part.AFTER
    if _is_by_rows(grouping, group):
        return Part.ROWS
    if _is_sum(grouping, group):
        return Part.SUMS
    depends = any(part > Part.BEFORE for part in before) or any(e.power for e in _extents(grouping, group))
    return Part.AFTER if depends else Part.BEFORE


def _extents(grouping: Grouping, group: Group) -> Iterator[Extent]:
    """The lengths of everything a group computes and reads."""
    for node in (*group.members, *_reads(grouping, group)):
        yield from grouping.sizes.extents(node.tensor.shape)


def _reads(grouping: Grouping, group: Group) -> list[Node]:
    return [read.node for node in group.members for read in grouping.reads(node)]


def _is_by_rows(grouping: Grouping, group: Group) -> bool:
    """Whether each row of what a group computes needs that row alone of what it reads."""
    sizes = grouping.sizes
    if not group.space or not group.space[0].is_batch or 0 in group.reduced:
        return False
    return all(has_rows(node, sizes) and _keeps_rows(grouping, node) for node in group.members)


def _is_sum(grouping: Grouping, group: Group) -> bool:
    """Whether a group adds up over the rows of the batch, and nothing else."""
    return all(
        sums_over_rows(node, grouping.sizes) and (is_product(node) or _keeps_rows(grouping, node))
        for node in group.members
    )


def _keeps_rows(grouping: Grouping, node: Node) -> bool:
    """Whether a node at a row of the batch reads nothing but that row of what has rows."""
    sizes = grouping.sizes
    if is_product(node):
        return _is_product_by_rows(node, sizes)
    if not _is_bound_to_rows(node, sizes, grouping):
        return False
    stack, seen = [(source, True) for source in node.inputs], set[tuple[Node, bool]]()
    while stack:
        source, along = stack.pop()
        if (source, along) in seen:
            continue
        seen.add((source, along))
        if source.primitive == "input" or grouping.is_computed(source):
            if any(e.power for e in sizes.extents(source.tensor.shape)) and not (along and has_rows(source, sizes)):
                return False
            continue
        if source.primitive == "iota" and sizes.extents(source.tensor.shape)[integer(source, "axis")].power:
            return False
        stack.extend((inner, along and _is_bound_to_rows(source, sizes, grouping)) for inner in source.inputs)
    return True


def _is_product_by_rows(node: Node, sizes: Sizes) -> bool:
    if node.tensor.rank > 2:
        return False
    form = form_of(node, sizes)
    fixed = (
        form.depth.is_fixed
        and form.columns.is_fixed
        and not any(extent.power for extent in sizes.extents(form.right.tensor.shape))
    )
    return fixed and form.left_is == "rows" and form.rows.is_batch and has_rows(form.left, sizes)


def _is_bound_to_rows(node: Node, sizes: Sizes, grouping: Grouping) -> bool:
    """Whether a node's element at a row comes from that row of its operands."""
    kind = node.primitive
    if kind in ("random_bits", "iota"):
        return False
    if kind in ("pad", "concatenate", "slice"):
        return integer(node, "axis") != 0
    if kind == "broadcast":
        return 0 not in integers(node, "axes")
    if kind == "transpose":
        return integers(node, "permutation")[0] == 0
    if kind == "reshape":
        (source,) = node.inputs
        return keeps_index(node, sizes) or (has_rows(source, sizes) and has_rows(node, sizes))
    if is_reduction(node) and not is_trivial(node, sizes) and node not in grouping.copied:
        return kind != "argmax" or 0 not in axes_of(node)
    return True
