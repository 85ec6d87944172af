"""The floor's arithmetic, by hand, and what the probe must read."""

from __future__ import annotations

import statistics
from dataclasses import replace

import pytest

from chainrule.backends.native.machine import ISAS, named, runnable
from chainrule.backends.native.probe import RANGES, ROUNDS, Probe, flaw, probe_text
from chainrule.bench.floor import Limits, floor_seconds, flops, share_of_peak
from chainrule.bench.oracle import task_of
from chainrule.bench.task import Recipe
from tests.absent import require
from tests.bench.cases import case_of, small_samples

# A processor of 3.24 GHz with two units of eight lanes.
LIMITS = Limits(gflops=103.68, ghz=3.24, latency=4.0, light_ghz=3.5, lanes=8)


def recipe_of(workload: str, optimizer: str = "sgd") -> Recipe:
    case = case_of(workload, "adam" if optimizer == "adam" else "sgd")
    recipe = task_of(case, small_samples(case, 200), 1).recipe
    return replace(recipe, batch=10_000) if workload == "W9" else recipe


@pytest.mark.parametrize(
    ("workload", "optimizer", "per_sample"),
    [
        # 4 · 784 · 16 + 6 · (16 · 16 + 16 · 10)
        ("W2", "sgd", 52_672),
        # 4 · 784 · 128 + 6 · (128 · 64 + 64 · 10)
        ("W3", "sgd", 454_400),
        # 4 · 784 · 512 + 6 · (512 · 512 + 512 · 10)
        ("W4", "sgd", 3_209_216),
        # 4 · 4 · 32 + 6 · (32 · 16 + 16 · 4)
        ("W9", "adam", 3_968),
    ],
)
def test_flops_are_those_of_the_products(workload: str, optimizer: str, per_sample: int) -> None:
    recipe = recipe_of(workload, optimizer)
    assert flops(recipe) == recipe.batch * per_sample


def test_the_floor_is_flops_over_peak() -> None:
    recipe = recipe_of("W2")
    assert floor_seconds(recipe, LIMITS) == pytest.approx(526_720 / 103.68e9)  # 5.08 µs
    assert floor_seconds(replace(recipe, cores=2), LIMITS) == pytest.approx(526_720 / 207.36e9)


def test_the_floor_of_narrow_layers_includes_tanh() -> None:
    # 39.68 Mflop in 0.3827 ms; 480,000 tanh in vectors of 8 at 7.5 cycles in 0.1389 ms
    assert floor_seconds(recipe_of("W9", "adam"), LIMITS) == pytest.approx(0.3827e-3 + 0.1389e-3, rel=1e-3)
    wide = replace(LIMITS, lanes=16)
    assert floor_seconds(recipe_of("W9", "adam"), wide) == pytest.approx(0.3827e-3 + 0.0694e-3, rel=1e-3)


def test_the_floor_of_the_smallest_network_is_a_chain() -> None:
    # 28 operations of 4 cycles at the clock of code without wide vectors; a second core does not help
    recipe = recipe_of("W1")
    assert floor_seconds(recipe, LIMITS) == pytest.approx(28 * 4 / 3.5e9)
    assert floor_seconds(replace(recipe, cores=2), LIMITS) == floor_seconds(recipe, LIMITS)


def test_the_share_of_the_peak_counts_the_cores() -> None:
    recipe = recipe_of("W2")
    assert share_of_peak(recipe, 2 * 526_720 / 103.68e9, LIMITS) == pytest.approx(0.5)
    assert share_of_peak(replace(recipe, cores=2), 526_720 / 103.68e9, LIMITS) == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("isa", "read", "is_void"),
    [
        ("x86-64-v3", 32.0, False),
        ("x86-64-v3", 31.0, False),
        ("x86-64-v3", 30.9, True),
        ("x86-64-v3", 40.0, True),  # the clock was read while disturbed
        ("x86-64-v4", 63.5, False),
        ("x86-64-v4", 61.9, True),
        ("x86-64-v4", 40.0, True),  # two units, and something else was running
        ("x86-64-v4", 31.5, False),  # one unit
        ("x86-64-v4", 30.0, True),
        ("neon", 15.9, False),
        ("neon", 24.0, True),
        ("neon", 7.9, False),  # one unit
        ("neon", 47.5, False),  # six
        ("neon", 0.1, True),  # emulated
    ],
)
def test_a_reading_below_the_processor_voids_the_run(isa: str, read: float, is_void: bool) -> None:
    assert bool(flaw(isa, read)) is is_void
    assert not is_void or f"reads {read:.1f} flops a cycle" in flaw(isa, read)


def test_every_instruction_set_has_its_range_and_its_probe() -> None:
    require("llvmlite", "pip install llvmlite")
    from chainrule.backends.native.jit import assembly

    assert RANGES.keys() == {isa.name for isa in ISAS}
    for isa in ISAS:
        assert "cr_peak" in assembly(probe_text(isa), isa)


@pytest.mark.parametrize(("name", "word"), [("x86-64-v3", "vfmadd"), ("x86-64-v4", "vfmadd"), ("neon", "fmla")])
def test_the_loop_of_the_peak_is_nothing_but_multiply_adds(name: str, word: str) -> None:
    require("llvmlite", "pip install llvmlite")
    from chainrule.backends.native.jit import assembly

    isa = named(name)
    said = assembly(probe_text(isa), isa)
    loop = said.partition("cr_peak:")[2].partition("cr_wait:")[0].partition("LBB0_1:")[2].partition("LBB0_1")[0]
    instructions = [line.split()[0] for line in loop.splitlines() if line.strip()]
    steps = [each for each in instructions if each.startswith(word)]
    assert len(steps) == ROUNDS * (isa.registers - 4)
    assert len(instructions) <= len(steps) + 3  # that count and jump: no register is copied, nothing lies in memory
    assert not any("(%" in line or "[sp" in line for line in loop.splitlines())


def test_the_burst_between_windows_is_as_many_simple_instructions_as_fit() -> None:
    require("llvmlite", "pip install llvmlite")
    from chainrule.backends.native.jit import assembly

    said = assembly(probe_text(named("x86-64-v3")), named("x86-64-v3"))
    loop = said.partition("cr_issue:")[2].partition(".LBB3_1:")[2].partition("\tj")[0]
    assert loop.count("addq") + loop.count("xorq") >= 32  # four rounds of eight chains
    assert "mov" not in loop, "a chain lies in memory, or is copied"


def test_the_probe_reads_something_here() -> None:
    require("llvmlite", "pip install llvmlite")
    probe = Probe(runnable()[0])
    read = probe.read(repetitions=3)
    assert read.gflops > 0.1
    assert read.light_ghz >= read.ghz > 0.1
    assert read.latency > 0.5
    assert 0.2 < statistics.median(probe.attention().per_cycle for _ in range(41)) < 12  # one alone may be interrupted
