"""Code for other processors: what is written for one is the same on every machine, and holds nothing of another."""

from __future__ import annotations

import re
from typing import Final

import pytest

from chainrule.backends.native import driver, jit
from chainrule.backends.native.ir import Module
from chainrule.backends.native.jit import Host
from chainrule.backends.native.layout import Sizes
from chainrule.backends.native.machine import ISAS, Isa
from chainrule.backends.native.meeting import write_barrier
from chainrule.backends.native.schedule import Roles, schedule
from chainrule.backends.native.vector_math import FUNCTIONS, Float, library
from chainrule.graph.tensor_type import DType
from tests.absent import require
from tests.backends.native.networks import network_step

require("llvmlite", "pip install llvmlite")

MACHINES: Final = {
    "x86_64": Host("x86_64-unknown-linux-gnu", "cascadelake", frozenset({"avx2", "fma"})),
    "aarch64": Host("aarch64-unknown-linux-gnu", "neoverse-n1", frozenset()),
}
STORED: Final[tuple[DType, ...]] = ("float16", "uint8")
FLOATS: Final[tuple[Float, ...]] = ("float32", "float64")
KNOWN: Final = [isa for isa in ISAS if isa.architecture]
OWN: Final = {"x86_64": "llvm.x86.", "aarch64": "llvm.aarch64."}  # how the names of an architecture's intrinsics begin


def written(isa: Isa) -> list[str]:
    """All that a step of training takes, for several threads; and every function of one operand."""
    texts = [library(isa, [(name, dtype, isa.lanes(dtype)) for name in FUNCTIONS for dtype in FLOATS])]
    for stored, optimizer, bend in zip(STORED, ("adam", "momentum"), ("tanh", "relu"), strict=True):
        step = network_step((40, 24, 10), loss="cross_entropy", stored=stored, optimizer=optimizer, activation=bend)
        plan = schedule(step.graph, Roles.of(step), Sizes.of({}, step.size, 500))
        code = driver.write(plan, isa)
        assert code.is_shared
        texts += [driver.entry(code, many=True).text, *code.written.modules.values()]
    return texts


def barrier(isa: Isa) -> str:
    """Its machine code."""
    module = Module(isa)
    write_barrier(module)
    return jit.assembly(module.text().replace("define internal", "define"), isa)


@pytest.mark.parametrize("isa", ISAS, ids=lambda isa: isa.name)
def test_no_set_is_given_what_another_architecture_has(isa: Isa) -> None:
    foreign = [begin for architecture, begin in OWN.items() if architecture != isa.architecture]
    for text in written(isa):
        assert not any(begin in text for begin in foreign)
        assert jit.compile_object(text, isa)


@pytest.mark.parametrize("isa", KNOWN, ids=lambda isa: isa.name)
def test_what_is_written_is_the_same_on_every_machine(isa: Isa, monkeypatch: pytest.MonkeyPatch) -> None:
    found: list[list[str]] = []
    for host in MACHINES.values():
        monkeypatch.setattr(jit, "host", lambda host=host: host)
        found.append(written(isa))
    assert found[0] == found[1]
    assert any("@syscall" in text for text in found[0])  # of which the number is the set's own


@pytest.mark.parametrize(
    ("architecture", "pause", "number"), [("x86_64", "pause", r"movl\s+\$202,"), ("aarch64", "isb", r"mov\s+w0, #98\b")]
)
def test_each_architecture_waits_in_its_own_way(
    architecture: str, pause: str, number: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jit, "host", lambda: MACHINES[architecture])
    for isa in KNOWN:
        if isa.architecture == architecture:
            said = barrier(isa)
            assert [line.split()[0] for line in said.splitlines() if line.strip()].count(pause) == 1
            assert len(re.findall(number, said)) == 2  # to sleep, and to wake


def test_a_system_without_that_call_yields(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jit, "host", lambda: Host("arm64-apple-darwin22", "apple-m1", frozenset()))
    said = barrier(next(isa for isa in ISAS if isa.name == "neon"))
    assert "sched_yield" in said
    assert "syscall" not in said
