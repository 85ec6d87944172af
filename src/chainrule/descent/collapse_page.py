"""A network held against one linear map, set as a page: the map where there is one, and what prevents it elsewhere."""

from __future__ import annotations

from typing import Final

from chainrule.descent.collapse import Collapse
from chainrule.descent.words import counted, short
from chainrule.document import (
    Block,
    Column,
    Document,
    Items,
    Labeled,
    Number,
    NumberStyle,
    Plain,
    Row,
    Summary,
    Table,
)

COUNT: Final = NumberStyle("count")
FOUR: Final = NumberStyle("significant", 4)
MOST: Final = 10  # rows and columns of the map that are shown


def collapse_page(found: Collapse, run: str, context: str) -> Document:
    """What was found.

    Args:
        found: the network and the map.
        run: its name.
        context: when: "step 900".
    """
    blocks: list[Block] = [_counts(found)]
    if found.is_linear:
        blocks.append(_map(found))
    blocks += [_agreement(found), Labeled("Read on", (Items(tuple(_readings(found))),), name="readings")]
    title = "One linear map" if found.is_linear else "No linear map"
    return Document(
        title, tuple(blocks), subtitle=f"what the layers of {run} come to", context=context, name="collapse",
        data=_data(found),
    )  # fmt: skip


def _counts(found: Collapse) -> Table:
    inputs, outputs = found.W.shape
    columns = (Column("layer", heading=True), Column("activation"), Column("weights and biases", style=COUNT))
    rows = tuple(
        Row((layer, found.activations.get(layer, "linear"), Number(size))) for layer, size in found.sizes.items()
    )
    total = Summary("in all", (None, None, Number(sum(found.sizes.values()), COUNT)))
    caption = f"one map from {inputs:,} to {outputs:,} has {inputs * outputs + outputs:,}"
    return Table(columns, rows, total=total, caption=caption, name="layers")


def _map(found: Collapse) -> Table:
    """W and b multiplied out, as much as one looks at."""
    inputs, outputs = (min(size, MOST) for size in found.W.shape)
    columns = (Column("from", heading=True), *(Column(f"to {k}", style=FOUR) for k in range(outputs)))
    rows = [Row((f"x {i}", *(Number(float(v)) for v in found.W[i, :outputs]))) for i in range(inputs)]
    rows.append(Row(("b", *(Number(float(v)) for v in found.b[:outputs]))))
    left = found.W.size - inputs * outputs
    return Table(columns, tuple(rows), caption=f"{left:,} more are left out" if left else "", name="map")


def _agreement(found: Collapse) -> Table:
    columns = (Column("z − (x W + b)", heading=True), Column("rows", style=COUNT), Column("at most", style=FOUR))
    rows = [Row(("all rows", Number(found.rows), Number(found.off)))]
    if found.patterns > 1:
        rows.insert(0, Row(("rows of one pattern", Number(found.here), Number(found.off_here))))
    return Table(columns, tuple(rows), caption=f"|z| is at most {short(found.scale)}", name="agreement")


def _readings(found: Collapse) -> list[str]:
    if found.is_linear:
        one = (
            f"{counted(len(found.sizes), 'layer')} with {sum(found.sizes.values()):,} numbers do what one map of "
            f"{found.W.size + found.b.size:,} does, on all {found.rows:,} rows, to rounding: W is the derivative "
            "∂z/∂x, which the graph gives alike at every row."
        )
        return [one, "Without an activation between them more layers add nothing that one layer lacks."]
    kinds = ", ".join(dict.fromkeys(found.activations.values())) or "what stands"
    another = (
        f"With {kinds} between the layers ∂z/∂x is another at another row: the map of one row is off by up to "
        f"{short(found.off)} at others, where |z| is at most {short(found.scale)}."
    )
    said = [another]
    if found.patterns:
        said.append(
            f"Each unit of these layers is on or off: the {found.rows:,} rows show "
            f"{counted(found.patterns, 'pattern')}, and within one the network is one linear map (off by at most "
            f"{short(found.off_here)} on its {counted(found.here, 'row')})."
        )
    said.append(
        f"The best single linear map, by least squares, leaves {found.unexplained:.2%} of the variance of z: that much "
        "the activations add on these rows."
    )
    return said


def _data(found: Collapse) -> dict[str, Plain]:
    return {
        "linear": found.is_linear,
        "W": found.W.tolist(),
        "b": found.b.tolist(),
        "off": found.off,
        "scale": found.scale,
        "patterns": found.patterns,
        "rows_of_pattern": found.here,
        "off_in_pattern": found.off_here,
        "unexplained": found.unexplained,
        "rows": found.rows,
        "sizes": dict(found.sizes),
    }
