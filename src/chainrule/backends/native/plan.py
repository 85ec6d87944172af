"""What the native backend will do, as plain data: what is fused, where values lie, which kernel runs each product."""

from __future__ import annotations

from typing import Final

import msgspec

from chainrule.backends.native.compiled import Compiled, Effort
from chainrule.backends.native.layout import LANES
from chainrule.backends.native.machine import BYTES, Isa
from chainrule.backends.native.schedule import Schedule
from chainrule.backends.native.sharing import is_worth_sharing
from chainrule.backends.native.small import fits
from chainrule.backends.native.tiles import form_of, panels_at_once, pieces_of, tile_of
from chainrule.backends.native.vocabulary import is_product, loop_space
from chainrule.graph.node import Node

IN_REGISTERS: Final = "registers"
IN_PANELS: Final = "panels"


class Place(msgspec.Struct, frozen=True):
    """A value that is kept.

    Attributes:
        value: the primitive that makes it, or the input's name.
        type: its type.
        arena: "state" or "work".
        offset, bytes: where it lies and how much it takes, padding included.
        first, last: the stages between which it is needed; another value may lie there before and after.
    """

    value: str
    type: str
    arena: str
    offset: int
    bytes: int
    first: int
    last: int


class Fused(msgspec.Struct, frozen=True):
    """A stage: nodes that are computed in one loop.

    Attributes:
        nodes: their primitives in order.
        names: the inputs it reads and the values of the state it writes.
        space: the lengths of the loop's axes, for the largest batch.
        kernel: of a product: its role and its tile, as "X W, 6 rows of 2 vectors of 8"; else "".
        function: the name of the code, which stages of one form share.
        kept: which of the nodes are written to memory, by number.
        shared: whether threads share it.
        strips: whether it runs strip by strip.
        flops: floating-point operations, counted where a product is: two for each multiplication and addition.
        bytes: read and written, each value once.
    """

    nodes: tuple[str, ...]
    names: tuple[str, ...]
    space: tuple[int, ...]
    kernel: str
    function: str
    kept: tuple[int, ...]
    shared: bool
    strips: bool
    flops: int
    bytes: int


class Plan(msgspec.Struct, frozen=True):
    """Everything a step does.

    Attributes:
        isa: the instruction set.
        batch: the rows of the largest batch.
        tier: where the largest batches are computed: "registers" or "panels".
        stages: in order.
        places: of all kept values, inputs first.
        strip: rows of the batch that pass together through the stages that run strip by strip; 0 where none does.
        copies: how many next values are copied at the end of the step, because the old ones were still needed.
        state_bytes, work_bytes, scratch_bytes: of the arenas; scratch is for each thread.
        threads: how many share a step.
        effort: what compiling took.
    """

    isa: str
    batch: int
    tier: str
    stages: tuple[Fused, ...]
    places: tuple[Place, ...]
    strip: int
    copies: int
    state_bytes: int
    work_bytes: int
    scratch_bytes: int
    threads: int
    effort: Effort

    @property
    def flops(self) -> int:
        """Of one step."""
        return sum(stage.flops for stage in self.stages)

    @property
    def bytes(self) -> int:
        """Of all arenas, for one thread."""
        return self.state_bytes + self.work_bytes + self.scratch_bytes


def described(compiled: Compiled, isa: Isa) -> Plan:
    """The plan of what was scheduled and written."""
    schedule, code = compiled.plan, compiled.code
    stages: list[Fused] = []
    for number, group in enumerate(schedule.groups):
        stage = code.stages[number]
        head = group.head
        inside = schedule.strips is not None and schedule.strips.inside(number)
        stages.append(
            Fused(
                tuple(node.primitive for node in group.members),
                _names(schedule, group.members),
                tuple(extent.most for extent in group.space),
                "" if head is None else _kernel(schedule, head, isa),
                stage.function,
                tuple(k for k, node in enumerate(group.members) if node in schedule.buffers),
                inside or is_worth_sharing(schedule, stage),
                inside,
                sum(_flops(schedule, node) for node in group.members if is_product(node)),
                _traffic(schedule, group.members),
            )
        )
    places = [
        Place(node.label, str(node.type), b.arena, b.offset, b.layout.bytes, b.first, b.last)
        for node, b in (*schedule.buffers.items(), *schedule.carried.items())
    ]
    return Plan(
        isa.name,
        schedule.sizes.most,
        IN_REGISTERS if fits(schedule) else IN_PANELS,
        tuple(stages),
        tuple(places),
        0 if schedule.strips is None else schedule.strips.rows,
        len(schedule.moves),
        schedule.state_bytes,
        schedule.work_bytes,
        code.scratch,
        compiled.threads,
        compiled.effort,
    )


def _names(schedule: Schedule, members: list[Node]) -> tuple[str, ...]:
    """By name what a group reads from outside the graph, and the next values it makes."""
    inside = set(members)
    read = [r.node.label for node in members for r in schedule.grouping.reads(node) if r.node.primitive == "input"]
    made = [name for name, node in schedule.graph.outputs if node in inside]
    return tuple(dict.fromkeys((*read, *made)))


def _kernel(schedule: Schedule, head: Node, isa: Isa) -> str:
    if head.tensor.rank > 2:
        return f"a stack of matrices, {LANES} columns at a time"
    form = form_of(head, schedule.sizes)
    dtype = head.tensor.dtype
    tile = tile_of(form, dtype, isa, panels_at_once(form, dtype, isa))
    vectors = "a vector" if tile.width == 1 else f"{tile.width} vectors"
    height = max(tile.dealt(min(form.rows.most, pieces_of(form))), default=1)
    return f"{form.role}, {height} rows of {vectors} of {tile.lanes}"


def _flops(schedule: Schedule, node: Node) -> int:
    count = 2 * schedule.sizes.extent(node.inputs[0].tensor.shape[-1]).most
    for extent in loop_space(node, schedule.sizes):
        count *= extent.most
    return count


def _traffic(schedule: Schedule, members: list[Node]) -> int:
    """Bytes of everything read from outside and kept, each value once."""
    inside = set(members)
    outside = {read.node for node in members for read in schedule.grouping.reads(node) if read.node not in inside}
    kept = {node for node in members if node in schedule.buffers}
    total = 0
    for node in outside | kept:
        count = BYTES[node.tensor.dtype]
        for extent in schedule.sizes.extents(node.tensor.shape):
            count *= extent.most
        total += count
    return total
