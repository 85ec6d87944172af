"""The loss over a plane through the weights, with the path of the run walked on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from chainrule.data.dataset import Array
from chainrule.descent.directions import Plane, principal
from chainrule.descent.field import Field, rows_of
from chainrule.descent.walk import Path
from chainrule.draws import Purpose, normal
from chainrule.errors import RunError, ValueRangeError
from chainrule.train.prepare import Prepared

Floats = npt.NDArray[np.float64]
Directions: TypeAlias = Literal["principal", "random"]

POINTS: Final = 25  # a side
MOST_POINTS: Final = 200
MARGIN: Final = 0.15  # of the path's span, on each side
REACH: Final = 1.0  # along random directions, at least so far to each side: once the size of the weights


@dataclass(frozen=True, eq=False, slots=True)
class Surface:
    """The loss over a plane, the weights outside of it held as they are.

    Attributes:
        plane: the two directions.
        x, y: coordinates of the columns and the rows, rising, (points,).
        losses: the mean loss over the rows, [row, column], (points, points).
        path_x, path_y: where the plane's point nearest to the run lay, at every step that was looked at.
        path_losses: the loss of the plane at the first and at the last of these points.
        steps: those steps.
        share: of the squared distances of the path's places from their mean, how much is seen in the plane.
        rows: how many the loss is the mean of.
        of_rows: how many were trained on.
    """

    plane: Plane
    x: Floats
    y: Floats
    losses: Floats
    path_x: Floats
    path_y: Floats
    path_losses: tuple[float, float]
    steps: tuple[int, ...]
    share: float
    rows: int
    of_rows: int


def surface_of(
    prepared: Prepared, state: Mapping[str, Array], plane: Plane, path: Path, backend: str, points: int
) -> Surface:
    """Evaluate the loss on a grid that holds the whole path.

    Args:
        prepared: experiment, data and graphs of the run.
        state: the weights, and what else the loss reads; the plane's origin lies in them as far as training moves them.
        plane: of the trained weights.
        path: of the run.
        backend: what runs it.
        points: of each side of the grid, at least 2.

    Raises: ValueRangeError for a grid without meaning; RunError where the plane is only a line.
    """
    if not 2 <= points <= MOST_POINTS:
        raise ValueRangeError(f"a surface of {points} by {points} points came: give from 2 to {MOST_POINTS} a side")
    if lacking := _lacking(plane):
        raise RunError(lacking)
    path_x, path_y = plane.placed(path.places)
    x, y, losses = grid_of(prepared, state, plane, (path_x, path_y), backend, points)
    ends = field_of(prepared, state, plane, backend).at(np.stack([path_x[[0, -1]], path_y[[0, -1]]], axis=-1))["loss"]
    return Surface(
        plane=plane,
        x=x,
        y=y,
        losses=losses,
        path_x=path_x,
        path_y=path_y,
        path_losses=(float(ends[0]), float(ends[1])),
        steps=path.steps,
        share=_share(path.places, plane, path_x, path_y),
        rows=len(rows_of(prepared)),
        of_rows=len(prepared.rows),
    )


def _lacking(plane: Plane) -> str:
    """Why the plane is only a line or a point, and what to do; empty where it is a plane."""
    if plane.across.any() and plane.up.any():
        return ""
    if plane.names[0].startswith("random"):
        return "random directions are as long as the weights, and these are all 0: name two weights instead"
    if not plane.across.any():
        return "the weights never moved, so the path has no direction: name two weights, or ask for random directions"
    return "the path is a straight line and has no second direction: name two weights, or ask for the curve of one"


def grid_of(
    prepared: Prepared,
    state: Mapping[str, Array],
    plane: Plane,
    places: tuple[Floats, Floats],
    backend: str,
    points: int,
) -> tuple[Floats, Floats, Floats]:
    """A grid around some places of the plane: its x (points,), its y (points,), and the losses (points, points)."""
    x, y = (_coordinates(each, plane, points) for each in places)
    grid = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    losses = field_of(prepared, state, plane, backend).at(grid)["loss"]
    return x, y, losses.reshape(points, points)


def field_of(prepared: Prepared, state: Mapping[str, Array], plane: Plane, backend: str) -> Field:
    """The loss over the plane, on training rows."""
    directions = [_named(prepared, plane.across), _named(prepared, plane.up)]
    return Field(prepared, {**state, **_named(prepared, plane.origin)}, directions, rows_of(prepared), backend)


def _coordinates(path: Floats, plane: Plane, points: int) -> Floats:
    """From before the path to behind it."""
    low, high = float(path.min()), float(path.max())
    if plane.names[0].startswith("random"):
        low, high = min(low, -REACH), max(high, REACH)
    margin = MARGIN * (high - low) or max(abs(low), 1.0) * 0.5
    return np.linspace(low - margin, high + margin, points)


def _share(places: Floats, plane: Plane, x: Floats, y: Floats) -> float:
    """How much of the path's spread is seen in the plane."""
    whole = float(((places - places.mean(axis=0)) ** 2).sum())
    seen = np.outer(x, plane.across) + np.outer(y, plane.up)
    return float(((seen - seen.mean(axis=0)) ** 2).sum()) / whole if whole else 0.0


