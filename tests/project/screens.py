"""What the terminal shows for a list of commands, kept as text files: `python -m tests.project.screens` rewrites them.

`docs/screens/commands.txt` holds a line `name: command` for each, run in order in one empty folder. What changes from
machine to machine (times, rates, folders, versions) becomes `…`.
"""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.project import terminal

ROOT = Path(__file__).resolve().parents[2]
SCREENS = ROOT / "docs" / "screens"
COMMANDS = SCREENS / "commands.txt"
NAME = re.compile(r"[a-z][a-z0-9-]*")

NUMBER = r"\d[\d,]*(?:\.\d+)?"
DIFFERS = (
    re.compile(
        rf"{NUMBER} ?(?:h|min|s|ms|µs|us|ns|(?:k|M)?(?:samples|rows|steps)/s)\b(?: \d+ ?s\b)?"
    ),  # times and rates
    re.compile(r"\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?"),  # dates
    re.compile(r"\b\d+:\d\d(?::\d\d)?\b"),  # clocks
    re.compile(rf"{NUMBER} ?(?:GB|MB|kB|GiB|MiB|KiB)\b"),  # sizes of memory and disk
    re.compile(
        r"\b(?:\de-\d+|0)(?=(?: +(?:\de-\d+|0))* +agrees$)", re.MULTILINE
    ),  # what a witness is off by, and its bound: of the size of rounding, another on each processor
    re.compile(r"[−-]?\b\d(?:\.\d+)?e-1[3-9]\b"),  # sums and products of float64, off by rounding
)
# In a document, the block below this line is the screen of that name.
SHOWN = re.compile(
    r"(?P<head><!-- screen: (?P<name>[a-z0-9-]+) -->\n+```text\n)(?P<text>.*?)(?P<tail>^```$)", re.MULTILINE | re.DOTALL
)


@dataclass(frozen=True)
class Screen:
    """A named command, and what the terminal shows when it has ended, with `…` for what differs between machines."""

    name: str
    command: str
    text: str
    exit_code: int


def commands(listing: str) -> dict[str, str]:
    """Names to commands, in order.

    Raises: ValueError for a line that is not `name: command`, and for a name used twice.
    """
    found: dict[str, str] = {}
    for number, line in enumerate(listing.splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        name, colon, command = line.partition(":")
        if not colon or not NAME.fullmatch(name) or not command.strip():
            raise ValueError(f"line {number} is '{line}': write it as 'name: chainrule …', the name in a-z, 0-9 and -")
        if name in found:
            raise ValueError(f"line {number} uses the name '{name}' again: each screen has its own")
        found[name] = command.strip()
    return found


def take(listing: Mapping[str, str]) -> Iterator[Screen]:
    """Run the commands one after the other in one empty folder."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        for screen, command in listing.items():
            shown = terminal.run(terminal.arguments(command), folder)
            yield Screen(screen, command, f"$ {command}\n{steady(shown.text, folder)}", shown.exit_code)


def steady(text: str, folder: Path) -> str:
    """`text` with `…` in place of what differs from machine to machine."""
    text = re.sub(rf"{re.escape(str(folder))}\S*", "…", text)
    for pattern in DIFFERS:
        text = pattern.sub("…", text)
    return text


def filled(document: str, texts: Mapping[str, str]) -> str:
    """`document` with each block that shows a screen brought up to date.

    Raises: KeyError for a screen that does not exist.
    """
    return SHOWN.sub(lambda block: f"{block['head']}{texts[block['name']]}{block['tail']}", document)


def documents() -> list[Path]:
    """The documents that may show screens."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def rewrite() -> int:
    """Take every screen, write it, bring the documents up to date; how many screens there are."""
    taken = list(take(commands(COMMANDS.read_text(encoding="utf-8"))))
    texts = {screen.name: screen.text for screen in taken}
    for old in SCREENS.glob("*.txt"):
        if old != COMMANDS and old.stem not in texts:
            old.unlink()
    for name, text in texts.items():
        (SCREENS / f"{name}.txt").write_text(text, encoding="utf-8")
    for document in documents():
        before = document.read_text(encoding="utf-8")
        after = filled(before, texts)
        if after != before:
            document.write_text(after, encoding="utf-8")
    return len(taken)


if __name__ == "__main__":
    sys.stdout.write(f"{rewrite()} screens written to {SCREENS.relative_to(ROOT)}\n")
