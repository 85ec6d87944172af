"""Every error has its code, and every code has its section in docs/errors.md."""

from __future__ import annotations

import re

import pytest

from chainrule import errors
from tests.project.test_tree import ROOT

PAGE = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
SECTIONS = {
    code: text.strip()
    for code, text in re.findall(r"^## `([a-z-]+)`\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)
}


def family(error: type[errors.ChainruleError]) -> list[type[errors.ChainruleError]]:
    return [error, *(heir for child in error.__subclasses__() for heir in family(child))]


ERRORS = [error for error in family(errors.ChainruleError) if error.__module__ == errors.__name__]


def test_codes_are_unique() -> None:
    codes = [error.code for error in ERRORS]
    assert sorted(set(codes)) == sorted(codes)


def test_there_is_a_section_for_each_code_and_no_other() -> None:
    assert list(SECTIONS) == [error.code for error in sorted(ERRORS, key=lambda error: error.code)]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.code)
def test_a_section_names_the_class_and_the_exit_code(error: type[errors.ChainruleError]) -> None:
    first, _, rest = SECTIONS[error.code].partition("\n")
    assert first == f"`{error.__name__}` · exit code {error.exit_code}"
    assert len(rest.split()) >= 15, "say what came, what was wanted and what to do"
    assert "What to do:" in " ".join(rest.split())
