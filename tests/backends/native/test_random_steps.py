"""Random steps of training in native code: the reference's values, and the same bits however they are run."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from tests.backends.native.agreement import ISAS, native
from tests.backends.native.examples import (
    CHANGES,
    SLOW,
    Change,
    Example,
    agrees_with_the_reference,
    as_taken,
    changed,
    in_slices,
    inputs_of,
    same_bits,
    spoiled,
    trained,
)
from tests.backends.native.random_steps import examples


@settings(max_examples=50, suppress_health_check=SLOW)
@given(examples())
def test_each_step_is_that_of_the_reference_however_the_order_is_cut(example: Example) -> None:
    agrees_with_the_reference(example)


@settings(max_examples=10, suppress_health_check=SLOW)
@given(examples())
def test_asking_for_more_changes_no_bit(example: Example) -> None:
    same_bits(trained(example, example.step), trained(example, example.asked))


@settings(max_examples=20, suppress_health_check=SLOW)
@given(examples())
def test_what_holds_no_element_is_never_read(example: Example) -> None:
    same_bits(trained(example, example.step), spoiled(example))


@settings(max_examples=10, suppress_health_check=SLOW)
@given(examples())
def test_what_is_evaluated_in_haste_has_the_bits_of_a_step(example: Example) -> None:
    states, measured = in_slices(example)
    graph, given = example.step.graph, inputs_of(example, states[0], 0)
    wanted = {name: as_taken(array) for name, array in {**states[1], **measured[0]}.items()}
    for hasty in (False, True):
        values = native(hasty=hasty).evaluate(graph, given)
        same_bits(({name: as_taken(array) for name, array in values.items()}, {}), (wanted, {}))


@pytest.mark.parametrize("change", CHANGES)
@settings(max_examples=10, suppress_health_check=SLOW)
@given(example=examples())
def test_no_bit_depends_on_threads_strips_or_registers(change: Change, example: Example) -> None:
    same_bits(trained(example, example.asked), changed(change, example, example.asked))


@settings(max_examples=8, suppress_health_check=SLOW)
@given(example=examples())
def test_no_bit_depends_on_the_width_of_vectors(example: Example) -> None:
    first, *others = (trained(example, example.step, native(isa)) for isa in ISAS if isa.fused)
    for other in others:
        same_bits(first, other)
