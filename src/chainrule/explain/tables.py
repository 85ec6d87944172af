"""The numbers of a derivation as tables: a layer's units, its products a · δ, and how large each piece is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from chainrule.backends.protocol import Array
from chainrule.document import (
    COUNT,
    Absolute,
    Block,
    Cell,
    Code,
    Column,
    Formula,
    Labeled,
    Number,
    NumberStyle,
    Row,
    Summary,
    Symbol,
    Table,
    equals,
    partial,
    symbol,
)
from chainrule.explain.derivation import ADJOINT, Piece
from chainrule.explain.derived import Derived, extent
from chainrule.explain.equations import is_small, own_part
from chainrule.explain.formulas import Writer
from chainrule.explain.notation import LOSS, at, subscripted
from chainrule.explain.paths import chosen
from chainrule.explain.subject import show_weight
from chainrule.graph import expr as e
from chainrule.graph.expr import Expr
from chainrule.graph.node import Node
from chainrule.graph.rewrite import is_constant

MOST_ROWS: Final = 6  # of a table of products
MOST_COLUMNS: Final = 4
FIVE: Final = NumberStyle("significant", 5)
SIGNED: Final = NumberStyle("significant", 5, signed=True)
THREE: Final = NumberStyle("significant", 3)


# ---- the units of a layer, on one sample ----


def unit_tables(derived: Derived) -> list[Block]:
    """Of one sample alone: for each layer that is meant and has deltas, a row a unit with the factors of its δ."""
    found = [name for name in derived.passed if name.endswith(".z") and derived.layer_of(name) in derived.scope.layers]
    return [_units(derived, name) for name in found if derived.alone and derived.unit_of(name) is None]


def _units(derived: Derived, name: str) -> Labeled:
    """A row a unit: what it computes, the factors of its delta, and their product."""
    piece, delta = derived.piece(name), derived.array(name)[0]
    factors = _factors(piece)
    found = derived.evaluated({str(place): node for place, node in enumerate(factors)})
    labels = derived.labels(name)
    z = derived.derivation.values[name]
    columns = (
        Column(symbol("j"), heading=True),
        Column(derived.book.notation.name(z, labels), style=FIVE),
        *(Column(_head(derived, piece, node), style=FIVE) for node in factors),
        Column(derived.left(name, labels), style=SIGNED),
    )
    shown, rest = chosen([float(value) for value in delta])
    values = [derived.numbers[name][0], *(np.asarray(found[str(p)])[0] for p in range(len(factors))), delta]
    rows = tuple(Row((str(j), *(Number(float(column[j])) for column in values))) for j in shown)
    left = _rest(delta[rest], len(columns)) if rest else None
    table = Table(columns, rows, remainder=left, name=f"units {name}", data={"delta": delta.tolist()})
    return Labeled(Code(derived.layer_of(name)), (table,), name=f"units {derived.layer_of(name)}")


def _factors(piece: Piece) -> list[Node]:
    """What is multiplied element by element, numbers left out; nothing where it is no such product."""
    found: list[Node] = []
    pending = [piece.whole]
    while pending:
        node = pending.pop(0)
        if node.primitive == "multiply" and node not in piece.names:
            pending[:0] = node.inputs
        elif node.primitive == "select" and is_constant(node.inputs[2], 0.0):
            condition, yes, _ = node.inputs
            pending[:0] = [yes, e.cast(Expr(condition), yes.tensor.dtype).node]
        elif node.primitive != "constant":
            found.append(node)
    return found if len(found) > 1 else []


def _head(derived: Derived, piece: Piece, node: Node) -> Formula:
    labels = at(derived.sample, "j")
    return Writer(derived.notation(piece), ["j"]).write(node, labels)


def _rest(values: Array, columns: int) -> Summary:
    """The line for the units that are left out."""
    size = float(np.max(np.abs(values)))
    if size == 0.0:
        said = "the other one is" if len(values) == 1 else f"the other {len(values):,} are"
        return Summary(f"{said} exactly", (*(None,) * (columns - 1), Number(0)))
    return Summary(f"and {len(values):,} more, in size at most", (*(None,) * (columns - 1), Number(size, FIVE)))


# ---- a · δ ----


def product_tables(derived: Derived) -> list[Block]:
    """Of every weight matrix that is meant, the gradient as a table; of one sample alone beside a and δ."""
    names = [name for name in derived.gradients if derived.gradients[name].ndim == 2 and derived.scope.weight is None]
    return [_products(derived, name) for name in names]


def rows_shown(derived: Derived, name: str) -> list[int]:
    """Which rows of a gradient stand in its table: all of a few, else those with the largest."""
    sizes, unit = np.abs(derived.gradients[name]), derived.unit_of(name)
    return _loudest(np.max(sizes, axis=1) if unit is None else sizes[:, unit], MOST_ROWS)


def _products(derived: Derived, name: str) -> Labeled:
    gradient, down = derived.gradients[name], rows_shown(derived, name)
    unit = derived.unit_of(name)
    across = _loudest(np.max(np.abs(gradient), axis=0), MOST_COLUMNS) if unit is None else [unit]
    source, delta = _ends(derived, name)
    columns = (
        Column(symbol("i"), heading=True),
        *((Column(_named(source[0], "i"), style=FIVE),) if source is not None else ()),
        *(Column(*_unit_head(j, delta), style=SIGNED) for j in across),
    )
    rows = tuple(
        Row(
            (
                str(i),
                *((Number(float(source[1][i])),) if source is not None else ()),
                *(Number(float(gradient[i, j])) for j in across),
            )
        )
        for i in down
    )
    whole = gradient if unit is None else gradient[:, unit]
    left = whole.size - len(down) * len(across)
    caption = f"the largest of {whole.size:,}" if left else ""
    data = {"parameter": name, "gradient": gradient.tolist() if whole.size <= MOST_ROWS * MOST_COLUMNS else None}
    table = Table(columns, rows, caption=caption, name=f"products {name}", data=data)
    return Labeled(partial(LOSS, derived.book.symbol_of(name)), (table,), name=f"products {name}")


def _loudest(sizes: Array, most: int) -> list[int]:
    """All of a few places in order, else the largest first."""
    if len(sizes) <= most:
        return list(range(len(sizes)))
    return [int(place) for place in np.argsort(-sizes, kind="stable")[:most]]


def _ends(derived: Derived, name: str) -> tuple[tuple[Symbol, Array] | None, tuple[Symbol, Array] | None]:
    """Of one sample: what the weights multiply and the deltas they lead to, each with its symbol."""
    if not derived.alone:
        return None, None
    reader = derived.derivation.readers(name)[0]
    reads = [each for each in derived.derivation.reads(reader) if each not in derived.subject.parameters]
    delta = derived.book.adjoint_of(reader, derived.loss_symbol)
    if len(reads) != 1 or not isinstance(delta, Symbol):
        return None, None
    source = (derived.book.symbol_of(reads[0]), derived.numbers[reads[0]][0])
    return source, (delta, derived.numbers[ADJOINT + reader][0])


def _named(base: Symbol, letter: str) -> Formula:
    return subscripted(base, at(letter))


def _unit_head(j: int, delta: tuple[Symbol, Array] | None) -> tuple[Formula, Cell]:
    """The column of unit j, under it its delta."""
    head = equals(symbol("j"), Number(j))
    return head, None if delta is None else equals(subscripted(delta[0], at(j)), Number(float(delta[1][j]), THREE))


# ---- sizes ----


def size_table(derived: Derived, names: Sequence[str]) -> list[Block]:
    """How large each piece is whose numbers do not stand in its formula: shape, norm, and largest element."""
    if not names:
        return []
    headers = (None, "shape", Absolute(symbol("v"), norm=True), "largest", "at", "of sample", "exactly 0")
    chosen = [header for header in headers if header != "of sample" or not derived.alone]
    columns = tuple(
        Column(header, heading=place == 0, style={2: FIVE, 3: SIGNED, len(chosen) - 1: COUNT}.get(place))
        for place, header in enumerate(chosen)
    )
    table = Table(columns, tuple(_size_row(derived, name) for name in names), name="sizes")
    return [Labeled("Sizes", (table,), name="sizes")]


def large_names(derived: Derived, names: Sequence[str]) -> list[str]:
    """Those of the pieces that are too large to be written out."""
    return [name for name in names if not is_small(own_part(derived, name))]


def _size_row(derived: Derived, name: str) -> Row:
    part = own_part(derived, name)
    found = extent(part)
    unit = derived.unit_of(name)
    left = derived.left(name, None if unit is None else at(*[None] * (part.ndim), unit))
    shape = " × ".join(map(str, found.shape))
    place = found.place if unit is None else (*found.place, unit)
    where = (
        show_weight("", inner_place(derived, name, place)),
        *(() if derived.alone else (_sample(derived, name, place),)),
    )
    return Row((left, shape, Number(found.norm), Number(found.largest), *where, Number(found.zeros)))


def _sample(derived: Derived, name: str, place: Sequence[int]) -> str:
    """The sample that an element of a value belongs to."""
    return "" if name in derived.subject.parameters else str(derived.subject.rows[place[0]])


def inner_place(derived: Derived, name: str, place: Sequence[int]) -> Sequence[int]:
    """Where an element stands in its parameter, or in what one sample makes of its value."""
    return place if name in derived.subject.parameters else place[1:]


def place_of(derived: Derived, name: str, place: Sequence[int]) -> str:
    """Where an element stands: of a parameter as it is typed, of a value its unit and, of a batch, its sample."""
    own, sample = show_weight("", inner_place(derived, name, place)), _sample(derived, name, place)
    return own if derived.alone or not sample else f"{own}, sample {sample}"
