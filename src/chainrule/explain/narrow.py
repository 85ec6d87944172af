"""The same gradient in float32, where training has that: how far off it is, whose it is, where its update leads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
import numpy as np

from chainrule.backends.protocol import Array
from chainrule.document import Block, Labeled, Number, NumberStyle, Paragraph, Plain, Span, number
from chainrule.explain.subject import Narrow, Subject, show_weight

if TYPE_CHECKING:
    from chainrule.explain.derived import Derived
    from chainrule.explain.scope import Weight

ONE: Final = NumberStyle("significant", 1)
SIX: Final = NumberStyle("significant", 6)
NINE: Final = NumberStyle("significant", 9)
OTHERS: Final = "the next step of training takes other rows"


class NarrowWeight(msgspec.Struct, frozen=True):
    """One weight in the dtype of training.

    Attributes:
        dtype: of training.
        gradient: ∂L/∂w.
        after: the weight after the update; None where it is not trained.
        is_next: whether the next step of training computes just these.
    """

    dtype: str
    gradient: float
    after: float | None
    is_next: bool


def narrow_weight(subject: Subject, weight: Weight) -> NarrowWeight | None:
    """None where training computes in float64, as the page does."""
    (name, index), narrow = weight, subject.narrow
    if narrow is None or name not in narrow.gradients:
        return None
    gradient = narrow.gradients[name]
    after = float(narrow.landed[name][index]) if name in narrow.landed else None
    return NarrowWeight(str(gradient.dtype), float(gradient[index]), after, narrow.is_next)


def narrow_data(found: NarrowWeight | None) -> dict[str, Plain] | None:
    """The same for programs."""
    if found is None:
        return None
    return {"dtype": found.dtype, "gradient": found.gradient, "after": found.after, "is_next": found.is_next}


def weight_block(found: NarrowWeight | None, gradient: float) -> list[Block]:
    """What it is in float32 and where the update leads, as training computes it or, of other rows, as NumPy does."""
    if found is None:
        return []
    said: list[Span] = [
        "training computes " if found.is_next else "NumPy computes ",
        Number(found.gradient, SIX), ", off by ", number(abs(found.gradient - gradient), 1), " from float64",
    ]  # fmt: skip
    if found.after is not None:
        leads = "leads to " if found.is_next else "would lead to "
        said += [f"; the update {leads}", Number(found.after, NINE)]
    if not found.is_next:
        said.append(f" ({OTHERS})")
    return [_block(found.dtype, tuple(said), narrow_data(found) or {})]


def weights_block(derived: Derived) -> list[Block]:
    """How far the gradients in float32 are from these; nothing where training ran in float64."""
    narrow = derived.subject.narrow
    found = {} if narrow is None else {n: narrow.gradients[n] for n in derived.gradients if n in narrow.gradients}
    if narrow is None or not found:
        return []
    name, place, off = max((_furthest(derived, name, own) for name, own in found.items()), key=lambda each: each[2])
    dtype = str(found[name].dtype)
    said = (
        f"the weights are those that training in {dtype} left; {_whose(narrow)} gradients are off by at most ",
        Number(off, ONE),
        f" from these in float64, at {show_weight(name, place)}",
        "" if narrow.is_next else f" ({OTHERS})",
    )
    data: dict[str, Plain] = {
        "dtype": dtype, "off_by": off, "at": show_weight(name, place), "is_next": narrow.is_next,
    }  # fmt: skip
    return [_block(dtype, said, data)]


def _whose(narrow: Narrow) -> str:
    return "its own" if narrow.is_next else "NumPy's"


def _block(dtype: str, said: tuple[Span, ...], data: dict[str, Plain]) -> Labeled:
    return Labeled(f"In {dtype}", (Paragraph(said),), name="trained", data=data)


def _furthest(derived: Derived, name: str, own: Array) -> tuple[str, tuple[int, ...], float]:
    off = np.abs(np.asarray(own, np.float64) - derived.gradients[name])
    unit = derived.unit_of(name)
    if unit is not None:
        off[..., [place for place in range(off.shape[-1]) if place != unit]] = -1.0
    place = tuple(int(axis) for axis in np.unravel_index(int(np.argmax(off)), off.shape))
    return name, place, float(off[place])
