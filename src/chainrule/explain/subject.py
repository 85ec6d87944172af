"""What is explained: a loss as a graph, the nodes that have names, and the numbers to put in."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from chainrule.backends.protocol import Array
from chainrule.document import Symbol
from chainrule.errors import ShapeError, UnknownNameError
from chainrule.errors.calls import check_kind
from chainrule.graph.facts import Fact
from chainrule.graph.node import Graph, Node

MOST_ECHOED: Final = 60  # characters of what somebody wrote that are said back
_WHOLE: Final = re.compile(r"\s*-?[0-9]{1,18}\s*")


class UpdateRule(msgspec.Struct, frozen=True):
    """How the optimizer changes one weight, as a graph of scalars.

    Attributes:
        graph: outputs "parameter" and each slot's next value; inputs as in `symbols`.
        symbols: of the inputs: parameter, gradient, rate, the slots; "step" counts updates from 0.
        slots: the current value of each slot of each parameter, float64, in the parameter's shape.
        rate: the learning rate η.
        step: the number of updates made so far.
        said: the optimizer in a few words: "SGD, η = 0.5".
    """

    graph: Graph
    symbols: Mapping[str, Symbol]
    slots: Mapping[str, Mapping[str, Array]]
    rate: float
    step: int
    said: str


class Narrow(msgspec.Struct, frozen=True):
    """Gradients and update in the dtype of training, where that is narrower than float64.

    Attributes:
        gradients: by the parameter's name.
        landed: the parameters after the update, where they are trained.
        is_next: whether the next step of training takes these very rows: then these are its own numbers, to the bit.
    """

    gradients: Mapping[str, Array]
    landed: Mapping[str, Array]
    is_next: bool


class Origin(msgspec.Struct, frozen=True):
    """What stands in the data for the numbers of a subject.

    Attributes:
        features: the name of each number of a sample.
        outputs: the name of each class, or of each target.
        x: the samples before they were scaled, (n, features).
        y: the targets before they were scaled, (n, k); None where they are classes.
        scaled: what was done to each feature: "standardized"; "" for nothing.
        scaled_y: what was done to each target.
    """

    features: tuple[str, ...]
    outputs: tuple[str, ...]
    x: Array
    y: Array | None
    scaled: str
    scaled_y: str


class Subject(msgspec.Struct, frozen=True):
    """A loss on a batch, written as in the book, with what a person calls its parts.

    Attributes:
        loss: L, the mean of the samples' losses; a scalar node.
        losses: ℓₙ of each sample, shape (n,).
        y_hat: the prediction ŷ, shape (n, k).
        y: the target as the loss reads it, shape (n, k).
        x: what the first layer reads, shape (n, features).
        values: each layer's z and a in order, by name: "dense_1.z".
        parameters: W and b of each layer by name: "dense_1.W".
        symbols: by name, of the values and parameters; the others are written x, y, ŷ, ℓ and L.
        facts: what is known of the graph's inputs.
        inputs: a number for every input of the graph, float64 where it is a float.
        rows: the index in the source of each sample of the batch.
        targets: of each sample, in words: its class or its number.
        parts: of each sample, the part of the data it lies in: "train", "validation" or "test"; may be empty.
        context: when and where: "step 0".
        update: how the optimizer would use the gradient; None where nothing is trained.
        narrow: gradients and update once more in training's own dtype, for comparison; None where it is float64.
        origin: what the numbers are called in the data; None where they come from nowhere else.
        targets_are_classes: whether a target is one of a few names, so that samples can be told apart by it.
    """

    loss: Node
    losses: Node
    y_hat: Node
    y: Node
    x: Node
    values: Mapping[str, Node]
    parameters: Mapping[str, Node]
    symbols: Mapping[str, Symbol]
    facts: Mapping[str, Sequence[Fact]]
    inputs: Mapping[str, Array]
    rows: tuple[int, ...]
    targets: tuple[str, ...]
    context: str
    update: UpdateRule | None = None
    parts: tuple[str, ...] = ()
    narrow: Narrow | None = None
    targets_are_classes: bool = True
    origin: Origin | None = None

    def parameter(self, name: str) -> Node:
        """The parameter of that name.

        Raises: UnknownNameError.
        """
        if name not in self.parameters:
            raise UnknownNameError("parameter", name, self.parameters)
        return self.parameters[name]

    def sample_in_words(self, position: int) -> str:
        """A sample, its target where that is one word or number, and its part of the data if not that of training."""
        row, target = self.rows[position], self.targets[position]
        part = f", {self.parts[position]}" if self.parts and self.parts[position] != "train" else ""
        return f"sample {row}{part}" if ", " in target else f"sample {row} ({target}){part}"


def parse_weight(text: str, parameters: Mapping[str, Node]) -> tuple[str, tuple[int, ...]]:
    """The parameter and the position of a weight written "dense_1.W[3, 7]" or "dense_1.b[0]".

    Raises: ArgumentError for what is no text; UnknownNameError for a parameter that does not exist; ShapeError for a
        position outside it.
    """
    check_kind("weight", text, str, "its name as text, such as 'dense_1.W[3, 7]'")
    name, bracket, rest = text.strip().partition("[")
    name = name.strip()
    if name not in parameters:
        raise UnknownNameError("parameter", name, parameters)
    shape = parameters[name].tensor.shape
    inside, closing, after = rest.partition("]")
    parts = inside.split(",") if bracket and closing and not after.strip() else []
    if len(parts) != len(shape) or not all(_WHOLE.fullmatch(part) for part in parts):
        example = ", ".join("0" for _ in shape)
        raise ShapeError(
            f"'{text[:MOST_ECHOED]}' does not name one weight: {name} has {len(shape)} {_axes(len(shape))}; "
            f"write {name}[{example}]"
        )
    index = tuple(int(part) for part in parts)
    for axis, (position, dim) in enumerate(zip(index, shape, strict=True)):
        assert isinstance(dim, int)  # a parameter's shape is made of numbers
        if not 0 <= position < dim:
            raise ShapeError(
                f"'{text.strip()}' lies outside {name}: index {position} on axis {axis}, which has 0 to {dim - 1}"
            )
    return name, index


def _axes(count: int) -> str:
    return "axis" if count == 1 else "axes"


def show_weight(name: str, index: Sequence[int]) -> str:
    """A weight as a person writes it: dense_1.W[3, 7]."""
    return f"{name}[{', '.join(map(str, index))}]"
