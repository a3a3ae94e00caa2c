"""The parts of a step, against closed forms and the papers' recursions written out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from optim_core import OPTIMIZERS, SCHEDULES, Run, simulate, theory
from optim_core.dissection import Dissection, dissect
from optim_core.spec import Optimizer
from surfaces import SURFACES

ROSENBROCK = SURFACES["rosenbrock"]
EVERY = pytest.mark.parametrize("optimizer", OPTIMIZERS.values(), ids=list(OPTIMIZERS))
FIELDS = ("memory", "gradient", "decay", "shrinkage", "unscaled", "rates", "probes")
T = 40


def run_of(
    key: str, surface: str = "rosenbrock", l1: float = 0.0, **given: Any
) -> tuple[Run, Dissection]:
    optimizer, place = OPTIMIZERS[key], replace(SURFACES[surface], penalty=(l1, 0.0, 1.0))
    lr = 0.3 * getattr(place.pace, optimizer.pace)
    run = simulate(place, optimizer, **({"steps": T, "lr": lr, "noise": 0.3, "seed": 2} | given))
    return run, dissect(run)


def close(found: np.ndarray, expected: np.ndarray, size: float = 1.0) -> None:
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-13 * size)


@pytest.mark.parametrize("plan", [None, "one_cycle", "performance"])
@pytest.mark.parametrize("surface", ["rosenbrock", "bowl", "parabola"])
@EVERY
def test_the_parts_are_the_step(optimizer: Optimizer, surface: str, plan: str | None) -> None:
    schedule = SCHEDULES[plan] if plan else None
    for hypers in ({}, *(dict(part.without) for part in optimizer.ingredients)):
        lr = 0.3 * SURFACES[surface].pace.curvature
        run, parts = run_of(optimizer.key, surface, lr=lr, schedule=schedule, **hypers)
        size = float(np.abs(run.positions).max())
        assert np.isfinite(run.positions).all()
        step = np.diff(run.positions, axis=0)
        close(parts.memory + parts.gradient + parts.decay, step, size)
        for name in FIELDS:
            array = getattr(parts, name)
            assert array.shape == step.shape
            assert array.dtype == float
            assert not array.flags.writeable
        np.testing.assert_array_equal(parts.shrinkage, 0.0)
        if optimizer.preconditioner is None:
            close(parts.unscaled, step, size)
        np.testing.assert_array_equal(parts.probes, run.probes)


@pytest.mark.parametrize("plan", [None, "one_cycle"])
@EVERY
def test_the_rates_are_those_of_the_preconditioner(optimizer: Optimizer, plan: str | None) -> None:
    run, parts = run_of(optimizer.key, schedule=SCHEDULES[plan] if plan else None)
    for row in (1, 2, T):
        expected = run.rates[row - 1] / theory.preconditioner(run, row)
        close(parts.rates[row - 1] / expected, np.ones(2))


def test_gradient_descent_is_all_gradient() -> None:
    run, parts = run_of("gd")
    close(parts.gradient, -run.hypers["lr"] * run.gradients)
    np.testing.assert_array_equal(parts.memory, 0.0)
    np.testing.assert_array_equal(parts.decay, 0.0)
    np.testing.assert_array_equal(parts.rates, run.hypers["lr"])
    assert not np.signbit(parts.memory).any()


@pytest.mark.parametrize("inside", [True, False])
def test_the_memory_of_a_heavy_ball_is_a_share_of_its_last_step(inside: bool) -> None:
    run, parts = run_of("momentum", momentum=0.7, rate_inside=inside)
    last = np.diff(run.positions, axis=0, prepend=run.positions[:1])[:-1]
    close(parts.memory, 0.7 * last)
    close(parts.gradient, -run.hypers["lr"] * run.gradients)


def test_nesterovs_memory_leads_to_the_probe_and_the_gradient_on_from_there() -> None:
    run, parts = run_of("nesterov")
    close(parts.memory, run.probes - run.positions[:-1])
    close(parts.gradient, run.positions[1:] - run.probes)
    assert np.abs(parts.memory[1:]).min() > 0.0


@pytest.mark.parametrize("key", ["adagrad", "rmsprop"])
def test_a_scaled_gradient_has_no_memory(key: str) -> None:
    run, parts = run_of(key)
    g = run.gradients
    rho = run.hypers.get("rho", 1.0)
    total, mean = np.zeros(2), np.empty_like(g)
    for t in range(T):
        total = rho * total + (1.0 if key == "adagrad" else 1.0 - rho) * g[t] ** 2
        mean[t] = total
    scale = np.sqrt(mean) + run.hypers["eps"]
    np.testing.assert_array_equal(parts.memory, 0.0)
    close(parts.rates, run.hypers["lr"] / scale)
    close(parts.gradient, -run.hypers["lr"] * g / scale)
    close(parts.unscaled, -run.hypers["lr"] * g)


Scale = Callable[[np.ndarray, np.ndarray, dict[str, float]], np.ndarray]


def averaged(g: np.ndarray, beta: float) -> np.ndarray:
    """β-average of rows with a row of zeros in front: row t is that after t steps."""
    rows = [np.zeros(2)]
    for row in g:
        rows.append(beta * rows[-1] + (1.0 - beta) * row)
    return np.array(rows)


def roots(g: np.ndarray, t: np.ndarray, h: dict[str, float]) -> np.ndarray:
    corrected = averaged(g**2, h["beta2"])[1:] / (1.0 - h["beta2"] ** t)
    return np.asarray(np.sqrt(corrected) + h["eps"])


def largest(g: np.ndarray, t: np.ndarray, h: dict[str, float]) -> np.ndarray:
    rows = [np.zeros(2)]
    for row in np.abs(g) + h["eps"]:
        rows.append(np.maximum(h["beta2"] * rows[-1], row))
    return np.array(rows[1:])


@pytest.mark.parametrize(("key", "scale"), [("adam", roots), ("adamw", roots), ("adamax", largest)])
def test_adams_parts_are_its_averages(key: str, scale: Scale) -> None:
    run, parts = run_of(key, beta1=0.8, beta2=0.99)
    h, g, t = run.hypers, run.gradients, np.arange(1, T + 1)[:, None]
    m = averaged(g, 0.8)
    divisor = (1.0 - 0.8**t) * scale(g, t, h)
    close(parts.memory, -h["lr"] * 0.8 * m[:-1] / divisor)
    close(parts.gradient, -h["lr"] * 0.2 * g / divisor)
    decay = -h["lr"] * h.get("weight_decay", 0.0) * run.positions[:-1]
    close(parts.decay, decay)
    close(parts.rates / (h["lr"] / divisor), np.ones((T, 2)))
    # what the curvature's limit knows: lr times the average, and the decay that nothing divides
    close(parts.unscaled, -h["lr"] * m[1:] + decay)
    np.testing.assert_array_equal(parts.memory[0], 0.0)


def test_without_scaling_adam_is_a_corrected_heavy_ball() -> None:
    run, parts = run_of("adam", lr=1e-4, scaling=False)
    t = np.arange(1, T + 1)[:, None]
    m, lr = averaged(run.gradients, 0.9), run.hypers["lr"]
    close(parts.rates, np.broadcast_to(lr / (1.0 - 0.9**t), (T, 2)))
    close(parts.memory, -lr * 0.9 * m[:-1] / (1.0 - 0.9**t))
    close(parts.unscaled, -lr * m[1:])


def test_nadams_memory_is_folded_into_its_average() -> None:
    run, parts = run_of("nadam")
    h, g, t = run.hypers, run.gradients, np.arange(1, T + 2)
    mu = 0.9 * (1.0 - 0.5 * 0.96 ** (0.004 * t))[:, None]
    share = mu[1:] / (1.0 - np.cumprod(mu, axis=0)[1:])
    own = (1.0 - mu[:-1]) / (1.0 - np.cumprod(mu, axis=0)[:-1])
    divisor = roots(g, t[:-1, None], h)
    close(parts.memory, -h["lr"] * share * 0.9 * averaged(g, 0.9)[:-1] / divisor)
    close(parts.gradient, -h["lr"] * (share * 0.1 + own) * g / divisor)


@pytest.mark.parametrize("key", ["adam", "adamax", "nadam", "momentum", "nesterov"])
def test_without_momentum_there_is_no_memory(key: str) -> None:
    (part,) = (p for p in OPTIMIZERS[key].ingredients if p.key == "momentum")
    given: dict[str, Any] = dict(part.without)
    _, parts = run_of(key, **given)
    np.testing.assert_array_equal(parts.memory, 0.0)


def test_a_resumed_run_is_taken_apart_as_the_whole() -> None:
    adam = OPTIMIZERS["adam"]
    first = simulate(ROSENBROCK, adam, steps=9, lr=0.1)
    second = dissect(simulate(ROSENBROCK, adam, steps=6, lr=0.1, after=first))
    whole = dissect(simulate(ROSENBROCK, adam, steps=15, lr=0.1))
    for name in FIELDS:
        np.testing.assert_array_equal(getattr(second, name), getattr(whole, name)[9:])


# ---- with a proximal step at the end


@pytest.mark.parametrize("l1", [0.05, 5.0, 1e100])
@pytest.mark.parametrize("plan", [None, "one_cycle", "performance"])
@EVERY
def test_with_what_is_shrunk_the_parts_are_the_step(
    optimizer: Optimizer, plan: str | None, l1: float
) -> None:
    schedule = SCHEDULES[plan] if plan else None
    for surface in ("bowl", "himmelblau", "parabola", "double_well"):
        for hypers in ({}, *(dict(part.without) for part in optimizer.ingredients)):
            lr = 0.3 * SURFACES[surface].pace.curvature
            run, parts = run_of(optimizer.key, surface, l1, lr=lr, schedule=schedule, **hypers)
            assert np.isfinite(run.positions).all()
            step = np.diff(run.positions, axis=0)
            whole = parts.memory + parts.gradient + parts.decay
            close(whole + parts.shrinkage, step, float(np.abs(run.positions).max()))
            # towards 0 from z, and no further
            z = run.positions[1:] - parts.shrinkage
            assert (parts.shrinkage * z <= 0.0).all()
            assert (np.abs(parts.shrinkage) <= np.abs(z)).all()
            for name in FIELDS:
                array = getattr(parts, name)
                assert array.shape == step.shape
                assert not array.flags.writeable


def test_gradient_descent_is_shrunk_by_lr_l1_and_held_at_0() -> None:
    """At rest on 0 the gradient's part is what is taken back (Beck & Teboulle 2009, eq. 1.5)."""
    run, parts = run_of("gd", "bowl", 3.0, noise=0.0, start=(0.0, -4.0))
    lr = run.hypers["lr"]
    z = run.positions[:-1] - lr * run.gradients
    close(parts.shrinkage, -np.clip(z, -3.0 * lr, 3.0 * lr))
    close(parts.gradient, -lr * run.gradients)
    resting = run.positions[1:] == 0.0
    assert resting[:, 0].all()
    run, parts = run_of("gd", "himmelblau", 40.0, noise=0.0, start=(0.0, 0.0))
    np.testing.assert_array_equal(run.positions, 0.0)
    np.testing.assert_array_equal(parts.shrinkage, -parts.gradient)
    assert np.abs(parts.gradient).min() > 0.0


