"""The types and operands of LLVM's assembly language, and how constants are written in it."""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, TypeAlias

from chainrule.graph.tensor_type import DType

Number: TypeAlias = int | float


@dataclass(frozen=True, slots=True)
class Type:
    """A type of the language: an element, alone (lanes 1) or as a vector."""

    element: str
    lanes: int = 1
    text: str = field(init=False, compare=False)

    def __post_init__(self) -> None:
        text = self.element if self.lanes == 1 else f"<{self.lanes} x {self.element}>"
        object.__setattr__(self, "text", text)

    def __str__(self) -> str:
        return self.text

    def of(self, lanes: int) -> Type:
        """The same element, so many times."""
        return _type(self.element, lanes)

    def holding(self, element: Type) -> Type:
        """Another element, as many times."""
        return _type(element.element, self.lanes)

    @property
    def scalar(self) -> Type:
        """The element alone."""
        return _type(self.element, 1)

    @property
    def is_float(self) -> bool:
        """Whether the element is a floating-point number."""
        return self.element in _FLOAT_BITS

    @property
    def bits(self) -> int:
        """Bits of the element."""
        return _FLOAT_BITS[self.element] if self.is_float else 64 if self.element == "ptr" else int(self.element[1:])

    @property
    def mangled(self) -> str:
        """How the names of intrinsics say it: v8f32, i64, p0."""
        element = "p0" if self.element == "ptr" else f"{'f' if self.is_float else 'i'}{self.bits}"
        return element if self.lanes == 1 else f"v{self.lanes}{element}"


@lru_cache(maxsize=256)
def _type(element: str, lanes: int) -> Type:
    """One type for all who ask for it; there are few, and they are asked for all the time."""
    return Type(element, lanes)


_FLOAT_BITS: Final = {"half": 16, "float": 32, "double": 64}

F16: Final = Type("half")
F32: Final = Type("float")
F64: Final = Type("double")
I1: Final = Type("i1")
I8: Final = Type("i8")
I16: Final = Type("i16")
I32: Final = Type("i32")
I64: Final = Type("i64")
POINTER: Final = Type("ptr")

# How a value of each dtype is held in a register; in memory a bool is a byte, 0 or 1.
HELD: Final[dict[DType, Type]] = {
    "bool": I1,
    "int8": I8,
    "uint8": I8,
    "float16": F16,
    "int32": I32,
    "uint32": I32,
    "float32": F32,
    "float64": F64,
}


@dataclass(frozen=True, slots=True)
class Value:
    """An operand: its type and how it is written.

    Attributes:
        number: of a constant.
        beyond: of a sum with a constant, the rest and the constant, so that an address keeps it apart.
    """

    type: Type
    text: str
    number: Number | None = None
    beyond: tuple[Value, int] | None = field(default=None, compare=False)


Operand: TypeAlias = Value | Number  # a number takes the type of the other operand


def constant(type_: Type, number: Number) -> Value:
    """The number in every lane, rounded to the type."""
    return _constant(type_, number, math.copysign(1.0, number))


@lru_cache(maxsize=4096, typed=True)
def _constant(type_: Type, number: Number, _: float) -> Value:
    """A constant; its sign is told apart too, since -0.0 equals 0.0."""
    text = written(type_, number)
    return Value(type_, text if type_.lanes == 1 else f"splat ({type_.element} {text})", number)


def constants(type_: Type, numbers: Sequence[Number]) -> Value:
    """One number for each lane."""
    assert len(numbers) == type_.lanes > 1
    return Value(type_, f"<{', '.join(f'{type_.element} {written(type_, n)}' for n in numbers)}>")


def written(type_: Type, number: Number) -> str:
    """A number as one element of the type, floats by their bits."""
    if type_.element == "float":
        (number,) = struct.unpack("<f", struct.pack("<f", number))
    if type_.element == "half":
        return f"0xH{struct.unpack('<H', struct.pack('<e', number))[0]:04X}"
    if type_.is_float:
        return f"0x{struct.unpack('<Q', struct.pack('<d', number))[0]:016X}"
    return str(int(number)) if type_.element != "i1" else "true" if number else "false"
