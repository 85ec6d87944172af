"""The same experiment gives the same bits, whatever the hash seed and the number of threads."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from tests.journeys.processes import chainrule

pytestmark = pytest.mark.journey
ENVIRONMENTS = [
    *({"PYTHONHASHSEED": seed, "OPENBLAS_NUM_THREADS": "1"} for seed in ("0", "1", "2", "3", "4")),
    {"PYTHONHASHSEED": "5", "OPENBLAS_NUM_THREADS": "2", "OMP_NUM_THREADS": "2"},
]


def test_hash_seeds_and_threads_change_no_bit(tmp_path: Path) -> None:
    digests: set[str] = set()
    for environment in ENVIRONMENTS:
        ended = chainrule(["train", "digits", "--epochs", "2", "--optimizer", "momentum"], tmp_path, environment)
        assert ended.code == 0, ended.err
        run = tmp_path / ended.end["run"]
        explained = chainrule(["explain", str(run), "--weight", "dense_2.W[3, 2]"], tmp_path, environment).out
        content = (run / "weights.safetensors").read_bytes() + explained.encode()
        digests.add(hashlib.sha256(content).hexdigest())
    assert len(digests) == 1
