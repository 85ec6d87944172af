"""The body of one function in LLVM's language, instruction by instruction, types checked and names made fresh."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final, TypeAlias

from chainrule.backends.native.values import (
    I1,
    I32,
    I64,
    POINTER,
    Number,
    Operand,
    Type,
    Value,
    constant,
    constants,
)

if TYPE_CHECKING:
    from chainrule.backends.native.ir import Module

Body: TypeAlias = Callable[[Value, tuple[Value, ...]], Sequence[Value]]
Arm: TypeAlias = Callable[[], Sequence[Value]]

FLUSHES: Final = '"denormal-fp-math"="preserve-sign"'  # of a function: it runs where `flushing` has begun


class Builder:
    """The body of one function, instruction after instruction.

    Attributes:
        arguments: the function's, as values.
    """

    def __init__(
        self,
        module: Module,
        name: str,
        result: Type | None,
        arguments: Sequence[tuple[str, Type]],
        internal: bool,
        attributes: str,
        no_alias: Sequence[str],
    ) -> None:
        self.module = module
        self.arguments = tuple(Value(type_, f"%{label}") for label, type_ in arguments)
        listed = ", ".join(f"{t} {'noalias ' if label in no_alias else ''}%{label}" for label, t in arguments)
        linkage = "internal " if internal else ""
        known = f"nounwind {FLUSHES if module.isa.flushes else ''} {attributes}"
        self._head = f"define {linkage}{result or 'void'} @{name}({listed}) {' '.join(known.split())}"
        self._lines: list[str] = []
        self._block = "entry"
        self._count = 0
        self._labels = 0

    def text(self) -> str:
        """The function as written so far."""
        return "\n".join([f"{self._head} {{", "entry:", *self._lines, "}"])

    # ---- the ground: lines, values, blocks ----

    def do(self, instruction: str) -> None:
        """Write an instruction that gives nothing."""
        self._lines.append(f"  {instruction}")

    def emit(self, type_: Type, instruction: str) -> Value:
        """Write an instruction and give its value."""
        self._count += 1
        name = f"%v{self._count}"
        self._lines.append(f"  {name} = {instruction}")
        return Value(type_, name)

    def label(self, word: str) -> str:
        """A fresh name for a block."""
        self._labels += 1
        return f"{word}{self._labels}"

    def begin(self, label: str) -> None:
        """Begin a block; the one before must have ended in a jump."""
        self._lines.append(f"{label}:")
        self._block = label

    def jump(self, label: str) -> None:
        """End the block by going to another."""
        self.do(f"br label %{label}")

    def branch(self, condition: Value, yes: str, no: str) -> None:
        """End the block by going to one of two."""
        self.do(f"br i1 {condition.text}, label %{yes}, label %{no}")

    def give(self, value: Value | None = None) -> None:
        """Return from the function."""
        self.do("ret void" if value is None else f"ret {value.type} {value.text}")

    # ---- constants ----

    def constant(self, type_: Type, number: Number) -> Value:
        """The number in every lane."""
        return constant(type_, number)

    def constants(self, type_: Type, numbers: Sequence[Number]) -> Value:
        """One number for each lane."""
        return constants(type_, numbers)

    def _same(self, *operands: Operand) -> tuple[Value, ...]:
        """Operands of one type; numbers take it from the others."""
        type_ = next(o.type for o in operands if isinstance(o, Value))
        values = tuple(o if isinstance(o, Value) else constant(type_, o) for o in operands)
        assert all(v.type == type_ for v in values), f"operands of different types: {[str(v.type) for v in values]}"
        return values

    # ---- arithmetic: on floats as on integers ----

    def _two(self, of_floats: str, of_integers: str, x: Operand, y: Operand) -> Value:
        x, y = self._same(x, y)
        return self.emit(x.type, f"{of_floats if x.type.is_float else of_integers} {x.type} {x.text}, {y.text}")

    def add(self, x: Operand, y: Operand) -> Value:
        """x + y; integers wrap."""
        return self._two("fadd", "add", x, y)

    def subtract(self, x: Operand, y: Operand) -> Value:
        """x - y; integers wrap."""
        return self._two("fsub", "sub", x, y)

    def multiply(self, x: Operand, y: Operand) -> Value:
        """x · y; integers wrap."""
        return self._two("fmul", "mul", x, y)

    def divide(self, x: Operand, y: Operand) -> Value:
        """x / y; of integers the unsigned quotient."""
        return self._two("fdiv", "udiv", x, y)

    def remainder(self, x: Operand, y: Operand) -> Value:
        """What unsigned division leaves."""
        return self._two("frem", "urem", x, y)

    def negate(self, x: Value) -> Value:
        """-x, the sign turned; integers wrap."""
        return self.emit(x.type, f"fneg {x.type} {x.text}") if x.type.is_float else self.subtract(0, x)

    def fma(self, x: Operand, y: Operand, z: Operand) -> Value:
        """x · y + z, rounded once where the instruction set can, else twice."""
        x, y, z = self._same(x, y, z)
        return self.intrinsic("llvm.fma", x, y, z) if self.module.isa.fused else self.add(self.multiply(x, y), z)

    def absolute(self, x: Value) -> Value:
        """|x|; of the smallest integer itself."""
        return (
            self.intrinsic("llvm.fabs", x)
            if x.type.is_float
            else self.select(self.compare("slt", x, 0), self.negate(x), x)
        )

    def sqrt(self, x: Value) -> Value:
        """The square root, rounded correctly."""
        return self.intrinsic("llvm.sqrt", x)

    # ---- bits ----

    def bit_and(self, x: Operand, y: Operand) -> Value:
        """Bits set in both."""
        return self._two("", "and", x, y)

    def bit_or(self, x: Operand, y: Operand) -> Value:
        """Bits set in one or both."""
        return self._two("", "or", x, y)

    def bit_xor(self, x: Operand, y: Operand) -> Value:
        """Bits set in exactly one."""
        return self._two("", "xor", x, y)

    def shift_left(self, x: Operand, y: Operand) -> Value:
        """x · 2^y; wraps."""
        return self._two("", "shl", x, y)

    def shift_right(self, x: Operand, y: Operand) -> Value:
        """Bits moved right, zeros following."""
        return self._two("", "lshr", x, y)

    def shift_right_signed(self, x: Operand, y: Operand) -> Value:
        """Bits moved right, the sign following."""
        return self._two("", "ashr", x, y)

    # ---- comparison and choice ----

    def compare(self, predicate: str, x: Operand, y: Operand) -> Value:
        """Whether the predicate of LLVM holds: oeq, ogt, une … of floats, eq, slt, ugt … of integers."""
        x, y = self._same(x, y)
        return self.emit(
            x.type.holding(I1), f"{'fcmp' if x.type.is_float else 'icmp'} {predicate} {x.type} {x.text}, {y.text}"
        )

    def select(self, condition: Value, yes: Operand, no: Operand) -> Value:
        """yes where the condition holds, else no."""
        yes, no = self._same(yes, no)
        return self.emit(
            yes.type, f"select {condition.type} {condition.text}, {yes.type} {yes.text}, {no.type} {no.text}"
        )

    # ---- from one type to another ----

    def convert(self, operation: str, x: Value, element: Type) -> Value:
        """sitofp, uitofp, fptosi, fpext, fptrunc, zext, sext, trunc or bitcast, lane by lane."""
        wanted = x.type.holding(element)
        return x if wanted == x.type else self.emit(wanted, f"{operation} {x.type} {x.text} to {wanted}")

    def bits_as(self, x: Value, element: Type) -> Value:
        """The same bits under another element of the same size."""
        return self.convert("bitcast", x, element)

    # ---- lanes ----

    def splat(self, x: Value, lanes: int) -> Value:
        """A scalar in every lane."""
        if lanes == 1:
            return x
        if x.number is not None:
            return constant(x.type.of(lanes), x.number)
        first = self.emit(x.type.of(lanes), f"insertelement {x.type.of(lanes)} poison, {x.type} {x.text}, i64 0")
        return self.shuffle(first, first, [0] * lanes)

    def extract(self, x: Value, lane: int | Value) -> Value:
        """One lane; of a scalar itself."""
        if x.type.lanes == 1:
            return x
        which = lane.text if isinstance(lane, Value) else lane
        return self.emit(x.type.scalar, f"extractelement {x.type} {x.text}, i64 {which}")

    def insert(self, x: Value, lane: int, y: Value) -> Value:
        """x with y in one lane."""
        return self.emit(x.type, f"insertelement {x.type} {x.text}, {y.type} {y.text}, i64 {lane}")

    def shuffle(self, x: Value, y: Value, lanes: Sequence[int]) -> Value:
        """Lanes of x followed by y, by number."""
        mask = ", ".join(f"i32 {lane}" for lane in lanes)
        return self.emit(
            x.type.of(len(lanes)), f"shufflevector {x.type} {x.text}, {y.type} {y.text}, <{len(lanes)} x i32> <{mask}>"
        )

    def part(self, x: Value, first: int, lanes: int) -> Value:
        """Some neighboring lanes."""
        if lanes == 1:
            return self.extract(x, first)
        return x if lanes == x.type.lanes else self.shuffle(x, x, range(first, first + lanes))

    def placed(self, x: Value, y: Value, first: int) -> Value:
        """x with the lanes of y from one lane on; y has no more lanes than x."""
        lanes, count = x.type.lanes, y.type.lanes
        if count == 1:
            return self.insert(x, first, y)
        wide = self.shuffle(y, y, [min(lane, count - 1) for lane in range(lanes)])
        return self.shuffle(
            x, wide, [lanes + lane - first if first <= lane < first + count else lane for lane in range(lanes)]
        )

    def joined(self, x: Value, y: Value) -> Value:
        """The lanes of x, then those of y, as many."""
        if x.type.lanes > 1:
            return self.shuffle(x, y, range(2 * x.type.lanes))
        pair = self.emit(x.type.of(2), f"insertelement {x.type.of(2)} poison, {x.type} {x.text}, i64 0")
        return self.insert(pair, 1, y)

    def fold_lanes(self, x: Value, operation: Callable[[Value, Value], Value]) -> Value:
        """All lanes combined: the upper half with the lower, until one is left."""
        while x.type.lanes > 1:
            half = x.type.lanes // 2
            x = operation(self.part(x, 0, half), self.part(x, half, half))
        return x

    def add_lanes(self, x: Value) -> Value:
        """The sum of all lanes, in the order of `fold_lanes`."""
        return self.fold_lanes(x, self.add)

    # ---- memory ----

    def at(self, pointer: Value, index: Operand, element: Type) -> Value:
        """The address of an element, counted from the pointer."""
        where = index if isinstance(index, Value) else constant(I64, index)
        return self.emit(POINTER, f"getelementptr inbounds {element}, ptr {pointer.text}, {where.type} {where.text}")

    def settled(self, pointer: Value) -> Value:
        """An address in one register, so that what lies around it is reached from there, and not by adding another."""
        return self.emit(POINTER, f'call ptr asm "", "=r,0"(ptr {pointer.text})')

    def load(self, type_: Type, pointer: Value, align: int | None = None, extra: str = "") -> Value:
        """Read; aligned to its element unless said otherwise. `extra` holds metadata."""
        return self.emit(type_, f"load {type_}, ptr {pointer.text}, align {align or max(type_.bits // 8, 1)}{extra}")

    def store(self, x: Value, pointer: Value, align: int | None = None, extra: str = "") -> None:
        """Write; aligned to its element unless said otherwise."""
        self.do(f"store {x.type} {x.text}, ptr {pointer.text}, align {align or max(x.type.bits // 8, 1)}{extra}")

    def local(self, type_: Type, count: int = 1, align: int = 64) -> Value:
        """Memory of this call; ask for it in the first block."""
        return self.emit(POINTER, f"alloca {type_}, i64 {count}, align {align}")

    def prefetch(self, pointer: Value, *, write: bool = False, locality: int = 3) -> None:
        """Have the line of an address fetched."""
        self.module.declare("llvm.prefetch.p0", None, POINTER, I32, I32, I32)
        self.do(f"call void @llvm.prefetch.p0(ptr {pointer.text}, i32 {int(write)}, i32 {locality}, i32 1)")

    # ---- calls ----

    def call(self, name: str, result: Type | None, *arguments: Value) -> Value | None:
        """Call a function of this module, or one declared."""
        line = f"call {result or 'void'} @{name}({', '.join(f'{a.type} {a.text}' for a in arguments)})"
        if result is None:
            self.do(line)
            return None
        return self.emit(result, line)

    def intrinsic(self, name: str, *arguments: Value, result: Type | None = None) -> Value:
        """An intrinsic that is overloaded by its first argument's type, which is also what it gives unless said."""
        type_ = result or arguments[0].type
        full = f"{name}.{arguments[0].type.mangled}"
        self.module.declare(full, type_, *(a.type for a in arguments))
        return self.emit(type_, f"call {type_} @{full}({', '.join(f'{a.type} {a.text}' for a in arguments)})")

    # ---- control ----

    def loop(
        self,
        start: Operand,
        stop: Operand,
        step: Operand,
        carried: Sequence[Value],
        body: Body,
        *,
        at_least_once: bool = False,
    ) -> tuple[Value, ...]:
        """Run the body for start, start + step, … below stop, handing values from one round to the next.

        Args:
            start: the first index, an i64 or a number.
            stop: the first index that is too large.
            step: how far apart, positive.
            carried: the values the first round gets.
            body: takes the index and the carried values, and gives their next values.
            at_least_once: whether start < stop is known.

        Returns: the values after the last round.
        """
        first, end, by = (x if isinstance(x, Value) else constant(I64, x) for x in (start, stop, step))
        before, label, after = self._block, self.label("loop"), self.label("after")
        if at_least_once:
            self.jump(label)
        else:
            self.branch(self.compare("slt", first, end), label, after)
        self.begin(label)
        place = len(self._lines)
        index, *values = (self.emit(v.type, "") for v in (first, *carried))
        results = tuple(body(index, tuple(values)))
        following = self.emit(I64, f"add nuw nsw i64 {index.text}, {by.text}")
        again = self.compare("slt", following, end)
        latch = self._block
        self.branch(again, label, after)
        for k, (value, initial, final) in enumerate(
            zip((index, *values), (first, *carried), (following, *results), strict=True)
        ):
            self._lines[place + k] = (
                f"  {value.text} = phi {value.type} [ {initial.text}, %{before} ], [ {final.text}, %{latch} ]"
            )
        self.begin(after)
        if at_least_once:
            return results
        return tuple(
            self.emit(i.type, f"phi {i.type} [ {i.text}, %{before} ], [ {r.text}, %{latch} ]")
            for i, r in zip(carried, results, strict=True)
        )

    def choose(self, condition: Value, yes: Arm, no: Arm | None = None, *, rarely: bool = False) -> tuple[Value, ...]:
        """Run one of two arms; both give values of the same types, which are what comes out.

        Args:
            condition: an i1.
            yes: what is done where it holds.
            no: what is done where it does not.
            rarely: whether it is expected not to hold.
        """
        at_yes, at_no, after = self.label("yes"), self.label("no"), self.label("after")
        weights = self.module.rare() if rarely else ""
        self.do(f"br i1 {condition.text}, label %{at_yes}, label %{at_no}{weights}")
        left, from_left = self._arm(at_yes, yes, after)
        right, from_right = self._arm(at_no, no or (lambda: ()), after)
        self.begin(after)
        return tuple(
            self.emit(a.type, f"phi {a.type} [ {a.text}, %{from_left} ], [ {b.text}, %{from_right} ]")
            for a, b in zip(left, right, strict=True)
        )

    def _arm(self, label: str, arm: Arm, after: str) -> tuple[Sequence[Value], str]:
        self.begin(label)
        values = arm()
        end = self._block
        self.jump(after)
        return values, end
