"""The loss over a plane set as a page: the landscape with the path on it, and what was seen of the path."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from chainrule.descent.directions import Plane
from chainrule.descent.surface import Surface
from chainrule.descent.words import short
from chainrule.document import (
    Column,
    Document,
    Items,
    Labeled,
    Landscape,
    Number,
    NumberStyle,
    Plain,
    Row,
    Series,
    Table,
)

Floats = npt.NDArray[np.float64]

FOUR: Final = NumberStyle("significant", 4)
WIDE: Final = 10.0  # times the smallest loss: beyond, levels at equal ratios show more
LITTLE: Final = 0.5  # of the path's spread: below it, most of the path happens outside of the plane


def landscape_of(
    x: Floats, y: Floats, losses: Floats, paths: tuple[Series, ...], plane: Plane, sentence: str
) -> Landscape:
    """The loss over a plane as something to draw; places where it is not finite are gaps."""
    finite = losses[np.isfinite(losses)]
    wide = finite.size > 0 and finite.min() > 0.0 and finite.max() > WIDE * finite.min()
    return Landscape(
        tuple(x.tolist()), tuple(y.tolist()), tuple(tuple(row) for row in losses.tolist()), sentence, paths,
        x_label=plane.names[0], y_label=plane.names[1], value_label="loss", logarithmic=bool(wide), name="surface",
    )  # fmt: skip


def surface_page(surface: Surface, run: str, context: str) -> Document:
    """The surface of a run.

    Args:
        surface: what was found.
        run: its name.
        context: when: "steps 0 to 900".
    """
    path = Series("path", tuple(surface.path_x.tolist()), tuple(surface.path_y.tolist()))
    sentence = (
        f"The loss over the plane: the path goes from ({short(path.x[0])}, {short(path.y[0])}) to "
        f"({short(path.x[-1])}, {short(path.y[-1])})."
    )
    drawn = landscape_of(surface.x, surface.y, surface.losses, (path,), surface.plane, sentence)
    readings = Labeled("Read on", (Items(tuple(_readings(surface))),), name="readings")
    return Document(
        "Surface", (drawn, _places(surface), readings), subtitle=f"the loss of {run} over two directions",
        context=context, name="surface", data=_data(surface),
    )  # fmt: skip


def _places(surface: Surface) -> Table:
    """Where the path began and ended, and the lowest place of the grid."""
    row, column = _lowest(surface)
    found = [
        (f"step {surface.steps[0]}", surface.path_x[0], surface.path_y[0], surface.path_losses[0]),
        (f"step {surface.steps[-1]}", surface.path_x[-1], surface.path_y[-1], surface.path_losses[1]),
        ("lowest of the grid", surface.x[column], surface.y[row], surface.losses[row, column]),
    ]
    columns = (
        Column("place", heading=True),
        *(Column(name, style=FOUR) for name in surface.plane.names),
        Column("loss there", style=FOUR),
    )
    rows = tuple(Row((name, *(Number(float(value)) for value in values))) for name, *values in found)
    return Table(columns, rows, name="places")


def _lowest(surface: Surface) -> tuple[int, int]:
    losses = np.where(np.isfinite(surface.losses), surface.losses, np.inf)
    row, column = np.unravel_index(int(losses.argmin()), losses.shape)
    return int(row), int(column)


def _readings(surface: Surface) -> list[str]:
    said: list[str] = []
    shares = surface.plane.shares
    if shares:
        said.append(
            f"The two directions hold {shares[0]:.1%} and {shares[1]:.1%} of the variance of the path's "
            f"{len(surface.steps):,} places, together {sum(shares):.1%}."
        )
    else:
        most = "most of it happens outside" if surface.share < LITTLE else "most of it is seen"
        said.append(f"In this plane {surface.share:.1%} of the path's spread is seen: {most}.")
    row, column = _lowest(surface)
    count = len(surface.x) - 1
    if row in (0, count) or column in (0, count):
        said.append("The lowest place lies on the border: the loss falls on beyond it.")
    else:
        said.append(
            f"The lowest place lies inside, at a loss of {short(float(surface.losses[row, column]))}: "
            "in this plane it is a valley that closes."
        )
    said.append(
        "All weights outside of the plane are those of the last step, so the shades are the loss of the last step's "
        "surroundings, not those that earlier steps met."
    )
    if surface.rows < surface.of_rows:
        said.append(f"The loss is the mean of {surface.rows:,} of {surface.of_rows:,} training rows, evenly chosen.")
    return said


def _data(surface: Surface) -> dict[str, Plain]:
    row, column = _lowest(surface)
    return {
        "directions": list(surface.plane.names),
        "shares": list(surface.plane.shares) or None,
        "share_of_path": surface.share,
        "x": surface.x.tolist(),
        "y": surface.y.tolist(),
        "losses": surface.losses.tolist(),
        "path_losses": list(surface.path_losses),
        "path": {"steps": list(surface.steps), "x": surface.path_x.tolist(), "y": surface.path_y.tolist()},
        "lowest": {
            "x": float(surface.x[column]),
            "y": float(surface.y[row]),
            "loss": float(surface.losses[row, column]),
        },
        "rows": surface.rows,
    }
