"""The tree keeps its habits: short files with one sentence each, rooms that say why they exist, links that lead on."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "chainrule"
LONGEST_FILE = 450  # lines
# A file may be longer for a reason, given here in a sentence.
LONG_FOR_A_REASON: dict[str, str] = {}

LINK = re.compile(r"\]\((?!\w+:|#)([^)#\s]+)(?:#[^)\s]*)?\)")
VAGUE_NAMES = {"utils", "util", "helpers", "helper", "common", "misc", "base", "manager", "managers"}

# Words that say where or how a file was made; none of these patterns matches itself.
FORBIDDEN = {
    "a path of one machine": r"(?<![\w.~*/<>{}-])/(?:work|root|home|Users|opt)/[\w.]",
    "the host of a package index": r"\b(?:pypi\.org|pythonhosted\.org|registry\.npmjs|deb\.debian\.org)\b",
    "an address with a secret": r"://[^/\s:@]+:[^/\s:@]+@",
    "work put off": r"\b(?:TO[D]O|FIX[M]E|X[X]X)\b",
}


def tracked() -> list[Path]:
    """The files that git keeps, and those it would on the next commit."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if listed.returncode != 0:  # an unpacked archive
        found = [path.relative_to(ROOT) for path in ROOT.rglob("*") if path.is_file()]
        return [ROOT / path for path in found if path.parts[0] not in {".check", "build", "dist"}]
    return [path for name in listed.stdout.decode().split("\0") if name and (path := ROOT / name).is_file()]


def rooms() -> list[Path]:
    """The folders of the package that hold Python, at any depth."""
    return sorted({path.parent for path in PACKAGE.rglob("*.py")} - {PACKAGE})


def python_files() -> Iterator[Path]:
    yield from (path for path in tracked() if path.suffix == ".py")


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("room", [path for path in rooms() if path.parent == PACKAGE], ids=lambda path: path.name)
def test_a_room_says_why_it_exists(room: Path) -> None:
    readme = room / "README.md"
    assert readme.exists(), f"{name(room)} has no README.md: say in 5 to 15 lines why the room exists"
    count = len(readme.read_text(encoding="utf-8").strip().splitlines())
    assert 5 <= count <= 15, f"{name(readme)} has {count} lines: 5 to 15 say it"


def test_files_stay_short() -> None:
    lengths = {name(path): len(path.read_text(encoding="utf-8").splitlines()) for path in python_files()}
    long = {path: length for path, length in lengths.items() if length > LONGEST_FILE}
    assert long.keys() == LONG_FOR_A_REASON.keys(), f"longer than {LONGEST_FILE} lines: {long}"


def test_a_file_says_its_sentence() -> None:
    silent = [
        name(path)
        for path in python_files()
        if not (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").strip()
    ]
    assert not silent, "these files have no docstring: say in one sentence what each is"


def test_names_say_something() -> None:
    vague = [name(path) for path in python_files() if VAGUE_NAMES & {path.stem, *path.relative_to(ROOT).parts[:-1]}]
    assert not vague, "a file is named after what it holds"


@pytest.mark.parametrize("meaning", FORBIDDEN)
def test_files_say_nothing_of_how_they_were_made(meaning: str) -> None:
    pattern = re.compile(FORBIDDEN[meaning])
    found = [
        f"{name(path)}:{number}: {line.strip()[:100]}"
        for path in tracked()
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), start=1)
        if pattern.search(line)
    ]
    assert not found, f"{meaning}:\n" + "\n".join(found)


def test_links_lead_somewhere() -> None:
    broken = [
        f"{name(page)}: {target}"
        for page in tracked()
        if page.suffix == ".md"
        for target in LINK.findall(page.read_text(encoding="utf-8"))
        if not (page.parent / target).exists()
    ]
    assert not broken, "\n".join(broken)


def test_every_page_is_reachable_from_the_index() -> None:
    reached, waiting = set[Path](), [ROOT / "README.md", ROOT / "docs" / "README.md"]
    while waiting:
        page = waiting.pop().resolve()
        if page in reached or page.suffix != ".md" or not page.is_file():
            continue
        reached.add(page)
        waiting += [page.parent / target for target in LINK.findall(page.read_text(encoding="utf-8"))]
    lost = [name(page) for page in sorted((ROOT / "docs").rglob("*.md")) if page not in reached]
    assert not lost, "no link leads to these pages"


def test_randomness_comes_in_by_the_door() -> None:
    other = re.compile(r"^\s*(?:import random|from random import)|\b(?:np|numpy)\.random\b", re.MULTILINE)
    found = [name(path) for path in PACKAGE.rglob("*.py") if other.search(path.read_text(encoding="utf-8"))]
    assert not found, "a draw is a function of seed, purpose, step and element: use chainrule.draws"
