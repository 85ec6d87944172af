"""A document's examples: its fenced blocks of Python, of console sessions and of their output, run in order."""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.project import terminal, wildcard

FENCE = re.compile(r"^(?P<indent> *)(?P<ticks>`{3,})(?P<info>[^`]*)$")
EXIT = re.compile(r"exit=(\d+)")
PROMPT = "$ "


@dataclass(frozen=True)
class Block:
    """A fenced block: its kind (`python`, `console`, `output`, …), the rest of its first line, its text and place."""

    kind: str
    options: str
    text: str
    line: int  # of the first line of text, counted from 1


@dataclass(frozen=True)
class Typed:
    """A command typed after a prompt, and the output that the document shows below it."""

    command: str
    output: str


def blocks(document: str) -> Iterator[Block]:
    """The fenced blocks of a document in order; a longer fence may hold a shorter one."""
    opened: re.Match[str] | None = None
    began = 0
    lines = document.splitlines()
    for number, line in enumerate(lines, start=1):
        fence = FENCE.match(line)
        if opened is None:
            opened, began = fence, number
        elif fence and not fence["info"].strip() and len(fence["ticks"]) >= len(opened["ticks"]):
            kind, _, options = opened["info"].strip().partition(" ")
            text = "".join(inner.removeprefix(opened["indent"]) + "\n" for inner in lines[began : number - 1])
            yield Block(kind, options, text, began + 1)
            opened = None
    if opened is not None:
        raise ValueError(f"the block opened at line {began} is never closed")


def session(block: Block) -> Iterator[Typed]:
    """The commands of a console block; a backslash at a line's end continues it."""
    command, output = "", ""
    for line in block.text.replace("\\\n", " ").splitlines():
        if line.startswith(PROMPT):
            if command:
                yield Typed(command, output)
            command, output = line.removeprefix(PROMPT).strip(), ""
        else:
            output += line + "\n"
    if command:
        yield Typed(command, output)


def execute(document: Path, folder: Path) -> int:
    """Run a document's examples in `folder`, all Python in one namespace; the number of blocks that were run.

    A `console` block runs its lines `$ chainrule …` as a person would, and expects exit code 0 or that of `exit=2`
    after the word console; other programs (pip, git) are not run. What stands below a command must be what the
    terminal then shows, with `…` for what may differ. A block `output` must be what the Python block above it printed.

    Raises: AssertionError where an example is not true; and whatever an example raises.
    """
    namespace: dict[str, Any] = {"__name__": "__main__"}
    printed: str | None = None
    count = 0
    with contextlib.chdir(folder):
        for block in blocks(document.read_text(encoding="utf-8")):
            place = f"{document.name}:{block.line}"
            if block.kind == "python":
                printed = _run_python(block, document, namespace)
            elif block.kind == "console":
                _run_console(block, place, folder)
            elif block.kind == "output":
                assert printed is not None, f"{place}: no Python block stands above this output"
                _agree(block.text, printed, place)
            else:
                continue
            count += 1
    return count


def examples(documents: Iterable[Path]) -> list[Path]:
    """Those of `documents` that hold something to run."""
    return [
        document
        for document in documents
        if any(block.kind in {"python", "console"} for block in blocks(document.read_text(encoding="utf-8")))
    ]


def _run_python(block: Block, document: Path, namespace: dict[str, Any]) -> str:
    source = "\n" * (block.line - 1) + block.text  # so that a traceback names the document's own line
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(source, str(document), "exec", dont_inherit=True), namespace)  # noqa: S102 - our own documents
    return printed.getvalue()


def _run_console(block: Block, place: str, folder: Path) -> None:
    wanted = EXIT.search(block.options)
    for typed in session(block):
        if typed.command.split()[0] != "chainrule":
            continue
        shown = terminal.run(terminal.arguments(typed.command), folder)
        expected = int(wanted[1]) if wanted else 0
        assert shown.exit_code == expected, (
            f"{place}: '{typed.command}' ended with {shown.exit_code}, expected {expected}; it showed:\n{shown.text}"
        )
        if typed.output.strip():
            _agree(typed.output, shown.text, f"{place}: '{typed.command}'")


def _agree(expected: str, shown: str, place: str) -> None:
    found = wildcard.difference(expected, shown)
    assert found is None, f"{place} shows something else:\n{found}"
