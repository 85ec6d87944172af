"""Writes elements of HTML and MathML: the only place where text and attributes become markup."""

from __future__ import annotations

from html import escape

from chainrule.document.text.characters import visible


def text(said: str) -> str:
    """Text from outside: nothing in it is markup, and hidden characters are shown."""
    return escape(visible(said))


def element(tag: str, *children: str, **attributes: str) -> str:
    """An element around finished markup; an attribute that is empty is left out, `class_` and `aria_label` are renamed.

    Attribute values are text from outside or from here; children are markup already.
    """
    said = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{text(value)}"' for name, value in attributes.items() if value
    )
    return f"<{tag}{said}>{''.join(children)}</{tag}>"
