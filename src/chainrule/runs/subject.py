"""What is explained of a run: its loss as the book writes it, in float64, with the weights of a moment on some rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
import numpy as np
from msgspec.structs import replace

from chainrule.autodiff.reverse import gradients
from chainrule.autodiff.stabilize import stabilize
from chainrule.backends.choose import ONCE, choose
from chainrule.backends.given import NUMPY
from chainrule.data.batches import epoch_order, offsets
from chainrule.data.dataset import Array
from chainrule.document import Symbol, format_number, symbol
from chainrule.document.formula import Accent
from chainrule.explain.subject import Narrow, Subject, UpdateRule
from chainrule.graph import expr as e
from chainrule.graph.node import Graph, Node, make_graph
from chainrule.graph.retype import retype
from chainrule.graph.tensor_type import Shape
from chainrule.nn.optimizers import Optimizer
from chainrule.runs.origin import origin_of
from chainrule.train.prepare import Prepared
from chainrule.train.step import CLOCK, RATE, Graphs, slot_name, step_of

BOOK_NAMES: Final = ("input", "y_hat", "target", "loss_n", "loss")  # outputs of the book that are no layer's values
MARKS: Final[tuple[Accent, ...]] = ("prime", "star", "tilde")
SLOT_SYMBOLS: Final = {"velocity": "v", "m": "m", "v": "v"}


class Moment(msgspec.Struct, frozen=True):
    """The state of a run at one of its steps.

    Attributes:
        state: parameters, slots and constants by name.
        step: updates done.
        said: in words: "step 920".
    """

    state: Mapping[str, Array]
    step: int
    said: str


def subject_of(
    prepared: Prepared, moment: Moment, rows: Sequence[int], parameters: Sequence[str], backend: str
) -> Subject:
    """A run's loss on some rows, ready to be opened at its weights.

    Args:
        prepared: experiment, data and graphs of the run.
        moment: the weights.
        rows: indices in the source, at least one.
        parameters: whose updates and whose gradients in training's own dtype are told beside the explanation.
        backend: what trained it.
    """
    graphs = prepared.graphs
    book = retype(graphs.book, "float64")
    symbols = symbols_of(graphs)
    columns = {name: column[np.asarray(rows)] for name, column in prepared.columns.items()}
    return Subject(
        loss=book["loss"],
        losses=book["loss_n"],
        y_hat=book["y_hat"],
        y=book["target"],
        x=book["input"],
        values={name: node for name, node in book.outputs if name not in BOOK_NAMES},
        parameters={each.name: book.input(each.name) for each in graphs.parameters},
        symbols=symbols,
        facts=dict(book.facts),
        inputs=_inputs(book, {**moment.state, **columns}),
        rows=tuple(int(row) for row in rows),
        targets=tuple(target_in_words(prepared, int(row)) for row in rows),
        context=moment.said,
        parts=tuple(part_of(prepared, int(row)) for row in rows),
        update=_update(prepared, moment, parameters, symbols),
        narrow=_narrow(prepared, moment, rows, parameters, backend),
        targets_are_classes=prepared.dataset.task == "classification",
        origin=origin_of(prepared, rows),
    )


def symbols_of(graphs: Graphs) -> dict[str, Symbol]:
    """The symbol of every parameter and value: "dense_2.z" is z², the second layer that has parameters.

    What a layer without parameters puts out bears the number of the layer before it, and a prime where that layer's
    own activation is another value.
    """
    owners = list(dict.fromkeys(_layer(each.name) for each in graphs.parameters))
    number, found, owner = 0, dict[str, Symbol](), dict[Symbol, Node]()
    for name, node in graphs.book.outputs:
        if name in BOOK_NAMES:
            continue
        layer = _layer(name)
        number = owners.index(layer) + 1 if layer in owners else number
        found[name] = _unlike(symbol(name.rpartition(".")[2], None, number), node, owner)
    for each in graphs.parameters:
        found[each.name] = symbol(each.name.rpartition(".")[2], None, owners.index(_layer(each.name)) + 1)
    return found


def _unlike(base: Symbol, node: Node, owner: dict[Symbol, Node]) -> Symbol:
    """The symbol, marked where another node bears it (a, a′, a*, ã); a node that has one already claims no other."""
    if node in owner.values():
        return base
    marked = (base, *(replace(base, accent=accent) for accent in MARKS))
    free = next((each for each in marked if each not in owner), base)
    owner[free] = node
    return free


def target_in_words(prepared: Prepared, row: int) -> str:
    """The class of a row, or its numbers in their own units."""
    dataset = prepared.dataset
    if dataset.task == "classification":
        return dataset.class_names[int(dataset.y[row])]
    return ", ".join(format_number(float(value)) for value in dataset.y[row])


def part_of(prepared: Prepared, row: int) -> str:
    """The part of the data that a row lies in: "train", "validation" or "test"."""
    parts = {"validation": prepared.split.validation, "test": prepared.split.test}
    return next((name for name, rows in parts.items() if row in rows), "train")


def _layer(name: str) -> str:
    return name.rpartition(".")[0]


def _inputs(graph: Graph, given: Mapping[str, Array]) -> dict[str, Array]:
    """A number for every input of the graph, in the input's own dtype."""
    return {node.label: np.asarray(given[node.label], dtype=NUMPY[node.tensor.dtype]) for node in graph.inputs}


