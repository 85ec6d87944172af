"""Neural networks trained by backpropagation, with every step of it open to read.

    import chainrule as cr

    net = cr.Network([cr.Dense(16, "relu"), cr.Dense(10)])
    run = cr.train(net, cr.load("digits"), optimizer=cr.SGD(0.1), epochs=20)
    print(run.explain(weight="dense_1.W[28, 3]", sample=17))

Every name is imported when it is first used, so that `import chainrule` costs next to nothing.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from chainrule import errors, lessons
    from chainrule.data.dataset import Dataset
    from chainrule.data.load import load
    from chainrule.document.tree import Document
    from chainrule.graph import expr
    from chainrule.graph.expr import Expr
    from chainrule.lessons.shelf import lesson
    from chainrule.nn import activations, initializers, layers, losses, optimizers
    from chainrule.nn.layers import ActivationLayer, Dense, Flatten
    from chainrule.nn.network import Network
    from chainrule.nn.optimizers import SGD, Adam
    from chainrule.report.write import report
    from chainrule.runs.begin import run_experiment, train
    from chainrule.runs.check_gradients import Verdicts
    from chainrule.runs.descents import descent
    from chainrule.runs.formulas import evaluate, gradient
    from chainrule.runs.opening import list_runs, open_run
    from chainrule.runs.page import Page
    from chainrule.runs.run import Run
    from chainrule.train.evaluate import Classified, Regressed
    from chainrule.train.events import EpochDone, SliceDone, TrainingStarted, TrainingStopped
    from chainrule.train.experiment import Experiment, Preprocessing, SplitPlan
    from chainrule.train.history import History
    from chainrule.train.stopping import Stopper

# Each public name and the module it comes from; a name that is a module itself stands behind its parent.
FACE: Final[dict[str, str]] = {
    "ActivationLayer": "chainrule.nn.layers",
    "Adam": "chainrule.nn.optimizers",
    "Classified": "chainrule.train.evaluate",
    "Dataset": "chainrule.data.dataset",
    "Dense": "chainrule.nn.layers",
    "Document": "chainrule.document.tree",
    "EpochDone": "chainrule.train.events",
    "Experiment": "chainrule.train.experiment",
    "Expr": "chainrule.graph.expr",
    "Flatten": "chainrule.nn.layers",
    "History": "chainrule.train.history",
    "Network": "chainrule.nn.network",
    "Page": "chainrule.runs.page",
    "Preprocessing": "chainrule.train.experiment",
    "Regressed": "chainrule.train.evaluate",
    "Run": "chainrule.runs.run",
    "SGD": "chainrule.nn.optimizers",
    "SliceDone": "chainrule.train.events",
    "SplitPlan": "chainrule.train.experiment",
    "Stopper": "chainrule.train.stopping",
    "TrainingStarted": "chainrule.train.events",
    "TrainingStopped": "chainrule.train.events",
    "Verdicts": "chainrule.runs.check_gradients",
    "activations": "chainrule.nn",
    "descent": "chainrule.runs.descents",
    "errors": "chainrule",
    "evaluate": "chainrule.runs.formulas",
    "expr": "chainrule.graph",
    "gradient": "chainrule.runs.formulas",
    "initializers": "chainrule.nn",
    "layers": "chainrule.nn",
    "lesson": "chainrule.lessons.shelf",
    "lessons": "chainrule",
    "list_runs": "chainrule.runs.opening",
    "load": "chainrule.data.load",
    "losses": "chainrule.nn",
    "open_run": "chainrule.runs.opening",
    "optimizers": "chainrule.nn",
    "report": "chainrule.report.write",
    "run_experiment": "chainrule.runs.begin",
    "train": "chainrule.runs.begin",
}
MODULES: Final = ("activations", "errors", "expr", "initializers", "layers", "lessons", "losses", "optimizers")

__all__ = [
    "SGD",
    "ActivationLayer",
    "Adam",
    "Classified",
    "Dataset",
    "Dense",
    "Document",
    "EpochDone",
    "Experiment",
    "Expr",
    "Flatten",
    "History",
    "Network",
    "Page",
    "Preprocessing",
    "Regressed",
    "Run",
    "SliceDone",
    "SplitPlan",
    "Stopper",
    "TrainingStarted",
    "TrainingStopped",
    "Verdicts",
    "activations",
    "descent",
    "errors",
    "evaluate",
    "expr",
    "gradient",
    "initializers",
    "layers",
    "lesson",
    "lessons",
    "list_runs",
    "load",
    "losses",
    "open_run",
    "optimizers",
    "report",
    "run_experiment",
    "train",
]


class _Face(ModuleType):
    """A package whose public names win over its rooms: `cr.train` trains, and the room of that name is imported from.

    Importing a room makes it an attribute of the package; where a public name has that place, it is kept.
    """

    def __setattr__(self, name: str, value: object) -> None:
        if not (isinstance(value, ModuleType) and name in FACE and name not in MODULES):
            super().__setattr__(name, value)


if not TYPE_CHECKING:  # so that a type checker still sees a misspelled name

    def __getattr__(name: str) -> Any:  # Any: of whatever type the name is
        """The public name, imported when it is first used.

        Raises: UnknownAttributeError for a name that does not exist, with the nearest that does.
        """
        if name not in FACE:
            from chainrule.errors import UnknownAttributeError

            raise UnknownAttributeError("chainrule", name, FACE)
        module = FACE[name]
        value = importlib.import_module(f"{module}.{name}") if name in MODULES else _member(module, name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    """The public names."""
    return sorted(FACE)


def _member(module: str, name: str) -> Any:
    return getattr(importlib.import_module(module), name)


sys.modules[__name__].__class__ = _Face
