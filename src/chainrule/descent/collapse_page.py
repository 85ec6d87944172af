"""A network held against one linear map, set as a page: the map where there is one, and what prevents it elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from chainrule.descent.collapse import Collapse
from chainrule.descent.one_map import written
from chainrule.descent.words import listed, short
from chainrule.document import (
    COUNT,
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
    Symbol,
    Table,
)
from chainrule.document.signs import with_signs
from chainrule.errors.counts import all_of, counted, verb_of

FOUR: Final = NumberStyle("significant", 4)
MOST: Final = 10  # rows and columns of the map that are shown


def collapse_page(found: Collapse, symbols: Mapping[str, Symbol], run: str, context: str) -> Document:
    """What was found.

    Args:
        found: the network and the map.
        symbols: of parameters and values by name: "dense_1.W", "dense_1.z".
        run: its name.
        context: when: "step 900".
    """
    blocks: list[Block] = [_counts(found), _symbols(found, symbols)]
    if found.is_linear:
        blocks.append(Labeled("In numbers", (_map(found),), name="numbers"))
    blocks += [_agreement(found), Labeled("Read on", (Items(tuple(_readings(found))),), name="readings")]
    title = "One linear map" if found.is_linear else "No linear map"
    return with_signs(
        Document(
            title, tuple(blocks), subtitle=f"what the layers of {run} come to", context=context, name="collapse",
            data=_data(found),
        )
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


def _symbols(found: Collapse, symbols: Mapping[str, Symbol]) -> Labeled:
    """The map multiplied out, or what becomes of a change of x, layer by layer."""
    label = "Multiplied out" if found.symbols.product is not None else "Layer by layer"
    return Labeled(label, (written(found.symbols, symbols),), name="symbols")


def _map(found: Collapse) -> Table:
    """W and b multiplied out, as much as one looks at."""
    inputs, outputs = (min(size, MOST) for size in found.W.shape)
    columns = (Column("from", heading=True), *(Column(f"to {k}", style=FOUR) for k in range(outputs)))
    rows = [Row((f"x {i}", *(Number(float(v)) for v in found.W[i, :outputs]))) for i in range(inputs)]
    rows.append(Row(("b", *(Number(float(v)) for v in found.b[:outputs]))))
    left = found.W.size - inputs * outputs
    return Table(
        columns, tuple(rows), caption=f"{left:,} more {verb_of(left, 'is', 'are')} left out" if left else "", name="map"
    )


def _agreement(found: Collapse) -> Table:
    columns = (
        Column("held against each other", heading=True),
        Column("over", align="left"),
        Column("off by at most", style=FOUR),
    )
    rows = [Row(("z, and x W + b", counted(found.rows, "row"), Number(found.off)))]
    if found.patterns > 1:
        rows.insert(0, Row(("z, and x W + b", f"{counted(found.here, 'row')} of one pattern", Number(found.off_here))))
    if found.product_off is not None:
        numbers = counted(found.W.size + found.b.size, "number")
        rows.append(Row(("products of the layers, and ∂z/∂x", numbers, Number(found.product_off))))
    return Table(columns, tuple(rows), caption=f"|z| is at most {short(found.scale)}", name="agreement")


def _readings(found: Collapse) -> list[str]:
    if found.is_linear:
        return [_one(found), _why_one(found)]
    kinds = listed([*dict.fromkeys(found.activations.values())] or ["what stands"])
    another = (
        f"dz is what a small change dx makes of z. With {kinds} between the layers it holds factors of the row itself, "
        f"so ∂z/∂x is another at another row: the map of one row is off by up to {short(found.off)} at others, where "
        f"|z| is at most {short(found.scale)}."
    )
    said = [another, *_folded(found)]
    if found.patterns:
        show = verb_of(found.rows, "shows", "show")
        said.append(
            f"Each unit of these layers is on or off: the {counted(found.rows, 'row')} {show} "
            f"{counted(found.patterns, 'pattern')}, and within one the network is one linear map (off by at most "
            f"{short(found.off_here)} on its {counted(found.here, 'row')})."
        )
    said.append(
        f"The best single linear map, by least squares, leaves {found.unexplained:.2%} of the variance of z: that much "
        "the activations add on these rows."
    )
    return said


def _folded(found: Collapse) -> list[str]:
    """Of each run of layers without an activation between them, what one layer in their place would be."""
    said: list[str] = []
    for layers, (read, made) in _runs(found):
        numbers, one = sum(found.sizes[each] for each in layers), counted(read * made + made, "number")
        said.append(
            f"{listed(layers)} have no activation between them: together they are one linear map of {read:,} to "
            f"{made:,}, which has {one} where they have {numbers:,}."
        )
    return said


def _runs(found: Collapse) -> list[tuple[tuple[str, ...], tuple[int, int]]]:
    """The layers of each link that goes through more than one, with the numbers read and put out."""
    runs = [link for link in found.symbols.links if len(link.through) > 1]
    return [(tuple(name.rpartition(".")[0] for name in link.through), link.size) for link in runs]


def _one(found: Collapse) -> str:
    do = verb_of(len(found.sizes), "does", "do")
    return (
        f"{counted(len(found.sizes), 'layer')} with {counted(sum(found.sizes.values()), 'number')} {do} what one map "
        f"of {found.W.size + found.b.size:,} does, on {all_of(found.rows, 'row')}, to rounding: W is the derivative "
        "∂z/∂x, which the graph gives alike at every row."
    )


def _why_one(found: Collapse) -> str:
    if found.activations:
        return (
            "No unit of the hidden layers changes sides on these rows, so their activations do nothing here; on a row "
            "where one does, another map holds."
        )
    return "Without an activation between them more layers add nothing that one layer lacks."


def _data(found: Collapse) -> dict[str, Plain]:
    return {
        "linear": found.is_linear,
        "W": found.W.tolist(),
        "b": found.b.tolist(),
        "off": found.off,
        "product_off": found.product_off,
        "scale": found.scale,
        "patterns": found.patterns,
        "rows_of_pattern": found.here,
        "off_in_pattern": found.off_here,
        "unexplained": found.unexplained,
        "rows": found.rows,
        "sizes": dict(found.sizes),
        "folded": [list(layers) for layers, _ in _runs(found)],
    }
