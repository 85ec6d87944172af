"""Opening a weight of a run: names, moments, rows, and every number against PyTorch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.document import format_number
from chainrule.explain.narrow import NINE
from chainrule.runs.subject import said
from tests.absent import require


def test_the_terms_add_up_and_every_witness_agrees(digits_run: cr.Run) -> None:
    data: Any = digits_run.explain("dense_1.W[28, 3]", sample=17).data
    terms = np.array(data["terms"])
    assert abs(terms.sum() - data["gradient"]) <= 1e-12 * np.abs(terms).sum()
    assert len(data["witnesses"]) == 3
    assert all(witness["agrees"] for witness in data["witnesses"])


def test_a_page_is_text_data_and_json(digits_run: cr.Run) -> None:
    page = digits_run.explain("dense_1.W[28, 3]", sample=17)
    assert str(page) == page.text
    assert page.text.startswith("dense_1.W[28, 3]   weight from input 28 to unit 3")
    assert "step 135 · sample 17 (7)" in page.text
    assert "W¹" in page.text
    assert max(map(len, page.render(60).splitlines())) <= 60
    assert page.render(ascii=True).isascii()
    assert '"weight": "dense_1.W[28, 3]"' in page.to_json()
    assert page.to_plain()["type"] == "document"


def test_samples_are_a_batch_of_their_own(digits_run: cr.Run) -> None:
    each: list[Any] = [digits_run.explain("dense_2.b[4]", sample=row).data for row in (3, 17, 40)]
    one = [data["gradient"] for data in each]
    several = digits_run.explain("dense_2.b[4]", samples=[3, 17, 40])
    assert several.data["samples"] == [3, 17, 40]
    assert several.data["per_sample"] == pytest.approx(one)
    assert several.data["gradient"] == pytest.approx(np.mean(one))


def test_a_batch_is_the_one_that_training_takes_next(digits_run: cr.Run) -> None:
    """Its gradient and its update are what the next step does."""
    start: Any = digits_run.explain("dense_2.W[5, 2]", batch=0, at="start").data
    assert len(start["samples"]) == 32
    assert "batch 0 of epoch 4" in digits_run.explain("dense_2.W[5, 2]").text
    stepped: list[float] = []

    def first_step(event: object) -> None:
        if isinstance(event, cr.SliceDone) and not stepped:
            stepped.append(event.step)
            stopper.ask()

    stopper = cr.Stopper()
    again = digits_run.experiment.but(epochs=4)
    once = cr.run_experiment(again, runs=None, listeners=[first_step], stopper=stopper)
    assert once.step == 1
    before = digits_run.at(0).weights["dense_2.W"][5, 2]
    after = once.weights["dense_2.W"][5, 2]
    assert after == pytest.approx(before - 0.1 * start["gradient"], rel=1e-5)


def test_before_the_first_step_is_another_moment(digits_run: cr.Run) -> None:
    now, start = (digits_run.explain("dense_1.b[3]", sample=17, at=at) for at in ("now", "start"))
    assert "step 0 · sample 17" in start.text
    assert now.data["loss"] != start.data["loss"]


def test_a_frozen_weight_has_no_update() -> None:
    run = cr.train([cr.Dense(4, "tanh"), cr.Dense(2)], "spirals", epochs=1, frozen=["dense_1.*"], runs=None)
    assert "dense_1.b is not trained" in run.explain("dense_1.b[0]", sample=0).text
    assert "b²₀ ←" in run.explain("dense_2.b[0]", sample=0).text


def test_layers_without_parameters_bear_the_number_before_them() -> None:
    layers = [cr.Dense(4), cr.ActivationLayer("tanh"), cr.Dense(2)]
    text = cr.train(layers, "spirals", epochs=1, runs=None).explain("dense_1.W[0, 2]", sample=5).text
    assert "a¹ = tanh(z¹)" in text
    assert "z² = a¹ W² + b²" in text


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        ({"weight": "dens_2.W[0, 0]"}, cr.errors.UnknownNameError, "did you mean 'dense_2.W'"),
        ({"weight": "dense_1.W[0]"}, cr.errors.ShapeError, r"write dense_1.W\[0, 0\]"),
        ({"weight": "dense_1.W[64, 0]"}, cr.errors.ShapeError, "0 to 63"),
        ({"weight": "dense_1.W[0, 0]", "sample": 1797}, cr.errors.RunError, "samples 0 to 1796"),
        ({"weight": "dense_1.W[0, 0]", "samples": []}, cr.errors.RunError, "at least one"),
        ({"weight": "dense_1.W[0, 0]", "samples": [4, 0, 7, 0]}, cr.errors.RunError, "sample 0 came 2 times"),
        ({"weight": "dense_1.W[0, 0]", "batch": 45}, cr.errors.RunError, "0 to 44"),
        ({"weight": "dense_1.W[0, 0]", "batch": 0, "sample": 1}, cr.errors.RunError, "one of"),
        ({"weight": "dense_1.W[0, 0]", "at": "later"}, cr.errors.UnknownNameError, "now, start"),
    ],
)
def test_what_does_not_exist_is_refused_with_what_does(
    digits_run: cr.Run, options: dict[str, Any], error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        digits_run.explain(**options)


def test_optimizers_are_said_in_a_few_words() -> None:
    assert said(cr.SGD(0.5)) == "SGD, η = 0.5"
    assert said(cr.SGD(0.1, momentum=0.9)) == "SGD with momentum 0.9, η = 0.1"
    assert said(cr.SGD(0.1, 0.9, nesterov=True)) == "SGD with Nesterov momentum 0.9, η = 0.1"
    assert said(cr.Adam(0.003)) == "Adam, η = 0.003"


@pytest.mark.oracle
def test_every_factor_is_the_one_that_pytorch_retains(digits_run: cr.Run) -> None:
    torch = require("torch", "pip install 'chainrule[oracles]'")
    weights = {
        name: torch.tensor(value.astype(np.float64), requires_grad=True) for name, value in digits_run.weights.items()
    }
    sample, digits = 17, digits_run.dataset
    x = torch.tensor(digits.x[[sample]] / 16.0, dtype=torch.float64)
    z1 = x @ weights["dense_1.W"] + weights["dense_1.b"]
    a1 = torch.relu(z1)
    z2 = a1 @ weights["dense_2.W"] + weights["dense_2.b"]
    for kept in (z1, a1, z2):
        kept.retain_grad()
    torch.nn.functional.cross_entropy(z2, torch.tensor(digits.y[[sample]].astype(np.int64))).backward()
    for unit in range(0, 16, 3):
        data: Any = digits_run.explain(f"dense_1.W[{20 + unit}, {unit}]", sample=sample).data
        near: Any = {"abs": 1e-10, "rel": 1e-10}
        assert data["gradient"] == pytest.approx(float(weights["dense_1.W"].grad[20 + unit, unit]), **near)
        assert data["delta"]["value"] == pytest.approx(float(z1.grad[0, unit]), **near)
        assert data["adjoint"]["value"] == pytest.approx(float(a1.grad[0, unit]), **near)
        assert data["input"] == pytest.approx(x[0, 20 + unit].item(), **near)
        assert data["slopes"][0]["value"] == float(z1[0, unit].item() > 0)
        for path in data["paths"]:
            k = path["unit"]
            product = z2.grad[0, k].item() * weights["dense_2.W"][unit, k].item()
            assert path["value"] == pytest.approx(product, **near)
            assert np.prod(path["factors"]) == pytest.approx(path["value"], **near)


OPTIMIZERS = {"sgd": cr.SGD(0.05), "momentum": cr.SGD(0.05, momentum=0.9), "adam": cr.Adam(0.01)}


@pytest.mark.parametrize("backend", ["reference", "native"])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_the_update_in_float32_is_that_of_the_next_step(optimizer: str, backend: str) -> None:
    """What the page computes in float64 is off by rounding; what it says of training has the bits of the next step."""
    if backend == "native":
        require("llvmlite", "pip install llvmlite")
    x = np.sin(np.arange(120.0).reshape(40, 3))
    net = [cr.Dense(5, "tanh"), cr.Dense(2)]
    run = cr.train(net, x, x[:, :2] + x[:, 1:], epochs=4, optimizer=OPTIMIZERS[optimizer], backend=backend, runs=None)
    off: list[float] = []
    for step in (0, 1, 3):
        for parameter, index in (("dense_1.W", (2, 3)), ("dense_2.b", (1,))):
            page = run.explain(f"{parameter}{[*index]}", at=step)
            after = float(run.at(step + 1).weights[parameter][index])
            data: Any = page.data
            assert data["trained"]["after"] == after
            assert f"the update leads to {format_number(after, NINE).replace('-', '−')}" in " ".join(page.text.split())
            off.append(abs(data["update"]["after"] - after))
    assert 0 < max(off) < 1e-6


def test_the_update_is_told_with_its_moments() -> None:
    """By the names of the optimizer's slots, against Adam written out here."""
    x = np.sin(np.arange(120.0).reshape(40, 3))
    adam = cr.Adam(0.01)
    run = cr.train([cr.Dense(1)], x, x[:, :1], epochs=4, optimizer=adam, dtype="float64", runs=None)
    m = v = 0.0
    weight = float(run.at(0).weights["dense_1.W"][2, 0])
    for step in range(4):
        update: Any = run.explain("dense_1.W[2, 0]", at=step).data["update"]
        gradient = update["gradient"]
        assert (update["step"], update["learning_rate"], update["before"]) == (step, 0.01, pytest.approx(weight))
        assert update["slots"]["m"]["before"] == pytest.approx(m)
        assert update["slots"]["v"]["before"] == pytest.approx(v)
        m, v = 0.9 * m + 0.1 * gradient, 0.999 * v + 0.001 * gradient**2
        m_hat, v_hat = m / (1 - 0.9 ** (step + 1)), v / (1 - 0.999 ** (step + 1))
        weight -= 0.01 * m_hat / (np.sqrt(v_hat) + adam.epsilon)
        assert update["slots"]["m"] == pytest.approx(
            {"before": update["slots"]["m"]["before"], "after": m, "corrected": m_hat}
        )
        assert update["slots"]["v"] == pytest.approx(
            {"before": update["slots"]["v"]["before"], "after": v, "corrected": v_hat}
        )
        assert update["after"] == pytest.approx(weight)
