"""Small tasks of the benchmark's own making, for its tests."""

from __future__ import annotations

from pathlib import Path

from chainrule.bench.oracle import task_of
from chainrule.bench.samples import Samples, samples_of
from chainrule.bench.task import Task
from chainrule.bench.workloads import WORKLOADS, Case, OptimizerName, Storage

NOWHERE = Path("no") / "mnist" / "here"


def case_of(workload: str, optimizer: OptimizerName = "sgd", storage: Storage = "float32") -> Case:
    return Case(WORKLOADS[workload], optimizer, storage)


def small_task(case: Case, rows: int, cores: int = 1) -> Task:
    """The case on its first rows, images made up."""
    return task_of(case, small_samples(case, rows), cores)


def small_samples(case: Case, rows: int) -> Samples:
    if case.workload.samples != "mnist":
        return samples_of(case.workload.samples, case.storage, rows=rows)
    from chainrule.bench.samples import _made_up, _stored

    return _stored(_made_up(rows), case.storage, None)
