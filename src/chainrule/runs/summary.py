"""What a person wants to see of a run before and after it trains: data, layers, training, curve, scores."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from chainrule.document import (
    Block,
    Code,
    Column,
    Content,
    Document,
    Group,
    Heading,
    Labeled,
    Listing,
    Number,
    NumberStyle,
    Paragraph,
    Plain,
    Row,
    Strong,
    Summary,
    Table,
)
from chainrule.errors.counts import counted, plural
from chainrule.nn.layers import Dense, Flatten, Layer
from chainrule.runs.page import Page
from chainrule.runs.reach import reach_in_words, reach_of
from chainrule.runs.subject import said
from chainrule.train.curves import loss_curve
from chainrule.train.data_record import DataRecord
from chainrule.train.evaluate import Classified, ClassScore, Regressed, Scores
from chainrule.train.experiment import Experiment
from chainrule.train.folder import RunFolder
from chainrule.train.step import trainable_names

if TYPE_CHECKING:
    from chainrule.runs.run import Run

COUNT: Final = NumberStyle("count")
SHARE: Final = NumberStyle("percent", 1)
MOST_CLASSES: Final = 20  # rows of the table of classes; of more, the worst


def before_training(experiment: Experiment, record: DataRecord) -> Document:
    """The data, the layers with their counts, and how they will be trained.

    Args:
        experiment: resolved.
        record: of its data.
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
        ),
        name="plan",
        data={"name": experiment.name, "parameters": _count(experiment, record)},
    )


def summary_of(run: Run) -> Page:
    """The same of a run that exists, with its curve and its scores."""
    document = before_training(run.experiment, run.record)
    blocks: list[Block] = [*document.blocks, *loss_curve(run.history)]
    state = f"{run.reason}, {run.epochs} of {counted(run.experiment.epochs, 'epoch')}, {counted(run.step, 'step')}"
    blocks.append(Labeled("State", (Paragraph(state),)))
    if run.test:
        blocks.append(
            Labeled("Test", (Paragraph(metrics_in_words(run.test, run.record.rows[2], run.record.weighted)),))
        )
    return Page(Document(run.name, tuple(blocks), name="run", data={**document.data, "test": dict(run.test or {})}))


# ---- before ----


def data_in_words(record: DataRecord) -> str:
    """What the samples are: their number, their features, their classes or targets."""
    rows = sum(record.rows)
    shape = record.image_shape or (record.feature_shape if len(record.feature_shape) > 1 else None)
    kind = counted(rows, "image" if record.image_shape else "row")
    size = f" of {' × '.join(map(str, shape))}" if shape else ""
    features = len(record.feature_names)
    if record.task == "classification":
        outputs = f"{len(record.class_names)} classes ({_shortened(record.class_names)})"
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
        f"{loss}, {said(experiment.optimizer)}, batches of {experiment.batch_size}, {epochs}, "
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


def scores_table(scores: Scores) -> Table:
    """Each class with its precision, recall and F1; or each target with its errors."""
    return _class_table(scores) if isinstance(scores, Classified) else _target_table(scores)


def scores_block(scores: Scores, *, weighted: bool) -> Paragraph:
    """The scores that are one number each, as a line."""
    return Paragraph(metrics_in_words(scores.metrics, scores.rows, weighted))


def metrics_in_words(metrics: Mapping[str, float], rows: int, weighted: bool) -> Content:
    """The scores on some rows that are one number each."""
    if "accuracy" in metrics:
        right = round(metrics["accuracy"] * rows)
        share = Strong(f"accuracy {metrics['accuracy']:.4f}")
        counted = "" if weighted else f" ({right:,} of {rows:,} right)"
        return (share, f"{counted}, loss {metrics['loss']:.4g} nats")
    if math.isnan(metrics["r2"]):  # of targets that are all the same
        return f"typical error (RMSE) {metrics['rmse']:.4g}, mean absolute error {metrics['mae']:.4g}"
    return (
        Strong(f"R² {metrics['r2']:.4f}"),
        f", typical error (RMSE) {metrics['rmse']:.4g}, mean absolute error {metrics['mae']:.4g}",
    )


def _result(run: Run) -> tuple[str, tuple[Block, ...]]:
    if run.test:
        return "Test", (Paragraph(metrics_in_words(run.test, run.record.rows[2], run.record.weighted)),)
    listed = ", ".join(f"{name} {run.history[name][-1]:.4g}" for name in run.history)
    return "Training", (Paragraph(listed or "no epoch is complete yet"),)


def _time(run: Run) -> str:
    return f"{run.seconds:.1f} s for {counted(run.epochs, 'epoch')}, {counted(run.step, 'step')}"


def near(path: Path) -> str:
    """A path as it is typed from here."""
    path = path.absolute()
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def _class_table(scores: Classified) -> Table:
    shown = scores.classes
    caption = ""
    if len(shown) > MOST_CLASSES:
        shown = tuple(sorted(shown, key=lambda each: -1.0 if math.isnan(each.f1) else each.f1)[:MOST_CLASSES])
        caption = f"the {MOST_CLASSES} of {len(scores.classes)} classes with the smallest F1"
    columns = (
        Column("class", heading=True),
        *(Column(name, style=SHARE, align="right") for name in ("precision", "recall", "F1")),
        Column("rows", style=COUNT),
        Column("most often taken for"),
    )
    rows = tuple(Row((*_class_cells(each), _taken_for(scores, each))) for each in shown)
    return Table(columns, rows, caption=caption, name="classes", data={"confusion": scores.confusion.tolist()})


def _class_cells(score: ClassScore) -> tuple[str | Number, ...]:
    shares = ("-" if math.isnan(v) else Number(v) for v in (score.precision, score.recall, score.f1))
    return (score.name, *shares, Number(score.rows))


def _taken_for(scores: Classified, score: ClassScore) -> str:
    """The class that rows of this one are most often mistaken for."""
    names = [each.name for each in scores.classes]
    row = scores.confusion[names.index(score.name)].copy()
    row[names.index(score.name)] = 0
    most = int(row.argmax())
    return f"{names[most]} ({counted(int(row[most]), 'time')})" if row[most] else ""


def _target_table(scores: Regressed) -> Table:
    columns = (
        Column("target", heading=True),
        Column("R²", style=NumberStyle("fixed", 4)),
        Column("RMSE", style=NumberStyle("significant", 4)),
        Column("mean absolute error", style=NumberStyle("significant", 4)),
    )
    rows = tuple(
        Row((each.name, "-" if math.isnan(each.r2) else Number(each.r2), Number(each.rmse), Number(each.mae)))
        for each in scores.targets
    )
    return Table(columns, rows, name="targets")


def scores_data(scores: Scores) -> dict[str, Plain]:
    """The scores as plain values."""
    if isinstance(scores, Classified):
        classes: list[Plain] = [
            {"name": c.name, "precision": c.precision, "recall": c.recall, "f1": c.f1, "rows": c.rows}
            for c in scores.classes
        ]
        return {"rows": scores.rows, **scores.metrics, "classes": classes, "confusion": scores.confusion.tolist()}
    targets: list[Plain] = [{"name": t.name, "rmse": t.rmse, "mae": t.mae, "r2": t.r2} for t in scores.targets]
    return {"rows": scores.rows, **scores.metrics, "targets": targets}


def next_steps(commands: Mapping[str, str]) -> Group:
    """What to type next: each command under a remark on what it is for."""
    lines = [line for why, command in commands.items() for line in (f"# {why}", command)]
    return Group((Heading("Next", level=2), Listing(tuple(lines))))
