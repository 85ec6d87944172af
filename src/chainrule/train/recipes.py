"""What is trained, and how, where nobody chooses a network: a data set of a lesson brings the network of it."""

from __future__ import annotations

from typing import Any, Final

from chainrule.data.dataset import Dataset
from chainrule.nn.initializers import Constant
from chainrule.nn.layers import Dense
from chainrule.nn.optimizers import SGD, Adam

HIDDEN: Final = (64, 32)  # units of the hidden layers where nobody says otherwise; all with ReLU
HIDDEN_OF_MNIST: Final = (16, 16)  # of images of 28 × 28: 784-16-16-10 has 13,002 weights and biases
MNIST_PIXELS: Final = 784

_RECIPES: Final[dict[str, dict[str, Any]]] = {
    # One linear unit without bias, from w = 0.7: 11 steps by hand from one sample, so in float64.
    "one_weight": {
        "network": (Dense(1, use_bias=False, kernel_initializer=Constant(0.7)),), "loss": "mean_squared_error",
        "optimizer": SGD(0.1), "epochs": 11, "dtype": "float64",
    },
    # Measured with seeds 0 to 19: each ends with all four rows right and a loss of at most 0.005 nats.
    "xor": {"network": (Dense(8, "tanh"), Dense(2)), "optimizer": Adam(0.05), "epochs": 100},
}  # fmt: skip


def recipe(dataset: Dataset) -> dict[str, Any]:
    """The fields of an experiment that a built-in set suggests as a whole; empty for most."""
    return dict(_RECIPES.get(dataset.source.name, {})) if dataset.source.kind == "builtin" else {}


def default_hidden(dataset: Dataset) -> tuple[int, ...]:
    """Units of the hidden layers for this data set."""
    features = len(dataset.feature_names)
    return HIDDEN_OF_MNIST if dataset.image_shape is not None and features == MNIST_PIXELS else HIDDEN
