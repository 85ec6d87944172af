"""The section on right and wrong: which class is taken for which, or how far numbers are off."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from chainrule.document import (
    Block,
    Figure,
    Group,
    Heading,
    Heatmap,
    Paragraph,
    Series,
)
from chainrule.document.axes import round_edges
from chainrule.document.numbers import MOST_DIGITS, short
from chainrule.errors.counts import counted, verb_of
from chainrule.report.material import Material, source
from chainrule.train.evaluate import Classified
from chainrule.train.scores import scores_table

MOST_CLASSES: Final = 20  # of a map: more have no room for their counts
MOST_POINTS: Final = 300  # of a chart: more hide one another
FEWEST_POINTS: Final = 3  # fewer have no distribution
WORST: Final = 8  # that are among them in any case
MOST_TARGETS: Final = 4  # with charts of their own
BINS: Final = 15

Floats = npt.NDArray[np.float64]


def outcome(material: Material) -> list[Block]:
    """A map of which class was called what, or residuals, with the scores; and where they come from."""
    if isinstance(material.scores, Classified):
        blocks = _classes(material, material.scores)
    else:
        blocks = [Heading("Residuals"), scores_table(material.scores), *_residuals(material)]
    where = f"the predictions of the network after step {material.run.step:,} for the {material.part}"
    return [*blocks, source(where)]


# ---- classes ----


def _classes(material: Material, scores: Classified) -> list[Block]:
    table = scores.confusion
    shown = _most_mistaken(table)
    names = material.run.record.class_names
    counts = tuple(tuple(int(table[i, j]) for j in shown) for i in shown)
    heatmap = Heatmap(
        tuple(names[place] for place in shown),
        counts,
        _mistakes(table, names, len(shown)),
        title="Confusion",
        row_label="rows: the class",
        column_label="columns: what it was called",
        name="confusion",
    )
    return [Heading("Right and wrong"), heatmap, scores_table(scores)]


def _most_mistaken(table: npt.NDArray[np.int64]) -> list[int]:
    """The classes that take part in most mistakes, in their own order; all of them where there are few."""
    if len(table) <= MOST_CLASSES:
        return list(range(len(table)))
    wrong = table - np.diag(np.diag(table))
    mistakes = wrong.sum(axis=0) + wrong.sum(axis=1)
    return sorted(int(place) for place in np.argsort(-mistakes, kind="stable")[:MOST_CLASSES])


def _mistakes(table: npt.NDArray[np.int64], names: Sequence[str], shown: int) -> str:
    """How many are right, and which mistake is the most frequent."""
    right, rows = int(np.trace(table)), int(table.sum())
    wrong = table - np.diag(np.diag(table))
    said = f"{right:,} of {counted(rows, 'row')} {verb_of(right, 'is', 'are')} right."
    if wrong.any():
        i, j = (int(place) for place in np.unravel_index(int(wrong.argmax()), wrong.shape))
        count = int(wrong[i, j])
        times = "once" if count == 1 else f"{count:,} times"
        said += f" The most frequent mistake: {names[i]} is called {names[j]}, {times}."
    if shown < len(table):
        said += f" Shown are the {shown} of {len(table):,} classes with most mistakes."
    return said


# ---- numbers ----


def _residuals(material: Material) -> Iterator[Block]:
    """Of each target its predictions against the truth, and how its residuals are distributed."""
    names = material.run.record.target_names
    if len(material.rows) < FEWEST_POINTS:
        return
    for place, name in enumerate(names[:MOST_TARGETS]):
        truth = material.target[:, place].astype(np.float64)
        residual = material.said[:, place] - truth
        title = f" of {name}" if len(names) > 1 else ""
        mark = f"-{place}" if len(names) > 1 else ""
        yield Group(
            (_against(name, title, mark, truth, residual), _spread(title, mark, residual)), name=f"residuals{mark}"
        )
    if len(names) > MOST_TARGETS:
        yield Paragraph(f"Charts are drawn of the first {MOST_TARGETS} of {len(names)} targets.")


def _against(name: str, title: str, mark: str, truth: Floats, residual: Floats) -> Figure:
    """Residuals against predictions: a good model leaves no shape in them."""
    rows = _some(residual)
    said = truth + residual
    mean, spread = float(residual.mean()), float(residual.std())
    sentence = f"Predicted minus true{title}: mean {short(mean, 3)}, standard deviation {short(spread, 3)}."
    if len(rows) < len(residual):
        sentence += f" {len(rows):,} of {len(residual):,} rows are drawn, evenly chosen, with the {WORST} worst."
    points = Series("residual", tuple(said[rows].tolist()), tuple(residual[rows].tolist()))
    return Figure(
        "scatter", (points,), sentence, title=f"Residuals{title}", x_label=f"predicted {name}",
        y_label="predicted − true", name=f"residuals-points{mark}",
    )  # fmt: skip


def _some(residual: Floats) -> npt.NDArray[np.int64]:
    """Rows evenly chosen, and the worst."""
    if len(residual) <= MOST_POINTS:
        return np.arange(len(residual))
    even = np.linspace(0, len(residual) - 1, MOST_POINTS - WORST).round().astype(np.int64)
    worst = np.argsort(-np.abs(residual), kind="stable")[:WORST]
    return np.unique(np.concatenate((even, worst)))


def _spread(title: str, mark: str, residual: Floats) -> Figure:
    """How many residuals lie where."""
    edges = round_edges(float(residual.min()), float(residual.max()), min(BINS, max(len(residual), 2)))
    counts, _ = np.histogram(residual, bins=edges)
    names = tuple(f"{a} to {b}" for a, b in itertools.pairwise(short(edge, MOST_DIGITS) for edge in edges))
    bars = Series("rows", tuple(range(len(names))), tuple(int(count) for count in counts))
    within = float((np.abs(residual - residual.mean()) <= residual.std()).mean())
    sentence = f"{within:.0%} of the residuals{title} lie within one standard deviation of their mean."
    return Figure(
        "bar", (bars,), sentence, title=f"Rows by residual{title}", categories=names, name=f"residuals-spread{mark}"
    )
