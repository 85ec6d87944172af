"""The type of a value: its dtype and its shape, whose dimensions may be named sizes such as the batch `n`."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Final, Literal, TypeAlias, get_args

import msgspec

from chainrule.errors import DTypeError, ShapeError, UnknownNameError

DType: TypeAlias = Literal["bool", "int32", "uint32", "float32", "float64", "uint8", "int8", "float16"]

DTYPES: Final[tuple[DType, ...]] = get_args(DType)
FLOATS: Final[frozenset[DType]] = frozenset({"float32", "float64"})
INTEGERS: Final[frozenset[DType]] = frozenset({"int32", "uint32"})
STORAGE_ONLY: Final[frozenset[DType]] = frozenset({"uint8", "int8", "float16"})  # enter by an explicit cast


class Size(msgspec.Struct, frozen=True):
    """A dimension known by name: a positive integer times a product of symbols, as in 3·n·t."""

    factor: int
    symbols: tuple[str, ...]

    def __str__(self) -> str:
        names = "*".join(self.symbols)
        return names if self.factor == 1 else f"{self.factor}*{names}"


Dim: TypeAlias = int | Size
Shape: TypeAlias = tuple[Dim, ...]

_NAME = re.compile(r"[a-z][a-z0-9_]*\Z")


def named(symbol: str) -> Size:
    """The size called `symbol`, a lower-case name such as "n" (samples) or "t" (time)."""
    if not _NAME.match(symbol):
        raise ShapeError(f"a size is named by a lower-case word such as n or t, not {symbol!r}")
    return Size(1, (symbol,))


def product(dims: Sequence[Dim]) -> Dim:
    """The product of dimensions, as a number where all are numbers.

    Example: product((2, named("n"), 3)) is the size 6*n.
    """
    factor = math.prod(d.factor if isinstance(d, Size) else d for d in dims)
    symbols = tuple(sorted(s for d in dims if isinstance(d, Size) for s in d.symbols))
    return Size(factor, symbols) if symbols and factor else factor


def parse_dim(text: str) -> Dim:
    """The dimension written as `str` writes it: "16", "n", "3*n*t"."""
    parts = text.strip().split("*")
    return product([int(part) if part.isdigit() else named(part) for part in parts])


def symbols_of(shape: Shape) -> tuple[str, ...]:
    """The names used in a shape, sorted."""
    return tuple(sorted({s for d in shape if isinstance(d, Size) for s in d.symbols}))


def concrete(shape: Shape, sizes: dict[str, int]) -> tuple[int, ...]:
    """The shape in numbers, given the value of each symbol.

    Raises: UnknownNameError when a symbol has no value.
    """
    return tuple(_number(d, sizes) for d in shape)


def _number(dim: Dim, sizes: dict[str, int]) -> int:
    if isinstance(dim, int):
        return dim
    for symbol in dim.symbols:
        if symbol not in sizes:
            raise UnknownNameError("size", symbol, sizes)
    return dim.factor * math.prod(sizes[s] for s in dim.symbols)


class TensorType(msgspec.Struct, frozen=True):
    """The dtype and the shape of one value; a scalar has shape ()."""

    dtype: DType
    shape: Shape = ()

    def __post_init__(self) -> None:
        if self.dtype not in DTYPES:
            raise UnknownNameError("dtype", str(self.dtype), DTYPES)
        for dim in self.shape:
            if isinstance(dim, int) and (isinstance(dim, bool) or dim < 0):
                raise ShapeError(f"a dimension is 0 or more, and {show_shape(self.shape)} has {dim}")

    def __str__(self) -> str:
        return f"{self.dtype}[{', '.join(map(str, self.shape))}]"

    @property
    def rank(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def is_float(self) -> bool:
        """Whether the value can vary continuously, so that a derivative has a meaning."""
        return self.dtype in FLOATS

    def with_shape(self, shape: Sequence[Dim]) -> TensorType:
        """The same dtype with another shape."""
        return TensorType(self.dtype, tuple(shape))

    def with_dtype(self, dtype: DType) -> TensorType:
        """The same shape with another dtype."""
        return TensorType(dtype, self.shape)


class TupleType(msgspec.Struct, frozen=True):
    """The type of a node with several outputs, read one by one with `item`."""

    items: tuple[TensorType, ...]

    def __str__(self) -> str:
        return f"({', '.join(map(str, self.items))})"


AnyType: TypeAlias = TensorType | TupleType


def show_shape(shape: Shape) -> str:
    """A shape as a person writes it: "(n, 16)", "(3,)", "()"."""
    inner = ", ".join(map(str, shape))
    return f"({inner},)" if len(shape) == 1 else f"({inner})"


def broadcast_shapes(left: Shape, right: Shape) -> Shape:
    """The common shape of two operands, aligned at the last axis, as NumPy aligns them.

    Raises: ShapeError naming both shapes and the first axes that disagree, counted from the end.
    """
    rank = max(len(left), len(right))
    padded_left = (1,) * (rank - len(left)) + left
    padded_right = (1,) * (rank - len(right)) + right
    result: list[Dim] = []
    for axis, (a, b) in enumerate(zip(padded_left, padded_right, strict=True)):
        if a != b and a != 1 and b != 1:
            raise ShapeError(
                f"shapes {show_shape(left)} and {show_shape(right)} do not broadcast: "
                f"{a} against {b} at axis {axis - rank}; make them equal or one of them 1"
            )
        result.append(b if a == 1 else a)
    return tuple(result)


def normalize_axes(axes: int | Sequence[int] | None, rank: int) -> tuple[int, ...]:
    """The axes as sorted numbers from 0; None means all of them.

    Raises: ShapeError for an axis outside [-rank, rank) or named twice.
    """
    if axes is None:
        return tuple(range(rank))
    wanted = (axes,) if isinstance(axes, int) else tuple(axes)
    for axis in wanted:
        if not -rank <= axis < rank:
            raise ShapeError(f"axis {axis} does not exist in a value of {rank} axes; use {-rank} to {rank - 1}")
    result = tuple(sorted(axis % rank for axis in wanted))
    if len(set(result)) < len(result):
        raise ShapeError(f"axes {wanted} name the same axis twice")
    return result


def same_dtype(kind: str, types: Sequence[TensorType]) -> DType:
    """The dtype shared by all; nothing is promoted silently.

    Raises: DTypeError naming the dtypes that differ.
    """
    dtypes: list[DType] = list(dict.fromkeys(t.dtype for t in types))
    if len(dtypes) > 1:
        raise DTypeError(f"{kind} needs one dtype, and got {' and '.join(dtypes)}; cast one of them")
    return dtypes[0]
