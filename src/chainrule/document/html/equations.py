"""Sets displayed formulas in HTML so that the browser itself breaks them at their relations and signs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from chainrule.document import formula as f
from chainrule.document import writing
from chainrule.document.html.elements import element
from chainrule.document.html.mathml import math, mathml, pieces, relator
from chainrule.document.html.spans import content
from chainrule.document.text.typeset import Typesetter
from chainrule.document.tree import Equation, Equations

UNBROKEN: Final = 30  # columns that a telephone shows; what is wider may be broken
LONGEST_LEFT: Final = 20  # beyond this, lines are not aligned on their relations
_MEASURE: Final = Typesetter()


def equations_html(block: Equations) -> str:
    """The equations under one another, aligned on their first relation where the page is wide enough for it."""
    lefts = [equation.formula.left for equation in block.lines if isinstance(equation.formula, f.Relation)]
    several = len(block.lines) > 1 and len(lefts) == len(block.lines)
    aligned = several and all(_width(left) <= LONGEST_LEFT for left in lefts)
    lines = [_equation(equation, display=not block.inline) for equation in block.lines]
    return element("div", *lines, class_="equations aligned" if aligned else "equations")


def _equation(equation: Equation, *, display: bool) -> str:
    apart = " apart" if isinstance(equation.formula, f.Beside) else ""
    left, *right = [math(part, display=display) for part in _parts(equation.formula)]
    free = "" if equation.value else " free"  # no value stands to the right of it
    broken = element("span", *(f"<wbr>{part}" for part in right), class_=f"right{free}") if right else ""
    formula = element("div", element("span", left, class_="left"), broken, class_=f"formula{apart}")
    label = element("div", content(equation.label), class_="label") if equation.label else ""
    value = element("div", content(equation.value), class_="value") if equation.value else ""
    return element("div", label, formula, value, class_="equation")


def _parts(formula: f.Formula) -> list[str]:
    """The formula's markup in parts between which a line may break; the first is the left side of a relation."""
    if not isinstance(formula, f.Relation):
        return _side(formula)
    parts = [mathml(writing.held(formula.left, 2))]
    for sign, side in _links(formula):
        first, *others = _side(writing.held(side, 1))
        parts += [element("mrow", relator(sign), first), *others]
    return parts


def _links(chain: f.Relation) -> Iterator[tuple[f.Relator, f.Formula]]:
    """Each sign of a chain of relations with the side after it; in w ← a = b the right side is a chain itself."""
    for sign, side in chain.rest:
        yield sign, side.left if isinstance(side, f.Relation) else side
        if isinstance(side, f.Relation):
            yield from _links(side)


def _side(side: f.Formula) -> list[str]:
    if isinstance(side, f.Beside) and side.items:
        return [mathml(item) for item in side.items]
    if isinstance(side, f.Plus | f.Product) and _width(side) > UNBROKEN:
        return pieces(side)
    return [mathml(side)]


def _width(formula: f.Formula) -> int:
    return _MEASURE.box(formula).width
