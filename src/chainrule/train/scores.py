"""What people and programs read of scores: a table of classes or targets, and the scores that are one number."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

import numpy as np

from chainrule.document import (
    COUNT,
    Column,
    Content,
    Document,
    Number,
    NumberStyle,
    Paragraph,
    Plain,
    Row,
    Strong,
    Table,
)
from chainrule.document.numbers import short
from chainrule.errors.counts import counted
from chainrule.train.evaluate import Classified, ClassScore, Regressed, Scores

SHARE: Final = NumberStyle("percent", 1)
MOST_CLASSES: Final = 20  # rows of the table of classes; of more, the worst


def scores_document(scores: Scores) -> Document:
    """The scores by themselves, as they show themselves."""
    blocks = (scores_table(scores), scores_block(scores, weighted=_are_weighted(scores)))
    rows = f"on {counted(scores.rows, 'row')}"
    return Document("Scores", blocks, subtitle=rows, name="scores", data=scores_data(scores))


def _are_weighted(scores: Scores) -> bool:
    """Whether the accuracy is another share than that of the rows that are right."""
    if not isinstance(scores, Classified):
        return False
    return round(scores.accuracy * scores.rows) != int(np.trace(scores.confusion))


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
        of = "" if weighted else f" ({right:,} of {rows:,} right)"
        return (share, f"{of}, loss {short(metrics['loss'])} nats")
    if math.isnan(metrics["r2"]):  # of targets that are all the same
        return f"typical error (RMSE) {short(metrics['rmse'])}, mean absolute error {short(metrics['mae'])}"
    return (
        Strong(f"R² {metrics['r2']:.4f}"),
        f", typical error (RMSE) {short(metrics['rmse'])}, mean absolute error {short(metrics['mae'])}",
    )


def _class_table(scores: Classified) -> Table:
    shown = scores.classes
    caption = ""
    if len(shown) > MOST_CLASSES:
        shown = tuple(sorted(shown, key=lambda each: -1.0 if math.isnan(each.f1) else each.f1)[:MOST_CLASSES])
        caption = f"the {MOST_CLASSES} of {len(scores.classes):,} classes with the smallest F1"
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
