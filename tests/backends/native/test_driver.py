"""How the function of a slice is compiled: with care where a step is short, quickly where its stages take long."""

from __future__ import annotations

import pytest

from chainrule.backends.native import driver, jit
from chainrule.backends.native.layout import Sizes
from chainrule.backends.native.machine import ISAS
from chainrule.backends.native.schedule import Roles, schedule
from tests.backends.native.networks import network_step


@pytest.mark.parametrize(("sizes", "batch", "is_short"), [((784, 16, 16, 10), 10, True), ((784, 512, 10), 128, False)])
def test_a_slice_of_short_steps_is_compiled_with_care(sizes: tuple[int, ...], batch: int, is_short: bool) -> None:
    step = network_step(sizes, loss="cross_entropy", stored="uint8")
    plan = schedule(step.graph, Roles.of(step), Sizes.of({}, step.size, batch))
    code = driver.write(plan, ISAS[1])
    assert driver.is_short(code) is is_short
    assert driver.entry(code, many=False).text.startswith(jit.HASTY) is not is_short
