"""The whole history of one weight of a run: replayed with the weight asked for, and told."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Integral
from typing import TYPE_CHECKING, Final

import numpy as np

from chainrule.document import Block, Labeled, Listing, Paragraph
from chainrule.errors import RunError, UnknownNameError, ValueRangeError
from chainrule.errors.calls import check_kind
from chainrule.explain.credit import credit_of
from chainrule.explain.subject import parse_weight, show_weight
from chainrule.explain.weight_history import Past, classes_of, moves_of, samples_of
from chainrule.explain.weight_history_page import Told, weight_history_page
from chainrule.graph.tensor_type import named
from chainrule.runs.page import Page
from chainrule.runs.replaying import exactness
from chainrule.runs.subject import rule_of, said, target_in_words
from chainrule.train.data_record import Array
from chainrule.train.watch import Told as Listener
from chainrule.train.watch import Watched, watch

if TYPE_CHECKING:
    from chainrule.runs.run import Run

MOST_VISITS: Final = 20_000_000  # of samples: 8 bytes each for its row and its part
MOST_VALUES: Final = 1_000  # that programs get where they do not say


def weight_history(
    run: Run,
    weight: str,
    *,
    first: int = 0,
    last: int | None = None,
    top: int = 8,
    every: int | None = None,
    told: Listener | None = None,
) -> Page:
    """A weight at every step, and the samples that moved it.

    Args:
        run: which has done these steps.
        weight: "dense_1.W[3, 7]".
        first: updates done before the first step that is told.
        last: the step after which to end; None for the last one of the run.
        top: how many of the largest moves are told.
        every: steps between two values in the data; None for as many as make about a thousand.
        told: called with the steps done and those to do, now and then.

    Raises: ArgumentError, UnknownNameError, ShapeError: a weight that does not exist; RunError for steps that the run
        has not done, a weight that is not trained, and more visits of samples than the memory is good for;
        ValueRangeError for a count below 1.
    """
    parameter, index = _weight(run, weight)
    last = run.step if last is None else last
    _check(run, first, last, {"top": top, "every": 1 if every is None else every})
    visits = (last - first) * min(run.experiment.batch_size, len(run.prepared.rows))
    if visits > MOST_VISITS:
        raise RunError(
            f"steps {first} to {last} make {visits:,} visits of samples, and {MOST_VISITS:,} can be held: ask for "
            "fewer steps"
        )
    watched = watch(run.prepared, run.at(first).checkpoint, last, parameter, index, told)
    past = _past(run, watched, show_weight(parameter, index))
    targets = [target_in_words(run.prepared, row) for row in range(run.dataset.row_count)]
    samples = samples_of(past, targets)
    is_class = run.record.task == "classification"
    spoken = Told(
        place=place_in_words(run, parameter, index),
        optimizer=said(run.experiment.optimizer),
        batch=run.experiment.batch_size,
        every=every or max(1, round(past.steps / MOST_VALUES)),
    )
    moves = moves_of(past, targets, top)
    classes = classes_of(samples) if is_class else []
    at = moves[0].step if moves else last
    extra = (*_evidence(run, watched, last), *_next(run, past.name, at))
    return Page(weight_history_page(past, spoken, moves, samples, classes, extra))


def place_in_words(run: Run, parameter: str, index: tuple[int, ...]) -> str:
    """Where a weight stands: "weight from input 3 to unit 7"; nothing for a kind that has no such words."""
    layer, _, kind = parameter.rpartition(".")
    layers = list(dict.fromkeys(each.name.rpartition(".")[0] for each in run.graphs.parameters))
    unit = f"{'output' if layer == layers[-1] else 'unit'} {index[-1]}"
    if kind == "b" and len(index) == 1:
        return f"bias of {unit}" if layer == layers[-1] else f"bias of {unit} of {layer}"
    if kind == "W" and len(index) == 2:
        return f"weight from {'input' if layer == layers[0] else 'unit'} {index[0]} to {unit}"
    return ""


def _weight(run: Run, weight: str) -> tuple[str, tuple[int, ...]]:
    check_kind("weight", weight, str, "its name as text, such as 'dense_1.W[3, 7]'")
    known = [parameter.name for parameter in run.graphs.parameters]
    named_so = weight.partition("[")[0].strip()
    if named_so not in known:
        raise UnknownNameError("parameter", named_so, known)
    parameter, index = parse_weight(weight, {name: run.graphs.book.input(name) for name in known})
    if parameter not in run.graphs.trainable:
        raise RunError(f"{parameter} is frozen, so {weight.strip()} never moved: name a parameter that is trained")
    return parameter, index


def _check(run: Run, first: int, last: int, counts: Mapping[str, int]) -> None:
    for name, step in (("first", first), ("last", last)):
        check_kind(name, step, Integral, "the whole number of a step, such as 1342")
    if not 0 <= first < last <= run.step:
        raise RunError(f"there are no steps from {first} to {last}: {run.name} has steps 0 to {run.step}")
    for name, count in counts.items():
        check_kind(name, count, Integral, "a whole number, such as 8")
        if count < 1:
            raise ValueRangeError(f"{name} is {count}, and at least 1 is wanted")


def _past(run: Run, watched: Watched, name: str) -> Past:
    optimizer, steps = run.experiment.optimizer, len(watched.gradients)
    done = watched.first + np.arange(steps)
    given: dict[str, Array] = {
        "parameter": watched.values[:-1],
        "gradient": watched.gradients,
        "rate": np.array(optimizer.learning_rate),
        "step": done.astype(np.uint32),
        **watched.slots,
    }
    per_epoch = -(-len(run.prepared.rows) // run.experiment.batch_size)
    return Past(
        name=name,
        first=watched.first,
        values=watched.values,
        gradients=watched.gradients,
        epochs=done // per_epoch + 1,
        rows=watched.rows,
        bounds=watched.bounds,
        own=watched.own,
        credit=credit_of(rule_of(optimizer, (named("s"),)), given),
        dtype=run.experiment.dtype,
    )


def _evidence(run: Run, watched: Watched, last: int) -> list[Block]:
    """Whether the replay that was watched ended at the state of one that was not."""
    right = run.at(last).checkpoint.state
    same = all(right[name].tobytes() == watched.end[name].tobytes() for name in right)
    end = f"; asking for the weight {'changed no bit' if same else 'changed bits'} of the state after step {last:,}"
    return [Labeled("Replayed", (Paragraph(exactness(run) + end),), name="replayed")]


def _next(run: Run, weight: str, step: int) -> list[Block]:
    if run.path is None:
        return []
    return [Listing((f"chainrule explain {run.name} --weight '{weight}' --at {step}",), name="next")]
