"""Which checkpoints stay: enough to be near every step, few enough for the disk, the same whoever counts them.

Nothing here is timed: a training is a list of what each step costs, and a day of it takes no longer than a second.
"""

from __future__ import annotations

import json
import math
from itertools import count, pairwise
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from chainrule.errors import ValueRangeError
from chainrule.train import keeper as keeper_module
from chainrule.train.checkpoint import Checkpoint, Checkpoints
from chainrule.train.folder import RunFolder
from chainrule.train.held import Held
from chainrule.train.history import History
from chainrule.train.keeper import GIGABYTE, SHARE, Keeper, check_disk, pause, room_for
from chainrule.train.tally import Tally
from chainrule.train.thinning import (
    FEWEST,
    LONGEST_SECONDS,
    MOST,
    PROMISED_SECONDS,
    STRETCH_SECONDS,
    Room,
    farthest,
    is_kept,
    last_kept,
    next_kept,
    spread,
    stretch_length,
    superfluous,
)

SLICE_SECONDS = 0.1  # a checkpoint comes at the end of a slice


def checkpoint(step: int, cost: float) -> Checkpoint:
    return Checkpoint(
        step=step, epoch=0, steps_of_epoch=step, lineage="a", backend="reference",
        state={"w": np.full(4, float(step))}, tally=Tally(), seconds=cost, cost=cost,
    )  # fmt: skip


def room_of(stretches: float) -> Room:
    """So much that so many stretches of the longest fit."""
    return Room(1000, 1000 * stretches)


@pytest.mark.parametrize(
    ("step", "last", "following"), [(0, 0, 1), (1, 1, 2), (3, 2, 4), (4, 4, 8), (99_999, 65_536, 131_072)]
)
def test_log_spaced_steps_stay(step: int, last: int, following: int) -> None:
    assert (last_kept(step), next_kept(step)) == (last, following)
    assert is_kept(last)
    assert is_kept(following)
    assert not any(is_kept(between) for between in range(last + 1, min(following, last + 50)))


def test_a_large_checkpoint_has_fewer_stretches_and_never_fewer_than_16() -> None:
    room = Room(8_000_000, 4e9)
    assert (room.stretches(STRETCH_SECONDS), room.stretches(LONGEST_SECONDS), room.stretches(8.0)) == (50, 500, 500)
    assert Room(1_000, math.inf).stretches(STRETCH_SECONDS) == Room(0, 1e9).stretches(1.0) == MOST
    assert Room(10**12, 4e9).stretches(1.0) == Room(8, 0.0).stretches(1.0) == FEWEST


@pytest.mark.parametrize(
    ("cost", "stretches", "length"),
    [(0.0, 500, 0.3), (14.9, 500, 0.3), (15.0, 500, 0.6), (299.9, 500, 0.6), (300.0, 500, 1.2), (1e4, 16, 1228.8)],
)
def test_a_stretch_is_doubled_until_they_fit(cost: float, stretches: int, length: float) -> None:
    """0.3 s in a tenth of the room, 0.6 s in all of it, and longer only when it is full."""
    assert stretch_length(cost, room_of(stretches)) == length


def simulated(step_costs: list[float], room: Room, pause_seconds: float = 0.0) -> dict[int, float]:
    """The cost at each step whose checkpoint is left, of a training in slices that saves as the keeper does."""
    costs, now, saved, slice_began = {0: 0.0}, 0.0, 0.0, 0.0
    for step, cost in enumerate(step_costs, start=1):
        now += cost
        if now - slice_began < SLICE_SECONDS and not is_kept(step):
            continue
        slice_began, length = now, stretch_length(now, room)
        if is_kept(step) or (now - saved >= pause_seconds and int(now / length) > int(saved / length)):
            costs[step] = saved = now
            for gone in superfluous(costs, room):
                del costs[gone]
    return {**costs, len(step_costs): now}  # the last one is saved in any case