@pytest.mark.parametrize("inside", [True, False])
@pytest.mark.parametrize("plan", [None, "cosine"])
def test_a_shrunk_heavy_ball_remembers_the_whole_step(inside: bool, plan: str | None) -> None:
    """iPiano's inertia is β (x^n − x^{n−1}) (Ochs et al. 2014, Algorithm 1)."""
    schedule = SCHEDULES[plan] if plan else None
    given: dict[str, Any] = {"momentum": 0.7, "rate_inside": inside, "schedule": schedule}
    run, parts = run_of("momentum", "bowl", 2.0, **given)
    last = np.diff(run.positions, axis=0, prepend=run.positions[:1])[:-1]
    rates = run.rates[:, None]
    # outside the buffer the step is kept per unit of its own rate
    share = 0.7 if inside else 0.7 * rates / np.vstack([rates[:1], rates[:-1]])
    close(parts.memory, share * last)
    close(parts.gradient, -rates * run.gradients)
    z = run.positions[:-1] + share * last - rates * run.gradients
    close(parts.shrinkage, -np.clip(z, -2.0 * rates, 2.0 * rates))
    np.testing.assert_array_equal(parts.rates, np.broadcast_to(rates, parts.rates.shape))


def test_a_shrunk_nesterov_looks_ahead_along_the_whole_step() -> None:
    run, parts = run_of("nesterov", "bowl", 2.0)
    last = np.diff(run.positions, axis=0, prepend=run.positions[:1])[:-1]
    lr = run.hypers["lr"]
    close(parts.memory, 0.9 * last)
    close(parts.memory, run.probes - run.positions[:-1])
    z = run.probes - lr * run.gradients
    close(parts.shrinkage, -np.clip(z, -2.0 * lr, 2.0 * lr))


