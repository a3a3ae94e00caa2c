"""L1 and L2 penalties against closed forms, SciPy, and loops that follow the papers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import dual_annealing, minimize

from optim_core import OPTIMIZERS, SCHEDULES, kernels, minima, simulate, sweep
from optim_core.outcome import NEAR
from optim_core.penalty import penalised, zeros
from optim_core.spec import Hyper, Interval, Optimizer, Pace, Point, Surface
from optim_core.theory import limit, matrices, measured_limit, preconditioner
from optim_core.tuning import tune
from surfaces import SURFACES
from tests.test_sweep import differences

NAN, INF = float("nan"), float("inf")
GD, ADAM = OPTIMIZERS["gd"], OPTIMIZERS["adam"]
BOWL, WELL, PLANE = SURFACES["bowl"], SURFACES["double_well"], SURFACES["plane"]
EVERY_OPTIMIZER = pytest.mark.parametrize("optimizer", OPTIMIZERS.values(), ids=list(OPTIMIZERS))
EVERY_SURFACE = pytest.mark.parametrize("surface", SURFACES.values(), ids=list(SURFACES))
FUNCTIONS: tuple[kernels.Which, ...] = ("value", "gradient", "hessian")
WEIGHTS = [(0.0, 0.7), (0.0, 6.0), (0.6, 0.0), (4.0, 1.5), (12.0, 0.3)]


def value(x: float, y: float, u: float, v: float, steep: float) -> float:
    return steep * (x - u) * (x - u) + (y - v) * (y - v)


def gradient(x: float, y: float, u: float, v: float, steep: float) -> Point:
    return 2.0 * steep * (x - u), 2.0 * (y - v)


def hessian(x: float, y: float, u: float, v: float, steep: float) -> Point:
    return 2.0 * steep, 0.0, 2.0


NUMBER = Interval(-INF)
SHIFTED = Surface(
    key="shifted",
    name="Shifted bowl",
    dim=2,
    value=value,
    gradient=gradient,
    hessian=hessian,
    domain=((-6.0, 6.0), (-6.0, 6.0)),
    start=(-4.0, 5.0),
    pace=Pace(curvature=0.05, length=0.1),
    formula="",
    about="",
    source="",
    params=tuple(
        Hyper(name, name, default, NUMBER, -5.0, 5.0, "linear", "")
        for name, default in (("u", 3.0), ("v", 0.4), ("steep", 4.0))
    ),
)


def soft(z: Any, tau: Any) -> Any:
    return np.sign(z) * np.maximum(np.abs(z) - tau, 0.0)


def total(surface: Surface, p: Any, l1: float, l2: float) -> float:
    """F, from its definition."""
    bare = float(surface.value(*map(float, p), *surface.args))
    return float(bare + 0.5 * l2 * np.sum(np.square(p)) + l1 * np.sum(np.abs(p)))


def side(surface: Surface) -> np.ndarray:
    sides: np.ndarray = np.diff(np.array(surface.domain), axis=1)[:, 0]
    return sides


def random_points(surface: Surface, count: int, seed: int = 7) -> np.ndarray:
    low, high = np.array(surface.domain).T
    return np.random.default_rng(seed).uniform(low, high, (count, surface.dim))


@EVERY_SURFACE
@pytest.mark.parametrize(("l1", "l2"), [(0.0, 0.0), *WEIGHTS])
@pytest.mark.parametrize("proximal", [True, False])
def test_blocks_add_the_penalty(surface: Surface, l1: float, l2: float, proximal: bool) -> None:
    """As torch's weight_decay l2 adds l2 p to the gradient; where p_j = 0, L1 adds nothing."""
    here = penalised(surface, l1=l1, l2=l2, proximal=proximal)
    points = random_points(surface, 20)
    points[0] = points[1, 0] = 0.0
    f, g, h = (kernels.evaluate(surface, which, points) for which in FUNCTIONS)
    extra = 0.5 * l2 * np.sum(points**2, axis=1) + l1 * np.abs(points).sum(axis=1)
    slope = l2 * points + (0.0 if proximal else l1) * np.sign(points)
    bend = l2 * np.array([1.0] if surface.dim == 1 else [1.0, 0.0, 1.0])
    for which, exact in zip(FUNCTIONS, (f + extra, g + slope, h + bend), strict=True):
        rounding = 1e-15 * (np.abs(f).max() + extra.max())
        np.testing.assert_allclose(
            kernels.evaluate(here, which, points), exact, rtol=1e-15, atol=rounding
        )
    losses = [here.loss(*p) for p in points.tolist()]
    # Python's and the compiled cos and exp may round differently
    np.testing.assert_allclose(losses, f + extra, rtol=1e-14, atol=1e-13)


