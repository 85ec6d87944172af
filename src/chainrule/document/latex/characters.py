"""What a character is in LaTeX: everything is said in ASCII by commands that LaTeX and KaTeX both know."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from chainrule.document.text.characters import to_ascii, visible

LONGEST_WORD: Final = 24  # characters; a parameter's name is shorter
_PART: Final = 8  # a longer word may be broken after so many

# Brackets and stars are caged, so that after \\ or \item they are no option.
_SPECIAL: Final[dict[str, str]] = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "_": r"\_", "%": r"\%",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", "[": "{[}", "]": "{]}", "*": "{*}", "`": "{}`{}",
}  # fmt: skip
_LIGATURE: Final = re.compile(r"([-,'])(?=\1)")  # two hyphens are no dash, two commas and apostrophes no quotation mark
_SEAM: Final = re.compile(r"(?<!\\)\$\$")  # where one formula ends and the next begins: the two are one

_TEXT: Final[dict[str, str]] = {
    "–": r"\textendash{}", "—": r"\textemdash{}", "‘": r"\textquoteleft{}", "’": r"\textquoteright{}",
    "“": r"\textquotedblleft{}", "”": r"\textquotedblright{}", "…": r"\ldots{}", "£": r"\textsterling{}",
    "ß": r"\ss{}", "æ": r"\ae{}", "Æ": r"\AE{}", "œ": r"\oe{}", "Œ": r"\OE{}", "ø": r"\o{}", "Ø": r"\O{}",
}  # fmt: skip

_MATH: Final[dict[str, str]] = {
    "α": r"\alpha", "β": r"\beta", "γ": r"\gamma", "δ": r"\delta", "ε": r"\varepsilon", "ϵ": r"\epsilon",
    "ζ": r"\zeta", "η": r"\eta", "θ": r"\theta", "ι": r"\iota", "κ": r"\kappa", "λ": r"\lambda", "μ": r"\mu",
    "µ": r"\mu", "ν": r"\nu", "ξ": r"\xi", "ο": "o", "π": r"\pi", "ρ": r"\rho", "σ": r"\sigma", "ς": r"\varsigma",
    "τ": r"\tau", "υ": r"\upsilon", "φ": r"\varphi", "ϕ": r"\phi", "χ": r"\chi", "ψ": r"\psi", "ω": r"\omega",
    "Γ": r"\Gamma", "Δ": r"\Delta", "Θ": r"\Theta", "Λ": r"\Lambda", "Ξ": r"\Xi", "Π": r"\Pi", "Σ": r"\Sigma",
    "Φ": r"\Phi", "Ψ": r"\Psi", "Ω": r"\Omega",
    "ℓ": r"\ell", "∂": r"\partial", "∇": r"\nabla", "∞": r"\infty", "∑": r"\Sigma", "∏": r"\Pi", "∫": r"\int",
    "√": r"\surd", "−": "-", "·": r"\cdot", "×": r"\times", "÷": r"\div", "±": r"\pm", "⊙": r"\odot", "⊗": r"\otimes",
    "∗": r"\ast", "*": r"\ast", "≈": r"\approx", "≠": r"\neq", "≤": r"\leq", "≥": r"\geq", "<": "<", ">": ">",
    "=": "=", "≡": r"\equiv", "∝": r"\propto", "∈": r"\in", "←": r"\leftarrow", "→": r"\rightarrow",
    "↑": r"\uparrow", "↓": r"\downarrow", "⇒": r"\Rightarrow", "⋯": r"\cdots", "⋮": r"\vdots", "⋱": r"\ddots",
    "‖": r"\Vert", "′": r"{}^{\prime}", "″": r"{}^{\prime\prime}", "°": r"{}^{\circ}", "•": r"\bullet",
    "½": r"\tfrac{1}{2}", "⅓": r"\tfrac{1}{3}", "⅔": r"\tfrac{2}{3}", "¼": r"\tfrac{1}{4}", "¾": r"\tfrac{3}{4}",
    "⅛": r"\tfrac{1}{8}",
}  # fmt: skip

# Combining marks: the command over a letter in text, and in mathematics where there is one.
_MARKS: Final[dict[str, tuple[str, str | None]]] = {
    "\u0300": (r"\`", r"\grave"), "\u0301": (r"\'", r"\acute"), "\u0302": (r"\^", r"\hat"),
    "\u0303": (r"\~", r"\tilde"), "\u0304": (r"\=", r"\bar"), "\u0306": (r"\u", r"\breve"),
    "\u0307": (r"\.", r"\dot"), "\u0308": (r"\"", r"\ddot"), "\u030a": (r"\r", r"\mathring"),
    "\u030b": (r"\H", None), "\u030c": (r"\v", r"\check"), "\u0327": (r"\c", None),
}  # fmt: skip


def escaped(text: str) -> str:
    """Text from outside as LaTeX text: what LaTeX cannot say looks odd, and nothing in it is obeyed."""
    return _joined(_clusters(visible(text)))


def flowing(text: str) -> str:
    """Text from outside for a paragraph: a word longer than `LONGEST_WORD` may be broken."""
    return " ".join(map(_breakable, visible(text).split(" ")))


def literal(text: str) -> str:
    """Text to be read exactly as it stands, every space kept; lines break at spaces."""
    return flowing(text).replace(" ", r"\ ")


def name(text: str) -> str:
    """A symbol's name in mathematics: a letter in italics, a word upright."""
    clusters = _clusters(visible(text))
    if len(clusters) == 1:
        letter = _in_math(clusters[0])
        if letter is not None:
            return letter
    joined = "".join(clusters)
    if joined.isascii() and joined.isalnum():
        return joined if joined.isdigit() else rf"\mathrm{{{joined}}}"
    return rf"\text{{{escaped(text)}}}" if joined else "{}"


