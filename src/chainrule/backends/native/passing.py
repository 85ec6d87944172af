"""The loop over the strips of a batch, inside the slice function: each stage is called as for a batch of so few rows.

Several threads divide the rows of a strip, so that none waits for another from stage to stage; then they meet, and
divide what adds up over the rows by elements of the sums, each of which one thread adds up from first to last.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import msgspec

from chainrule.backends.native.indices import number, plus, times
from chainrule.backends.native.ir import I64, Value
from chainrule.backends.native.layout import LANES
from chainrule.backends.native.sharing import pieces, work
from chainrule.backends.native.stages import Stage
from chainrule.backends.native.strips import Part, Strips

if TYPE_CHECKING:
    from chainrule.backends.native.driver import Driver

LEAST: Final = 1  # nanoseconds a piece is taken to cost, so that every piece is somebody's


class Rows(msgspec.Struct, frozen=True):
    """The rows of a batch that stages are called for.

    Attributes:
        count: how many.
        order: where their places in the data are listed.
        ahead, last_ahead: the order of the rows that come next, and the number of the last of them.
        before: rows of the batch before the strip; None where the whole batch is worked on.
        inside: rows of the strip before these.
    """

    count: Value
    order: Value
    ahead: Value
    last_ahead: Value
    before: Value | None = None
    inside: Value = number(0)


class Passing:
    """Writes the loop over strips.

    Args:
        driver: writes the calls.
        strips: how the rows are divided.
        stages: those that run strip by strip.
    """

    def __init__(self, driver: Driver, strips: Strips, stages: Sequence[Stage]) -> None:
        self.driver = driver
        self.b = driver.b
        self.strips = strips
        self.by_rows = [stage for stage in stages if strips.part(stage.group) is Part.ROWS]
        self.sums = [stage for stage in stages if strips.part(stage.group) is Part.SUMS]

    def write(self) -> None:
        """All strips, one after the other."""
        b, driver = self.b, self.driver
        whole = driver.rows

        def each(start: Value, _: tuple[Value, ...]) -> Sequence[Value]:
            count = b.intrinsic("llvm.smin", b.subtract(whole.count, start), number(self.strips.rows))
            strip = self._strip(whole, start, count)
            if driver.many:
                self._shared(strip)
                return ()
            driver.rows = strip
            for stage in (*self.by_rows, *self.sums):
                driver.call(stage)
            return ()

        b.loop(number(0), whole.count, self.strips.rows, (), each)
        driver.rows = whole

    def _strip(self, whole: Rows, start: Value, count: Value) -> Rows:
        """The rows of a strip; the next strip is ahead, or behind the last one the next batch."""
        b = self.b
        order = b.at(whole.order, start, I64)
        left = b.subtract(b.subtract(whole.count, start), count)
        is_last = b.compare("eq", left, 0)
        ahead = b.select(is_last, whole.ahead, b.at(order, count, I64))
        last = b.select(is_last, whole.last_ahead, b.subtract(left, 1))
        return Rows(count, order, ahead, b.intrinsic("llvm.smin", last, number(self.strips.rows - 1)), start)

    # ---- several threads ----

    def _shared(self, strip: Rows) -> None:
        b, driver = self.b, self.driver
        often = -(-driver.plan.sizes.most // self.strips.rows)
        low, high = driver.share(b.divide(plus(b, strip.count, LANES - 1), LANES))
        low, high = times(b, low, LANES), times(b, high, LANES)
        count = b.subtract(b.intrinsic("llvm.smin", high, strip.count), low)

        def own() -> tuple[Value, ...]:
            ahead, last = b.at(strip.ahead, low, I64), b.subtract(strip.last_ahead, low)
            driver.rows = Rows(count, b.at(strip.order, low, I64), ahead, last, strip.before, low)
            for stage in self.by_rows:
                driver.call(stage)
            return ()

        b.choose(b.compare("sgt", count, 0), own)
        driver.rows = strip
        driver.meet(often)
        self._dealt()
        driver.meet(often)

    def _dealt(self) -> None:
        """This thread's pieces of the sums: those whose middle lies in its part of the whole work."""
        b, driver = self.b, self.driver
        counts = [1 if stage.count is None else pieces(stage.count) for stage in self.sums]
        costs = [max(LEAST, round(work(driver.plan, s) / max(n, 1))) for s, n in zip(self.sums, counts, strict=True)]
        begin, end = driver.share(number(sum(n * cost for n, cost in zip(counts, costs, strict=True))))
        done = 0
        for stage, count, cost in zip(self.sums, counts, costs, strict=True):

            def place(of: Value, done: int = done, cost: int = cost, count: int = count) -> Value:
                into = b.intrinsic("llvm.smax", plus(b, of, cost // 2 - done), number(0))
                return b.intrinsic("llvm.smin", b.divide(into, cost), number(count))

            low, high = place(begin), place(end)

            def some(stage: Stage = stage, low: Value = low, high: Value = high) -> tuple[Value, ...]:
                driver.call(stage, (low, high))
                return ()

            b.choose(b.compare("slt", low, high), some)
            done += count * cost
