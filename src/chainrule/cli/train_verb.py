"""`chainrule train`: from a data set, a file or an experiment.toml to a run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from chainrule.cli.disk import Disk
from chainrule.cli.flags import NO_DATA_FLAGS, NO_FLAGS, OUTPUT, DataFlags, ExperimentFlags
from chainrule.cli.parse import call
from chainrule.cli.threads import Threads, use_threads

if TYPE_CHECKING:
    from chainrule.runs.run import Run
    from chainrule.train.events import Listener


def run(words: Sequence[str]) -> int:
    """Do what was typed after `chainrule train`."""
    return call("train", train, words)


def train(
    what: Annotated[
        str, Parameter(help="digits, xor, moons, circles, spirals, one_weight; a file or folder; an experiment.toml.")
    ],
    /,
    *,
    data: Annotated[DataFlags, Parameter(name="*")] = NO_DATA_FLAGS,
    flags: Annotated[ExperimentFlags, Parameter(name="*")] = NO_FLAGS,
    threads: Threads = None,
    runs: Annotated[Path, Parameter(group=OUTPUT, help="The folder to make the run's own in.")] = Path("runs"),
    json: Annotated[
        bool, Parameter(group=OUTPUT, negative=(), show_default=False, help="JSON lines; so is a pipe.")
    ] = False,
    disk: Disk = None,
    print_experiment: Annotated[
        bool,
        Parameter(group=OUTPUT, negative=(), show_default=False, help="Write the experiment.toml and train nothing."),
    ] = False,
) -> int:
    """Train a network by backpropagation, and write the run into a folder of its own."""
    from chainrule.cli.design_from_flags import experiment_of
    from chainrule.cli.finish import watch
    from chainrule.cli.screen import stdout
    from chainrule.runs.begin import run_experiment
    from chainrule.runs.reach import room_in_words
    from chainrule.runs.summary import before_training, checkpoint_size
    from chainrule.train.keeper import check_disk, room_at
    from chainrule.train.prepare import prepare
    from chainrule.train.serialize import to_toml

    check_disk(disk)
    use_threads(threads)
    experiment, dataset = experiment_of(what, data, flags)
    screen = stdout()
    if print_experiment:
        prepare(experiment, dataset)  # what would fail fails now
        screen.stream.write(to_toml(experiment))
        return 0
    is_json = json or not screen.person
    if not is_json:
        prepared = prepare(experiment, dataset)
        each = checkpoint_size(prepared.experiment, prepared.record)
        room = room_in_words(each, room_at(runs, disk), is_said=disk is not None)
        screen.show(before_training(prepared.experiment, prepared.record, room))
        screen.say("")

    def begin(listeners: Iterable[Listener]) -> Run:
        return run_experiment(experiment, dataset, runs=runs, listeners=listeners, disk=disk)

    return watch(screen, is_json, begin)
