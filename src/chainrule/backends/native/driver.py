"""The function that runs a whole slice: step after step, every stage in order, without coming back in between."""

from __future__ import annotations

from typing import Final

import msgspec

from chainrule.backends.native.arenas import Buffer
from chainrule.backends.native.body import Given
from chainrule.backends.native.flushing import begin_flushing, end_flushing
from chainrule.backends.native.indices import number, plus, times
from chainrule.backends.native.ir import F64, HELD, I1, I8, I32, I64, POINTER, Builder, Module, Value
from chainrule.backends.native.jit import HASTY
from chainrule.backends.native.layout import LANES, Extent
from chainrule.backends.native.machine import BYTES, Isa
from chainrule.backends.native.meeting import BARRIER, write_barrier
from chainrule.backends.native.passing import Passing, Rows
from chainrule.backends.native.record import (
    FIRST_STEP,
    HEARD,
    MEETING,
    OFFSETS,
    ORDER,
    SCRATCH,
    SCRATCH_EACH,
    STATE,
    STEPS,
    STOP,
    THREADS,
    WORK,
    slots,
)
from chainrule.backends.native.schedule import Schedule
from chainrule.backends.native.sharing import is_worth_sharing, work
from chainrule.backends.native.small import SmallSteps, fits
from chainrule.backends.native.stages import Count, Stage, Stages, stages

SHORT: Final = 1_000.0  # nanoseconds of a stage on average, below which a hundredth of a step is saved by careful calls
ALONE: Final = "cr_slice_alone"
SHARED: Final = "cr_slice_shared"


class Code(msgspec.Struct, frozen=True):
    """The text of a program and what its caller must provide.

    Attributes:
        plan: what is written.
        written: its functions and the calls of one step.
        slots: for each column, rate and report, the word of the call record that holds its address.
        scratch: bytes of scratch each thread needs.
        is_shared: whether some stage is worth sharing among threads, so that there is a second entry for them.
    """

    plan: Schedule
    written: Stages
    slots: dict[tuple[str, str], int]
    scratch: int
    is_shared: bool

    @property
    def stages(self) -> list[Stage]:
        """The calls of one step."""
        return self.written.calls


class Entry(msgspec.Struct, frozen=True):
    """The function that runs a slice, for one thread or for several.

    Attributes:
        name: of the function.
        text: its module, as LLVM's assembly language.
        meetings: how often the threads meet in a step.
    """

    name: str
    text: str
    meetings: int


def write(plan: Schedule, isa: Isa) -> Code:
    """The functions of a plan; what calls them is written by `entry`."""
    written = stages(plan, isa)
    is_shared = plan.strips is not None or any(is_worth_sharing(plan, stage) for stage in written.calls)
    scratch = max((stage.scratch for stage in written.calls), default=0)
    return Code(plan, written, slots(plan), scratch, is_shared)


def entry(code: Code, *, many: bool) -> Entry:
    """The function that one thread enters, or the one that several enter together."""
    module = Module(code.written.isa)
    if many:
        write_barrier(module)
    made = Driver(code, module, many=many)
    made.write()
    hasty = "" if made.stays_small or is_short(code) else HASTY
    return Entry(made.name, hasty + module.text(), made.meetings)


def is_short(code: Code) -> bool:
    """Whether the stages of a step are so short that the calls between them count."""
    called = [stage for stage in code.stages if stage.group < len(code.plan.groups)]
    return sum(work(code.plan, stage) for stage in called) < SHORT * len(called)


