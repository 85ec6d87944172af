"""What an address is made of: a place, and a distance from it that is known when the code is written."""

from __future__ import annotations

import pytest

from chainrule.backends.native import stages
from chainrule.backends.native.indices import number, plus
from chainrule.backends.native.ir import I64, Module
from chainrule.backends.native.layout import Sizes
from chainrule.backends.native.machine import runnable
from chainrule.backends.native.schedule import Roles, schedule
from tests.backends.native.networks import network_step

BEST = runnable()[0]


def test_known_distances_add_up_beside_the_rest() -> None:
    b = Module(BEST).function("f", None, [("x", I64), ("y", I64)])
    x, y = b.arguments
    assert plus(b, x, 0) is x
    assert plus(b, number(0), x) is x
    assert plus(b, number(3), 4).number == 7
    assert plus(b, x, y).beyond is None
    assert plus(b, x, 5).beyond == (x, 5)
    assert plus(b, number(5), x).beyond == (x, 5)
    total = plus(b, x, y)
    assert plus(b, plus(b, total, 5), -2).beyond == (total, 3)


@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "adam"])
def test_a_next_value_in_the_place_of_its_state_is_given_once(optimizer: str) -> None:
    step = network_step((40, 20, 10), loss="cross_entropy", optimizer=optimizer)
    plan = schedule(step.graph, Roles.of(step), Sizes.of({}, step.size, 10))
    written = stages.stages(plan, BEST)
    assert not plan.moves
    for call in written.calls:
        buffers = [given.buffer for given in call.given if given.kind == "buffer"]
        assert len({(buffer.arena, buffer.offset) for buffer in buffers if buffer is not None}) == len(buffers)
