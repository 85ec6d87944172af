"""What threads share: a stage whose work is worth the meeting that follows it."""

from __future__ import annotations

import math
from typing import Final

from chainrule.backends.native.layout import LANES
from chainrule.backends.native.schedule import Schedule
from chainrule.backends.native.stages import Count, Stage
from chainrule.backends.native.vocabulary import axes_of, is_product, is_reduction, loop_space
from chainrule.graph.node import Node

# Work is counted in nanoseconds of one core with two fused units at 3 GHz, by rough constants that never change bits.
WORTH: Final = 6_000.0  # two threads save half; a meeting, and what one reads of the other's, cost about 1 µs
FLOPS: Final = 80.0  # a nanosecond, in a product
CHEAP: Final = 0.05  # an element, where memory is near
DEAR: Final = 0.6  # an element of what is computed by a polynomial or a division
GATHERED: Final = 0.2  # an element more, where rows come from anywhere
FOLDED: Final = 6.0  # a row whose lanes are combined
DEAR_KINDS: Final = frozenset(
    {"divide", "sqrt", "exp", "log", "expm1", "log1p", "tanh", "sigmoid", "softplus", "erf", "power", "random_bits"}
)


def is_worth_sharing(plan: Schedule, stage: Stage) -> bool:
    """Whether threads share a stage: a function of its shapes alone."""
    if stage.count is None or stage.group >= len(plan.groups) or pieces(stage.count) < 2:
        return False
    return work(plan, stage) >= WORTH


def work(plan: Schedule, stage: Stage) -> float:
    """Nanoseconds for a stage, for the largest batch."""
    return sum(_work(plan, node) for node in plan.groups[stage.group].members)


def pieces(count: Count) -> int:
    """Into how many pieces the largest batch divides a stage."""
    each = {"extent": 1, "panels": LANES}.get(count.kind, count.most)
    return -(-count.extent.most // each)


def _along(plan: Schedule, node: Node) -> set[int]:
    """Which axes of the loop a reduction runs along."""
    extents = plan.sizes.extents(node.inputs[0].tensor.shape)
    kept = [axis for axis, extent in enumerate(extents) if not extent.is_one]
    return {kept.index(axis) for axis in axes_of(node) if axis in kept}


def _work(plan: Schedule, node: Node) -> float:
    """Nanoseconds for one node, for the largest batch."""
    lengths = [extent.most for extent in loop_space(node, plan.sizes)]
    if lengths:
        lengths[-1] = -(-lengths[-1] // LANES) * LANES  # what is computed is whole panels
    elements = math.prod(lengths)
    if is_reduction(node):
        rows = math.prod(lengths[:-1]) if len(lengths) - 1 in _along(plan, node) else 0
        return elements * CHEAP + rows * FOLDED
    if is_product(node):
        return 2 * elements * plan.sizes.extent(node.inputs[0].tensor.shape[-1]).most / FLOPS
    is_far = any(read.node in plan.columns for read in plan.grouping.reads(node))
    return elements * ((DEAR if node.primitive in DEAR_KINDS else CHEAP) + (GATHERED if is_far else 0.0))
