"""How a derivative became what a book prints: what the table of derivatives leaves, and each identity on the way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from chainrule.document import Block, Equation, Equations, Formula, Labeled, Plain, equals
from chainrule.explain.derivation import Piece
from chainrule.explain.derived import Derived
from chainrule.explain.formulas import Labels, Writer
from chainrule.graph.node import Node, transform
from chainrule.graph.primitives import rebuild
from chainrule.graph.rewrite import Step

FIELD: Final = "field axioms"
LINEAR: Final = "linearity of sums"
INVERSE: Final = "inverse functions"
BOOKKEEPING: Final = "the same numbers in another array"
FACT: Final = "a fact of the data"
DEFINITION: Final = "definition"

# Each rule of `autodiff.simplify`: what it says in the signs of a book, and what it rests on.
LAWS: Final[dict[str, tuple[str, str]]] = {
    "x + 0 -> x": ("x + 0 = x", FIELD),
    "x - 0 -> x": ("x − 0 = x", FIELD),
    "0 - x -> -x": ("0 − x = −x", FIELD),
    "x * 1 -> x": ("x · 1 = x", FIELD),
    "x * -1 -> -x": ("x · (−1) = −x", FIELD),
    "x / 1 -> x": ("x/1 = x", FIELD),
    "-(-x) -> x": ("−(−x) = x", FIELD),
    "x + (-y) -> x - y": ("x + (−y) = x − y", FIELD),
    "x - (-y) -> x + y": ("x − (−y) = x + y", FIELD),
    "(-x) * y -> -(x * y)": ("(−x) y = −(x y)", FIELD),
    "(-x) / y -> -(x / y)": ("(−x)/y = −(x/y)", FIELD),
    "x / (-y) -> -(x / y)": ("x/(−y) = −(x/y)", FIELD),
    "x if c else x -> x": ("x either way is x", DEFINITION),
    "-(number) -> number": ("a number with its sign is a number", BOOKKEEPING),
    "a repeated number is a number": ("a number repeated is that number", BOOKKEEPING),
    "x ** 1 -> x": ("x to the power of 1 is x", DEFINITION),
    "cast to its own dtype -> x": ("a number in its own type is itself", BOOKKEEPING),
    "reshape of reshape -> reshape": ("one change of shape in place of two", BOOKKEEPING),
    "transpose of transpose -> transpose": ("one transposition in place of two", BOOKKEEPING),
    "broadcast of broadcast -> broadcast": ("one repetition in place of two", BOOKKEEPING),
    "all of an axis -> x": ("all of an axis is the whole", BOOKKEEPING),
    "one part joined -> x": ("one part alone is the whole", BOOKKEEPING),
    "the rows of y sum to 1": ("Σₖ yₖ = 1", FACT),
    "log(exp x) -> x": ("log(exp x) = x", INVERSE),
    "exp(log x) -> x, for x > 0": ("exp(log x) = x for x > 0", INVERSE),
    "max(x, x) -> x": ("max(x, x) = x", DEFINITION),
    "min(x, x) -> x": ("min(x, x) = x", DEFINITION),
    "0 W -> 0": ("0 W = 0", FIELD),
    "W 0 -> 0": ("W 0 = 0", FIELD),
    "cancel and collect": ("like terms and factors, collected", FIELD),
    "multiply out and cancel": ("multiplied out, a/b · b = a for b ≠ 0", FIELD),
    "factor out": ("a c + b c = (a + b) c", FIELD),
    "take constant factors out of a sum": ("Σ c x = c Σ x", LINEAR),
    "take a scalar out of a matrix product": ("A(c B) = c(A B)", LINEAR),
    "Σₘ 1[m = j] xₘ -> xⱼ": ("Σₘ 1[m = j] xₘ = xⱼ", DEFINITION),
    "xⱼ / s -> (x / s)ⱼ, where s does not vary with j": ("xⱼ/s is (x/s)ⱼ", DEFINITION),
}


@dataclass(frozen=True, slots=True)
class Stage:
    """The derivative after one identity: its formula, the law in words, and what it rests on."""

    formula: Formula
    law: str
    source: str


def stages_of(derived: Derived, piece: Piece, labels: Labels) -> list[Stage]:
    """The derivative as differentiation leaves it, and after each identity that changed how it is written."""
    write = Writer(derived.notation(piece), derived.taken(labels)).write
    found = [Stage(write(piece.raw, labels), "by the table of derivatives", "")]
    current = piece.raw
    for step in (*piece.trail, None):
        following = piece.whole if step is None else _replaced(current, step)
        law, source = ("simplified", "") if step is None else LAWS[step.rule]
        formula = write(following, labels)
        if following is not current and source != BOOKKEEPING and formula != found[-1].formula:
            found.append(Stage(formula, law, source))
        current = following
    return found


def _replaced(root: Node, step: Step) -> Node:
    """The whole after a step that was made somewhere in it."""
    image = transform([root], lambda node, inputs: _after(rebuild(node, inputs), step))
    return image[root]


def _after(node: Node, step: Step) -> Node:
    return step.after if node is step.before else node


def steps_block(derived: Derived, names: Sequence[str]) -> list[Block]:
    """Of each piece that was simplified: what differentiation left, and each identity with what it rests on.

    What the same identities do to another layer is not told again.
    """
    blocks: list[Block] = []
    told: set[tuple[str, ...]] = set()
    for name in names:
        piece, labels = derived.piece(name), derived.labels(name)
        stages = stages_of(derived, piece, labels) if piece.trail else []
        laws = tuple(each.law for each in stages)
        if len(stages) > 1 and laws not in told:
            blocks.append(_lines(derived, name, labels, stages))
        told.add(laws)
    return [Labeled("Simplified", tuple(blocks), name="simplified")] if blocks else []


def _lines(derived: Derived, name: str, labels: Labels, stages: Sequence[Stage]) -> Block:
    left = derived.left(name, labels)
    lines = tuple(Equation(equals(left, each.formula), value=_reason(each)) for each in stages)
    laws: list[Plain] = [{"law": each.law, "source": each.source} for each in stages]
    return Equations(lines, inline=True, name=f"simplified {name}", data={"of": name, "laws": laws})


def _reason(stage: Stage) -> str:
    return f"{stage.law} ({stage.source})" if stage.source else stage.law
