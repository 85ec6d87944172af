"""A planned graph as a function in memory, with the buffers it works in."""

from __future__ import annotations

import ctypes
import time
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from chainrule.backends.given import NUMPY
from chainrule.backends.native import cache
from chainrule.backends.native.arenas import arena
from chainrule.backends.native.crew import CREW, Patience, thread_count
from chainrule.backends.native.jit import HASTY
from chainrule.backends.native.layout import Sizes
from chainrule.backends.native.machine import Isa
from chainrule.backends.native.recipes import Recipe, keep_recipe, places_of, read_recipe, recipe_name
from chainrule.backends.native.record import (
    FIRST_STEP,
    MEETING,
    OFFSETS,
    ORDER,
    SCRATCH,
    SCRATCH_EACH,
    SLEPT,
    STATE,
    STEPS,
    STOP,
    TAIL,
    THREADS,
    WORDS,
    WORK,
    slots,
)
from chainrule.backends.native.schedule import Roles, Schedule, schedule
from chainrule.backends.protocol import Array, StopFlag
from chainrule.graph.node import Graph
from chainrule.graph.tensor_type import concrete

if TYPE_CHECKING:
    from chainrule.backends.native.driver import Code


class Effort(msgspec.Struct, frozen=True):
    """What it took to compile a plan.

    Attributes:
        plan, text, code: seconds spent planning, writing LLVM's text, and turning it into code or finding it.
        modules: pieces of code.
        kept: how many of them were in the cache.
    """

    plan: float
    text: float
    code: float
    modules: int
    kept: int


class Entered(msgspec.Struct, frozen=True):
    """The function that runs a slice, and what it is made of."""

    recipe: Recipe
    function: Any


class Compiled:
    """One graph for given sizes.

    Attributes:
        plan: what runs when, and where each value is.
        effort: what it took.
    """

    def __init__(self, graph: Graph, roles: Roles, sizes: Sizes, isa: Isa, *, hasty: bool = False) -> None:
        """Plan and compile.

        Args:
            graph: what is computed.
            roles: of its inputs.
            sizes: of its named axes.
            isa: what the code may use; this processor has it.
            hasty: compile quickly what runs but a few times; the bits are the same.
        """
        began = time.perf_counter()
        self.plan: Schedule = schedule(graph, roles, sizes)
        planned = time.perf_counter()
        self._graph, self._isa, self._hasty = graph, isa, hasty
        self._text_seconds = 0.0
        self._entries: dict[bool, Entered] = {}
        threads = thread_count()
        made, fresh = self._made(many=threads > 1)
        self._scratch_each = made.recipe.scratch
        self.threads = threads if made.recipe.is_shared else 1
        self._entries[self.threads > 1] = made
        code = time.perf_counter() - planned - self._text_seconds
        count = len(made.recipe.modules)
        self.effort = Effort(planned - began, self._text_seconds, code, count, count - fresh)
        self._slots = slots(self.plan)
        self._patience = Patience()
        self._work = arena(self.plan.work_bytes)
        self._scratch = arena(self._scratch_each * self.threads)
        self._meeting = arena(4 * WORDS).view(np.int32)

    @cached_property
    def code(self) -> Code:
        """The text of all functions; written when there is no recipe, or when somebody asks."""
        from chainrule.backends.native import driver

        return driver.write(self.plan, self._isa)

    # ---- running ----

    def reports(self, steps: int) -> dict[str, Array]:
        """Where so many steps write what they report."""
        sizes = dict(self.plan.sizes.fixed)
        return {
            name: np.empty((steps, *concrete(node.tensor.shape, sizes)), NUMPY[node.tensor.dtype])
            for name, node in self.plan.reports
        }

    def run(
        self,
        memory: Array,
        columns: Mapping[str, Array],
        order: Array,
        offsets: Array,
        rates: Mapping[str, Array],
        reports: Mapping[str, Array],
        first_step: int,
        stop: StopFlag,
    ) -> int:
        """Do steps until the offsets end or stopping is asked for; gives the steps done."""
        record = np.zeros(TAIL + len(self._slots), np.int64)
        record[STATE] = memory.ctypes.data
        record[WORK] = self._work.ctypes.data
        record[SCRATCH] = self._scratch.ctypes.data
        record[ORDER] = order.ctypes.data
        record[OFFSETS] = offsets.ctypes.data
        record[STEPS] = len(offsets) - 1
        record[FIRST_STEP] = first_step
        record[STOP] = stop.address
        record[SCRATCH_EACH] = self._scratch_each
        record[MEETING] = self._meeting.ctypes.data
        given = {"column": columns, "rate": rates, "report": reports}
        for (kind, name), slot in self._slots.items():
            record[slot] = given[kind][name].ctypes.data
        return self._enter(record)

    def _enter(self, record: Array) -> int:
        """Run the slice, with as many threads as it is worth; no result depends on how many, or on the time."""
        threads = self._patience.threads(self.threads)
        entered = self._entry(many=threads > 1)
        record[THREADS] = threads
        address = int(record.ctypes.data)
        self._meeting[:] = 0
        done = [0] * threads

        def each(number: int) -> None:
            done[number] = int(entered.function(address, number))

        began = time.perf_counter()
        if threads == 1:
            each(0)
        else:
            CREW.run(each, threads)
        seconds = time.perf_counter() - began
        if threads > 1:
            slept = int(self._meeting[SLEPT])
            self._patience.note(done[0], seconds, slept, done[0] * entered.recipe.meetings, threads)
        elif self.threads > 1 and done[0] > 0:
            self._patience.note_alone(done[0], seconds)
        return done[0]

    def _entry(self, *, many: bool) -> Entered:
        """The function for one thread or for several, compiled when first asked for; most runs need but one."""
        if many not in self._entries:
            self._entries[many], _ = self._made(many=many)
        return self._entries[many]

    def _made(self, *, many: bool) -> tuple[Entered, int]:
        """The function and its recipe, and how many of its modules had to be compiled."""
        name = recipe_name(self._graph, self.plan, self._isa, many=many, hasty=self._hasty)
        recipe = read_recipe(name, self.plan)
        library = None if recipe is None else cache.load_kept(recipe.modules, [recipe.name])
        fresh = 0
        if recipe is None or library is None:
            began = time.perf_counter()
            from chainrule.backends.native import driver

            entry = driver.entry(self.code, many=many and self.code.is_shared)
            texts = [entry.text, *self.code.written.modules.values()]
            if self._hasty:
                texts = [HASTY + text.removeprefix(HASTY) for text in texts]
            self._text_seconds = time.perf_counter() - began
            fresh = sum(not cache.holds(text, self._isa) for text in texts)
            library = cache.load(texts, self._isa, [entry.name])
            modules = tuple(dict.fromkeys(cache.key(text, self._isa) for text in texts))
            code = self.code
            recipe = Recipe(entry.name, entry.meetings, modules, code.scratch, code.is_shared, places_of(self.plan))
            keep_recipe(name, recipe)
        function = library.function(recipe.name, ctypes.c_void_p, ctypes.c_int64, result=ctypes.c_int64)
        return Entered(recipe, function), fresh
