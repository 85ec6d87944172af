"""What flows back, derived: formulas as a book prints them, and evaluated as printed what training computes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from chainrule.autodiff.simplify import FUNCTION_RULES, _algebra
from chainrule.autodiff.tidy import TIDY_RULES
from chainrule.errors import DerivativeError
from chainrule.explain.chain import way_of
from chainrule.explain.derivation import ADJOINT, Derivation
from chainrule.explain.numbers import evaluate
from chainrule.explain.steps import LAWS
from chainrule.nn.layers import ActivationLayer, Dense, Flatten, Layer
from tests.explain.derivations import derivation, formulas, two_two_one
from tests.explain.networks import ROWS, random_setting
from tests.explain.subjects import Setting, setting, waves

TOLERANCE = 1e-9  # of the largest value: the book's formulas are not the safe ones that training runs


def classifier(*layers: Layer, width: int = 3, **fields: Any) -> Setting:
    """Three classes, behind these layers."""
    return setting([*layers, Dense(3)], waves(1, (4, width)), [0, 1, 2, 0], **fields)


def test_the_matrix_form_is_that_of_a_book() -> None:
    page = derivation(classifier(Dense(8, "sigmoid"), Dense(7, "tanh"), width=9), (0, 1, 2))
    assert formulas(page, "back dense_3")[1] == "∂L/∂W³ = ((a²)ᵀ δ³)/N (2)"
    assert formulas(page, "back dense_3")[0].startswith("δ³ = ŷ − y = ")
    assert formulas(page, "back dense_2") == [
        "∂ℓ/∂a² = δ³ (W³)ᵀ (4)",
        "δ² = ∂ℓ/∂a² ⊙ (1 − (a²)²) (5)",
        "∂L/∂W² = ((a¹)ᵀ δ²)/N (6)",
        "∂L/∂b² = (Σₙ δ²ₙ)/N (7)",
    ]
    assert formulas(page, "back dense_1")[1:3] == ["δ¹ = ∂ℓ/∂a¹ ⊙ a¹ ⊙ (1 − a¹) (9)", "∂L/∂W¹ = (xᵀ δ¹)/N (10)"]


def test_the_layer_form_is_a_times_delta() -> None:
    page = derivation(classifier(Dense(8, "relu"), Dense(7, "tanh")), (1,), "dense_2", "layer")
    assert formulas(page, "back dense_3") == ["δ³ⱼ = ŷⱼ − yⱼ (1)"]
    assert formulas(page, "back dense_2") == [
        "∂L/∂a²ⱼ = Σₖ δ³ₖ W³ⱼₖ (2)",
        "δ²ⱼ = ∂L/∂a²ⱼ · (1 − (a²ⱼ)²) (3)",
        "∂L/∂W²ᵢⱼ = a¹ᵢ δ²ⱼ (4)",
        "∂L/∂b²ⱼ = δ²ⱼ (5)",
    ]
    assert formulas(page, "back dense_1") == ["∂L/∂a¹ⱼ = Σₖ δ²ₖ W²ⱼₖ (6)"]  # what the layer hands back


def test_a_hidden_softmax_has_the_form_of_a_book() -> None:
    page = derivation(classifier(Dense(6, "softmax")), (0,), "network", "layer")
    assert formulas(page, "back dense_1")[1] == "δ¹ⱼ = a¹ⱼ(∂L/∂a¹ⱼ − Σₖ ∂L/∂a¹ₖ · a¹ₖ) (5)"


def test_a_batch_with_weights_on_its_samples_is_their_weighted_mean() -> None:
    made = classifier(Dense(6, "relu"), sample_weight=[1.0, 2.0, 3.0, 4.0])
    page = derivation(made, (0, 1, 2), "dense_1", "layer")
    assert formulas(page, "back dense_1")[2] == "∂L/∂W¹ᵢⱼ = (Σₙ xₙᵢ(δ¹ₙⱼ wₙ))/(Σₙ wₙ) (4)"


def test_a_unit_and_a_weight_have_their_place_in_every_formula() -> None:
    made = classifier(Dense(6, "sigmoid"), Dense(5, "tanh"))
    assert formulas(derivation(made, (0,), "dense_2[4]", "layer"), "back dense_2") == [
        "∂L/∂a²₄ = Σₖ δ³ₖ W³₄ₖ (2)",
        "δ²₄ = ∂L/∂a²₄ · (1 − (a²₄)²) (3)",
        "∂L/∂W²ᵢ₄ = a¹ᵢ δ²₄ (4)",
        "∂L/∂b²₄ = δ²₄ (5)",
    ]
    column = formulas(derivation(made, (0,), "dense_2[4]", "matrix"), "back dense_2")
    assert column[2].startswith("∂L/∂W²₄ = a¹ δ²₄")
    entry = formulas(derivation(made, (0,), "dense_2.W[3, 4]", "layer"), "entry")
    assert entry[0].startswith("∂L/∂W²₃₄ = a¹₃ δ²₄ = ")


@pytest.mark.parametrize("form", ["layer", "matrix"])
def test_layers_without_weights_pass_on_what_they_get(form: Any) -> None:
    made = classifier(Flatten(), Dense(6), ActivationLayer("sigmoid"))
    page = derivation(made, (0,), "activation_1", form)
    assert any(form in formulas(page, "back dense_1")[0] for form in ("a¹ⱼ · (1 − a¹ⱼ)", "⊙ a¹ ⊙"))
    assert page.data["slope"] is None
    nothing = derivation(made, (0,), "flatten_1", form)
    assert nothing.data["equations"] == []


def test_two_activations_of_one_layer_have_two_symbols() -> None:
    made = classifier(Dense(6, "relu"), ActivationLayer("tanh"))
    page = derivation(made, (0,), "network", "layer")
    back = [line for layer in ("dense_1", "activation_1") for line in formulas(page, f"back {layer}")]
    assert "∂L/∂a¹ⱼ = ∂L/∂a′¹ⱼ · (1 − (a′¹ⱼ)²) (4)" in [line.replace("(5)", "(4)") for line in back]


@pytest.mark.parametrize("seed", range(24))
@pytest.mark.parametrize("alone", [True, False])
def test_every_formula_evaluated_as_printed_is_what_training_computes(seed: int, alone: bool) -> None:
    """The pieces are fed with the safe values and adjoints, and must give the next safe adjoint."""
    made = random_setting(seed)
    rows = (seed % ROWS,) if alone else tuple(range(ROWS))
    subject = made.subject(rows)
    way, derived = way_of(subject), Derivation(subject, mean=True)
    names = [name for name in derived.backward if way.nodes[name] in way.adjoints]
    asked = {name: way.nodes[name] for name in (*derived.values, "x", "y", "y_hat", *subject.parameters)}
    asked |= {ADJOINT + name: way.adjoints[way.nodes[name]] for name in names}
    asked |= {f"gradient {name}": node for name, node in way.gradients.items()}
    found = evaluate(asked, subject.inputs)
    given = {**subject.inputs, **found}
    for name in names:
        _same(evaluate({"it": derived.adjoint(name).whole}, given)["it"], found[ADJOINT + name])
        _same(evaluate({"it": derived.adjoint(name).raw}, given)["it"], found[ADJOINT + name])
    for name in way.gradients:
        _same(evaluate({"it": derived.gradient(name).whole}, given)["it"], found[f"gradient {name}"])


def _same(ours: Any, theirs: Any) -> None:
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=TOLERANCE * max(1.0, float(np.max(np.abs(theirs)))))


def test_what_the_loss_does_not_reach_is_refused() -> None:
    derived = Derivation(classifier(Flatten(), Dense(4)).subject((0,)), mean=True)
    with pytest.raises(DerivativeError, match="does not depend on"):
        derived._derived("y", derived.subject.x, mean=False)


def test_every_identity_has_its_law_and_what_it_rests_on() -> None:
    rules = {rule.name for rule in (*TIDY_RULES, *FUNCTION_RULES, *_algebra({}, expand=True))}
    assert set(LAWS) == rules
    assert all(law and source for law, source in LAWS.values())


def test_the_trail_leads_from_the_table_to_the_textbook() -> None:
    page = derivation(two_two_one(), (0,), "network", "layer")
    told = formulas(page, "simplified")
    assert told[0].endswith("by the table of derivatives")
    assert told[-1].startswith("δ² = ŷ − y multiplied out")
    softmax = formulas(derivation(classifier(), (0,), "network", "layer"), "simplified")
    assert any("Σₖ yₖ = 1 (a fact of the data)" in line for line in softmax)
