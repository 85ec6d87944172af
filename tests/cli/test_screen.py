"""The terminal is respected: its width, its colors, its characters."""

from __future__ import annotations

import io
import json

import pytest

from chainrule.cli.screen import screen_of
from tests.cli.conftest import Terminal


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "CI", "TERM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "72")


def test_a_terminal_gets_colors_a_live_line_and_its_width() -> None:
    screen = screen_of(Terminal())
    assert (screen.width, screen.color, screen.live, screen.person, screen.ascii) == (72, True, True, True, False)


def test_a_pipe_gets_none_of_it() -> None:
    screen = screen_of(io.StringIO())
    assert (screen.width, screen.color, screen.live, screen.person) == (72, False, False, False)


def test_where_nobody_says_how_wide_it_is_there_are_80_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS")
    assert screen_of(io.StringIO()).width == 80


@pytest.mark.parametrize(
    ("name", "value", "color", "live"),
    [("NO_COLOR", "1", False, True), ("CI", "true", True, False), ("TERM", "dumb", False, False)],
)
def test_the_environment_is_respected(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, color: bool, live: bool
) -> None:
    monkeypatch.setenv(name, value)
    screen = screen_of(Terminal())
    assert (screen.color, screen.live) == (color, live)


@pytest.mark.parametrize(("columns", "width"), [("10", 20), ("40", 40), ("300", 100)])
def test_width_has_its_limits(monkeypatch: pytest.MonkeyPatch, columns: str, width: int) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    assert screen_of(Terminal()).width == width
    assert screen_of(Terminal(), width=33).width == 33


def test_a_terminal_without_unicode_gets_ascii() -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="latin-1")
    screen = screen_of(stream)
    assert screen.ascii
    screen.json({"name": "größe · δ", "loss": float("nan")})
    stream.seek(0)
    assert json.loads(stream.read()) == {"name": "größe · δ", "loss": None}