def _named(prepared: Prepared, flat: Floats) -> dict[str, Floats]:
    """A direction by the parameter's name."""
    found: dict[str, Floats] = {}
    at = 0
    for name, shape in _shapes(prepared):
        size = int(np.prod(shape))
        found[name] = flat[at : at + size].reshape(shape)
        at += size
    return found


def _shapes(prepared: Prepared) -> list[tuple[str, tuple[int, ...]]]:
    shapes = {each.name: each.shape for each in prepared.graphs.parameters}
    return [(name, shapes[name]) for name in prepared.graphs.trainable]


# ---- planes ----


def plane_of_path(path: Path) -> Plane:
    """The two directions in which the path varies most, through its last place.

    Raises: RunError for a path of fewer than two updates, which has no two directions.
    """
    if len(path.steps) < 3:
        raise RunError("a run of fewer than two updates has no plane of its path: name two weights, or train longer")
    return principal(path.places, path.places[-1])


def plane_of_weights(
    prepared: Prepared, path: Path, weights: Sequence[tuple[str, tuple[int, ...]]], names: tuple[str, str]
) -> Plane:
    """Two weights as coordinates, all others as they are at the path's last place.

    Raises: RunError for a weight that is not trained, or the same one twice.
    """
    starts = dict(
        zip(prepared.graphs.trainable, np.cumsum([0, *(int(np.prod(s)) for _, s in _shapes(prepared))]), strict=False)
    )
    origin = path.places[-1].copy()
    directions: list[Floats] = []
    for (name, index), said in zip(weights, names, strict=True):
        if name not in starts:
            raise RunError(f"{said} is frozen, so no path leads along it: choose a weight that is trained")
        shape = dict(_shapes(prepared))[name]
        place = int(starts[name]) + int(np.ravel_multi_index(index, shape))
        direction = np.zeros_like(origin)
        direction[place] = 1.0
        origin[place] = 0.0
        directions.append(direction)
    if names[0] == names[1]:
        raise RunError(f"a surface needs two weights, and {names[0]} came twice: give another")
    return Plane(origin, directions[0], directions[1], names)


def plane_at_random(prepared: Prepared, path: Path, seed: int) -> Plane:
    """Two random directions through the path's last place, each filter as long as that of the weights.

    Of a kernel the filter is what one unit reads, a column of W; biases stay as they are.

    Source: Li, Xu, Taylor, Studer, Goldstein, "Visualizing the loss landscape of neural nets", 2018, section 4.
    """
    weights = _named(prepared, path.places[-1])
    kernels = {each.name for each in prepared.graphs.parameters if each.role == "kernel"}
    drawn: list[Floats] = []
    for place in range(2):
        parts = [
            _filters(normal(seed, Purpose.EXPLAIN, 2 * number + place, weights[name].shape), weights[name])
            if name in kernels
            else np.zeros_like(weights[name])
            for number, name in enumerate(prepared.graphs.trainable)
        ]
        drawn.append(np.concatenate([part.reshape(-1) for part in parts]))
    return Plane(path.places[-1], drawn[0], drawn[1], ("random direction 1", "random direction 2"))


def _filters(drawn: Floats, weights: Floats) -> Floats:
    """The drawn numbers, those of each unit scaled to the length of its weights."""
    axes = tuple(range(drawn.ndim - 1))
    lengths = np.sqrt((drawn**2).sum(axis=axes, keepdims=True))
    wanted = np.sqrt((weights**2).sum(axis=axes, keepdims=True))
    return drawn * wanted / np.where(lengths > 0.0, lengths, 1.0)
