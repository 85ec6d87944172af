"""What is trained in the benchmark: a table of networks, data, batches and optimizers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from chainrule.errors import UnknownNameError

SampleSet: TypeAlias = Literal["xor", "mnist", "matrix_exponential"]
Hidden: TypeAlias = Literal["relu", "sigmoid", "tanh"]
Last: TypeAlias = Literal["softmax", "sigmoid", "linear"]
OptimizerName: TypeAlias = Literal["sgd", "adam"]
Storage: TypeAlias = Literal["uint8", "float32"]

PIXEL: Final = 255  # a pixel of 255 is a feature of 1
OPTIMIZERS: Final[tuple[OptimizerName, ...]] = ("sgd", "adam")
STORAGES: Final[tuple[Storage, ...]] = ("uint8", "float32")


@dataclass(frozen=True, slots=True)
class Workload:
    """A network and how it is trained.

    Attributes:
        name: W1, W2, ...
        sentence: what it is, and what it shows.
        sizes: inputs, hidden units, outputs.
        hidden: activation of the hidden layers.
        last: what the output passes: softmax is trained with cross-entropy, everything else with the mean squared
            error.
        samples: which data.
        batch: rows in a batch; None for all rows, in their order.
        rates: the learning rate for each optimizer it is trained with.
        storages: in which the samples lie in memory, those measured unless others are asked for.
        horizon: steps after which a training begins anew, so that all systems are timed on the same steps.
    """

    name: str
    sentence: str
    sizes: tuple[int, ...]
    hidden: Hidden
    last: Last
    samples: SampleSet
    batch: int | None
    rates: dict[OptimizerName, float]
    storages: tuple[Storage, ...]
    horizon: int


@dataclass(frozen=True, slots=True)
class Case:
    """A workload with one of its optimizers and one storage: what a row of results is about."""

    workload: Workload
    optimizer: OptimizerName
    storage: Storage

    @property
    def name(self) -> str:
        """As a person says it: "W2 SGD uint8"."""
        return f"{self.workload.name} {self.optimizer.upper() if self.optimizer == 'sgd' else 'Adam'} {self.storage}"


# The rates are such that float32 follows float64 for the steps that are compared. Larger ones change no time, but
# throw a pre-activation near 0 to the other side of the ReLU sooner, which no rounding survives: at 0.001, W3 with Adam
# is 3 % off after 100 steps in any system whose β₂ is a float32.
# The horizons of the sets of 60,000 rows are an epoch.
WORKLOADS: Final[dict[str, Workload]] = {
    workload.name: workload
    for workload in (
        Workload(
            name="W1",
            sentence="XOR, the whole set of 4 rows a step: pure overhead",
            sizes=(2, 2, 1),
            hidden="sigmoid",
            last="sigmoid",
            samples="xor",
            batch=None,
            rates={"sgd": 0.5},
            storages=("float32",),
            horizon=200_000,
        ),
        Workload(
            name="W2",
            sentence="MNIST, the network of a first lesson: overhead and gathering",
            sizes=(784, 16, 16, 10),
            hidden="relu",
            last="softmax",
            samples="mnist",
            batch=10,
            rates={"sgd": 0.05},
            storages=("uint8", "float32"),
            horizon=6_000,
        ),
        Workload(
            name="W3",
            sentence="MNIST, a small network as many people train it",
            sizes=(784, 128, 64, 10),
            hidden="relu",
            last="softmax",
            samples="mnist",
            batch=32,
            rates={"sgd": 0.05, "adam": 1e-4},
            storages=("uint8",),
            horizon=1_875,
        ),
        Workload(
            name="W4",
            sentence="MNIST, a network large enough that arithmetic decides",
            sizes=(784, 512, 512, 10),
            hidden="relu",
            last="softmax",
            samples="mnist",
            batch=128,
            rates={"sgd": 0.003, "adam": 1e-5},
            storages=("uint8",),
            horizon=468,
        ),
        Workload(
            name="W9",
            sentence="the exponential of 2 by 2 matrices, all 10,000 rows a step: tanh and narrow layers",
            sizes=(4, 32, 16, 4),
            hidden="tanh",
            last="linear",
            samples="matrix_exponential",
            batch=None,
            rates={"adam": 0.001},
            storages=("float32",),
            horizon=1_000,
        ),
    )
}


def workload_named(name: str) -> Workload:
    """The workload of that name.

    Raises: UnknownNameError for another name.
    """
    if name.upper() not in WORKLOADS:
        raise UnknownNameError("workload", name, WORKLOADS)
    return WORKLOADS[name.upper()]


def cases(
    workloads: Iterable[Workload], optimizers: Iterable[str] = (), storages: Iterable[str] = ()
) -> Iterator[Case]:
    """Every case of these workloads.

    Args:
        workloads: in this order.
        optimizers: only these; all where none is named.
        storages: only these, also those a workload is not measured with by default; its own where none is named.

    Raises: UnknownNameError for an optimizer or a storage that does not exist.
    """
    wanted_optimizers, wanted_storages = tuple(optimizers), tuple(storages)
    for kind, wanted, known in (
        ("optimizer", wanted_optimizers, OPTIMIZERS),
        ("storage", wanted_storages, STORAGES),
    ):
        for name in wanted:
            if name not in known:
                raise UnknownNameError(kind, name, known)
    for workload in workloads:
        for optimizer in workload.rates:
            for storage in _storages(workload, wanted_storages):
                if not wanted_optimizers or optimizer in wanted_optimizers:
                    yield Case(workload, optimizer, storage)


def _storages(workload: Workload, wanted: tuple[str, ...]) -> tuple[Storage, ...]:
    possible = STORAGES if workload.samples == "mnist" else ("float32",)
    return tuple(each for each in possible if each in wanted) if wanted else workload.storages
