"""Sets a derivation on a page: formulas at the depth asked for, numbers, the update, evidence, facts, a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from chainrule.document import (
    Block,
    Document,
    Equation,
    Equations,
    Labeled,
    Number,
    NumberStyle,
    Paragraph,
    Plain,
    Span,
    Sum,
    equals,
    relation,
    render_katex,
    symbol,
)
from chainrule.document.signs import with_signs
from chainrule.errors.counts import counted
from chainrule.explain.alike import LAYER
from chainrule.explain.derivation import Piece
from chainrule.explain.derived import Derived, extent
from chainrule.explain.equations import (
    Passage,
    back_blocks,
    deltas_block,
    forward_blocks,
    lines,
    own_part,
    passages,
    repeated_names,
)
from chainrule.explain.evidence import Slope, slope_blocks, slope_of, witness_data
from chainrule.explain.formulas import Writer
from chainrule.explain.moves import move_blocks
from chainrule.explain.narrow import weights_block
from chainrule.explain.notation import at
from chainrule.explain.origin import multiplied_inputs, origin_block
from chainrule.explain.saying import sentences
from chainrule.explain.scalars import WEIGHTS, forward_scalars, prediction_block, weight_blocks, weights_meant
from chainrule.explain.scope import Depth, Scope, Weight, layers_of, units_of
from chainrule.explain.steps import steps_block
from chainrule.explain.subject import Subject
from chainrule.explain.tables import (
    MOST_ROWS,
    large_names,
    place_of,
    product_tables,
    rows_shown,
    size_table,
    unit_tables,
)
from chainrule.graph.facts import Fact
from chainrule.graph.node import Node

IN_WORDS: Final[dict[Depth, str]] = {
    "scalar": "weight by weight",
    "layer": "element by element",
    "matrix": "in matrices",
}
MOST_VALUES: Final = 64  # numbers of a piece that are handed to programs one by one
NINE: Final = NumberStyle("significant", 9)
K: Final = symbol("k")


def derive(subject: Subject, scope: Scope, depth: Depth, *, alone: bool) -> Document:
    """A network, a layer, a unit or a weight, derived on a batch.

    Args:
        subject: the loss on the batch.
        scope: what is derived.
        depth: "scalar", an equation a weight; "layer", for one element with letters; "matrix", whole.
        alone: whether a single sample was asked for, rather than a batch that may have one.
    """
    derived = Derived(subject, scope, alone=alone)
    weights = [scope.weight] if scope.weight is not None else weights_meant(derived)[0]
    slope = slope_of(derived) if derived.gradients else None
    shown = _told(derived)
    blocks: tuple[Block, ...] = (
        derived.book.network(),
        _loss(derived),
        *_origin(derived, depth, weights),
        *_formulas(derived, depth),
        *steps_block(derived, shown),
        *(move_blocks(derived, weights) if derived.gradients else []),
        *(slope_blocks(derived, slope) if slope is not None else []),
        *weights_block(derived),
        Labeled("Facts used", (Paragraph(_facts(derived, shown)),), name="facts"),
        *_reading(sentences(derived)),
    )
    rows = subject.sample_in_words(0) if alone else counted(len(subject.rows), "sample")
    return with_signs(
        Document(
            scope.name,
            blocks,
            subtitle=f"{_place(subject, scope)}, {IN_WORDS[depth]}",
            context=f"{subject.context} · {rows}",
            name="derivation",
            data=_data(derived, depth, slope, blocks),
        )
    )


def _loss(derived: Derived) -> Block:
    value = float(derived.numbers["loss"])
    return derived.book.loss(value) if derived.alone else derived.book.mean_loss(value)


def _origin(derived: Derived, depth: Depth, weights: Sequence[Weight]) -> list[Labeled]:
    """What the inputs that are named are in the data: all of a few, else those in tables and of weights."""
    subject, way = derived.subject, derived.way
    reading = [name for name in derived.gradients if multiplied_inputs(subject, way, name) is not None]
    if derived.scope.weight is None:
        whole = [name for name in reading if depth == "layer" or len(derived.gradients[name]) <= MOST_ROWS]
        weights = [*weights, *((name, (i, 0)) for name in whole for i in rows_shown(derived, name))]
    position = 0 if derived.alone else None
    return origin_block(subject, way, weights, book=derived.book, position=position)


def _formulas(derived: Derived, depth: Depth) -> list[Block]:
    """The equations at one depth, and the numbers that are not in them."""
    match depth:
        case "scalar":
            if not derived.gradients:
                return [*forward_scalars(derived), *prediction_block(derived), *back_blocks(derived, whole=False)]
            deltas = deltas_block(derived, {name.rpartition(".")[0] for name, _ in weights_meant(derived)[0]})
            return [*forward_scalars(derived), *prediction_block(derived), *deltas, *weight_blocks(derived)]
        case "layer":
            formulas = [*forward_blocks(derived, whole=False), *back_blocks(derived, whole=False)]
            sizes = size_table(derived, repeated_names(derived))
            return [*formulas, *sizes, *unit_tables(derived), *product_tables(derived), *_entry(derived)]
        case "matrix":
            formulas = [*forward_blocks(derived, whole=True), *back_blocks(derived, whole=True)]
            sizes = size_table(derived, large_names(derived, [line.name for line in lines(derived, whole=True)]))
            return [*formulas, *sizes, *_entry(derived)]


def _entry(derived: Derived) -> list[Block]:
    """The one weight that is meant, as an entry of its gradient."""
    if derived.scope.weight is None:
        return []
    name, index = derived.scope.weight
    labels, gradient = at(*index), float(derived.gradients[name][index])
    line = equals(derived.left(name, labels), derived.written(derived.piece(name), labels), Number(gradient, NINE))
    return [Labeled("The entry", (Equations((Equation(line),)),), name="entry", data={"gradient": gradient})]


def _told(derived: Derived) -> list[str]:
    """The pieces whose simplification is told: what is passed, and the first gradient, as the others go alike."""
    return [*derived.passed, *list(derived.gradients)[:1]]


# ---- words ----


def _place(subject: Subject, scope: Scope) -> str:
    """What is meant, in words."""
    layers = layers_of(subject)
    match scope.kind:
        case "network":
            widths = [str(units_of(layer, subject)) for layer in layers if f"{layer}.z" in subject.values]
            features = subject.x.tensor.shape[1:]
            count = _weights(_count(subject, scope))
            return f"{'-'.join(['×'.join(map(str, features)), *widths])}, {count}"
        case "layer":
            place = f"layer {layers.index(scope.layers[0]) + 1} of {len(layers)}"
            units = units_of(scope.layers[0], subject)
            return f"{place}, {counted(units, 'unit')}, {_weights(_count(subject, scope))}"
        case "unit":
            return f"unit {scope.unit} of {scope.layers[0]}, {_weights(_count(subject, scope))}"
        case _:
            parameter = scope.parameters[0]
            return f"one {'bias' if parameter.endswith('.b') else 'weight'} of {parameter}"


def _count(subject: Subject, scope: Scope) -> int:
    total = 0
    for name in scope.parameters:
        dims = [dim for dim in subject.parameters[name].tensor.shape if isinstance(dim, int)]
        size = 1
        for dim in dims if scope.unit is None else dims[:-1]:
            size *= dim
        total += size
    return total


def _weights(count: int) -> str:
    if count == 0:
        return "no weights"
    return "1 weight" if count == 1 else f"{count:,} weights and biases"


def _facts(derived: Derived, names: list[str]) -> tuple[Span, ...]:
    """What had to be known of the data, each fact once."""
    told: set[tuple[Fact, str]] = set()
    spans: list[Span] = []
    for piece, fact, node in _used(derived, names):
        key = fact, piece.names.get(node, node.label)
        spans += [] if key in told else ["; " if spans else "", *_fact(derived, piece, fact, node)]
        told.add(key)
    return tuple(each for each in spans if each) or ("none",)


def _used(derived: Derived, names: list[str]) -> list[tuple[Piece, Fact, Node]]:
    return [(piece, fact, node) for name in names for piece in [derived.piece(name)] for fact, node in piece.facts]


def _fact(derived: Derived, piece: Piece, fact: Fact, node: Node) -> list[Span]:
    """The fact as a formula where it is one of every row of y, as "Σₖ yₖ = 1"."""
    written = Writer(derived.notation(piece), ["k"]).write(node, at(None, "k") if node.tensor.rank == 2 else None)
    if fact is Fact.ROWS_SUM_TO_ONE:
        return [equals(Sum(written, K), Number(1))]
    return [relation(written, ">", Number(0))] if fact is Fact.POSITIVE else [written, f" is {fact}"]


def _reading(said: tuple[Span, ...]) -> list[Block]:
    return [Labeled("Read on", (Paragraph(said),), name="reading")] if said else []


# ---- the same for programs ----


def _data(derived: Derived, depth: Depth, slope: Slope | None, blocks: Sequence[Block]) -> dict[str, Plain]:
    """Numbers by name; the weights of scalar depth are handed on from the blocks that show them."""
    subject = derived.subject
    chains = [each for block in blocks if block.name.startswith(WEIGHTS) for each in _listed(block)]
    told = passages(derived, whole=depth == "matrix")
    facts = sorted({str(fact) for _, fact, _ in _used(derived, _told(derived))})
    return {
        "of": derived.scope.name,
        "kind": derived.scope.kind,
        "depth": depth,
        "moment": subject.context,
        "rows": list(subject.rows),
        "targets": list(subject.targets),
        "parts": list(subject.parts),
        "loss": float(derived.numbers["loss"]),
        "equations": [
            _equation_data(derived, passage, place) for passage in told for place in range(len(passage.lines))
        ],
        "repeated": [_repeated_data(passage) for passage in told if passage.is_repeated],
        "weights": chains,
        "facts": list(facts),
        "slope": None if slope is None else slope.claimed,
        "witnesses": [] if slope is None else witness_data(slope.witnesses),
        "update": [each for block in blocks if block.name == "update" and block.data for each in _listed(block)],
    }


def _listed(block: Block) -> Sequence[Plain]:
    found = block.data["weights"]
    return found if isinstance(found, list) else []


def _equation_data(derived: Derived, passage: Passage, position: int) -> dict[str, Plain]:
    line = passage.lines[position]
    part = own_part(derived, line.name)
    found, unit = extent(part), derived.unit_of(line.name)
    whole = found.place if unit is None else (*found.place, unit)
    return {
        "number": passage.place(position),
        "of": line.name,
        "latex": render_katex(line.formula),
        "shape": list(found.shape),
        "norm": found.norm,
        "largest": {"value": found.largest, "at": place_of(derived, line.name, whole)},
        "zeros": found.zeros,
        "values": part.tolist() if part.size <= MOST_VALUES else None,
    }


def _repeated_data(passage: Passage) -> dict[str, Plain]:
    """Equations that are written once: for which layers, in letters, and for which values of l."""
    formulas = enumerate(passage.stretch.formulas, start=passage.first)
    return {
        "layers": list(passage.stretch.layers),
        "index": LAYER.name,
        "numbers": list(passage.stretch.numbers),
        "beginning": [render_katex(each) for each in passage.stretch.beginning],
        "equations": [{"number": number, "latex": render_katex(formula)} for number, formula in formulas],
    }
