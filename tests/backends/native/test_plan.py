"""The plan as data: what is fused, what is shared, and that memory is what was planned."""

from __future__ import annotations

import numpy as np
import pytest

from chainrule.backends.native import NativeBackend
from chainrule.backends.native.arenas import SLACK
from chainrule.backends.native.machine import named, runnable
from chainrule.backends.native.program import NativeState
from chainrule.backends.protocol import StopFlag
from tests.backends.native.networks import first_state, network_step, samples

BATCH = 32


def test_layers_and_updates_ride_on_their_products() -> None:
    step = network_step((784, 128, 64, 10), loss="cross_entropy")
    isa = named("x86-64-v3")
    if isa not in runnable():
        pytest.skip("needs a processor with AVX2, which this is not: run it on one")
    plan = NativeBackend(isa).compile(step).plan(BATCH)
    products = [stage for stage in plan.stages if stage.kernel]
    assert len(products) == 3 + 2 + 3  # forward, back without the first layer, weights
    assert ("matmul", "add", "maximum") in {stage.nodes for stage in products}  # what is kept tells z > 0
    updates = [stage for stage in products if stage.nodes == ("matmul", "multiply", "subtract")]
    assert [stage.space for stage in updates] == [(784, 128), (128, 64), (64, 10)]
    assert all(stage.kernel == "Xᵀ W, 6 rows of 2 vectors of 8" for stage in updates)
    assert all(len(stage.kept) == 1 for stage in updates)  # no gradient is written
    assert plan.copies == 0
    assert plan.flops == 2 * BATCH * (3 * (784 * 128 + 128 * 64 + 64 * 10) - 784 * 128)
    assert len({stage.function for stage in updates}) <= 3  # of panels, of the last panel, and one that fetches
    assert plan.tier == "panels"


def test_places_do_not_overlap_while_they_are_needed() -> None:
    plan = NativeBackend().compile(network_step((20, 33, 17, 3), optimizer="adam")).plan(BATCH)
    work = [place for place in plan.places if place.arena == "work"]
    for k, one in enumerate(work):
        assert one.offset + one.bytes <= plan.work_bytes
        for other in work[k + 1 :]:
            apart_in_time = one.last < other.first or other.last < one.first
            apart_in_space = one.offset + one.bytes <= other.offset or other.offset + other.bytes <= one.offset
            assert apart_in_time or apart_in_space
    assert plan.work_bytes < sum(place.bytes for place in work)  # places are used again


def test_memory_is_what_was_planned() -> None:
    step = network_step((20, 33, 17, 3), optimizer="momentum")
    program = NativeBackend().compile(step)
    plan = program.plan(BATCH)
    state = program.start(first_state(step))
    assert isinstance(state, NativeState)
    assert len(state.memory) == plan.state_bytes + SLACK
    program.run(
        state, samples(step, BATCH), np.arange(BATCH), np.array([0, BATCH]), {"rate": np.ones(1)}, 1, StopFlag()
    )
    (compiled,) = program._compiled.values()
    assert len(compiled._work) == plan.work_bytes + SLACK
    assert len(compiled._scratch) == plan.scratch_bytes * compiled.threads + SLACK
    assert plan.bytes == plan.state_bytes + plan.work_bytes + plan.scratch_bytes


def test_a_tiny_step_says_where_it_lives() -> None:
    assert NativeBackend().compile(network_step((2, 2, 1), activation="sigmoid")).plan(4).tier == "registers"
