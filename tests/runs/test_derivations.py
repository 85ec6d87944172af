"""A unit, a layer and the network of a run, derived: every depth and moment, the update that follows, and mistakes."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import numpy as np
import pytest

import chainrule as cr
from chainrule.document import find


@pytest.fixture(scope="module")
def xor() -> cr.Run:
    """2-2-1 on XOR in float64, two steps of Adam, in memory."""
    layers = [cr.Dense(2, "relu"), cr.Dense(1, "sigmoid")]
    options: dict[str, Any] = {"loss": "binary_cross_entropy", "optimizer": cr.Adam(0.1), "dtype": "float64"}
    return cr.train(layers, "xor", batch_size=4, epochs=2, seed=3, runs=None, **options)


@pytest.mark.parametrize("depth", ["scalar", "layer", "matrix"])
@pytest.mark.parametrize("asked", [{"unit": "dense_1[3]"}, {"layer": "dense_2"}, {"network": True}])
def test_each_scope_at_each_depth(digits_run: cr.Run, asked: dict[str, Any], depth: Any) -> None:
    page = digits_run.explain(**asked, depth=depth, sample=17)
    assert max(map(len, page.text.splitlines())) <= 80
    data: Any = page.data
    assert data["depth"] == depth
    assert all(witness["agrees"] for witness in data["witnesses"] if not witness["kink"])
    for chain in data["weights"]:
        assert abs(sum(chain["terms"]) - chain["gradient"]) <= 1e-12 * sum(map(abs, chain["terms"]))
    assert json.loads(page.to_json())["of"] == next(iter(asked.values())) or asked == {"network": True}


def test_depths_that_suit_are_chosen(digits_run: cr.Run) -> None:
    asked: list[dict[str, Any]] = [{"unit": "dense_1[3]"}, {"layer": "dense_1"}, {"network": True}]
    assert [digits_run.explain(**each, sample=3).data["depth"] for each in asked] == ["scalar", "layer", "matrix"]
    assert "terms" in digits_run.explain("dense_1.W[28, 3]", depth="scalar", sample=17).data
    entry = find(digits_run.explain("dense_1.W[28, 3]", depth="matrix", sample=17).document, "entry").data
    assert entry["gradient"] == digits_run.explain("dense_1.W[28, 3]", sample=17).data["gradient"]


def test_the_update_is_the_one_that_training_makes(xor: cr.Run) -> None:
    """From the state before the last step, on its batch, with Adam's moments as they were."""
    data: Any = xor.explain(network=True, at=1).data
    assert len(data["update"]) == 9
    for each in data["update"]:
        name, _, place = each["weight"].partition("[")
        index = tuple(int(axis) for axis in place.rstrip("]").split(","))
        assert each["before"] == xor.at(1).weights[name][index]
        assert each["after"] == pytest.approx(xor.weights[name][index], rel=1e-12, abs=1e-15)
    assert "m ← 0.9 m + 0.1 g" in xor.explain(network=True, at=1).text


def test_an_update_listed_for_programs_has_its_moments(xor: cr.Run) -> None:
    """Each entry is what the weight's own page says, and is Adam's, worked by hand from the weights it left."""
    listed: Any = xor.explain(network=True, at=1).data["update"]
    for each in listed:
        own: Any = xor.explain(each["weight"], at=1).data
        g = own["gradient"]
        assert each["gradient"] == pytest.approx(g, rel=1e-12, abs=1e-18)
        assert (each["learning_rate"], each["step"], each["trained"]) == (0.1, 1, None)
        m, v = each["slots"]["m"], each["slots"]["v"]
        assert m["after"] == pytest.approx(0.9 * m["before"] + 0.1 * g, rel=1e-12, abs=1e-18)
        assert v["after"] == pytest.approx(0.999 * v["before"] + 0.001 * g * g, rel=1e-12, abs=1e-30)
        assert m["corrected"] == pytest.approx(m["after"] / (1 - 0.9**2), rel=1e-12)
        assert v["corrected"] == pytest.approx(v["after"] / (1 - 0.999**2), rel=1e-12)
        moved = 0.1 * m["corrected"] / (np.sqrt(v["corrected"]) + 1e-7)
        assert each["after"] == pytest.approx(each["before"] - moved, rel=1e-12, abs=1e-15)
        assert set(each) - {"weight", "trained"} == set(own["update"])
    assert any(each["slots"]["m"]["before"] for each in listed)


@pytest.mark.parametrize("asked", [{"unit": "dense_1[3]"}, {"layer": "dense_2"}, {"network": True}])
def test_an_update_in_float32_stands_beside_the_one_in_float64(digits_run: cr.Run, asked: dict[str, Any]) -> None:
    """What training computes itself is, to the bit, the weight of the step that follows."""
    following = digits_run.at(8).weights
    listed: Any = digits_run.explain(**asked, at=7).data["update"]
    assert listed
    for each in listed:
        name, _, place = each["weight"].partition("[")
        index = tuple(int(axis) for axis in place.rstrip("]").split(","))
        assert each["trained"]["dtype"] == "float32"
        assert each["trained"]["after"] == float(following[name][index])
        assert each["after"] == pytest.approx(each["trained"]["after"], abs=1e-6)
        assert each["after"] != each["trained"]["after"]
        assert each["trained"]["gradient"] == pytest.approx(each["gradient"], rel=1e-3, abs=1e-7)


