"""Which rows are meant: samples by their index in the source, or a batch by its number in an epoch."""

from __future__ import annotations

from collections.abc import Iterable
from numbers import Integral
from typing import Any, cast

from chainrule.data.batches import epoch_order, offsets
from chainrule.errors import RunError
from chainrule.errors.calls import check_kind
from chainrule.train.prepare import Prepared


def rows_of_samples(prepared: Prepared, samples: object) -> tuple[int, ...]:
    """The rows themselves, where all exist.

    Raises: ArgumentError for what is no list of whole numbers; RunError for a row that does not exist, and for none.
    """
    dataset = prepared.dataset
    check_kind("samples", samples, Iterable, "a list of rows, such as [3, 17]")
    rows = tuple(cast("Iterable[Any]", samples))  # Any: each is checked
    if not rows:
        raise RunError("no sample was named: give at least one row")
    for sample in rows:
        check_kind("sample", sample, Integral, "the whole number of a row, such as 17")
        if not 0 <= sample < dataset.row_count:
            raise RunError(f"there is no sample {sample}: {dataset.name} has samples 0 to {dataset.row_count - 1}")
    return tuple(int(sample) for sample in rows)


def rows_of_batch(prepared: Prepared, epoch: int, batch: int) -> tuple[tuple[int, ...], str]:
    """The rows of a batch of an epoch (from 0), and its place in words.

    Raises: ArgumentError for what is no whole number; RunError for a batch that does not exist.
    """
    check_kind("batch", batch, Integral, "the whole number of a batch, such as 0")
    experiment = prepared.experiment
    order = epoch_order(prepared.rows, experiment.seed, epoch, experiment.shuffle)
    cuts = offsets(len(order), experiment.batch_size)
    if not 0 <= batch < len(cuts) - 1:
        raise RunError(f"there is no batch {batch}: an epoch of {prepared.dataset.name} has 0 to {len(cuts) - 2}")
    rows = order[cuts[batch] : cuts[batch + 1]]
    return tuple(int(row) for row in rows), f"batch {batch} of epoch {epoch + 1}"
