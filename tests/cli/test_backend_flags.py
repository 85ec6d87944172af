"""Who trains, and on how many threads: what is typed, and what is said where the preferred backend cannot."""

from __future__ import annotations

import json
import os
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