@EVERY_SURFACE
@pytest.mark.parametrize(("l1", "l2", "proximal"), [(0.6, 0.0, True), (40.0, 1.5, False)])
def test_the_subgradient_is_the_steepest_way_down(
    surface: Surface, l1: float, l2: float, proximal: bool
) -> None:
    """Of all directions F falls the fastest along −subgradient, and by its length."""
    here = penalised(surface, l1=l1, l2=l2, proximal=proximal)
    points = random_points(surface, 30)
    points[:10, 0] = points[10:20, -1] = points[0] = 0.0
    turn = np.linspace(0.0, 2.0 * np.pi, 3601)
    ways = np.stack([np.cos(turn), np.sin(turn)], axis=1)
    ways = ways if surface.dim == 2 else np.array([[-1.0], [1.0]])
    h = 1e-6
    for p, slope in zip(points, kernels.subgradient(here, points), strict=True):
        heights = kernels.evaluate(here, "value", np.concatenate([p[None], p + h * ways]))
        falls = (heights[1:] - heights[0]) / h
        steepest, length = -min(0.0, falls.min()), float(np.linalg.norm(slope))
        assert length == pytest.approx(steepest, rel=1e-3, abs=1e-3 * (1.0 + l1))
        if length > 0.01 * l1:
            along = -slope / length
            np.testing.assert_allclose(ways[falls.argmin()], along, rtol=0, atol=0.02)


@EVERY_SURFACE
@pytest.mark.parametrize("which", FUNCTIONS)
def test_without_a_penalty_infinity_meets_no_zero(surface: Surface, which: kernels.Which) -> None:
    """0 · inf would be NaN."""
    ends = np.array([[INF] * surface.dim, [-INF] * surface.dim, [1e200] * surface.dim])
    with np.errstate(all="ignore"):
        result = getattr(surface, which)(*ends.T, *surface.args)
        plain = (result,) if which == "value" else result
        expected = np.stack([np.broadcast_to(c, len(ends)) for c in plain], axis=1)
    actual = kernels.evaluate(surface, which, ends).reshape(expected.shape)
    np.testing.assert_array_equal(np.isnan(actual), np.isnan(expected))
    np.testing.assert_array_equal(np.isinf(actual), np.isinf(expected))


@EVERY_SURFACE
def test_without_weights_it_is_the_same_surface(surface: Surface) -> None:
    assert penalised(surface) is surface
    assert penalised(surface, l1=0.0, l2=0, proximal=False) is surface
    once = penalised(surface, l1=2.0, l2=1.0)
    assert penalised(once) is surface
    assert penalised(once, l2=3.0) is penalised(surface, l2=3.0)
    assert once.penalty == (2.0, 1.0, 1.0)
    assert once.weights == (*surface.args, 2.0, 1.0, 1.0)
    assert once != surface


@settings(deadline=None, max_examples=60)
@given(
    u=st.floats(-5.0, 5.0), v=st.floats(-5.0, 5.0), steep=st.floats(0.1, 50.0),
    l1=st.floats(0.0, 20.0), l2=st.floats(0.0, 20.0),
)  # fmt: skip
def test_minima_of_a_quadratic_are_shrunk(
    u: float, v: float, steep: float, l1: float, l2: float
) -> None:
    """argmin a (x − u)² + l2/2 x² + l1 |x| is S(2 a u, l1) / (2 a + l2)."""
    surface = SHIFTED.with_params(u=u, v=v, steep=steep)
    found = penalised(replace(surface, minima=((u, v),)), l1=l1, l2=l2).minima
    exact = soft(np.array([2.0 * steep * u, 2.0 * v]), l1) / (np.array([2.0 * steep, 2.0]) + l2)
    np.testing.assert_allclose(found, [exact], rtol=0, atol=1e-12)
    clear = np.abs(np.abs([2.0 * steep * u, 2.0 * v]) - l1) > 1e-9
    assert (np.array(found[0]) == 0.0)[clear].tolist() == (exact == 0.0)[clear].tolist()


