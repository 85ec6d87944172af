"""Light or dark: what surrounds a document decides, be it the browser's own wish or the theme of a notebook."""

from __future__ import annotations

from typing import Final

# JupyterLab says it on the body, VS Code by a class; where neither does, the browser's wish counts.
_LIGHT: Final = ('[data-jp-theme-light="true"]', ".vscode-light")
_DARK: Final = ('[data-jp-theme-light="false"]', ".vscode-dark")


def themed(selector: str, light: str, dark: str, paper: str) -> str:
    """Rules that give what is selected one of three sets of properties; on paper the last, whatever surrounds it."""
    return (
        f"{selector}{{{light}}}\n"
        f"@media(prefers-color-scheme:dark){{{selector}{{{dark}}}}}\n"
        f"{_within(_LIGHT, selector)}{{{light}}}\n"
        f"{_within(_DARK, selector)}{{{dark}}}\n"
        f"@media print{{{selector},{_within(_LIGHT + _DARK, selector)}{{{paper}}}}}\n"
    )


def _within(surroundings: tuple[str, ...], selector: str) -> str:
    return ",".join(f"{each} {selector}" for each in surroundings)
