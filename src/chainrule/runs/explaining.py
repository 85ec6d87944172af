"""One weight of a run on some rows, opened and set on a page."""

from __future__ import annotations

from collections.abc import Sequence

from chainrule.errors import UnknownNameError
from chainrule.errors.calls import check_kind
from chainrule.explain.opened import Opened
from chainrule.explain.subject import parse_weight
from chainrule.explain.walkthrough import explain_batch, explain_sample
from chainrule.runs.page import Page
from chainrule.runs.subject import Moment, subject_of
from chainrule.train.prepare import Prepared


def explain(prepared: Prepared, moment: Moment, rows: Sequence[int], weight: str, backend: str, *, one: bool) -> Page:
    """Why these rows want this weight to change.

    Args:
        prepared: experiment, data and graphs of the run.
        moment: the weights.
        rows: indices in the source.
        weight: as a person writes it.
        backend: what trained the run.
        one: whether a single sample was asked for, rather than a batch that may have one.
    """
    check_kind("weight", weight, str, "its name as text, such as 'dense_1.W[3, 7]'")
    named = weight.partition("[")[0].strip()
    known = [parameter.name for parameter in prepared.graphs.parameters]
    if named not in known:
        raise UnknownNameError("parameter", named, known)
    subject = subject_of(prepared, moment, rows, named, backend)
    parameter, index = parse_weight(weight, subject.parameters)
    opened = Opened(subject, parameter, index)
    return Page(explain_sample(opened) if one else explain_batch(opened))
