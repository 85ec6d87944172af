"""Here code is written anew for every program, so that what writes it is tested; `test_recipes` turns that back."""

from __future__ import annotations

import importlib.util

import pytest


@pytest.fixture(autouse=True)
def no_recipes(monkeypatch: pytest.MonkeyPatch) -> None:
    """No program is known from before."""
    if importlib.util.find_spec("llvmlite") is not None:
        monkeypatch.setattr("chainrule.backends.native.recipes.SOURCES", None)