class Driver:
    """Writes a slice function: i64 (ptr record, i64 thread) gives the steps done.

    There are two: one for a thread alone, and one that several threads enter, each with its number. Those share the
    pieces of a stage that is worth it, the first does the others, and they meet in between.
    """

    def __init__(self, code: Code, module: Module, *, many: bool) -> None:
        self.plan = code.plan
        self.module = module
        self.stages = code.written
        self.many = many
        self.meetings = 0
        self.slots = code.slots
        self.stays_small = fits(self.plan) and not many
        self._pointers: dict[tuple[str, str], Value] = {}
        self.name = SHARED if many else ALONE
        self.b: Builder = module.function(self.name, I64, [("record", POINTER), ("thread", I64)])
        self.record, self.thread = self.b.arguments

    def write(self) -> None:
        """The loop over steps."""
        b = self.b
        kept = begin_flushing(b)
        self._clock = b.local(F64)
        self._bases = {"state": self._word(STATE, POINTER), "work": self._word(WORK, POINTER)}
        self._threads = self._word(THREADS, I64)
        own = times(b, self._word(SCRATCH_EACH, I64), self.thread)
        self._scratch = b.at(self._word(SCRATCH, POINTER), own, I8)
        self._meeting = self._word(MEETING, POINTER)
        self.order, offsets = self._word(ORDER, POINTER), self._word(OFFSETS, POINTER)
        steps, stop = self._word(STEPS, I64), self._word(STOP, POINTER)
        self.first_step = self._word(FIRST_STEP, I64)
        self.pointers = {key: self._word(slot, POINTER) for key, slot in self.slots.items()}
        head, run, after = b.label("head"), b.label("run"), b.label("after")
        counter = b.local(I64)
        b.store(number(0), counter)
        b.jump(head)
        b.begin(head)
        k = b.load(I64, counter)
        goes_on = b.bit_and(b.compare("slt", k, steps), b.compare("eq", self._flag(stop), 0))
        b.branch(goes_on, run, after)
        b.begin(run)
        begin = b.load(I64, b.at(offsets, k, I64))
        end = b.load(I64, b.at(offsets, plus(b, k, 1), I64))
        following = b.intrinsic("llvm.smin", plus(b, k, 1), b.subtract(steps, 1))
        first_ahead = b.load(I64, b.at(offsets, following, I64))
        after_ahead = b.load(I64, b.at(offsets, plus(b, following, 1), I64))
        ahead = b.at(self.order, first_ahead, I64)
        last_ahead = b.subtract(b.subtract(after_ahead, first_ahead), 1)
        self.rows = Rows(b.subtract(end, begin), b.at(self.order, begin, I64), ahead, last_ahead)
        self._whole = self.rows.count

        def one() -> tuple[Value, ...]:
            self._pointers = {key: self.this_step(key, pointer, k) for key, pointer in self.pointers.items()}
            self._write_step(plus(b, self.first_step, k))
            b.store(plus(b, k, 1), counter)
            return ()

        def several() -> tuple[Value, ...]:
            b.store(SmallSteps(self).run(k, steps, offsets), counter)
            return ()

        if self.stays_small:
            b.choose(b.compare("eq", self.rows.count, self.plan.sizes.most), several, one)
        else:
            one()
        b.jump(head)
        b.begin(after)
        end_flushing(b, kept)
        b.give(b.load(I64, counter))

    def _write_step(self, now: Value) -> None:
        if self.plan.roles.clock is not None:
            self.b.store(self.clock_value(now), self._clock)
        if self.many:
            self._write_shared()
            return
        for stage in self.stages.calls:
            if not self._passes(stage):
                self.call(stage)
        self._write_moves()

    def _word(self, slot: int, type_: object) -> Value:
        word = self.b.load(I64, self.b.at(self.record, slot, I64))
        return word if type_ is I64 else self.b.emit(POINTER, f"inttoptr i64 {word.text} to ptr")

    def this_step(self, key: tuple[str, str], pointer: Value, k: Value) -> Value:
        """Where this step's rate, or the place of its report, is; a column stays."""
        kind, name = key
        if kind == "column":
            return pointer
        if kind == "rate":
            node = self.plan.graph.input(name)
            return self.b.at(pointer, k, HELD[node.tensor.dtype])
        node = self.plan.graph[name]
        count = 1
        for extent in self.plan.sizes.extents(node.tensor.shape):
            count *= extent.most
        bytes_ = number(count * BYTES[node.tensor.dtype])
        return self.b.emit(POINTER, f"getelementptr i8, ptr {pointer.text}, i64 {times(self.b, k, bytes_).text}")

    def clock_value(self, now: Value) -> Value:
        """The number of the step in the clock's dtype."""
        assert self.plan.roles.clock is not None
        held = HELD[self.plan.graph.input(self.plan.roles.clock).tensor.dtype]
        return self.b.convert("sitofp" if held.is_float else "trunc", now, held)

    def _passes(self, stage: Stage) -> bool:
        """Whether a stage runs strip by strip; before the first of them the strips are written."""
        strips = self.plan.strips
        if strips is None or not strips.inside(stage.group):
            return False
        if stage.group == strips.first:
            Passing(self, strips, [s for s in self.stages.calls if strips.inside(s.group)]).write()
        return True

    # ---- several threads ----

    def _flag(self, stop: Value) -> Value:
        """The stop flag; of several threads the first reads it for all."""
        b = self.b
        read = f"load atomic i32, ptr {stop.text} monotonic, align 4"
        if not self.many:
            return b.emit(I32, read)
        heard = b.at(self._meeting, HEARD, I32)

        def first() -> tuple[Value, ...]:
            b.store(b.emit(I32, read), heard)
            return ()

        b.choose(b.compare("eq", self.thread, 0), first)
        self.meet()
        return b.load(I32, heard)

    def _write_shared(self) -> None:
        """The stages, with a meeting wherever one thread may need what another has written."""
        alone: list[Stage] = []
        for stage in self.stages.calls:
            is_first = self.plan.strips is not None and stage.group == self.plan.strips.first
            is_shared = is_worth_sharing(self.plan, stage)
            if is_first or is_shared:
                self._by_the_first(alone)
                alone = []
            if self._passes(stage):
                continue
            if is_shared:
                self.call(stage, self.share(self._count(stage.count)))
                self.meet()
            else:
                alone.append(stage)
        self._by_the_first(alone, last=True)

    def _by_the_first(self, stages_: list[Stage], *, last: bool = False) -> None:
        if not stages_ and not last:
            return
        b = self.b

        def work() -> tuple[Value, ...]:
            for stage in stages_:
                self.call(stage)
            if last:
                self._write_moves()
            return ()

        b.choose(b.compare("eq", self.thread, 0), work)
        self.meet()

    def meet(self, often: int = 1) -> None:
        """Wait until every thread has come this far, which happens so often in a step."""
        self.meetings += often
        self.b.call(BARRIER, None, self._meeting, self._threads)

    def share(self, count: Value) -> tuple[Value, Value]:
        """This thread's share of pieces, from one to before another: by their number and that of the threads alone."""
        b = self.b
        low = b.divide(b.multiply(count, self.thread), self._threads)
        return low, b.divide(b.multiply(count, b.add(self.thread, 1)), self._threads)

    # ---- one stage ----

    def call(self, stage: Stage, part: tuple[Value, Value] | None = None) -> None:
        """Call a stage for some of its pieces, from one to before another; for all of them unless they are given."""
        low, high = part or (number(0), self._count(stage.count))
        values = {"low": low, "high": high}
        given = [values[g.kind] if g.kind in values else self._given(g) for g in stage.given]
        self.module.declare(stage.function, None, *(value.type for value in given))
        self.b.call(stage.function, None, *given)

    def _count(self, count: Count | None) -> Value:
        if count is None:
            return number(1)
        if count.kind == "extent":
            return self._extent(count.extent)
        if count.kind == "panels":
            return self._panels(count.extent)
        return self._blocks(count.extent, count.most)

    def _given(self, given: Given) -> Value:
        if given.kind == "buffer":
            assert given.buffer is not None
            return self._place(given.buffer)
        if given.kind in ("column", "rate", "report"):
            return self._pointers[given.kind, given.name]
        if given.kind == "number":
            return number(given.number)
        if given.kind == "size":
            assert given.extent is not None
            return self._extent(given.extent, self._whole)
        if given.extent is not None:
            made = {"extent": self._extent, "panels": self._panels}
            return made[given.kind](given.extent) if given.kind in made else self._blocks(given.extent, given.number)
        return {
            "order": self.rows.order,
            "ahead": self.rows.ahead,
            "last ahead": self.rows.last_ahead,
            "clock": self._clock,
            "scratch": self._scratch,
            "done": self.rows.before or number(0),
        }[given.kind]

    def address(self, buffer: Buffer) -> Value:
        base = self._bases[buffer.arena]
        return self.b.emit(POINTER, f"getelementptr inbounds i8, ptr {base.text}, i64 {buffer.offset}")

    def _place(self, buffer: Buffer) -> Value:
        """Where a buffer lies, of one that has rows the first of those being worked on."""
        at, extents = self.address(buffer), buffer.layout.extents
        if self.rows.before is None or not extents or not extents[0].is_batch:
            return at
        is_near = extents[0].most < self.plan.sizes.most
        rows = self.rows.inside if is_near else plus(self.b, self.rows.before, self.rows.inside)
        return self.b.at(at, times(self.b, rows, buffer.layout.row_bytes), I8)

    def _extent(self, extent: Extent, rows: Value | None = None) -> Value:
        if extent.is_fixed:
            return number(extent.factor)
        value = number(extent.factor)
        for _ in range(extent.power):
            value = times(self.b, value, rows or self.rows.count)
        return value

    def _panels(self, extent: Extent) -> Value:
        if extent.is_fixed:
            return number(-(-extent.factor // LANES))
        return self.b.shift_right(plus(self.b, self._extent(extent), LANES - 1), 4)

    def _blocks(self, extent: Extent, most: int) -> Value:
        if extent.is_fixed:
            return number(-(-extent.factor // most))
        return self.b.divide(plus(self.b, self._extent(extent), most - 1), most)

    def _write_moves(self) -> None:
        for source, target in self.plan.moves:
            self._move(source, target)

    def _move(self, source: Buffer, target: Buffer) -> None:
        self.module.declare("llvm.memcpy.p0.p0.i64", None, POINTER, POINTER, I64, I1)
        self.b.do(
            f"call void @llvm.memcpy.p0.p0.i64(ptr {self.address(target).text}, ptr {self.address(source).text}, "
            f"i64 {source.layout.bytes}, i1 false)"
        )