@pytest.mark.parametrize(
    ("l1", "l2"), [(0.0, 0.5), (0.0, 0.01), (1.0, 0.5), (1.5, 1.0), (3.0, 0.0)]
)
def test_minima_of_the_plane(l1: float, l2: float) -> None:
    """−S(1, l1) / l2 and −S(2, l1) / l2; l1 = 1 is the kink's edge, beyond 2 no l2 is needed."""
    (found,) = penalised(PLANE, l1=l1, l2=l2).minima
    exact = -soft(np.array([1.0, 2.0]), l1) / (l2 or 1.0)
    np.testing.assert_allclose(found, exact, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("key", "l1", "l2", "count"),
    [
        ("plane", 0.0, 0.0, 0), ("plane", 1.5, 0.0, 0), ("plane", 2.0, 0.0, 0),
        ("saddle", 0.0, 1.9, 0), ("saddle", 0.0, 2.0, 0), ("saddle", 0.0, 2.1, 1),
        ("saddle", 0.1, 0.0, 1),
        ("double_well", 0.0, 3.9, 2), ("double_well", 0.0, 4.0, 1), ("double_well", 0.0, 4.1, 1),
        ("double_well", 0.1, 0.0, 3), ("double_well", 0.0, 3.99999, 1),
        ("ackley", 0.0, 0.1, 81), ("rastrigin", 0.5, 0.5, 121), ("bowl", 1e300, 1e300, 1),
    ],
)  # fmt: skip
def test_how_many_minima(key: str, l1: float, l2: float, count: int) -> None:
    """Wells merge at l2 = 4; the saddle turns up at 2, flat before; 1e-3 apart is one for a run."""
    assert len(penalised(SURFACES[key], l1=l1, l2=l2).minima) == count


def settled(surface: Surface, start: np.ndarray, l1: float, l2: float) -> np.ndarray:
    """SciPy's local minimum of F around a point, by Nelder and Mead's method from beside it."""
    simplex = start + 1e-3 * np.diag([*side(surface), 0.0])[:, : surface.dim][: surface.dim + 1]
    simplex[-1] = start
    found: np.ndarray = minimize(
        lambda p: total(surface, p, l1, l2), start, method="Nelder-Mead",
        options={"initial_simplex": simplex, "xatol": 1e-9, "fatol": 0.0, "maxiter": 400},
    ).x  # fmt: skip
    return found


def descended(surface: Surface, start: np.ndarray, l1: float, l2: float) -> np.ndarray:
    """Where L-BFGS-B gets in the frame, with p = a − b and a, b ≥ 0, in which L1 is linear."""
    dim = surface.dim

    def fun(ab: np.ndarray) -> tuple[float, np.ndarray]:
        p = ab[:dim] - ab[dim:]
        slope = np.array(surface.gradient(*p.tolist(), *surface.args)) + l2 * p
        height = float(surface.value(*p.tolist(), *surface.args)) + 0.5 * l2 * float(p @ p)
        return height + l1 * float(ab.sum()), np.concatenate([slope + l1, l1 - slope])

    low, high = np.array(surface.domain).T
    ends = np.concatenate([np.maximum(high, 0.0), np.maximum(-low, 0.0)])
    ab = np.concatenate([np.maximum(start, 0.0), np.maximum(-start, 0.0)])
    bounds = [(0.0, end) for end in ends]
    found = minimize(fun, ab, jac=True, method="L-BFGS-B", bounds=bounds).x
    return settled(surface, found[:dim] - found[dim:], l1, l2)


@pytest.mark.parametrize(("l1", "l2"), WEIGHTS)
@EVERY_SURFACE
def test_scipy_finds_the_same_minima(surface: Surface, l1: float, l2: float) -> None:
    here = penalised(surface, l1=l1, l2=l2)
    low, high = np.array(surface.domain).T
    scale = side(surface)
    found = np.array(here.minima).reshape(-1, surface.dim)
    rng = np.random.default_rng(3)
    for p in found[rng.permutation(len(found))[:2]]:
        # no point around is lower, and a descent from beside it leads back
        around = p + 1e-3 * scale * rng.uniform(-1.0, 1.0, (50, surface.dim))
        assert min(total(surface, q, l1, l2) for q in around) > total(surface, p, l1, l2)
        back = settled(surface, p + 2e-3 * scale * rng.uniform(-1.0, 1.0, surface.dim), l1, l2)
        np.testing.assert_allclose(back / scale, p / scale, rtol=0, atol=1e-6)
    for start in random_points(surface, 5):
        end = descended(surface, start, l1, l2)
        inside = (low + 0.01 * scale < end) & (end < high - 0.01 * scale)
        if inside.all():  # otherwise downhill led out of the frame
            gaps = np.abs((found - end) / scale).max(axis=1)
            assert gaps.min(initial=INF) < 1e-5, f"{end} is not declared"