@pytest.mark.parametrize("stretches", [16, 64])
def test_every_step_is_within_a_stretch_of_a_checkpoint_that_stays(stretches: int) -> None:
    step_costs = np.random.default_rng(stretches).uniform(0.0, 0.02, size=40_000).tolist()
    room = room_of(stretches)
    costs = simulated(step_costs, room)
    length = stretch_length(sum(step_costs), room)
    assert length > LONGEST_SECONDS, "the room is too small for what is promised"
    assert len(costs) <= stretches + 18
    assert farthest(costs) <= length + SLICE_SECONDS + 0.02
    assert farthest(costs) == max(last - first for first, last in pairwise(sorted(costs.values())))


@pytest.mark.parametrize(
    ("size", "step_seconds", "save_seconds"),
    [
        (2_000, 2e-4, 0.004),  # 2-8-1 on xor: what ends an epoch costs more than its step
        (80_000, 2e-4, 0.005),  # 64-64-32-10 on digits
        (160_000, 5e-4, 0.005),  # 784-16-16-10
        (1_310_000, 1e-3, 0.015),  # 784-128-64-10
        (8_040_000, 6e-3, 0.08),  # 784-512-512-10, the measurements of one core
        (160_000, 2e-3, 0.005),  # 784-16-16-10 in the reference
        (1_310_000, 6e-3, 0.015),  # 784-128-64-10 in the reference
    ],
)
def test_no_step_of_100000_is_farther_than_promised_in_a_tenth_of_an_ordinary_disk(
    size: int, step_seconds: float, save_seconds: float
) -> None:
    """With 400 GB free, a step that takes half as long again now and then, and Adam's state in float32."""
    wobble = np.random.default_rng(1).uniform(1.0, 1.5, size=100_000)
    room = Room(size, 400 * GIGABYTE / SHARE)
    costs = simulated((step_seconds * wobble).tolist(), room, pause(save_seconds))
    process, data, program = 0.3, 0.3, 0.15  # seconds: Python, MNIST unpacked, code loaded
    states, gradients = 0.1, 0.1  # three files read, two steps compared
    assert farthest(costs) + process + data + program + states + gradients <= PROMISED_SECONDS
    assert size * len(costs) <= room.most + 18 * size


def test_what_goes_is_the_same_whether_it_goes_at_once_or_one_after_the_other() -> None:
    step_costs = np.random.default_rng(1).uniform(0.0, 0.02, size=4_000).tolist()
    costs = np.cumsum([0.0, *step_costs])
    once = {step: float(costs[step]) for step in range(4_001)}
    for step in superfluous(once, room_of(16)):
        del once[step]
    lengths = [int(cost / 3.2) for cost in once.values()]
    left = simulated(step_costs, room_of(16))
    assert {int(cost / 3.2) for cost in left.values()} == set(lengths)
    assert abs(len(left) - len(once)) <= 2


def test_spread_leaves_the_first_and_the_last_and_no_large_hole() -> None:
    times = {step: 0.1 * step for step in range(0, 1001, 5)}
    for most in (2, 3, 10, 50):
        left = sorted(times.keys() - set(spread(times, most)))
        assert most / 2 <= len(left) <= most
        assert (left[0], left[-1]) == (0, 1000)
        assert max(np.diff(left)) <= 4 * 1000 / len(left)
    assert spread(times, 500) == []
    assert spread({0: 0.0, 3: 0.0, 5: 0.0}, 2) == [3]


def test_a_folder_is_thinned_on_request(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path)
    for step in range(0, 60, 3):
        checkpoints.write(checkpoint(step, float(step)))
    assert checkpoints.steps == tuple(range(0, 60, 3))
    again = Checkpoints(tmp_path)
    gone = again.thin(6)
    assert set(gone).isdisjoint(again.steps)
    assert len(again.steps) <= 6
    assert {0, 57} <= set(again.steps)
    assert again.before(57).state["w"].tolist() == [57.0] * 4
    assert {path.stem for path in tmp_path.iterdir()} == {f"step-{step}" for step in again.steps}
    with pytest.raises(ValueRangeError, match="1 checkpoints shall stay"):
        again.thin(1)


