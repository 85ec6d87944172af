"""Nudges: their average is the batch gradient, each is PyTorch's own gradient of one sample, and the page says so."""

from __future__ import annotations

import json
import re
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace

from chainrule.document import Document, Number, Table, find, render_text
from chainrule.errors import ShapeError, UnknownNameError, ValueRangeError
from chainrule.explain.chain import way_of
from chainrule.explain.nudges import Nudges, loudest, nudges_of
from chainrule.explain.nudges_page import nudges_page
from chainrule.explain.subject import parse_weight
from chainrule.explain.three_ways import three_ways
from chainrule.nn.layers import Dense
from tests.absent import require
from tests.conftest import Golden
from tests.explain.subjects import Setting, setting, two_two_two, waves

WHY = "sample 1 is a 1, and output 1 wants more of unit 3"  # what the loudest asks, as it is found elsewhere
NAMED = ("dense_1.W[2, 3]", "dense_1.b[3]", "dense_2.W[3, 2]", "dense_2.b[2]")


def classes(**fields: Any) -> Setting:
    """Five inputs, six units, four classes."""
    weights = {
        "dense_1.W": waves(2, (5, 6), 0.8),
        "dense_1.b": waves(3, (6,), 0.3),
        "dense_2.W": waves(4, (6, 4), 0.9),
        "dense_2.b": waves(5, (4,), 0.1),
    }
    layers = [Dense(6, fields.pop("activation", "relu")), Dense(4)]
    return setting(layers, waves(1, (20, 5)), np.arange(20) % 4, weights=weights, **fields)


def opened(case: Setting, rows: range, weights: tuple[str, ...] = NAMED) -> Nudges:
    subject = case.subject(rows, "dense_1.W")
    way = way_of(subject)
    return nudges_of(subject, way, [parse_weight(weight, subject.parameters) for weight in weights])


def all_weights(case: Setting) -> tuple[str, ...]:
    names: list[str] = []
    for parameter in case.prepared.graphs.parameters:
        names += [f"{parameter.name}[{', '.join(map(str, index))}]" for index in np.ndindex(parameter.shape)]
    return tuple(names)


@pytest.mark.parametrize("weighted", [False, True])
def test_the_average_is_the_batch_gradient(weighted: bool) -> None:
    counts = np.linspace(0.5, 3.0, 20) if weighted else None
    case = classes(sample_weight=counts)
    found = opened(case, range(20), all_weights(case))
    assert np.all(np.abs(found.average + found.gradients) <= 1e-12 * found.sizes)
    shares = np.full(20, 1 / 20) if counts is None else counts / counts.sum()
    assert found.shares == pytest.approx(shares, rel=1e-14)
    assert np.sum(np.abs(found.gradients)) > 0.1
    assert "apart, agrees: off by at most" in " ".join(text_of(nudges_page(found)).split())
    wrong = replace(found, gradients=found.gradients * (1 + 1e-9))
    assert "does not agree" in " ".join(text_of(nudges_page(wrong)).split())


@pytest.mark.parametrize("activation", ["relu", "tanh", "sigmoid"])
def test_a_nudge_is_minus_the_gradient_of_one_sample_in_torch(activation: str) -> None:
    torch: Any = require("torch", "pip install 'chainrule[oracles]'")
    case = classes(activation=activation)
    found = opened(case, range(20), all_weights(case))
    names = case.names
    weights = {name: torch.tensor(np.asarray(case.state[name], np.float64), requires_grad=True) for name in names}
    x, y = (torch.tensor(case.prepared.columns[name].astype(kind)) for name, kind in (("x", "f8"), ("y", "i8")))
    for n in range(20):
        hidden = getattr(torch, activation)(x[[n]] @ weights["dense_1.W"] + weights["dense_1.b"])
        scores = hidden @ weights["dense_2.W"] + weights["dense_2.b"]
        loss = torch.nn.functional.cross_entropy(scores, y[[n]])
        flat = torch.cat([each.flatten() for each in torch.autograd.grad(loss, [weights[name] for name in names])])
        assert found.nudges[:, n] == pytest.approx(-flat.numpy(), rel=1e-10, abs=1e-12)


def test_averaging_errors_first_is_told_from_the_gradient() -> None:
    """mean(δ) · mean(a), with both taken from the opened weight; the same as the truth for a bias."""
    case = classes()
    found = opened(case, range(20))
    for k, weight in enumerate(NAMED):
        one = case.open(weight, range(20))
        delta = np.mean([one.delta(n) for n in range(20)])
        source = np.mean([one.source(n) for n in range(20)])
        assert found.errors_first[k] == pytest.approx(-delta * source, rel=1e-12, abs=1e-15)
    assert found.errors_first[1] == pytest.approx(found.average[1], rel=1e-12)
    assert abs(found.errors_first[0] - found.average[0]) > 0.01