@pytest.mark.parametrize("key", ["himmelblau", "rastrigin", "ackley", "beale", "styblinski_tang"])
@pytest.mark.parametrize(("l1", "l2"), [(0.0, 3.0), (5.0, 0.5)])
def test_the_global_minimum_is_not_missed(key: str, l1: float, l2: float) -> None:
    surface = SURFACES[key]
    best = penalised(surface, l1=l1, l2=l2).best
    assert best is not None
    for seed in range(3):
        found = dual_annealing(
            lambda p: total(surface, p, l1, l2), surface.domain, maxiter=40, rng=seed
        ).fun
        assert best <= found + 1e-12


EDGES = [(0.0, 1.99), (0.0, 2.0), (1e3, 1.99), (1.99, 0.0), (2.0, 0.0), (2.01, 0.0), (0.5, 0.0)]


@EVERY_SURFACE
def test_only_a_loss_that_is_bounded_below_has_a_best(surface: Surface) -> None:
    """Far out in every direction a loss without a bottom is lower than anywhere in the frame."""
    turn = np.linspace(0.0, 2.0 * np.pi, 721)
    ways = np.stack([np.cos(turn), np.sin(turn)], axis=1)
    ways = ways if surface.dim == 2 else np.array([[-1.0], [1.0]])
    for l1, l2 in ((0.0, 0.0), *WEIGHTS, *EDGES):
        here = penalised(surface, l1=l1, l2=l2)
        far, farther = (kernels.evaluate(here, "value", r * ways).min() for r in (1e7, 1e8))
        near = kernels.evaluate(here, "value", random_points(surface, 2000)).min()
        falls = farther < far < near - 1.0  # x² − y² + y² is rounded, by 0.02
        assert here.bounded != falls, (l1, l2)
        assert here.best is None or (not falls and here.best <= min(near, far, farther))
        assert here.best is not None or falls or here.minima == ()


@EVERY_SURFACE
def test_what_is_declared_of_a_penalised_surface(surface: Surface) -> None:
    here = penalised(surface, l1=3.0, l2=0.4)
    assert here.saddles == here.maxima == ()
    assert set(here.kinks) == {p for p in here.minima if 0.0 in p}
    assert here.bare is surface
    if here.bounded:
        assert here.best == min(here.loss(*p) for p in here.minima)
    low, high = np.array(surface.domain).T
    assert all(((low <= p) & (p <= high)).all() for p in here.minima)
    smooth = penalised(surface, l2=0.4)
    assert set(smooth.kinks) == set(surface.kinks)


def test_saddles_repel_the_search() -> None:
    """|H|⁻¹ g, from the eigenvectors, where Himmelblau's function bends either way."""
    surface = SURFACES["himmelblau"]
    points = random_points(surface, 40)
    ones = np.ones(points.shape)
    task = minima._Task(surface, 0.0, 0.0 * ones, ones > 0.0)
    slopes = kernels.evaluate(surface, "gradient", points)
    values, axes = np.linalg.eigh(matrices(surface, points))
    assert (values < 0.0).any()
    along = np.einsum("nji,nj->ni", axes, slopes) / np.abs(values)
    exact = np.einsum("nij,nj->ni", axes, along)
    steps = minima._newton(task, points, repelled=True)
    np.testing.assert_allclose(steps, exact, rtol=1e-9, atol=1e-12)


def test_a_minimum_beyond_the_frame_is_kept_if_there_is_no_other() -> None:
    (far,) = penalised(PLANE, l2=0.05).minima
    assert far == pytest.approx((-20.0, -40.0), rel=1e-12)


def test_two_minima_that_no_run_tells_apart_are_one() -> None:
    """±√(1 − l2/4), 4 wide: at l2 = 3.9999 they are 5e-3 of the frame apart, more than 2 NEAR."""
    apart = penalised(WELL, l2=3.9999).minima
    assert len(apart) == 2
    assert abs(apart[0][0] - apart[1][0]) / 4.0 > 2.0 * NEAR
    (one,) = penalised(WELL, l2=3.99999).minima
    assert sweep(penalised(WELL, l2=3.99999), GD, axes={"lr": [0.1]}, start=one).minimum[0] == 0


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"l1": -1.0}, "l1 must be a finite number in [0, inf), got -1.0."),
        ({"l1": INF}, "l1 must be a finite number in [0, inf), got inf."),
        ({"l1": "1"}, "l1 must be a finite number in [0, inf), got '1'."),
        ({"l1": [1.0]}, "l1 must be a finite number in [0, inf), got [1.0]."),
        ({"l2": NAN}, "l2 must be a finite number in [0, inf), got nan."),
        ({"l2": True}, "l2 must be a finite number in [0, inf), got True."),
        ({"l1": 1.0, "proximal": 2}, "proximal must be True or False, got 2."),
    ],
)
def test_bad_input_is_named(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=r"\.$") as refused:
        penalised(BOWL, **given)
    assert str(refused.value) == said


