"""Losses: what a prediction costs on one sample, as the book writes it, and the table that names them.

The loss of a batch is the mean over its samples, L = 1/n Σₙ ℓₙ, or with sample weights Σ wₙ ℓₙ / Σ wₙ.
In the examples `value` stands for the number that a formula has in the reference backend.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import msgspec

from chainrule.errors import ExperimentError, ShapeError, UnknownAttributeError, UnknownNameError
from chainrule.graph import expr as e
from chainrule.graph.expr import Expr
from chainrule.graph.tensor_type import DType, show_shape
from chainrule.nn.activations import ACTIVATIONS

Targets: TypeAlias = Literal["numbers", "binary", "classes"]


def half_squared_error(y_hat: Expr, y: Expr) -> Expr:
    """Half the sum of squares: ℓₙ = ½ Σₖ (ŷₖ - yₖ)².

    Args:
        y_hat: prediction ŷ, shape (n, k).
        y: target, shape (n, k), in the same unit.

    Returns: ℓ of shape (n,), the unit of y squared.
    Raises: ShapeError when the shapes differ.
    Derivative: ŷ - y, with respect to ŷ.
    Example: ½ ((1 - 0)² + (4 - 2)²) = 2.5:
        >>> value(half_squared_error(y_hat, y), y_hat=[[1.0, 4.0]], y=[[0.0, 2.0]])
        [2.5]

    Source: Rumelhart, Hinton, Williams, "Learning representations by back-propagating errors", 1986, equation 3.
    """
    return 0.5 * _over_outputs(_difference(y_hat, y) ** 2)


def mean_squared_error(y_hat: Expr, y: Expr) -> Expr:
    """The mean of the squares: ℓₙ = 1/k Σₖ (ŷₖ - yₖ)².

    Args:
        y_hat: prediction ŷ, shape (n, k).
        y: target, shape (n, k), in the same unit.

    Returns: ℓ of shape (n,), the unit of y squared.
    Raises: ShapeError when the shapes differ.
    Derivative: 2 (ŷ - y) / k, with respect to ŷ.
    Example: ((1 - 0)² + (4 - 2)²) / 2 = 2.5:
        >>> value(mean_squared_error(y_hat, y), y_hat=[[1.0, 4.0]], y=[[0.0, 2.0]])
        [2.5]

    Source: Goodfellow, Bengio, Courville, "Deep Learning", 2016, section 5.1.4. Keras and PyTorch define it so.
    """
    squares = _difference(y_hat, y) ** 2
    return e.mean(squares, range(1, squares.type.rank))


def binary_cross_entropy(y_hat: Expr, y: Expr) -> Expr:
    """Nats needed to say y where ŷ was expected, of each output a yes or no: ℓₙ = -Σₖ (y log ŷ + (1 - y) log(1 - ŷ)).

    Summed over the outputs, so that the delta is ŷ - y; Keras averages over them, which divides delta by k.

    Args:
        y_hat: probabilities ŷ, shape (n, k), between 0 and 1.
        y: targets, shape (n, k), from 0 to 1.

    Returns: ℓ of shape (n,), nats.
    Raises: ShapeError when the shapes differ.
    Derivative: ŷ - y with respect to the pre-activation z, for ŷ = σ(z).
    Example: a yes expected with probability 1/4 costs log 4 = 1.3863, and a no log(4/3) = 0.2877:
        >>> value(binary_cross_entropy(y_hat, y), y_hat=[[0.25], [0.25]], y=[[1.0], [0.0]], digits=4)
        [1.3863, 0.2877]

    Source: Bishop, "Pattern Recognition and Machine Learning", 2006, equation 4.90.
    """
    _difference(y_hat, y)
    return -_over_outputs(y * e.log(y_hat) + (1.0 - y) * e.log(1.0 - y_hat))


def categorical_cross_entropy(y_hat: Expr, y: Expr) -> Expr:
    """Nats needed to say which class it is where ŷ was expected: ℓₙ = -Σₖ yₖ log ŷₖ.

    Args:
        y_hat: probabilities ŷ, shape (n, k); each row sums to 1.
        y: targets, shape (n, k); one-hot rows for labels (`one_hot`), or rows that sum to 1.

    Returns: ℓ of shape (n,), nats.
    Raises: ShapeError when the shapes differ.
    Derivative: ŷ - y with respect to the logits z, for ŷ = softmax(z), given that the rows of y sum to 1;
        without this fact it is (Σₖ yₖ) ŷ - y.
    Example: the true class was expected with probability 1/4, so log 4:
        >>> value(categorical_cross_entropy(y_hat, y), y_hat=[[0.25, 0.75]], y=[[1.0, 0.0]], digits=4)
        [1.3863]

    Source: Bishop, "Pattern Recognition and Machine Learning", 2006, equation 4.108.
    """
    _difference(y_hat, y)
    return -_over_outputs(y * e.log(y_hat))


class Loss(msgspec.Struct, frozen=True):
    """A loss by name.

    Attributes:
        name: the catalog's name.
        per_sample: from ŷ and y, both (n, k), to ℓ of shape (n,).
        link: the activation that makes ŷ of a network whose output is linear.
        targets: "numbers", "binary" (each output 0 or 1) or "classes" (labels 0 to k - 1, or one-hot rows).
        said: ℓₙ as a formula in words.
        unit: of the loss.
    """

    name: str
    per_sample: Callable[[Expr, Expr], Expr]
    link: str
    targets: Targets
    said: str
    unit: str


_ROWS: Final = (
    Loss("half_squared_error", half_squared_error, "linear", "numbers", "½ Σₖ (ŷₖ − yₖ)²", "target squared"),
    Loss("mean_squared_error", mean_squared_error, "linear", "numbers", "1/k Σₖ (ŷₖ − yₖ)²", "target squared"),
    Loss(
        "binary_cross_entropy",
        binary_cross_entropy,
        "sigmoid",
        "binary",
        "−Σₖ (yₖ log ŷₖ + (1 − yₖ) log(1 − ŷₖ))",
        "nats",
    ),
    Loss("categorical_cross_entropy", categorical_cross_entropy, "softmax", "classes", "−Σₖ yₖ log ŷₖ", "nats"),
)

LOSSES: Final[dict[str, Loss]] = {row.name: row for row in _ROWS}

ALIASES: Final[dict[str, str]] = {"cross_entropy": "categorical_cross_entropy", "mse": "mean_squared_error"}


def loss_named(name: str) -> Loss:
    """The loss of that name or alias.

    Raises: UnknownNameError when there is none.
    """
    found = LOSSES.get(ALIASES.get(str(name), str(name)))
    if found is None:
        raise UnknownNameError("loss", str(name), [*LOSSES, *ALIASES])
    return found


def prediction(loss: Loss, output: Expr, last_activation: str) -> Expr:
    """ŷ, from what the network puts out.

    A network that ends linear gets the loss's link (softmax, sigmoid), one that already ends in it is left as it is, so
    that the formula is the same either way. A squared error takes any output for its prediction.

    Args:
        loss: what ŷ is for.
        output: of the network, shape (n, k).
        last_activation: the name of the activation that the network ends in.

    Returns: ŷ of shape (n, k).
    Raises: ExperimentError when the network ends in another activation, or softmax would see one output only.
    """
    if loss.link == "linear":
        return output
    if loss.link == "softmax" and output.shape[-1] == 1:
        raise ExperimentError(
            f"{loss.name} needs an output for each class, and the network has 1, whose softmax is always 1; give it "
            "one unit a class, or use binary_cross_entropy"
        )
    if last_activation == loss.link:
        return output
    if last_activation == "linear":
        return ACTIVATIONS[loss.link].formula(output)
    raise ExperimentError(
        f"{loss.name} needs a network that ends linear or in {loss.link}, and this one ends in {last_activation}; "
        "change the last activation or the loss"
    )


def one_hot(labels: Expr, classes: int, dtype: DType) -> Expr:
    """Labels as rows of 0 and 1: yₙₖ = 1 where labelₙ = k.

    Args:
        labels: whole numbers from 0 to k - 1, int32, shape (n,).
        classes: their number k.
        dtype: of the rows, float32 or float64.

    Returns: shape (n, k).
    Assumes: each label lies below k; a row of a label outside would be all 0. Checked where data enters.
    Example: label 2 of three classes:
        >>> value(one_hot(labels, 3, "float64"), labels=[2, 0])
        [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]
    """
    shape = (*labels.shape, classes)
    last = len(shape) - 1
    return e.cast(e.equal(e.broadcast(labels, shape, [last]), e.iota(shape, last)), dtype)  # (n, k)


def weighted_mean(per_sample: Expr, weight: Expr | None = None) -> Expr:
    """The loss of a batch: L = Σₙ wₙ ℓₙ / Σₙ wₙ, or the mean over n without weights.

    Keras divides by n also with weights; then doubling all weights doubles the loss, which here changes nothing.

    Args:
        per_sample: ℓ, shape (n,).
        weight: w, shape (n,), at least 0; None for equal weights.

    Returns: a scalar, the unit of ℓ.
    Raises: ShapeError when the shapes differ.
    Assumes: the weights of a batch do not sum to 0.
    Example: (3 · 1 + 1 · 5) / (3 + 1) = 2:
        >>> value(weighted_mean(per_sample, weight), per_sample=[1.0, 5.0], weight=[3.0, 1.0])
        2.0
    """
    if weight is None:
        return e.mean(per_sample)
    if weight.shape != per_sample.shape:
        raise ShapeError(
            f"sample weights of shape {show_shape(weight.shape)} do not fit losses of shape "
            f"{show_shape(per_sample.shape)}; give one weight a sample"
        )
    return e.sum(weight * per_sample) / e.sum(weight)


def _difference(y_hat: Expr, y: Expr) -> Expr:
    """ŷ - y of equal shapes: (n, 1) less (n,) would silently be (n, n)."""
    if y_hat.shape != y.shape:
        raise ShapeError(
            f"predictions of shape {show_shape(y_hat.shape)} and targets of shape {show_shape(y.shape)} differ; make "
            "the last layer's units as many as the targets' columns"
        )
    return y_hat - y


def _over_outputs(x: Expr) -> Expr:
    return e.sum(x, range(1, x.type.rank))  # (n, k) -> (n,)


if not TYPE_CHECKING:  # so that a type checker still sees a misspelled name

    def __getattr__(name: str) -> object:
        """The loss behind a short name: `mse` is `mean_squared_error`.

        Raises: UnknownAttributeError for any other, with the nearest that does exist.
        """
        if name in ALIASES:
            return LOSSES[ALIASES[name]].per_sample
        raise UnknownAttributeError("chainrule.losses", name, [*LOSSES, *ALIASES])
