"""What the sections of a report share: a run, the rows that are looked at, and what the network says of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from chainrule.autodiff.stabilize import stabilize
from chainrule.autodiff.tidy import tidy
from chainrule.backends.choose import ONCE, choose
from chainrule.data.splits import Rows
from chainrule.document import Code, Content, Paragraph
from chainrule.errors.counts import counted
from chainrule.graph.node import make_graph
from chainrule.runs.run import Run
from chainrule.train.data_record import Array
from chainrule.train.evaluate import Scores, evaluate, predict
from chainrule.train.step import X, Y

ROWS_AT_ONCE: Final = 1024  # so that a large data set does not fill the memory with activations


@dataclass(frozen=True, eq=False)
class Material:
    """A run and what its network says of the rows that were held out, or of the training rows where none were.

    Attributes:
        run: what is told.
        rows: indices in the source, (n,).
        held_out: whether these rows were kept from training.
        losses: of each row, float64 (n,).
        y_hat: what the last layer says, (n, k).
        said: the label or the targets that are predicted, (n,) or (n, k).
        target: the label or the targets as they are, (n,) or (n, k).
        scores: of these rows.
    """

    run: Run
    rows: Rows
    held_out: bool
    losses: npt.NDArray[np.float64]
    y_hat: Array
    said: Array
    target: Array
    scores: Scores

    @property
    def part(self) -> str:
        """These rows in words."""
        return counted(len(self.rows), "held-out row" if self.held_out else "training row")

    @property
    def is_classification(self) -> bool:
        """Whether classes are predicted, not numbers."""
        return self.run.record.task == "classification"


def gather(run: Run) -> Material:
    """Ask the network about the rows that are looked at.

    Raises: DataError when the data changed or cannot be found again; NonFiniteError when the network's outputs are not
        numbers.
    """
    prepared, state = run.prepared, run.checkpoint.state
    held_out = len(prepared.split.test) > 0
    rows = prepared.split.test if held_out else prepared.split.train
    said = predict(run.graphs, state, prepared.columns[X][rows])
    return Material(
        run=run,
        rows=rows,
        held_out=held_out,
        losses=_losses(run, rows),
        y_hat=said["y_hat"],
        said=said["prediction"],
        target=prepared.columns[Y][rows],
        scores=evaluate(run.graphs, run.record, state, prepared.columns, rows),
    )


def source(*said: str | Code) -> Paragraph:
    """The line that says where the numbers of a section come from."""
    content: Content = ("Source: ", *said, ".")
    return Paragraph(content, name="source")


def _losses(run: Run, rows: Rows) -> npt.NDArray[np.float64]:
    """The loss of each row, as an output of the graph that trains."""
    book = run.graphs.book
    graph = tidy(stabilize(make_graph({"loss_n": book["loss_n"]}, facts=dict(book.facts))))
    runner, columns = choose(ONCE), run.prepared.columns
    given = {name: run.checkpoint.state[name] for name in graph.input_names if name not in columns}
    parts = [
        runner.evaluate(
            graph, {**given, **{name: columns[name][part] for name in graph.input_names if name in columns}}
        )
        for part in (rows[start : start + ROWS_AT_ONCE] for start in range(0, len(rows), ROWS_AT_ONCE))
    ]
    return np.concatenate([part["loss_n"] for part in parts]).astype(np.float64)
