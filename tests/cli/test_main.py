"""The command itself: its overview, its verbs, exit codes, and what it says of mistakes."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import pytest

from chainrule import errors
from chainrule.cli import main
from chainrule.cli.verbs import VERBS
from tests.cli.conftest import Command

HEAVY = ("numpy", "cyclopts", "rich", "msgspec", "polars", "chainrule.runs", "chainrule.train")


@pytest.mark.parametrize("words", [(), ("--help",), ("-h",), ("help",)])
def test_the_overview_names_every_verb_and_fits_the_screen(command: Command, words: tuple[str, ...]) -> None:
    ended = command(*words)
    assert ended.code == 0
    assert all(f"  {verb.usage} " in ended.out and verb.sentence in ended.out for verb in VERBS.values())
    assert max(map(len, ended.out.splitlines())) <= 80


def test_the_overview_imports_nothing_heavy() -> None:
    script = (
        "import sys\nfrom chainrule.cli import main\nmain(['--help'])\n"
        f"sys.exit(', '.join(name for name in {HEAVY!r} if name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.stderr == "\n"


# The options of bench are what it measures, and those modules know arrays.
@pytest.mark.parametrize("verb", [verb for verb in VERBS if verb != "bench"])
def test_every_verb_has_its_help_and_imports_no_arrays_for_it(verb: str, command: Command) -> None:
    script = (
        f"import sys\nfrom chainrule.cli import main\ncode = main([{verb!r}, '--help'])\n"
        "sys.exit(code or ', '.join(name for name in ('numpy', 'polars') if name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.stderr == "\n"
    assert f"chainrule {verb}" in done.stdout
    assert done.stdout == command("help", verb).out


def test_the_version_is_that_of_the_package(command: Command) -> None:
    assert command("--version").out.startswith("chainrule ")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("trian", "digits"), "unknown command 'trian': did you mean 'train'?"),
        (
            ("train", "digits", "--hiden", "3"),
            "there is no option --hiden, did you mean --hidden; see chainrule train --help",
        ),
        (("train",), "WHAT is missing"),
        (
            ("train", "digits", "moons"),
            "too many words came: moons (several names for one option are joined by commas)",
        ),
        (("train", "digits", "--epochs"), "--epochs needs a value"),
        (("train", "digits", "--epochs", "ten"), "takes a whole number, and got 'ten'"),
        (("train", "digits", "--epochs", "1.7"), "--epochs takes a whole number, and got '1.7'; see chainrule train"),
        (("train", "digits", "--seed", "1e3"), "--seed takes a whole number, and got '1e3'"),
        (("train", "digits", "--batch-size", "32.0"), "--batch-size takes a whole number, and got '32.0'"),
        (("explain", "latest", "--weight", "w", "--sample", "1.5"), "--sample takes a whole number, and got '1.5'"),
        (("gradcheck", "latest", "--weights", "nan"), "--weights takes a whole number, and got 'nan'"),
        (("explain", "latest"), "--weight"),
        (("explain", "latest", "--weight", "w", "--format", "htm"), "unknown --format 'htm': did you mean 'html'?"),
    ],
)
def test_wrong_usage_is_one_sentence_and_exit_code_two(command: Command, words: tuple[str, ...], says: str) -> None:
    ended = command(*words)
    assert ended.code == errors.EXIT_USAGE
    assert ended.out == ""
    assert ended.err.startswith("error[")
    assert says in ended.err
    assert ended.err.count("\n") == 1


def test_a_person_sees_a_mistake_in_lines_that_fit(terminal: Command) -> None:
    ended = terminal("train", "digits", "--frozen", "dense_9.W")
    assert ended.code == errors.EXIT_USAGE
    lines = ended.err.splitlines()
    assert len(lines) > 1
    assert max(map(len, lines)) <= 80
    assert lines[0].startswith("error[unknown-name]: ")
    assert all(line.startswith("  ") for line in lines[1:])


def test_a_reader_who_has_seen_enough_is_no_error() -> None:
    script = "from chainrule.cli import main; import sys; sys.exit(main(['--help']))"
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stderr is not None
        child.stdout.close()
        assert child.stderr.read() == b""


@pytest.mark.skipif(not Path("/dev/full").is_char_device(), reason="needs /dev/full, a disk that is always full")
@pytest.mark.parametrize("words", [["--help"], ["lesson"]])
def test_a_full_disk_behind_stdout_is_one_sentence(words: list[str]) -> None:
    script = f"from chainrule.cli import main; import sys; sys.exit(main({words}))"
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        ended = subprocess.run(
            [sys.executable, "-c", script], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert ended.returncode == errors.EXIT_FAILED
    assert ended.stderr == (
        "error[write]: the output cannot be written (No space left on device): make room, or send it elsewhere\n"
    )


def test_ctrl_c_before_anything_began_is_said_in_a_word(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Interrupted(io.StringIO):
        def write(self, text: str) -> int:
            raise KeyboardInterrupt

    monkeypatch.setattr(sys, "stdout", Interrupted())
    assert main(["--help"]) == errors.EXIT_INTERRUPTED
    assert capsys.readouterr().err == "interrupted\n"
