"""Which checkpoints stay: enough to be near every step, few enough for the disk, the same whoever counts them."""

from __future__ import annotations

from itertools import count, pairwise
from pathlib import Path

import numpy as np
import pytest

from chainrule.errors import ValueRangeError
from chainrule.train import keeper as keeper_module
from chainrule.train.checkpoint import Checkpoint, Checkpoints
from chainrule.train.folder import RunFolder
from chainrule.train.held import Held
from chainrule.train.history import History
from chainrule.train.keeper import Keeper
from chainrule.train.tally import Tally
from chainrule.train.thinning import (
    FEWEST,
    MOST,
    MOST_BYTES,
    STRETCH_SECONDS,
    is_kept,
    last_kept,
    most_stretches,
    next_kept,
    spread,
    stretch_length,
    superfluous,
)


def checkpoint(step: int, seconds: float) -> Checkpoint:
    return Checkpoint(
        step=step, epoch=0, steps_of_epoch=step, lineage="a", backend="reference",
        state={"w": np.full(4, float(step))}, tally=Tally(), seconds=seconds,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("step", "last", "following"), [(0, 0, 1), (1, 1, 2), (3, 2, 4), (4, 4, 8), (99_999, 65_536, 131_072)]
)
def test_log_spaced_steps_stay(step: int, last: int, following: int) -> None:
    assert (last_kept(step), next_kept(step)) == (last, following)
    assert is_kept(last)
    assert is_kept(following)
    assert not any(is_kept(between) for between in range(last + 1, min(following, last + 50)))


def test_a_large_checkpoint_has_fewer_stretches_and_never_fewer_than_16() -> None:
    assert most_stretches(1_000) == MOST
    assert most_stretches(8 * 2**20) == MOST_BYTES // (8 * 2**20) == 32
    assert most_stretches(10**12) == FEWEST


@pytest.mark.parametrize(
    ("seconds", "most", "length"), [(0.0, 256, 0.5), (127.9, 256, 0.5), (128.0, 256, 1.0), (1e4, 16, 1024.0)]
)
def test_a_stretch_is_doubled_until_they_fit(seconds: float, most: int, length: float) -> None:
    assert stretch_length(seconds, most) == length
    assert seconds / length < most


def simulated(step_seconds: list[float], most: int) -> dict[int, float]:
    """The seconds at each step whose checkpoint is left, of a training that saves as the keeper does."""
    times, now, saved = {0: 0.0}, 0.0, 0.0
    for step, took in enumerate(step_seconds, start=1):
        now += took
        length = stretch_length(now, most)
        if is_kept(step) or int(now / length) > int(saved / length):
            times[step] = saved = now
            for gone in superfluous(times, most):
                del times[gone]
    return times


@pytest.mark.parametrize("most", [16, 64])
def test_every_step_is_within_a_stretch_of_a_checkpoint_that_stays(most: int) -> None:
    took = np.random.default_rng(most).uniform(0.0, 0.02, size=40_000).tolist()
    times = simulated(took, most)
    seconds = np.cumsum([0.0, *took])
    length = stretch_length(float(seconds[-1]), most)
    assert length > STRETCH_SECONDS
    assert len(times) <= most + 17
    for first, last in pairwise([*sorted(times), 40_000]):
        assert seconds[last] - seconds[first] <= length + 0.5


def test_what_goes_is_the_same_whether_it_goes_at_once_or_one_after_the_other() -> None:
    took = np.random.default_rng(1).uniform(0.0, 0.02, size=4_000).tolist()
    seconds = np.cumsum([0.0, *took])
    once = {step: float(seconds[step]) for step in range(4_001)}
    for step in superfluous(once, 16):
        del once[step]
    assert simulated(took, 16).keys() - {4_000} <= once.keys()
    assert len(simulated(took, 16)) >= len(once) - 2


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
        whole.write(checkpoint(step, 0.2 * step))
        Checkpoints(tmp_path / "cut").write(checkpoint(step, 0.2 * step))
    assert whole.steps == Checkpoints(tmp_path / "cut").steps
    assert whole.steps == (0, 1, 2, 3, 4, 5, 8, 10, 13, 15, 16, 18, 20, 23, 25, 28, 30, 32, 33, 35, 38, 39)


def test_in_memory_the_first_of_each_stretch_is_held() -> None:
    held = Held()
    for step in range(10):
        held.add(checkpoint(step, 0.2 * step))
    assert [each.step for each in held.checkpoints] == [0, 3, 5, 8, 9]
    assert held.add(checkpoint(10, 2.0)) == MOST


def test_a_keeper_asks_for_a_checkpoint_in_each_stretch() -> None:
    nobody = Keeper(None, History())
    assert not nobody.is_due(0, 0.0)
    keeper = Keeper(None, History(), Held())
    assert keeper.is_due(7, 3.3)
    keeper.save(checkpoint(7, 3.3))
    assert not keeper.is_due(8, 3.4)
    assert keeper.is_due(9, 3.6)


def test_a_keeper_asks_more_rarely_where_saving_is_dear(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A save that takes a second shall come every 25 seconds at most."""
    folder = RunFolder(tmp_path)
    folder.checkpoints.prepare()
    keeper = Keeper(folder, History())
    ticks = count()
    monkeypatch.setattr(keeper_module.time, "perf_counter", lambda: float(next(ticks)))
    keeper.save(checkpoint(7, 3.3))
    assert not keeper.is_due(9, 3.3 + 24.0)
    assert keeper.is_due(9, 3.3 + 26.0)
    assert keeper.is_due(8, 3.4), "a step whose checkpoint always stays"
    keeper.close()
