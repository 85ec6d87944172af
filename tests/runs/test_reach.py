"""What is said of how far any step is: against checkpoints whose costs are known."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.runs.reach import LARGE, Reach, reach_in_words, reach_of, room_in_words, size_in_words
from chainrule.runs.summary import checkpoint_size
from chainrule.train.checkpoint import Checkpoint
from chainrule.train.folder import RunFolder
from chainrule.train.keeper import room_at
from chainrule.train.tally import Tally
from chainrule.train.thinning import LONGEST_SECONDS


def folder_with(path: Path, costs: dict[int, float]) -> RunFolder:
    folder = RunFolder(path)
    folder.checkpoints.prepare()
    for step, cost in costs.items():
        folder.checkpoints.write(
            Checkpoint(
                step=step, epoch=0, steps_of_epoch=step, lineage="a", backend="reference",
                state={"w": np.zeros(4)}, tally=Tally(), cost=cost,
            )
        )  # fmt: skip
    return folder


def test_the_farthest_step_is_the_last_before_the_next_checkpoint(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, {0: 0.0, 16: 0.25, 50: 1.75, 60: 2.0})
    reach = reach_of(folder)
    assert (reach.checkpoints, reach.seconds) == (4, 1.5)
    assert reach.size == sum(path.stat().st_size for path in folder.checkpoints.path(0).parent.iterdir())
    assert reach.needed == pytest.approx(2.0 / LONGEST_SECONDS * reach.size / 4)
    folder.checkpoints.drop(50)
    assert reach_of(folder).seconds == 1.75
    assert reach_of(folder_with(tmp_path / "one", {0: 0.0})).seconds == 0.0
    near = folder_with(tmp_path / "compiled", {0: 0.0, 1: 9.0, 16: 9.5})  # the first step waited for its code
    assert reach_of(near).seconds == 0.5


@pytest.mark.parametrize(
    ("reach", "said"),
    [
        (Reach(5, 1_000, 0.0, 0.0), "any step is at most 0.1 s of training away; checkpoints take 1 kB"),
        (Reach(104, 8_312_000, 0.51, 1e6), "any step is at most 0.6 s of training away; checkpoints take 8.31 MB"),
        (Reach(9, 2_000_000, 2.0, 1e9), "any step is at most 2.0 s of training away; checkpoints take 2 MB"),
        (
            Reach(32, 256_000_000, 18.83, 4.4e9),
            (
                "any step is at most 19 s of training away; checkpoints take 256 MB, and to be within 0.6 s they need "
                "about 4.4 GB (--disk 4.4)"
            ),
        ),
    ],
)
def test_in_words_the_time_is_rounded_up_and_what_is_too_far_comes_with_what_helps(reach: Reach, said: str) -> None:
    assert reach_in_words(reach) == said


@pytest.mark.parametrize(
    ("size", "said"), [(0, "0 kB"), (999, "0.999 kB"), (999_400, "999 kB"), (999_999, "1 MB"), (10**9, "1 GB")]
)
def test_sizes(size: float, said: str) -> None:
    assert size_in_words(size) == said


def test_a_run_is_told_with_how_far_its_steps_are_and_disk_sets_it(tmp_path: Path) -> None:
    run = cr.train([cr.Dense(4, "tanh"), cr.Dense(1)], "xor", epochs=9, runs=tmp_path, backend="reference", disk=0.0)
    assert run.path is not None
    said = reach_in_words(reach_of(RunFolder(run.path)))
    from chainrule.runs.summary import after_training

    assert said in str(after_training(run))
    with pytest.raises(cr.errors.ValueRangeError, match=r"cannot take -1 GB of the disk: give 0 or more"):
        run.resume(epochs=10, disk=-1)
    with pytest.raises(cr.errors.ValueRangeError):
        cr.train([cr.Dense(1)], "xor", runs=tmp_path / "none", disk=-1)
    assert not (tmp_path / "none").exists()


def test_the_room_is_told_before_where_checkpoints_are_large() -> None:
    assert room_in_words(LARGE - 1, 2e9, is_said=False) == ""
    free = "checkpoints of about 8.03 MB may take 2.5 GB in all, a tenth of what is free; --disk says how much"
    assert room_in_words(8.03e6, 2.5e9, is_said=False) == free
    assert room_in_words(8.03e6, 5e8, is_said=True).endswith("may take 500 MB in all, as --disk says")


@pytest.mark.parametrize("optimizer", [cr.SGD(0.1), cr.SGD(0.1, momentum=0.9), cr.Adam()])
def test_the_size_of_a_checkpoint_is_known_before_training(tmp_path: Path, optimizer: Any) -> None:
    """Its file holds little beside the weights and what the optimizer keeps of them."""
    network = [cr.Dense(400), cr.Dense(400), cr.Dense(2)]
    run = cr.train(network, "moons", optimizer=optimizer, epochs=1, batch_size=400, runs=tmp_path)
    assert run.path is not None
    size = RunFolder(run.path).checkpoints.size(run.step)
    assert checkpoint_size(run.experiment, run.record) == pytest.approx(size, rel=0.02)


def test_a_place_that_does_not_exist_yet_has_room(tmp_path: Path) -> None:
    free = shutil.disk_usage(tmp_path).free
    assert room_at(tmp_path / "runs" / "one", None) == pytest.approx(free / 10, rel=0.05)
    assert room_at(tmp_path / "runs", 0.5) == 5e8
