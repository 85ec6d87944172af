"""Naming one weight: what is read, and one sentence for everything that names none."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from chainrule.errors import ChainruleError, DerivativeError, ShapeError, UnknownNameError, ValueRangeError
from chainrule.explain.opened import Opened
from chainrule.explain.subject import parse_weight, show_weight
from chainrule.graph import expr as e
from chainrule.nn.layers import Dense
from tests.explain.subjects import setting, two_two_two, waves

PARAMETERS = two_two_two().subject((0,), "dense_1.W").parameters


@pytest.mark.parametrize(
    ("written", "name", "index"),
    [
        ("dense_1.W[0, 1]", "dense_1.W", (0, 1)),
        ("dense_1.W[0,1]", "dense_1.W", (0, 1)),
        ("  dense_2.W [ 1 , 0 ]  ", "dense_2.W", (1, 0)),
        ("dense_2.b[1]", "dense_2.b", (1,)),
    ],
)
def test_a_weight_is_read_as_a_person_writes_it(written: str, name: str, index: tuple[int, ...]) -> None:
    assert parse_weight(written, PARAMETERS) == (name, index)
    assert parse_weight(show_weight(name, index), PARAMETERS) == (name, index)


@pytest.mark.parametrize(
    ("written", "error", "says"),
    [
        ("", UnknownNameError, "parameter"),
        ("[0, 0]", UnknownNameError, "parameter"),
        ("dense_1", UnknownNameError, "dense_1.W"),
        ("dense_1.w[0, 0]", UnknownNameError, "did you mean 'dense_1.W'"),
        ("dense_3.W[0, 0]", UnknownNameError, "dense_2.W"),
        ("dense_1.W", ShapeError, "write dense_1.W[0, 0]"),
        ("dense_1.W[]", ShapeError, "write dense_1.W[0, 0]"),
        ("dense_1.W[0]", ShapeError, "has 2 axes; write dense_1.W[0, 0]"),
        ("dense_1.W[0, 0, 0]", ShapeError, "has 2 axes"),
        ("dense_1.b[0, 0]", ShapeError, "has 1 axis; write dense_1.b[0]"),
        ("dense_1.W[0, 0", ShapeError, "write dense_1.W[0, 0]"),
        ("dense_1.W[0, 0]]", ShapeError, "write dense_1.W[0, 0]"),
        ("dense_1.W[0, 0] or so", ShapeError, "write dense_1.W[0, 0]"),
        ("dense_1.W[0, x]", ShapeError, "write dense_1.W[0, 0]"),
        ("dense_1.W[0, 1.0]", ShapeError, "write dense_1.W[0, 0]"),
        ("dense_1.W[0, 1_0]", ShapeError, "write dense_1.W[0, 0]"),
        ("dense_1.W[0; 1]", ShapeError, "write dense_1.W[0, 0]"),
        ("dense_1.W(0, 1)", UnknownNameError, "dense_1.W"),
        ("dense_1.W[0, 2]", ShapeError, "index 2 on axis 1, which has 0 to 1"),
        ("dense_1.W[-1, 0]", ShapeError, "index -1 on axis 0, which has 0 to 1"),
        (f"dense_1.b[{'9' * 5000}]", ShapeError, "dense_1.b"),
    ],
)
def test_bad_input_gives_one_sentence(written: str, error: type[ChainruleError], says: str) -> None:
    with pytest.raises(error) as caught:
        parse_weight(written, PARAMETERS)
    sentence = str(caught.value)
    assert says in sentence
    assert "\n" not in sentence
    assert ". " not in sentence.rstrip(".")
    assert len(sentence) < 300


def test_samples_that_do_not_count_have_no_mean() -> None:
    made = setting([Dense(2)], waves(1, (3, 2)), [0, 1, 0], sample_weight=[1.0, 0.0, 2.0])
    assert made.page("dense_1.W[0, 0]", (0, 1))
    with pytest.raises(ValueRangeError, match="sum to 0, so they have no mean loss to explain; choose one that counts"):
        made.page("dense_1.W[0, 0]", (1,))


def test_a_parameter_that_the_loss_does_not_read_has_no_chain() -> None:
    """Here the loss is that of other targets: of the inputs themselves."""
    subject = two_two_two().subject((0,), "dense_1.W")
    squares = e.sum(e.Expr(subject.x) ** 2, 1)
    apart = replace(subject, losses=squares.node, loss=e.mean(squares).node)
    with pytest.raises(DerivativeError, match=r"dense_1\.W does not reach the loss, so there is no chain to write"):
        Opened(apart, "dense_1.W", (0, 0))
