"""The state of a run at one step, on the disk: tensors first, then the JSON that vouches for them.

A checkpoint exists when its JSON does: that is written last, durably, and holds the SHA-256 of the tensors. So at any
moment every checkpoint that can be seen is whole.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, TypeAlias

import msgspec
import numpy.typing as npt

from chainrule.errors import RunError, ValueRangeError
from chainrule.errors.notices import warn
from chainrule.train.durable import make_folder, remove, sweep, write_durably
from chainrule.train.tally import Tally
from chainrule.train.tensors import encode_tensors, read_tensors, sha256_of
from chainrule.train.thinning import Room, spread, superfluous

Array: TypeAlias = npt.NDArray[Any]

CHECKPOINT_VERSION: Final = 1


class Best(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The epoch whose validation loss is the smallest so far, and that loss."""

    epoch: int
    step: int
    val_loss: float


class Checkpoint(msgspec.Struct, frozen=True, kw_only=True):
    """All that is needed to go on from a step as if nothing had happened.

    Attributes:
        step: updates done.
        epoch: the epoch under way, counted from 0.
        steps_of_epoch: updates done of that epoch.
        lineage: of the experiment; a run goes on only with the same.
        backend: what ran it; a run goes on with the same, as another has other bits.
        state: parameters and optimizer slots by name.
        tally: the sums of the epoch so far.
        best: where validation exists and an epoch is over.
        seconds: spent training so far.
        cost: of running all steps so far again, in seconds.
    """

    step: int
    epoch: int
    steps_of_epoch: int
    lineage: str
    backend: str
    state: Mapping[str, Array]
    tally: Tally
    best: Best | None = None
    seconds: float = 0.0
    cost: float = 0.0


