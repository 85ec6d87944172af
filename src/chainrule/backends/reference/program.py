"""A compiled step of the reference: a plain loop that gathers rows, runs the plan and hands the state on."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from chainrule.backends.given import NUMPY, as_array, check_fixed, check_names, checked_order, row_count
from chainrule.backends.protocol import Array, Rows, Slice, State, Step, StopFlag
from chainrule.backends.reference.plan import Bound, Plan
from chainrule.backends.reference.threads import ONE_BLAS_THREAD
from chainrule.backends.sizes import bind_sizes
from chainrule.errors import BackendError, DTypeError, ValueRangeError
from chainrule.graph.tensor_type import concrete


class ReferenceState(State):
    """The arrays of a state, never changed in place, and the program they belong to."""

    __slots__ = ("arrays", "program", "spent")

    def __init__(self, program: ReferenceProgram, arrays: dict[str, Array]) -> None:
        self.program = program
        self.arrays = arrays
        self.spent = False


class ReferenceProgram:
    """One step, compiled, as `protocol.Program` asks; a run broken off by an exception leaves the state as it was."""

    def __init__(self, step: Step) -> None:
        self.step = step
        self._plan = Plan(step.graph)
        self._size = step.size
        self._updated = step.updated

    def start(self, state: Mapping[str, Array]) -> State:
        """Copy the state in, in C order."""
        graph = self.step.graph
        check_names("state", state, self.step.state)
        arrays = {name: as_array(name, state[name], graph.input(name).tensor) for name in self.step.state}
        bind_sizes(graph, {name: array.shape for name, array in arrays.items()})
        return ReferenceState(self, {name: np.array(array, order="C") for name, array in arrays.items()})

    def read(self, state: State) -> dict[str, Array]:
        """Copy the state out."""
        return {name: array.copy() for name, array in self._mine(state).arrays.items()}

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
        """Do the steps one by one."""
        held = self._mine(state)
        columns = self._columns(data)
        rows = row_count(columns)
        sizes = bind_sizes(self.step.graph, {name: array.shape for name, array in (held.arrays | columns).items()})
        steps = checked_order(order, offsets, rows)
        scalars = {**self._rates(rates, steps), **self._clock(first_step, steps)}
        measured = self._measured(sizes, steps)
        arrays, done = dict(held.arrays), 0
        with ONE_BLAS_THREAD, np.errstate(all="ignore"):
            while done < steps and not stop.is_set():
                chosen = order[offsets[done] : offsets[done + 1]]
                batch = {name: np.ascontiguousarray(column[chosen]) for name, column in columns.items()}
                now = {name: values[done] for name, values in scalars.items()}
                results = self._plan.execute(self._bound(sizes, len(chosen)), {**arrays, **batch, **now})
                for name in self._updated:
                    arrays[name] = np.asarray(results[name], order="C")  # else bits would depend on how it came about
                for name, values in measured.items():
                    values[done] = results[name]
                done += 1
        held.spent = True
        return Slice(ReferenceState(self, arrays), {name: values[:done] for name, values in measured.items()}, done)

    def _bound(self, sizes: dict[str, int], rows: int) -> Bound:
        """The plan for a batch of so many rows."""
        return self._plan.bind(sizes if self._size is None else {**sizes, self._size: rows})

    def _mine(self, state: State) -> ReferenceState:
        if not isinstance(state, ReferenceState) or state.program is not self:
            raise BackendError("this state belongs to another program; start one with this program")
        if state.spent:
            raise BackendError("this state was handed to run before; use the state that run returned")
        return state

    def _columns(self, data: Mapping[str, Array]) -> dict[str, Array]:
        check_names("column", data, self.step.columns)
        return {name: as_array(name, data[name], self.step.graph.input(name).tensor) for name in self.step.columns}

    def _rates(self, rates: Mapping[str, Array], steps: int) -> dict[str, Array]:
        check_names("rate", rates, self.step.rates)
        result: dict[str, Array] = {}
        for name in self.step.rates:
            wanted, given = NUMPY[self.step.graph.input(name).tensor.dtype], np.asarray(rates[name])
            check_fixed(name, given, (steps,))
            if not np.can_cast(given.dtype, wanted, "same_kind"):
                raise DTypeError(f"rate {name} has dtype {given.dtype}, and {wanted} is wanted; convert it with astype")
            result[name] = given.astype(wanted)
        return result

    def _clock(self, first_step: int, steps: int) -> dict[str, Array]:
        if self.step.clock is None:
            return {}
        dtype = self.step.graph.input(self.step.clock).tensor.dtype
        wanted = NUMPY[dtype]
        last = first_step + max(steps - 1, 0)
        if wanted.kind in "iu" and not np.iinfo(dtype).min <= first_step <= last <= np.iinfo(dtype).max:
            raise ValueRangeError(f"the steps {first_step} to {last} do not fit the clock's dtype {wanted}")
        return {self.step.clock: np.arange(first_step, first_step + steps).astype(wanted)}

    def _measured(self, sizes: dict[str, int], steps: int) -> dict[str, Array]:
        kinds = {name: self.step.graph[name].tensor for name in self.step.measurements}
        return {
            name: np.empty((steps, *concrete(kind.shape, sizes)), NUMPY[kind.dtype]) for name, kind in kinds.items()
        }
