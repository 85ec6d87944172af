"""How the native backend does a run's step: what it computes together, where values lie, what the machine allows."""

from __future__ import annotations

import time
from numbers import Integral
from typing import Any, Final

import msgspec

from chainrule.backends.native import NativeBackend
from chainrule.backends.native.machine import Isa
from chainrule.backends.native.plan import Fused, Place, Plan
from chainrule.backends.native.probe import Probe, Reading
from chainrule.document import (
    COUNT,
    Block,
    Column,
    Document,
    Labeled,
    Number,
    NumberStyle,
    Paragraph,
    Row,
    Summary,
    Table,
)
from chainrule.document.content import Plain
from chainrule.errors import ValueRangeError
from chainrule.errors.calls import check_kind
from chainrule.runs.page import Page
from chainrule.train.prepare import Prepared
from chainrule.train.step import build

BURSTS: Final = 12  # of the probe: a few milliseconds
NODES_SHOWN: Final = 3  # of a stage
NAMES_SHOWN: Final = 3
PLACES_SHOWN: Final = 8
THREE: Final = NumberStyle("significant", 3)


def plan_page(name: str, prepared: Prepared, batch: int | None) -> Page:
    """The plan of a run's step.

    Args:
        name: of the run.
        prepared: its experiment, data and graphs.
        batch: rows of the largest batch; None for that of the experiment.

    Raises: BackendError when llvmlite is missing, or the backend lacks a primitive of the step; ValueRangeError.
    """
    if batch is not None:
        check_kind("batch_size", batch, Integral, "how many rows, a whole number such as 32")
        if batch < 1:
            raise ValueRangeError(f"batch_size is {batch}; a batch has at least one row")
    backend = NativeBackend()
    rows = min(batch or prepared.experiment.batch_size, max(len(prepared.rows), 1))
    began = time.perf_counter()
    step = build(prepared.experiment, prepared.record).train
    passes = time.perf_counter() - began
    plan = backend.compile(step).plan(rows)
    limits = Probe(backend.isa).read(BURSTS)
    return _page(name, plan, backend.isa, limits, passes)


def _page(name: str, plan: Plan, isa: Isa, limits: Reading, passes: float) -> Page:
    seconds = [_at_best(stage, isa, limits) for stage in plan.stages]
    blocks: tuple[Block, ...] = (
        Labeled("Machine", (Paragraph(_machine_in_words(isa, limits)),)),
        _stages(plan, seconds),
        *_products(plan),
        Labeled("A step", (Paragraph(_step_in_words(plan, sum(seconds))),)),
        Labeled("Memory", (Paragraph(_memory_in_words(plan)), *_places(plan))),
        Labeled("Compiled", (Paragraph(_effort_in_words(plan, passes)),)),
    )
    lies = "in registers" if plan.tier == "registers" else "in panels of 16 columns"
    context = f"batch of {plan.batch}, {lies}"
    data = _data(name, plan, limits, passes, seconds)
    return Page(Document(name, blocks, subtitle="the plan of a step", context=context, name="plan", data=data))


def _at_best(stage: Fused, isa: Isa, limits: Reading) -> float:
    """Seconds on one core when either its arithmetic or its memory, a vector a cycle, never waits."""
    return max(stage.flops / limits.gflops, stage.bytes / (isa.vector_bytes * limits.ghz)) / 1e9


# ---- in words ----


def _machine_in_words(isa: Isa, limits: Reading) -> str:
    return (
        f"{isa.name} at {limits.ghz:.2f} GHz: a core does {limits.gflops:.0f} GFLOP/s at most, as read just now, and "
        f"moves {isa.vector_bytes * limits.ghz:.0f} GB/s, a vector a cycle"
    )


def _step_in_words(plan: Plan, best: float) -> str:
    shared = sum(stage.shared for stage in plan.stages)
    alone = plan.threads == 1 or not shared
    threads = "; one thread" if alone else f"; {plan.threads} threads share {shared:,} of {len(plan.stages):,} stages"
    strips = f"; {_strips_in_words(plan)}" if plan.strip else ""
    copies = f"; {plan.copies:,} next values are copied at the end" if plan.copies else ""
    work = f"{plan.flops:,} floating-point operations in products, {best * 1e6:.3g} µs at best on one core"
    return f"{work}{threads}{strips}{copies}"


def _strips_in_words(plan: Plan) -> str:
    inside = [number for number, stage in enumerate(plan.stages, 1) if stage.strips]
    return (
        f"{plan.strip:,} rows at a time pass through stages {inside[0]} to {inside[-1]}, so that they stay in the cache"
    )


