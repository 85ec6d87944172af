"""The checkpoints of a run that has no folder, in memory."""

from __future__ import annotations

from typing import Final

from chainrule.train.checkpoint import Checkpoint
from chainrule.train.thinning import Room, superfluous

MOST_BYTES: Final = 256 * 2**20  # of memory; 32 states of 784-512-512-10 with Adam in float32


class Held:
    """The first checkpoint of every stretch of training, as `thinning` counts them.

    Attributes: checkpoints: by their steps, rising.
    """

    def __init__(self) -> None:
        self.checkpoints: tuple[Checkpoint, ...] = ()

    def add(self, checkpoint: Checkpoint) -> Room:
        """Take one in, then let go of those that need not stay.

        Returns: the room there is for them.
        """
        room = Room(sum(value.nbytes for value in checkpoint.state.values()), MOST_BYTES)
        found = {each.step: each for each in (*self.checkpoints, checkpoint)}
        gone = superfluous({step: each.cost for step, each in found.items()}, room, log_spaced=False)
        self.checkpoints = tuple(found[step] for step in sorted(set(found) - set(gone)))
        return room
