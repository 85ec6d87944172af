"""A page as text, JSON, LaTeX and HTML, on a pipe and in a file."""

from __future__ import annotations

import json
from pathlib import Path

import html5lib
import pytest

from chainrule import errors
from chainrule.document.text.characters import width
from tests.cli.conftest import Command

WEIGHT = ("explain", "digits", "--weight", "dense_1.W[28, 3]", "--sample", "17")


def test_a_page_as_json_holds_numbers_sentences_and_the_tree(command: Command, there: Path) -> None:
    assert there
    handed = json.loads(command(*WEIGHT, "--format", "json").out)
    assert abs(sum(handed["terms"]) - handed["gradient"]) <= 1e-12 * sum(map(abs, handed["terms"]))
    labels = [sentence["label"] for sentence in handed["page"]["sentences"]]
    assert "Facts used" in labels
    assert handed["page"]["document"]["type"] == "document"
    assert handed["not_finite"] == {}
    assert command(*WEIGHT, "--format", "json", "--ascii").out.isascii()


def test_a_page_as_latex_and_html(command: Command, there: Path) -> None:
    assert there
    latex = command(*WEIGHT, "--format", "latex").out
    assert latex.isascii()
    assert latex.startswith("\\documentclass")
    page = command(*WEIGHT, "--format", "html").out
    html5lib.HTMLParser(strict=True).parse(page)
    assert "<math" in page


@pytest.mark.parametrize("form", ["text", "json", "latex", "html"])
def test_a_file_holds_what_stdout_would_show(command: Command, there: Path, tmp_path: Path, form: str) -> None:
    assert there
    file = tmp_path / f"page.{form}"
    ended = command(*WEIGHT, "--format", form, "--width", "80", "--output", str(file))
    assert ended.out == ""
    assert ended.err == f"written to {file}\n"
    assert file.read_text(encoding="utf-8") == command(*WEIGHT, "--format", form, "--width", "80").out


@pytest.mark.parametrize(
    ("name", "form"),
    [("a.html", "html"), ("a.HTM", "html"), ("a.tex", "latex"), ("a.json", "json"), ("a.txt", "text"), ("a", "text")],
)
def test_a_file_gets_what_it_is_named_after(
    command: Command, there: Path, tmp_path: Path, name: str, form: str
) -> None:
    assert there
    command(*WEIGHT, "--width", "80", "--output", str(tmp_path / name))
    written = (tmp_path / name).read_text(encoding="utf-8")
    assert written == command(*WEIGHT, "--format", form, "--width", "80").out
    command(*WEIGHT, "--width", "80", "--format", "text", "--output", str(tmp_path / name))
    assert (tmp_path / name).read_text(encoding="utf-8").startswith("dense_1.W[28, 3]")


@pytest.mark.parametrize("words", [WEIGHT, ("nudges", "digits"), ("replay", "digits", "--step", "3")])
def test_every_page_has_every_form(command: Command, there: Path, words: tuple[str, ...]) -> None:
    assert there
    assert "page" in json.loads(command(*words, "--format", "json").out)
    assert command(*words, "--format", "html").out.startswith("<!DOCTYPE html>")


def test_a_file_that_cannot_be_written_is_one_sentence(command: Command, there: Path, tmp_path: Path) -> None:
    assert there
    ended = command(*WEIGHT, "-o", str(tmp_path / "absent" / "page.txt"))
    assert ended.code == errors.EXIT_FAILED
    assert len(ended.err.splitlines()) == 1
    assert command(*WEIGHT, "--format", "pdf").code == errors.EXIT_USAGE


def test_a_layer_and_the_network_are_derived(command: Command, terminal: Command, there: Path) -> None:
    assert there
    shown = terminal("explain", "digits", "--network", "--sample", "17")
    assert "δ² = ŷ − y" in shown.out
    assert max(map(width, shown.out.splitlines())) <= 80  # m̂ is two characters in one column
    handed = json.loads(command("explain", "digits", "--layer", "dense_2", "--sample", "17", "--format", "json").out)
    assert [each["of"] for each in handed["equations"]] == ["dense_2.z", "dense_2.W", "dense_2.b", "dense_1.a"]
    both = command("explain", "digits", "--network", "--layer", "dense_1")
    assert both.code == errors.EXIT_USAGE
    assert "--weight, --unit, --layer or --network" in both.err
