"""An epoch's order depends on (seed, epoch) only, and the last smaller batch is kept."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule.data import epoch_order, offsets
from chainrule.draws import Purpose, permutation
from chainrule.errors import ValueRangeError

ROWS = np.array([3, 5, 8, 13, 21, 34], dtype=np.int64)


def test_an_order_holds_every_row_once() -> None:
    order = epoch_order(ROWS, seed=0, epoch=0)
    assert order.dtype == np.int64
    assert sorted(order.tolist()) == ROWS.tolist()
    assert np.array_equal(order, ROWS[permutation(0, Purpose.SHUFFLE, 0, 6)])


def test_an_order_is_a_function_of_seed_and_epoch() -> None:
    rows = np.arange(100, dtype=np.int64)
    assert np.array_equal(epoch_order(rows, 1, 7), epoch_order(rows, 1, 7))
    assert not np.array_equal(epoch_order(rows, 1, 7), epoch_order(rows, 1, 8))
    assert not np.array_equal(epoch_order(rows, 1, 7), epoch_order(rows, 2, 7))


def test_an_order_belongs_to_who_asked_for_it() -> None:
    order = epoch_order(ROWS, seed=5, epoch=1)
    kept = order.copy()
    order[:] = 0
    assert np.array_equal(epoch_order(ROWS, seed=5, epoch=1), kept)


def test_an_order_without_shuffling_is_a_copy() -> None:
    order = epoch_order(ROWS, seed=0, epoch=3, shuffle=False)
    assert order.tolist() == ROWS.tolist()
    order[0] = 0
    assert ROWS[0] == 3


def test_800_rows_in_batches_of_150_are_six() -> None:
    assert offsets(800, 150).tolist() == [0, 150, 300, 450, 600, 750, 800]


@pytest.mark.parametrize(
    ("count", "batch_size", "expected"),
    [(4, 2, [0, 2, 4]), (4, 4, [0, 4]), (4, 99, [0, 4]), (3, 1, [0, 1, 2, 3]), (1, 1, [0, 1]), (0, 5, [0])],
)
def test_offsets(count: int, batch_size: int, expected: list[int]) -> None:
    assert offsets(count, batch_size).tolist() == expected
    assert offsets(count, batch_size).dtype == np.int64


@given(count=st.integers(1, 1000), batch_size=st.integers(1, 1200))
def test_batches_cover_the_epoch(count: int, batch_size: int) -> None:
    sizes = np.diff(offsets(count, batch_size))
    assert sizes.sum() == count
    assert np.all(sizes[:-1] == batch_size)
    assert 1 <= sizes[-1] <= batch_size


def test_sizes_without_meaning_are_refused() -> None:
    with pytest.raises(ValueRangeError, match="at least 1 row"):
        offsets(10, 0)
    with pytest.raises(ValueRangeError, match="0 or more"):
        offsets(-1, 2)
