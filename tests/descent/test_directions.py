"""Planes through the space of weights, held against NumPy's singular value decomposition."""

from __future__ import annotations

import numpy as np
import pytest

from chainrule.descent.directions import Plane, principal
from chainrule.draws import Purpose, normal

SHAPES = [(5, 200), (40, 6), (3, 3), (120, 900)]


def places_of(points: int, weights: int, seed: int = 0) -> np.ndarray:
    steps = normal(seed, Purpose.EXPLAIN, 0, (points, weights))
    return np.cumsum(steps, axis=0)


@pytest.mark.parametrize("shape", SHAPES)
def test_principal_directions_are_singular_vectors(shape: tuple[int, int]) -> None:
    places = places_of(*shape)
    plane = principal(places, places[0])
    centered = places - places.mean(axis=0)
    _, values, vectors = np.linalg.svd(centered, full_matrices=False)
    shares = values**2 / np.sum(values**2)
    np.testing.assert_allclose(plane.shares, shares[:2], rtol=1e-9)
    for found, wanted in zip((plane.across, plane.up), vectors, strict=False):
        assert abs(found @ wanted) == pytest.approx(1.0, abs=1e-9)
        assert np.linalg.norm(found) == pytest.approx(1.0, abs=1e-9)
        assert found @ (places[-1] - places[0]) >= 0.0
    assert plane.across @ plane.up == pytest.approx(0.0, abs=1e-9)


def test_coordinates_lead_back_to_the_place() -> None:
    origin, across, up = places_of(3, 7)
    plane = Plane(origin, across, up, ("a", "b"))  # not at right angles, not of length 1
    given = np.stack([plane.at(2.0, -3.0), plane.at(0.0, 0.0), plane.at(-1.5, 0.25)])
    x, y = plane.placed(given)
    np.testing.assert_allclose(x, [2.0, 0.0, -1.5], atol=1e-10)
    np.testing.assert_allclose(y, [-3.0, 0.0, 0.25], atol=1e-10)


def test_places_beside_the_plane_fall_on_the_nearest_point() -> None:
    plane = Plane(np.zeros(3), np.array([1.0, 0, 0]), np.array([0, 2.0, 0]), ("a", "b"))
    x, y = plane.placed(np.array([[3.0, 4.0, 99.0]]))
    assert (x[0], y[0]) == pytest.approx((3.0, 2.0))


def test_a_straight_line_has_one_direction_and_a_point_none() -> None:
    line = np.outer(np.arange(4.0), [3.0, 4.0])
    plane = principal(line, line[0])
    np.testing.assert_allclose(plane.across, [0.6, 0.8], atol=1e-12)
    assert not plane.up.any()
    assert plane.shares == pytest.approx((1.0, 0.0))
    x, y = plane.placed(line)
    np.testing.assert_allclose(x, [0.0, 5.0, 10.0, 15.0], atol=1e-12)
    assert not y.any()
    still = principal(np.ones((3, 2)), np.ones(2))
    assert still.shares == (0.0, 0.0)
    assert not still.across.any()
