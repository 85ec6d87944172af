"""Results as a page, as Markdown and as a picture: the floor is always there, and void rows say so."""

from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree

import pytest

from chainrule.bench.chart import FLOOR, OURS, VOID, chart
from chainrule.bench.markdown import markdown
from chainrule.bench.page import page
from chainrule.bench.ranking import ranked
from chainrule.document import render_text
from tests.bench.rows import ABSENT, NATIVE, NOISY, OTHER_CASE, ROWS, SCAN

SVG = "{http://www.w3.org/2000/svg}"


def parsed(picture: str) -> ElementTree.Element:
    return ElementTree.fromstring(picture)  # noqa: S314 - made here


def test_rows_are_ranked_by_time_within_their_case() -> None:
    first, second = ranked(ROWS)
    assert [row.system for row in first.rows] == ["chainrule native", "JAX scan", "NumPy by hand", "tinygrad"]
    assert first.title == "W2, SGD, uint8, 1 core"
    assert first.times_native(SCAN) == 4.0
    assert first.times_native(ABSENT) is None
    assert second.rows == (OTHER_CASE,)


def test_cores_are_cases_of_their_own() -> None:
    two = replace(NATIVE, cores=2)
    assert [case.title for case in ranked([NATIVE, two])] == ["W2, SGD, uint8, 1 core", "W2, SGD, uint8, 2 cores"]


def test_markdown_shows_the_floor_beside_the_systems() -> None:
    said = markdown(ROWS, "chainrule bench W1 W2")
    lines = said.splitlines()
    table = [line for line in lines if line.startswith("| ")]
    assert table[1].startswith("| *physical floor* | | *5.08* |")
    assert table[2] == "| chainrule native | slices of training | 7.5 | 7.75 | 68% | 1 | 41 |"
    assert table[3] == "| JAX scan | scan with optax | 30 | 31 | 17% | 4 | 1,234 |"
    assert table[4].startswith("| NumPy by hand † | expressions | 77 |")
    assert "- † the machine changed." in lines
    assert "- tinygrad, TinyJit: tinygrad cannot be imported here: run pip install it." in lines
    assert "chainrule 0.1.0, jax 0.10.2, numpy 2.4.0" in lines
    assert lines[-1] == "Repeat it with `chainrule bench W1 W2`."
    assert "stolen; MNIST's training rows." in said
    assert "A processor at 3.24 GHz, 2 cores, instruction set x86-64-v3, governor performance" in said


def test_the_page_shows_the_floor_before_the_systems() -> None:
    said = render_text(page(ROWS), 100, ascii=False, color=False)
    places = [said.index(words) for words in ("physical floor", "chainrule native", "JAX scan", "NumPy by hand (void)")]
    assert places == sorted(places)
    assert "the machine changed" in said


def test_a_case_without_any_time_is_told_in_sentences() -> None:
    said = markdown([ABSENT], "chainrule bench W2")
    assert "| system |" not in said
    assert "tinygrad cannot be imported here" in said
    assert "Benchmark" in render_text(page([ABSENT]), 80, ascii=True, color=False)


def test_the_chart_draws_the_floor_left_of_every_bar() -> None:
    picture = parsed(chart(ROWS))
    lines = [line for line in picture.iter(f"{SVG}line") if line.get("stroke") == FLOOR]
    assert len(lines) == 2
    bars = list(picture.iter(f"{SVG}rect"))
    assert [bar.get("fill") for bar in bars] == [OURS, "#8b949e", VOID, OURS]
    ends = [float(bar.get("x", "0")) + float(bar.get("width", "0")) for bar in bars]
    floor = float(lines[0].get("x1", "0"))
    assert all(end > floor for end in ends[:3])
    assert ends[:3] == sorted(ends[:3])
    # on a logarithmic axis equal factors are equal lengths: log(7.5 / 5.08) of log(30 / 7.5) is 0.281
    assert ends[0] - floor == pytest.approx((ends[1] - ends[0]) * 0.281, rel=0.01)


def test_the_chart_leaves_out_what_has_no_time() -> None:
    picture = parsed(chart([ABSENT, NOISY]))
    assert len(list(picture.iter(f"{SVG}rect"))) == 1
    assert list(parsed(chart([ABSENT])).iter(f"{SVG}rect")) == []