class _Voucher(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The JSON beside the tensors."""

    step: int
    epoch: int
    steps_of_epoch: int
    lineage: str
    backend: str
    weight: float
    sums: dict[str, float]
    best: Best | None
    seconds: float
    sha256: str
    cost: float | None = None  # not known of the first runs, where the time stands for it
    format_version: int = CHECKPOINT_VERSION


class Checkpoints:
    """The checkpoints in a folder: those that `thinning` keeps, and the last."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._costs: dict[int, float] | None = None

    @property
    def steps(self) -> tuple[int, ...]:
        """The steps of which there is a checkpoint, rising."""
        found = (path.stem.removeprefix("step-") for path in self._folder.glob("step-*.json"))
        return tuple(sorted(int(step) for step in found if step.isdigit()))

    def path(self, step: int) -> Path:
        """Where the JSON of that step lies, or would."""
        return self._folder / f"step-{step}.json"

    def prepare(self) -> None:
        """Make the folder; remove what writers that were killed left behind."""
        self._costs = None
        make_folder(self._folder)
        sweep(self._folder)
        for tensors in self._folder.glob("step-*.safetensors"):
            if not tensors.with_suffix(".json").exists():
                remove(tensors)

    def write(self, checkpoint: Checkpoint, most: float = math.inf) -> Path:
        """Write the checkpoint, then let go of those that need not stay.

        Args:
            checkpoint: of any step.
            most: bytes that all of them may take.

        Raises: WriteError when it cannot be written; all that were there before still are.
        """
        path = self.path(checkpoint.step)
        costs = self.costs
        tensors = encode_tensors(checkpoint.state)
        sha256 = sha256_of(tensors)
        if not self._holds(checkpoint.step, sha256):
            self.drop(checkpoint.step)
            write_durably(self._tensors(checkpoint.step), tensors)
        write_durably(path, _encode(checkpoint, sha256))
        costs[checkpoint.step] = checkpoint.cost
        for step in superfluous(costs, Room(self.size(checkpoint.step), most)):
            self.drop(step)
        return path

    @property
    def costs(self) -> dict[int, float]:
        """What running all steps before again costs, in seconds, for each step whose checkpoint can be read."""
        if self._costs is None:
            self._costs = {}
            for step in self.steps:
                with contextlib.suppress(RunError):
                    self._costs[step] = _cost(self._voucher(step))
        return self._costs

    def size(self, step: int) -> int:
        """The bytes that a checkpoint takes on the disk; 0 where there is none."""
        files = (self.path(step), self._tensors(step))
        return sum(file.stat().st_size for file in files if file.exists())

    def thin(self, count: int) -> list[int]:
        """Let go of checkpoints until at most so many are left, spread over the training; the first and last stay.

        Returns: the steps whose checkpoints are gone.
        Raises: ValueRangeError for fewer than two; WriteError when one cannot be removed.
        """
        if count < 2:
            raise ValueRangeError(f"{count} checkpoints shall stay, and the first and the last do: keep at least 2")
        gone = spread(self.costs, count)
        for step in gone:
            self.drop(step)
        return gone

    def read(self, step: int) -> Checkpoint:
        """The checkpoint of that step, its checksum verified.

        Raises: RunError for a file that is missing or damaged, by name.
        """
        voucher = self._voucher(step)
        return Checkpoint(
            step=voucher.step,
            epoch=voucher.epoch,
            steps_of_epoch=voucher.steps_of_epoch,
            lineage=voucher.lineage,
            backend=voucher.backend,
            state=read_tensors(self._tensors(step), voucher.sha256),
            tally=Tally(voucher.weight, voucher.sums),
            best=voucher.best,
            seconds=voucher.seconds,
            cost=_cost(voucher),
        )

    def latest(self) -> Checkpoint:
        """The checkpoint of the highest step.

        Raises: RunError when there is none, or when it is damaged.
        """
        if not self.steps:
            raise RunError(f"there is no checkpoint in {self._folder}: train again")
        return self.read(self.steps[-1])

    def latest_whole(self) -> Checkpoint:
        """The checkpoint of the highest step, or the one before where that is damaged, with a notice.

        Raises: RunError when there is none that is whole.
        """
        return self.before(self.steps[-1]) if self.steps else self.latest()

    def before(self, step: int) -> Checkpoint:
        """The last checkpoint at or before a step, from which that step can be reached again.

        Where it is damaged it is the one before, with a notice.

        Raises: RunError when there is none that is whole; the sentence names those there are.
        """
        steps, first = self.steps, None
        for found in reversed([found for found in steps if found <= step]):
            try:
                checkpoint = self.read(found)
            except RunError as error:
                first = first or error
                continue
            if first is not None:
                warn(f"step {step} is reached from step {found}, as {first}")
            return checkpoint
        if first is not None:
            raise RunError(f"{first}; {_listed(steps)}") from first
        raise RunError(f"there is no checkpoint at or before step {step} in {self._folder}: {_listed(steps)}")

    def _voucher(self, step: int) -> _Voucher:
        path = self.path(step)
        try:
            voucher = msgspec.json.decode(path.read_bytes(), type=_Voucher)
        except OSError as error:
            raise RunError(f"{path} cannot be read ({error.strerror}): there is no such checkpoint") from error
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise RunError(
                f"{path} is damaged or from a newer chainrule ({error}): delete it to use one before"
            ) from error
        if voucher.step != step:
            raise RunError(f"{path} says it is of step {voucher.step}: it was renamed; give it its name back")
        return voucher

    def _holds(self, step: int, sha256: str) -> bool:
        """Whether the tensors of that step are there already, as in a run that stops again where it went on."""
        try:
            return self._voucher(step).sha256 == sha256 and bool(read_tensors(self._tensors(step), sha256))
        except RunError:
            return False

    def _tensors(self, step: int) -> Path:
        return self._folder / f"step-{step}.safetensors"

    def drop(self, step: int) -> None:
        """Remove a checkpoint: the JSON first, so that what can be seen stays whole."""
        if self._costs is not None:
            self._costs.pop(step, None)
        remove(self.path(step))
        remove(self._tensors(step))

    def drop_after(self, step: int) -> None:
        """Remove the checkpoints of later steps."""
        for found in reversed(self.steps):
            if found > step:
                self.drop(found)


def _listed(steps: tuple[int, ...]) -> str:
    """The checkpoints there are, in words."""
    return f"there are checkpoints of steps {', '.join(map(str, steps))}" if steps else "there is none: train again"


def _cost(voucher: _Voucher) -> float:
    return voucher.seconds if voucher.cost is None else voucher.cost


def _encode(checkpoint: Checkpoint, sha256: str) -> bytes:
    voucher = _Voucher(
        step=checkpoint.step,
        epoch=checkpoint.epoch,
        steps_of_epoch=checkpoint.steps_of_epoch,
        lineage=checkpoint.lineage,
        backend=checkpoint.backend,
        weight=checkpoint.tally.weight,
        sums=dict(checkpoint.tally.sums),
        best=checkpoint.best,
        seconds=checkpoint.seconds,
        sha256=sha256,
        cost=checkpoint.cost,
    )
    return msgspec.json.format(msgspec.json.encode(voucher), indent=1) + b"\n"
