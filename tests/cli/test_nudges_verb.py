"""`chainrule nudges` before a person and on a pipe."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from chainrule import errors
from tests.cli.conftest import Command


def test_weights_that_are_named(command: Command, terminal: Command, there: Path) -> None:
    assert there
    words = ("nudges", "digits", "--weight", "dense_1.W[28, 3]", "--weight", "dense_2.b[3]", "--samples", "0,1,2")
    shown = terminal(*words)
    assert shown.code == 0
    assert "dense_1.W[28, 3]" in shown.out
    assert max(map(len, shown.out.splitlines())) <= 80
    handed = json.loads(command(*words, "--format", "json").out)
    assert handed["samples"] == [0, 1, 2]
    assert [each["weight"] for each in handed["weights"]] == ["dense_1.W[28, 3]", "dense_2.b[3]"]


def test_the_loudest_of_a_unit_at_a_step(command: Command, terminal: Command, there: Path) -> None:
    assert there
    shown = terminal("nudges", "digits", "--unit", "dense_2[4]", "--top", "3", "--at", "50")
    assert "step 50 · batch 5 of epoch 2 · 32 samples" in shown.out
    assert "Three ways" in shown.out
    handed = json.loads(command("nudges", "digits", "--layer", "dense_2", "--batch", "1", "--format", "json").out)
    assert len(handed["weights"]) == 8
    assert all(each["weight"].startswith("dense_2.") for each in handed["weights"])
    assert handed["ranking"] == [each["weight"] for each in handed["weights"]]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--layer", "dense_9"), "unknown layer 'dense_9'"),
        (("--unit", "dense_1[16]"), "which has units 0 to 15"),
        (("--weight", "dense_1.W[64, 0]"), "lies outside dense_1.W"),
        (("--layer", "dense_1", "--unit", "dense_1[0]"), "give one of them"),
        (("--samples", "0", "--batch", "1"), "leave the others out"),
        (
            ("--weight", "dense_1.W[3,0]", "--weight", "dense_1.W[3, 0]"),
            "dense_1.W[3, 0] came 2 times: name each weight once",
        ),
        (("--samples", "0,0,0"), "sample 0 came 3 times, and a batch has each of its rows once: name it once"),
        (("--top", "0"), "at least 1"),
        (("--at", "91"), "has steps 0 to 90"),
    ],
)
def test_a_mistake_is_one_sentence(command: Command, there: Path, words: tuple[str, ...], said: str) -> None:
    assert there
    ended = command("nudges", "digits", *words)
    assert ended.code == errors.EXIT_USAGE
    assert said in ended.err
    assert len(ended.err.splitlines()) == 1
