"""Instruction sets as data, and which one a machine gets."""

from __future__ import annotations

import pytest

from chainrule.backends.native import jit, machine
from chainrule.backends.native.jit import Host
from chainrule.backends.native.machine import ISAS, Isa
from chainrule.errors import BackendError, UnknownNameError
from tests.absent import require

require("llvmlite", "pip install llvmlite")

V3 = frozenset(machine.named("x86-64-v3").features)
V4 = frozenset(machine.named("x86-64-v4").features)
LINUX = "x86_64-unknown-linux-gnu"

HOSTS = {
    "x86-64-v4": Host(LINUX, "cascadelake", V4 | {"sse2", "avx512vnni"}),
    "x86-64-v3": Host(LINUX, "znver3", V3 | {"sse2", "aes"}),
    "x86-64": Host("x86_64-apple-darwin20", "sandybridge", frozenset({"sse2", "avx"})),
    "neon": Host("arm64-apple-darwin22", "apple-m1", frozenset()),
    "generic": Host("riscv64-unknown-linux-gnu", "generic-rv64", frozenset({"v"})),
}


@pytest.mark.parametrize("name", HOSTS)
def test_a_machine_gets_the_best_set_it_has(name: str) -> None:
    assert machine.chosen("", HOSTS[name]).name == name


def test_one_feature_masked_out_is_enough_for_the_next_set() -> None:
    for feature in V3:
        assert machine.chosen("", Host(LINUX, "masked", V4 - {feature})).name == "x86-64", feature
    for feature in V4 - V3:
        assert machine.chosen("", Host(LINUX, "masked", V4 - {feature})).name == "x86-64-v3", feature


def test_a_machine_may_be_told_to_use_less() -> None:
    best = HOSTS["x86-64-v4"]
    assert machine.chosen("x86-64-v3", best).name == "x86-64-v3"
    assert machine.chosen("avx2", best).name == "x86-64-v3"
    assert machine.chosen("generic", best).name == "generic"


def test_code_for_missing_features_is_refused_with_a_sentence() -> None:
    with pytest.raises(BackendError) as raised:
        machine.chosen("x86-64-v4", HOSTS["x86-64-v3"])
    assert str(raised.value) == (
        "CHAINRULE_CPU asks for x86-64-v4, and this processor (znver3) lacks avx512f, avx512bw, avx512cd, avx512dq, "
        "avx512vl; unset it, or set it to x86-64-v3"
    )


def test_code_for_another_architecture_is_refused_with_a_sentence() -> None:
    with pytest.raises(BackendError, match=r"lacks the architecture aarch64; unset it, or set it to x86-64-v3"):
        machine.chosen("neon", HOSTS["x86-64-v3"])
    with pytest.raises(BackendError, match=r"lacks the architecture x86_64; unset it, or set it to neon"):
        machine.chosen("avx2", HOSTS["neon"])


def test_an_unknown_set_is_answered_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'x86-64-v3'"):
        machine.chosen("x86-64-v33", HOSTS["x86-64-v3"])


def test_the_environment_overrides_detection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(machine.VARIABLE, "generic")
    assert machine.this_machine().name == "generic"
    monkeypatch.setenv(machine.VARIABLE, "")
    assert machine.this_machine() == machine.runnable()[0]
    monkeypatch.delenv(machine.VARIABLE)
    assert machine.this_machine() == machine.runnable()[0]


def test_this_machine_runs_the_plain_fallback_at_least() -> None:
    names = [isa.name for isa in machine.runnable()]
    assert names[-1] == "generic"
    assert all(not machine.missing(isa, jit.host()) for isa in machine.runnable())


@pytest.mark.parametrize("isa", ISAS, ids=lambda isa: isa.name)
def test_blocks_fit_the_registers(isa: Isa) -> None:
    for dtype, block in isa.blocks.items():
        assert block.rows == tuple(sorted(block.rows, reverse=True)), dtype
        accumulators = max(block.rows) * block.vectors
        spare = 1 if isa.fused else 2  # a product needs a place before it is added
        assert accumulators + block.vectors + spare <= isa.registers, dtype
        assert min(block.rows) * block.vectors >= 8, dtype  # latency 4 times 2 units


@pytest.mark.parametrize("isa", ISAS, ids=lambda isa: isa.name)
def test_lanes_fill_a_register(isa: Isa) -> None:
    assert isa.lanes("float32") * 4 == isa.lanes("float64") * 8 == isa.lanes("uint8") == isa.vector_bytes


def test_sets_are_values() -> None:
    assert len({isa.name for isa in ISAS}) == len(set(ISAS)) == len(ISAS)
    assert machine.named("arm64") is machine.named("neon")
