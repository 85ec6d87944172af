"""The loss over one weight set as a page: the curve, its slope, the minimum, and of one weight alone every step."""

from __future__ import annotations

from typing import Final

from chainrule.descent.curve import Curve, Place
from chainrule.descent.words import short, signed
from chainrule.document import (
    Block,
    Column,
    Document,
    Equation,
    Equations,
    Figure,
    Items,
    Labeled,
    Number,
    NumberStyle,
    Plain,
    Row,
    Series,
    Table,
    equals,
    juxtaposed,
    minus,
    number,
    partial,
    plus,
    symbol,
)
from chainrule.document.formula import Parentheses, Power
from chainrule.errors.counts import counted, verb_of

SIX: Final = NumberStyle("significant", 6)
MOST_STEPS: Final = 24  # rows of the table of steps; of more, the first and the last
ROUNDING: Final = 1e-12  # of the largest slope on the curve: a slope found below it is 0 to a float64
FLAT: Final = 1e-3  # of the largest slope on the curve: below it the weight stands on flat ground


def curve_page(curve: Curve, run: str, context: str) -> Document:
    """The curve of a run.

    Args:
        curve: what was found.
        run: its name.
        context: when: "step 900".
    """
    blocks: list[Block] = [_loss(curve), _slope(curve), _table(curve)]
    if curve.is_parabola and curve.minimum is not None:
        blocks.append(Labeled("Exactly", (_parabola(curve.minimum),), name="parabola"))
    if curve.steps:
        blocks.append(_steps(curve))
    blocks.append(Labeled("Read on", (Items(tuple(_readings(curve))),), name="readings"))
    return Document(
        curve.name, tuple(blocks), subtitle=f"the loss over one weight of {run}", context=context, name="curve",
        data=_data(curve),
    )  # fmt: skip


def _loss(curve: Curve) -> Figure:
    ws = tuple(place.weight for place in curve.places)
    series = [Series("loss", ws, tuple(place.loss for place in curve.places))]
    if curve.steps:
        series.append(_marks("steps", curve.steps))
    else:
        series.append(_marks("here", (curve.here,)))
    if curve.minimum is not None:
        series.append(_marks("minimum", (curve.minimum,)))
    low, high = (choose(place.loss for place in curve.places) for choose in (min, max))
    sentence = (
        f"The loss over {curve.name} from {short(ws[0])} to {short(ws[-1])} lies between {short(low)} and "
        f"{short(high)}."
    )
    return Figure("line", tuple(series), sentence, title="Loss", x_label=curve.name, name="loss")


def _slope(curve: Curve) -> Figure:
    ws = tuple(place.weight for place in curve.places)
    series = [Series("slope", ws, tuple(place.slope for place in curve.places))]
    if curve.minimum is not None:
        crossing = f"crosses 0 at {short(curve.minimum.weight, 6)}"
        series.append(_slope_mark(curve.minimum))
    else:
        crossing = "does not cross 0 from below here"
    return Figure(
        "line", tuple(series), f"The slope ∂L/∂w, differentiated by the graph, {crossing}.", title="Slope",
        x_label=curve.name, name="slope",
    )  # fmt: skip


def _marks(name: str, places: tuple[Place, ...]) -> Series:
    return Series(name, tuple(place.weight for place in places), tuple(place.loss for place in places))


def _slope_mark(place: Place) -> Series:
    return Series("minimum", (place.weight,), (place.slope,))


def _table(curve: Curve) -> Table:
    columns = (
        Column("place", heading=True),
        Column("w", style=SIX),
        Column("loss L", style=SIX),
        Column("slope ∂L/∂w", style=SIX),
        Column("bend ∂²L/∂w²", style=SIX),
    )
    named = [("here", curve.here), *([("minimum", curve.minimum)] if curve.minimum else [])]
    return Table(columns, tuple(Row((name, *_cells(place))) for name, place in named), name="places")


def _cells(place: Place) -> tuple[Number, ...]:
    return tuple(Number(value) for value in (place.weight, place.loss, place.slope, place.bend))


def _parabola(minimum: Place) -> Equations:
    """L = L* + ½ L″ (w − w*)² and its slope, with their numbers."""
    w = symbol("w")
    away = Parentheses(minus(w, Number(minimum.weight, SIX)))
    square = Power(away, number(2))
    rise = juxtaposed(Number(minimum.bend / 2, SIX), square)
    loss = equals(symbol("L"), plus(Number(minimum.loss, SIX), rise) if minimum.loss else rise)
    slope = equals(partial(symbol("L"), w), juxtaposed(Number(minimum.bend, SIX), away))
    return Equations((Equation(loss), Equation(slope)), inline=True)


