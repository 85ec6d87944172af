"""A run on digits that the tests of this room ask things of, trained once."""

from __future__ import annotations

from pathlib import Path

import pytest

import chainrule as cr


@pytest.fixture(scope="session")
def runs_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home") / "runs"


@pytest.fixture(scope="session")
def digits_run(runs_folder: Path) -> cr.Run:
    """Three epochs on digits, 64-16-10, written to a folder."""
    net = cr.Network([cr.Dense(16, "relu", kernel_initializer="he_uniform"), cr.Dense(10)])
    return cr.train(net, "digits", optimizer=cr.SGD(0.1, momentum=0.9), epochs=3, seed=1, runs=runs_folder)
