"""The checkpoints of a run that has no folder, in memory."""

from __future__ import annotations

from typing import Final

from chainrule.train.checkpoint import Checkpoint
from chainrule.train.thinning import most_stretches, superfluous

DEARER: Final = 8  # times as dear as on the disk is a byte in memory: so many times fewer large checkpoints stay


class Held:
    """The first checkpoint of every stretch of training, as `thinning` counts them.

    Attributes: checkpoints: by their steps, rising.
    """

    def __init__(self) -> None:
        self.checkpoints: tuple[Checkpoint, ...] = ()

    def add(self, checkpoint: Checkpoint) -> int:
        """Take one in, then let go of those that need not stay.

        Returns: how many stretches keep their first checkpoint.
        """
        most = most_stretches(DEARER * sum(value.nbytes for value in checkpoint.state.values()))
        found = {each.step: each for each in (*self.checkpoints, checkpoint)}
        gone = superfluous({step: each.seconds for step, each in found.items()}, most, log_spaced=False)
        self.checkpoints = tuple(found[step] for step in sorted(set(found) - set(gone)))
        return most