def test_a_folder_keeps_the_first_of_each_stretch_also_when_another_sitting_goes_on(tmp_path: Path) -> None:
    whole, cut = Checkpoints(tmp_path / "whole"), Checkpoints(tmp_path / "cut")
    whole.prepare()
    cut.prepare()
    for step in range(40):
        whole.write(checkpoint(step, 0.1275 * step))
        Checkpoints(tmp_path / "cut").write(checkpoint(step, 0.1275 * step))
    assert whole.steps == Checkpoints(tmp_path / "cut").steps
    assert whole.steps == (0, 1, 2, 3, 4, 5, 8, 10, 12, 15, 16, 17, 19, 22, 24, 26, 29, 31, 32, 33, 36, 38, 39)


def test_checkpoints_that_knew_no_cost_count_by_their_time(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path)
    path = checkpoints.write(checkpoint(7, 3.5))
    assert checkpoints.read(7).cost == 3.5
    plain = json.loads(path.read_text())
    del plain["cost"]
    path.write_text(json.dumps({**plain, "seconds": 4.5}))
    assert checkpoints.read(7).cost == 4.5
    assert Checkpoints(tmp_path).costs == {7: 4.5}


def test_in_memory_the_first_of_each_stretch_is_held() -> None:
    held = Held()
    for step in range(10):
        held.add(checkpoint(step, 0.12 * step))
    assert [each.step for each in held.checkpoints] == [0, 3, 5, 8, 9]
    assert held.add(checkpoint(10, 1.2)) == Room(32, 256 * 2**20)


def test_a_keeper_asks_for_a_checkpoint_in_each_stretch() -> None:
    keeper = Keeper(None, History())
    assert keeper.is_due(7, 99.0, 3.3)
    keeper.save(checkpoint(7, 3.3))
    assert not keeper.is_due(8, 99.0, 3.4), "the clock does not count"
    assert keeper.is_due(9, 99.0, 3.7)


@pytest.mark.parametrize(
    ("took", "seconds"),
    [(0.0, 0.0), (0.01, 0.25), (0.04, 0.6), (0.07, 0.6), (0.1, 0.8), (0.11, 0.88), (1.0, 8.0)],
)
def test_saving_takes_4_percent_or_12_where_steps_would_else_be_too_far(took: float, seconds: float) -> None:
    assert pause(took) == pytest.approx(seconds)


def test_a_keeper_asks_more_rarely_where_saving_is_dear(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A save that takes a second shall come every 8 seconds at most."""
    folder = RunFolder(tmp_path)
    folder.checkpoints.prepare()
    keeper = Keeper(folder, History())
    ticks = count()
    monkeypatch.setattr(keeper_module.time, "perf_counter", lambda: float(next(ticks)))
    keeper.save(checkpoint(7, 3.3))
    assert not keeper.is_due(9, 3.3 + 7.9, 3.3 + 7.9)
    assert keeper.is_due(9, 3.3 + 8.1, 3.3 + 8.1)
    assert keeper.is_due(8, 3.4, 3.4), "a step whose checkpoint always stays"
    keeper.close()


def test_the_room_is_what_was_given_or_a_tenth_of_what_is_free(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = RunFolder(tmp_path)
    folder.checkpoints.prepare()
    assert room_for(folder, 2.5) == 2.5e9
    monkeypatch.setattr(keeper_module.shutil, "disk_usage", lambda _: SimpleNamespace(free=7000))
    assert room_for(folder, None) == 700
    folder.checkpoints.write(checkpoint(0, 0.0))
    taken = folder.checkpoints.size(0)
    assert room_for(folder, None) == (7000 + taken) / 10, "what a run has written makes no difference to it"
    for wrong in (-1.0, math.nan):
        with pytest.raises(ValueRangeError, match="checkpoints cannot take"):
            check_disk(wrong)
