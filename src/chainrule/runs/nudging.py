"""Nudges of a run: which weights and which samples are meant, opened and set on a page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from numbers import Integral

from chainrule.errors import ArgumentError, RunError
from chainrule.errors.calls import check_kind
from chainrule.explain.chain import way_of
from chainrule.explain.nudges import loudest, nudges_of
from chainrule.explain.nudges_page import nudges_page
from chainrule.explain.origin import origin_block
from chainrule.explain.subject import parse_weight, show_weight
from chainrule.explain.three_ways import three_ways
from chainrule.runs.page import Page
from chainrule.runs.subject import Moment, subject_of
from chainrule.train.prepare import Prepared


def nudges(
    prepared: Prepared,
    moment: Moment,
    rows: Sequence[int],
    backend: str,
    *,
    weights: Sequence[str] = (),
    top: int = 8,
    layer: str | None = None,
    unit: str | None = None,
) -> Page:
    """What these rows want of some weights.

    Args:
        prepared: experiment, data and graphs of the run.
        moment: the weights of the run.
        rows: indices in the source.
        backend: what trained the run.
        weights: as a person writes them; none for those with the largest gradients.
        top: how many of these.
        layer: only of that layer or parameter.
        unit: only those that feed that unit, and the three ways to change its activation.

    Raises: ArgumentError for what is of another kind, such as one weight where a list is wanted; RunError for more than
        one of weights, layer and unit, and for a weight that comes again; what choosing and opening them raises.
    """
    if isinstance(weights, str):
        raise ArgumentError(
            f"weights takes a list of them, such as ['dense_1.W[3, 7]'], and {weights!r} came: give one"
        )
    check_kind("weights", weights, Sequence, "a list of them, such as ['dense_1.W[3, 7]']")
    check_kind("top", top, Integral, "a whole number, such as 8")
    for kind, name, example in (("layer", layer, "'dense_1'"), ("unit", unit, "'dense_1[3]'")):
        if name is not None:
            check_kind(kind, name, str, f"its name as text, such as {example}")
    if bool(weights) + (layer is not None) + (unit is not None) > 1:
        raise RunError("nudges are of weights, of a layer or of a unit: give one of them")
    subject = subject_of(prepared, moment, rows, (), backend)
    way = way_of(subject)
    chosen = tuple(parse_weight(weight, subject.parameters) for weight in weights)
    for weight, times in Counter(chosen).items():
        if times > 1:
            raise RunError(f"{show_weight(*weight)} came {times} times: name each weight once")
    found = nudges_of(subject, way, chosen or loudest(subject, way, top, layer, unit))
    ways = () if unit is None else three_ways(subject, way, unit)
    return Page(nudges_page(found, (*origin_block(subject, way, found.weights), *ways)))
