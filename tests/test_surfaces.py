"""The surfaces against independent authorities, and against what they declare about themselves."""

import importlib
import itertools
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import minimize

from optim_core import OPTIMIZERS, kernels, simulate
from optim_core.discovery import declared
from optim_core.spec import Optimizer, Point, Surface
from surfaces import SURFACES

EPS = float(np.finfo(float).eps)
ALL = list(SURFACES.values())
TURNED_BOWL = SURFACES["bowl"].with_params(condition=7.0, rotation=33.0)
FUNCTIONS: tuple[kernels.Which, ...] = ("value", "gradient", "hessian")
# Their cos, sin, exp or sqrt come from another library in compiled code.
TRANSCENDENTAL = {"bowl", "rastrigin", "ackley"}
BOTTOMLESS = {"saddle", "plane"}

each_surface = pytest.mark.parametrize("surface", ALL, ids=lambda s: s.key)
each_surface_and_turned_bowl = pytest.mark.parametrize(
    "surface", [*ALL, TURNED_BOWL], ids=[*SURFACES, "turned_bowl"]
)


def random_points(surface: Surface, count: int = 50) -> np.ndarray:
    low, high = np.array(surface.domain).T
    return np.random.default_rng(20240229).uniform(low, high, (count, surface.dim))


def plain(surface: Surface, which: str, point: Point) -> np.ndarray:
    """What the function gives for ordinary Python floats."""
    result = getattr(surface, which)(*(float(c) for c in point), *surface.args)
    return np.atleast_1d(np.array(result, dtype=float))


def complex_step(function: Callable[..., object], surface: Surface, point: Point) -> np.ndarray:
    """Derivatives by Im f(p + ih)/h, one row per coordinate: no difference, so no cancellation."""
    tiny = 1e-30
    rows = []
    for j in range(surface.dim):
        moved = [complex(c) for c in point]
        moved[j] += 1j * tiny
        rows.append(np.atleast_1d(np.array(function(*moved, *surface.args))).imag / tiny)
    return np.array(rows)


def matrix(surface: Surface, point: Point) -> np.ndarray:
    h = plain(surface, "hessian", point)
    return h.reshape(1, 1) if surface.dim == 1 else np.array([[h[0], h[1]], [h[1], h[2]]])


def stationary(surface: Surface) -> tuple[Point, ...]:
    return surface.minima + surface.saddles + surface.maxima


@each_surface_and_turned_bowl
def test_gradient_is_the_complex_step_derivative_of_value(surface: Surface) -> None:
    points = random_points(surface)
    expected = np.array([complex_step(surface.value, surface, p)[:, 0] for p in points])
    actual = np.array([plain(surface, "gradient", p) for p in points])
    # Both are exact but for rounding, which scales with the largest terms, not with their sum.
    np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-13 * abs(expected).max())


@each_surface_and_turned_bowl
def test_hessian_is_the_complex_step_derivative_of_gradient(surface: Surface) -> None:
    points = random_points(surface)
    expected = np.array([complex_step(surface.gradient, surface, p) for p in points])
    actual = np.array([matrix(surface, p) for p in points])
    # As above; and comparing all four entries shows that one f_xy serves for both.
    np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-13 * abs(expected).max() + EPS)


@each_surface
def test_hessian_has_each_entry_once(surface: Surface) -> None:
    assert len(surface.hessian(*surface.start, *surface.args)) == {1: 1, 2: 3}[surface.dim]


@each_surface
def test_declared_points_are_stationary_to_double_precision(surface: Surface) -> None:
    for point in stationary(surface):
        slope = abs(plain(surface, "gradient", point)).max()
        # A point rounded to a double is off by ~1e-16 of its size, its gradient by H times that.
        assert slope <= 1e-13 * abs(matrix(surface, point)).max(), point


@each_surface
def test_declared_points_are_of_their_kind(surface: Surface) -> None:
    for point in set(surface.minima) - set(surface.kinks):
        assert np.linalg.eigvalsh(matrix(surface, point))[0] > 0, point
    for point in surface.maxima:
        assert np.linalg.eigvalsh(matrix(surface, point))[-1] < 0, point
    for point in surface.saddles:
        low, high = np.linalg.eigvalsh(matrix(surface, point))
        assert low < 0 < high, point


