"""Rows of results as a machine could have given them."""

from __future__ import annotations

from dataclasses import replace

from chainrule.bench.row import Row
from chainrule.bench.surroundings import Machine

MACHINE = Machine(
    processor="A processor at 3.24 GHz",
    cores=2,
    system="Linux 6.1",
    python="3.11.9",
    governor="performance",
    date="2026-01-02 03:04",
    load=0.25,
    busy=0.01,
)

NATIVE = Row(
    workload="W2",
    optimizer="sgd",
    storage="uint8",
    system="chainrule native",
    variant="slices of training",
    effort="documented",
    cores=1,
    samples="MNIST's training rows",
    best_us=7.5,
    p25_us=7.75,
    median_us=8.0,
    windows=200,
    steps_per_window=1333,
    floor_us=5.08,
    instruction_set="x86-64-v3",
    probe_gflops=103.68,
    flops_per_cycle=32.0,
    share_of_peak=0.677,
    share_of_floor=0.677,
    compile_ms=41.2,
    loss_error=2e-7,
    stolen=0.0,
    versions={"chainrule": "0.1.0", "numpy": "2.4.0"},
    machine=MACHINE,
)
SCAN = replace(
    NATIVE, system="JAX scan", variant="scan with optax", best_us=30.0, p25_us=31.0, share_of_peak=0.169,
    compile_ms=1234.0, versions={"jax": "0.10.2"},
)  # fmt: skip
NOISY = replace(SCAN, system="NumPy by hand", variant="expressions", best_us=77.0, void="the machine changed")
ABSENT = Row(
    workload="W2", optimizer="sgd", storage="uint8", system="tinygrad", variant="TinyJit", effort="documented",
    cores=1, samples="MNIST's training rows", void="tinygrad cannot be imported here: run pip install it",
    machine=MACHINE,
)  # fmt: skip
OTHER_CASE = replace(NATIVE, workload="W1", storage="float32", best_us=0.06, floor_us=0.03)
ROWS = (SCAN, ABSENT, NOISY, NATIVE, OTHER_CASE)
