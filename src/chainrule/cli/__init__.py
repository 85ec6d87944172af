"""The command line: verbs that train, explain and check. Nothing heavy is imported before a verb needs it."""

from __future__ import annotations

import importlib
import os
import shutil
import sys
import textwrap
from collections.abc import Sequence

from chainrule.cli.verbs import VERBS
from chainrule.errors import EXIT_FAILED, EXIT_INTERRUPTED, ChainruleError, UnknownNameError

HELP = ("--help", "-h", "help")
VERSION = ("--version", "-V")


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the words of a command line say.

    Args: arguments: the words after `chainrule`; None for those of this process.
    Returns: the exit code: 0 done, 1 failed, 2 wrong usage or input, 130 interrupted, 143 terminated.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        code = _main(words)
        sys.stdout.flush()
    except ChainruleError as error:
        sys.stderr.write(_sentence(error))
        return error.exit_code
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        return EXIT_INTERRUPTED
    except BrokenPipeError:  # whoever read our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_FAILED
    return code


def _sentence(error: ChainruleError) -> str:
    """One line for a program; for a person, as many as the screen is wide."""
    text = f"error[{error.code}]: {error}"
    if not sys.stderr.isatty():
        return f"{text}\n"
    columns = shutil.get_terminal_size((80, 24)).columns
    lines = textwrap.wrap(text, columns, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)
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
    width = max(len(verb.usage) for verb in VERBS.values()) + 2
    lines = [f"  {verb.usage:<{width}}{verb.sentence}" for verb in VERBS.values()]
    return "\n".join(
        (
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
    )