def test_parameters_come_before_the_penalty() -> None:
    turned = BOWL.with_params(condition=9.0, rotation=30.0)
    here = penalised(turned, l1=1.0)
    assert here.args == (9.0, 30.0)
    assert penalised(here, l2=1.0).args == (9.0, 30.0)
    with pytest.raises(ValueError, match=r"bowl must get its parameters before its penalty, got {"):
        here.with_params(condition=2.0)


# Runs


def test_ista_to_the_bit() -> None:
    """x ← S(x − η ∇f(x), η l1), Beck & Teboulle 2009, eq. 1.4, and when y becomes 0."""
    lr, l1, l2 = 0.02, 2.5, 0.5
    run = simulate(penalised(SHIFTED, l1=l1, l2=l2), GD, steps=200, lr=lr)
    p, path = np.array(SHIFTED.start), [np.array(SHIFTED.start)]
    for _ in range(200):
        z = p - lr * (np.array(gradient(*p, *SHIFTED.args)) + l2 * p)
        p = soft(z, lr * l1)
        path.append(p)
    np.testing.assert_allclose(run.positions, path, rtol=0, atol=1e-15)
    first = next(t for t, row in enumerate(path) if row[1] == 0.0)
    x, y = zeros(run)
    assert (x.since, x.name) == (None, "x")
    assert (y.since, y.name, y.near) == (first, "y", 0.0)
    assert y.text == f"y is exactly 0 from step {first} on."
    # x → S(2·4·3, 2.5) / (2·4 + 0.5)
    np.testing.assert_allclose(run.positions[-1], [21.5 / 8.5, 0.0], rtol=1e-14)


def test_fista_with_a_constant_momentum() -> None:
    """Beck & Teboulle 2009, eqs. 4.1 and 4.3: y = x + β (x − x'), x ← S(y − η ∇f(y), η l1)."""
    lr, beta, l1 = 0.01, 0.8, 2.5
    run = simulate(
        penalised(SHIFTED, l1=l1), OPTIMIZERS["nesterov"], steps=150, lr=lr, momentum=beta
    )
    before = here = np.array(SHIFTED.start)
    for t in range(150):
        y = here + beta * (here - before)
        before, here = here, soft(y - lr * np.array(gradient(*y, *SHIFTED.args)), lr * l1)
        np.testing.assert_allclose(run.positions[t + 1], here, rtol=0, atol=1e-13)
        np.testing.assert_allclose(run.probes[t], y, rtol=0, atol=1e-13)


@pytest.mark.parametrize("rate_inside", [True, False])
def test_ipiano_under_a_falling_rate(rate_inside: bool) -> None:
    """Ochs et al. 2014: x ← S(x − η ∇f(x) + β (x − x'), η l1); outside, the old step is scaled."""
    beta, l1, lr = 0.8, 2.5, 0.02 * 0.97 ** np.arange(150)
    run = simulate(
        penalised(SHIFTED, l1=l1), OPTIMIZERS["momentum"], steps=150, lr=0.02, momentum=beta,
        rate_inside=rate_inside, schedule=SCHEDULES["exponential"].with_params(span=1, ratio=0.97),
    )  # fmt: skip
    before = here = np.array(SHIFTED.start)
    for t in range(150):
        kept = beta * (1.0 if rate_inside or t == 0 else lr[t] / lr[t - 1])
        z = here - lr[t] * np.array(gradient(*here, *SHIFTED.args)) + kept * (here - before)
        before, here = here, soft(z, lr[t] * l1)
        np.testing.assert_allclose(run.positions[t + 1], here, rtol=0, atol=1e-13)


@EVERY_OPTIMIZER
@settings(deadline=None, max_examples=20)
@given(
    p=st.floats(0.1, 5.0), l1=st.floats(0.1, 10.0), pull=st.floats(-0.99, 0.99),
    lr=st.floats(1e-4, 0.1), sign=st.sampled_from([1.0, -1.0]), steps=st.integers(1, 400),
)  # fmt: skip
def test_minima_are_fixed_points(
    optimizer: Optimizer, p: float, l1: float, pull: float, lr: float, sign: float, steps: int
) -> None:
    """Where p ≠ 0 the gradient at a minimum is −l1 sign(p), and where p = 0 at most l1.

    Slots as after a gradient that has long been so; then one more step, and the proximal one.
    """
    h = tuple(lr if x.name == "lr" else 0.0 if x.name == "weight_decay" else x.default
              for x in optimizer.hypers)  # fmt: skip
    for at, g in ((sign * p, -sign * l1), (0.0, pull * l1)):
        s, k = (0.0,) * max(1, len(optimizer.slots)), optimizer.clock_start
        for _ in range(600 + steps):  # a heavy ball has the gradient's sum by then
            k = optimizer.clock(h, k)
            z, s = optimizer.rule(at, g, s, h, k)
            tau = l1 * optimizer.reach(s, h, k)
            end = float(soft(z, tau))
            s = optimizer.landed(0.0, s, h, k)
        assert optimizer.probe(at, s, h, k) == at
        if at == 0.0:
            assert end == 0.0
        else:
            assert end == pytest.approx(at, rel=1e-10, abs=1e-11 * tau)


