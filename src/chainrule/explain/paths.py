"""The numbers of a chain as tables: a row a path, then a row a factor down to the weight, and the sizes on the way."""

from __future__ import annotations

import numpy as np
from msgspec.structs import replace

from chainrule.document import (
    Absolute,
    Block,
    Cell,
    Column,
    Content,
    Formula,
    Labeled,
    Number,
    NumberStyle,
    Row,
    Span,
    Summary,
    Table,
    equals,
    partial,
)
from chainrule.explain.chain import Reader, Slope
from chainrule.explain.notation import LOSS, at, subscripted
from chainrule.explain.opened import Factor, Opened, Path
from chainrule.explain.page import K, Words

IN_ORDER = 5  # so many rows are shown as they come; more are shown largest first
MOST_ROWS = 8  # of many; the rest is summed up in one line
FEW_LEFT = 2  # rows that are shown rather than summed up
DEEP = 3  # layers from which the deltas on the way are worth a table
SIX = NumberStyle("significant", 6)
SIGNED = NumberStyle("significant", 6, signed=True)
TWO = NumberStyle("significant", 2)


def chosen(values: list[float]) -> tuple[list[int], list[int]]:
    """Which rows of a sum are shown, and which are left: all of a few in their order, else the largest first."""
    if len(values) <= IN_ORDER:
        return list(range(len(values))), []
    order = sorted(range(len(values)), key=lambda place: -abs(values[place]))
    count = sum(value != 0.0 for value in values)
    count = max(1, count if count <= MOST_ROWS + FEW_LEFT else MOST_ROWS)
    return order[:count], order[count:]


def remainder(values: list[float], columns: int) -> Summary | None:
    """The line that sums up the rows left out."""
    if not values:
        return None
    blank: tuple[Cell, ...] = (None,) * (columns - 1)
    if any(values):
        return Summary(f"and {len(values):,} more, together", (*blank, Number(sum(values), SIGNED)))
    said = "the other one is" if len(values) == 1 else f"the other {len(values):,} are"
    return Summary(f"{said} exactly", (*blank, Number(0)))


def path_table(opened: Opened, words: Words, position: int) -> list[Block]:
    """The paths and their sum; nothing where there is but one way."""
    paths = opened.paths(position)
    if not paths:
        return []
    start = opened.start(position)
    what = words.reached(start.name)
    columns = (
        Column("through", heading=True),
        *(Column(header, second, style=SIX) for header, second in _headers(opened, words, position)),
        Column("product", style=SIGNED),
    )
    shown, rest = chosen([path.value for path in paths])
    value = words.value_symbol(start.name, opened.unit)
    total = Summary(("sum = ", what), (*(None,) * (len(columns) - 1), Number(start.value, SIGNED)))
    return [
        Table(
            columns,
            tuple(_path_row(opened, paths[place], value, len(columns)) for place in shown),
            remainder=remainder([paths[place].value for place in rest], len(columns)),
            total=total,
            name="paths",
            data={"terms": [path.value for path in paths], "sum": start.value},
        )
    ]


def _path_row(opened: Opened, path: Path, value: Formula, columns: int) -> Row:
    """A path, and what it asks for: a value whose adjoint is positive had better be smaller."""
    blank: tuple[Cell, ...] = (None,) * (columns - 2 - len(path.factors))
    name: tuple[Span, ...] = (equals(K, Number(path.k)),)
    if len(opened.route.readers) > 1 and path.reader is not None:
        name = (path.reader.z.rpartition(".")[0], " ", *name)
    wish: Content = ("wants ", value, " smaller" if path.value > 0 else " larger") if path.value else ""
    return Row((name, *blank, *(Number(each) for each in path.factors), Number(path.value)), note=wish)


def _headers(opened: Opened, words: Words, position: int) -> list[tuple[Formula, Formula | None]]:
    """The head of each factor's column, with its formula under it where the symbol alone does not say it."""
    readers = opened.route.readers
    if readers:
        reader = max(readers, key=lambda each: len(opened.factors(each, position)))
        weight = subscripted(opened.subject.symbols[reader.W], at(opened.unit, "k"))
        columns = [_head(words, each, reader) for each in opened.factors(reader, position)]
        if len(columns) > 1:  # the formulas alone say what they are
            columns = [(second or first, None) for first, second in columns]
        return [*columns, (weight, None)]
    assert opened.route.beyond is not None  # paths go through a layer, or through a row
    row = words.value_symbol(opened.route.beyond, "k")
    top = words.value_symbol(opened.route.top, opened.unit)
    outer = words.form(opened.prediction_slope, "k") if opened.route.beyond == "y_hat" else None
    inner = words.form(opened.row_slope, "k") if opened.row_slope else None
    return [(partial(LOSS, row), outer), (partial(row, top), inner)]


