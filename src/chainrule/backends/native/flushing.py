"""Numbers too small to be normal are taken as 0 while native code runs, and as they are by whoever called it."""

from __future__ import annotations

from typing import Final

from chainrule.backends.native.ir import I32, I64, POINTER, Builder, Value

# What is flushed is said by a word that each thread has for itself.
X86: Final = 0x8040  # in MXCSR bit 15 for results and bit 6 for operands
ARM: Final = 1 << 24  # in FPCR one bit for both


def begin_flushing(b: Builder) -> Value | None:
    """From here on, in this thread; gives what puts it back, None for an instruction set that does not flush."""
    if not b.module.isa.flushes:
        return None
    if b.module.isa.architecture == "x86_64":
        kept, changed = b.local(I32, align=4), b.local(I32, align=4)
        b.module.declare("llvm.x86.sse.stmxcsr", None, POINTER)
        b.call("llvm.x86.sse.stmxcsr", None, kept)
        b.store(b.bit_or(b.load(I32, kept), X86), changed)
        _set(b, changed)
        return kept
    b.module.declare("llvm.aarch64.get.fpcr", I64)
    kept = b.emit(I64, "call i64 @llvm.aarch64.get.fpcr()")
    _set(b, b.bit_or(kept, ARM))
    return kept


def end_flushing(b: Builder, kept: Value | None) -> None:
    """As it was when it began."""
    if kept is not None:
        _set(b, kept)


def _set(b: Builder, word: Value) -> None:
    name = "llvm.x86.sse.ldmxcsr" if word.type is POINTER else "llvm.aarch64.set.fpcr"
    b.module.declare(name, None, word.type)
    b.call(name, None, word)
