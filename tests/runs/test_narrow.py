"""Gradient and update in float32: whose numbers they are, and what has to be loaded to compute them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import chainrule as cr
from tests.absent import require


@pytest.mark.parametrize("backend", ["reference", "native"])
def test_rows_that_training_takes_otherwise_are_computed_in_numpy(backend: str) -> None:
    """Only of the batch that comes next, in its order, does the page say what training computes."""
    if backend == "native":
        require("llvmlite", "pip install llvmlite")
    run = cr.train([cr.Dense(5, "tanh"), cr.Dense(2)], "moons", epochs=2, backend=backend, batch_size=16, runs=None)
    following: Any = run.explain("dense_1.W[1, 3]").data
    told: list[Any] = [following["trained"]]
    for rows in (following["rows"], following["rows"][::-1], following["rows"][:1]):
        page = run.explain("dense_1.W[1, 3]", samples=rows)
        told.append(page.data["trained"])
        said_of_it = " ".join(page.text.split())
        assert ("training computes" in said_of_it) == ("would lead" not in said_of_it) == (rows == following["rows"])
        assert ("NumPy computes" in said_of_it) == ("takes other rows" in said_of_it) == (rows != following["rows"])
    assert [each["is_next"] for each in told] == [True, True, False, False]
    assert told[1] == told[0]
    assert told[2]["gradient"] == pytest.approx(told[0]["gradient"], rel=1e-4)
    layer: Any = run.explain(layer="dense_1", sample=3)
    assert "NumPy's gradients are off by at most" in " ".join(layer.text.split())
    assert "its own gradients are off by at most" in " ".join(run.explain(layer="dense_1").text.split())


def test_a_sample_needs_no_compiler(tmp_path: Path) -> None:
    """Rows that no step takes are explained without the native backend being loaded, or what other pages need."""
    require("llvmlite", "pip install llvmlite")
    folder = cr.train([cr.Dense(2)], "moons", epochs=1, backend="native", runs=tmp_path).path
    program = (
        "import sys, chainrule as cr\n"
        "run = cr.open_run(sys.argv[1])\n"
        "run.explain('dense_1.W[0, 0]', sample=3)\n"
        "assert not {'llvmlite', 'numpy.ma', 'chainrule.explain.derivation'} & set(sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", program, str(folder)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