def _head(words: Words, factor: Factor, reader: Reader) -> tuple[Formula, Formula | None]:
    symbols = {
        "delta": words.delta_of(reader.z, "k"),
        "loss": partial(LOSS, words.value_symbol("y_hat", "k")),
        "prediction": partial(words.value_symbol("y_hat", "k"), words.value_symbol(reader.z, "k")),
    }
    return symbols[factor.of], words.form(factor.form, "k") if factor.form else None


def steps_table(opened: Opened, words: Words, position: int) -> Table:
    """What the sum is multiplied with, one factor a line, and what has been reached after it."""
    start = opened.start(position)
    rows = [] if opened.paths(position) else [_start_row(opened, words, position)]
    reached = start.value
    for step in reversed(opened.steps(position)):
        slope = opened.slope(step, position)
        reached = opened.delta(position) if step.lower == opened.route.z else reached * slope
        formula = _slope_formula(opened, words, step)
        rows.append(_step("times", formula, Number(slope, SIX), words.reached(step.lower), reached))
    gradient = float(opened.per_sample[position])
    if not opened.is_bias:
        source = Number(opened.source(position), SIX)
        rows.append(_step("times", words.source_symbol(), source, partial(LOSS, words.weight), gradient))
    else:
        rows.append(_step("times", Number(1), None, partial(LOSS, words.weight), gradient))
    return Table((Column(heading=True), *(Column() for _ in range(5))), tuple(rows), name="steps")


def _slope_formula(opened: Opened, words: Words, step: Slope) -> Formula:
    return words.form(opened.formula(step), opened.unit)


def _step(word: str, formula: Cell, factor: Cell, reached: Formula, value: float) -> Row:
    return Row((word, formula, factor, "→", reached, Number(value, SIGNED)))


def _start_row(opened: Opened, words: Words, position: int) -> Row:
    """Where the loss, and no path, gives the first adjoint: ∂L/∂ŷ = ŷ − y."""
    start = opened.start(position)
    is_prediction = start.name == "y_hat" or opened.subject.values[start.name] is opened.subject.y_hat
    formula: Cell = None
    if is_prediction:
        formula = words.form(opened.prediction_slope, opened.unit)
    elif start.name == opened.last_z and opened.last_delta.is_short:
        formula = words.form(opened.last_delta, opened.unit)
    return _step("from", formula, None, words.reached(start.name), start.value)


def way_back(opened: Opened, words: Words, position: int) -> list[Block]:
    """How large the deltas are, layer by layer, on the way from the loss to the weight; for deep networks."""
    norms = delta_norms(opened, position)
    if len(norms) < DEEP:
        return []
    rows: list[Row] = []
    before: float | None = None
    for name, norm in norms.items():
        deltas = opened.values[f"∂ {name}"][position]
        off = int(np.count_nonzero(deltas == 0.0))
        size = Absolute(replace(opened.subject.symbols[name], name="δ"), norm=True)
        change: Cell = None if not before else ("× ", Number(norm / before, TWO))
        dead: Cell = f"{off:,} of {len(deltas):,} exactly 0" if off else None
        rows.append(Row((name.rpartition(".")[0], size, Number(norm, SIX), change, dead)))
        before = norm
    columns = (Column(heading=True), *(Column() for _ in range(4)))
    return [Labeled("The way back", (Table(columns, tuple(rows), name="way back"),))]


def delta_norms(opened: Opened, position: int) -> dict[str, float]:
    """‖δ‖ of one sample by the layer's z, from the last layer back to the weight's."""
    names = [name for name in opened.subject.values if name.endswith(".z")]
    passed = names[names.index(opened.route.z) :]
    return {name: float(np.linalg.norm(np.asarray(opened.values[f"∂ {name}"][position]))) for name in reversed(passed)}
