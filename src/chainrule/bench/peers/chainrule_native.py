"""chainrule on its native backend."""

from __future__ import annotations

from typing import Final

from chainrule.bench.peers.contract import Training, Variant
from chainrule.bench.peers.training_slices import Slices
from chainrule.bench.task import Task


def _slices(task: Task) -> Training:
    return Slices(task, "native")


VARIANTS: Final = (Variant("slices of training", "documented", _slices),)
