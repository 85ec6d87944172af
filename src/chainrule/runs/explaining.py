"""What is explained of a run on some rows: one weight in full, or a weight, a unit, a layer or the network derived."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from chainrule.errors import RunError, UnknownNameError
from chainrule.errors.calls import check_kind
from chainrule.explain.scope import DEPTHS, Depth, Scope, one_layer, one_unit, one_weight, whole_network
from chainrule.explain.subject import Subject, parse_weight
from chainrule.runs.page import Page
from chainrule.runs.subject import Moment, subject_of
from chainrule.train.prepare import Prepared

USUAL_DEPTH: Final[dict[str, Depth]] = {"unit": "scalar", "layer": "layer", "network": "matrix"}


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be explained: exactly one of the first four.

    Attributes:
        weight: "dense_1.W[3, 7]".
        unit: "dense_1[7]".
        layer: "dense_1".
        network: all of it.
        depth: how closely; None for what suits.
    """

    weight: str | None = None
    unit: str | None = None
    layer: str | None = None
    network: bool = False
    depth: Depth | None = None

    def checked(self) -> Asked:
        """The same, where it can be answered.

        Raises: ArgumentError for names that are no text, and a network that is neither True nor False; RunError unless
            one thing is named; UnknownNameError for a depth that does not exist.
        """
        examples = {"weight": "'dense_1.W[3, 7]'", "unit": "'dense_1[7]'", "layer": "'dense_1'"}
        for kind, example in examples.items():
            if getattr(self, kind) is not None:
                check_kind(kind, getattr(self, kind), str, f"its name as text, such as {example}")
        check_kind("network", self.network, bool, "True or False")
        named = [self.weight is not None, self.unit is not None, self.layer is not None, self.network]
        if sum(named) != 1:
            came = "none was named" if not any(named) else f"{sum(named)} were named"
            raise RunError(f"a weight, a unit, a layer or the network can be explained, and {came}: name one of them")
        if self.depth is not None and self.depth not in DEPTHS:
            raise UnknownNameError("depth", str(self.depth), DEPTHS)
        return self


def explain(prepared: Prepared, moment: Moment, rows: Sequence[int], asked: Asked, backend: str, *, one: bool) -> Page:
    """Why these rows want what is asked about to change.

    Args:
        prepared: experiment, data and graphs of the run.
        moment: the weights.
        rows: indices in the source.
        asked: a weight, a unit, a layer or the network.
        backend: what trained the run.
        one: whether a single sample was asked for, rather than a batch that may have one.
    """
    asked = asked.checked()
    if asked.weight is not None and asked.depth in (None, "scalar"):
        return _opened(prepared, moment, rows, asked.weight, backend, one=one)
    from chainrule.explain.derivation_page import derive

    bare = subject_of(prepared, moment, rows, (), backend)
    scope = _scope(asked, bare)
    subject = subject_of(prepared, moment, rows, scope.parameters, backend)
    depth = asked.depth or USUAL_DEPTH[scope.kind]
    return Page(derive(subject, scope, depth, alone=one))


def _scope(asked: Asked, subject: Subject) -> Scope:
    """What is meant, of what there is."""
    if asked.weight is not None:
        return one_weight(asked.weight, subject)
    if asked.unit is not None:
        return one_unit(asked.unit, subject)
    return whole_network(subject) if asked.layer is None else one_layer(asked.layer, subject)


def _opened(prepared: Prepared, moment: Moment, rows: Sequence[int], weight: str, backend: str, *, one: bool) -> Page:
    """One weight with all that is known of it."""
    named = weight.partition("[")[0].strip()
    known = [parameter.name for parameter in prepared.graphs.parameters]
    if named not in known:
        raise UnknownNameError("parameter", named, known)
    from chainrule.explain.opened import Opened
    from chainrule.explain.walkthrough import explain_batch, explain_sample

    subject = subject_of(prepared, moment, rows, (named,), backend)
    parameter, index = parse_weight(weight, subject.parameters)
    opened = Opened(subject, parameter, index)
    return Page(explain_sample(opened) if one else explain_batch(opened))
