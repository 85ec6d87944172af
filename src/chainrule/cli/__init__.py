"""The command line: verbs that train, explain and check. Nothing heavy is imported before a verb needs it."""

from __future__ import annotations

import errno
import importlib
import io
import os
import sys
import textwrap
from collections.abc import Sequence

from chainrule.cli.columns import columns
from chainrule.cli.signals import Stopped, signals_end
from chainrule.cli.verbs import VERBS, Verb
from chainrule.errors import EXIT_FAILED, ChainruleError, UnknownNameError, WriteError
from chainrule.errors.notices import notices_to

HELP = ("--help", "-h", "help")
VERSION = ("--version", "-V")
UNWRITABLE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
LEAST = 32  # columns for a sentence beside the usage; in fewer it goes below


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the words of a command line say.

    Args: arguments: the words after `chainrule`; None for those of this process.
    Returns: the exit code: 0 done, 1 failed, 2 wrong usage or input, 130 interrupted, 143 terminated.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    with signals_end() as signals, notices_to(sys.stderr):
        _escape_what_cannot_be_shown()
        try:
            code = _main(words)
            sys.stdout.flush()
        except (Exception, KeyboardInterrupt, Stopped) as error:  # noqa: BLE001 - what a signal interrupts may change its exception
            if signals.number is None and isinstance(error, Exception):
                return _failed(error)
            word, code = signals.ending
            sys.stderr.write(f"{word}\n")
    return code


def _failed(error: Exception) -> int:
    """The exit code of a command that failed on purpose, after its sentence; what nobody foresaw is raised."""
    if isinstance(error, ChainruleError):
        sys.stderr.write(_sentence(error))
        return error.exit_code
    if isinstance(error, BrokenPipeError):  # whoever read our output has seen enough
        return _without_stdout()
    if isinstance(error, OSError) and error.errno in UNWRITABLE and error.filename is None:  # a file has its own words
        said = f"the output cannot be written ({error.strerror}): make room, or send it elsewhere"
        sys.stderr.write(_sentence(WriteError(said)))
        return _without_stdout()
    raise error


def _without_stdout() -> int:
    """The exit code where nobody takes our output; what is still to be written of it goes nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return EXIT_FAILED


def _escape_what_cannot_be_shown() -> None:
    """Rather than fail where the terminal's encoding lacks a character, write its escape."""
    stream: object = sys.stdout
    if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
        stream.reconfigure(errors="backslashreplace")


def _sentence(error: ChainruleError) -> str:
    """One line for a program; for a person, as many as the screen is wide."""
    text = f"error[{error.code}]: {error}"
    if not sys.stderr.isatty():
        return f"{text}\n"
    lines = textwrap.wrap(text, columns(), subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)
    return "\n".join(lines) + "\n"


def _main(words: list[str]) -> int:
    if words[:1] == ["help"] and len(words) > 1:
        words = [words[1], "--help", *words[2:]]
    if not words or words[0] in HELP:
        sys.stdout.write(_overview())
        return 0
    if words[0] in VERSION:
        from importlib import metadata

        sys.stdout.write(f"chainrule {metadata.version('chainrule')}\n")
        return 0
    if words[0] not in VERBS:
        raise UnknownNameError("command", words[0], VERBS)
    module = importlib.import_module(f"chainrule.cli.{VERBS[words[0]].module}_verb")
    code: int = module.run(words[1:])
    return code


def _overview() -> str:
    lines = [line for verb in VERBS.values() for line in _verb_lines(verb, columns())]
    return "\n".join(
        line
        for text in (
            "chainrule trains neural networks by backpropagation and shows every step of it.",
            "",
            "usage: chainrule VERB [OPTIONS]",
            "",
            *lines,
            "",
            "WHAT is digits, xor, moons, circles, spirals or one_weight; or your own data.",
            "RUN is a run's folder, the beginning of its name, or latest.",
            "",
            "Start with:   chainrule train digits",
            "More on each: chainrule VERB --help",
            "",
        )
        for line in (textwrap.wrap(text, columns(), subsequent_indent="  ") if len(text) > columns() else [text])
    )


def _verb_lines(verb: Verb, width: int) -> list[str]:
    """Its usage and its sentence beside each other, or below where there is no room for both."""
    place = max(len(each.usage) for each in VERBS.values()) + 4
    if place + LEAST <= width:
        first, *rest = textwrap.wrap(verb.sentence, width - place)
        return [f"  {verb.usage:<{place - 2}}{first}", *(" " * place + line for line in rest)]
    below = textwrap.wrap(verb.sentence, width, initial_indent="    ", subsequent_indent="    ")
    return [f"  {verb.usage}", *below]
