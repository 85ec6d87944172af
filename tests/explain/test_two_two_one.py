"""The 2-2-1 network by hand: nine equations, ŷ − y among them, kept as text, LaTeX and HTML."""

from __future__ import annotations

import re
from typing import Any, Final

import html5lib
import numpy as np
import pytest

from chainrule.document import Document, document_css, render_html, render_katex, render_latex, render_text, walk
from chainrule.explain.scope import DEPTHS, Depth
from tests.conftest import Golden
from tests.document.test_katex import Check, katex
from tests.document.trees import formulas_in
from tests.explain.derivations import derivation, formulas, two_two_one
from tests.explain.in_torch import InTorch
from tests.explain.test_pages import kept_or

WIDTH: Final = 80
SAMPLE: Final = (0,)
XOR: Final = (0, 1, 2, 3)
__all__ = ["katex"]  # the fixture

PAGES: dict[str, tuple[tuple[int, ...], str, Depth]] = {
    "two_two_one.scalar": (SAMPLE, "network", "scalar"),
    "two_two_one.layer": (SAMPLE, "network", "layer"),
    "two_two_one.matrix": (SAMPLE, "network", "matrix"),
    "two_two_one.batch": (XOR, "network", "matrix"),
    "two_two_one.unit": (SAMPLE, "dense_1[0]", "scalar"),
}

NINE: Final = [
    "∂L/∂W²₀₀ = ∂L/∂z² · ∂z²/∂W²₀₀ = (ŷ − y) · a¹₀",
    "∂L/∂W²₁₀ = ∂L/∂z² · ∂z²/∂W²₁₀ = (ŷ − y) · a¹₁",
    "∂L/∂b²₀ = ∂L/∂z² · ∂z²/∂b²₀ = (ŷ − y) · 1",
    "∂L/∂W¹₀₀ = ∂L/∂z² · ∂z²/∂a¹₀ · ∂a¹₀/∂z¹₀ · ∂z¹₀/∂W¹₀₀ = (ŷ − y) · W²₀₀ · 1[z¹₀ > 0] · x₀",
    "∂L/∂W¹₀₁ = ∂L/∂z² · ∂z²/∂a¹₁ · ∂a¹₁/∂z¹₁ · ∂z¹₁/∂W¹₀₁ = (ŷ − y) · W²₁₀ · 1[z¹₁ > 0] · x₀",
    "∂L/∂W¹₁₀ = ∂L/∂z² · ∂z²/∂a¹₀ · ∂a¹₀/∂z¹₀ · ∂z¹₀/∂W¹₁₀ = (ŷ − y) · W²₀₀ · 1[z¹₀ > 0] · x₁",
    "∂L/∂W¹₁₁ = ∂L/∂z² · ∂z²/∂a¹₁ · ∂a¹₁/∂z¹₁ · ∂z¹₁/∂W¹₁₁ = (ŷ − y) · W²₁₀ · 1[z¹₁ > 0] · x₁",
    "∂L/∂b¹₀ = ∂L/∂z² · ∂z²/∂a¹₀ · ∂a¹₀/∂z¹₀ · ∂z¹₀/∂b¹₀ = (ŷ − y) · W²₀₀ · 1[z¹₀ > 0] · 1",
    "∂L/∂b¹₁ = ∂L/∂z² · ∂z²/∂a¹₁ · ∂a¹₁/∂z¹₁ · ∂z¹₁/∂b¹₁ = (ŷ − y) · W²₁₀ · 1[z¹₁ > 0] · 1",
]


def page(name: str) -> Document:
    rows, what, depth = PAGES[name]
    return derivation(two_two_one(), rows, what, depth)


def test_the_nine_equations() -> None:
    scalar = page("two_two_one.scalar")
    told = [line for layer in ("dense_2", "dense_1") for line in formulas(scalar, f"weights {layer}")]
    assert len(told) == 9
    for place, (line, expected) in enumerate(zip(told, NINE, strict=True), start=1):
        assert line.startswith(f"{expected} = ")
        assert line.endswith(f" ({place})")


