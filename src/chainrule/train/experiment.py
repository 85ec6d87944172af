"""An experiment: everything a training run needs, as one frozen value that can be written down."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from typing import Any, Final, Literal, TypeAlias, cast, get_args

import msgspec

from chainrule.data.dataset import ScalingKind
from chainrule.data.source import Source
from chainrule.errors import ExperimentError, UnknownNameError
from chainrule.nn.bounds import SHARE, real, truth, whole
from chainrule.nn.layers import Layer
from chainrule.nn.losses import loss_named
from chainrule.nn.network import Network
from chainrule.nn.optimizers import SGD, Adam, Optimizer
from chainrule.train.upgrade import FORMAT_VERSION

FloatType: TypeAlias = Literal["float32", "float64"]
Auto: TypeAlias = Literal["auto"]

AUTO: Final = "auto"
HASH_DIGITS: Final = 8
SEEDS: Final = 2**64

_SHA256: Final = re.compile(r"[0-9a-f]{64}\Z")


def _set(struct: msgspec.Struct, field: str, value: object) -> None:
    msgspec.structs.force_setattr(struct, field, value)


def _one_of(kind: str, value: object, options: tuple[str, ...]) -> None:
    if value not in options:
        raise UnknownNameError(kind, str(value), options)


class Preprocessing(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How features and targets are scaled, fitted on the training rows; "auto" is what the data set suggests.

    Args:
        features: "auto", "none", "standardize", "minmax" or "unit".
        targets: the same, for regression.
    """

    features: ScalingKind = AUTO
    targets: ScalingKind = AUTO

    def __post_init__(self) -> None:
        for kind in (self.features, self.targets):
            _one_of("scaling", kind, get_args(ScalingKind))