@each_surface
def test_value_rises_in_every_direction_from_a_kink(surface: Surface) -> None:
    assert set(surface.kinks) <= set(surface.minima)
    for x, y in surface.kinks:
        bottom = surface.value(x, y)
        for angle in np.linspace(0.0, 2.0 * np.pi, 32, endpoint=False):
            for radius in (1e-9, 1e-6, 1e-3, 0.1):
                there = surface.value(x + radius * math.cos(angle), y + radius * math.sin(angle))
                # A cone rises in proportion to the radius; a smooth bowl would not.
                assert there - bottom > 0.5 * radius


@each_surface
def test_start_and_declared_points_are_inside_the_frame_and_distinct(surface: Surface) -> None:
    points = (surface.start, *stationary(surface))
    for point in points:
        assert len(point) == surface.dim
        assert all(low < c < high for c, (low, high) in zip(point, surface.domain, strict=True))
    for one, other in itertools.combinations(points, 2):
        assert math.dist(one, other) > 0.05, (one, other)


@each_surface
def test_no_stationary_point_is_missing_by_index(surface: Surface) -> None:
    """Poincaré-Hopf: how often the gradient turns along the frame is what lies inside it."""
    inside = len(surface.minima) - len(surface.saddles) + len(surface.maxima)
    if surface.dim == 1:
        low, high = (plain(surface, "gradient", (end,))[0] for end in surface.domain[0])
        assert (np.sign(high) - np.sign(low)) / 2 == len(surface.minima) - len(surface.maxima)
        return
    (left, right), (bottom, top) = surface.domain
    corners = np.array([(left, bottom), (right, bottom), (right, top), (left, top), (left, bottom)])
    along = np.linspace(0.0, 1.0, 200_000, endpoint=False)[:, None]
    frame = np.concatenate([a + along * (b - a) for a, b in itertools.pairwise(corners)])
    slope = kernels.evaluate(surface, "gradient", frame)
    angle = np.arctan2(slope[:, 1], slope[:, 0])
    turn = np.diff(angle, append=angle[:1])
    turn -= 2.0 * np.pi * np.round(turn / (2.0 * np.pi))
    assert abs(turn).max() < 2.0  # well below π: the samples are dense enough to count
    assert round(turn.sum() / (2.0 * np.pi)) == inside


@pytest.mark.parametrize("surface", [s for s in ALL if s.minima], ids=lambda s: s.key)
def test_no_minimum_is_missing(surface: Surface) -> None:
    low, high = np.array(surface.domain).T
    found = set()
    for start in random_points(surface, 60 if len(surface.minima) < 10 else 400):
        end = minimize(
            lambda p: float(surface.value(*p, *surface.args)),
            start,
            jac=lambda p: plain(surface, "gradient", p),
            method="L-BFGS-B",
            bounds=surface.domain,
            options={"ftol": 1e-15, "gtol": 1e-10, "maxiter": 1000},
        ).x
        if np.any((end == low) | (end == high)):
            continue  # downhill led out of the frame
        distances = [math.dist(end, point) for point in surface.minima]
        assert min(distances) < 1e-4, f"{end} is not declared"
        found.add(int(np.argmin(distances)))
    assert len(found) > 0.9 * len(surface.minima)


@pytest.mark.parametrize(
    ("key", "point", "expected", "digits"),
    [
        ("parabola", (0.0,), 0.0, 15),
        ("double_well", (1.0,), 0.0, 15),
        ("double_well", (-1.0,), 0.0, 15),
        ("double_well", (0.0,), 1.0, 15),
        ("plateau", (0.0,), 0.0, 15),
        ("plateau", (1.0,), 0.5, 15),
        ("bowl", (0.0, 0.0), 0.0, 15),
        ("saddle", (0.0, 0.0), 0.0, 15),
        ("plane", (3.0, -1.0), 1.0, 15),
        ("rosenbrock", (1.0, 1.0), 0.0, 15),
        ("rosenbrock", (-1.2, 1.0), 24.2, 12),  # Moré, Garbow & Hillstrom 1981, problem 1
        ("beale", (3.0, 0.5), 0.0, 15),
        ("beale", (1.0, 1.0), 14.203125, 15),  # Moré, Garbow & Hillstrom 1981, problem 5
        ("beale", (0.0, 1.0), 14.203125, 15),
        ("himmelblau", (3.0, 2.0), 0.0, 15),
        ("himmelblau", (-2.805118, 3.131312), 0.0, 8),
        ("himmelblau", (-3.779310, -3.283186), 0.0, 8),
        ("himmelblau", (3.584428, -1.848126), 0.0, 8),
        ("himmelblau", (-0.270845, -0.923039), 181.617, 3),
        ("rastrigin", (0.0, 0.0), 0.0, 15),
        ("ackley", (0.0, 0.0), 0.0, 15),
        ("styblinski_tang", (-2.903534, -2.903534), -78.332331, 6),
    ],
)
def test_textbook_values(key: str, point: Point, expected: float, digits: int) -> None:
    assert abs(plain(SURFACES[key], "value", point)[0] - expected) < 10.0**-digits


