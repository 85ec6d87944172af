"""Bare formulas, without any network: their gradients in the form a textbook prints, and their numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, overload

import numpy as np
import numpy.typing as npt

from chainrule.autodiff.reverse import gradients
from chainrule.autodiff.simplify import simplify
from chainrule.autodiff.stabilize import stabilize
from chainrule.backends.choose import choose
from chainrule.errors import DerivativeError
from chainrule.errors.calls import check_kind
from chainrule.graph.expr import Expr
from chainrule.graph.node import make_graph
from chainrule.graph.tensor_type import show_shape

FORMULA: Final = "a formula, such as cr.expr.variable('a', 'float64') ** 2"


@overload
def gradient(formula: Expr, wrt: Expr) -> Expr: ...
@overload
def gradient(formula: Expr, wrt: Sequence[Expr]) -> list[Expr]: ...
def gradient(formula: Expr, wrt: Expr | Sequence[Expr]) -> Expr | list[Expr]:
    """∂formula/∂wrt, simplified.

    Args:
        formula: one number, such as a loss.
        wrt: a float variable or any value on the way to the formula; or several.

    Returns: of the shape of wrt; a list for several. It is a formula again, and has gradients itself.
    Raises: ArgumentError for what is no formula; DerivativeError when it is not one number, or wrt is no float.
    Example: the slope of (a − t)², which is 2(a − t):
        >>> a, t = cr.expr.variable("a", "float64"), cr.expr.variable("t", "float64")
        >>> cr.evaluate(cr.gradient((a - t) ** 2, a), a=0.84, t=0.4)
        array(0.88)
    """
    check_kind("formula", formula, Expr, FORMULA)
    check_kind("wrt", wrt, (Expr, Sequence), "a formula or a list of them")
    if formula.shape != ():
        raise DerivativeError(
            f"a gradient is that of one number, and the formula has shape {show_shape(formula.shape)}: take its sum"
        )
    asked = [wrt] if isinstance(wrt, Expr) else list(wrt)
    for each in asked:
        check_kind("wrt", each, Expr, FORMULA)
    found = gradients(formula.node, [each.node for each in asked])
    graph, _ = simplify(make_graph({str(place): node for place, node in enumerate(found)}))
    simplified = [Expr(node) for node in graph.results]
    return simplified[0] if isinstance(wrt, Expr) else simplified


def evaluate(formula: Expr, /, **values: npt.ArrayLike) -> npt.NDArray[Any]:
    """The number that a formula has, by the reference backend, in the form that floating point survives.

    Args:
        formula: what is asked for.
        values: a number or an array for each variable in it, by the variable's name.

    Returns: of the formula's dtype and shape.
    Raises: ArgumentError for what is no formula; InputError, DTypeError, ShapeError when a value is missing, unknown or
        does not fit.
    """
    check_kind("formula", formula, Expr, FORMULA)
    graph = stabilize(make_graph({"value": formula.node}))
    return np.asarray(choose("reference").evaluate(graph, values)["value"])
