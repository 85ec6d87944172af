"""How a derivative became what a book prints: what the table of derivatives leaves, and each identity on the way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

import msgspec

from chainrule.document import Block, Equation, Equations, Formula, Labeled, Paragraph, Plain, equals, partial
from chainrule.explain.formulas import Labels, Writer
from chainrule.explain.notation import LOSS, Notation, at
from chainrule.explain.opened import Opened
from chainrule.explain.page import Words
from chainrule.explain.textbook import Simplified
from chainrule.graph.node import Node, transform
from chainrule.graph.primitives import rebuild
from chainrule.graph.rewrite import Step

if TYPE_CHECKING:
    from chainrule.explain.derivation import Piece
    from chainrule.explain.derived import Derived

FIELD: Final = "field axioms"
LINEAR: Final = "linearity of sums"
INVERSE: Final = "inverse functions"
BOOKKEEPING: Final = "the same numbers in another array"
FACT: Final = "a fact of the data"
DEFINITION: Final = "definition"
LETTER: Final = "j"  # of any unit
SIGNS: Final = "laws of signs"

# Each rule of `autodiff.simplify`: what it says in the signs of a book, and what it rests on.
LAWS: Final[dict[str, tuple[str, str]]] = {
    "x + 0 -> x": ("x + 0 = x", FIELD),
    "x - 0 -> x": ("x − 0 = x", FIELD),
    "0 - x -> -x": ("0 − x = −x", FIELD),
    "x * 1 -> x": ("1 x = x", FIELD),
    "x * -1 -> -x": ("(−1) x = −x", FIELD),
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
    "x > c x -> x > 0, for c < 1": ("x > c x where x > 0, for c < 1", FIELD),
    "0 W -> 0": ("0 W = 0", FIELD),
    "W 0 -> 0": ("W 0 = 0", FIELD),
    "cancel and collect": ("like terms and factors, collected", FIELD),
    "multiply out and cancel": ("multiplied out, (a/b) b = a for b ≠ 0", FIELD),
    "factor out": ("a c + b c = (a + b) c", FIELD),
    "take constant factors out of a sum": ("Σ c x = c Σ x", LINEAR),
    "take a scalar out of a matrix product": ("A(c B) = c(A B)", LINEAR),
    "Σₘ 1[m = j] xₘ -> xⱼ": ("Σₘ 1[m = j] xₘ = xⱼ", DEFINITION),
    "xⱼ / s -> (x / s)ⱼ, where s does not vary with j": ("xⱼ/s is (x/s)ⱼ", DEFINITION),
}

# The rules that do nothing but move a sign: several of them one after the other are one step, named as a whole.
MOVES_A_SIGN: Final = frozenset(
    {
        "0 - x -> -x",
        "x * -1 -> -x",
        "-(-x) -> x",
        "x + (-y) -> x - y",
        "x - (-y) -> x + y",
        "(-x) * y -> -(x * y)",
        "(-x) / y -> -(x / y)",
        "x / (-y) -> -(x / y)",
    }
)


class Stage(msgspec.Struct, frozen=True):
    """The derivative after one identity, or after several of a kind.

    Attributes:
        formula: how it is written then.
        laws: what was used, each once, as they are spelled.
        source: what they rest on.
        kind: what they are called together.
    """

    formula: Formula
    laws: tuple[str, ...]
    source: str
    kind: str

    @property
    def law(self) -> str:
        """The law as it is spelled; of several, what they are called."""
        return self.laws[0] if len(self.laws) == 1 else self.kind

    def then(self, later: Stage) -> Stage:
        """This one and a later one of its kind, as one."""
        laws = tuple(dict.fromkeys((*self.laws, *later.laws)))
        return Stage(later.formula, laws, self.source, self.kind)

    @property
    def data(self) -> dict[str, Plain]:
        """The same for programs, several laws spelled out."""
        spelled: dict[str, Plain] = {"laws": list(self.laws)} if len(self.laws) > 1 else {}
        return {"law": self.law, "source": self.source, **spelled}


def stages_of(derived: Derived, piece: Piece, labels: Labels) -> list[Stage]:
    """The derivative as differentiation leaves it, and after each identity that changed how it is written.

    Identities of one kind that follow one another are one stage.
    """
    write = Writer(derived.notation(piece), derived.taken(labels)).write
    return _stages(piece, lambda node: write(node, labels))


def _stages(form: Piece | Simplified, write: Callable[[Node], Formula]) -> list[Stage]:
    found = [Stage(write(form.raw), ("by the table of derivatives",), "", "")]
    current = form.raw
    for step in (*form.trail, None):
        following = form.whole if step is None else _replaced(current, step)
        law, source = ("simplified", "") if step is None else LAWS[step.rule]
        formula = write(following)
        if following is not current and source != BOOKKEEPING and formula != found[-1].formula:
            kind = SIGNS if step is not None and step.rule in MOVES_A_SIGN else law
            stage = Stage(formula, (law,), source, kind)
            found[-1:] = [found[-1].then(stage)] if found[-1].kind == kind else [found[-1], stage]
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
    laws: list[Plain] = [each.data for each in stages]
    return Equations(lines, inline=True, name=f"simplified {name}", data={"of": name, "laws": laws})


def _reason(stage: Stage) -> str:
    return f"{stage.law} ({stage.source})" if stage.source else stage.law


# ---- of one weight ----


def chain_steps(opened: Opened, words: Words) -> list[Block]:
    """Of each derivative on the way to one weight: what differentiation leaves, what is printed, the laws between."""
    blocks: list[Block] = []
    for left, form in _on_the_way(opened, words):
        stages = _stages(form, _any_unit(words, form))
        if len(stages) > 1:
            data: list[Plain] = [each.data for each in stages[1:]]
            line = Equation(equals(left, stages[0].formula, stages[-1].formula))
            blocks += [Equations((line,), inline=True, data={"laws": data}), Paragraph(_by(stages[1:]))]
    return [Labeled("Simplified", tuple(blocks), name="simplified")] if blocks else []


def _on_the_way(opened: Opened, words: Words) -> list[tuple[Formula, Simplified]]:
    """The derivatives that the chain of the weight is made of, from the loss down, for any unit j."""
    z = opened.last_z
    first = (words.delta_of(z, LETTER), opened.last_delta)
    if not opened.last_delta.is_short:
        first = (partial(LOSS, words.value_symbol("y_hat", LETTER)), opened.prediction_slope)
    steps = [
        (partial(words.value_symbol(step.upper, LETTER), words.value_symbol(step.lower, LETTER)), opened.formula(step))
        for step in reversed(opened.route.slopes)
        if opened.route.z != z
    ]
    return [first, *steps]


def _any_unit(words: Words, form: Simplified) -> Callable[[Node], Formula]:
    """Writes parts of a derivative for any unit j."""
    named: dict[Node, Formula] = {node: words.book.symbol_of(name) for node, name in form.names.items()}
    write = Writer(Notation(named), [LETTER]).write
    return lambda node: write(node, at(None, LETTER))


def _by(stages: Sequence[Stage]) -> str:
    """The laws in the order they were used, each once, with what they rest on; several of a kind by its name."""
    of_kind: dict[str, dict[str, None]] = {}
    for each in stages:
        of_kind.setdefault(each.kind, {}).update(dict.fromkeys(each.laws))
    laws: dict[str, dict[str, None]] = {}
    for each in stages:
        spelled = of_kind[each.kind]
        laws.setdefault(each.source, {})[each.kind if len(spelled) > 1 else next(iter(spelled))] = None
    *most, last = [f"{source} ({'; '.join(known)})" if source else "; ".join(known) for source, known in laws.items()]
    said = f"{', '.join(most)} and {last}" if most else last
    return f"from the table of derivatives by {said}"
