"""Whatever happens while a file is written, the one before is intact and nothing is left lying about."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest

from chainrule.errors import RunError, WriteError
from chainrule.train.checkpoint import Checkpoint, Checkpoints
from chainrule.train.durable import make_folder, sweep, write_durably, write_named
from chainrule.train.tally import Tally
from chainrule.train.tensors import read_tensors


def test_a_written_file_holds_its_content_and_nothing_else_is_left(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    write_durably(path, b"one")
    write_durably(path, b"two")
    assert path.read_bytes() == b"two"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(("owner", "failing"), [(os, "fsync"), (Path, "replace")])
def test_a_failing_write_keeps_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, owner: object, failing: str
) -> None:
    path = tmp_path / "weights.safetensors"
    write_durably(path, b"old")

    def full(*_: object) -> NoReturn:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(owner, failing, full)
    with pytest.raises(WriteError, match=r"weights\.safetensors could not be written \(No space left on device\)"):
        write_durably(path, b"new")
    monkeypatch.undo()
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_is_told_and_keeps_the_old_file(tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("needs /dev/full, which this system does not have")
    path = tmp_path / "a.json"
    write_durably(path, b"old")
    (tmp_path / f".a.json.{os.getpid()}-{threading.get_ident()}.part").symlink_to("/dev/full")
    with pytest.raises(WriteError, match="No space left"):
        write_durably(path, b"x" * 100_000)
    assert path.read_bytes() == b"old"


def test_an_abort_in_the_middle_cleans_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def abort(*_: object) -> NoReturn:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", abort)
    with pytest.raises(KeyboardInterrupt):
        write_durably(tmp_path / "a.json", b"new")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("mine")
    with pytest.raises(WriteError, match="is a file, and a folder"):
        make_folder(tmp_path / "runs")
    with pytest.raises(WriteError, match="cannot be made"):
        make_folder(tmp_path / "runs" / "digits")
    assert (tmp_path / "runs").read_text() == "mine"


def test_sweeping_removes_what_killed_writers_left(tmp_path: Path) -> None:
    (tmp_path / ".a.json.1-2.part").write_bytes(b"half")
    (tmp_path / "a.json").write_bytes(b"whole")
    sweep(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


SAVING = """
import sys
from pathlib import Path
import numpy as np
from chainrule.train.checkpoint import Checkpoint, Checkpoints
from chainrule.train.tally import Tally

checkpoints = Checkpoints(Path(sys.argv[1]))
checkpoints.prepare()
step = checkpoints.steps[-1] if checkpoints.steps else 0
while True:
    step += 1
    state = {"w": np.full(200_000, float(step))}
    checkpoints.write(
        Checkpoint(
            step=step, epoch=0, steps_of_epoch=step, lineage="a", backend="reference", state=state, tally=Tally()
        )
    )
    if step % 5 == 0:
        print(step, flush=True)