def decayed(surface: Surface, optimizer: Optimizer, steps: int, **hypers: Any) -> Any:
    """A run that ends with small steps: adaptive methods keep theirs at the length of the rate."""
    given = {"lr": optimizer.factor * getattr(surface.pace, optimizer.pace)}
    given |= {h.name: 0.0 for h in optimizer.hypers if h.name == "weight_decay"}
    schedule = SCHEDULES["cosine"].with_params(period=steps)
    return simulate(surface, optimizer, steps=steps, schedule=schedule, **(given | hypers))


@EVERY_OPTIMIZER
@pytest.mark.parametrize(
    ("base", "l1", "l2", "start"),
    [
        (SHIFTED, 2.5, 0.5, (-4.0, 5.0)),
        (BOWL, 3.0, 0.5, (1.5, 10.0)),
        (SURFACES["himmelblau"], 12.0, 0.5, (-0.3, 3.4)),
        (SURFACES["himmelblau"], 4.0, 2.0, (3.2, 1.4)),
    ],
    ids=["shifted", "bowl", "himmelblau, kink", "himmelblau"],
)
def test_runs_end_at_a_penalised_minimum(
    optimizer: Optimizer, base: Surface, l1: float, l2: float, start: Point
) -> None:
    for proximal in (True, False):
        here = penalised(base, l1=l1, l2=l2, proximal=proximal)
        run = decayed(here, optimizer, 3000, start=start)
        assert run.outcome.kind == "minimum", run.outcome.reason
        target = np.array(here.minima[run.outcome.target])
        gap = np.abs(run.positions[-1] - target)
        assert gap.max() < (1e-5 if proximal else 2e-3) * side(base)[0], (gap, proximal)
        for zero, at, c in zip(zeros(run), target, run.positions[-1], strict=True):
            assert (zero.since is not None) == (c == 0.0) == (proximal and at == 0.0)
            if zero.since is not None:
                path = run.positions[:, "xy".index(zero.name)]
                assert not path[zero.since :].any()
                assert path[zero.since - 1] != 0.0


def test_l2_in_adam_is_not_the_decay_of_adamw() -> None:
    """Loshchilov & Hutter 2019: Adam rescales the penalty's gradient, AdamW not its decay."""
    given: dict[str, Any] = {"steps": 6000, "lr": 0.01, "start": SHIFTED.start}
    with_l2 = penalised(SHIFTED, l2=3.0)
    adam = simulate(with_l2, ADAM, **given)
    adamw = simulate(SHIFTED, OPTIMIZERS["adamw"], weight_decay=3.0, **given)
    exact = np.array([2.0 * 4.0 * 3.0 / 11.0, 2.0 * 0.4 / 5.0])
    np.testing.assert_allclose(with_l2.minima, [exact], rtol=1e-12)
    np.testing.assert_allclose(adam.positions[-1], exact, atol=1e-6)
    assert np.abs(adamw.positions[-1] - exact).max() > 0.3


@EVERY_OPTIMIZER
def test_a_proximal_run_goes_on_where_it_was(optimizer: Optimizer) -> None:
    here = penalised(SURFACES["himmelblau"], l1=4.0, l2=1.0)
    given: dict[str, Any] = {"lr": 0.3 * optimizer.factor * getattr(here.pace, optimizer.pace)}
    whole = simulate(here, optimizer, steps=60, noise=0.2, **given)
    first = simulate(here, optimizer, steps=25, noise=0.2, **given)
    second = simulate(here, optimizer, steps=35, noise=0.2, after=first, **given)
    np.testing.assert_array_equal(second.positions, whole.positions[25:])
    with pytest.raises(ValueError, match="same parameters"):
        simulate(penalised(here), optimizer, after=first)


