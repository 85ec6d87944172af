"""`chainrule runs`: the list of runs, and making room by removing one, or checkpoints of one."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from chainrule.cli.parse import call
from chainrule.errors import InputError, WriteError
from chainrule.errors.counts import counted, verb_of


def run(words: Sequence[str]) -> int:
    """Do what was typed after `chainrule runs`."""
    if words[:1] == ["remove"]:
        return call("runs remove", remove, words[1:])
    if words[:1] == ["thin"]:
        return call("runs thin", thin, words[1:])
    return call("runs", runs, words[1:] if words[:1] == ["list"] else words)


def runs(
    *,
    runs: Annotated[Path, Parameter(help="The folder they are in.")] = Path("runs"),
    json: Annotated[bool, Parameter(negative=(), show_default=False, help="A JSON line a run; so is a pipe.")] = False,
) -> int:
    """List the runs, the one that changed last first; `runs remove RUN` deletes one, `runs thin RUN` shrinks one."""
    from chainrule.cli.screen import stdout
    from chainrule.runs.listing import listing_data, listing_of
    from chainrule.runs.opening import list_runs

    found = list_runs(runs)
    screen = stdout()
    if screen.person and not json:
        screen.show(listing_of(found, runs))
    else:
        for each in found:
            screen.json(listing_data(each))
    return 0


def remove(
    which: Annotated[str, Parameter(help="The run: its folder or its whole name.")],
    /,
    *,
    runs: Annotated[Path, Parameter(help="The folder it is in.")] = Path("runs"),
    yes: Annotated[bool, Parameter(name=("--yes", "-y"), negative=(), show_default=False, help="Do not ask.")] = False,
) -> int:
    """Delete a run with everything in its folder; this cannot be undone."""
    from chainrule.cli.screen import stderr
    from chainrule.runs.opening import find_run

    path = find_run(which, runs)
    if path.resolve().name != Path(which).resolve().name:
        raise InputError(f"to delete a run takes its whole name, and '{which}' came: did you mean {path.name}?")
    if not yes and not _is_sure(path):
        stderr().say("nothing was deleted")
        return 0
    from chainrule.train.folder import RunFolder

    folder = RunFolder(path)
    try:
        with folder.lock:
            folder.experiment.unlink()  # without it there is no run that anybody could go on with
        shutil.rmtree(path)
    except WriteError:
        raise
    except OSError as error:
        raise WriteError(f"{path} could not be deleted ({error.strerror}): check its permissions") from error
    stderr().say(f"{path} is deleted")
    return 0


def thin(
    which: Annotated[str, Parameter(help="The run: its folder, the beginning of its name, or latest.")],
    /,
    *,
    keep: Annotated[int, Parameter(help="Checkpoints that stay at most, the first and the last among them.")] = 16,
    runs: Annotated[Path, Parameter(help="The folder it is in.")] = Path("runs"),
) -> int:
    """Delete checkpoints of a run, evenly; every step can still be reached, only later."""
    from chainrule.cli.screen import stderr
    from chainrule.runs.opening import find_run
    from chainrule.runs.reach import reach_in_words, reach_of, size_in_words
    from chainrule.train.folder import RunFolder

    folder = RunFolder(find_run(which, runs))
    with folder.lock:
        before = sum(map(folder.checkpoints.size, folder.checkpoints.steps))
        gone = folder.checkpoints.thin(keep)
        left = reach_of(folder)
    stays = f"{left.checkpoints} stay: {size_in_words(left.size)} of {size_in_words(before)}"
    stderr().say(f"{counted(len(gone), 'checkpoint')} {verb_of(len(gone), 'is', 'are')} deleted, {stays}")
    stderr().say(reach_in_words(left))
    return 0


def _is_sure(path: Path) -> bool:
    if not sys.stdin.isatty():
        raise InputError("there is nobody to ask whether the run shall be deleted: add --yes")
    sys.stderr.write(f"delete {path} and everything in it? [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")
