"""Where threads of one slice wait for each other: a short spin, then sleep until the last one comes.

The words of a meeting lie on cache lines of their own: how many have come, how often all have come, what the first one
heard of the stop flag, and how often somebody fell asleep, from which the caller sees that the machine is busy.
"""

from __future__ import annotations

from typing import Final

import msgspec

from chainrule.backends.native import jit
from chainrule.backends.native.indices import number
from chainrule.backends.native.ir import I32, I64, POINTER, Builder, Module, Value, constant
from chainrule.backends.native.machine import Isa
from chainrule.backends.native.record import ASLEEP, COME, SLEPT, TURN

BARRIER: Final = "cr_meet"
SPINS: Final = 1600  # of a pause and a look: about 20 µs, as long as it takes to wake a thread that sleeps
WAIT, WAKE = 128, 129  # FUTEX_WAIT and FUTEX_WAKE, private to the process
EVERYBODY: Final = 2**31 - 1


class Waiting(msgspec.Struct, frozen=True):
    """How an architecture waits.

    Attributes:
        futex: the number of the system call on Linux.
        pause: an intrinsic that does nothing for some ten nanoseconds, and what it takes.
    """

    futex: int
    pause: tuple[str, tuple[Value, ...]]


WAITING: Final[dict[str, Waiting]] = {
    "x86_64": Waiting(202, ("llvm.x86.sse2.pause", ())),
    "aarch64": Waiting(98, ("llvm.aarch64.isb", (constant(I32, 15),))),  # 30 to 40 cycles; `yield` takes none
}


def write_barrier(module: Module) -> None:
    """Write void cr_meet(ptr meeting, i64 threads)."""
    b = module.function(BARRIER, None, [("meeting", POINTER), ("threads", I64)], internal=True)
    meeting, threads = b.arguments
    come, turn = b.at(meeting, COME, I32), b.at(meeting, TURN, I32)
    counter = b.local(I64)
    b.store(number(0), counter)
    now = _look(b, turn)
    before = b.emit(I32, f"atomicrmw add ptr {come.text}, i32 1 acq_rel")

    def last() -> tuple[Value, ...]:
        b.do(f"store atomic i32 0, ptr {come.text} monotonic, align 4")
        b.emit(I32, f"atomicrmw add ptr {turn.text}, i32 1 seq_cst")
        _wake(b, turn, b.at(meeting, ASLEEP, I32))
        return ()

    def waits() -> tuple[Value, ...]:
        _spin(b, turn, now, counter)
        _sleep(b, turn, now, meeting)
        return ()

    b.choose(b.compare("eq", before, b.subtract(b.convert("trunc", threads, I32), 1)), last, waits)
    b.give()


def _look(b: Builder, turn: Value) -> Value:
    return b.emit(I32, f"load atomic i32, ptr {turn.text} seq_cst, align 4")


def _spin(b: Builder, turn: Value, now: Value, counter: Value) -> None:
    """Look a number of times."""
    look, pause, after = b.label("look"), b.label("pause"), b.label("after")
    b.jump(look)
    b.begin(look)
    count = b.load(I64, counter)
    b.store(b.add(count, 1), counter)
    waits = b.bit_and(b.compare("eq", _look(b, turn), now), b.compare("slt", count, SPINS))
    b.branch(waits, pause, after)
    b.begin(pause)
    known = WAITING.get(b.module.isa.architecture)
    if known is not None:
        name, operands = known.pause
        b.module.declare(name, None, *(each.type for each in operands))
        b.call(name, None, *operands)
    b.jump(look)
    b.begin(after)


def _sleep(b: Builder, turn: Value, now: Value, meeting: Value) -> None:
    """Sleep as long as not all have come."""
    slept, asleep = b.at(meeting, SLEPT, I32), b.at(meeting, ASLEEP, I32)
    look, sleep, after = b.label("look"), b.label("sleep"), b.label("after")
    b.jump(look)
    b.begin(look)
    b.branch(b.compare("eq", _look(b, turn), now), sleep, after)
    b.begin(sleep)
    b.emit(I32, f"atomicrmw add ptr {slept.text}, i32 1 monotonic")
    b.emit(I32, f"atomicrmw add ptr {asleep.text}, i32 1 seq_cst")
    call = _futex(b.module.isa)
    if call is None:
        b.module.declare("sched_yield", I32)
        b.call("sched_yield", I32)
    else:
        b.module.declare("syscall", I64, I64)
        wait = f"ptr {turn.text}, i32 {WAIT}, i32 {now.text}, ptr null"
        b.emit(I64, f"call i64 (i64, ...) @syscall(i64 {call}, {wait})")
    b.emit(I32, f"atomicrmw sub ptr {asleep.text}, i32 1 seq_cst")
    b.jump(look)
    b.begin(after)


def _wake(b: Builder, turn: Value, asleep: Value) -> None:
    """Wake whoever sleeps; who is about to sees that its turn has passed."""
    call = _futex(b.module.isa)
    if call is None:
        return
    b.module.declare("syscall", I64, I64)

    def wake() -> tuple[Value, ...]:
        b.emit(I64, f"call i64 (i64, ...) @syscall(i64 {call}, ptr {turn.text}, i32 {WAKE}, i32 {EVERYBODY})")
        return ()

    b.choose(b.compare("ne", b.emit(I32, f"load atomic i32, ptr {asleep.text} seq_cst, align 4"), 0), wake)


def _futex(isa: Isa) -> int | None:
    """The system call that sleeps until a word changes; None where there is none, and one yields instead."""
    triple = jit.triple_for(isa)
    known = WAITING.get(jit.architecture_of(triple)) if "linux" in triple else None
    return None if known is None else known.futex
