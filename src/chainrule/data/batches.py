"""The order in which an epoch visits the training rows, and where its batches begin and end."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from chainrule.draws import Purpose, permutation
from chainrule.errors import ValueRangeError


def epoch_order(rows: npt.NDArray[np.int64], seed: int, epoch: int, shuffle: bool = True) -> npt.NDArray[np.int64]:
    """The rows in the order of one epoch: a function of (seed, epoch) and of nothing that happened before.

    Args:
        rows: row indices to visit, (n,).
        seed: of the experiment.
        epoch: counted from 0.
        shuffle: whether to shuffle; otherwise the order of `rows` is kept.

    Returns: the same indices, (n,).
    """
    return rows[_shuffled(seed, epoch, len(rows))] if shuffle else rows.copy()


@lru_cache(maxsize=1)
def _shuffled(seed: int, epoch: int, count: int) -> npt.NDArray[np.int64]:
    """The places of the rows; the last one is kept, as the epoch under way is asked for again and again."""
    places = permutation(seed, Purpose.SHUFFLE, epoch, count)
    places.flags.writeable = False
    return places


def offsets(count: int, batch_size: int) -> npt.NDArray[np.int64]:
    """Where batches begin and end: batch b holds the places offsets[b] to offsets[b + 1] of the order.

    The last batch may be smaller and is kept: 800 rows in batches of 150 are five of 150 and one of 50.

    Args:
        count: rows in the epoch, 0 or more.
        batch_size: rows in a batch, 1 or more; at least `count` makes one batch.

    Returns: int64 array (batches + 1,), from 0 to `count`.

    Raises:
        ValueRangeError: a batch of less than one row, or a negative count.
    """
    if batch_size < 1:
        raise ValueRangeError(f"batch_size {batch_size} is too small: a batch holds at least 1 row")
    if count < 0:
        raise ValueRangeError(f"an epoch of {count} rows does not exist: give 0 or more")
    return np.append(np.arange(0, count, batch_size, dtype=np.int64), np.int64(count))
