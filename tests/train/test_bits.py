"""The same experiment gives the same bits: in any process, for any hash seed, number of threads and extra outputs."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys

import numpy as np

from chainrule.backends.choose import choose
from chainrule.backends.protocol import Step, StopFlag
from chainrule.data.batches import epoch_order, offsets
from chainrule.data.load import load
from chainrule.nn.layers import Dense
from chainrule.train.fit import fit
from chainrule.train.prepare import prepare
from chainrule.train.resolve import design
from chainrule.train.state import initial_state
from chainrule.train.step import RATE

DIGEST = """
import hashlib
from chainrule.data.load import load
from chainrule.nn.layers import Dense
from chainrule.train.experiment import SplitPlan
from chainrule.train.fit import fit
from chainrule.train.resolve import design

digits = load("digits")
layers = [Dense(48, "gelu"), Dense(24, "relu"), Dense(10)]
result = fit(design(digits, layers, epochs=2, split=SplitPlan(validation_fraction=0.1)), digits)
digest = hashlib.sha256()
for name, value in result.state.items():
    digest.update(name.encode() + value.tobytes())
digest.update(repr(dict(result.history)).encode() + result.prepared.experiment.hash.encode())
print(digest.hexdigest())
"""


def digest(**environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", DIGEST],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    return done.stdout.strip()


def test_hash_seeds_and_threads_change_no_bit() -> None:
    threads = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
    seen = {
        digest(PYTHONHASHSEED=seed, **dict.fromkeys(threads, count))
        for seed, count in (("0", "1"), ("1", "2"), ("2", "1"), ("3", "2"), ("4", "2"))
    }
    assert len(seen) == 1


def test_asking_disturbs_nothing() -> None:
    """Every value on the way measured too, reduced to one number: the state keeps its bits."""
    from chainrule.graph import expr as e
    from chainrule.graph.expr import Expr
    from chainrule.graph.node import make_graph

    digits = load("digits")
    prepared = prepare(design(digits, [Dense(32, "tanh"), Dense(10)]), digits)
    step = prepared.graphs.train
    floats = [node for node in step.graph.nodes if node.tensor.is_float and node.primitive != "input"]
    asked = {f"sum {index}": e.sum(Expr(node)).node for index, node in enumerate(floats)}
    assert len(asked) > 50
    curious = Step(
        make_graph({**dict(step.graph.outputs), **asked}, step.graph.inputs, dict(step.graph.facts)),
        step.state,
        step.columns,
        step.rates,
        step.clock,
    )
    assert run(step) == run(curious)


def run(step: Step) -> str:
    """The digest of the state after an epoch of a step on the digits."""
    digits = load("digits")
    prepared = prepare(design(digits, [Dense(32, "tanh"), Dense(10)]), digits)
    program = choose("reference").compile(step)
    order = epoch_order(prepared.rows, 0, 0)
    cuts = offsets(len(order), 32)
    state = initial_state(prepared.experiment, prepared.record, prepared.graphs)
    rates = {RATE: np.full(len(cuts) - 1, 0.01)}
    done = program.run(program.start(state), prepared.columns, order, cuts, rates, 0, StopFlag())
    result = hashlib.sha256()
    for name, value in program.read(done.state).items():
        result.update(name.encode() + value.tobytes())
    return result.hexdigest()


def test_a_run_does_not_change_what_comes_after_it() -> None:
    digits = load("digits")
    experiment = design(digits, [Dense(10)], epochs=1)
    first = fit(experiment, digits)
    fit(design(digits, [Dense(12, "relu"), Dense(10)], epochs=1, seed=3), digits)
    again = fit(experiment, digits)
    assert {n: v.tobytes() for n, v in first.state.items()} == {n: v.tobytes() for n, v in again.state.items()}