def _steps(curve: Curve) -> Table:
    columns = (
        Column("step", heading=True),
        Column("w", style=SIX),
        Column("loss L", style=SIX),
        Column("slope ∂L/∂w", style=SIX),
    )
    places = list(enumerate(curve.steps))
    left_out = max(len(places) - MOST_STEPS, 0)
    shown = places if not left_out else [*places[: MOST_STEPS // 2], *places[-MOST_STEPS // 2 :]]
    rows = tuple(Row((Number(step), *_cells(place)[:3])) for step, place in shown)
    caption = f"{counted(left_out, 'step')} between them {verb_of(left_out, 'is', 'are')} left out" if left_out else ""
    return Table(columns, rows, caption=caption, name="steps")


def _readings(curve: Curve) -> list[str]:
    said = [_ground(curve)]
    if curve.minimum is None:
        said.append(_endless(curve))
    else:
        said.append(_distance(curve, curve.minimum))
    if curve.is_parabola and curve.rate is not None and curve.minimum is not None:
        said.append(_shrinking(curve.minimum.bend, curve.rate))
    if curve.rows < curve.of_rows:
        said.append(f"The loss is the mean of {curve.rows:,} of the {curve.of_rows:,} training rows, evenly chosen.")
    return said


def _ground(curve: Curve) -> str:
    largest = max(abs(place.slope) for place in curve.places)
    slope = curve.here.slope
    if abs(slope) <= FLAT * largest:
        return f"Here the ground is flat: the slope {signed(slope)} is less than a thousandth of the steepest."
    way = "more" if slope < 0 else "less"
    return f"Here the slope is {signed(slope)}: {way} of this weight lowers the loss."


def _endless(curve: Curve) -> str:
    slopes = [place.slope for place in curve.places]
    if all(slope == 0.0 for slope in slopes):
        return "The loss does not depend on this weight here: the slope is 0 everywhere on the curve."
    if all(slope <= 0.0 for slope in slopes):
        return "The slope stays below 0 as far as the curve goes: ever more of this weight lowers the loss."
    if all(slope >= 0.0 for slope in slopes):
        return "The slope stays above 0 as far as the curve goes: ever less of this weight lowers the loss."
    return "The slope does not cross 0 from below on the curve: it has no minimum inside."


def _distance(curve: Curve, minimum: Place) -> str:
    gain = curve.here.loss - minimum.loss
    share = f", {short(100 * gain / curve.here.loss, 3)}% of what it is" if curve.here.loss > 0 and gain > 0 else ""
    steepest = max(abs(place.slope) for place in curve.places)
    is_rounding = 0.0 < abs(minimum.slope) <= ROUNDING * steepest
    there = f"the slope is {'0, to rounding' if is_rounding else signed(minimum.slope)}"
    if curve.jump is not None:
        there = f"the slope jumps from {signed(curve.jump[0])} to {signed(curve.jump[1])}, as a unit turns on or off"
    return (
        f"The minimum lies {signed(minimum.weight - curve.here.weight)} from here, where {there}; this weight alone "
        f"could lower the loss by {short(max(gain, 0.0), 3)}{share}."
    )


def _shrinking(bend: float, rate: float) -> str:
    """What one update of plain descent does to the distance on a parabola."""
    factor = 1.0 - rate * bend
    if abs(factor) >= 1.0:
        end = "so it grows: the rate is too large"
    elif factor < 0:
        end = "so it overshoots, and comes nearer from side to side"
    else:
        end = "so it comes nearer from one side"
    return (
        f"Each update multiplies the distance to the minimum by 1 − η L″ = 1 − {rate:g} · {bend:.6g} = "
        f"{signed(factor)}, {end}; rates below 2/L″ = {short(2 / bend)} come nearer."
    )


def _data(curve: Curve) -> dict[str, Plain]:
    return {
        "weight": curve.name,
        "here": _plain(curve.here),
        "minimum": _plain(curve.minimum) if curve.minimum else None,
        "jump": list(curve.jump) if curve.jump else None,
        "parabola": curve.is_parabola,
        "rows": curve.rows,
        "places": [_plain(place) for place in curve.places],
        "steps": [_plain(place) for place in curve.steps],
    }


def _plain(place: Place) -> dict[str, Plain]:
    return {"weight": place.weight, "loss": place.loss, "slope": place.slope, "bend": place.bend}