def test_a_shrunk_adams_parts_are_its_averages() -> None:
    run, parts = run_of("adam", "bowl", 2.0, beta1=0.8, beta2=0.99)
    h, g, t = run.hypers, run.gradients, np.arange(1, T + 1)[:, None]
    m, scale = averaged(g, 0.8), roots(g, t, h)
    divisor = (1.0 - 0.8**t) * scale
    close(parts.memory, -h["lr"] * 0.8 * m[:-1] / divisor)
    close(parts.gradient, -h["lr"] * 0.2 * g / divisor)
    close(parts.unscaled, -h["lr"] * m[1:])
    close(parts.rates / (h["lr"] / divisor), np.ones((T, 2)))
    z = run.positions[:-1] - h["lr"] * m[1:] / divisor
    tau = 2.0 * h["lr"] / scale
    close(parts.shrinkage, -np.clip(z, -tau, tau))


def test_what_leaves_the_floats_is_not_hidden() -> None:
    run, parts = run_of("momentum", lr=1.0)
    gone = ~np.isfinite(run.positions[1:])
    assert gone.any()
    whole = parts.memory + parts.gradient + parts.decay
    assert not np.isfinite(whole[gone]).any()
    run, parts = run_of("momentum", lr=1.0, l1=0.1)
    gone = ~np.isfinite(run.positions[1:])
    assert gone.any()
    assert not np.isfinite(parts.shrinkage[np.isnan(run.positions[1:])]).any()
