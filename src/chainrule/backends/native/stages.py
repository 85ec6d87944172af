"""Each group as a function: its text, what the driver must hand to it, and what threads may share of its work."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec

from chainrule.backends.native.body import Body, Given, Parameters
from chainrule.backends.native.fetching import Fetch, fetches, idle
from chainrule.backends.native.grouping import Group
from chainrule.backends.native.ir import Builder, Module
from chainrule.backends.native.layout import Extent
from chainrule.backends.native.loops import LoopWriter
from chainrule.backends.native.machine import Isa
from chainrule.backends.native.products import ProductWriter
from chainrule.backends.native.reports import ReportWriter
from chainrule.backends.native.schedule import Schedule
from chainrule.backends.native.stacks import StackWriter
from chainrule.graph.node import Node


class Count(msgspec.Struct, frozen=True):
    """How many pieces a group's work has that threads may share: an extent, its panels, or its blocks of rows."""

    kind: str
    extent: Extent
    most: int = 1


class Stage(msgspec.Struct, frozen=True):
    """One call the driver makes.

    Attributes:
        function: the name of the function.
        given: what it is handed, in order.
        count: what `low` and `high` count; None where there is nothing to share.
        group: the number of the group; that of a report follows those of the groups.
        scratch: bytes of scratch it needs.
    """

    function: str
    given: tuple[Given, ...]
    count: Count | None
    group: int
    scratch: int = 0


@dataclass(slots=True)
class Stages:
    """All the functions of a plan and the calls in order.

    Attributes:
        plan: what is written.
        isa: for which instruction set.
        calls: in order, one for each group, then one for each report.
        modules: the text of each function by its name, which is made of the text: groups of one form share one.
    """

    plan: Schedule
    isa: Isa
    calls: list[Stage] = field(default_factory=list[Stage])
    modules: dict[str, str] = field(default_factory=dict[str, str])


NAMELESS: Final = "cr_function"
NAME_DIGITS: Final = 24


def stages(plan: Schedule, isa: Isa) -> Stages:
    """Write every group of a plan."""
    result = Stages(plan, isa)
    fetched = fetches(plan)
    fetched |= idle(plan, fetched)
    for number, group in enumerate(plan.groups):
        _add(result, number, group, fetched.get(number, ()))
    for k, (name, node) in enumerate(plan.reports):
        _add_report(result, len(plan.groups) + k, name, node)
    return result


def _add(result: Stages, number: int, group: Group, fetched: Sequence[Fetch]) -> None:
    module, parameters = Module(result.isa), Parameters()
    body = Body(result.plan, group, number, _builder(module), parameters)
    scratch = 0
    if group.head is None:
        writer = LoopWriter(body, group)
        count = _loop_count(writer, group)
    elif group.head.tensor.rank > 2:
        writer = StackWriter(body, group)
        count = _loop_count(writer, group)
    else:
        writer = ProductWriter(body, group, result.isa, fetched)
        count = Count(*writer.counted)
        scratch = writer.scratch
    writer.write()
    if isinstance(writer, ProductWriter):
        result.modules.update(writer.kernels)
    _finish(result, module, body, count, number, scratch)


def _loop_count(writer: LoopWriter, group: Group) -> Count | None:
    if writer.shared is None:
        return None
    return Count("panels" if writer.shared.lanes else "extent", group.space[writer.shared.axis])


def _add_report(result: Stages, number: int, name: str, node: Node) -> None:
    module, parameters = Module(result.isa), Parameters()
    group = Group(tuple(e for e in result.plan.sizes.extents(node.tensor.shape) if not e.is_one), [])
    body = Body(result.plan, group, number, _builder(module), parameters)
    ReportWriter(body, group, name, node).write()
    _finish(result, module, body, None, number, 0)


def _builder(module: Module) -> Builder:
    return module.function(NAMELESS, None, ())


def _finish(result: Stages, module: Module, body: Body, count: Count | None, number: int, scratch: int) -> None:
    body.b.give()
    given = tuple(body.parameters.given.values())
    kinds = ", ".join(f"{body.parameters.type_of(g)} %a{k}" for k, g in enumerate(given))
    text = module.text().replace(f"@{NAMELESS}()", f"@{NAMELESS}({kinds})", 1)
    name = f"cr_{hashlib.sha256(text.encode()).hexdigest()[:NAME_DIGITS]}"
    result.modules.setdefault(name, text.replace(f"@{NAMELESS}(", f"@{name}(", 1))
    result.calls.append(Stage(name, given, count, number, scratch))
