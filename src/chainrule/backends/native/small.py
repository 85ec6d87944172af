"""Steps that stay in registers, inside the slice function: what they load, how many there are, what they leave."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from chainrule.backends.native.body import in_memory
from chainrule.backends.native.indices import number, plus, times
from chainrule.backends.native.ir import HELD, I1, I8, I64, Value
from chainrule.backends.native.layout import LANES, Layout
from chainrule.backends.native.registers import Registers, elements, fits, lanes_for, lengths, whole
from chainrule.graph.node import Node, topological

if TYPE_CHECKING:
    from chainrule.backends.native.driver import Driver

__all__ = ["SmallSteps", "fits"]

TOGETHER: Final = 64  # steps between two looks at the stop flag, a few microseconds


class SmallSteps:
    """Writes steps of the largest batch; the driver writes the others."""

    def __init__(self, driver: Driver) -> None:
        self.driver = driver
        self.b = driver.b
        plan = driver.plan
        self.sizes = whole(plan.sizes)
        read = frozenset(topological(plan.graph.results))
        state, columns = (map(plan.graph.input, names) for names in (plan.roles.state, plan.roles.columns))
        self.state = [node for node in state if node in read or node.label in plan.graph.output_names]
        self.columns = [node for node in columns if node in read]

    def run(self, k: Value, steps: Value, offsets: Value) -> Value:
        """Steps from k on, while their batches are full; gives the first step that was not done."""
        b = self.b
        last = b.intrinsic("llvm.smin", b.add(k, TOGETHER), steps)
        stop = self._full_until(k, last, offsets)
        first = [self._loaded(node) for node in self.state]
        done = b.loop(k, stop, 1, first, lambda step, state: self._step(step, state, offsets))
        for node, value in zip(self.state, done, strict=True):
            self._store(node, value)
        return stop

    def _full_until(self, k: Value, last: Value, offsets: Value) -> Value:
        """The first step before `last` whose batch is not full, else `last`."""
        b = self.b

        def look(step: Value, found: tuple[Value, ...]) -> Sequence[Value]:
            begin, end = b.load(I64, b.at(offsets, step, I64)), b.load(I64, b.at(offsets, b.add(step, 1), I64))
            is_full = b.compare("eq", b.subtract(end, begin), self.driver.plan.sizes.most)
            here = b.select(is_full, last, step)
            return [b.intrinsic("llvm.smin", found[0], here)]

        (stop,) = b.loop(k, last, 1, [last], look)
        return stop

    def _step(self, k: Value, state: Sequence[Value], offsets: Value) -> list[Value]:
        driver, plan = self.driver, self.driver.plan
        given = dict(zip(self.state, state, strict=True))
        order = self.b.at(driver.order, self.b.load(I64, self.b.at(offsets, k, I64)), I64)
        pointers = {key: driver.this_step(key, pointer, k) for key, pointer in driver.pointers.items()}
        given |= {node: self._column(node, pointers["column", node.label], order) for node in self.columns}
        for name in plan.roles.rates:
            node = plan.graph.input(name)
            given[node] = self.b.load(HELD[node.tensor.dtype], pointers["rate", name])
        if plan.roles.clock is not None:
            clock = plan.graph.input(plan.roles.clock)
            given[clock] = driver.clock_value(plus(self.b, driver.first_step, k))
        registers = Registers(self.b, self.sizes, given)
        following = {name: node for name, node in plan.graph.outputs if name in plan.roles.state}
        results = [registers.value(following.get(node.label, node)) for node in self.state]
        for name, node in plan.reports:
            self._report(registers.value(node), node, pointers["report", name])
        return results

    # ---- the state, between panels and registers ----

    def _spots(self, node: Node) -> list[int]:
        """For each element in the usual order, where in its buffer it lies."""
        layout = Layout.of(node.tensor, self.sizes)
        shape = lengths(node.tensor.shape, self.sizes)
        spots: list[int] = []
        for flat in range(elements(node, self.sizes)):
            rest, at = flat, [0] * len(shape)
            for axis in reversed(range(len(shape))):
                rest, at[axis] = divmod(rest, shape[axis])
            spot = sum(at[axis] * layout.stride(axis) for axis in layout.axes[:-1])
            if layout.lane_axis is not None:
                panel, lane = divmod(at[layout.lane_axis], LANES)
                spot += panel * layout.panel_stride + lane
            spots.append(spot)
        return spots

    def _loaded(self, node: Node) -> Value:
        pointer = self.driver.address(self.driver.plan.buffers[node])
        return self._vector(node, [self.b.at(pointer, spot, in_memory(node)) for spot in self._spots(node)])

    def _store(self, node: Node, value: Value) -> None:
        b = self.b
        pointer = self.driver.address(self.driver.plan.buffers[node])
        raw = b.convert("zext", value, I8) if node.tensor.dtype == "bool" else value
        for k, spot in enumerate(self._spots(node)):
            b.store(b.extract(raw, k), b.at(pointer, spot, in_memory(node)))

    def _vector(self, node: Node, pointers: Sequence[Value]) -> Value:
        """Elements from anywhere."""
        b, element = self.b, in_memory(node)
        lanes = lanes_for(len(pointers))
        if lanes == 1:
            return self._held(node, b.load(element, pointers[0]))
        result = b.constant(element.of(lanes), 0)
        for k, pointer in enumerate(pointers):
            result = b.insert(result, k, b.load(element, pointer))
        return self._held(node, result)

    def _held(self, node: Node, raw: Value) -> Value:
        return self.b.convert("trunc", raw, I1) if node.tensor.dtype == "bool" else raw

    # ---- data and reports ----

    def _column(self, node: Node, pointer: Value, order: Value) -> Value:
        """The rows of a batch, one after the other."""
        b, element = self.b, in_memory(node)
        rows, *inner = lengths(node.tensor.shape, self.sizes)
        width = 1
        for length in inner:
            width *= length
        starts: list[Value] = []
        for row in range(rows):
            which = b.load(I64, b.at(order, row, I64))
            starts.append(b.at(pointer, times(b, which, width), element))
        if width.bit_count() > 1:
            return self._vector(node, [b.at(start, k, element) for start in starts for k in range(width)])
        parts = [b.load(element.of(width), start) for start in starts]
        parts += [parts[0]] * (lanes_for(rows) - rows)
        while len(parts) > 1:
            parts = [b.joined(parts[k], parts[k + 1]) for k in range(0, len(parts), 2)]
        return self._held(node, parts[0])

    def _report(self, value: Value, node: Node, pointer: Value) -> None:
        b = self.b
        raw = b.convert("zext", value, I8) if node.tensor.dtype == "bool" else value
        for k in range(elements(node, self.sizes)):
            b.store(b.extract(raw, k), b.at(pointer, number(k), in_memory(node)))