class SplitPlan(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which share of the rows is held out.

    Args:
        test_fraction: of all rows, looked at once, at the end; "auto" is what the data set suggests, mostly a fifth.
        validation_fraction: of the rows left, looked at after every epoch; 0 unless asked for, as in Keras.
        stratify: hold out of every class in proportion to its size.
    """

    test_fraction: float | Auto = AUTO
    validation_fraction: float = 0.0
    stratify: bool = True

    def __post_init__(self) -> None:
        if self.test_fraction != AUTO:
            _set(self, "test_fraction", real("the split", "test_fraction", self.test_fraction, SHARE))
        validation = real("the split", "validation_fraction", self.validation_fraction, SHARE)
        _set(self, "validation_fraction", validation)
        truth("the split", "stratify", self.stratify)


class Experiment(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Data, preprocessing, network, loss, optimizer, budget, seed: two runs of equal experiments have equal bits.

    Args:
        format_version: of the file it is written to.
        name: what a person calls it; the hash does not cover it.
        data: where the data come from, with their SHA-256.
        preprocessing: how they are scaled.
        network: the layers in order.
        loss: a name or alias of `nn.losses`; "auto" is chosen by the task.
        optimizer: what moves the parameters; by default Adam with η = 0.003, measured on the digits.
        frozen: patterns such as "dense_1.*" or "*.b" of parameters that stay as they are.
        initial_weights: SHA-256 of weights set by hand, see `state.weights_sha256`; None when all are drawn.
        split: which rows are held out.
        epochs: how often every training row is visited.
        batch_size: rows per update; the last batch of an epoch may be smaller.
        shuffle: visit the rows of each epoch in a new order.
        seed: of the initial weights, the split and the order, from 0 to 2**64 - 1.
        dtype: in which everything is computed, "float32" or "float64".
        backend: a name of `backends.choose`; "auto" is the best one here, a policy that stays in the file.

    Raises:
        ExperimentError: a value without meaning.
        UnknownNameError: an unknown loss, scaling or dtype.
    """

    format_version: int = FORMAT_VERSION
    name: str
    data: Source
    preprocessing: Preprocessing = Preprocessing()
    network: tuple[Layer, ...]
    loss: str = AUTO
    optimizer: Optimizer = Adam(learning_rate=0.003)  # digits, seeds 0 to 19: median 0.978, smallest 0.969 of the test
    frozen: tuple[str, ...] = ()
    initial_weights: str | None = None
    split: SplitPlan = SplitPlan()
    epochs: int = 20
    batch_size: int = 32
    shuffle: bool = True
    seed: int = 0
    dtype: FloatType = "float32"
    backend: str = AUTO

    def __post_init__(self) -> None:
        if self.format_version != FORMAT_VERSION:
            raise ExperimentError(f"format_version is {self.format_version}; this chainrule makes {FORMAT_VERSION}")
        _check_name(self.name)
        for field, kind in _PARTS.items():
            _check_part(field, getattr(self, field), kind)
        _set(self, "network", tuple(Network(self.network).layers))
        if self.loss != AUTO:
            _set(self, "loss", loss_named(self.loss).name)
        _set(self, "frozen", _patterns(self.frozen))
        if self.initial_weights is not None and not _SHA256.match(self.initial_weights):
            raise ExperimentError("initial_weights is the SHA-256 of weights, 64 digits from 0 to f: leave it out")
        whole("an experiment", "epochs", self.epochs)
        whole("an experiment", "batch_size", self.batch_size)
        _check_seed(self.seed)
        truth("an experiment", "shuffle", self.shuffle)
        _one_of("dtype", self.dtype, get_args(FloatType))

    @property
    def layers(self) -> Network:
        """The network made of the layers."""
        return Network(self.network)

    @property
    def hash(self) -> str:
        """Eight hexadecimal digits that stand for everything but the name."""
        return _digest(self, {"name"})

    @property
    def lineage(self) -> str:
        """Eight hexadecimal digits that stand for everything a step depends on: a run that goes on keeps them.

        The name, the number of epochs and the policy for the backend may change.
        """
        return _digest(self, {"name", "epochs", "backend"})

    def but(self, **changes: Any) -> Experiment:  # Any: checked field by field
        """The experiment with some fields changed.

        Raises: UnknownNameError for a field that does not exist; ExperimentError for a value without meaning.
        """
        for field in changes:
            if field not in self.__struct_fields__:
                raise UnknownNameError("field of the experiment", field, self.__struct_fields__)
        return msgspec.structs.replace(self, **changes)


_PARTS: Final[dict[str, tuple[type, ...]]] = {
    "data": (Source,),
    "preprocessing": (Preprocessing,),
    "optimizer": (SGD, Adam),
    "split": (SplitPlan,),
}


def _check_part(field: str, value: object, kinds: tuple[type, ...]) -> None:
    if not isinstance(value, kinds):
        wanted = " or ".join(kind.__name__ for kind in kinds)
        raise ExperimentError(f"{field} of an experiment is a {wanted}, and got {value!r}; make one of it")


def plain(experiment: Experiment) -> dict[str, Any]:
    """The experiment as TOML and JSON can say it, every default written out; what is None is left out."""
    return _without_none(msgspec.to_builtins(experiment))


def _digest(experiment: Experiment, without: set[str]) -> str:
    covered = {key: value for key, value in plain(experiment).items() if key not in without}
    return hashlib.sha256(msgspec.json.encode(covered, order="deterministic")).hexdigest()[:HASH_DIGITS]


def _without_none(value: Any) -> Any:  # Any: the tree of built-in types that msgspec makes
    if isinstance(value, dict):
        items = cast("dict[str, Any]", value).items()
        return {key: _without_none(item) for key, item in items if item is not None}
    if isinstance(value, (list, tuple)):
        return [_without_none(item) for item in cast("Sequence[Any]", value)]
    return value


def _check_name(name: object) -> None:
    if not isinstance(name, str) or not name.strip() or not name.isprintable():
        raise ExperimentError(f"an experiment needs a name that can be printed, and got {name!r}; give it a word")


def _check_seed(seed: object) -> None:
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < SEEDS:
        raise ExperimentError(f"a seed is a whole number from 0 to {SEEDS - 1}, and got {seed!r}; choose another seed")


def _patterns(patterns: object) -> tuple[str, ...]:
    if isinstance(patterns, str) or not isinstance(patterns, (list, tuple)):
        raise ExperimentError(f"frozen is a list of patterns such as '*.b', and got {patterns!r}; put it in brackets")
    return tuple(str(pattern) for pattern in cast("Sequence[object]", patterns))