@pytest.mark.parametrize(
    ("key", "minima", "saddles", "maxima"),
    [
        ("himmelblau", 4, 4, 1),
        ("styblinski_tang", 4, 4, 1),
        ("rastrigin", 11 * 11, 2 * 11 * 10, 10 * 10),
        ("ackley", 9 * 9, 144, 64),
    ],
)
def test_numbers_of_stationary_points(key: str, minima: int, saddles: int, maxima: int) -> None:
    surface = SURFACES[key]
    assert (len(surface.minima), len(surface.saddles), len(surface.maxima)) == (
        minima,
        saddles,
        maxima,
    )


@each_surface
def test_best_value(surface: Surface) -> None:
    if surface.key in BOTTOMLESS:
        assert surface.best is None
    else:
        expected = -78.33233140754282 if surface.key == "styblinski_tang" else 0.0
        assert surface.best == pytest.approx(expected, abs=1e-13)


def test_beale_has_a_saddle_at_0_1() -> None:
    beale = SURFACES["beale"]
    assert plain(beale, "gradient", (0.0, 1.0)).tolist() == [0.0, 0.0]
    assert plain(beale, "hessian", (0.0, 1.0)).tolist() == [0.0, 27.75, 0.0]
    assert (0.0, 1.0) in beale.saddles


@each_surface_and_turned_bowl
@pytest.mark.parametrize("which", FUNCTIONS)
def test_compiled_and_broadcast_equal_plain_python(surface: Surface, which: kernels.Which) -> None:
    points = random_points(surface)
    expected = np.array([plain(surface, which, p) for p in points])
    compiled = kernels.evaluate(surface, which, points).reshape(expected.shape)
    result = getattr(surface, which)(*points.T, *surface.args)
    columns = (result,) if which == "value" else result
    broadcast = np.stack([np.broadcast_to(c, len(points)) for c in columns], axis=1)
    # Each library rounds cos, exp and sqrt by itself; their sum may then cancel.
    ulps = 4 if surface.key in TRANSCENDENTAL else 0
    tolerance = ulps * EPS * abs(expected).max()
    np.testing.assert_allclose(compiled, expected, rtol=0, atol=tolerance)
    np.testing.assert_allclose(broadcast, expected, rtol=0, atol=tolerance)


def test_ackley_at_its_tip_in_python_numpy_and_compiled() -> None:
    ackley = SURFACES["ackley"]
    for which, zeros in zip(FUNCTIONS, (1, 2, 3), strict=True):
        assert plain(ackley, which, (0.0, 0.0)).tolist() == [0.0] * zeros
        assert not np.any(getattr(ackley, which)(np.zeros(3), np.zeros(3)))
        assert not np.any(kernels.evaluate(ackley, which, np.zeros((3, 2))))


@each_surface
@pytest.mark.parametrize("which", FUNCTIONS)
def test_huge_coordinates_raise_nothing(surface: Surface, which: str) -> None:
    for size in (1e100, 1e200, -1e300):
        # NumPy scalars announce an overflow that Python floats do not.
        with np.errstate(all="ignore"):
            getattr(surface, which)(*(size,) * surface.dim, *surface.args)


@each_surface
@pytest.mark.parametrize("optimizer", OPTIMIZERS.values(), ids=lambda o: o.key)
def test_default_rates_work_for_every_method(surface: Surface, optimizer: Optimizer) -> None:
    rate = optimizer.factor * getattr(surface.pace, optimizer.pace)
    run = simulate(surface, optimizer, steps=300, lr=rate)
    assert np.isfinite(run.positions).all()
    assert run.losses[-1] < run.losses[0]
    if surface.key not in BOTTOMLESS:
        low, high = np.array(surface.domain).T
        assert np.all((low <= run.positions) & (run.positions <= high))