"""


def test_killed_while_saving_there_is_always_a_whole_checkpoint(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path / "checkpoints")
    done = 0
    for kill in range(12):
        process = subprocess.Popen(
            [sys.executable, "-c", SAVING, str(tmp_path / "checkpoints")], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        promised = int(process.stdout.readline())
        time.sleep(0.0011 * kill)
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        for step in checkpoints.steps:
            state = checkpoints.read(step).state
            assert np.array_equal(state["w"], np.full(200_000, float(step))), step
        assert checkpoints.latest().step >= promised > done
        done = checkpoints.latest().step
    checkpoints.prepare()
    left = {path.name for path in (tmp_path / "checkpoints").iterdir()}
    assert left == {f"step-{step}.{kind}" for step in checkpoints.steps for kind in ("json", "safetensors")}


def test_a_damaged_checkpoint_is_named(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path)
    for step in (1, 2):
        checkpoints.write(
            Checkpoint(
                step=step,
                epoch=0,
                steps_of_epoch=step,
                lineage="a",
                backend="reference",
                state={"w": np.ones(9)},
                tally=Tally(),
            )
        )
    tensors = tmp_path / "step-2.safetensors"
    content = bytearray(tensors.read_bytes())
    content[-1] ^= 1
    tensors.write_bytes(content)
    with pytest.raises(RunError, match=r"step-2\.safetensors is damaged: its checksum"):
        checkpoints.latest()
    assert checkpoints.before(1).state["w"].tolist() == [1.0] * 9

    (tmp_path / "step-2.json").write_text('{"step": 2')
    with pytest.raises(RunError, match=r"step-2\.json is damaged"):
        checkpoints.latest()
    tensors.unlink()
    (tmp_path / "step-2.json").unlink()
    (tmp_path / "step-1.safetensors").unlink()
    with pytest.raises(RunError, match=r"step-1\.safetensors cannot be read"):
        checkpoints.latest()
    (tmp_path / "step-1.json").unlink()
    with pytest.raises(RunError, match="there is no checkpoint"):
        checkpoints.latest()


@pytest.mark.parametrize("content", [b'{"lineage": "\xff"}', b"\xff", b"[" * 100_000, b"null", b"", b'{"step": 1e999}'])
def test_a_hostile_checkpoint_can_at_worst_be_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "step-3.json").write_bytes(content)
    with pytest.raises(RunError, match=r"step-3\.json is damaged"):
        Checkpoints(tmp_path).latest()


@pytest.mark.parametrize(
    "content", [b"", b"\xff" * 64, b"\x00" * 8 + b"{}", b"\x80" + b"\x00" * 7, (2**62).to_bytes(8, "little")]
)
def test_hostile_tensors_can_at_worst_be_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "weights.safetensors").write_bytes(content)
    with pytest.raises(RunError, match=r"weights\.safetensors is damaged or holds no tensors"):
        read_tensors(tmp_path / "weights.safetensors")


def test_a_checkpoint_written_again_is_never_gone_in_between(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As when a run that went on is stopped before its first step."""
    checkpoint = Checkpoint(
        step=3, epoch=0, steps_of_epoch=3, lineage="a", backend="reference", state={"w": np.ones(2)}, tally=Tally()
    )
    checkpoints = Checkpoints(tmp_path)
    checkpoints.write(checkpoint)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def refuse(*_: object, **__: object) -> NoReturn:
        raise AssertionError("a file of the last checkpoint was removed")

    monkeypatch.setattr(Path, "unlink", refuse)
    checkpoints.write(checkpoint)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_checkpoints_of_log_spaced_steps_stay_and_of_the_others_only_the_last(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path)
    for step in (0, 1, 2, 3, 4, 7, 8, 11, 13):
        checkpoints.write(
            Checkpoint(
                step=step,
                epoch=0,
                steps_of_epoch=step,
                lineage="a",
                backend="reference",
                state={"w": np.ones(2)},
                tally=Tally(),
            )
        )
    assert checkpoints.steps == (0, 1, 2, 4, 8, 13)
    assert checkpoints.before(7).step == 4
    checkpoints.drop_after(4)
    assert checkpoints.steps == (0, 1, 2, 4)


def test_a_checkpoint_comes_back_as_it_was(tmp_path: Path) -> None:
    state = {
        "a": np.array(0.1, dtype=np.float32),
        "b.W": np.array([[1e-300, -0.0]]),
        "u": np.array([7], dtype=np.uint32),
    }
    tally = Tally(3.0, {"loss": 0.1 + 0.2})
    Checkpoints(tmp_path).write(
        Checkpoint(
            step=5, epoch=2, steps_of_epoch=1, lineage="abc", backend="reference", state=state, tally=tally, seconds=1.5
        )
    )
    back = Checkpoints(tmp_path).latest()
    assert (back.step, back.epoch, back.steps_of_epoch, back.lineage, back.seconds) == (5, 2, 1, "abc", 1.5)
    assert back.tally == tally
    for name, array in state.items():
        assert back.state[name].tobytes() == array.tobytes()
        assert back.state[name].dtype == array.dtype
        assert back.state[name].shape == array.shape


def test_a_named_file_is_written_or_told_what_is_in_the_way(tmp_path: Path) -> None:
    """Nothing is said of runs: whoever names a file may have none."""
    write_named(tmp_path / "page.html", b"one")
    write_named(tmp_path / "page.html", b"two")
    assert (tmp_path / "page.html").read_bytes() == b"two"
    with pytest.raises(WriteError, match=r"there is no folder \S*/a: make it, or name another place"):
        write_named(tmp_path / "a" / "b" / "page.html", b"new")
    with pytest.raises(WriteError, match="is a folder, and a file is wanted: name one in it"):
        write_named(tmp_path, b"new")
    with pytest.raises(WriteError, match=r"cannot be written \(Not a directory\): name another place"):
        write_named(tmp_path / "page.html" / "page.html", b"new")
    with pytest.raises(WriteError, match=r"cannot be written \(File name too long\): name another place"):
        write_named(tmp_path / ("x" * 5000), b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]


def test_a_link_stays_and_what_is_no_file_is_written_to(tmp_path: Path) -> None:
    """A pipe, a terminal or /dev/null that somebody names is never replaced by a file."""
    (tmp_path / "page.html").write_bytes(b"one")
    (tmp_path / "link.html").symlink_to("page.html")
    write_named(tmp_path / "link.html", b"two")
    assert (tmp_path / "link.html").is_symlink()
    assert (tmp_path / "page.html").read_bytes() == b"two"
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        write_named(pipe, b"three")
        assert os.read(reader, 100) == b"three"
    finally:
        os.close(reader)
    assert pipe.is_fifo()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link.html", "page.html", "pipe"]