def _memory_in_words(plan: Plan) -> str:
    apart = sum(place.bytes for place in plan.places if place.arena == "work")
    saved = f"; {apart:,} if no place were used twice" if apart > plan.work_bytes else ""
    scratch = f", {plan.scratch_bytes:,} of scratch a thread" if plan.scratch_bytes else ""
    return f"{plan.state_bytes:,} bytes for the state, {plan.work_bytes:,} to work in{saved}{scratch}"


def _effort_in_words(plan: Plan, passes: float) -> str:
    effort = plan.effort
    total = effort.plan + effort.text + effort.code
    kept = "all" if effort.kept == effort.modules else "none" if effort.kept == 0 else str(effort.kept)
    text = f"text {_ms(effort.text)}" if effort.text else "no text, since the program is known"
    return (
        f"graph passes {_ms(passes)}; from plan to code {_ms(total)}: plan {_ms(effort.plan)}, {text}, "
        f"code {_ms(effort.code)}, {kept} of its {effort.modules} pieces from the cache"
    )


def _ms(seconds: float) -> str:
    return f"{1e3 * seconds:.1f} ms"


# ---- tables ----


def _stages(plan: Plan, seconds: list[float]) -> Table:
    rows = tuple(
        Row(
            (
                str(number),
                _few(stage.nodes, NODES_SHOWN, " → "),
                _few(stage.names, NAMES_SHOWN, ", "),
                Number(stage.bytes),
                Number(1e6 * best),
            )
        )
        for number, (stage, best) in enumerate(zip(plan.stages, seconds, strict=True), 1)
    )
    columns = (
        Column("stage", heading=True),
        Column("computed together"),
        Column("reads, updates"),
        Column("bytes", style=COUNT),
        Column("µs at best", style=THREE),
    )
    everything = Number(sum(stage.bytes for stage in plan.stages))
    total = Summary("all", (None, None, None, everything, Number(1e6 * sum(seconds))))
    return Table(columns, rows, total=total, name="stages")


def _products(plan: Plan) -> list[Block]:
    rows = tuple(
        Row((str(number), stage.kernel, _size(stage), Number(stage.flops)))
        for number, stage in enumerate(plan.stages, 1)
        if stage.kernel
    )
    columns = (Column("stage", heading=True), Column("kernel"), Column("product"), Column("flop", style=COUNT))
    return [Table(columns, rows, name="products")] if rows else []


def _size(stage: Fused) -> str:
    """Rows and columns of the result, and over how many each element is summed."""
    elements = 1
    for length in stage.space:
        elements *= length
    return f"{' × '.join(map(str, stage.space)) or '1'} over {stage.flops // (2 * elements)}"


def _places(plan: Plan) -> list[Block]:
    """The places of the work arena that are used more than once, largest first."""
    found: dict[int, list[Place]] = {}
    for place in plan.places:
        if place.arena == "work":
            found.setdefault(place.offset, []).append(place)
    shared = sorted((each for each in found.values() if len(each) > 1), key=lambda each: -max(p.bytes for p in each))
    rows = tuple(
        Row((f"{turns[0].offset:,}", _few(tuple(map(_turn, turns)), 4, ", then "), Number(max(p.bytes for p in turns))))
        for turns in shared[:PLACES_SHOWN]
    )
    columns = (Column("place", heading=True), Column("holds in turn (stages)"), Column("bytes", style=COUNT))
    return [Table(columns, rows, name="places")] if rows else []


def _turn(place: Place) -> str:
    last = f" to {place.last + 1}" if place.last > place.first else ""
    return f"{place.value} ({place.first + 1}{last})"


def _few(words: tuple[str, ...], most: int, between: str) -> str:
    more = len(words) - most
    return between.join(words) if more <= 0 else f"{between.join(words[:most])} and {more} more"


def _data(name: str, plan: Plan, limits: Reading, passes: float, seconds: list[float]) -> dict[str, Plain]:
    data: dict[str, Any] = msgspec.to_builtins(plan)
    for stage, best in zip(data["stages"], seconds, strict=True):
        stage["seconds_at_best"] = best
    data["effort"]["passes"] = passes
    return {
        "run": name,
        **data,
        "flops": plan.flops,
        "bytes": plan.bytes,
        "seconds_at_best": sum(seconds),
        "gflops": limits.gflops,
        "ghz": limits.ghz,
    }