@EVERY_OPTIMIZER
@pytest.mark.parametrize("proximal", [True, False])
@pytest.mark.parametrize("key", ["himmelblau", "double_well"])
@pytest.mark.parametrize("schedule", [None, "one_cycle", "performance"])
def test_a_cell_of_a_sweep_is_a_run_to_the_bit(
    optimizer: Optimizer, proximal: bool, key: str, schedule: str | None
) -> None:
    here = penalised(SURFACES[key], l1=3.0, l2=0.5, proximal=proximal)
    lr = getattr(here.pace, optimizer.pace) * optimizer.factor * np.geomspace(0.1, 30.0, 4)
    plan = None if schedule is None else SCHEDULES[schedule]
    x = [0.4 * here.domain[0][0], 0.1 * here.domain[0][1]]
    given: dict[str, Any] = {"steps": 120, "schedule": plan}
    field = sweep(here, optimizer, axes={"lr": lr, "x": x}, tail=2, **given)
    for i, j in np.ndindex(2, 4):
        run = simulate(here, optimizer, start=(x[i], *here.start[1:]), lr=lr[j], **given)
        assert differences(field, (i, j), run) == [], (lr[j], x[i])


def test_a_sweep_over_a_parameter_of_a_penalised_surface() -> None:
    conditions = [2.0, 9.0]
    field = sweep(penalised(BOWL, l1=2.0), ADAM, axes={"condition": conditions}, lr=0.1)
    for i, condition in enumerate(conditions):
        here = penalised(BOWL.with_params(condition=condition), l1=2.0)
        assert differences(field, (i,), simulate(here, ADAM, lr=0.1)) == []


@EVERY_OPTIMIZER
@pytest.mark.parametrize("proximal", [True, False])
def test_no_penalty_leads_back_to_the_floats(optimizer: Optimizer, proximal: bool) -> None:
    """What the sweep takes for granted; an endless threshold must not take an endless step to 0."""
    for z in (NAN, INF, -INF):
        assert not np.isfinite([kernels._shrunk(z, tau) for tau in (0.0, 1.0, INF)]).any()
    for surface, l1 in ((BOWL, 5.0), (BOWL, 1e308), (PLANE, 1e308)):
        here = penalised(surface, l1=l1, l2=1.0, proximal=proximal)
        for lr in (10.0, 1e200):
            run = simulate(here, optimizer, steps=60, lr=lr, start=(1e200, 1e300))
            lost = ~np.isfinite(run.positions)
            assert (np.diff(lost.astype(int), axis=0) >= 0).all()


def test_tuning_on_a_penalised_surface() -> None:
    here = penalised(SHIFTED, l1=2.5, l2=0.5)
    tuned = tune(here, GD, start=SHIFTED.start, steps=100)
    assert tuned.lr is not None
    assert np.nanmin(tuned.excess) == pytest.approx(0.0, abs=1e-12)
    assert simulate(here, GD, steps=100, lr=tuned.lr).outcome.kind == "minimum"


# What is said of them


@pytest.mark.parametrize("lr", [0.2, 0.9, 0.99])
def test_the_limit_at_a_kink_that_a_proximal_step_lands_on(lr: float) -> None:
    """In x, away from its kink, a step is x → (1 − η L) x + const, so |1 − η L| < 1 settles."""
    here = penalised(SHIFTED.with_params(v=0.0), l1=2.5, l2=0.5)
    found = limit(here, GD, {})
    assert found.kind == "closed form"
    assert found.at in here.kinks
    assert found.curvature == pytest.approx(2.0 * 4.0 + 0.5)
    assert found.lr == pytest.approx(2.0 / 8.5)
    assert "the proximal step holds y at 0, so L is along x alone" in found.text
    assert found.lr is not None
    assert simulate(here, GD, steps=3000, lr=lr * found.lr).outcome.kind == "minimum"
    beyond = simulate(here, GD, start=(2.6, 0.1), steps=3000, lr=1.01 * found.lr)
    assert beyond.outcome.kind in ("cycle", "diverged")


def test_other_kinks_have_no_limit() -> None:
    ackley = SURFACES["ackley"]
    assert limit(penalised(SHIFTED, l1=2.5, proximal=False), GD, {}).kind == "none"
    near_tip = replace(penalised(ackley, l1=0.5), start=(0.1, 0.1))
    assert limit(near_tip, GD, {}).kind == "none"
    smooth = limit(penalised(SHIFTED, l1=0.5), GD, {})
    assert smooth.kind == "closed form"
    assert "kink" not in smooth.text


