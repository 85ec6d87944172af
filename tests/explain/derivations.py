"""Networks to derive, and pages of derivations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any  # fields of an experiment

from chainrule.document import Document, Equations, Labeled, find, render_text, walk
from chainrule.explain.derivation_page import derive
from chainrule.explain.derived import Derived
from chainrule.explain.scope import Depth, Scope, one_layer, one_unit, one_weight, whole_network
from chainrule.nn.layers import Dense
from tests.explain.subjects import Setting, setting


def two_two_one(**fields: Any) -> Setting:
    """The smallest network that can be XOR: two inputs, two ReLU, one sigmoid, with binary cross-entropy."""
    weights = {
        "dense_1.W": [[0.5, -0.3], [0.2, 0.8]],
        "dense_1.b": [0.1, -0.2],
        "dense_2.W": [[0.7], [-0.6]],
        "dense_2.b": [0.05],
    }
    x = [[1.0, 0.5], [0.0, 1.0], [1.0, 1.0], [0.0, 0.0]]
    return setting([Dense(2, "relu"), Dense(1, "sigmoid")], x, [1, 1, 0, 0], weights=weights, **fields)


def scoped(made: Setting, rows: Sequence[int], what: str = "network") -> tuple[Derived, Scope]:
    """What is named, derived on these rows; "network", a layer, a unit or a weight."""
    bare = made.subject(rows)
    if what == "network":
        scope = whole_network(bare)
    elif what in made.names or "." in what:
        scope = one_weight(what, bare)
    else:
        scope = one_unit(what, bare) if "[" in what else one_layer(what, bare)
    return Derived(made.subject(rows, *scope.parameters), scope, alone=len(rows) == 1), scope


def derivation(made: Setting, rows: Sequence[int], what: str = "network", depth: Depth = "matrix") -> Document:
    """The page of what is named."""
    derived, scope = scoped(made, rows, what)
    return derive(derived.subject, scope, depth, alone=len(rows) == 1)


def formulas(page: Document, name: str) -> list[str]:
    """The equations of a block as lines of text, each on one line."""
    block = find(page, name)
    assert isinstance(block, Labeled)
    lines: list[str] = []
    for inner in walk(block):
        if isinstance(inner, Equations):
            for line in inner.lines:
                alone = Document("", (Equations((line,), inline=True),))
                text = " ".join(render_text(alone, 400).splitlines()[2:])
                lines.append(" ".join(text.split()))
    return lines
