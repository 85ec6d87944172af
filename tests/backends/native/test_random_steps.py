"""Random steps of training in native code: the reference's values, and the same bits however they are run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from chainrule.backends.native import NativeBackend, crew, driver, sharing, strips
from chainrule.backends.native.machine import this_machine
from chainrule.backends.protocol import Array, Step, StopFlag
from tests.backends.native.agreement import ISAS, bits_of, flushed, native
from tests.backends.native.random_steps import Example, examples
from tests.backends.native.rounding import bounds, is_right

SLOW: Final = [HealthCheck.filter_too_much, HealthCheck.too_slow, HealthCheck.data_too_large]
Trained = tuple[dict[str, Array], dict[str, Array]]


def trained(example: Example, step: Step, backend: NativeBackend | None = None) -> Trained:
    """The state and the measurements after all steps in one slice."""
    program = (backend or NativeBackend()).compile(step)
    given = example.data, example.order, example.offsets, example.rates, example.first_step
    result = program.run(program.start(example.start), *given, StopFlag())
    assert result.steps_done == example.steps
    return program.read(result.state), result.measurements


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


@settings(max_examples=50, suppress_health_check=SLOW)
@given(examples())
def test_each_step_is_that_of_the_reference_however_the_order_is_cut(example: Example) -> None:
    states, measured = in_slices(example)
    for k in range(example.steps):
        after = {**states[k + 1], **measured[k]}
        taken = {name: as_taken(array) for name, array in inputs_of(example, states[k], k).items()}
        for name, wanted in bounds(example.step.graph, taken).items():
            assert is_right(as_taken(after[name]), wanted), (name, k)
    together = {name: np.stack([each[name] for each in measured]) for name in measured[0]}
    same_bits((states[-1], together), trained(example, example.step))


@settings(max_examples=10, suppress_health_check=SLOW)
@given(examples())
def test_asking_for_more_changes_no_bit(example: Example) -> None:
    same_bits(trained(example, example.step), trained(example, example.asked))


@settings(max_examples=10, suppress_health_check=SLOW)
@given(examples())
def test_what_is_evaluated_in_haste_has_the_bits_of_a_step(example: Example) -> None:
    states, measured = in_slices(example)
    graph, given = example.step.graph, inputs_of(example, states[0], 0)
    for hasty in (False, True):
        values = native(hasty=hasty).evaluate(graph, given)
        same_bits((values, {}), ({**states[1], **measured[0]}, {}))


def shared(patch: pytest.MonkeyPatch) -> None:
    """Three threads share whatever can be shared."""
    patch.setenv(crew.VARIABLE, "3")
    patch.setattr(sharing, "WORTH", 0.0)


def in_strips(patch: pytest.MonkeyPatch) -> None:
    """Strips wherever they are possible, of as few rows as there can be, and three threads."""
    shared(patch)
    for name, value in (("FAR", -1), ("NEAR", 1), ("SHARED", 1 << 40)):
        patch.setattr(strips, name, value)


def in_loops(patch: pytest.MonkeyPatch) -> None:
    """Nothing stays in registers."""
    patch.setattr(driver, "fits", lambda _: False)


@pytest.mark.parametrize("change", [shared, in_strips, in_loops])
@settings(max_examples=10, suppress_health_check=SLOW)
@given(example=examples())
def test_no_bit_depends_on_threads_strips_or_registers(
    change: Callable[[pytest.MonkeyPatch], None], example: Example
) -> None:
    plain = trained(example, example.step)
    with pytest.MonkeyPatch.context() as patch:
        change(patch)
        same_bits(plain, trained(example, example.step))


@settings(max_examples=8, suppress_health_check=SLOW)
@given(example=examples())
def test_no_bit_depends_on_the_width_of_vectors(example: Example) -> None:
    first, *others = (trained(example, example.step, native(isa)) for isa in ISAS if isa.fused)
    for other in others:
        same_bits(first, other)
