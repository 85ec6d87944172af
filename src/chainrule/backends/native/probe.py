"""What the processor can do here and now: multiplications and additions a second, and its clock.

The peak is read from chains of fused multiply-adds, enough of them that none waits for another; the clock from one
chain of additions and exclusive ors, each waiting for the one before, a cycle each. A run whose probe reads fewer flops
a cycle than the processor has is void: something else was running.

Two cores that share one set of units, as many rented machines have them, hide from those chains, which leave half of
the issue slots free. A burst of simple instructions fills them all, and falls as soon as somebody else takes some.
"""

from __future__ import annotations

import ctypes
import statistics
import time
from collections.abc import Callable
from typing import Any, Final

import msgspec

from chainrule.backends.native import jit
from chainrule.backends.native.machine import Isa

BURST: Final = 3e-4  # seconds: short enough to fall between interruptions, long enough to time
REPETITIONS: Final = 40
MOST: Final = 10  # times as many where others use the core too, until the best bursts agree
AGREEING: Final = 7
AGREED: Final = 0.005  # of the best burst: the AGREEING best lie within it
SETTLED: Final = 1e-3  # seconds of wide arithmetic before the clock is that of such code
RELAXED: Final = 4e-3  # seconds without it before the clock is as before
LINKS: Final = 64  # of the chain of a cycle each, in a turn of its loop
SLOTS: Final = 8  # chains of a cycle each, side by side: more than any processor begins in a cycle
ROUNDS: Final = 4  # multiply-adds of every chain in a turn of its loop
FLOPS: Final = 2  # a fused multiply-add is two

# From and to how many flops a cycle a reading is believed: the limit of two units, then of one, 31 to 34 of 32 of it;
# ARM has cores of one unit (Cortex-A53, A72), two (A76, Neoverse N1), four (Neoverse V1, Apple) and six (Cortex-X925).
# More than the limit means that the clock was read while something else ran. Plain sets have no fused multiply-add, and
# copy registers in between: there the probe only says how fast such code can be.
RANGES: Final[dict[str, tuple[tuple[float, float], ...]]] = {
    "x86-64-v4": ((62, 68), (31, 34)),
    "x86-64-v3": ((31, 34),),
    "x86-64": ((7, 17),),
    "neon": ((46.5, 51), (31, 34), (15.5, 17), (7.75, 8.5)),
    "generic": ((0.1, 66),),
}


class Reading(msgspec.Struct, frozen=True):
    """What a probe read.

    Attributes:
        gflops: 10⁹ flops a second of float32 on one core.
        ghz: 10⁹ cycles a second.
        latency: cycles a fused multiply-add waits for the one before, to which it adds.
        light_ghz: 10⁹ cycles a second where no wide vectors are used: some processors slow down for them.
    """

    gflops: float
    ghz: float
    latency: float
    light_ghz: float

    @property
    def flops_per_cycle(self) -> float:
        """Of float32."""
        return self.gflops / self.ghz


class Burst(msgspec.Struct, frozen=True):
    """Instructions that began and cycles that passed, each a second, of two bursts one right after the other."""

    issued: float
    clock: float

    @property
    def per_cycle(self) -> float:
        """Instructions a cycle: too few where others had a part of the first burst, too many where of the second."""
        return self.issued / self.clock


def flaw(isa: str, flops_per_cycle: float) -> str:
    """Why a run with this reading is void; "" where it is not."""
    if any(least <= flops_per_cycle <= most for least, most in RANGES[isa]):
        return ""
    wanted = " or ".join(f"{least:g} to {most:g}" for least, most in RANGES[isa])
    reading = f"the probe reads {flops_per_cycle:.1f} flops a cycle where {isa} has {wanted}"
    return f"{reading}: something else was running, or the processor is emulated"


class Probe:
    """The probe's code, ready to run as often as wanted.

    Raises: BackendError when there is no compiler.
    """

    def __init__(self, isa: Isa) -> None:
        lanes, chains = isa.lanes("float32"), _chains(isa)
        object_code = jit.compile_object(probe_text(isa), isa)
        library = jit.load([object_code], ["cr_peak", "cr_wait", "cr_clock", "cr_issue"])
        self._peak = _timed(library, "cr_peak", ROUNDS * chains * lanes * FLOPS)
        self._wait = _timed(library, "cr_wait", ROUNDS)
        self._clock = _timed(library, "cr_clock", LINKS)
        self._issue = _timed(library, "cr_issue", ROUNDS * SLOTS)

    def read(self, repetitions: int = REPETITIONS) -> Reading:
        """The best of many short bursts, the clock right behind the arithmetic whose clock it is."""
        _for(RELAXED / 2, self._issue)
        _for(RELAXED / 2, self._clock)
        light = max(self._clock(BURST / 3) for _ in range(repetitions))
        _for(SETTLED, self._peak)
        bursts: list[tuple[float, float, float]] = []  # arithmetic, the clock behind it, waiting
        while len(bursts) < repetitions or (len(bursts) < MOST * repetitions and not _is_settled(bursts)):
            bursts.append((self._peak(BURST), self._clock(BURST / 3), self._wait(BURST / 3)))
        peak, clock = max(bursts)[0], _clock_of_best(bursts)
        wait = max(burst[2] for burst in bursts)
        return Reading(gflops=peak / 1e9, ghz=clock / 1e9, latency=clock / wait, light_ghz=max(light, clock) / 1e9)

    def attention(self) -> Burst:
        """One short burst of simple instructions: all the processor begins, or less while others share it.

        Its first bursts, as long as a call of a function, are only to be told after `read`.
        """
        issued = self._issue(BURST / 3)
        return Burst(issued, self._clock(BURST / 3))


