"""Who trains, and on how many threads: what is typed, and what is said where the preferred backend cannot."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from collections import OrderedDict
from pathlib import Path

import pytest

import chainrule as cr
from chainrule.backends import choose as chooser
from chainrule.backends.choose import Offer
from tests.cli.conftest import Command

BROKEN = Offer("broken", "chainrule.backends.missing_module", "Backend", "never seen")


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> None:
    """The preferred backend cannot be loaded."""
    monkeypatch.setattr(chooser, "OFFERS", (BROKEN, chooser.OFFERS[-1]))


def test_the_number_of_threads_changes_no_bit(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[bytes] = []
    for threads in ("1", "3"):
        monkeypatch.setenv("CHAINRULE_THREADS", "2")  # so that it is as before afterwards
        ended = command("train", "digits", "--hidden", "256,200", "--epochs", "1", "--threads", threads,
                        "--runs", str(tmp_path / threads))  # fmt: skip
        assert ended.code == 0
        assert os.environ["CHAINRULE_THREADS"] == threads
        (folder,) = (tmp_path / threads).iterdir()
        found.append((folder / "weights.safetensors").read_bytes())
    assert found[0] == found[1]


def test_a_number_of_threads_that_cannot_be_is_refused(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAINRULE_THREADS", "2")
    ended = command("train", "xor", "--threads", "0")
    assert ended.code == 2
    assert "from 1 to 64" in ended.err


@pytest.mark.usefixtures("broken")
def test_another_backend_serves_and_a_sentence_says_why(command: Command, tmp_path: Path) -> None:
    ended = command("train", "xor", "--epochs", "2", "--runs", str(tmp_path))
    start = json.loads(ended.out.splitlines()[0])
    assert (ended.code, start["backend"]) == (0, "reference")
    assert start["note"].startswith("the reference backend trains: the backend broken cannot be loaded")
    assert ended.err.strip() == start["note"]
    with pytest.warns(UserWarning, match="the reference backend trains: the backend broken"):
        run = cr.train(None, "xor", epochs=1, runs=None)
    assert run.epochs == 1


@pytest.mark.usefixtures("broken")
def test_a_backend_that_was_named_is_not_replaced(command: Command, tmp_path: Path) -> None:
    ended = command("train", "xor", "--backend", "broken", "--runs", str(tmp_path))
    assert ended.code == 1
    assert "the backend broken cannot be loaded" in ended.err
    assert not list(tmp_path.iterdir())


def test_without_a_compiler_the_reference_trains_and_says_so(tmp_path: Path) -> None:
    script = (
        "import sys\nsys.modules['llvmlite'] = None\nfrom chainrule.cli import main\n"
        f"sys.exit(main(['train', 'xor', '--epochs', '2', '--runs', {str(tmp_path)!r}]))\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    ended = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env=environment, check=False, timeout=120
    )
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout.splitlines()[0])["backend"] == "reference"
    assert "the reference backend trains: the native backend needs llvmlite" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_processor_with_features_masked_out_trains_all_the_same(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHAINRULE_CPU", "generic")
    monkeypatch.setattr(chooser, "_loaded", {})
    monkeypatch.setattr(chooser, "_programs", OrderedDict())
    ended = command("train", "xor", "--epochs", "2", "--runs", str(tmp_path / "plain"))
    assert (ended.code, json.loads(ended.out.splitlines()[0])["backend"]) == (0, "native")
    assert ended.err == ""
    monkeypatch.setenv("CHAINRULE_CPU", "neon" if platform.machine() in ("x86_64", "AMD64") else "x86-64-v3")
    monkeypatch.setattr(chooser, "_loaded", {})
    monkeypatch.setattr(chooser, "_programs", OrderedDict())
    ended = command("train", "xor", "--epochs", "2", "--runs", str(tmp_path / "other"))
    assert (ended.code, json.loads(ended.out.splitlines()[0])["backend"]) == (0, "reference")
    assert "lacks the architecture" in ended.err
