"""A group without a product, as a function: a nest of loops over its space, axes that are reduced innermost."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import msgspec

from chainrule.backends.native.body import Body, Given, in_memory
from chainrule.backends.native.grouping import Group
from chainrule.backends.native.indices import ZERO, Index, Indices, Neighbors, Uniform, number, plus, times
from chainrule.backends.native.ir import I8, I32, Builder, Value
from chainrule.backends.native.layout import HALF, LANES, Extent
from chainrule.backends.native.reductions import KINDS, Reduction
from chainrule.backends.native.tiles import turns_of
from chainrule.backends.native.vocabulary import RESUMED, TURNS, axes_of, is_reduction, space
from chainrule.graph.node import Node

MANY_PANELS = 4  # from here on panels are the outer loop: each is contiguous memory
WIDE = 16  # panels from which on several rows are reduced side by side, as a row's lines lie far apart
SIDE_BY_SIDE = 4  # rows that are
FEW_MEMBERS = 6  # nodes up to which several rows are gathered at a time
FEW = 1  # nodes besides reductions up to which a loop is written out for every turn


class Level(msgspec.Struct, frozen=True):
    """One loop of the nest.

    Attributes:
        axis: of the group's space.
        lanes: whether it runs over panels of sixteen.
        reduced: whether its elements are combined.
    """

    axis: int
    lanes: bool
    reduced: bool


def nest(group: Group, *, rows_first: bool) -> list[Level]:
    """The loops from the outermost to the innermost."""
    last = len(group.space) - 1
    levels = [Level(axis, axis == last, axis in group.reduced) for axis in range(last + 1)]
    kept = [level for level in levels if not level.reduced]
    if len(kept) > 1 and kept[-1].lanes and not rows_first:
        kept[-2:] = kept[:-3:-1]
    return kept + [level for level in levels if level.reduced]


def is_panel_first(extent: Extent) -> bool:
    """Whether there are so many panels that they are the outer loop."""
    return extent.most > LANES * MANY_PANELS


class LoopWriter:
    """Writes the loops of one group."""

    def __init__(self, body: Body, group: Group) -> None:
        self.body = body
        self.b: Builder = body.b
        self.group = group
        plan = body.plan
        self._reductions = [n for n in group.members if is_reduction(n) and n not in plan.grouping.copied]
        reads = [read.node for node in group.members for read in plan.grouping.reads(node)]
        self._gathered = list(dict.fromkeys(node for node in reads if node in plan.columns))
        rows_first = bool(self._gathered) or not (group.space and is_panel_first(group.space[-1]))
        self.levels = nest(group, rows_first=rows_first)
        self.shared = self.levels[0] if self.levels and not self.levels[0].reduced else None

    def write(self) -> None:
        """The whole function but its last line."""
        self.body.hold(self._numbers())
        self._kept(0, {})

    def _numbers(self) -> list[Node]:
        """Single numbers that other groups computed or the caller gave, read before the loops."""
        plan = self.body.plan
        found: dict[Node, None] = {}
        for member in self.group.members:
            for read in plan.grouping.reads(member):
                is_other = read.node not in self.group.members and read.node not in plan.columns
                if is_other and not space(read.node.tensor, plan.sizes) and self.group.space:
                    found[read.node] = None
        return list(found)

    # ---- loops ----

    def _kept(self, depth: int, at: dict[int, Index]) -> None:
        """The loops over what is kept, then those over what is reduced."""
        if depth == len(self.levels) or self.levels[depth].reduced:
            self._inner(depth, [at])
            return
        level = self.levels[depth]
        if depth == 0:
            start = self.body.parameters.ask(("low",), Given("low"))
            stop = self.body.parameters.ask(("high",), Given("high"))
        else:
            start, stop = number(0), self._length(level)

        if depth == 0 and self._takes_several_rows:
            start = self._several_rows(level, start, stop, turns_of(self.group.space[level.axis].most), self._gather)
        elif depth == 0 and self._reduces_several_rows:
            start = self._several_rows(level, start, stop, SIDE_BY_SIDE, partial(self._inner, 1))

        def once(index: Value, _: tuple[Value, ...]) -> Sequence[Value]:
            if depth + 1 < len(self.levels) and not level.lanes:
                self._begin_rows(level, index)
            self._kept(depth + 1, {**at, level.axis: Neighbors(index) if level.lanes else Uniform(index)})
            return ()

        self.b.loop(start, stop, 1, (), once)

    @property
    def _takes_several_rows(self) -> bool:
        """Whether rows of columns are gathered some at a time, so that their panels are written line after line."""
        if not self._gathered or self._reductions or len(self.group.members) > FEW_MEMBERS:
            return False
        return [level.lanes for level in self.levels] == [False, True]

    @property
    def _reduces_several_rows(self) -> bool:
        """Whether rows are so wide that some of them are reduced at a time."""
        if [(level.lanes, level.reduced) for level in self.levels] != [(False, False), (True, True)]:
            return False
        return self.group.space[-1].most >= WIDE * LANES

    def _several_rows(
        self, level: Level, start: Value, stop: Value, count: int, write: Callable[[list[dict[int, Index]]], object]
    ) -> Value:
        """All rows but a few, so many at a time; gives the first of those."""
        b = self.b

        def some(first: Value, _: tuple[Value, ...]) -> Sequence[Value]:
            rows = [plus(b, first, i) for i in range(count)]
            for row in rows:
                self._begin_rows(level, row)
            write([{level.axis: Uniform(row)} for row in rows])
            return ()

        rest = b.subtract(stop, b.remainder(b.subtract(stop, start), count))
        b.loop(start, rest, count, (), some)
        return rest

    def _gather(self, rows: list[dict[int, Index]]) -> None:
        """Panel after panel of some rows."""
        panels = self.levels[1]

        def once(panel: Value, _: tuple[Value, ...]) -> Sequence[Value]:
            for row in rows:
                self._inner(len(self.levels), [{**row, panels.axis: Neighbors(panel)}])
            return ()

        self.b.loop(number(0), self._length(panels), 1, (), once)

    def _begin_rows(self, level: Level, index: Value) -> None:
        """Find the rows of gathered columns once, where this loop is the one over them."""
        extent = self.group.space[level.axis]
        for node in self._gathered:
            if level.axis == 0 and self.body.plan.sizes.extents(node.tensor.shape)[0] == extent:
                self.body.begin_row(node, index)

    def _length(self, level: Level) -> Value:
        extent = self.group.space[level.axis]
        ask = self.body.parameters.panels if level.lanes else self.body.parameters.extent
        return ask(extent, "space", level.axis)

    def _inner(self, depth: int, places: list[dict[int, Index]]) -> None:
        """The loops over what is reduced, for one place or for several side by side."""
        self.body.begin()
        if depth == len(self.levels):
            (at,) = places
            self._compute(at)
            return
        across = any(level.lanes for level in self.levels[depth:])
        running = [KINDS[node.primitive](node, self.b, across=across) for node in self._reductions]
        carried = [value for _ in places for each in running for value in each.initial()]
        waiting = [place for at in places for place in self._waiting(at)]
        if waiting:
            carried = self._resumed(carried, waiting)
        done = self._reduced(depth, places, running, carried)
        for value, place in zip(done, waiting, strict=False):
            self.b.store(value, place)
        self.body.begin()
        for at in places:
            for each in running:
                width = len(each.initial())
                self._store_result(each.node, each.final(done[:width]), at)
                done = done[width:]

    def _waiting(self, at: dict[int, Index]) -> list[Value]:
        """Where the vectors of reductions that go on from strip to strip wait; nowhere for others."""
        places: list[Value] = []
        for node in self._reductions:
            if (buffer := self.body.plan.carried.get(node)) is None:
                return []
            panel = next((index.panel for index in at.values() if isinstance(index, Neighbors)), number(0))
            part = self.body.parameters.place(node)
            start = self.body.parameters.ask(("carried", part), Given("buffer", buffer=buffer))
            width = RESUMED[node.primitive] * LANES
            first = self.b.at(start, times(self.b, panel, width), in_memory(node))
            places += [self.b.at(first, lanes, in_memory(node)) for lanes in range(0, width, LANES)]
        return places

    def _resumed(self, carried: Sequence[Value], waiting: Sequence[Value]) -> list[Value]:
        """What is carried into the loop: in the first strip the beginning, later what waits."""
        b = self.b
        done = self.body.parameters.ask(("done",), Given("done"))

        def loaded() -> list[Value]:
            return [b.load(value.type, place) for value, place in zip(carried, waiting, strict=True)]

        return list(b.choose(b.compare("eq", done, 0), lambda: list(carried), loaded))

    def _reduced(
        self, depth: int, places: list[dict[int, Index]], running: Sequence[Reduction], carried: Sequence[Value]
    ) -> Sequence[Value]:
        if depth == len(self.levels):
            width = len(carried) // len(places)
            parts = [carried[k : k + width] for k in range(0, len(carried), width)]
            return [value for at, part in zip(places, parts, strict=True) for value in self._combine(at, running, part)]
        level = self.levels[depth]

        def once(index: Value, values: tuple[Value, ...]) -> Sequence[Value]:
            here: Index = Neighbors(index) if level.lanes else Uniform(index)
            return self._reduced(depth + 1, [{**at, level.axis: here} for at in places], running, values)

        extent = self.group.space[level.axis]
        if level.lanes and extent.is_fixed and 0 < extent.most <= LANES:
            return once(number(0), tuple(carried))
        if depth < len(self.levels) - 1 or not self._is_light(extent):
            return self.b.loop(number(0), self._length(level), 1, carried, once)

        def turns(index: Value, values: tuple[Value, ...]) -> Sequence[Value]:
            for turn in range(TURNS):
                values = tuple(once(plus(self.b, index, turn), values))
            return values

        length = self._length(level)
        whole = self.b.subtract(length, self.b.remainder(length, TURNS))
        carried = self.b.loop(number(0), whole, TURNS, carried, turns)
        return self.b.loop(whole, length, 1, carried, once)

    def _is_light(self, extent: Extent) -> bool:
        """Whether a loop is so long, and so little is done in it, that each turn gets its code."""
        done = sum(node not in self._reductions for node in self.group.members)
        return extent.most > LANES and done <= FEW

    # ---- the innermost block ----

    def _compute(self, at: dict[int, Index]) -> None:
        """Every member at this index; what others need is stored when all is read."""
        self._keep(self._made(at))

    def _made(self, at: dict[int, Index]) -> list[tuple[Node, Value, Indices]]:
        """Every member that is no reduction."""
        members = [node for node in self.group.members if node not in self._reductions]
        indices = [self._indices(node, at) for node in members]
        return [(n, self.body.splat(self.body.value(n, i)), i) for n, i in zip(members, indices, strict=True)]

    def _keep(self, made: Sequence[tuple[Node, Value, Indices]]) -> None:
        """Store what others need."""
        for node, value, indices in made:
            if node in self.body.plan.buffers:
                self.store(node, value, indices)

    def _combine(self, at: dict[int, Index], running: Sequence[Reduction], carried: Sequence[Value]) -> Sequence[Value]:
        self.body.begin()
        made = self._made(at)
        read = [self.body.value(each, self._indices(each, at)) for r in running for each in r.node.inputs]
        self._keep(made)
        inside = self._inside(at)
        rest, result = list(carried), list[Value]()
        for each, x in zip(running, read, strict=True):
            width = len(each.initial())
            result += each.step(rest[:width], self.body.splat(x), self._place(each.node, at), inside)
            rest = rest[width:]
        return result

    def _inside(self, at: dict[int, Index]) -> Value | None:
        """The lanes that exist, where lanes are combined and the last panel may not be full."""
        axis = len(self.group.space) - 1
        extent, index = self.group.space[axis], at[axis]
        if axis not in self.group.reduced or (extent.is_fixed and extent.most % LANES == 0):
            return None
        assert isinstance(index, Neighbors)
        b = self.b
        length = self.body.parameters.extent(extent, "space", axis)
        left = b.convert("trunc", b.subtract(length, times(b, index.panel, LANES)), I32)
        return b.compare("sgt", b.splat(left, LANES), b.constants(I32.of(LANES), range(LANES)))

    def _place(self, node: Node, at: dict[int, Index]) -> Value:
        """Where along the reduced axis, i32, in each lane; asked for by argmax alone."""
        b = self.b
        if node.primitive != "argmax":
            return number(0)
        (axis,) = self.group.reduced
        index = at[axis]
        if isinstance(index, Uniform):
            return b.splat(b.convert("trunc", index.value, I32), LANES)
        assert isinstance(index, Neighbors)
        start = b.splat(b.convert("trunc", times(b, index.panel, LANES), I32), LANES)
        return b.add(start, b.constants(I32.of(LANES), range(LANES)))

    # ---- indices and stores ----

    def _indices(self, node: Node, at: dict[int, Index]) -> Indices:
        """The loop's index as one of the node's: axes of length 1 stay at 0."""
        return spread(self.body.plan.sizes.extents(node.tensor.shape), [at[axis] for axis in sorted(at)])

    def _store_result(self, node: Node, value: Value, at: dict[int, Index]) -> None:
        kept = [at[axis] for axis in range(len(self.group.space)) if axis not in self.group.reduced]
        shape = node.inputs[0].tensor.shape
        extents = self.body.plan.sizes.extents(shape)
        full = spread([e if axis not in axes_of(node) else Extent(1, 0, 1) for axis, e in enumerate(extents)], kept)
        self.store(node, value, tuple(i for axis, i in enumerate(full) if axis not in axes_of(node)))

    def store(self, node: Node, value: Value, indices: Indices) -> None:
        """Write a value to its buffer, of a narrow panel only the half that is read."""
        layout = self.body.plan.layout(node)
        raw = self.b.convert("zext", value, I8) if node.tensor.dtype == "bool" else value
        if raw.type.lanes == LANES and layout.is_narrow:
            raw = self.b.part(raw, 0, HALF)
        assert raw.type.scalar == in_memory(node)
        self.b.store(raw, self.body.address(node, layout, indices))


def spread(extents: Sequence[Extent], taking_part: Sequence[Index]) -> Indices:
    """Indices of all axes from those of the axes that are longer than 1."""
    rest = iter(taking_part)
    return tuple(ZERO if extent.is_one else next(rest) for extent in extents)
