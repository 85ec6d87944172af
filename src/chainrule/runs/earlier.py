"""The states of a run before its last, as far as they are at hand without running anything."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from chainrule.errors import RunError
from chainrule.train.checkpoint import Checkpoint
from chainrule.train.data_record import Array
from chainrule.train.fit import Fit
from chainrule.train.folder import RunFolder


class Earlier(msgspec.Struct, frozen=True):
    """Checkpoints in a folder, in memory, or in both: steps of one lineage are the same wherever they were made.

    Attributes:
        folder: of the run; None where it has none.
        held: those in memory, rising.
    """

    folder: RunFolder | None = None
    held: tuple[Checkpoint, ...] = ()

    def and_of(self, fit: Fit) -> Earlier:
        """These, and those of a sitting that went on from them."""
        held = {each.step: each for each in (*self.held, *fit.held)}
        return msgspec.structs.replace(
            self, folder=fit.folder or self.folder, held=tuple(held[step] for step in sorted(held))
        )

    def before(self, step: int) -> Checkpoint:
        """The last state at or before a step.

        Raises: RunError where there is none that is whole.
        """
        held = [each for each in self.held if each.step <= step]
        if self.folder is None:
            if not held:
                raise RunError(f"there is no state at or before step {step} at hand: train the run into a folder")
            return held[-1]
        kept = [each for each in self.folder.checkpoints.steps if each <= step]
        if held and (not kept or kept[-1] <= held[-1].step):
            return held[-1]
        return self.folder.checkpoints.before(step)

    def start(self) -> Mapping[str, Array]:
        """The state before the first step.

        Raises: RunError where its checkpoint is missing or damaged.
        """
        return self.before(0).state


NONE_EARLIER: Final = Earlier()
