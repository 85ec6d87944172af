"""The golden fixture itself: it compares, it rewrites when told to, and it says how."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import Golden

NAME = "fixture.txt"
KEPT = Path(__file__).parent / "golden" / NAME


def test_the_kept_text_passes_and_another_fails(golden: Golden, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("UPDATE_GOLDEN", raising=False)
    golden(NAME, KEPT.read_text(encoding="utf-8"))
    with pytest.raises(pytest.fail.Exception, match="UPDATE_GOLDEN=1 rewrites it"):
        golden(NAME, "something else\n")
    with pytest.raises(pytest.fail.Exception, match=r"write it with UPDATE_GOLDEN=1 pytest test_golden\.py"):
        golden("absent.txt", "")


def test_rewriting_keeps_the_text_to_the_byte(golden: Golden, monkeypatch: pytest.MonkeyPatch) -> None:
    before = KEPT.read_bytes()
    monkeypatch.setenv("UPDATE_GOLDEN", "1")
    golden(NAME, "∂L/∂W\r\n")
    try:
        assert KEPT.read_bytes() == "∂L/∂W\r\n".encode()
    finally:
        KEPT.write_bytes(before)
