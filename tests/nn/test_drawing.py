"""Networks drawn: every unit counted, weights on their lines, what is unknown left open."""

from __future__ import annotations

import html5lib
import numpy as np
import pytest

from chainrule.document import Diagram, Table, find, render_text
from chainrule.errors import ShapeError
from chainrule.nn.drawing import MOST_UNITS, drawing, network_document
from chainrule.nn.layers import ActivationLayer, Dense, Flatten
from chainrule.nn.network import Network

DIGITS = Network([Flatten(), Dense(16), ActivationLayer("relu"), Dense(16, "relu"), Dense(10)])


def weights(network: Network, shape: tuple[int, ...]) -> dict[str, np.ndarray]:
    found: dict[str, np.ndarray] = {}
    for parameter in network.parameters(shape):
        count = int(np.prod(parameter.shape))
        found[parameter.name] = np.sin(np.arange(count) ** 2).reshape(parameter.shape)
    return found


def test_each_layer_stands_with_its_units_its_activation_and_its_numbers() -> None:
    diagram = drawing(DIGITS, (28, 28))
    assert [(stage.title, stage.units, stage.remark) for stage in diagram.stages] == [
        ("inputs", 784, "28 × 28"),
        ("dense_1", 16, "16\n12,560\nrelu"),
        ("dense_2", 16, "16 relu\n272"),
        ("dense_3", 10, "10\n170"),
    ]
    assert "784 inputs through 3 layers of 16, 16 and 10 units, 13,002 weights and biases in all" in diagram.alternative


def test_the_units_with_the_largest_weights_are_drawn() -> None:
    given = weights(DIGITS, (28, 28))
    given["dense_1.W"][[5, 600]] *= 100
    diagram = drawing(DIGITS, (28, 28), weights=given)
    assert {5, 600} <= {*diagram.stages[0].shown}
    assert [len(stage.shown) for stage in diagram.stages] == [MOST_UNITS - 1, MOST_UNITS - 1, MOST_UNITS - 1, 10]
    for links, name in zip(diagram.links, ("dense_1.W", "dense_2.W", "dense_3.W"), strict=True):
        assert all(link.weight == given[name][link.source, link.target] for link in links)
    assert len(diagram.links[2]) == (MOST_UNITS - 1) * 10


def test_names_stand_beside_the_units_they_belong_to() -> None:
    names = [f"x{place}" for place in range(30)]
    given = weights(Network([Dense(2)]), (30,))
    given["dense_1.W"][7] = 9.0
    diagram = drawing(Network([Dense(2)]), (30,), weights=given, inputs=names, outputs=("no", "yes"))
    assert diagram.stages[0].labels == tuple(f"x{unit}" for unit in diagram.stages[0].shown)
    assert "x7" in diagram.stages[0].labels
    assert diagram.stages[-1].labels == ("no", "yes")


def test_without_data_the_inputs_are_left_open() -> None:
    document = network_document(Network([Dense(16, "relu"), Dense(10)]))
    diagram, table = find(document, "drawing"), find(document, "network")
    assert isinstance(diagram, Diagram)
    assert isinstance(table, Table)
    assert (diagram.stages[0].units, diagram.stages[0].shown, diagram.links[0]) == (0, (), ())
    assert {link.weight for link in diagram.links[1]} == {None}
    assert [row.cells[2] for row in table.rows] == ["relu", "linear"]
    assert table.rows[0].cells[3] == "depends on the inputs"
    assert "170" in render_text(document, 80)


def test_of_many_layers_the_first_and_the_last_are_drawn() -> None:
    deep = Network([Dense(3, "tanh") for _ in range(20)])
    diagram = drawing(deep, (5,), weights=weights(deep, (5,)))
    assert [stage.title for stage in diagram.stages] == [
        "inputs", "dense_1", "dense_2", "dense_3", "…", "dense_18", "dense_19", "dense_20",
    ]  # fmt: skip
    assert diagram.stages[4].remark == "14 layers"
    assert [len(links) for links in diagram.links] == [15, 9, 9, 0, 0, 9, 9]


def test_a_notebook_shows_the_network() -> None:
    shown = DIGITS._repr_html_()  # what a notebook asks for
    assert shown.count("<svg") == 1
    html5lib.HTMLParser(strict=True).parseFragment(shown)
    assert repr(Network([Dense(16, "relu"), Dense(10)])) == (
        "Network(layers=(Dense(units=16, activation='relu'), Dense(units=10)))"
    )


def test_a_shape_that_does_not_fit_names_the_layer() -> None:
    with pytest.raises(ShapeError, match="dense_1"):
        drawing(Network([Dense(3)]), (4, 4))
