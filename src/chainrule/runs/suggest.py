"""What is worth looking at first in a run: a sample it gets wrong, a weight that this sample moves."""

from __future__ import annotations

import numpy as np

from chainrule.autodiff.reverse import gradients
from chainrule.autodiff.stabilize import stabilize
from chainrule.backends.choose import ONCE, choose
from chainrule.explain.subject import show_weight
from chainrule.graph.node import make_graph
from chainrule.runs.run import Run
from chainrule.train.evaluate import predict
from chainrule.train.step import X, Y


def telling_sample(run: Run) -> tuple[int, str]:
    """A held-out row that the run gets wrong, or of numbers the one furthest off, and what is wrong in words.

    Where every row is right it is the first of them; where none is held out, the rows are those of the training.
    """
    prepared, record = run.prepared, run.record
    rows = prepared.split.test if len(prepared.split.test) else prepared.split.train
    said = predict(run.graphs, run.checkpoint.state, prepared.columns[X][rows])["prediction"]
    target = prepared.columns[Y][rows]
    if record.task == "classification":
        place = int((said != target).argmax())
        is_a, taken_for = (record.class_names[int(each[place])] for each in (target, said))
        wrong = f"sample {rows[place]} is {is_a} and was taken for {taken_for}"
        return int(rows[place]), wrong if is_a != taken_for else f"sample {rows[place]} is {is_a}, as predicted"
    off = np.abs(said - target.astype(np.float64)).max(axis=1)
    place = int(off.argmax())
    return int(rows[place]), f"sample {rows[place]} is furthest off"


def loudest_weight(run: Run, sample: int) -> str:
    """The weight of the first trained layer that this sample moves most, as a person writes it."""
    parameter = run.graphs.trainable[0]
    book = run.graphs.book
    safe = stabilize(make_graph({"loss": book["loss"]}, facts=dict(book.facts)))
    graph = make_graph({"gradient": gradients(safe["loss"], [safe.input(parameter)])[0]})
    given = {**run.checkpoint.state, **{name: column[[sample]] for name, column in run.prepared.columns.items()}}
    inputs = {name: given[name] for name in graph.input_names}
    found = np.abs(choose(ONCE).evaluate(graph, inputs)["gradient"])
    return show_weight(parameter, [int(place) for place in np.unravel_index(int(found.argmax()), found.shape)])
