"""What a character is on a terminal: its width, whether it may pass, and how it is said in ASCII."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final

HELD = "\u00a0"  # a space at which no line may break; text from outside never holds one, `visible` turns it into " "

_ESCAPES: Final = re.compile("\x1b\\[[0-9;]*m")
_HIDDEN: Final = frozenset({"Cc", "Cf", "Cs", "Cn", "Co", "Zl", "Zp"})  # controls, direction marks, unassigned, breaks
_NO_WIDTH: Final = frozenset({"Mn", "Me", "Cf"})

_ASCII: Final[dict[str, str]] = {
    "−": "-", "–": "-", "—": "--", "·": "|", "×": "x", "⊙": ".*", "⊗": "(x)", "÷": "/", "±": "+/-",
    "≈": "~=", "≠": "!=", "≤": "<=", "≥": ">=", "←": "<-", "→": "->", "∝": "~", "∈": "in", "≡": "==", "⇒": "=>",
    "½": "1/2", "⅓": "1/3", "⅔": "2/3", "¼": "1/4", "¾": "3/4", "⅛": "1/8",
    "∂": "d", "∇": "grad ", "∞": "inf", "√": "sqrt", "Σ": "sum", "∑": "sum", "Π": "prod", "∏": "prod", "∫": "integral",
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "epsilon", "ϵ": "epsilon", "ζ": "zeta", "η": "eta",
    "θ": "theta", "ι": "iota", "κ": "kappa", "λ": "lambda", "μ": "mu", "µ": "mu", "ν": "nu", "ξ": "xi", "ο": "omicron",
    "π": "pi", "ρ": "rho", "σ": "sigma", "ς": "sigma", "τ": "tau", "υ": "upsilon", "φ": "phi", "ϕ": "phi", "χ": "chi",
    "ψ": "psi", "ω": "omega", "Γ": "Gamma", "Δ": "Delta", "Θ": "Theta", "Λ": "Lambda", "Ξ": "Xi", "Φ": "Phi",
    "Ψ": "Psi", "Ω": "Omega", "ℓ": "l",
    "′": "'", "″": "''", "‘": "'", "’": "'", "“": '"', "”": '"', "«": '"', "»": '"', "…": "...", "⋯": "...",
    "⋮": ":", "⋱": "...", "‖": "||", "•": "-", "°": " deg",
    "─": "-", "━": "=", "│": "|", "┤": "+", "└": "+", "┴": "+", "┬": "+", "┼": "+", "█": "#",
    "○": "o", "●": "*", "△": "^", "□": "#", "◇": "%",
    "ß": "ss", "æ": "ae", "Æ": "AE", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "đ": "d", "œ": "oe", "Œ": "OE",
}  # fmt: skip


def width(text: str) -> int:
    """Columns the text takes on a terminal; escape codes written by the renderer take none."""
    if text.isascii() and "\x1b" not in text:
        return len(text)
    return sum(map(_character_width, _ESCAPES.sub("", text)))


def visible(text: str) -> str:
    r"""The text with every control character, direction mark and line break shown, as in \x1b, and plain spaces."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(_visible_character, text))


def to_ascii(text: str) -> str:
    r"""The text in ASCII: signs by their usual spelling, accents dropped, all else as \u escapes."""
    if text.isascii():
        return text
    return "".join(map(_ascii_character, text))


def strip_styles(text: str) -> str:
    """The text without the escape codes a renderer put in."""
    return _ESCAPES.sub("", text)


def split_at(text: str, columns: int) -> tuple[str, str]:
    """The longest beginning that fits in the columns (at least one character), and the rest."""
    used = 0
    for place, character in enumerate(text):
        used += _character_width(character)
        if used > columns and place:
            return text[:place], text[place:]
    return text, ""


@lru_cache(maxsize=4096)
def _character_width(character: str) -> int:
    if unicodedata.category(character) in _NO_WIDTH:
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


@lru_cache(maxsize=4096)
def _visible_character(character: str) -> str:
    category = unicodedata.category(character)
    if category == "Zs":
        return " "
    return _escape(character) if category in _HIDDEN else character


@lru_cache(maxsize=4096)
def _ascii_character(character: str) -> str:
    if character in _ASCII:
        return _ASCII[character]
    if character == HELD or character.isascii():
        return character
    if unicodedata.category(character) in _NO_WIDTH:
        return ""
    plain = "".join(part for part in unicodedata.normalize("NFKD", character) if part.isascii())
    return plain if plain.strip() and plain.isprintable() else _escape(character)


def _escape(character: str) -> str:
    code = ord(character)
    if code < 0x100:
        return {"\n": "\\n", "\t": "\\t", "\r": "\\r"}.get(character, f"\\x{code:02x}")
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