def test_the_loudest_have_the_largest_gradients() -> None:
    case = classes()
    subject = case.subject(range(20), "dense_1.W")
    way = way_of(subject)
    every = opened(case, range(20), all_weights(case))
    sizes = {weight: abs(gradient) for weight, gradient in zip(every.weights, every.gradients, strict=True)}
    best = sorted(sizes, key=lambda each: -sizes[each])
    assert set(loudest(subject, way, 7)) == set(best[:7])
    assert loudest(subject, way, 1) == (best[0],)
    of_layer = [each for each in best if each[0].startswith("dense_1.")]
    assert set(loudest(subject, way, 5, layer="dense_1")) == set(of_layer[:5])
    assert all(name == "dense_2.b" for name, _ in loudest(subject, way, 9, layer="dense_2.b"))
    of_unit = loudest(subject, way, 99, unit="dense_2[1]")
    assert set(of_unit) == {("dense_2.b", (1,)), *(("dense_2.W", (i, 1)) for i in range(6))}


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"layer": "dense_3"}, UnknownNameError, "did you mean 'dense_"),
        ({"unit": "dense_1[6]"}, ShapeError, "dense_1, which has units 0 to 5"),
        ({"unit": "dense_1"}, ShapeError, r"write dense_1\[0\]"),
        ({"unit": "dens[1]"}, UnknownNameError, "unknown layer 'dens'"),
        ({"count": 0}, ValueRangeError, "at least 1"),
    ],
)
def test_what_does_not_exist_is_told(options: dict[str, Any], error: type[Exception], said: str) -> None:
    subject = classes().subject([0, 1], "dense_1.W")
    with pytest.raises(error, match=said):
        loudest(subject, way_of(subject), **{"count": 3, **options})
    with pytest.raises(ValueRangeError, match="no weight was named"):
        nudges_of(subject, way_of(subject), [])


# ---- the page ----


def text_of(document: Document, **options: bool) -> str:
    return render_text(document, 80, **options)


def test_a_wide_batch_shows_the_loudest_and_the_exact_mean_of_the_others() -> None:
    case = classes(sample_weight=np.linspace(1.0, 2.0, 20))
    found = opened(case, range(20))
    document = nudges_page(found)
    table: Any = find(document, "table")
    rows = {row.cells[0]: [cell.value for cell in row.cells[1:]] for row in table.rows}
    counts = rows.pop("counts as")
    assert len(rows) == len(NAMED)
    assert counts[-1] == 1
    assert sum(counts[:-1]) == pytest.approx(1.0, rel=1e-14)
    for values in rows.values():
        assert values[-1] == pytest.approx(np.dot(counts[:-1], values[:-1]), rel=1e-12, abs=1e-16)
    shown = [int(column.header) for column in table.columns[1:5]]
    loudness = np.sum(np.abs(found.terms) / found.sizes[:, None], axis=0)
    assert set(shown) == set(np.argsort(-loudness)[:4])


def sentence(terms: list[float]) -> str:
    """What is said of one weight on which these samples have these wishes."""
    case = classes()
    base = opened(case, range(len(terms)), NAMED[:1])
    n = len(terms)
    shares, wishes = np.full(n, 1 / n), np.array([terms])
    mean = np.mean(wishes, axis=1)
    data: Any = nudges_page(Nudges(base.subject, base.weights, shares, wishes, mean, -mean, mean, (WHY,))).data
    return data["weights"][0]["sentence"]


@pytest.mark.parametrize(
    ("terms", "said"),
    [
        ([0.0, 0.0, 0.0], "no sample asks anything of this weight"),
        ([1.0, 2.0, 0.0], "two want it larger; one does not mind"),
        ([-1.0, 0.0, 0.0], "one wants it smaller; two do not mind"),
        ([0.1, 5.0, -1.0, -1.0], f"{WHY}: it alone outvotes the two that want it smaller"),
        ([0.1, 5.0, -0.2, -0.4], f"{WHY}: it alone outvotes the two that want it a little smaller"),
        ([0.0, 5.0, -1.0], f"{WHY}: it outvotes the one that wants it smaller; one does not mind"),
        ([-3.0, 2.0, 2.0], f"{WHY}: it asks loudest, and is outvoted by the two that want it larger"),
        (
            [2.0, 2.0, 2.0, -1.0, -1.5],
            f"the three that want it larger outvote the two that want it smaller; loudest: {WHY}",
        ),
        ([1.0, -1.0], "one wants it larger, one wants it smaller: they all but cancel"),
    ],
)
def test_a_sentence_follows_from_the_numbers(terms: list[float], said: str) -> None:
    assert sentence(terms) == said


def test_importance_is_a_ratio_of_gradients() -> None:
    found = opened(classes(), range(20))
    document = nudges_page(found)
    sizes = np.abs(found.gradients)
    ratio = f"{sizes.max() / sizes.min():.3g}"
    assert f"{ratio} times more sensitive to {found.names[int(sizes.argmax())]}" in " ".join(text_of(document).split())
    ranking: Any = document.data["ranking"]
    assert ranking == [found.names[k] for k in np.argsort(-sizes)]


