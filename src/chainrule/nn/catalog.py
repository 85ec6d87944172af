"""One place from names to members: what experiments, the command line and error messages know them by."""

from __future__ import annotations

from typing import Any

import msgspec

from chainrule.errors import ExperimentError, UnknownNameError
from chainrule.nn.activations import Activation, activation_named
from chainrule.nn.initializers import Constant, InitializerChoice, initializer_named
from chainrule.nn.layers import LAYERS, Layer
from chainrule.nn.losses import Loss, loss_named
from chainrule.nn.optimizers import OPTIMIZERS, Optimizer


def layer(name: str, /, **options: Any) -> Layer:  # Any: each kind checks its own options
    """The layer of that kind: layer("dense", units=16, activation="relu").

    Raises: UnknownNameError for an unknown kind or option; ExperimentError for an option that is missing or does not
        fit.
    """
    kind = LAYERS.get(str(name))
    if kind is None:
        raise UnknownNameError("layer", str(name), LAYERS)
    _check_options(name, kind, options)
    return kind(**options)


def activation(name: str) -> Activation:
    """The activation of that name.

    Raises: UnknownNameError.
    """
    return activation_named(name)


def loss(name: str) -> Loss:
    """The loss of that name or alias: loss("mse") is mean_squared_error.

    Raises: UnknownNameError.
    """
    return loss_named(name)


def optimizer(name: str, /, **options: Any) -> Optimizer:  # Any: each kind checks its own options
    """The optimizer of that name, with some of its numbers changed: optimizer("momentum", learning_rate=0.1).

    Raises: UnknownNameError for an unknown name or option; ExperimentError for a number outside its range.
    """
    found = OPTIMIZERS.get(str(name))
    if found is None:
        raise UnknownNameError("optimizer", str(name), OPTIMIZERS)
    _check_options(name, type(found), options, given=found)
    return msgspec.structs.replace(found, **options)


def initializer(name: str, /, **options: Any) -> InitializerChoice:  # Any: each kind checks its own options
    """The initializer of that name, as a layer takes it: initializer("constant", value=0.5), initializer("zeros").

    Raises: UnknownNameError for an unknown name or option; ExperimentError for a value that is missing or not finite.
    """
    if name == "constant":
        _check_options(name, Constant, options)
        return Constant(**options)
    row = initializer_named(name)
    for option in options:
        raise UnknownNameError(f"option of {name}", option, [])
    return row.name


def _check_options(
    name: str, kind: type[msgspec.Struct], options: dict[str, Any], given: msgspec.Struct | None = None
) -> None:
    fields = msgspec.structs.fields(kind)
    for option in options:
        if option not in kind.__struct_fields__:
            raise UnknownNameError(f"option of {name}", option, kind.__struct_fields__)
    missing = [field.name for field in fields if field.required and field.name not in options]
    if missing and given is None:
        raise ExperimentError(f"{name} needs {missing[0]}, and got none; add {missing[0]}=")
