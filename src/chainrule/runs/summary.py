"""What a person wants to see of a run before and after it trains: data, layers, training, curve, scores."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from chainrule.document import (
    COUNT,
    Block,
    Code,
    Column,
    Document,
    Group,
    Heading,
    Labeled,
    Listing,
    Number,
    Paragraph,
    Row,
    Summary,
    Table,
)
from chainrule.document.numbers import short
from chainrule.errors.counts import counted, plural
from chainrule.nn.layers import Dense, Flatten, Layer
from chainrule.runs.page import Page
from chainrule.runs.reach import reach_in_words, reach_of
from chainrule.runs.subject import said
from chainrule.train.curves import loss_curve
from chainrule.train.data_record import DataRecord
from chainrule.train.evaluate import Classified
from chainrule.train.experiment import Experiment
from chainrule.train.folder import RunFolder
from chainrule.train.scores import metrics_in_words, scores_table
from chainrule.train.step import trainable_names

if TYPE_CHECKING:
    from chainrule.runs.run import Run


def before_training(experiment: Experiment, record: DataRecord, disk: str = "") -> Document:
    """The data, the layers with their counts, and how they will be trained.

    Args:
        experiment: resolved.
        record: of its data.
        disk: what its checkpoints may take, in words; "" where that need not be told.
    """
    return Document(
        experiment.name,
        (
            Group(
                (
                    Labeled("Data", (Paragraph(data_in_words(record)),)),
                    Labeled("Split", (Paragraph(split_in_words(record)),)),
                )
            ),
            Labeled("Network", (network_table(experiment, record),)),
            Labeled("Training", (Paragraph(training_in_words(experiment)),)),
            *((Labeled("Disk", (Paragraph(disk),), name="disk"),) if disk else ()),
        ),
        name="plan",
        data={"name": experiment.name, "parameters": _count(experiment, record)},
    )


def summary_of(run: Run) -> Page:
    """The same of a run that exists, with its curve and its scores."""
    document = before_training(run.experiment, run.record)
    blocks: list[Block] = [*document.blocks, *loss_curve(run.history)]
    state = f"{run.reason}, {run.epochs:,} of {counted(run.experiment.epochs, 'epoch')}, {counted(run.step, 'step')}"
    blocks.append(Labeled("State", (Paragraph(state),)))
    if run.test:
        blocks.append(
            Labeled("Test", (Paragraph(metrics_in_words(run.test, run.record.rows[2], run.record.weighted)),))
        )
    return Page(Document(run.name, tuple(blocks), name="run", data={**document.data, "test": dict(run.test or {})}))


# ---- before ----


def checkpoint_size(experiment: Experiment, record: DataRecord) -> float:
    """The bytes of a checkpoint, about: every weight and bias, and what the optimizer keeps of each."""
    return _count(experiment, record) * (1 + len(experiment.optimizer.slots)) * np.dtype(experiment.dtype).itemsize


def data_in_words(record: DataRecord) -> str:
    """What the samples are: their number, their features, their classes or targets."""
    rows = sum(record.rows)
    shape = record.image_shape or (record.feature_shape if len(record.feature_shape) > 1 else None)
    kind = counted(rows, "image" if record.image_shape else "row")
    size = f" of {' × '.join(map(str, shape))}" if shape else ""
    features = len(record.feature_names)
    if record.task == "classification":
        outputs = f"{len(record.class_names):,} classes ({_shortened(record.class_names)})"
    else:
        outputs = f"{plural(len(record.target_names), 'target')} {_shortened(record.target_names)}"
    return f"{kind}{size}, {counted(features, 'feature')}, {outputs}"


def split_in_words(record: DataRecord) -> str:
    """How many rows train, validate and test, and how the features are scaled."""
    train, validation, test = record.rows
    parts = [f"{train:,} train"]
    parts += [f"{validation:,} validate"] if validation else []
    parts += [f"{test:,} test" if test else "none held out"]
    scaling = {
        "none": "features as they are",
        "standardize": "features standardized",
        "minmax": "features scaled to 0…1",
        "unit": "features divided by their range",
    }[record.features.kind]
    targets = {"standardize": ", targets standardized", "minmax": ", targets scaled to 0…1"}.get(
        record.targets.kind, ""
    )
    return f"{', '.join(parts)}; {scaling}{targets}"


def network_table(experiment: Experiment, record: DataRecord) -> Table:
    """A row a layer: its output, its activation, its weights and biases; the total is all numbers one can address."""
    layers = experiment.layers
    summary = layers.summary(record.feature_shape)
    rows = tuple(
        Row((row.layer, _shape(row.output_shape), _activation(layer), Number(row.parameters)))
        for row, layer in zip(summary, layers.layers, strict=True)
    )
    columns = (
        Column("layer", heading=True),
        Column("output", align="right"),
        Column("activation"),
        Column("weights and biases", style=COUNT),
    )
    total = Summary(_in_all(experiment, record), (None, None, None, Number(_count(experiment, record), COUNT)))
    return Table(columns, rows, total=total, name="network")


def training_in_words(experiment: Experiment) -> str:
    """Loss, optimizer, batch size, epochs and seed."""
    loss = experiment.loss.replace("_", " ")
    epochs = counted(experiment.epochs, "epoch")
    return (
        f"{loss}, {said(experiment.optimizer)}, batches of {experiment.batch_size:,}, {epochs}, "
        f"seed {experiment.seed}, {experiment.dtype}"
    )


def _in_all(experiment: Experiment, record: DataRecord) -> str:
    parameters = experiment.layers.parameters(record.feature_shape)
    frozen = len(parameters) - len(trainable_names(parameters, experiment.frozen))
    return f"in all, {frozen} of {len(parameters)} frozen" if frozen else "in all"


def _count(experiment: Experiment, record: DataRecord) -> int:
    return experiment.layers.parameter_count(record.feature_shape)


def _activation(layer: Layer) -> str:
    if isinstance(layer, Dense):
        return layer.activation
    return "" if isinstance(layer, Flatten) else layer.kind


def _shape(shape: tuple[int, ...]) -> str:
    return " × ".join(map(str, shape))


def _shortened(names: tuple[str, ...], most: int = 6) -> str:
    if len(names) <= most:
        return ", ".join(names)
    return f"{', '.join(names[: most - 3])}, …, {names[-1]}"


# ---- after ----


def after_training(run: Run) -> Document:
    """The loss curve, the scores, how far its steps are, and where the run is."""
    blocks: list[Block] = [*loss_curve(run.history)]
    if isinstance(run.scores, Classified) or (run.scores and len(run.scores.targets) > 1):
        blocks.append(scores_table(run.scores))
    result = [Labeled(*_result(run)), Labeled("Time", (Paragraph(_time(run)),))]
    if run.path is not None:
        result.append(Labeled("Replay", (Paragraph(reach_in_words(reach_of(RunFolder(run.path)))),)))
        result.append(Labeled("Run", (Paragraph(Code(near(run.path))),)))
    blocks.append(Group(tuple(result)))
    return Document(run.name, tuple(blocks), name="result")


def _result(run: Run) -> tuple[str, tuple[Block, ...]]:
    if run.test:
        return "Test", (Paragraph(metrics_in_words(run.test, run.record.rows[2], run.record.weighted)),)
    listed = ", ".join(f"{name} {short(run.history[name][-1])}" for name in run.history)
    return "Training", (Paragraph(listed or "no epoch is complete yet"),)


def _time(run: Run) -> str:
    return f"{run.seconds:.1f} s for {counted(run.epochs, 'epoch')}, {counted(run.step, 'step')}"


def near(path: Path) -> str:
    """A path as it is typed from here."""
    path = path.absolute()
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def next_steps(commands: Mapping[str, str]) -> Group:
    """What to type next: each command under a remark on what it is for."""
    lines = [line for why, command in commands.items() for line in (f"# {why}", command)]
    return Group((Heading("Next", level=2), Listing(tuple(lines))))
