"""A compiled step of the native backend: the state stays in panels, and a slice is one call."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from chainrule.backends.given import NUMPY, as_array, check_fixed, check_names, checked_order, row_count
from chainrule.backends.native.arenas import StatePlaces
from chainrule.backends.native.compiled import Compiled
from chainrule.backends.native.layout import Sizes
from chainrule.backends.native.machine import Isa
from chainrule.backends.native.schedule import Roles
from chainrule.backends.protocol import Array, Rows, Slice, State, Step, StopFlag
from chainrule.backends.sizes import bind_sizes
from chainrule.errors import BackendError, DTypeError, ValueRangeError
from chainrule.graph.tensor_type import concrete

if TYPE_CHECKING:
    from chainrule.backends.native.plan import Plan


class NativeState(State):
    """The arena of a state and the program it belongs to."""

    __slots__ = ("memory", "program", "sizes", "spent")

    def __init__(self, program: NativeProgram, memory: Array, sizes: dict[str, int]) -> None:
        self.program = program
        self.memory = memory
        self.sizes = sizes
        self.spent = False


class NativeProgram:
    """One step as native code, as `protocol.Program` asks; compiled when sizes and the largest batch are known."""

    def __init__(self, step: Step, isa: Isa) -> None:
        self.step = step
        self._isa = isa
        self._roles = Roles.of(step)
        self._types = {node.label: node.tensor for node in step.graph.inputs}
        self._bound: dict[tuple[object, ...], dict[str, int]] = {}
        self._most = 0
        self._compiled: dict[tuple[tuple[str, int], ...], Compiled] = {}
        self._lock = threading.Lock()

    def start(self, state: Mapping[str, Array]) -> State:
        """Copy the state into panels."""
        check_names("state", state, self.step.state)
        arrays = {name: as_array(name, state[name], self._types[name]) for name in self.step.state}
        sizes = bind_sizes(self.step.graph, {name: array.shape for name, array in arrays.items()})
        return NativeState(self, self._places(sizes).pack(arrays, flushes=self._isa.flushes), sizes)

    def read(self, state: State) -> dict[str, Array]:
        """Copy the state out."""
        held = self._mine(state)
        return self._places(held.sizes).unpack(held.memory)

    def run(
        self,
        state: State,
        data: Mapping[str, Array],
        order: Rows,
        offsets: Rows,
        rates: Mapping[str, Array],
        first_step: int,
        stop: StopFlag,
    ) -> Slice:
        """Do the steps in one call."""
        held = self._mine(state)
        columns = self._columns(data)
        steps = checked_order(order, offsets, row_count(columns))
        numbers = self._rates(rates, steps)
        self._check_clock(first_step, steps)
        sizes = self._sizes(columns, held.sizes)
        most = int(np.diff(offsets).max()) if steps else 1
        with self._lock:
            compiled = self._for(sizes, most)
            reports = compiled.reports(steps)
            held.spent = True
            done = compiled.run(
                held.memory,
                columns,
                np.ascontiguousarray(order),
                np.ascontiguousarray(offsets),
                numbers,
                reports,
                first_step,
                stop,
            )
        after = NativeState(self, held.memory, held.sizes)
        return Slice(after, {name: values[:done] for name, values in reports.items()}, done)

    def plan(self, batch: int, sizes: Mapping[str, int] | None = None) -> Plan:
        """What a step will do, before anything runs.

        Args:
            batch: the rows of the largest batch.
            sizes: the values of other named sizes, where the step has some.
        """
        from chainrule.backends.native.plan import described

        with self._lock:
            compiled = self._for(dict(sizes or {}), batch)
            return described(compiled, self._isa)

    # ---- code ----

    def _places(self, sizes: dict[str, int]) -> StatePlaces:
        return StatePlaces(self.step.graph, self.step.state, Sizes.of(sizes))

    def _for(self, sizes: dict[str, int], most: int) -> Compiled:
        """The code for these sizes and batches of at most so many rows."""
        known = Sizes.of(sizes, self.step.size, max(most, self._most))
        self._most = known.most
        kept = self._compiled.get(known.fixed)
        if kept is None or kept.plan.sizes.most < most:
            kept = self._compiled[known.fixed] = Compiled(self.step.graph, self._roles, known, self._isa)
        return kept

    # ---- what is given ----

    def _mine(self, state: State) -> NativeState:
        if not isinstance(state, NativeState) or state.program is not self:
            raise BackendError("this state belongs to another program; start one with this program")
        if state.spent:
            raise BackendError("this state was handed to run before; use the state that run returned")
        return state

    def _sizes(self, columns: Mapping[str, Array], known: dict[str, int]) -> dict[str, int]:
        """The values of all named sizes; slice after slice they are the same."""
        shapes = {name: array.shape for name, array in columns.items()}
        key = (*shapes.values(), *known.items())
        if key not in self._bound:
            state = {name: concrete(self._types[name].shape, known) for name in self.step.state}
            self._bound = {key: {**bind_sizes(self.step.graph, shapes | state), **known}}
        return self._bound[key]

    def _columns(self, data: Mapping[str, Array]) -> dict[str, Array]:
        check_names("column", data, self.step.columns)
        return {name: np.ascontiguousarray(as_array(name, data[name], self._types[name])) for name in self.step.columns}

    def _rates(self, rates: Mapping[str, Array], steps: int) -> dict[str, Array]:
        check_names("rate", rates, self.step.rates)
        result: dict[str, Array] = {}
        for name in self.step.rates:
            wanted, given = NUMPY[self._types[name].dtype], np.asarray(rates[name])
            check_fixed(name, given, (steps,))
            if not np.can_cast(given.dtype, wanted, "same_kind"):
                raise DTypeError(f"rate {name} has dtype {given.dtype}, and {wanted} is wanted; convert it with astype")
            result[name] = np.ascontiguousarray(given.astype(wanted))
        return result

    def _check_clock(self, first_step: int, steps: int) -> None:
        if self.step.clock is None:
            return
        dtype = self._types[self.step.clock].dtype
        last = first_step + max(steps - 1, 0)
        if NUMPY[dtype].kind in "iu" and not np.iinfo(dtype).min <= first_step <= last <= np.iinfo(dtype).max:
            raise ValueRangeError(f"the steps {first_step} to {last} do not fit the clock's dtype {NUMPY[dtype]}")
