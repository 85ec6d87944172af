"""Rows of a matrix turned into a panel: what a product with a transposed weight reads, sixteen columns at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from chainrule.backends.native.indices import number, times
from chainrule.backends.native.ir import HELD, Builder, Type, Value
from chainrule.backends.native.layout import LANES

if TYPE_CHECKING:
    from chainrule.backends.native.body import Body
    from chainrule.backends.native.tiles import Form


def turn_panel(body: Body, form: Form, panel: Value, scratch: Value) -> None:
    """Write sixteen rows of the right operand as columns: scratch[k, lane] = right[16 panel + lane, k]."""
    b = body.b
    layout = body.plan.layout(form.right)
    element = HELD[form.right.tensor.dtype]
    stride = body.parameters.number(layout.panel_stride, "right panel")
    start = b.at(body.pointer(form.right), times(b, panel, LANES * LANES), element)
    lanes = min(body.b.module.isa.lanes(form.right.tensor.dtype), LANES)

    def block(group: Value, _: tuple[Value, ...]) -> Sequence[Value]:
        source = b.at(start, times(b, group, stride), element)
        target = b.at(scratch, times(b, group, LANES * LANES), element)
        for row in range(0, LANES, lanes):
            for column in range(0, LANES, lanes):
                corner = b.at(source, row * LANES + column, element)
                for i, value in enumerate(turned(b, _halves(b, corner, element, lanes))):
                    b.store(value, b.at(target, (column + i) * LANES + row, element))
        return ()

    b.loop(number(0), body.parameters.panels(form.depth, "turned depth"), 1, (), block)


def _halves(b: Builder, corner: Value, element: Type, lanes: int) -> list[Value]:
    """A square whose quarters beside the diagonal were exchanged while they were read, which costs nothing."""
    half = lanes // 2

    def quarter(row: int, column: int) -> Value:
        return b.load(element.of(half), b.at(corner, row * LANES + column, element))

    return [b.joined(quarter(i, column), quarter(i + half, column)) for column in (0, half) for i in range(half)]


def turned(b: Builder, rows: Sequence[Value]) -> list[Value]:
    """A square of vectors transposed but for its quarters: blocks of 1, 2, … are exchanged across the diagonal."""
    result = list(rows)
    lanes = len(result)
    distance = 1
    while distance < lanes // 2:
        for i in range(lanes):
            if i & distance:
                continue
            x, y = result[i], result[i + distance]
            upper = [lane if not lane & distance else lanes + lane - distance for lane in range(lanes)]
            lower = [lane + distance if not lane & distance else lanes + lane for lane in range(lanes)]
            result[i], result[i + distance] = b.shuffle(x, y, upper), b.shuffle(x, y, lower)
        distance *= 2
    return result
