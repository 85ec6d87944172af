"""Why a sample asks what it asks: against deltas and paths computed here with NumPy, for a softmax network."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.data.load import load
from chainrule.explain.chain import way_of
from chainrule.explain.nudges import Nudges, nudges_of
from chainrule.explain.nudges_page import nudges_page
from chainrule.runs.subject import Moment, subject_of

ROWS = tuple(range(12))


def trained(activation: str, y: Any = None, **options: Any) -> cr.Run:
    x = np.random.default_rng(2).normal(size=(40, 3))
    y = (np.arange(40) % 4).astype(np.int64) if y is None else y
    fields: dict[str, Any] = {"epochs": 3, "scale_features": "none", "dtype": "float64", "runs": None, **options}
    last = cr.Dense(len(np.unique(y)) if y.dtype.kind == "i" else 1)
    return cr.train([cr.Dense(5, activation), last], load((x, y)), optimizer=cr.SGD(0.5), **fields)


def opened(run: cr.Run, weights: list[tuple[str, tuple[int, ...]]]) -> Nudges:
    moment = Moment(run.checkpoint.state, run.step, "now")
    subject = subject_of(run.prepared, moment, ROWS, (), "reference")
    return nudges_of(subject, way_of(subject), weights)


def all_of(run: cr.Run) -> list[tuple[str, tuple[int, ...]]]:
    return [(each.name, index) for each in run.graphs.parameters for index in np.ndindex(each.shape)]


def by_hand(run: cr.Run, slope: Any, curve: Any) -> Any:
    """x, a¹, δ² and δ¹ of the rows: softmax with cross-entropy, in NumPy."""
    w = run.weights
    x = run.dataset.x[list(ROWS)].astype(float)
    z1 = x @ w["dense_1.W"] + w["dense_1.b"]
    a1 = curve(z1)
    z2 = a1 @ w["dense_2.W"] + w["dense_2.b"]
    p = np.exp(z2) / np.exp(z2).sum(1, keepdims=True)
    d2 = p - np.eye(4)[run.dataset.y[list(ROWS)]]
    return x, a1, d2, d2 @ w["dense_2.W"].T * slope(z1)


ACTIVATIONS: dict[str, Any] = {
    "tanh": (lambda z: 1 - np.tanh(z) ** 2, np.tanh),
    "relu": (lambda z: (z > 0).astype(float), lambda z: np.maximum(z, 0)),
}


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_each_sentence_says_what_the_deltas_say(activation: str) -> None:
    run = trained(activation)
    weights = all_of(run)
    found = opened(run, weights)
    x, a1, d2, d1 = by_hand(run, *ACTIVATIONS[activation])
    below = {"dense_1": x, "dense_2": a1}
    deltas = {"dense_1": d1, "dense_2": d2}
    seen: set[str] = set()
    for k, (name, index) in enumerate(weights):
        layer = name[:7]
        loud = int(np.argmax(np.abs(found.nudges[k])))
        said = found.causes[k]
        label = int(run.dataset.y[ROWS[loud]])
        unit = f"{'output' if layer == 'dense_2' else 'unit'} {index[-1]}"
        assert said.startswith(f"sample {ROWS[loud]} is a {label}, and {unit} wants ")
        wish = -deltas[layer][loud, index[-1]]
        if name.endswith(".b") or below[layer][loud, index[0]] <= 0.0:
            assert f"wants to be {'larger' if wish > 0 else 'smaller'}" in said
        else:
            read = f"{'input' if layer == 'dense_1' else 'unit'} {index[0]}"
            assert f"wants {'more' if wish > 0 else 'less'} of {read}" in said
        paths = np.abs(d2[loud] * run.weights["dense_2.W"][index[-1]]) if layer == "dense_1" else np.zeros(1)
        largest = re.search(r", mostly for output (\d)$", said)
        assert (largest is not None) == (layer == "dense_1" and 2 * paths.max() >= paths.sum() > 0)
        if largest is not None:
            assert int(largest[1]) == int(np.argmax(paths))
        seen |= {word for word in ("more of", "less of", "larger", "negative", "mostly") if word in said}
    assert seen == {"more of", "less of", "larger", "negative", "mostly"}


def test_rows_of_the_page_tell_the_cause() -> None:
    run = trained("tanh")
    data: Any = nudges_page(opened(run, all_of(run))).data
    for row in data["weights"]:
        terms = np.array(row["nudges"]) * np.array(data["shares"])
        loud, total = float(terms[np.argmax(np.abs(terms))]), float(terms.sum())
        if abs(total) < 0.01 * np.abs(terms).sum() or not (terms.min() < 0 < terms.max()):
            continue
        assert row["cause"] in row["sentence"]
        others = terms[np.sign(terms) != np.sign(total)]
        if loud * total < 0:
            assert "it asks loudest, and is outvoted by" in row["sentence"]
        else:
            assert ("a little " in row["sentence"]) == (np.abs(others).max() < 0.1 * abs(loud))


def test_an_8_and_a_number() -> None:
    y = np.where(np.arange(40) % 2, 8, 3)
    run = trained("relu", y=y, epochs=1)
    assert any(" is an 8, and output " in said for said in opened(run, all_of(run)).causes)
    run = trained("relu", y=np.linspace(0, 1, 40), epochs=1)
    found = opened(run, [("dense_2.b", (0,))])
    assert re.match(r"sample \d+ has the target [\d.]+, and output 0 wants to be (larger|smaller)$", found.causes[0])