def is_word(text: str) -> bool:
    """Whether a name is a word of ASCII letters and digits, such as softmax."""
    return len(text) > 1 and text.isascii() and text.isalnum() and not text.isdigit()


def _joined(clusters: Sequence[str]) -> str:
    return _SEAM.sub("{}", _LIGATURE.sub(r"\1{}", "".join(map(_in_text, clusters))))


def _breakable(word: str) -> str:
    clusters = _clusters(word)
    if len(clusters) <= LONGEST_WORD:
        return _joined(clusters)
    parts = [clusters[place : place + _PART] for place in range(0, len(clusters), _PART)]
    return r"\allowbreak{}".join(map(_joined, parts))


def _clusters(text: str) -> list[str]:
    """Characters, each with the first mark over it that could not be composed; further marks are dropped."""
    found: list[str] = []
    for character in unicodedata.normalize("NFC", text):
        if unicodedata.combining(character) == 0:
            found.append(character)
        elif found and len(found[-1]) == 1:
            found[-1] += character
    return found


@lru_cache(maxsize=4096)
def _in_text(cluster: str) -> str:
    first = cluster[0]
    for table in (_SPECIAL, _TEXT):
        if first in table:
            return table[first]
    if cluster.isascii():
        return cluster
    if first in _MATH:
        return f"${_MATH[first]}$"
    return _raised(first) or _accented(cluster, math=False) or "".join(_SPECIAL.get(c, c) for c in to_ascii(first))


@lru_cache(maxsize=4096)
def _in_math(cluster: str) -> str | None:
    """One character in mathematics, or None where it must be text."""
    if cluster in _MATH:
        return _MATH[cluster]
    if cluster.isascii():
        return cluster if cluster.isalnum() else None
    return _accented(cluster, math=True)


def _accented(cluster: str, *, math: bool) -> str | None:
    letter, *marks = unicodedata.normalize("NFD", cluster)
    commands = _MARKS.get(marks[0]) if marks else None
    command = commands[math] if commands else None
    body = letter if letter.isascii() and letter.isalpha() else _MATH.get(letter) if math else None
    return f"{command}{{{body}}}" if command and body else None


def _raised(character: str) -> str | None:
    """A superscript or subscript character."""
    kind, *codes = unicodedata.decomposition(character).split(" ")
    inner = "".join(chr(int(code, 16)) for code in codes)
    if kind not in ("<super>", "<sub>") or not inner.isalnum() or not inner.isascii():
        return None
    return f"${'^' if kind == '<super>' else '_'}{{{inner}}}$"
