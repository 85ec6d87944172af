"""`chainrule resume`: go on where a run stopped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from chainrule.cli.disk import Disk
from chainrule.cli.parse import call
from chainrule.cli.threads import Threads, use_threads

if TYPE_CHECKING:
    from chainrule.runs.run import Run
    from chainrule.train.events import Listener


def run(words: Sequence[str]) -> int:
    """Do what was typed after `chainrule resume`."""
    return call("resume", resume, words)


def resume(
    which: Annotated[str, Parameter(help="The run: its folder, the beginning of its name, or latest.")] = "latest",
    /,
    *,
    epochs: Annotated[int | None, Parameter(help="How many it shall have in all.")] = None,
    threads: Threads = None,
    disk: Disk = None,
    json: Annotated[bool, Parameter(negative=(), show_default=False, help="JSON lines; so is a pipe.")] = False,
) -> int:
    """Go on from the last step, to the bits of a run that was never interrupted."""
    from chainrule.cli.finish import watch
    from chainrule.cli.screen import stderr, stdout
    from chainrule.runs.opening import open_run

    use_threads(threads)
    stopped = open_run(which)
    screen = stdout()
    is_json = json or not screen.person
    if not is_json:
        stderr().say(f"{stopped.name} goes on after step {stopped.step:,}, epoch {stopped.checkpoint.epoch + 1}")

    def go_on(listeners: Iterable[Listener]) -> Run:
        return stopped.resume(epochs, listeners=listeners, disk=disk)

    return watch(screen, is_json, go_on)
