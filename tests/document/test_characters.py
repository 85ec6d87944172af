"""Characters: how wide they are, which may pass, how they are said in ASCII."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule.document.text.characters import HELD, split_at, strip_styles, to_ascii, visible, width
from chainrule.document.text.scripts import marked, subscript, superscript


@pytest.mark.parametrize(
    ("text", "columns"),
    [("abc", 3), ("ŷₖ", 2), ("v\u0307", 1), ("日本", 4), ("\x1b[1mbold\x1b[0m", 4), ("⎛⎜⎝", 3), ("", 0)],
)
def test_width(text: str, columns: int) -> None:
    assert width(text) == columns


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("\x1b[31m", "\\x1b[31m"),
        ("a\nb\tc\rd", "a\\nb\\tc\\rd"),
        ("\x9b2J", "\\x9b2J"),  # the one-byte form of the escape sequence
        ("\u202egpj", "\\u202egpj"),
        ("a\u200bb", "a\\u200bb"),
        ("\u2028", "\\u2028"),
        ("\U000e0041", "\\U000e0041"),
        ("\ud800", "\\ud800"),
        ("a\u00a0b\u3000c", "a b c"),
        ("é日", "é日"),
    ],
)
def test_visible(text: str, shown: str) -> None:
    assert visible(text) == shown


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("−½ · σ", "-1/2 | sigma"),
        ("∂L ≤ ∞", "dL <= inf"),
        ("naïve café", "naive cafe"),
        ("x₂²", "x22"),
        ("日", "\\u65e5"),
        ("😀", "\\U0001f600"),
        ("“quoted”…", '"quoted"...'),
        ("straße", "strasse"),
    ],
)
def test_to_ascii(text: str, said: str) -> None:
    assert to_ascii(text) == said


@given(st.text())
def test_ascii_of_any_visible_text_is_printable_ascii(text: str) -> None:
    said = to_ascii(visible(text))
    assert said.isascii()
    assert said.isprintable()


@given(st.text())
def test_visible_is_stable_and_lets_no_held_space_in(text: str) -> None:
    shown = visible(text)
    assert visible(shown) == shown
    assert HELD not in shown


@given(st.text(), st.integers(1, 30))
def test_splitting_loses_nothing_and_fits(text: str, columns: int) -> None:
    first, rest = split_at(visible(text), columns)
    assert first + rest == visible(text)
    assert width(first) <= columns or len(first) == 1


def test_strip_styles() -> None:
    assert strip_styles("\x1b[1;36mlabel\x1b[0m ") == "label "


def test_scripts_are_all_or_nothing() -> None:
    assert superscript("12") == "¹²"
    assert subscript("k=0") == "ₖ₌₀"
    assert subscript("c") is None
    assert superscript("1,2") is None


def test_script_characters_mean_what_they_stand_for() -> None:
    for text in "0123456789=()aehijklmnoprstuvx":
        assert unicodedata.normalize("NFKC", subscript(text) or "") == text
    for text in "0123456789=()abcdefghijklmnoprstuvwxyzT":
        assert unicodedata.normalize("NFKC", superscript(text) or "") == text


def test_marks_that_lack_characters_use_brackets_and_carets() -> None:
    assert marked("W", ("28", "3"), "1", ascii=False) == "W¹[28,3]"
    assert marked("z", ("k",), "q", ascii=False) == "zₖ^q"
    assert marked("z", ("k",), "a+q", ascii=True) == "z[k]^(a+q)"