@pytest.mark.parametrize(("weight", "said"), [("dense_2.b[4]", "bias"), ("dense_2.W[3, 4]", "weight")])
def test_a_bias_is_called_one(digits_run: cr.Run, weight: str, said: str) -> None:
    page = digits_run.explain(weight, depth="layer", sample=3)
    assert page.document.subtitle == f"one {said} of {weight.partition('[')[0]}, element by element"


def test_a_moment_and_a_batch_are_those_of_explain(digits_run: cr.Run) -> None:
    start = digits_run.explain(layer="dense_2", batch=0, at="start")
    assert "step 0 · batch 0 of epoch 1 · 32 samples" in start.text
    one = digits_run.explain("dense_2.b[4]", batch=0, at="start").data["gradient"]
    data: Any = start.data
    equation = next(each for each in data["equations"] if each["of"] == "dense_2.b")
    assert equation["values"][4] == pytest.approx(one, rel=1e-12)
    later = digits_run.explain(layer="dense_2", sample=3, at=50)
    assert later.data["moment"] == "step 50"


def test_gradients_of_float32_are_told_beside_those_of_float64(digits_run: cr.Run) -> None:
    page = digits_run.explain(network=True, sample=17)
    told: Any = find(page.document, "trained").data
    assert told["dtype"] == "float32"
    assert 0.0 < told["off_by"] < 1e-5


def test_a_frozen_layer_is_derived_and_stays() -> None:
    run = cr.train([cr.Dense(4, "tanh"), cr.Dense(2)], "spirals", epochs=1, frozen=["dense_1.*"], runs=None)
    page = run.explain(network=True, sample=0)
    assert "dense_1.W, dense_1.b are not trained" in page.text
    data: Any = page.data
    assert {each["weight"].partition(".")[0] for each in data["update"]} == {"dense_2"}


def test_a_page_has_every_rendering(xor: cr.Run) -> None:
    page = xor.explain(network=True, sample=0, depth="scalar")
    assert r"\frac{\partial L}" in page.latex
    assert r"\begin{document}" not in page._repr_latex_()
    assert "<math" in page.html
    assert "<math" in page._repr_html_()
    data: Any = page.data
    assert len(data["weights"]) == 9


def test_what_is_not_finite_is_null_with_its_reason() -> None:
    run = cr.train([cr.Dense(2, "tanh"), cr.Dense(1)], "one_weight", epochs=1, runs=None)
    state = {**run.checkpoint.state, "dense_1.W": np.full_like(run.weights["dense_1.W"], np.nan)}
    hurt = run._as_of(msgspec.structs.replace(run.checkpoint, state=state))
    told = json.loads(hurt.explain("dense_1.W[0, 0]", sample=0).to_json())
    assert told["gradient"] is None
    assert told["not_finite"]["/gradient"] == "nan"
    assert any("not finite" in sentence["text"] for sentence in told["page"]["sentences"])
    whole = json.loads(hurt.explain(network=True, sample=0).to_json())
    assert whole["loss"] is None
    assert any("not finite" in sentence["text"] for sentence in whole["page"]["sentences"])


@pytest.mark.parametrize(
    ("asked", "error", "says"),
    [
        ({}, cr.errors.RunError, "none was named"),
        ({"layer": "dense_1", "network": True}, cr.errors.RunError, "2 were named"),
        ({"layer": "dense_3"}, cr.errors.UnknownNameError, "known are dense_1, dense_2"),
        ({"layer": "dens_1"}, cr.errors.UnknownNameError, "did you mean 'dense_1'"),
        (
            {"layer": "dense_1[3]"},
            cr.errors.ShapeError,
            r"a unit, not a layer: .*--unit 'dense_1\[3\]'.* layer, dense_1",
        ),
        ({"layer": "dense_9[3]"}, cr.errors.UnknownNameError, "known are dense_1, dense_2"),
        ({"unit": "dense_1[16]"}, cr.errors.ShapeError, "has units 0 to 15"),
        ({"unit": "dense_1"}, cr.errors.ShapeError, r"write dense_1\[0\]"),
        ({"unit": "dense_9[0]"}, cr.errors.UnknownNameError, "known are dense_1, dense_2"),
        ({"layer": 1}, cr.errors.ArgumentError, "its name as text"),
        ({"network": True, "depth": "deep"}, cr.errors.UnknownNameError, "scalar, layer, matrix"),
        ({"network": True, "at": 136}, cr.errors.RunError, "has steps 0 to 135"),
        ({"weight": "dense_1.W[64, 0]", "depth": "layer"}, cr.errors.ShapeError, "0 to 63"),
    ],
)
def test_what_does_not_exist_is_refused_with_what_does(
    digits_run: cr.Run, asked: dict[str, Any], error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        digits_run.explain(**asked)
