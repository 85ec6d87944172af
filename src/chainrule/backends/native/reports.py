"""An output that is no next value of the state, written in the usual order to where the caller reads it."""

from __future__ import annotations

from chainrule.backends.native.body import Body, Given, in_memory
from chainrule.backends.native.grouping import Group
from chainrule.backends.native.indices import Index, Neighbors, Uniform, linear, number, plus, times
from chainrule.backends.native.ir import I8, Value
from chainrule.backends.native.layout import LANES
from chainrule.backends.native.loops import LoopWriter
from chainrule.graph.node import Node


class ReportWriter(LoopWriter):
    """Writes the loops that copy one value out."""

    def __init__(self, body: Body, group: Group, name: str, node: Node) -> None:
        super().__init__(body, group)
        self._name = name
        self._node = node

    def write(self) -> None:
        """The whole function but its last line."""
        self._copied(0, {})

    def _copied(self, depth: int, at: dict[int, Index]) -> None:
        if depth == len(self.levels):
            self._element(at)
            return
        level = self.levels[depth]

        def once(index: Value, _: tuple[Value, ...]) -> tuple[Value, ...]:
            self._copied(depth + 1, {**at, level.axis: Neighbors(index) if level.lanes else Uniform(index)})
            return ()

        self.b.loop(number(0), self._length(level), 1, (), once)

    def _element(self, at: dict[int, Index]) -> None:
        """One element, or one panel's row of them."""
        body, b, node = self.body, self.b, self._node
        body.begin()
        value = body.splat(body.value(node, self._indices(node, at)))
        raw = b.convert("zext", value, I8) if node.tensor.dtype == "bool" else value
        target = body.parameters.ask(("report",), Given("report", name=self._name))
        element = in_memory(node)
        if not at:
            b.store(raw, target)
            return
        last = len(self.group.space) - 1
        lengths = [body.parameters.extent(e, "space", axis) for axis, e in enumerate(self.group.space)]
        before = linear(b, [at[axis] for axis in range(last)], lengths[:-1])
        assert isinstance(before, Uniform)
        here = at[last]
        assert isinstance(here, Neighbors)
        first = times(b, here.panel, LANES)
        start = b.at(target, plus(b, times(b, before.value, lengths[last]), first), element)
        left = b.subtract(lengths[last], first)

        def whole() -> tuple[Value, ...]:
            b.store(raw, start)
            return ()

        def rest() -> tuple[Value, ...]:
            def each(lane: Value, _: tuple[Value, ...]) -> tuple[Value, ...]:
                b.store(b.extract(raw, lane), b.at(start, lane, element))
                return ()

            b.loop(number(0), left, 1, (), each)
            return ()

        b.choose(b.compare("sge", left, LANES), whole, rest)