# ---- the update that would follow ----


def _update(
    prepared: Prepared, moment: Moment, parameters: Sequence[str], symbols: Mapping[str, Symbol]
) -> UpdateRule | None:
    """How the optimizer moves the weights of these parameters; None where all are frozen."""
    moved = [name for name in parameters if name in prepared.graphs.trainable]
    if not moved:
        return None
    optimizer = prepared.experiment.optimizer
    slots = {
        name: {slot: np.asarray(moment.state[slot_name(name, slot)], np.float64) for slot in optimizer.slots}
        for name in moved
    }
    return UpdateRule(
        graph=rule_of(optimizer),
        symbols={
            "parameter": symbols[moved[0]] if len(moved) == 1 else symbol("w"),
            "gradient": symbol("g"),
            "rate": symbol("η"),
            "step": symbol("t"),
            **{slot: symbol(SLOT_SYMBOLS[slot]) for slot in optimizer.slots},
        },
        slots=slots,
        rate=optimizer.learning_rate,
        step=moment.step,
        said=said(optimizer),
    )


def rule_of(optimizer: Optimizer, shape: Shape = ()) -> Graph:
    """The optimizer's update of one weight as a graph of scalars, or of many at once, each with its own clock."""
    weight, gradient = (e.variable(name, "float64", shape) for name in ("parameter", "gradient"))
    slots = {slot: e.variable(slot, "float64", shape) for slot in optimizer.slots}
    rate, clock = e.variable("rate", "float64"), e.variable("step", "uint32", shape)
    after, kept = optimizer.update(weight, gradient, slots, rate, clock)
    return make_graph({"parameter": after.node, **{slot: kept[slot].node for slot in optimizer.slots}})


def said(optimizer: Optimizer) -> str:
    """The optimizer in a few words: "SGD with momentum 0.9, η = 0.1"."""
    momentum = getattr(optimizer, "momentum", 0.0)
    kind = " with Nesterov momentum" if getattr(optimizer, "nesterov", False) else " with momentum"
    return f"{type(optimizer).__name__}{f'{kind} {momentum:g}' if momentum else ''}, η = {optimizer.learning_rate:g}"


# ---- gradient and update in the dtype of training ----


def _narrow(
    prepared: Prepared, moment: Moment, rows: Sequence[int], parameters: Sequence[str], backend: str
) -> Narrow | None:
    """The parameters' gradients in float32, and where the update leads; None where training ran in float64.

    They are computed by the backend that trained where training takes these rows next, and so have the bits of that
    step; rows that it does not take so are computed in NumPy.
    """
    if prepared.experiment.dtype != "float32" or not parameters:
        return None
    book, experiment = prepared.graphs.book, prepared.experiment
    safe = stabilize(make_graph({"loss": book["loss"]}, facts=dict(book.facts)))
    read = [name for name in parameters if name in safe.input_names]
    found: dict[str, Node] = dict(zip(read, gradients(safe["loss"], [safe.input(name) for name in read]), strict=True))
    asked = make_graph({f"∂ {name}": node for name, node in found.items()}, safe.inputs, dict(safe.facts))
    moved = {name: node for name, node in found.items() if name in prepared.graphs.trainable}
    graph = step_of(experiment, asked, moved).graph
    clock = {RATE: np.array(experiment.optimizer.learning_rate, np.float32), CLOCK: np.array(moment.step, np.uint32)}
    columns = {name: column[np.asarray(rows)] for name, column in prepared.columns.items()}
    given = {**moment.state, **columns, **clock}
    is_next = _are_next(prepared, moment.step, rows)
    values = choose(backend if is_next else ONCE).evaluate(graph, {name: given[name] for name in graph.input_names})
    return Narrow({name: values[f"∂ {name}"] for name in read}, {name: values[name] for name in moved}, is_next)


def _are_next(prepared: Prepared, step: int, rows: Sequence[int]) -> bool:
    """Whether training takes these rows, in this order, after so many updates."""
    experiment = prepared.experiment
    cuts = offsets(len(prepared.rows), experiment.batch_size)
    epoch, batch = divmod(step, len(cuts) - 1)
    first, last = cuts[batch], cuts[batch + 1]
    if len(rows) != last - first:
        return False
    order = epoch_order(prepared.rows, experiment.seed, epoch, experiment.shuffle)
    return np.array_equal(order[first:last], rows)
