"""Layers that are alike are told once: what is written of layer l is what would be written of each, and no other is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from chainrule.document import Document, Labeled, find, render_text
from chainrule.document.record import to_record
from chainrule.explain.alike import FEWEST, stretches
from chainrule.explain.equations import lines, passages
from chainrule.explain.scope import Depth
from chainrule.nn.activations import ACTIVATIONS
from chainrule.nn.layers import ActivationLayer, Dense, Flatten, Layer
from tests.conftest import Golden
from tests.explain.derivations import derivation, formulas, scoped
from tests.explain.networks import ROWS, random_setting
from tests.explain.subjects import Setting, setting, waves
from tests.explain.test_pages import kept_or


def deep(*layers: Layer, width: int = 6, **fields: Any) -> Setting:
    """Three classes behind these layers, on six features."""
    return setting([*layers, Dense(3)], waves(1, (4, width)), [0, 1, 2, 0], **fields)


def repeated(page: Document) -> list[tuple[list[int], list[str]]]:
    """Of each stretch that is written once: the values of l, and its layers."""
    found: Any = page.data["repeated"]
    return [(each["numbers"], each["layers"]) for each in found]


def instance(latex: str, number: int) -> str:
    """A formula of layer l for one number of a layer, by replacing text."""
    for by in (-1, 1):
        latex = latex.replace(f"l {'+' if by > 0 else '-'} 1", str(number + by))
    return latex.replace("^{l}", f"^{{{number}}}").replace(r"\,l}", rf"\,{number}}}")


def check_instances(page: Document) -> int:
    """Every equation of every layer is the general one with its number in it; how many there are."""
    data: Any = page.data
    general = {each["number"]: (part, each["latex"]) for part in data["repeated"] for each in part["equations"]}
    found = [equation for equation in data["equations"] if equation["number"] in general]
    for equation in found:
        part, latex = general[equation["number"]]
        layer = equation["of"].rpartition(".")[0]
        length = len(part["layers"]) // len(part["numbers"])
        number = part["numbers"][part["layers"].index(layer) // length]
        told = instance(latex, number)
        for old in ("a^{0}", "a_{i}^{0}", "a_{ni}^{0}") if part["beginning"] else ():
            told = told.replace(old, old.replace("a", "x", 1).replace("^{0}", ""))
        assert told.replace("{(x)}", "{x}") == equation["latex"]
    return len(found)


@pytest.mark.parametrize("depth", ["layer", "matrix"])
@pytest.mark.parametrize("rows", [(0,), (0, 1, 2)])
def test_a_deep_network_is_told_once(depth: Depth, rows: Sequence[int]) -> None:
    page = derivation(deep(*[Dense(5, "relu")] * 5), rows, "network", depth)
    assert repeated(page) == [([5, 4, 3, 2, 1], [f"dense_{place}" for place in (5, 4, 3, 2, 1)])]
    assert check_instances(page) == 20
    equations: Any = page.data["equations"]
    assert [each["number"] for each in equations] == [1, 2, 3, *[4, 5, 6, 7] * 5]


def test_the_chain_is_that_of_a_book() -> None:
    page = derivation(deep(*[Dense(5, "tanh")] * 3), (0, 1, 2))
    assert formulas(page, "back dense_3 to dense_1") == [
        "∂ℓ/∂aˡ = δˡ⁺¹ (Wˡ⁺¹)ᵀ (4)",
        "δˡ = ∂ℓ/∂aˡ ⊙ (1 − (aˡ)²) (5)",
        "∂L/∂Wˡ = ((aˡ⁻¹)ᵀ δˡ)/N (6)",
        "∂L/∂bˡ = (Σₙ δˡₙ)/N (7)",
    ]
    network = " ".join(formulas(page, "network")[0].split())
    assert network.startswith("zˡ = aˡ⁻¹ Wˡ + bˡ aˡ = tanh(zˡ) l = 1, …, 3 a⁰ = x z⁴ = a³ W⁴ + b⁴")


@pytest.mark.parametrize(
    ("layers", "told"),
    [
        ([Dense(5, "relu")] * 2, []),
        ([Dense(5, "relu"), Dense(5, "tanh"), Dense(5, "relu"), Dense(5, "tanh")], []),
        ([Dense(5, "tanh"), *[Dense(5, "relu")] * 3], [[4, 3, 2]]),
        ([*[Dense(5, "relu")] * 3, Dense(5, "tanh"), *[Dense(4, "relu")] * 3], [[7, 6, 5], [3, 2, 1]]),
        ([*[Dense(5, "relu", use_bias=False)] * 3, *[Dense(5, "relu")] * 3], [[6, 5, 4], [3, 2, 1]]),
        ([Dense(5, "relu"), Dense(5, "relu", use_bias=False), Dense(5, "relu"), Dense(5, "relu")], []),
        ([Flatten(), *[Dense(5, "relu")] * 3], [[3, 2, 1]]),
        ([*[Dense(5, "softmax")] * 3], [[3, 2, 1]]),
    ],
)
def test_only_layers_that_are_alike_are(layers: list[Layer], told: list[list[int]]) -> None:
    for depth in ("layer", "matrix"):
        page = derivation(deep(*layers), (0, 1), "network", depth)
        assert [numbers for numbers, _ in repeated(page)] == told
        check_instances(page)


def test_a_single_unit_is_alike_in_matrices_and_not_element_by_element() -> None:
    made = deep(Dense(5, "relu"), Dense(1, "relu"), Dense(5, "relu"), Dense(5, "relu"))
    assert [numbers for numbers, _ in repeated(derivation(made, (0, 1), "network", "matrix"))] == [[4, 3, 2, 1]]
    assert repeated(derivation(made, (0, 1), "network", "layer")) == []


def test_a_layer_with_an_activation_of_its_own_is_repeated_with_it() -> None:
    pair = (Dense(5), ActivationLayer("sigmoid"))
    page = derivation(deep(*pair * 4), (0, 1))
    ((numbers, layers),) = repeated(page)
    assert numbers == [4, 3, 2, 1]
    assert layers[:2] == ["activation_4", "dense_4"]
    assert check_instances(page) == 4 * 4
    assert "aˡ = σ(zˡ)" in formulas(page, "network")[0]


def test_a_layer_alone_reaches_back_through_those_that_are_alike() -> None:
    page = derivation(deep(*[Dense(5, "relu")] * 5), (0,), "dense_2", "layer")
    assert repeated(page) == [([5, 4, 3], ["dense_5", "dense_4", "dense_3"])]
    assert formulas(page, "back dense_2")[0] == "∂L/∂a²ⱼ = Σₖ δ³ₖ W³ⱼₖ (4)"
    unit = derivation(deep(*[Dense(5, "relu")] * 5), (0,), "dense_1[4]", "matrix")
    assert repeated(unit)[0][0] == [5, 4, 3, 2]


def test_weight_by_weight_the_deltas_that_chains_start_with_come_first() -> None:
    made = deep(*[Dense(5, "relu")] * 4)
    page = derivation(made, (0,), "dense_1[2]", "scalar")
    assert formulas(page, "deltas") == [
        "δ⁵ⱼ = ŷⱼ − yⱼ",
        "∂L/∂aˡⱼ = Σₖ δˡ⁺¹ₖ Wˡ⁺¹ⱼₖ",
        "δˡⱼ = ∂L/∂aˡⱼ · 1[zˡⱼ > 0] l = 4, …, 2",
    ]
    names = [block.name for block in page.blocks]
    assert names.index("deltas") < names.index("weights dense_1")
    last = derivation(made, (0,), "dense_5[2]", "scalar")
    assert "deltas" not in [block.name for block in last.blocks]
    assert "deltas" not in [block.name for block in derivation(made, (0,), "dense_4[2]", "scalar").blocks]


def test_numbers_that_are_few_stand_beside_the_equation_that_they_fill_in() -> None:
    page = derivation(deep(*[Dense(2, "sigmoid")] * 3, width=2), (0,))
    own = formulas(page, "numbers dense_2")
    assert [line.rpartition("by ")[2] for line in own] == ["(4)", "(5)", "(6)", "(7)"]
    assert own[1].startswith("δ² = [")
    assert "Wˡ" not in "".join(own)
    assert isinstance(find(page, "forward"), Labeled)


@pytest.mark.parametrize("depth", ["layer", "matrix"])
def test_numbers_that_are_many_stand_in_a_table_by_layer(depth: Depth) -> None:
    page = derivation(deep(*[Dense(5, "relu")] * 3, width=9), (0, 1), "network", depth)
    text = render_text(page, 80)
    for place in (1, 2, 3):
        assert f"∂L/∂W{'⁰¹²³'[place]}" in text.partition("Sizes")[2]
    found: Any = to_record(page)
    of = {each["of"]: each for each in found["equations"]}
    assert of["dense_2.W"]["shape"] == [5, 5]


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_activation_is_told_once_as_it_is_told_alone(activation: str) -> None:
    made = deep(*[Dense(5, activation)] * 4)  # of linear layers the first reads x, the others z
    for rows in ((2,), (0, 1)):
        assert check_instances(derivation(made, rows, "network", "layer")) >= 9


@pytest.mark.parametrize("seed", range(24))
def test_no_equation_of_a_random_network_is_lost(seed: int) -> None:
    derived, _ = scoped(random_setting(seed), tuple(range(ROWS)))
    for whole in (True, False):
        told = passages(derived, whole=whole)
        assert [line for passage in told for line in passage.lines] == lines(derived, whole=whole)


def test_nothing_is_told_of_no_layer() -> None:
    assert stretches([]) == []
    assert FEWEST > 2


@pytest.mark.parametrize("ascii", [False, True], ids=["unicode", "ascii"])
def test_page_reads_as_kept(ascii: bool, golden: Golden) -> None:
    page = derivation(deep(*[Dense(8, "relu")] * 4), (0, 1, 2, 3))
    file = f"five_layers.{'ascii' if ascii else 'unicode'}.80.txt"
    golden(file, kept_or(file, render_text(page, 80, ascii=ascii)))
