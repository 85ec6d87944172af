"""Every verb, every option and every public name has its place in the documents."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import chainrule
from chainrule.cli.verbs import VERBS
from tests.cli.conftest import Command

DOCS = Path(__file__).resolve().parents[2] / "docs"
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z0-9-]*")
COMMON = {"--help"}


@pytest.mark.parametrize("verb", [*VERBS, "runs remove"])
def test_a_verb_and_its_options_are_documented(verb: str, command: Command) -> None:
    page = (DOCS / "cli.md").read_text(encoding="utf-8")
    assert f"`chainrule {verb}" in page
    shown = command(*verb.split(), "--help")
    assert shown.code == 0
    missing = {option for option in OPTION.findall(shown.out) if f"`{option}" not in page} - COMMON
    assert not missing, f"docs/cli.md does not say what these options of {verb} are for: {sorted(missing)}"


def test_public_names_are_documented() -> None:
    page = (DOCS / "python.md").read_text(encoding="utf-8")
    assert not [name for name in chainrule.__all__ if f"`cr.{name}`" not in page]
