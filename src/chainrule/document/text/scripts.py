"""How a symbol wears its marks on one line: ŷₖ, W¹₀₀, W¹[28,3], and y_hat[k], W1[0,0] in ASCII."""

from __future__ import annotations

import unicodedata
from typing import Final

from chainrule.document.formula import Accent

_SUPER: Final = dict(
    zip(
        "0123456789+-−=()abcdefghijklmnoprstuvwxyzABDEGHIJKLMNOPRTUVWαβγδεθιφχ′*",
        "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁼⁽⁾ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖʳˢᵗᵘᵛʷˣʸᶻᴬᴮᴰᴱᴳᴴᴵᴶᴷᴸᴹᴺᴼᴾᴿᵀᵁⱽᵂᵅᵝᵞᵟᵋᶿᶥᶲᵡ′*",
        strict=True,
    )
)
_SUB: Final = dict(zip("0123456789+-−=()aehijklmnoprstuvxβγρφχ", "₀₁₂₃₄₅₆₇₈₉₊₋₋₌₍₎ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓᵦᵧᵨᵩᵪ", strict=True))
_COMBINING: Final[dict[Accent, str]] = {
    "hat": "\u0302", "bar": "\u0304", "tilde": "\u0303", "dot": "\u0307", "prime": "′", "star": "*",
}  # fmt: skip
_SPELLED: Final[dict[Accent, str]] = {
    "hat": "_hat", "bar": "_bar", "tilde": "_tilde", "dot": "_dot", "prime": "'", "star": "*",
}  # fmt: skip


def superscript(text: str) -> str | None:
    """The text in superscript characters, or None where one is lacking."""
    return _mapped(text, _SUPER)


def subscript(text: str) -> str | None:
    """The text in subscript characters, or None where one is lacking."""
    return _mapped(text, _SUB)


def accented(name: str, accent: Accent | None, *, ascii: bool) -> str:
    """The name under its accent."""
    if accent is None:
        return name
    if ascii:
        return name + _SPELLED[accent]
    return unicodedata.normalize("NFC", name + _COMBINING[accent])


def marked(name: str, subs: tuple[str, ...], sup: str, *, ascii: bool) -> str:
    """The name with its marks as written text; an empty mark is none, several subscripts are indices."""
    return _marked_ascii(name, subs, sup) if ascii else _marked_unicode(name, subs, sup)


def _marked_unicode(name: str, subs: tuple[str, ...], sup: str) -> str:
    high = superscript(sup)
    below = _lowered(subs)
    return f"{name}{high}{below}" if high is not None else f"{name}{below}^{_atom(sup)}"


def _marked_ascii(name: str, subs: tuple[str, ...], sup: str) -> str:
    below = _spelled(subs)
    if not sup or (sup.isdigit() and name[-1:].isalpha()):
        return f"{name}{sup}{below}"
    return f"{name}{below}{sup}" if sup == "'" else f"{name}{below}^{_atom(sup)}"


def _lowered(subs: tuple[str, ...]) -> str:
    """Subscript characters where every index is one of them, else brackets: 28,3 must not become 283."""
    close = len(subs) == 1 or all(len(sub) == 1 for sub in subs)
    low = subscript("".join(subs)) if close and not _is_word(subs) else None
    return _spelled(subs) if low is None else low


def _spelled(subs: tuple[str, ...]) -> str:
    if not any(subs):
        return ""
    return f"_{subs[0]}" if _is_word(subs) else f"[{','.join(subs)}]"


def _is_word(subs: tuple[str, ...]) -> bool:
    return len(subs) == 1 and len(subs[0]) > 1 and subs[0].replace("_", "").isalpha()


def _atom(text: str) -> str:
    return text if text.isalnum() else f"({text})"


def _mapped(text: str, table: dict[str, str]) -> str | None:
    signs = [table.get(character) for character in text]
    return None if None in signs else "".join(sign for sign in signs if sign)
