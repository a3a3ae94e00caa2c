"""Limits and growth factors against closed forms, companion matrices, SciPy and runs."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import scipy.linalg
import scipy.optimize
from hypothesis import given, settings

from optim_core import OPTIMIZERS, Run, simulate, theory
from optim_core.spec import Optimizer, Point, Surface
from optim_core.theory import Rate, growth_factor, limit, measured_limit
from surfaces import SURFACES
from tests.test_properties import SEARCH, runs

BOWL = SURFACES["bowl"]
LINEAR = [o for o in OPTIMIZERS.values() if o.preconditioner is None]
SCALED = [o for o in OPTIMIZERS.values() if o.preconditioner is not None]
BETAS = [0.0, 0.3, 0.5, 0.9, 0.99]


def ids(declared: Optimizer | Surface) -> str:
    return declared.key


def companion(*coefficients: float) -> np.ndarray:
    """The matrix whose eigenvalues are the roots of zⁿ + c₁ zⁿ⁻¹ + … + cₙ."""
    n = len(coefficients)
    matrix = np.eye(n, k=-1)
    matrix[0] = -np.array(coefficients)
    return matrix


def radius(matrix: np.ndarray) -> float:
    return float(np.abs(np.linalg.eigvals(matrix)).max())


# Each method's characteristic polynomial on λ p² / 2, written down from its recursion.
POLYNOMIALS: dict[str, Callable[[float, float], np.ndarray]] = {
    "gd": lambda a, b: companion(-(1.0 - a)),
    "momentum": lambda a, b: companion(-(1.0 + b - a), b),
    "nesterov": lambda a, b: companion(-(1.0 + b) * (1.0 - a), b * (1.0 - a)),
}
CLOSED: dict[str, Callable[[float, float], float]] = {
    "gd": lambda c, b: 2.0 / c,
    "momentum": lambda c, b: 2.0 * (1.0 + b) / c,
    "nesterov": lambda c, b: 2.0 * (1.0 + b) / ((1.0 + 2.0 * b) * c),
    "rmsprop": lambda c, b: 2.0 / c,
    "adagrad": lambda c, b: 2.0 / c,
    "adam": lambda c, b: 2.0 * (1.0 + b) / ((1.0 - b) * c),
    "adamax": lambda c, b: 2.0 * (1.0 + b) / ((1.0 - b) * c),
    "nadam": lambda c, b: 2.0 * (1.0 + b) / ((1.0 - b) * (1.0 + 2.0 * b) * c),
    "adamw": lambda c, b: 2.0 * (1.0 + b) / ((1.0 - b) * c + (1.0 + b) * 0.01),
}


def with_beta(optimizer: Optimizer, beta: float, lr: float = 0.1) -> dict[str, float]:
    """Defaults, with β or β₁ as given where there is one."""
    chosen = {h.name: h.default for h in optimizer.hypers} | {"lr": lr}
    return chosen | {name: beta for name in ("momentum", "beta1") if name in chosen}


def full(optimizer: Optimizer, beta: float, lr: float = 0.1) -> Point:
    return tuple(with_beta(optimizer, beta, lr).values())


# ---- limits


@pytest.mark.parametrize("beta", BETAS)
@pytest.mark.parametrize("curvature", [1e-3, 2.0, 1900.0])
@pytest.mark.parametrize("optimizer", OPTIMIZERS.values(), ids=ids)
def test_the_limits_formula(optimizer: Optimizer, curvature: float, beta: float) -> None:
    assert optimizer.limit is not None
    expected = CLOSED[optimizer.key](curvature, beta)
    assert optimizer.limit(curvature, full(optimizer, beta)) == pytest.approx(expected, rel=1e-13)
    assert optimizer.limit(curvature, full(optimizer, beta, lr=9.0)) == pytest.approx(expected)


@pytest.mark.parametrize("optimizer", OPTIMIZERS.values(), ids=ids)
def test_without_momentum_every_limit_is_that_of_gradient_descent(optimizer: Optimizer) -> None:
    assert optimizer.limit is not None
    hypers = with_beta(optimizer, 0.0) | (
        {"weight_decay": 0.0} if any(h.name == "weight_decay" for h in optimizer.hypers) else {}
    )
    assert optimizer.limit(7.0, tuple(hypers.values())) == pytest.approx(2.0 / 7.0, rel=1e-15)


@pytest.mark.parametrize("beta", BETAS)
@pytest.mark.parametrize("optimizer", LINEAR, ids=ids)
def test_at_the_limit_an_error_neither_grows_nor_shrinks(optimizer: Optimizer, beta: float) -> None:
    assert optimizer.limit is not None
    edge = optimizer.limit(40.0, full(optimizer, beta))
    for share, low, high in ((0.999, 0.0, 1.0), (1.001, 1.0, 9.0)):
        factor = growth_factor(optimizer, full(optimizer, beta, share * edge), 40.0)
        assert factor is not None
        assert low < factor < high
    at_edge = growth_factor(optimizer, full(optimizer, beta, edge), 40.0)
    assert at_edge == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize("beta", [0.0, 0.5, 0.9])
@pytest.mark.parametrize("optimizer", SCALED, ids=ids)
def test_with_its_scaling_frozen_a_rule_is_stable_up_to_its_limit(
    optimizer: Optimizer, beta: float
) -> None:
    """An ε of 1e9 freezes P there. After 100,000 steps no bias correction is left, and
    NAdam's momentum has warmed up: then the linear map is read off the rule.
    """
    assert optimizer.limit is not None
    frozen, curvature = 1e9, 40.0
    given = with_beta(optimizer, beta) | {"eps": frozen}
    given |= {"weight_decay": 0.5 / frozen} if "weight_decay" in given else {}
    k = optimizer.clock_start
    for _ in range(100_000):
        k = optimizer.clock(tuple(given.values()), k)
    edge = optimizer.limit(curvature / frozen, tuple(given.values()))
    kept = [i for i, name in enumerate(optimizer.slots) if name not in optimizer.scales]

    def grows(lr: float) -> float:
        h = tuple((given | {"lr": lr}).values())
        columns = []
        for unit in np.eye(1 + len(kept)):
            slots = [0.0] * len(optimizer.slots)
            for i, value in zip(kept, unit[1:], strict=True):
                slots[i] = float(value)
            p, after = optimizer.rule(unit[0], curvature * unit[0], tuple(slots), h, k)
            columns.append([p, *(after[i] for i in kept)])
        return radius(np.array(columns))

    assert grows(0.999 * edge) < 1.0 < grows(1.001 * edge)


# ---- growth factors


@pytest.mark.parametrize("product", [-0.7, 1e-6, 0.05, 0.9, 1.9, 2.5, 3.9, 40.0])
@pytest.mark.parametrize("beta", BETAS)
@pytest.mark.parametrize("optimizer", LINEAR, ids=ids)
def test_the_growth_factor_is_the_companion_matrixs_radius(
    optimizer: Optimizer, beta: float, product: float
) -> None:
    found = growth_factor(optimizer, full(optimizer, beta, 0.02), product / 0.02)
    expected = radius(POLYNOMIALS[optimizer.key](product, beta))
    # a double root is known to √ε only
    assert found == pytest.approx(expected, rel=1e-7)
    assert found == pytest.approx(expected, rel=1e-11) or product == pytest.approx(
        (1.0 - math.sqrt(beta)) ** 2, rel=0.5
    )


@pytest.mark.parametrize("optimizer", SCALED, ids=ids)
def test_a_method_that_is_not_linear_has_no_growth_factor(optimizer: Optimizer) -> None:
    assert growth_factor(optimizer, {}, 2.0) is None


def doubling(h: Point, k: Point) -> Point:
    return (2.0 * k[0] + 1.0,)


def slowing(p: float, g: float, s: Point, h: Point, k: Point) -> tuple[float, Point]:
    return p - h[0] * g / k[0], s


def test_a_rule_that_changes_with_time_has_no_growth_factor() -> None:
    slower = replace(OPTIMIZERS["gd"], rule=slowing, clock=doubling)
    assert growth_factor(slower, {}, 2.0) is None
    assert growth_factor(replace(slower, clock_start=(-1.0,)), {}, 2.0) is not None


def test_a_growth_factor_beyond_the_floats_is_none() -> None:
    assert growth_factor(OPTIMIZERS["gd"], {"lr": 1e300}, 1e300) is None


@pytest.mark.parametrize("rotation", [0.0, 30.0, -75.0])
@pytest.mark.parametrize("condition", [2.0, 50.0, 700.0])
def test_curvatures_of_the_bowl(condition: float, rotation: float) -> None:
    bowl = BOWL.with_params(condition=condition, rotation=rotation)
    values, axes = theory.curvature(bowl, (0.3, -2.0))
    np.testing.assert_allclose(values, [2.0, 2.0 * condition], rtol=1e-13)
    c, s = math.cos(math.radians(rotation)), math.sin(math.radians(rotation))
    np.testing.assert_allclose(np.abs(axes.T @ [[-s, c], [c, s]]), np.eye(2), atol=1e-13)
    assert (axes.max(axis=0) == np.abs(axes).max(axis=0)).all()


def test_a_curvature_that_is_no_number() -> None:
    values, axes = theory.curvature(SURFACES["rosenbrock"], (1e200, 0.0))
    assert np.isnan(values).all()
    assert (axes == np.eye(2)).all()


# ---- closed-form limits at minima


@pytest.mark.parametrize("optimizer", LINEAR, ids=ids)
@pytest.mark.parametrize("surface", SURFACES.values(), ids=ids)
def test_a_limit_is_at_the_minimum_nearest_to_the_start(
    surface: Surface, optimizer: Optimizer
) -> None:
    found = limit(surface, optimizer, {})
    if not surface.minima:
        assert (found.kind, found.lr, found.at) == ("none", None, None)
        assert "no minimum" in found.text
        return
    low, high = np.array(surface.domain).T
    gaps = np.abs((np.array(surface.minima) - surface.start) / (high - low)).max(axis=1)
    at = surface.minima[int(gaps.argmin())]
    flat = surface.hessian(*at, *surface.args)
    matrix = np.array([[flat[0]]] if surface.dim == 1 else [flat[:2], flat[1:]])
    top = scipy.linalg.eigvalsh(matrix)[-1]
    assert (found.kind, found.at) == ("closed form", at)
    assert found.curvature == pytest.approx(top, rel=1e-12)
    assert found.lr == pytest.approx(CLOSED[optimizer.key](top, 0.9), rel=1e-12)
    assert found.text.startswith(optimizer.limit_formula)
    assert theory.show(*at) in found.text
    assert found.text.endswith(".")


def test_a_limit_is_at_the_minimum_where_the_run_ended() -> None:
    himmelblau, gd = SURFACES["himmelblau"], OPTIMIZERS["gd"]
    for index, at in enumerate(himmelblau.minima):
        run = simulate(himmelblau, gd, start=(at[0] + 0.2, at[1] - 0.1), lr=0.005)
        assert run.outcome.target == index
        assert limit(himmelblau, gd, {}, run).at == at


def test_the_limits_sentence() -> None:
    found = limit(BOWL, OPTIMIZERS["momentum"], (0.5, 0.9, 1.0))
    assert found.text == (
        "2(1+β)/L = 0.038, where L = 100 is the largest curvature at the minimum (0, 0)."
    )


def test_there_is_no_limit_on_a_kink() -> None:
    ackley, gd = SURFACES["ackley"], OPTIMIZERS["gd"]
    run = simulate(ackley, gd, start=ackley.kinks[0])
    found = limit(ackley, gd, {}, run)
    assert (found.kind, found.lr, found.at) == ("none", None, (0.0, 0.0))
    assert "jumps" in found.text


def quartic(p: float) -> float:
    return p * p * p * p


def quartic_gradient(p: float) -> Point:
    return (4.0 * p * p * p,)


def quartic_hessian(p: float) -> Point:
    return (12.0 * p * p,)


def test_there_is_no_limit_where_there_is_no_curvature() -> None:
    flat = replace(
        SURFACES["parabola"],
        value=quartic,
        gradient=quartic_gradient,
        hessian=quartic_hessian,
    )
    found = limit(flat, OPTIMIZERS["gd"], {})
    assert (found.kind, found.lr) == ("none", None)
    assert "curvature is not a positive number" in found.text


@pytest.mark.parametrize("hypers", [(0.1,), (0.1, 0.9, 1.0, 1.0), {"beta": 1.0}, {"momentum": 1.0}])
def test_wrong_hyperparameters_are_refused(hypers: Any) -> None:
    with pytest.raises(ValueError, match="momentum"):
        limit(BOWL, OPTIMIZERS["momentum"], hypers)


# ---- measured limits

BOWLS = [
    (BOWL.with_params(condition=k, rotation=r), (0.0, 0.0), 2.0 * k)
    for k, r in ((1.0, 0.0), (50.0, 33.0), (1000.0, -60.0))
]
PLACES = [
    *BOWLS,
    (SURFACES["parabola"], (0.0,), 2.0),
    # its Hessian at (1, 1) is (802, −400; −400, 200)
    (SURFACES["rosenbrock"], (1.0, 1.0), 501.0 + math.sqrt(301.0**2 + 400.0**2)),
    *((SURFACES["himmelblau"], at, None) for at in SURFACES["himmelblau"].minima),
]


@pytest.mark.parametrize("beta", [0.0, 0.9])
@pytest.mark.parametrize("optimizer", LINEAR, ids=ids)
@pytest.mark.parametrize(("surface", "at", "top"), PLACES)
def test_a_measured_limit_is_the_closed_form(
    surface: Surface, at: Point, top: float | None, optimizer: Optimizer, beta: float
) -> None:
    if top is None:
        a, b, c = surface.hessian(*at)
        top = (a + c) / 2.0 + math.hypot((a - c) / 2.0, b)
    hypers = full(optimizer, beta)
    found = measured_limit(surface, optimizer, hypers, minimum=at, low=1e-3 / top, high=1e2 / top)
    assert found == pytest.approx(CLOSED[optimizer.key](top, beta), rel=1e-6)


@pytest.mark.parametrize("optimizer", SCALED, ids=ids)
def test_a_method_that_divides_by_the_gradients_size_has_no_measured_limit(
    optimizer: Optimizer,
) -> None:
    assert measured_limit(BOWL, optimizer, {}, minimum=(0.0, 0.0), low=1e-6, high=10.0) is None


def test_nothing_is_measured_outside_the_bracket() -> None:
    for low, high in ((0.03, 1.0), (1e-4, 0.01)):
        found = measured_limit(BOWL, OPTIMIZERS["gd"], {}, minimum=(0.0, 0.0), low=low, high=high)
        assert found is None


def test_a_method_without_a_formula_is_measured() -> None:
    found = limit(BOWL, replace(OPTIMIZERS["momentum"], limit=None, limit_formula=""), {})
    assert (found.kind, found.at) == ("measured", (0.0, 0.0))
    assert found.lr == pytest.approx(0.038, rel=1e-6)
    assert "measured" in found.text


# ---- preconditioned limits


def frozen(optimizer: str, h: dict[str, float], t: int, v: np.ndarray) -> tuple[np.ndarray, Any]:
    """P (d,) from v (d,) after t steps and how m and p follow from H p: from the papers."""
    beta1 = h.get("beta1", 0.0)
    correction = 1.0 - beta1**t
    mu = [beta1 * (1.0 - 0.5 * 0.96 ** (0.004 * i)) for i in range(1, t + 2)]
    v_hat = v / (1.0 - h.get("beta2", 0.0) ** t)
    scales: dict[str, Callable[[], np.ndarray]] = {
        "rmsprop": lambda: np.sqrt(v) + h["eps"],
        "adagrad": lambda: np.sqrt(v) + h["eps"],
        "adam": lambda: (np.sqrt(v_hat) + h["eps"]) * correction,
        "adamw": lambda: (np.sqrt(v_hat) + h["eps"]) * correction,
        "adamax": lambda: v * correction,
        "nadam": lambda: np.sqrt(v_hat) + h["eps"],
    }
    scale = scales[optimizer]()
    # the step, without lr and scale, is (share of m) m + (share of g) g
    shares = (1.0, 0.0)
    if optimizer == "nadam":
        shares = (mu[t] / (1.0 - np.prod(mu)), (1.0 - mu[t - 1]) / (1.0 - np.prod(mu[:t])))
    return scale, shares


def recursion(optimizer: str, h: dict[str, float], lr: float, t: int, v: Any, hessian: Any) -> Any:
    """The map (p, m) -> (p, m) with v frozen, as a (2d, 2d) matrix."""
    scale, (of_m, of_g) = frozen(optimizer, h, t, v)
    beta1, d = h.get("beta1", 0.0), len(v)
    eye = np.eye(d)
    m_from_p, m_from_m = (1.0 - beta1) * hessian, beta1 * eye
    by = lr * np.diag(1.0 / scale)
    p_from_p = (1.0 - lr * h.get("weight_decay", 0.0)) * eye
    p_from_p = p_from_p - by @ (of_m * m_from_p + of_g * hessian)
    return np.block([[p_from_p, -by @ (of_m * m_from_m)], [m_from_p, m_from_m]])


@pytest.mark.parametrize("steps", [1, 5, 150, 4000])
@pytest.mark.parametrize("surface", ["bowl", "rosenbrock", "parabola"])
@pytest.mark.parametrize("optimizer", SCALED, ids=ids)
def test_at_a_preconditioned_limit_the_frozen_recursion_neither_grows_nor_shrinks(
    optimizer: Optimizer, surface: str, steps: int
) -> None:
    place = SURFACES[surface]
    if place.params:
        place = place.with_params(condition=50.0, rotation=25.0)
    h = {x.name: x.default for x in optimizer.hypers}
    # so slow that no run settles and v does not vanish
    run = simulate(place, optimizer, steps=steps, lr=1e-3)
    found = limit(place, optimizer, h, run)
    assert found.kind == "preconditioned"
    assert found.at == tuple(run.positions[-1])
    assert found.lr is not None
    flat = place.hessian(*found.at, *place.args)
    hessian = np.array([[flat[0]]] if place.dim == 1 else [flat[:2], flat[1:]])
    v = run.slots[optimizer.slots[-1]][-1]
    # where the surface also curves downward a root beyond +1 is there at any rate
    for share, low, high in ((0.99, 0.0, 1.0), (1.01, 1.0, math.inf)):
        matrix = recursion(optimizer.key, h, share * found.lr, steps, v, hessian)
        assert low < -np.linalg.eigvals(matrix).real.min() < high
        if theory.preconditioned(run, steps)[0] > 0.0:
            assert low < radius(matrix) < high
    matrix = recursion(optimizer.key, h, found.lr, steps, v, hessian)
    assert np.linalg.eigvals(matrix).real.min() == pytest.approx(-1.0, abs=1e-9)


@pytest.mark.parametrize("optimizer", SCALED, ids=ids)
def test_the_eigenvalues_of_a_preconditioned_hessian(optimizer: Optimizer) -> None:
    rosenbrock = SURFACES["rosenbrock"]
    run = simulate(rosenbrock, optimizer, lr=0.01, steps=30)
    a, b, c = rosenbrock.hessian(*run.positions[30])
    product = np.diag(1.0 / theory.preconditioner(run, 30)) @ np.array([[a, b], [b, c]])
    expected = np.sort(scipy.linalg.eigvals(product).real)
    np.testing.assert_allclose(theory.preconditioned(run, 30), expected, rtol=1e-10)


def test_a_method_without_preconditioner_divides_by_one() -> None:
    run = simulate(BOWL, OPTIMIZERS["momentum"], steps=5)
    assert theory.preconditioner(run, 5).tolist() == [1.0, 1.0]
    assert theory.preconditioned(run, 5) == pytest.approx([2.0, 100.0])


@pytest.mark.parametrize("optimizer", SCALED, ids=ids)
def test_a_preconditioned_limit_needs_a_run_and_curvature(optimizer: Optimizer) -> None:
    assert limit(BOWL, optimizer, {}).kind == "none"
    plane = SURFACES["plane"]
    found = limit(plane, optimizer, {}, simulate(plane, optimizer, steps=5))
    assert (found.kind, found.lr) == ("none", None)
    assert "does not curve upward" in found.text
    far = simulate(BOWL, optimizer, start=(1e300, 1e300), steps=3)
    assert limit(BOWL, optimizer, {}, far).kind == "none"


def test_a_preconditioned_limit_is_where_adam_starts_to_swing() -> None:
    # Cohen et al. 2022: below 38/η nothing grows; beyond it the error changes sides and does
    adam, parabola = OPTIMIZERS["adam"], SURFACES["parabola"]
    run = simulate(parabola, adam, lr=0.02, eps=1.0, start=(0.5,), steps=3000)
    found = limit(parabola, adam, run.hypers, run)
    # at the minimum v has vanished and P is ε
    assert found.curvature == pytest.approx(2.0, rel=0.05)
    assert found.lr == pytest.approx(19.0, rel=0.05)


# ---- failures and rates


def test_the_first_failure_on_the_double_well_is_where_theory_has_it() -> None:
    # p is thrown to −p where 4 lr (p² − 1) = 2, and farther out beyond
    found = theory.first_failure(
        SURFACES["double_well"], OPTIMIZERS["gd"], {}, start=(1.8,), steps=300, low=1e-2, high=1.0
    )
    assert found == pytest.approx(1.0 / (2.0 * (1.8**2 - 1.0)), rel=1e-8)


@pytest.mark.parametrize("optimizer", LINEAR, ids=ids)
def test_the_first_failure_on_the_bowl_is_just_beyond_the_limit(optimizer: Optimizer) -> None:
    edge = limit(BOWL, optimizer, {}).lr
    assert edge is not None
    found = theory.first_failure(
        BOWL, optimizer, {}, start=BOWL.start, steps=3000, low=edge / 50, high=edge * 50
    )
    assert found is not None
    assert edge < found < 1.003 * edge


def test_on_rosenbrock_the_start_decides() -> None:
    # beyond 2/2092 the start itself throws the run across; up to 0.00205 it lands in the valley
    surface, gd = SURFACES["rosenbrock"], OPTIMIZERS["gd"]
    found = theory.first_failure(
        surface, gd, {}, start=surface.start, steps=400, low=1e-4, high=1e-2
    )
    assert found is not None
    assert 0.0019 < found < 0.0021
    for lr, diverges in ((found * (1.0 - 1e-8), False), (found, True)):
        run = simulate(surface, gd, lr=lr, steps=400)
        assert (run.outcome.kind == "diverged") is diverges


def test_a_failure_that_is_not_there_or_everywhere() -> None:
    parabola, gd = SURFACES["parabola"], OPTIMIZERS["gd"]
    ask: dict[str, Any] = {"start": (10.0,), "steps": 300}
    assert theory.first_failure(parabola, gd, {}, low=0.01, high=0.9, **ask) is None
    assert theory.first_failure(parabola, gd, {}, low=2.0, high=9.0, **ask) == 2.0


LABELS = ["too low", "good", "slightly too high", "too high"]


def rates_of(surface: Surface, optimizer: Optimizer, steps: int = 300) -> tuple[Rate, ...]:
    edge = limit(surface, optimizer, {}).lr
    return theory.four_rates(surface, optimizer, {}, start=surface.start, steps=steps, limit=edge)


@pytest.mark.parametrize("optimizer", OPTIMIZERS.values(), ids=ids)
@pytest.mark.parametrize("surface", [s for s in SURFACES.values() if s.minima], ids=ids)
def test_the_four_rates_are_what_they_are_called(surface: Surface, optimizer: Optimizer) -> None:
    rates = rates_of(surface, optimizer)
    assert [r.label for r in rates] == LABELS
    lrs = [r.lr for r in rates]
    assert lrs == sorted(set(lrs))
    assert all(float(f"{lr:.4g}") == lr for lr in lrs)
    runs = [simulate(surface, optimizer, lr=lr, steps=300) for lr in lrs]
    late = [float(np.nan_to_num(r.losses[-30:], nan=np.inf).max()) for r in runs]
    peak = [float(np.nan_to_num(r.losses, nan=np.inf).max()) for r in runs]
    first, drop = runs[0].losses[0], runs[0].losses[0] - late[1]
    assert drop > 0.0
    assert late[0] >= late[1] + 0.49 * drop
    assert runs[0].outcome.kind != "minimum"
    assert late[2] >= late[1] - 1e-6 * drop
    assert late[3] >= late[1] - 1e-6 * drop
    swings = runs[2].outcome.kind != "minimum" and late[2] >= late[1] + 0.019 * drop
    if optimizer.preconditioner is None:
        edge = limit(surface, optimizer, {}).lr
        assert edge is not None
        assert lrs[1] < edge
        assert swings
        assert runs[3].outcome.kind == "diverged" or late[3] >= first
    else:
        low, high = np.array(surface.domain).T
        away = np.abs(runs[2].positions - (low + high) / 2.0) > high - low
        assert swings or away.any()
        assert late[3] >= first or peak[3] >= late[1] + 9.9 * drop


@pytest.mark.parametrize("optimizer", LINEAR, ids=ids)
def test_on_the_bowl_slightly_too_high_grows_slowly(optimizer: Optimizer) -> None:
    rates = {r.label: r.lr for r in rates_of(BOWL, optimizer)}
    edge = limit(BOWL, optimizer, {}).lr
    assert edge is not None
    slow, fast = (
        growth_factor(optimizer, full(optimizer, 0.9, rates[label]), 100.0)
        for label in ("slightly too high", "too high")
    )
    assert slow is not None
    assert fast is not None
    assert 1.0 < slow < 1.05 < fast
    assert rates["too high"] == pytest.approx(1.5 * edge, rel=1e-3)


def test_four_rates_are_the_same_each_time() -> None:
    first, second = (rates_of(SURFACES["rosenbrock"], OPTIMIZERS["adam"]) for _ in range(2))
    assert first == second


@pytest.mark.parametrize("key", ["plane", "saddle"])
def test_where_nothing_is_too_high_there_are_no_four_rates(key: str) -> None:
    assert rates_of(SURFACES[key], OPTIMIZERS["gd"]) == ()


def test_from_the_minimum_itself_there_are_no_four_rates() -> None:
    found = theory.four_rates(BOWL, OPTIMIZERS["gd"], {}, start=(0.0, 0.0), steps=50, limit=0.02)
    assert found == ()


def test_a_good_rate_is_near_the_optimal_one_on_a_quadratic() -> None:
    # 2/(λmin + λmax) (Polyak 1964); SciPy minimises the closed form of the loss after 300 steps
    def loss(lr: float) -> float:
        return float(
            50.0 * (1.5 * (1.0 - 100.0 * lr) ** 300) ** 2 + (10.0 * (1.0 - 2.0 * lr) ** 300) ** 2
        )

    best = scipy.optimize.minimize_scalar(loss, bounds=(0.015, 0.02), method="bounded").x
    good = next(r.lr for r in rates_of(BOWL, OPTIMIZERS["gd"]) if r.label == "good")
    assert loss(good) < loss(2e-3)
    assert good == pytest.approx(best, rel=0.06)


# ---- whatever is asked


@settings(SEARCH, max_examples=150)
@given(runs())
def test_every_limit_is_a_number_or_says_why_not(run: Run) -> None:
    found = limit(run.surface, run.optimizer, run.hypers, run)
    assert found.text.endswith(".")
    assert not re.search(r"\b(nan|inf|None|array|float64)\b", found.text), found.text
    assert (found.kind == "none") == (found.lr is None) == (found.curvature is None)
    if found.lr is not None:
        assert type(found.lr) is float
        assert 0.0 < found.lr < math.inf
        assert found.at is not None
        assert theory.show(found.lr) in found.text


@settings(SEARCH, max_examples=25)
@given(runs())
def test_four_rates_are_found_or_not_for_whatever_hyperparameters(run: Run) -> None:
    edge = limit(run.surface, run.optimizer, run.hypers).lr
    start = tuple(run.positions[0].tolist())
    rates = theory.four_rates(
        run.surface, run.optimizer, run.hypers, start=start, steps=60, limit=edge
    )
    assert [r.label for r in rates] in ([], LABELS)
    lrs = [r.lr for r in rates]
    assert lrs == sorted(set(lrs))


# ---- how numbers are shown


@pytest.mark.parametrize(
    ("numbers", "text"),
    [((0.02,), "0.02"), ((1902.4,), "1902"), ((999.7,), "1000"), ((-0.0, 1.0), "(0, 1)"),
     ((1e-5,), "1e-05"), ((2.5e9,), "2.5e+09")],
)  # fmt: skip
def test_numbers_have_three_digits(numbers: Point, text: str) -> None:
    assert theory.show(*numbers) == text


@pytest.mark.parametrize(
    ("a", "b", "texts"),
    [(0.02, 0.022, ("0.02", "0.022")), (0.02, 0.020001, ("0.02", "0.020001")),
     (1.0, 1.0, ("1", "1")), (1900.2, 1900.1, ("1900.2", "1900.1"))],
)  # fmt: skip
def test_numbers_that_differ_are_shown_apart(a: float, b: float, texts: tuple[str, str]) -> None:
    assert theory.show_apart(a, b) == texts