def test_the_way_through_the_prediction() -> None:
    assert formulas(page("two_two_one.scalar"), "output") == [
        "∂L/∂ŷ = (1 − y)/(1 − ŷ) − y/ŷ",
        "∂ŷ/∂z² = ŷ(1 − ŷ)",
        "∂L/∂z² = ∂L/∂ŷ · ∂ŷ/∂z² = ((1 − y)/(1 − ŷ) − y/ŷ) · (ŷ(1 − ŷ)) = ŷ − y",
    ]


def test_the_same_in_matrices() -> None:
    matrix = page("two_two_one.matrix")
    back = [line for layer in ("dense_2", "dense_1") for line in formulas(matrix, f"back {layer}")]
    begun = ["δ² = ŷ − y", "∂L/∂W² = (a¹)ᵀ δ²", "∂L/∂b² = δ²", "∂L/∂a¹ = δ² (W²)ᵀ", "δ¹ = ∂L/∂a¹ ⊙ 1[z¹ > 0]"]
    for line, expected in zip(back, [*begun, "∂L/∂W¹ = xᵀ δ¹", "∂L/∂b¹ = δ¹"], strict=True):
        assert line.startswith(f"{expected} = ")


@pytest.mark.parametrize("rows", [SAMPLE, XOR])
@pytest.mark.parametrize("depth", DEPTHS)
def test_its_numbers_are_those_of_pytorch(rows: tuple[int, ...], depth: Depth) -> None:
    data: Any = derivation(two_two_one(), rows, "network", depth).data
    theirs = InTorch(two_two_one(), rows).backward()
    for each in data["equations"]:
        if each["of"].endswith((".W", ".b")):
            np.testing.assert_allclose(each["values"], theirs[each["of"]], rtol=1e-12, atol=1e-15)
    for weight in data["weights"]:
        name, _, place = weight["weight"].partition("[")
        index = tuple(int(axis) for axis in place.rstrip("]").split(","))
        assert weight["gradient"] == pytest.approx(theirs[name][index], rel=1e-12, abs=1e-15)


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("alphabet", ["unicode", "ascii"])
def test_it_reads_as_kept(name: str, alphabet: str, golden: Golden) -> None:
    text = render_text(page(name), WIDTH, ascii=alphabet == "ascii")
    assert max(map(len, text.splitlines())) <= WIDTH
    assert text.isascii() or alphabet == "unicode"
    file = f"{name}.{alphabet}.{WIDTH}.txt"
    golden(file, kept_or(file, text))


def without_witnesses(found: Document) -> Document:
    """The page without what differs between processors in its last digits."""
    kept = [block for block in found.blocks if not any(inner.name == "witnesses" for inner in walk(block))]
    return Document(found.title, tuple(kept), found.subtitle, found.context)


@pytest.mark.parametrize("name", ["two_two_one.scalar", "two_two_one.matrix"])
def test_it_is_kept_as_latex(name: str, golden: Golden) -> None:
    latex = render_latex(without_witnesses(page(name)))
    assert latex.isascii()
    golden(f"{name}.tex", latex)


@pytest.mark.parametrize("name", ["two_two_one.scalar", "two_two_one.matrix"])
def test_it_is_kept_as_html_that_is_valid(name: str, golden: Golden) -> None:
    text = render_html(without_witnesses(page(name)))
    html5lib.HTMLParser(strict=True).parse(text)
    assert not re.search(r"<script|https?://", text)
    golden(f"{name}.html", text.replace(document_css(), "/* document_css() */\n"))


@pytest.mark.parametrize("name", PAGES)
def test_katex_accepts_every_formula(name: str, katex: Check) -> None:
    found = list(formulas_in(page(name)))
    assert len(found) > 20
    assert [fault for formula in found if (fault := katex(render_katex(formula)))] == []
