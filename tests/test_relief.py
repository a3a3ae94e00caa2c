"""The surface as a picture shows the surface."""

from __future__ import annotations

import math

import numpy as np
import pytest

from figures.relief import ARROWS, GRID, THUMBNAIL, grid, padded, relief, shade, thumbnail
from optim_core.kernels import evaluate
from optim_core.penalty import penalised
from optim_core.spec import Surface
from surfaces import SURFACES

ALL = list(SURFACES.values())
FLAT = [s for s in ALL if s.dim == 2]
LINEAR = [s for s in FLAT if s.levels == "linear" or s.best is None]
LOG = [s for s in FLAT if s not in LINEAR]


def each(surfaces: list[Surface]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("surface", surfaces, ids=lambda s: str(s.key))


def plain(surface: Surface, *point: float) -> float:
    """What the surface's own Python function gives."""
    return float(surface.value(*point, *surface.args))


def test_there_are_surfaces_of_both_kinds() -> None:
    assert LINEAR
    assert LOG
    assert len(ALL) > len(FLAT)


def test_a_grid_varies_x_fastest() -> None:
    points = grid(((0.0, 2.0), (10.0, 11.0)), (3, 2))
    assert points.tolist() == [[0, 10], [1, 10], [2, 10], [0, 11], [1, 11], [2, 11]]
    assert grid(((-1.0, 1.0),), (3,)).tolist() == [[-1], [0], [1]]


@each(LINEAR)
def test_heights_are_values_and_x_varies_along_columns(surface: Surface) -> None:
    window = ((-1.5, 2.5), (0.25, 3.0))
    shown = relief(surface, window)
    assert shown.heights.shape == (GRID, GRID)
    x, y = (np.linspace(*ends, GRID) for ends in window)
    for row, column in ((0, 0), (0, GRID - 1), (GRID - 1, 0), (17, 100), (100, 17)):
        expected = plain(surface, float(x[column]), float(y[row]))
        # Compiled code takes its cos and exp from another library.
        assert shown.heights[row, column] == pytest.approx(expected, rel=1e-12, abs=1e-12)


def test_a_plane_rises_along_columns_by_its_slope() -> None:
    # x + 2y: the mistake of a transposed picture would swap these two.
    heights = relief(SURFACES["plane"], ((0.0, GRID - 1.0), (0.0, GRID - 1.0))).heights
    np.testing.assert_allclose(np.diff(heights, axis=1), 1.0)
    np.testing.assert_allclose(np.diff(heights, axis=0), 2.0)


@each([s for s in ALL if s.dim == 1])
def test_a_curve_is_its_values(surface: Surface) -> None:
    window = ((-1.0, 3.0),)
    shown = relief(surface, window)
    points = np.linspace(-1.0, 3.0, 4 * GRID)
    assert shown.heights.shape == points.shape
    assert shown.arrows.size == 0
    for i in (0, 1, 200, 4 * GRID - 1):
        assert shown.heights[i] == pytest.approx(plain(surface, float(points[i])), rel=1e-12)


@each(LOG)
def test_a_log_shade_orders_as_the_values_do(surface: Surface) -> None:
    values = evaluate(surface, "value", grid(surface.domain, (60, 60)))
    shades = shade(surface, values)
    assert np.isfinite(shades).all()
    order = np.argsort(values, kind="stable")
    assert np.all(np.diff(shades[order]) >= 0.0)
    # Distinct far beyond the floor: the ends, and most of what lies between.
    assert shades.max() - shades.min() > 3.0
    assert np.unique(shades).size > 0.4 * np.unique(values).size


@each(LOG)
def test_a_log_shade_survives_infinity(surface: Surface) -> None:
    values = np.array([plain(surface, *surface.minima[0]), 1.0, 1e300, math.inf])
    with np.errstate(all="raise"):
        shades = shade(surface, values)
    assert shades[-1] == math.inf
    assert np.isfinite(shades[:-1]).all()
    assert np.all(np.diff(shades) >= 0.0)


def test_a_log_shade_of_one_height_is_finite() -> None:
    surface = SURFACES["rosenbrock"]
    assert np.isfinite(shade(surface, np.zeros(5))).all()


@each(LINEAR)
def test_a_linear_shade_is_the_value(surface: Surface) -> None:
    values = np.array([-3.0, 0.0, 1e9])
    np.testing.assert_array_equal(shade(surface, values), values)


KINKED = [penalised(SURFACES["himmelblau"], l1=40.0, proximal=p) for p in (True, False)]


@each([*FLAT, *KINKED])
def test_arrows_point_downhill(surface: Surface) -> None:
    arrows = relief(surface, surface.domain).arrows
    assert arrows.shape == (ARROWS[0] * ARROWS[1], 4)
    feet, slopes = arrows[:, :2], arrows[:, 2:]
    np.testing.assert_allclose(feet, grid(surface.domain, ARROWS), rtol=0, atol=1e-15)
    lengths = np.linalg.norm(slopes, axis=1)
    steep = lengths > 1e-3 * lengths.max()
    assert steep.sum() > 0.3 * len(feet)
    directions = slopes[steep] / lengths[steep, None]
    # The step is small next to the narrowest dent, so that a difference is a slope.
    h = 1e-6
    ahead = evaluate(surface, "value", feet[steep] + h * directions)
    falls = (ahead - evaluate(surface, "value", feet[steep])) / h
    # Steepest descent falls by the gradient's length, not merely somehow.
    np.testing.assert_allclose(falls, -lengths[steep], rtol=1e-3, atol=1e-6 * lengths.max())
    assert np.all(falls <= 0.0)


def test_an_axis_is_met_in_every_window() -> None:
    """Rounding leaves the middle of this one 2e-16 beside y = 0, where L1 has its kink."""
    arrows = relief(KINKED[0], padded(((-3.0, 3.0), (-1.0, 1.0)), 0.3)).arrows
    (middle,) = arrows[(arrows[:, :2] == 0.0).all(axis=1)]
    assert not middle.any(), "(0, 0) is a minimum"


def test_padding_grows_each_side_by_its_share() -> None:
    assert padded(((0.0, 2.0), (-1.0, 0.0)), 0.5) == ((-1.0, 3.0), (-1.5, 0.5))
    assert padded(((3.0, 4.0),), 0.0) == ((3.0, 4.0),)


@each(ALL)
def test_thumbnails_use_the_whole_range(surface: Surface) -> None:
    picture = thumbnail(surface)
    assert picture.dtype == np.uint8
    assert picture.shape == (THUMBNAIL[::-1] if surface.dim == 2 else THUMBNAIL[:1])
    assert (picture.min(), picture.max()) == (0, 255)


def test_a_thumbnail_is_not_turned() -> None:
    # x + 2y is least at the first row and column and rises along both.
    picture = thumbnail(SURFACES["plane"]).astype(int)
    assert picture[0, 0] == 0
    assert picture[-1, -1] == 255
    assert picture[-1, 0] > picture[0, -1]