def test_classes_pull_as_their_mean_wishes_do() -> None:
    found = opened(classes(), range(20))
    table: Any = find(nudges_page(found), "classes")
    means = np.stack([found.nudges[:, c::4].mean(axis=1) for c in range(4)])
    unit = means / np.linalg.norm(means, axis=1, keepdims=True)
    cosines = unit @ unit.T
    for c, row in enumerate(table.rows):
        along = float(unit[c] @ found.average / np.linalg.norm(found.average))
        assert row.cells[1].value == 5
        assert row.cells[2].value == pytest.approx(along, rel=1e-12)
        if cosines[c].min() < 0:
            assert row.cells[3] == str(int(cosines[c].argmin()))
            assert row.cells[4].value == pytest.approx(cosines[c].min(), rel=1e-12)


def test_three_ways_are_in_proportion() -> None:
    """To activations and to weights; of the worked example's output unit 1, whose numbers are known."""
    case = two_two_two()
    subject = case.subject([0], "dense_2.W")
    (block,) = three_ways(subject, way_of(subject), "dense_2[1]")
    data: Any = block.data
    one = case.open("dense_2.W[0, 1]")
    delta, sources = one.delta(0), [case.open(f"dense_2.W[{i}, 1]").source(0) for i in (0, 1)]
    assert data["delta"] == pytest.approx(delta, rel=1e-14)
    assert data["bias"] == pytest.approx(-delta, rel=1e-14)
    assert data["weights"] == pytest.approx([-delta * a for a in sources], rel=1e-14)
    assert data["inputs"] == pytest.approx([-delta * 0.50, -delta * 0.55], rel=1e-14)
    assert data["wish"] == pytest.approx(0.217072, rel=1e-5)
    (first,) = three_ways(subject, way_of(subject), "dense_1[0]")
    assert first.data["inputs"] is None


def test_a_unit_that_is_off_is_called_so() -> None:
    case = setting([Dense(2, "relu"), Dense(2)], [[1.0], [2.0]], [0, 1],
                   weights={"dense_1.W": [[1.0, -1.0]], "dense_1.b": [0.0, 0.0]})  # fmt: skip
    subject = case.subject([0, 1], "dense_1.W")
    way = way_of(subject)
    found = nudges_of(subject, way, loudest(subject, way, 8, unit="dense_1[1]"))
    text = " ".join(text_of(nudges_page(found, three_ways(subject, way, "dense_1[1]"))).split())
    assert "its slope is 0 on every sample" in text
    assert "no sample asks anything of this weight" in text
    assert "Not so" not in text


@pytest.mark.parametrize("ascii", [False, True])
def test_golden_page(golden: Golden, ascii: bool) -> None:
    text = text_of(nudges_page(opened(classes(), range(6))), ascii=ascii)
    assert max(map(len, text.splitlines())) <= 80
    text = re.sub(r"(?<=most )\S+(?=, within)|(?<=within )\S+", "…", text)  # of the size of rounding
    golden(f"nudges.{'ascii' if ascii else 'unicode'}.80.txt", text)


def test_data_are_plain() -> None:
    data = nudges_page(opened(classes(), range(6))).data
    assert json.loads(json.dumps(data)) == data


def test_numbers_are_no_classes() -> None:
    """Of targets that are numbers no table of classes is made, however often one of them stands there."""
    case = classes()
    subject = case.subject(range(20), "dense_1.W")
    found = opened(case, range(20))
    said: Any = nudges_page(found).data
    assert [each["class"] for each in said["classes"]] == ["0", "1", "2", "3"]
    numbers = replace(found, subject=replace(subject, targets_are_classes=False))
    page = nudges_page(numbers)
    assert page.data["classes"] == []
    assert "Classes" not in text_of(page)
    assert "Importance" in text_of(page)


def test_classes_are_told_apart_by_their_mean_wishes() -> None:
    """Each cosine is that of vectors that are averaged here."""
    case = classes()
    found = opened(case, range(20))
    labels = np.arange(20) % 4
    means = [found.nudges[:, labels == label].mean(axis=1) for label in range(4)]

    def cosine(left: Any, right: Any) -> float:
        return float(left @ right / np.linalg.norm(left) / np.linalg.norm(right))

    said: Any = nudges_page(found).data
    for label, each in enumerate(said["classes"]):
        assert each["samples"] == 5
        assert each["with_the_average"] == pytest.approx(cosine(means[label], found.average))
        against = {other: cosine(means[label], means[other]) for other in range(4) if other != label}
        worst = min(against, key=lambda other: against[other])
        assert (each["most_against"], each["cosine"]) == (str(worst), pytest.approx(against[worst]))


def test_importance_ranks_and_compares_every_weight() -> None:
    found = opened(classes(), range(20))
    sizes = dict(zip(NAMED, np.abs(found.gradients), strict=True))
    page = nudges_page(found)
    ranked = sorted(NAMED, key=lambda name: -sizes[name])
    assert page.data["ranking"] == ranked
    table = find(page, "ranking")
    assert isinstance(table, Table)
    for row, name in zip(table.rows, ranked, strict=True):
        shown, size, times = row.cells
        assert (shown, size, times) == (name, Number(sizes[name]), Number(sizes[name] / min(sizes.values())))
    said: Any = page.data
    for each in said["weights"]:
        assert each["times_the_least"] == pytest.approx(sizes[each["weight"]] / min(sizes.values()))
