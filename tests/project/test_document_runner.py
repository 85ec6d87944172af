"""The runner of documents fails where a document is wrong: a runner that cannot fail proves nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.project import documents, terminal, wildcard


@pytest.fixture
def document(tmp_path: Path) -> Path:
    (tmp_path / "folder").mkdir()
    return tmp_path / "page.md"


def run(document: Path, text: str) -> int:
    document.write_text(text, encoding="utf-8")
    return documents.execute(document, document.parent / "folder")


def test_python_blocks_share_a_namespace_and_a_folder(document: Path) -> None:
    first = "```python\nfrom pathlib import Path\nPath('kept').write_text('here')\n```\n"
    second = "- in a list\n\n  ```python\n  assert Path('kept').read_text() == 'here'\n  ```\n"
    assert run(document, f"{first}\ntext\n\n{second}") == 2
    assert (document.parent / "folder" / "kept").exists()


def test_other_blocks_are_not_run(document: Path) -> None:
    assert run(document, "```text\n1 / 0\n```\n\n```sh\nfalse\n```\n") == 0


def test_an_error_names_the_line_of_the_document(document: Path) -> None:
    with pytest.raises(ZeroDivisionError) as raised:
        run(document, "title\n\n```python\n1 + 1\n1 / 0\n```\n")
    assert raised.traceback[-1].lineno + 1 == 5  # pytest counts lines from 0
    assert Path(raised.traceback[-1].path) == document


def test_printed_output_is_compared(document: Path) -> None:
    block = "```python\nprint('loss', 0.25)\n```\n\n```output\nloss {}\n```\n"
    assert run(document, block.format("0.25")) == 2
    with pytest.raises(AssertionError, match=r"page\.md:6 shows something else"):
        run(document, block.format("0.5"))


def test_output_without_python_above_is_refused(document: Path) -> None:
    with pytest.raises(AssertionError, match="no Python block"):
        run(document, "```output\n1\n```\n")


def test_a_block_that_is_never_closed_is_refused(document: Path) -> None:
    with pytest.raises(ValueError, match="opened at line 3 is never closed"):
        run(document, "a\n\n```python\n1\n")


def test_a_longer_fence_holds_a_shorter_one() -> None:
    found = list(documents.blocks("````text\n```python\n1 / 0\n```\n````\n"))
    assert [block.kind for block in found] == ["text"]


def test_commands_and_their_output_are_told_apart() -> None:
    block = documents.Block(
        "console", "", "$ chainrule train digits \\\n    --epochs 2\nepoch 1\nepoch 2\n$ chainrule runs\n", 1
    )
    assert list(documents.session(block)) == [
        documents.Typed("chainrule train digits      --epochs 2", "epoch 1\nepoch 2\n"),
        documents.Typed("chainrule runs", ""),
    ]


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stand-in for the command: it says its arguments, and ends with the first of them that is a number."""
    script = "import sys; print('said', *sys.argv[1:]); sys.exit(next((int(w) for w in sys.argv if w.isdecimal()), 0))"
    monkeypatch.setattr(
        terminal, "arguments", lambda command: [terminal.sys.executable, "-c", script, *command.split()]
    )


@pytest.mark.usefixtures("program")
def test_a_command_is_run_and_its_output_compared(document: Path) -> None:
    page = "```console\n$ pip install .\n$ chainrule train {}\nsaid chainrule … xor\n```\n"
    assert run(document, page.format("the xor")) == 1
    with pytest.raises(AssertionError, match="'chainrule train moons' shows something else"):
        run(document, page.format("moons"))


@pytest.mark.usefixtures("program")
def test_the_exit_code_is_compared(document: Path) -> None:
    assert run(document, "```console exit=2\n$ chainrule 2\n```\n") == 1
    with pytest.raises(AssertionError, match="ended with 2, expected 0"):
        run(document, "```console\n$ chainrule 2\n```\n")
    with pytest.raises(AssertionError, match="ended with 0, expected 2"):
        run(document, "```console exit=2\n$ chainrule fine\n```\n")


@pytest.mark.parametrize("command", ["git status", "chainrule runs | head", "chainrule runs > list"])
def test_only_chainrule_is_run_and_without_a_shell(command: str) -> None:
    with pytest.raises(ValueError, match=r"only chainrule|no shell"):
        terminal.arguments(command)


@pytest.mark.parametrize(
    ("expected", "shown"),
    [
        ("a\nb", "a\nb\n"),
        ("a  \nb", "a\nb   \n\n"),
        ("a\n…\nd", "a\nb\nc\nd"),
        ("a\n…\nd", "a\nd"),
        ("took … in all", "took 1.5 s in all"),
        ("took … in all", "took   12 s  in all"),
        ("(1 + 2) * 3", "(1 + 2) * 3"),
    ],
)
def test_what_agrees(expected: str, shown: str) -> None:
    assert wildcard.difference(expected, shown) is None


@pytest.mark.parametrize(
    ("expected", "shown"),
    [("a\nb", "a"), ("a", "a\nb"), ("took … s", "took\n1 s"), ("a.c", "abc"), ("a\n…\nd", "a\nb"), ("a", "  a")],
)
def test_what_does_not_agree(expected: str, shown: str) -> None:
    assert wildcard.difference(expected, shown)


def test_rewritten_lines_show_as_they_end() -> None:
    assert terminal.replay("epoch 1\repoch 2\r\ndone\r\n") == "epoch 2\ndone\n"
    assert terminal.replay("one\r\ntwo\r\n\x1b[1A\x1b[2Klast\r\n") == "one\nlast\n"
    assert terminal.replay("\x1b[?25l\x1b[1;31mred\x1b[0m\x1b[?25h\r\n") == "red\n"
    assert terminal.replay("long line\r\x1b[Kshort\r\n\x1b]0;title\x07") == "short\n"


def test_a_process_has_a_terminal_of_the_asked_width(tmp_path: Path) -> None:
    script = "import os, sys; print(sys.stdout.isatty(), os.get_terminal_size(1).columns, os.getcwd()); sys.exit(3)"
    shown = terminal.run([terminal.sys.executable, "-c", script], tmp_path, width=72)
    assert shown == terminal.Shown(f"True 72 {tmp_path}\n", 3)
