"""What is absent skips a test with a sentence, and fails it where nothing may be absent."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tests.absent import require


@pytest.fixture(autouse=True)
def anything_may_be_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CHECK_ALL", raising=False)


def test_what_is_here_is_handed_over() -> None:
    assert require("json", "it comes with Python") is json
    assert require(Path(__file__), "it is this file") == Path(__file__)
    assert require("bash", "every machine that runs the check has it").name == "bash"


@pytest.mark.parametrize("name", ["no_such_module", Path("no") / "such" / "no_such_module"])
def test_what_is_absent_skips_with_a_sentence(name: str | Path) -> None:
    with pytest.raises(pytest.skip.Exception, match="needs no_such_module, which is not here: pip install it"):
        require(name, "pip install it")


def test_what_is_absent_fails_where_nothing_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHECK_ALL", "1")
    with pytest.raises(pytest.fail.Exception, match="pip install it"):
        require("no_such_module", "pip install it")


def test_a_broken_module_is_not_called_absent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "broken_module.py").write_text("1 / 0\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ZeroDivisionError):
        require("broken_module", "repair it")
    assert "broken_module" not in sys.modules