@pytest.mark.parametrize("condition", [1.0, 7.0, 50.0, 1000.0])
@pytest.mark.parametrize("rotation", [-90.0, -33.0, 0.0, 30.0, 45.0, 123.4])
def test_bowl_has_the_chosen_eigenvalues_however_turned(condition: float, rotation: float) -> None:
    bowl = SURFACES["bowl"].with_params(condition=condition, rotation=rotation)
    expected = sorted((2.0, 2.0 * condition))
    actual = np.linalg.eigvalsh(matrix(bowl, bowl.start))
    np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-14 * expected[-1])


def test_bowl_is_steep_along_the_turned_axis() -> None:
    bowl = SURFACES["bowl"].with_params(rotation=30.0)
    along = (math.cos(math.pi / 6), math.sin(math.pi / 6))
    assert plain(bowl, "value", along)[0] == pytest.approx(50.0, rel=1e-14)
    assert plain(bowl, "value", (-along[1], along[0]))[0] == pytest.approx(1.0, rel=1e-14)


def test_bowl_is_by_default_exactly_50_x2_plus_y2() -> None:
    for x, y in random_points(SURFACES["bowl"]).tolist():
        assert plain(SURFACES["bowl"], "value", (x, y))[0] == 50.0 * x * x + y * y
        assert plain(SURFACES["bowl"], "gradient", (x, y)).tolist() == [100.0 * x, 2.0 * y]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("condition", 0.999), ("condition", -3.5), ("condition", math.nan), ("condition", math.inf),
        ("condition", "steep"), ("condition", True), ("rotation", math.nan),
        ("rotation", -math.inf), ("rotation", None),
    ],
)  # fmt: skip
def test_bowl_rejects_what_is_outside_the_domain(name: str, value: object) -> None:
    with pytest.raises(ValueError, match=name) as error:
        SURFACES["bowl"].with_params(**{name: value})
    assert repr(value) in str(error.value)


def test_with_params_rejects_unknown_names_and_keeps_the_others() -> None:
    with pytest.raises(ValueError, match="'kappa'"):
        SURFACES["bowl"].with_params(kappa=2.0)
    with pytest.raises(ValueError, match="'condition'"):
        SURFACES["beale"].with_params(condition=2.0)
    assert TURNED_BOWL.with_params(condition=3.0).args == (3.0, 33.0)


@each_surface
def test_texts_are_there(surface: Surface) -> None:
    assert surface.about.endswith(".")
    assert surface.formula
    assert surface.source
    assert surface.pace.curvature > 0
    assert surface.pace.length > 0


GOOD = "from surfaces.parabola import SURFACE"


@pytest.mark.parametrize(
    ("files", "error", "message"),
    [
        ({"parabola": GOOD, "empty": ""}, TypeError, r"empty\.py must declare SURFACE: Surface"),
        ({"wrong": "SURFACE = 'a surface'"}, TypeError, r"wrong\.py must declare SURFACE"),
        ({"other": GOOD}, TypeError, r"other\.py: SURFACE\.key must be 'other'"),
        ({"broken": "import no_such_module_at_all"}, ImportError, "no_such_module_at_all"),
    ],
    ids=["missing", "of another type", "key is not the file's name", "import error"],
)
def test_discovery_is_loud(
    files: dict[str, str],
    error: type[Exception],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(error, match=message):
        discover(files, tmp_path, monkeypatch)


def test_discovery_finds_every_file_but_those_with_an_underscore(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = discover({"parabola": GOOD, "_helper": ""}, tmp_path, monkeypatch)
    assert found == [SURFACES["parabola"]]


def discover(files: dict[str, str], folder: Path, patch: pytest.MonkeyPatch) -> list[Surface]:
    """What `declared` yields for a new package of these files."""
    package = f"package_{folder.name}"
    (folder / package).mkdir()
    for name, text in {"__init__": "", **files}.items():
        (folder / package / f"{name}.py").write_text(text)
    patch.syspath_prepend(folder)
    return list(declared(importlib.import_module(package), "SURFACE", Surface))
