"""Which product fetches the next batch, how much between two pieces, and that it changes nothing."""

from __future__ import annotations

import numpy as np
import pytest

from chainrule.backends.native import NativeBackend
from chainrule.backends.native.fetching import MOST_LINES, fetches
from chainrule.backends.native.layout import Sizes
from chainrule.backends.native.schedule import Roles, Schedule, schedule
from chainrule.backends.protocol import Step, StopFlag
from tests.backends.native.agreement import REFERENCE, train
from tests.backends.native.networks import first_state, network_step, samples


def planned(step: Step, batch: int) -> Schedule:
    return schedule(step.graph, Roles.of(step), Sizes.of({}, step.size, batch))


def test_the_product_of_the_most_pieces_fetches_every_line() -> None:
    batch = 10
    plan = planned(network_step((784, 16, 10), loss="cross_entropy", stored="uint8"), batch)
    ((number, found),) = fetches(plan).items()
    head = plan.groups[number].head
    assert head is not None
    assert head.tensor.shape == (784, 16)  # the gradient of the first weight: 49 pieces, forward has one
    lines = {each.column.label: (each.lines, each.stretch, each.each) for each in found}
    assert lines == {"x": (13, 4, 1), "y": (1, 1, 1)}  # 784 bytes are 13 lines of 64: 4 stretches a row, 49 pieces
    assert all(each.each * 49 >= each.stretches * batch for each in found)


@pytest.mark.parametrize("batch", [1, 49, 50, 120])
def test_where_rows_are_more_than_pieces_several_are_fetched_at_a_time(batch: int) -> None:
    plan = planned(network_step((784, 16, 10), loss="cross_entropy", stored="uint8"), batch)
    found = fetches(plan).popitem()[1]
    assert {each.column.label for each in found} == {"x", "y"}
    assert all(each.each * 49 >= each.stretches * batch for each in found)
    assert all(each.stretch * each.stretches >= each.lines >= each.stretch for each in found)


def test_stretches_stay_short_where_a_product_has_few_pieces() -> None:
    found = fetches(planned(network_step((20_000, 10), loss="cross_entropy"), 1000)).popitem()[1]
    assert all(each.stretch <= MOST_LINES for each in found)
    assert any(each.stretch == MOST_LINES and each.each > 1 for each in found)


def test_short_rows_of_long_batches_are_left_to_the_processor() -> None:
    assert not fetches(planned(network_step((4, 32, 4)), 10_000)).popitem()[1]
    assert fetches(planned(network_step((4, 32, 4)), 100)).popitem()[1]


@pytest.mark.parametrize(("batch", "begins"), [(1, True), (10, True), (16, True), (17, False), (128, False)])
def test_few_rows_are_begun_beforehand(batch: int, *, begins: bool) -> None:
    plan = planned(network_step((784, 16, 10), loss="cross_entropy", stored="uint8"), batch)
    assert all(each.begins is begins for each in fetches(plan).popitem()[1])


@pytest.mark.parametrize("sizes", [(1, 10, 3, 10), (2, 2), (40, 40, 40), (40, 17, 3), (1, 40)])
def test_what_is_fetched_may_be_a_smaller_batch_or_none(sizes: tuple[int, ...]) -> None:
    step = network_step((200, 20, 5), loss="cross_entropy", stored="uint8")
    data, start = samples(step, 40), first_state(step)
    offsets = np.cumsum([0, *sizes]).astype(np.int64)
    order = np.random.default_rng(4).integers(0, 40, int(offsets[-1])).astype(np.int64)
    results = []
    for backend in (NativeBackend(), REFERENCE):
        program = backend.compile(step)
        done = program.run(
            program.start(start), data, order, offsets, {"rate": np.full(len(sizes), 0.1)}, 0, StopFlag()
        )
        results.append(program.read(done.state))
    for name, array in results[1].items():
        assert np.allclose(results[0][name], array, rtol=1e-5, atol=1e-5)


def test_threads_fetch_their_own_share(monkeypatch: pytest.MonkeyPatch) -> None:
    step = network_step((300, 80, 5), loss="cross_entropy", stored="uint8")
    data, start = samples(step, 130), first_state(step)
    found = []
    for threads in ("1", "3"):
        monkeypatch.setenv("CHAINRULE_THREADS", threads)
        found.append(train(step, NativeBackend(), start, data, 40, 4)[0])
    assert all(found[0][name].tobytes() == array.tobytes() for name, array in found[1].items())
