"""Every lesson is run, on more than one seed, and every statement in it is an assertion on the run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import chainrule as cr
from chainrule.document import Figure, render_katex, walk
from chainrule.document.plain import to_raw
from tests.document.browser import faults, look_at
from tests.document.test_katex import Check, katex
from tests.document.trees import formulas_in
from tests.lessons.runs import taught

__all__ = ["katex"]  # the fixture

SEEDS = (0, 1)
MEASURED = {
    "batch-sizes": {"powers", "larger"},
    "three-descents": {"time"},
}  # statements about time: shown, not asserted


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", cr.lessons.NAMES)
def test_every_statement_holds(name: str, seed: int) -> None:
    failed = {each.name: (each.text, each.numbers) for each in taught(name, seed).statements if each.holds is False}
    assert not failed


@pytest.mark.parametrize("name", cr.lessons.NAMES)
def test_only_times_are_not_asserted(name: str) -> None:
    found = {each.name for each in taught(name, 0).statements if each.holds is None}
    assert found == MEASURED.get(name, set())
    assert any(each.holds for each in taught(name, 0).statements)


@pytest.mark.parametrize("name", cr.lessons.NAMES)
def test_a_page_can_be_shown_everywhere(name: str, katex: Check) -> None:
    page = taught(name, 0).page
    assert [fault for each in formulas_in(page.document) if (fault := katex(render_katex(each)))] == []
    assert max(map(len, page.text.splitlines())) <= 80
    assert page.render(80, ascii=True).isascii()
    assert page.html.startswith("<!DOCTYPE html>")
    assert page.latex.isascii()
    found = json.loads(page.to_json())
    assert [each["name"] for each in found["statements"]] == [each.name for each in taught(name, 0).statements]


def test_every_page_reads_in_a_browser(tmp_path: Path) -> None:
    """Which starts once for all of them."""
    assert faults(look_at({name: taught(name, 0).page.html for name in cr.lessons.NAMES}, tmp_path)) == []


@pytest.mark.parametrize("name", cr.lessons.NAMES)
def test_a_claim_says_its_numbers(name: str) -> None:
    for statement in taught(name, 0).statements:
        assert any(sign.isdigit() for sign in statement.text), statement.name


@pytest.mark.parametrize("name", ["one-weight", "nudges", "importance"])
def test_the_same_seed_gives_the_same_page(name: str) -> None:
    assert to_raw(cr.lesson(name, 0).page.document) == to_raw(taught(name, 0).page.document)


def test_names_titles_and_questions_differ() -> None:
    lessons = list(cr.lessons.every())
    assert len({each.title for each in lessons}) == len({each.question for each in lessons}) == len(lessons)
    assert all(each.question.endswith("?") for each in lessons)
    assert [each.name for each in lessons] == list(cr.lessons.NAMES)


def test_figures_have_finite_points() -> None:
    for name in cr.lessons.NAMES:
        for block in walk(taught(name, 0).page.document):
            if isinstance(block, Figure):
                assert "no finite point" not in block.alternative, f"{name}: {block.title}"
