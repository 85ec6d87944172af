"""What is worth looking at first in a run: a sample it gets wrong, a weight that this sample moves."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from chainrule.autodiff.reverse import gradients
from chainrule.autodiff.stabilize import stabilize
from chainrule.backends.choose import ONCE, choose
from chainrule.explain.subject import show_weight
from chainrule.graph.node import make_graph
from chainrule.runs.run import Run
from chainrule.train.data_record import Array
from chainrule.train.evaluate import predict
from chainrule.train.step import X, Y


def telling_sample(run: Run) -> tuple[int, str]:
    """A held-out row that the run gets wrong, or of numbers the one furthest off, and what is wrong in words.

    Where every row is right it is the one whose class is said least surely; where none is held out, the rows are those
    of the training.
    """
    prepared, record = run.prepared, run.record
    rows = prepared.split.test if len(prepared.split.test) else prepared.split.train
    found = predict(run.graphs, run.checkpoint.state, prepared.columns[X][rows])
    said, target = found["prediction"], prepared.columns[Y][rows]
    if record.task == "classification":
        wrong = said != target
        place = int(wrong.argmax() if wrong.any() else sureness(found["y_hat"], said).argmin())
        is_a, taken_for = (record.class_names[int(each[place])] for each in (target, said))
        mistake = f"sample {rows[place]} is {is_a} and was taken for {taken_for}"
        right = f"sample {rows[place]} is {is_a}, as predicted, if least surely of {len(rows):,}"
        return int(rows[place]), mistake if wrong[place] else right
    off = np.abs(said - target.astype(np.float64)).max(axis=1)
    place = int(off.argmax())
    return int(rows[place]), f"sample {rows[place]} is furthest off"


def sureness(y_hat: Array, said: Array) -> npt.NDArray[np.float64]:
    """How large the output of the class is that was said; of one output, how large that of its side is. Shape (n,)."""
    outputs = y_hat.astype(np.float64)
    if outputs.shape[1] == 1:
        return np.where(said == 1, outputs[:, 0], 1 - outputs[:, 0])
    return outputs[np.arange(len(outputs)), said]


def loudest_weight(run: Run, sample: int) -> str:
    """The weight with the largest gradient on this sample, as a person writes it.

    It is one of the first trained parameter; of a later one where that has no gradient there but 0.
    """
    trained, book = run.graphs.trainable, run.graphs.book
    safe = stabilize(make_graph({"loss": book["loss"]}, facts=dict(book.facts)))
    graph = make_graph(dict(zip(trained, gradients(safe["loss"], [safe.input(name) for name in trained]), strict=True)))
    given = {**run.checkpoint.state, **{name: column[[sample]] for name, column in run.prepared.columns.items()}}
    found = choose(ONCE).evaluate(graph, {name: given[name] for name in graph.input_names})
    parameter = next((name for name in trained if found[name].any()), trained[0])
    sizes = np.abs(found[parameter])
    return show_weight(parameter, [int(place) for place in np.unravel_index(int(sizes.argmax()), sizes.shape)])
