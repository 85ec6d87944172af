"""The report as a file: valid, inert, whole without a network, small, its headings in order, hostile names as text."""

from __future__ import annotations

import itertools
import re
from pathlib import Path
from typing import Any

import html5lib
import pytest

import chainrule as cr
from tests.report.conftest import TASKS

XHTML = "{http://www.w3.org/1999/xhtml}"


@pytest.fixture(scope="module")
def file(digits_run: cr.Run, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("file") / "report.html"
    cr.report(digits_run, path)
    return path.read_text(encoding="utf-8")


def parsed(text: str) -> Any:  # an ElementTree element: its module's own types are generic beyond use here
    """The page's tree; a parse error of any kind raises."""
    return html5lib.HTMLParser(strict=True).parse(text)


def tags(tree: Any) -> list[str]:
    return [part.tag.rpartition("}")[2] for part in tree.iter() if isinstance(part.tag, str)]


def test_it_needs_nothing_else_and_runs_nothing(file: str) -> None:
    tree = parsed(file)
    assert not {"script", "link", "img", "iframe", "object", "embed", "form", "base", "a"} & {*tags(tree)}
    attributes = {name for part in tree.iter() for name in part.attrib}
    assert not [name for name in attributes if name.startswith("on") or name in ("href", "src", "action", "srcset")]
    assert not re.search(r"url\(|@import|https?://(?!www\.w3\.org/)", file)
    (policy,) = [
        part.attrib["content"] for part in tree.iter() if part.attrib.get("http-equiv") == "Content-Security-Policy"
    ]
    assert policy.startswith("default-src 'none';")
    assert "script-src" not in policy


def test_it_is_small(file: str) -> None:
    assert len(file.encode()) < 600_000  # 2 MB are allowed; a longer run adds little


def test_headings_follow_one_another_without_gaps(file: str) -> None:
    levels = [int(tag[1]) for tag in tags(parsed(file)) if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert levels.count(2) == 7
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))


def test_every_drawing_has_words_for_those_who_do_not_see_it(file: str) -> None:
    tree = parsed(file)
    drawings = [part for part in tree.iter() if isinstance(part.tag, str) and part.tag.endswith("}svg")]
    assert len(drawings) >= 10
    for drawing in drawings:
        children = {child.tag.rpartition("}")[2]: "".join(child.itertext()) for child in drawing}
        assert drawing.attrib["role"] == "img"
        assert children["title"].strip()
        assert len(children["desc"]) > 20


def test_how_to_repeat_it_is_what_the_command_line_takes(file: str, digits_run: cr.Run) -> None:
    assert digits_run.path is not None
    toml = (digits_run.path / "experiment.toml").read_text(encoding="utf-8")
    text = "".join(parsed(file).itertext())
    assert toml.strip() in text
    assert f"chainrule train {digits_run.path / 'experiment.toml'}" in text


def test_names_from_outside_are_text(tmp_path: Path) -> None:
    run = TASKS["hostile names"](tmp_path)
    page = cr.report(run, tmp_path / "report.html", charts=tmp_path / "charts")
    tree = parsed(page.html)
    assert not {"script", "img", "b"} & {*tags(tree)}
    text = "".join(tree.itertext())
    assert "</style><script>alert(1)</script>" in text
    assert r"\u202eevil\x1b[31m" in text
    assert page.html.count("</style>") == 1
    assert page.html.count("</title>") > 1  # of the page and of each drawing
    for svg in (tmp_path / "charts").glob("*.svg"):
        assert "<script" not in svg.read_text(encoding="utf-8")
    assert "\x1b" not in page.text
    assert "\u202e" not in page.text
