"""Numbers that are not finite, refused with where they came up."""

from __future__ import annotations

import numpy as np

from chainrule.errors import NonFiniteError
from chainrule.train.checkpoint import Checkpoint
from chainrule.train.data_record import Array


def check_losses(losses: Array, first: int, steps_per_epoch: int) -> None:
    """Refuse losses that nothing can be learned from.

    Args:
        losses: of some steps, (steps,).
        first: updates done before them.
        steps_per_epoch: updates of a whole epoch.

    Raises: NonFiniteError naming epoch, step and batch of the first that is NaN or infinite.
    """
    bad = np.flatnonzero(~np.isfinite(losses))
    if bad.size:
        step = first + int(bad[0])
        epoch, batch = divmod(step, steps_per_epoch)
        raise NonFiniteError(
            f"the loss became {losses[bad[0]]} in epoch {epoch + 1}, at step {step} "
            f"(batch {batch + 1} of {steps_per_epoch})"
        )


def check_finite(checkpoint: Checkpoint) -> None:
    """Refuse a state that is no state to go on from.

    Raises: NonFiniteError naming the first parameter or slot that holds NaN or infinity.
    """
    for name, array in checkpoint.state.items():
        if not np.isfinite(array).all():
            raise NonFiniteError(f"{name} holds a number that is not finite after step {checkpoint.step}")
