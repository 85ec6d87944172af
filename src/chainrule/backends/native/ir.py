"""LLVM's assembly language: functions, tables and declarations that are compiled together.

Example: sum = sum + x · y over n elements, eight at a time (n a multiple of 8).

    module = Module(isa)
    b = module.function("dot", F32, [("x", POINTER), ("y", POINTER), ("n", I64)])
    x, y, n = b.arguments
    wide = F32.of(8)
    def body(i, sums):
        return [b.fma(b.load(wide, b.at(x, i, F32)), b.load(wide, b.at(y, i, F32)), sums[0])]
    (total,) = b.loop(0, n, 8, [b.constant(wide, 0.0)], body)
    b.give(b.add_lanes(total))
    module.text()
"""

from __future__ import annotations

from collections.abc import Sequence

from chainrule.backends.native.builder import Arm, Body, Builder
from chainrule.backends.native.machine import Isa
from chainrule.backends.native.values import (
    F16,
    F32,
    F64,
    HELD,
    I1,
    I8,
    I16,
    I32,
    I64,
    POINTER,
    Number,
    Operand,
    Type,
    Value,
    constant,
    constants,
    written,
)

__all__ = [
    "F16",
    "F32",
    "F64",
    "HELD",
    "I1",
    "I8",
    "I16",
    "I32",
    "I64",
    "POINTER",
    "Arm",
    "Body",
    "Builder",
    "Module",
    "Number",
    "Operand",
    "Type",
    "Value",
    "constant",
    "constants",
]


class Module:
    """Functions, tables and declarations that are compiled together."""

    def __init__(self, isa: Isa) -> None:
        self.isa = isa
        self._declared: dict[str, None] = {}
        self._tables: list[str] = []
        self._functions: list[Builder] = []
        self._has_rare = False

    def function(
        self,
        name: str,
        result: Type | None,
        arguments: Sequence[tuple[str, Type]],
        *,
        internal: bool = False,
        attributes: str = "",
        no_alias: Sequence[str] = (),
    ) -> Builder:
        """Begin a function and give its builder.

        Args:
            name: what others call it.
            result: None for nothing.
            arguments: name and type of each.
            internal: whether only this module calls it.
            attributes: further attributes of the function.
            no_alias: names of pointers through which alone their memory is reached.
        """
        builder = Builder(self, name, result, arguments, internal, attributes, no_alias)
        self._functions.append(builder)
        return builder

    def declare(self, name: str, result: Type | None, *arguments: Type) -> None:
        """Make a function from elsewhere known; saying it again is nothing."""
        self._declared[f"declare {result or 'void'} @{name}({', '.join(map(str, arguments))})"] = None

    def table(self, type_: Type, numbers: Sequence[Number]) -> Value:
        """Numbers in memory that never change, aligned to 64 bytes."""
        items = ", ".join(f"{type_} {written(type_, n)}" for n in numbers)
        name = f"@cr_table_{len(self._tables)}"
        self._tables.append(f"{name} = internal unnamed_addr constant [{len(numbers)} x {type_}] [{items}], align 64")
        return Value(POINTER, name)

    def rare(self) -> str:
        """What makes a branch expect its second target."""
        self._has_rare = True
        return ", !prof !0"

    def text(self) -> str:
        """The whole module."""
        notes = ['!0 = !{!"branch_weights", i32 1, i32 2000}'] if self._has_rare else []
        return "\n".join([*self._declared, *self._tables, *(f.text() for f in self._functions), *notes]) + "\n"