def _is_settled(bursts: list[tuple[float, float, float]]) -> bool:
    """Whether the best bursts agree, so that the best of all is no accident."""
    best = sorted(bursts, reverse=True)[:AGREEING]
    return best[-1][0] >= (1 - AGREED) * best[0][0]


def _clock_of_best(bursts: list[tuple[float, float, float]]) -> float:
    """The median clock behind the best bursts: one alone may have been interrupted, and then be slower or faster."""
    return statistics.median(clock for _, clock, __ in sorted(bursts, reverse=True)[:AGREEING])


def _chains(isa: Isa) -> int:
    """As many as registers allow beside the two factors."""
    return isa.registers - 4


def _for(seconds: float, burst: Callable[[float], float]) -> None:
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        burst(BURST)


def _timed(library: jit.Library, name: str, amount: int) -> Callable[[float], float]:
    """From the seconds a burst should last to what was done in a second; `amount` is done in a turn of the loop."""
    function: Any = library.function(name, ctypes.c_int64, ctypes.c_void_p)
    sink = (ctypes.c_float * 64)()
    speed = [1e6]  # turns a second, as last seen

    def burst(seconds: float) -> float:
        turns = max(16, int(speed[0] * seconds))
        began = time.perf_counter()
        function(turns, ctypes.addressof(sink))
        speed[0] = turns / (time.perf_counter() - began)
        return speed[0] * amount

    return burst


# ---- the code ----


def probe_text(isa: Isa) -> str:
    """Four loops as LLVM's text: cr_peak, cr_wait, cr_clock and cr_issue, each (turns, where to leave the result)."""
    vector = f"<{isa.lanes('float32')} x float>"
    return "\n".join(
        (
            _loop("cr_peak", vector, _chains(isa), _multiply_adds(isa, vector, _chains(isa))),
            _loop("cr_wait", vector, 1, _multiply_adds(isa, vector, 1)),
            _loop("cr_clock", "i64", 1, _links()),
            _loop("cr_issue", "i64", SLOTS, _slots()),
            f"declare {vector} @llvm.fma.v{isa.lanes('float32')}f32({vector}, {vector}, {vector})",
            "",
        )
    )


def _loop(name: str, kind: str, chains: int, body: list[str]) -> str:
    """A function that turns a loop; the chains %c0, %c1, ... go on as %n0, %n1, ..., and end in memory."""
    value = "1" if kind == "i64" else "zeroinitializer"
    heads = [f"  %c{k} = phi {kind} [ {value}, %entry ], [ %n{k}, %loop ]" for k in range(chains)]
    ends = [f"  store volatile {kind} %n{k}, ptr %out, align 4" for k in range(chains)]
    return "\n".join(
        (
            f"define void @{name}(i64 %turns, ptr %out) {{",
            "entry:",
            # what the loops use and the compiler must not know
            f"  %a = load volatile {kind}, ptr %out, align 4",
            f"  %b = load volatile {kind}, ptr %out, align 4",
            "  br label %loop",
            "loop:",
            "  %turn = phi i64 [ 0, %entry ], [ %next, %loop ]",
            *heads,
            *body,
            "  %next = add i64 %turn, 1",
            "  %more = icmp slt i64 %next, %turns",
            "  br i1 %more, label %loop, label %done",
            "done:",
            *ends,
            "  ret void",
            "}",
        )
    )


def _multiply_adds(isa: Isa, vector: str, chains: int) -> list[str]:
    """c ← a b + c for every chain, several rounds: the form that every set has without copying a register.

    Where it is two instructions the product would be the same for all, and computed once: there c ← a c + b.
    """
    lines: list[str] = []
    now = [f"%c{k}" for k in range(chains)]
    for turn in range(ROUNDS):
        for k in range(chains):
            name = f"%n{k}" if turn == ROUNDS - 1 else f"%r{turn}x{k}"
            lines += _multiply_add(isa, vector, name, now[k])
            now[k] = name
    return lines


def _multiply_add(isa: Isa, vector: str, name: str, chain: str) -> list[str]:
    if isa.fused:
        lanes = isa.lanes("float32")
        return [f"  {name} = call {vector} @llvm.fma.v{lanes}f32({vector} %a, {vector} %b, {vector} {chain})"]
    return [f"  {name}m = fmul {vector} %a, {chain}", f"  {name} = fadd {vector} {name}m, %b"]


def _links() -> list[str]:
    """Additions and exclusive ors in turn, which no compiler can join."""
    lines: list[str] = []
    now = "%c0"
    for k in range(LINKS):
        name = "%n0" if k == LINKS - 1 else f"%l{k}"
        lines.append(f"  {name} = {'xor' if k % 2 else 'add'} i64 {now}, {'%b' if k % 2 else '%a'}")
        now = name
    return lines


def _slots() -> list[str]:
    """Additions and exclusive ors in turn in every chain."""
    lines: list[str] = []
    now = [f"%c{k}" for k in range(SLOTS)]
    for turn in range(ROUNDS):
        for k in range(SLOTS):
            name = f"%n{k}" if turn == ROUNDS - 1 else f"%s{turn}x{k}"
            lines.append(f"  {name} = {'xor' if turn % 2 else 'add'} i64 {now[k]}, {'%b' if turn % 2 else '%a'}")
            now[k] = name
    return lines
