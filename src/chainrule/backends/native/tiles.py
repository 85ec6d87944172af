"""What a product does, in the terms of its kernel: which operand is read element by element, which panel by panel."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

import msgspec

from chainrule.backends.native.grouping import is_transposed, operand
from chainrule.backends.native.layout import HALF, LANES, Extent, Sizes
from chainrule.backends.native.machine import Isa
from chainrule.graph.node import Node
from chainrule.graph.tensor_type import DType

Left: TypeAlias = Literal["rows", "columns"]
Right: TypeAlias = Literal["panels", "turned", "numbers"]

SHARED_PANELS: Final = 4  # from here on threads share the panels of the result, below its rows
MOST_ROWS: Final = 96  # that a kernel takes at once, while a block of the right operand is near
DYNAMIC_ROWS: Final = 8  # up to which a tile may have any number of rows, since each number has its own code
HIGH: Final = (16, 10)  # rows of the higher tiles that one vector a row leaves registers for


class Form(msgspec.Struct, frozen=True):
    """The product of a matrix read element by element and one read sixteen columns at a time.

    The result has `rows` rows and `columns` columns; each element is a chain of fused multiplications and additions
    over `depth`, first to last, whatever the tile.

    Attributes:
        left: read element by element.
        right: read sixteen columns at a time.
        left_is: whether its rows are those of the result (a panel runs along the depth), or its columns are.
        right_is: in panels; to be turned into panels first; or single numbers, where the result has one column.
    """

    rows: Extent
    columns: Extent
    depth: Extent
    left: Node
    right: Node
    left_is: Left
    right_is: Right

    @property
    def role(self) -> str:
        """How a person says it."""
        sides = {"rows": "X", "columns": "Xᵀ"}[self.left_is], {"panels": "W", "turned": "Wᵀ", "numbers": "w"}
        return f"{sides[0]} {sides[1][self.right_is]}"


def form_of(node: Node, sizes: Sizes) -> Form:
    """The form of a product of two matrices."""
    x, w = node.inputs
    rows, depth = sizes.extents(x.tensor.shape)
    columns = sizes.extent(w.tensor.shape[1])
    left, right = operand(x), operand(w)
    if columns.is_one and is_transposed(x) and not rows.is_one:
        return Form(columns, rows, depth, right, left, "rows", "panels")
    left_is: Left = "columns" if is_transposed(x) and not depth.is_one else "rows"
    if columns.is_one:
        return Form(rows, columns, depth, left, right, left_is, "numbers")
    turned = is_transposed(w) and not depth.is_one
    return Form(rows, columns, depth, left, right, left_is, "turned" if turned else "panels")


def steps_of(form: Form) -> int:
    """Steps of the depth written out at a time; where the batch is summed over, its largest decides."""
    return turns_of(form.depth.most) if form.left_is == "columns" else 4


def turns_of(most: int) -> int:
    """How many turns of a loop are written out at a time, of at most so many."""
    return 5 if most % 4 and most % 5 == 0 else 4


def kernel_steps(shape: TileShape, most: int) -> int:
    """Steps written out at a time in a kernel: two of full vectors keep the units busy, and are less to compile."""
    return min(most, 2) if shape.lanes == LANES else most


class TileShape(msgspec.Struct, frozen=True):
    """How much of the result is kept in registers.

    Attributes:
        lanes: of one vector.
        vectors: side by side, for one row of a panel.
        most: rows up to which there is code for every number of them.
        panels: side by side.
        high: rows of tiles that are higher than that, the highest first.
    """

    lanes: int
    vectors: int
    most: int
    panels: int = 1
    high: tuple[int, ...] = ()

    @property
    def width(self) -> int:
        """Vectors of one row, of all panels."""
        return self.vectors * self.panels

    @property
    def heights(self) -> tuple[int, ...]:
        """All numbers of rows there is code for, the highest first."""
        return (*self.high, *range(self.most, 0, -1))

    def dealt(self, rows: int) -> list[int]:
        """The heights of the tiles for so many rows: high ones where these leave no rest, else as even as they go."""
        high = next((height for height in self.high if rows and rows % height == 0), None)
        return blocks(rows, self.most) if high is None else [high] * (rows // high)


def tile_of(form: Form, dtype: DType, isa: Isa, panels: int = 1) -> TileShape:
    """The tile of a product on a processor: a function of shapes and of the instruction set alone."""
    if form.right_is == "numbers":
        return TileShape(1, 1, DYNAMIC_ROWS)
    width = HALF if form.columns.is_fixed and form.columns.most <= HALF else LANES
    lanes = min(isa.lanes(dtype), width)
    vectors = width // lanes
    block = isa.blocks[dtype]
    most = 1 if isa.brief else max(1, block.rows[0] * block.vectors // (vectors * panels))
    if form.left_is == "columns":
        (most, *_) = blocks(LANES, min(most, LANES))
    high = tuple(height for height in HIGH if lanes == LANES and height <= most)
    return TileShape(lanes, vectors, min(most, DYNAMIC_ROWS), panels, high)


def panels_at_once(form: Form, dtype: DType, isa: Isa) -> int:
    """How many panels a tile spans where there are several: two if one vector holds a row of a panel.

    Each element of the left operand is then read once for two vectors of the right one, not for one.
    """
    holds_row = tile_of(form, dtype, isa).lanes == LANES
    return 2 if holds_row and form.columns.most > LANES and not isa.brief else 1


def blocks(rows: int, most: int) -> list[int]:
    """Rows dealt out as evenly as they go, none more than the most: 10 by 6 gives 5 and 5."""
    count = -(-rows // most)
    base, extra = divmod(rows, count) if count else (0, 0)
    return [base + (k < extra) for k in range(count)]


def pieces_of(form: Form) -> int:
    """Rows that are computed together: as many as a kernel takes, or those of a panel of the left operand."""
    return MOST_ROWS if form.left_is == "rows" else LANES


def row_stride(form: Form) -> int:
    """Elements from one row of the left operand to the next; a matrix of one column lies in line."""
    lies_in_line = form.depth.is_one if form.left_is == "rows" else form.rows.is_one
    return 1 if lies_in_line else LANES


def shares_panels(form: Form) -> bool:
    """Whether threads share the panels of the result rather than its rows."""
    return form.columns.most > LANES * (SHARED_PANELS - 1)
