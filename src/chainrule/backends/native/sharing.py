"""What threads share: a stage whose work is worth the meeting that follows it."""

from __future__ import annotations

import math
from typing import Final

from chainrule.backends.native.layout import LANES
from chainrule.backends.native.schedule import Schedule
from chainrule.backends.native.stages import Stage
from chainrule.backends.native.vocabulary import is_product, loop_space
from chainrule.graph.node import Node

# Work is counted in nanoseconds of one core with two fused units at 3 GHz, by rough constants that never change bits.
WORTH: Final = 4_000.0  # what two threads save must exceed a meeting by far: 38 ns when all is well, 17 µs when not
FLOPS: Final = 80.0  # a nanosecond, in a product
CHEAP: Final = 0.05  # an element, where memory is near
DEAR: Final = 0.6  # an element of what is computed by a polynomial or a division
DEAR_KINDS: Final = frozenset(
    {"divide", "sqrt", "exp", "log", "expm1", "log1p", "tanh", "sigmoid", "softplus", "erf", "power", "random_bits"}
)


def is_worth_sharing(plan: Schedule, stage: Stage) -> bool:
    """Whether threads share a stage: a function of its shapes alone."""
    if stage.count is None or stage.group >= len(plan.groups):
        return False
    return sum(_work(plan, node) for node in plan.groups[stage.group].members) >= WORTH


def _work(plan: Schedule, node: Node) -> float:
    """Nanoseconds for one node, for the largest batch."""
    lengths = [extent.most for extent in loop_space(node, plan.sizes)]
    if lengths:
        lengths[-1] = -(-lengths[-1] // LANES) * LANES  # what is computed is whole panels
    elements = math.prod(lengths)
    if is_product(node):
        return 2 * elements * plan.sizes.extent(node.inputs[0].tensor.shape[-1]).most / FLOPS
    return elements * (DEAR if node.primitive in DEAR_KINDS else CHEAP)
