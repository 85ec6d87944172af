"""A mistake in a real process: one sentence on stderr, nothing on stdout, exit code 2, no traceback."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.journeys.processes import chainrule

pytestmark = pytest.mark.journey


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["train", "digts"], "did you mean 'digits'"),
        (["train", "bad.csv", "--target", "y"], "line 2, column 'x': 'red'"),
        (["trian", "digits"], "did you mean 'train'"),
        (["train", "digits", "--layers", "dense(3)"], "10 units"),
        (["explain", "latest", "--weight", "dense_1.W[0, 0]"], "no run in"),
    ],
)
def test_a_mistake(tmp_path: Path, words: list[str], says: str) -> None:
    (tmp_path / "bad.csv").write_text("x,y\nred,1\n")
    ended = chainrule(words, tmp_path)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("error[")
    assert ended.err.count("\n") == 1
    assert says in ended.err


def test_a_terminal_without_unicode_is_served(tmp_path: Path) -> None:
    environment = {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    assert chainrule(["train", "xor", "--epochs", "1"], tmp_path, environment).code == 0
    explained = chainrule(["explain", "latest", "--weight", "dense_1.b[0]", "--sample", "0"], tmp_path, environment)
    assert explained.code == 0
    assert explained.out.isascii()
