"""What every backend offers: a graph evaluated once, and a training step compiled to run many times."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, Protocol, TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt

from chainrule.errors import GraphError
from chainrule.graph.node import Graph, Node
from chainrule.graph.tensor_type import Size, TensorType, show_shape, symbols_of

Array: TypeAlias = npt.NDArray[Any]  # the dtype is in the type of the graph's node
Rows: TypeAlias = npt.NDArray[np.int64]


class Step(msgspec.Struct, frozen=True):
    """One step of training as a graph, and the role of each of its inputs.

    Attributes:
        graph: every input has exactly one of the roles below.
        state: inputs that persist between steps. An output of the same name is the next value; without one the value
            stays.
        columns: inputs whose rows are gathered from the data by the order; their first dimension is one named size,
            such as n.
        rates: scalar inputs with one value for each step, such as the learning rate.
        clock: the scalar input that receives the number of the step, first_step + k, or None.

    Raises:
        GraphError: an input without a role or with two, a next value of another type, a column without rows, a rate
            that is no scalar, a measurement whose shape changes with the batch.
    """

    graph: Graph
    state: tuple[str, ...]
    columns: tuple[str, ...]
    rates: tuple[str, ...] = ()
    clock: str | None = None

    def __post_init__(self) -> None:
        _check_roles(self)
        _check_columns(self)
        _check_scalars(self)
        _check_outputs(self)

    @property
    def measurements(self) -> tuple[str, ...]:
        """The outputs that are no next value of the state, in order."""
        return tuple(name for name in self.graph.output_names if name not in self.state)

    @property
    def updated(self) -> tuple[str, ...]:
        """The outputs that are the next value of the state, in order."""
        return tuple(name for name in self.graph.output_names if name in self.state)

    @property
    def size(self) -> str | None:
        """The named size that counts the rows of a batch, None without columns."""
        for name in self.columns:
            first = self.graph.input(name).tensor.shape[0]
            return str(first)
        return None


class StopFlag:
    """A request to stop, polled before each step; an int32 in memory, so that native code can read it too."""

    __slots__ = ("_word",)

    def __init__(self) -> None:
        self._word = np.zeros(1, np.int32)

    def set(self) -> None:
        """Ask the program to stop before its next step."""
        self._word[0] = 1

    def clear(self) -> None:
        """Take the request back."""
        self._word[0] = 0

    def is_set(self) -> bool:
        """Whether stopping was asked for."""
        return bool(self._word[0])

    @property
    def address(self) -> int:
        """Where the int32 lies; valid as long as the flag lives."""
        return int(self._word.ctypes.data)


class State:
    """What a program keeps between slices; its backend alone looks inside.

    `run` takes a state and returns the next one; the one it took is spent and refused afterwards.
    """

    __slots__ = ()


class Slice(msgspec.Struct, frozen=True):
    """What a stretch of training left.

    Attributes:
        state: the state after the last step that was done.
        measurements: for each, its values step by step, (steps_done, *shape).
        steps_done: how many steps were done; fewer than asked when the stop flag was set.
    """

    state: State
    measurements: dict[str, Array]
    steps_done: int


class Program(Protocol):
    """A compiled step."""

    def start(self, state: Mapping[str, Array]) -> State:
        """Take the state over: what is given is copied, and may be changed afterwards without effect.

        Args:
            state: an array for each state input of the step, of its dtype and shape.

        Raises: InputError, DTypeError, ShapeError when a name, a dtype or a shape is not the step's.
        """
        ...

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
        """Do steps until the order ends or stopping is asked for.

        Step k reads the rows order[offsets[k] : offsets[k + 1]] of every column, so a smaller last batch is nothing
        special.

        Args:
            state: from `start` or from the last slice; spent by this call.
            data: an array for each column, (rows, ...), all with the same number of rows.
            order: int64, rows of the data one after the other.
            offsets: int64, one more than there are steps, rising, each batch at least one row.
            rates: an array (steps,) for each rate; rounded to the input's dtype.
            first_step: the number of the first step, for the clock.
            stop: polled before each step.

        Raises: InputError, DTypeError, ShapeError, ValueRangeError when something does not fit; the state is then not
            spent. BackendError for a spent state or one of another program.
        """
        ...

    def read(self, state: State) -> dict[str, Array]:
        """A copy of every state input's value.

        Raises: BackendError for a spent state or one of another program.
        """
        ...


class Backend(Protocol):
    """Something that runs graphs."""

    @property
    def name(self) -> str:
        """What `choose` calls it."""
        ...

    @property
    def arithmetic(self) -> str:
        """What of the processor its bits depend on, beside its kind, in words; "" where nothing is known of it."""
        ...

    def evaluate(self, graph: Graph, inputs: Mapping[str, npt.ArrayLike]) -> dict[str, Array]:
        """Every output of the graph, computed once.

        Each input of the graph is given a value: an array of its dtype, or Python numbers and lists, which take it.

        Raises: InputError, DTypeError, ShapeError when an input is missing, unknown or does not fit; BackendError when
            the backend has no such primitive.
        """
        ...

    def compile(self, step: Step) -> Program:
        """The step as a program.

        Raises: BackendError when the backend has no such primitive.
        """
        ...


# ---- is the step well formed ----


def _check_roles(step: Step) -> None:
    clock = () if step.clock is None else (step.clock,)
    roles = Counter((*step.state, *step.columns, *step.rates, *clock))
    for name in step.graph.input_names:
        if roles[name] != 1:
            came = "none" if roles[name] == 0 else f"{roles[name]}"
            raise GraphError(f"input {name} has {came} of the roles state, column, rate and clock; give it exactly one")
    for name in roles:
        step.graph.input(name)


def _check_columns(step: Step) -> None:
    sizes = {step.graph.input(name).tensor.shape[:1] for name in step.columns}
    for name in step.columns:
        column = step.graph.input(name).tensor
        if len(sizes) > 1 or not column.shape or not _is_plain(column.shape[0]):
            raise GraphError(
                f"column {name} has shape {show_shape(column.shape)}; all begin with one named size, such as n"
            )
    rows = step.size
    for name in (*step.state, *step.columns):
        kind = step.graph.input(name).tensor
        inner = kind.shape[1:] if name in step.columns else kind.shape
        if rows in symbols_of(inner):
            raise GraphError(f"{name} is {kind}, whose shape would change with the batch size {rows}; use another size")


def _is_plain(dim: int | Size) -> bool:
    return isinstance(dim, Size) and dim.factor == 1 and len(dim.symbols) == 1


def _check_scalars(step: Step) -> None:
    clock = () if step.clock is None else (step.clock,)
    for name in (*step.rates, *clock):
        kind = step.graph.input(name).tensor
        if kind.shape or kind.dtype == "bool":
            raise GraphError(f"{name} is {kind}; a rate or a clock is one number a step")


def _check_outputs(step: Step) -> None:
    counted = Counter(step.graph.output_names)
    for name, node in step.graph.outputs:
        if counted[name] > 1:
            raise GraphError(f"two outputs are named {name}; rename one")
        _check_output(step, name, node)


def _check_output(step: Step, name: str, node: Node) -> None:
    kind: TensorType = node.tensor
    if name in step.state:
        wanted = step.graph.input(name).tensor
        if kind != wanted:
            raise GraphError(f"the next value of {name} is {kind}, and the state is {wanted}; they must agree")
    elif step.size in symbols_of(kind.shape):
        raise GraphError(
            f"the measurement {name} is {kind}, whose shape changes with the batch; reduce it over {step.size}"
        )