@EVERY_OPTIMIZER
def test_a_rescaling_method_has_a_limit_at_a_kink(optimizer: Optimizer) -> None:
    here = penalised(SHIFTED, l1=2.5)
    found = limit(here, optimizer, {}, decayed(here, optimizer, 1500))
    assert found.lr is not None
    assert "the proximal step holds y at 0" in found.text
    run = decayed(here, optimizer, 1500)
    (scale,) = {preconditioner(run, 1500)[0]}
    assert found.curvature == pytest.approx(2.0 * 4.0 / scale, rel=1e-12)  # of x, whose f_xx is 8


@pytest.mark.parametrize("held", [0, 1])
@pytest.mark.parametrize("key", ["gd", "momentum", "nesterov"])
def test_a_coordinate_that_is_held_at_0_takes_no_part_in_the_limit(key: str, held: int) -> None:
    """Runs settle below 2/f_yy and its like and not above, though 2/λmax(H) is lower."""
    here = penalised(SURFACES["himmelblau"], l1=40.0)
    at = next(p for p in here.minima if p[held] == 0.0 != p[1 - held])
    hessian = matrices(here, np.array([at]))[0]
    found = limit(replace(here, start=at), OPTIMIZERS[key], {})
    assert found.lr is not None
    assert found.curvature == hessian[1 - held, 1 - held] < np.linalg.eigvalsh(hessian)[-1] / 1.02
    start = (at[0] + 1e-4, at[1] - 1e-4)
    below, above = (
        simulate(here, OPTIMIZERS[key], start=start, steps=4000, lr=x * found.lr).outcome
        for x in (0.95, 1.05)
    )
    assert (below.kind, here.minima[below.target or 0]) == ("minimum", at)
    assert above.kind != "minimum"
    if (key, held) == ("gd", 0):
        assert found.lr == pytest.approx(0.0767, abs=5e-5)
        measured = measured_limit(here, GD, {}, minimum=at, low=1e-3, high=1.0)
        assert measured == pytest.approx(found.lr, rel=1e-6)


@EVERY_OPTIMIZER
def test_where_all_coordinates_are_held_at_0_there_is_no_limit(optimizer: Optimizer) -> None:
    here = penalised(WELL, l1=9.0)
    for lr in (1e-3, 1.0, 1e3):
        run = simulate(here, optimizer, start=(1e-5,), lr=lr, steps=40)
        assert not run.positions[-1].any()
        found = limit(here, optimizer, {}, run)
        assert found.text == (
            "No limit: near the minimum 0 a proximal step ends at exactly 0, for any lr."
        )


def test_what_is_said_of_zeros() -> None:
    steps, lr = 300, 0.03
    ends = simulate(penalised(SHIFTED, l1=2.5, proximal=False), GD, steps=steps, lr=lr)
    x, y = zeros(ends)
    assert x.text == "x ends at 2.69."  # S(24, 2.5) / 8
    assert y.flips
    assert y.since is None
    # the way across 0 is at most η (l1 + |∂f/∂y|) long
    assert y.near == np.abs(ends.positions[-30:, 1]).max() < lr * (2.5 + 0.8 + 0.2)
    assert y.text.startswith("y is never exactly 0: over the last 30 steps it is within 0.0")
    assert y.text.endswith(" of it and changes sign.")
    (p,) = zeros(simulate(penalised(WELL, l1=0.5), GD, start=(0.0,), steps=3))
    assert (p.name, p.since) == ("p", 0)
    assert zeros(simulate(SHIFTED, GD, steps=9)) == ()
    assert zeros(simulate(penalised(SHIFTED, l2=1.0), GD, steps=9)) == ()
    assert zeros(simulate(penalised(SHIFTED, l1=1.0), GD, steps=900, lr=5.0)) == ()


def test_zeros_of_a_coordinate_that_left_0() -> None:
    """From y = 0 exactly, towards S(2 · 0.0005, 0) / 2, without a proximal step."""
    near = SHIFTED.with_params(v=5e-4)
    here = penalised(near, l1=1e-9, proximal=False)
    _, y = zeros(simulate(here, GD, start=(1.0, 0.0), steps=50, lr=0.1))
    expected = "y is not exactly 0 in the end: over the last 10 steps it is within 0.0005 of it"
    assert y.text == f"{expected} and keeps its sign."


def test_the_slope_of_l1_is_no_plateau() -> None:
    """A slow run where f is flat: its proximal gradients are small, the slope of F is l1."""
    far = penalised(SURFACES["plateau"], l1=1.0)
    run = simulate(far, GD, start=(7.5,), steps=20, lr=1e-6)
    bare = simulate(SURFACES["plateau"], GD, start=(7.5,), steps=20, lr=0.3)
    assert bare.outcome.kind == "plateau"
    assert run.outcome.kind == "moving"
