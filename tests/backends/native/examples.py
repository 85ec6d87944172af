"""An example of a step with its numbers: run whole or in slices, and held to the reference step by step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
import pytest
from hypothesis import HealthCheck

from chainrule.backends.native import NativeBackend, crew, driver, sharing, strips
from chainrule.backends.native.machine import this_machine
from chainrule.backends.native.program import NativeState
from chainrule.backends.protocol import Array, Step, StopFlag
from tests.backends.native.agreement import bits_of, flushed
from tests.backends.native.rounding import bounds, is_right

Change: TypeAlias = Callable[[pytest.MonkeyPatch], None]
SLOW: Final = [HealthCheck.filter_too_much, HealthCheck.too_slow, HealthCheck.data_too_large]
Trained: TypeAlias = tuple[dict[str, Array], dict[str, Array]]


@dataclass(frozen=True)
class Example:
    """A step and what it is run on.

    Attributes:
        step: with few measurements.
        asked: the same with many.
        start, data, rates: for its states, its columns and its rates.
        order, offsets: the rows of each batch.
        first_step: for its clock.
    """

    step: Step
    asked: Step
    start: dict[str, Array]
    data: dict[str, Array]
    rates: dict[str, Array]
    order: Array
    offsets: Array
    first_step: int

    @property
    def steps(self) -> int:
        """How many steps are done."""
        return len(self.offsets) - 1


def trained(example: Example, step: Step, backend: NativeBackend | None = None) -> Trained:
    """The state and the measurements after all steps in one slice."""
    program = (backend or NativeBackend()).compile(step)
    given = example.data, example.order, example.offsets, example.rates, example.first_step
    result = program.run(program.start(example.start), *given, StopFlag())
    assert result.steps_done == example.steps
    return program.read(result.state), result.measurements


def spoiled(example: Example) -> Trained:
    """The same where all that holds no element is full of NaN: padding, the workspace, scratch."""
    program = NativeBackend().compile(example.step)
    given = example.data, example.order, example.offsets, example.rates, example.first_step
    program.run(program.start(example.start), *given, StopFlag())  # makes the workspace
    state = program.start(example.start)
    mark = program.start({name: full_of_ones(array) for name, array in example.start.items()})
    assert isinstance(state, NativeState)
    assert isinstance(mark, NativeState)
    held = state.memory.view(np.uint8)
    held[mark.memory.view(np.uint8) == 0] = 255
    for compiled in program._compiled.values():
        compiled._work.view(np.uint8)[:] = 255
        compiled._scratch.view(np.uint8)[:] = 255
    result = program.run(state, *given, StopFlag())
    return program.read(result.state), result.measurements


def full_of_ones(array: Array) -> Array:
    """An array of the same kind, of which every bit is 1."""
    return np.frombuffer(b"\xff" * array.nbytes, array.dtype).reshape(array.shape)


def in_slices(example: Example) -> tuple[list[dict[str, Array]], list[dict[str, Array]]]:
    """The states before, between and after the steps, each a slice of its own, and what each measured."""
    program = NativeBackend().compile(example.step)
    state = program.start(example.start)
    states, measured = [program.read(state)], list[dict[str, Array]]()
    for k in range(example.steps):
        rates = {name: values[k : k + 1] for name, values in example.rates.items()}
        offsets = example.offsets[k : k + 2]
        slice_ = program.run(state, example.data, example.order, offsets, rates, example.first_step + k, StopFlag())
        state = slice_.state
        states.append(program.read(state))
        measured.append({name: values[0] for name, values in slice_.measurements.items()})
    return states, measured


def inputs_of(example: Example, state: dict[str, Array], k: int) -> dict[str, Array]:
    """What the graph of step k is given."""
    rows = example.order[example.offsets[k] : example.offsets[k + 1]]
    graph, clock = example.step.graph, example.step.clock
    scalars: dict[str, Any] = {name: values[k] for name, values in example.rates.items()}
    if clock is not None:
        scalars[clock] = example.first_step + k
    numbers = {name: np.asarray(value).astype(graph.input(name).tensor.dtype) for name, value in scalars.items()}
    return {**state, **{name: column[rows] for name, column in example.data.items()}, **numbers}


def as_taken(values: Array) -> Array:
    """The values as native code takes them."""
    return flushed(values) if this_machine().flushes else values


def same_bits(one: Trained, other: Trained) -> None:
    """What the first has, the second has too, to the bit."""
    for ours, theirs in zip(one, other, strict=True):
        for name, array in ours.items():
            assert bits_of(array) == bits_of(theirs[name]), name


def agrees_with_the_reference(example: Example) -> None:
    """Each step from where it began is the reference's, within its bound, and all at once they have the same bits."""
    states, measured = in_slices(example)
    for k in range(example.steps):
        after = {**states[k + 1], **measured[k]}
        taken = {name: as_taken(array) for name, array in inputs_of(example, states[k], k).items()}
        for name, wanted in bounds(example.step.graph, taken).items():
            assert is_right(as_taken(after[name]), wanted), (name, k)
    together = {name: np.stack([each[name] for each in measured]) for name in measured[0]}
    same_bits((states[-1], together), trained(example, example.step))


# ---- what changes no bit ----


def shared(patch: pytest.MonkeyPatch) -> None:
    """Three threads share whatever can be shared."""
    patch.setenv(crew.VARIABLE, "3")
    patch.setattr(sharing, "WORTH", 0.0)


def in_strips(patch: pytest.MonkeyPatch) -> None:
    """Strips wherever they are possible, of as few rows as there can be, and three threads."""
    shared(patch)
    for name, value in (("FAR", -1), ("NEAR", 1)):
        patch.setattr(strips, name, value)


def in_loops(patch: pytest.MonkeyPatch) -> None:
    """Nothing stays in registers."""
    patch.setattr(driver, "fits", lambda _: False)


CHANGES: Final[list[Change]] = [shared, in_strips, in_loops]


def changed(change: Change, example: Example, step: Step) -> Trained:
    """What a step of the example trains under a change."""
    with pytest.MonkeyPatch.context() as patch:
        change(patch)
        return trained(example, step)
