"""Another experiment gives other statements: where the world is changed, the statement that tells of it fails."""

from __future__ import annotations

from typing import Any

import pytest

from chainrule.lessons import (
    activations,
    dying_relu,
    exploding,
    importance,
    learning_rate,
    named,
    one_weight,
    target_scale,
    unscaled_inputs,
    vanishing,
)

# Each row: a lesson's module, its name, what is changed in it, and the statements that then do not hold.
CHANGED: list[tuple[Any, str, dict[str, Any], set[str]]] = [
    (one_weight, "one-weight", {"RATE": 0.8}, {"falls", "approach"}),
    (one_weight, "one-weight", {"TARGET": 0.7}, {"target"}),
    (learning_rate, "learning-rate", {"DIGITS_RATES": (0.1, 0.01, 0.001)}, {"between"}),
    (
        activations,
        "activations",
        {"NETWORKS": dict.fromkeys(activations.NETWORKS, ("linear",) * 3)},
        {"bent", "patterns", "unexplained"},
    ),
    (vanishing, "vanishing", {"DEPTH": 1}, {"shrinks", "stuck", "accuracy"}),
    (exploding, "exploding", {"GAINS": (1.0, 3.0), "DEPTH": 1}, {"grows"}),
    (dying_relu, "dying-relu", {"DEEP": 0.0}, {"silent"}),
    (unscaled_inputs, "unscaled-inputs", {"SALARIES": (18.0, 65.0)}, {"slopes", "rate"}),
    (target_scale, "target-scale", {"TYPICAL": 0.5}, {"below", "floor"}),
    (importance, "importance", {"MOVE": 0.5}, {"foretold"}),
]


@pytest.mark.parametrize(("module", "name", "changes", "failing"), CHANGED, ids=[row[1] for row in CHANGED])
def test_it_does_not_hold_in_another_world(
    module: Any, name: str, changes: dict[str, Any], failing: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for constant, value in changes.items():
        monkeypatch.setattr(module, constant, value)
    taught = named(name).run(0)
    failed = {statement.name for statement in taught.statements if statement.holds is False}
    assert failing <= failed
    assert not taught.holds
    assert "Does not hold" in str(taught)
