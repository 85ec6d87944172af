"""Which moment and which rows are meant: samples by their index in the source, or a batch by its number in an epoch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from numbers import Integral
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast

from chainrule.data.batches import epoch_order, offsets
from chainrule.errors import RunError, UnknownNameError
from chainrule.errors.calls import check_kind
from chainrule.runs.subject import Moment
from chainrule.train.prepare import Prepared

if TYPE_CHECKING:
    from chainrule.runs.run import Run

When: TypeAlias = Literal["now", "start"] | int


def what_is_asked(
    run: Run, sample: int | None, samples: Sequence[int] | None, batch: int | None, at: When
) -> tuple[Moment, tuple[int, ...]]:
    """The moment and the rows that are meant; the batch that comes next where no rows are named.

    Raises: RunError for more than one of them, and for what does not exist.
    """
    moment, epoch = moment_of(run, at)
    if (batch is not None) + (sample is not None) + (samples is not None) > 1:
        raise RunError("one of sample, samples and batch can be explained at a time: leave the others out")
    if sample is not None or samples is not None:
        return moment, rows_of_samples(run.prepared, [sample] if sample is not None else samples)
    if batch is None:
        batch = run.checkpoint.steps_of_epoch if at != "start" else 0
    rows, said = rows_of_batch(run.prepared, epoch, batch)
    return Moment(moment.state, moment.step, f"{moment.said} · {said}"), rows


def moment_of(run: Run, at: When) -> tuple[Moment, int]:
    """The state at that time and the epoch that is then under way, from 0.

    Raises: UnknownNameError for a moment that is none.
    """
    if at == "now" or at == run.step:
        return Moment(run.checkpoint.state, run.step, f"step {run.step:,}"), run.checkpoint.epoch
    if at == "start":
        return Moment(run.checkpoint_before(0).state, 0, "step 0"), 0
    raise UnknownNameError("moment", str(at), ("now", "start"))


def rows_of_samples(prepared: Prepared, samples: object) -> tuple[int, ...]:
    """The rows themselves, where all exist; as in training, a batch has a row once.

    Raises: ArgumentError for what is no list of whole numbers; RunError for a row that does not exist or comes again,
        and for none.
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
    (most, times), *_ = Counter(rows).most_common(1)
    if times > 1:
        raise RunError(f"sample {most} came {times} times, and a batch has each of its rows once: name it once")
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
