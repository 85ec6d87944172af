"""Runs that are told in reports: digits, trained once, and a run of every kind of task."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import chainrule as cr


@pytest.fixture(scope="session")
def runs_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("reported") / "runs"


@pytest.fixture(scope="session")
def digits_run(runs_folder: Path) -> cr.Run:
    """Three epochs on digits, 64-16-10, a tenth of the training rows for validation."""
    net = cr.Network([cr.Dense(16, "relu", kernel_initializer="he_uniform"), cr.Dense(10)])
    return cr.train(
        net, "digits", optimizer=cr.SGD(0.1), epochs=3, seed=1, validation_split=0.1, dtype="float64", runs=runs_folder
    )


@pytest.fixture(scope="session")
def table_run(runs_folder: Path) -> cr.Run:
    """Eight epochs on a table of six features with two targets."""
    x = np.array([[np.sin(7 * row + 3 * column) for column in range(6)] for row in range(400)])
    y = np.stack((3 * x[:, 0] - x[:, 1] ** 2, 10 + x[:, 2]), axis=1)
    net = cr.Network([cr.Dense(8, "tanh"), cr.Dense(2)])
    return cr.train(net, x, y, epochs=8, seed=2, name="table", runs=runs_folder)


def stopped(runs: Path) -> cr.Run:
    """Asked to stop in the second epoch."""
    stopper = cr.Stopper()

    def ask(event: object) -> None:
        if isinstance(event, cr.EpochDone):
            stopper.ask()

    return cr.train(None, "moons", epochs=50, listeners=[ask], stopper=stopper, runs=runs)


def hostile(runs: Path) -> cr.Run:
    """Names from outside that try to be markup, to end what they stand in, or to fill the page."""
    x = np.array([[np.sin(row), np.cos(row), row / 30] for row in range(30)])
    labels = np.array(["</style><script>alert(1)</script>", "<img src=x onerror=alert(2)>", "\u202eevil\x1b[31m"])
    y = labels[np.arange(30) % 3]
    data = cr.load((x, y))
    net = cr.Network([cr.Dense(4, "relu"), cr.Dense(3)])
    return cr.train(net, data, epochs=2, name="</title><b>&" + "w" * 40, runs=runs)


TASKS: dict[str, Callable[[Path], cr.Run]] = {
    "xor": lambda runs: cr.train(cr.Network([cr.Dense(4, "tanh"), cr.Dense(2)]), "xor", epochs=30, runs=runs),
    "moons with validation": lambda runs: cr.train(None, "moons", epochs=2, validation_split=0.2, runs=runs),
    "one weight": lambda runs: cr.train(cr.Network([cr.Dense(1, use_bias=False)]), "one_weight", epochs=3, runs=runs),
    "one output for two classes": lambda runs: cr.train(
        cr.Network([cr.Dense(4, "relu"), cr.Dense(1, "sigmoid")]), "circles", epochs=1, runs=runs
    ),
    "stopped on the way": stopped,
    "in memory": lambda _: cr.train(None, "spirals", epochs=2, runs=None),
    "hostile names": hostile,
}


@pytest.fixture(scope="session", params=TASKS)
def any_run(request: pytest.FixtureRequest, runs_folder: Path) -> cr.Run:
    """A run of each kind."""
    return TASKS[request.param](runs_folder)
