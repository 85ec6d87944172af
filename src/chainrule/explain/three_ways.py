"""The three ways to change one activation: its weights, its bias, and the activations that it reads."""

from __future__ import annotations

import numpy as np

from chainrule.document import (
    Block,
    Column,
    Labeled,
    Number,
    NumberStyle,
    Paragraph,
    Plain,
    Row,
    Span,
    Summary,
    Table,
    juxtaposed,
    negative,
    symbol,
)
from chainrule.explain.chain import Way, route_of
from chainrule.explain.notation import at, subscripted
from chainrule.explain.nudges import Floats, parse_unit
from chainrule.explain.numbers import evaluate
from chainrule.explain.paths import chosen
from chainrule.explain.subject import Subject

OFF = "; but its slope is 0 on every sample of the batch, so none of the three moves it"
SIX = NumberStyle("significant", 4)
SIGNED = NumberStyle("significant", 4, signed=True)


def three_ways(subject: Subject, way: Way, unit: str) -> tuple[Block, ...]:
    """How a sample may have more or less of a unit's activation; the sample of the batch with the largest |δ|.

    Its weights are nudged in proportion to what they multiply, −δ a; its bias by −δ; and the activations it reads in
    proportion to the weights, −δ W, which is passed on to the layer before.

    Raises: UnknownNameError, ShapeError for a unit that does not exist.
    """
    layer, k = parse_unit(unit, subject)
    route = route_of(subject, way, f"{layer}.W")
    source = route.source
    assert source is not None  # a layer's W multiplies what the layer reads
    asked = {"δ": way.adjoint(route.z), "a": source, "W": way.nodes[f"{layer}.W"], "top": way.adjoint(route.top)}
    found = {name: np.asarray(value, np.float64) for name, value in evaluate(asked, subject.inputs).items()}
    deltas, wishes = np.abs(found["δ"][:, k]), np.abs(found["top"][:, k])
    place = int(np.argmax(deltas if np.any(deltas > 0.0) else wishes))
    delta, wish = float(found["δ"][place, k]), -float(found["top"][place, k])
    weights, reads = found["W"][:, k], found["a"][place]
    table = _table(layer, k, delta, weights, reads, is_data=source not in way.adjoints)
    more = "nothing" if wish == 0.0 else "more" if wish > 0.0 else "less"
    sample = f"sample {subject.rows[place]} ({subject.targets[place]})"
    bias: tuple[Span, ...] = (
        ("; its bias is nudged by −δ = ", Number(-delta, SIGNED)) if f"{layer}.b" in way.nodes else ()
    )
    off: tuple[Span, ...] = (OFF,) if delta == 0.0 and wish != 0.0 else bias
    said: tuple[Span, ...] = (f"{sample} wants {more} of {layer}[{k}], ", Number(wish, SIGNED), *off)
    data: dict[str, Plain] = {
        "unit": f"{layer}[{k}]", "sample": subject.rows[place], "wish": wish, "delta": delta,
        "weights": (-delta * reads).tolist(), "bias": -delta if f"{layer}.b" in way.nodes else None,
        "inputs": None if source not in way.adjoints else (-delta * weights).tolist(),
    }  # fmt: skip
    blocks = (Paragraph(said), table) if delta != 0.0 else (Paragraph(said),)
    return (Labeled("Three ways", blocks, name="three ways", data=data),)


def _table(layer: str, k: int, delta: float, weights: Floats, reads: Floats, *, is_data: bool) -> Table:
    """A row an input, the largest nudges first; of data only the weights can change."""
    d, a, w = symbol("δ"), subscripted(symbol("a"), at("i")), subscripted(symbol("W"), at("i", k))
    by_weight, by_input = -delta * reads, -delta * weights
    columns = (
        Column("input", symbol("i"), heading=True),
        Column("reads", a, style=SIX),
        Column("weight", w, style=SIX),
        Column("weight's nudge", negative(juxtaposed(d, a)), style=SIGNED),
        *(() if is_data else (Column("input's nudge", negative(juxtaposed(d, w)), style=SIGNED),)),
    )
    shown, rest = chosen([float(value) for value in (by_weight if is_data else np.hypot(by_weight, by_input))])
    rows = tuple(Row((str(i), *_cells(i, reads, weights, by_weight, by_input, is_data))) for i in shown)
    left = None
    if rest:
        sums = (Number(float(np.sum(by_weight[rest])), SIGNED), Number(float(np.sum(by_input[rest])), SIGNED))
        left = Summary(f"and {len(rest):,} more, together", (None, None, None, *(sums[:1] if is_data else sums)))
    return Table(columns, rows, remainder=left, name="ways", data={"layer": layer, "unit": k})


def _cells(
    i: int, reads: Floats, weights: Floats, by_weight: Floats, by_input: Floats, is_data: bool
) -> tuple[Number, ...]:
    values = (reads[i], weights[i], by_weight[i], *(() if is_data else (by_input[i],)))
    return tuple(Number(float(value)) for value in values)
