"""The divergence report against runs whose growth is known in closed form, and on random ones."""

from __future__ import annotations

import math
import re
from dataclasses import fields
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings

from optim_core import OPTIMIZERS, Run, simulate
from optim_core.divergence import Report, report
from optim_core.theory import growth_factor, last_finite, limit
from surfaces import SURFACES
from tests.test_properties import SEARCH, runs

BOWL = SURFACES["bowl"]


def blown_up(surface: str, optimizer: str = "gd", **settings: Any) -> Report:
    found = report(simulate(SURFACES[surface], OPTIMIZERS[optimizer], **settings))
    assert found is not None
    return found


@pytest.mark.parametrize("signs", [(1.0, 1.0), (-1.0, 1.0), (1.0, -1.0)])
@pytest.mark.parametrize("rotation", [0.0, 30.0, -75.0])
@pytest.mark.parametrize("condition", [2.0, 50.0, 1000.0])
@pytest.mark.parametrize("share", [1.02, 1.1, 3.0])
def test_gd_on_the_bowl_grows_by_its_multiplier(
    condition: float, rotation: float, share: float, signs: tuple[float, float]
) -> None:
    top = 2.0 * condition
    bowl = BOWL.with_params(condition=condition, rotation=rotation)
    c, s = math.cos(math.radians(rotation)), math.sin(math.radians(rotation))
    u, v = 1.5 * signs[0], 8.0 * signs[1]
    lr = share * 2.0 / top
    run = simulate(bowl, OPTIMIZERS["gd"], lr=lr, start=(c * u - s * v, s * u + c * v), steps=300)
    found = report(run)
    assert found is not None
    # along the steep axis the error is multiplied by 1 − η λ, along the other by less
    assert found.growth == pytest.approx(abs(1.0 - lr * top), rel=1e-9)
    assert found.expected == pytest.approx(abs(1.0 - lr * top), rel=1e-9)
    assert found.direction == pytest.approx((c, s) if max(c, s) > -min(c, s) else (-c, -s))
    assert found.curvature == pytest.approx(top, rel=1e-12)
    assert found.limit == pytest.approx(2.0 / top, rel=1e-12)
    assert (found.pattern, found.rise_step) == ("steady", run.outcome.rise_step)
    assert "went to the other side" in found.sentence
    assert "as theory says" in found.sentence


@pytest.mark.parametrize("optimizer", ["momentum", "nesterov"])
@pytest.mark.parametrize("beta", [0.0, 0.5, 0.9])
@pytest.mark.parametrize("share", [1.02, 1.3])
def test_momentum_on_the_bowl_grows_by_its_largest_root(
    optimizer: str, beta: float, share: float
) -> None:
    method = OPTIMIZERS[optimizer]
    edge = limit(BOWL, method, {"momentum": beta}).lr
    assert edge is not None
    a = share * edge * 100.0
    polynomial = {
        "momentum": [1.0, -(1.0 + beta - a), beta],
        "nesterov": [1.0, -(1.0 + beta) * (1.0 - a), beta * (1.0 - a)],
    }[optimizer]
    largest = np.abs(np.roots(polynomial)).max()
    found = blown_up("bowl", optimizer, lr=share * edge, momentum=beta, steps=200)
    assert found.growth == pytest.approx(largest, rel=1e-9)
    assert found.expected == pytest.approx(largest, rel=1e-9)
    assert found.limit == pytest.approx(edge)
    assert found.direction == (1.0, 0.0)


def test_a_run_that_starts_on_the_flat_axis_blows_up_along_it() -> None:
    found = blown_up("bowl", lr=1.1, start=(0.0, 10.0))
    assert (found.direction, found.curvature) == ((0.0, 1.0), 2.0)
    assert found.growth == pytest.approx(1.2, rel=1e-9)


def test_the_sentence_on_the_bowl() -> None:
    assert blown_up("bowl", lr=0.022, steps=3000).sentence == (
        "From step 0 on every step along (1, 0) went to the other side and was 1.2 times as long "
        "as the one before, as theory says. The curvature along (1, 0) at (1.5, 10), where it was "
        "at step 0, is 100, so η·λ = 2.2 is beyond 2, where GD stops working (limit 0.02, you "
        "have 0.022). It overflowed at step 1934."
    )


def test_a_rate_just_beyond_the_limit_is_told_from_it() -> None:
    found = blown_up("bowl", lr=0.0200101, steps=20_000)
    assert "limit 0.02, you have 0.02001)" in found.sentence


@pytest.mark.parametrize(("lr", "growth"), [(1e100, 2e100), (1e200, None)])
def test_a_run_that_overflows_within_a_few_steps(lr: float, growth: float | None) -> None:
    found = blown_up("parabola", lr=lr)
    assert found.growth == (None if growth is None else pytest.approx(growth))
    assert found.expected == pytest.approx(2.0 * lr)
    assert (found.limit, found.direction, found.curvature) == (1.0, (1.0,), 2.0)
    assert ("A single step took it out of range." in found.sentence) is (growth is None)


def test_on_the_double_well_it_grows_ever_faster() -> None:
    # far out p → −4 lr p³
    run = simulate(SURFACES["double_well"], OPTIMIZERS["gd"], lr=0.24)
    found = report(run)
    assert found is not None
    assert found.pattern == "faster"
    steps = np.diff(run.positions[np.isfinite(run.positions[:, 0]), 0])
    assert found.first_growth == pytest.approx(abs(steps[1] / steps[0]))
    assert found.growth == pytest.approx(abs(steps[-1] / steps[-2]))
    # the multiplier holds where it stood, and only there
    assert found.expected == pytest.approx(abs(1.0 - 0.24 * (12.0 * 1.8**2 - 4.0)))
    assert "theory" not in found.sentence


def test_on_rosenbrock_the_start_is_too_steep() -> None:
    found = blown_up("rosenbrock", lr=0.0021)
    matrix = np.array([[1902.0, 600.0], [600.0, 200.0]])
    values, axes = np.linalg.eigh(matrix)
    assert (found.at, found.at_step, found.overflow_step) == ((-1.5, 2.0), 0, 10)
    assert found.curvature == pytest.approx(values[-1])
    assert found.direction == pytest.approx(np.abs(axes[:, -1]))
    assert found.limit == pytest.approx(2.0 / values[-1])
    assert found.pattern == "faster"
    assert found.growth_step is not None
    assert found.growth_step > 0


@pytest.mark.parametrize("lr", [0.1, 1.5])
def test_a_fall_off_the_saddle_is_no_rise(lr: float) -> None:
    found = blown_up("saddle", lr=lr, start=(3.5, 0.01), steps=3000)
    assert (found.rise_step, found.limit, found.curvature) == (None, None, -2.0)
    assert found.direction == (0.0, 1.0)
    assert found.growth == pytest.approx(1.0 + 2.0 * lr, rel=1e-9)
    assert found.expected == pytest.approx(1.0 + 2.0 * lr, rel=1e-9)
    assert "no bottom" in found.sentence


@pytest.mark.parametrize("surface", ["parabola", "bowl", "rosenbrock", "plane"])
def test_adamws_decay_alone_blows_up(surface: str) -> None:
    # θ ← (1 − η w) θ, and Adam's steps are about η long
    found = blown_up(surface, "adamw", lr=500.0, weight_decay=0.01, steps=600)
    assert found.expected == pytest.approx(4.0)
    assert found.growth == pytest.approx(4.0, rel=1e-3)
    assert "decay alone multiplies the position by -4 a step" in found.sentence


def test_a_method_without_decay_is_not_said_to_have_one() -> None:
    found = blown_up("rosenbrock", "adam", lr=1e160)
    assert found.expected is None
    assert "decay" not in found.sentence
    assert "η = 1e+160" in found.sentence


def test_a_scale_that_is_all_epsilon_makes_rmsprop_gradient_descent() -> None:
    # P = ε, so that the rate is η/ε = 1.1
    found = blown_up("parabola", "rmsprop", lr=1.1e200, eps=1e200, steps=100)
    assert found.growth == pytest.approx(1.2, rel=1e-9)
    assert found.limit == pytest.approx(1e200)
    assert "the limit is 1e+200, and you have 1.1e+200" in found.sentence


def test_what_cannot_be_explained_is_said_as_it_is() -> None:
    run = simulate(SURFACES["parabola"], OPTIMIZERS["gd"], start=(1e308,))
    found = report(run)
    assert found is not None
    assert found.sentence == run.outcome.reason
    undefined = simulate(SURFACES["parabola"], OPTIMIZERS["rmsprop"], start=(0.0,), eps=0.0)
    assert undefined.outcome.kind == "undefined"
    assert report(undefined) is None


def test_noise_is_mentioned() -> None:
    assert "Noise" in blown_up("bowl", lr=0.03, noise=0.1).sentence
    assert "Noise" not in blown_up("bowl", lr=0.03).sentence


def test_a_rate_within_the_limit_is_not_blamed() -> None:
    # noise throws it out of the floats
    found = blown_up("parabola", lr=0.5, noise=1e160, steps=50)
    assert (found.limit, found.curvature, found.overflow_step) == (1.0, 2.0, 1)
    assert "beyond" not in found.sentence
    assert "up to 1, and you have 0.5: the curvature there does not explain it" in found.sentence


def test_a_run_that_did_not_diverge_has_no_report() -> None:
    assert report(simulate(BOWL, OPTIMIZERS["gd"], lr=0.01)) is None


def check(run: Run, found: Report) -> None:
    """Whatever a report says is typed, finite, and true of the run."""
    sentence = found.sentence
    assert sentence.endswith(".")
    assert not re.search(r"\b(nan|inf|None|array|float64)\b", sentence), sentence
    assert "  " not in sentence
    assert (found.rise_step, found.overflow_step) == (run.outcome.rise_step, run.outcome.step)
    for name in ("growth", "first_growth", "expected", "curvature", "limit"):
        number = getattr(found, name)
        assert number is None or (type(number) is float and math.isfinite(number)), name
    assert found.growth is None or found.growth >= 0.0
    assert found.limit is None or found.limit >= 0.0
    if found.direction is not None:
        assert len(found.direction) == run.surface.dim
        assert math.hypot(*found.direction) == pytest.approx(1.0)
        assert all(type(c) is float for c in found.direction)
    if found.at is not None:
        assert found.at_step is not None
        assert found.at == tuple(run.positions[found.at_step])
    assert (found.growth is None) == (found.pattern is None)
    if found.growth is None or found.growth_step is None:
        return
    assert found.first_growth is not None
    with np.errstate(all="ignore"):
        made = run.positions[: last_finite(run) + 2]
        steps = np.diff(made, axis=0)[found.growth_step :] @ np.array(found.direction)
        ratios = np.abs(steps[1:] / steps[:-1])
        ratios = ratios[np.isfinite(ratios) & (ratios > 0.0)]
    if found.pattern == "steady" and np.abs(steps).min() > 1e-290:
        np.testing.assert_allclose(ratios, found.growth, rtol=3e-3)
    if found.pattern == "faster":
        assert (np.diff(ratios) > 0.0).all()
        assert found.growth > found.first_growth > 1.0
    if "beyond" in sentence and run.optimizer.preconditioner is None:
        assert found.limit is not None
        assert found.at_step is not None
        assert run.rates[min(found.at_step, len(run.rates) - 1)] > found.limit
    if "as theory says" in sentence:
        assert found.growth == pytest.approx(found.expected, rel=1e-2)


def test_every_report_has_been_checked_in_every_field() -> None:
    assert {f.name for f in fields(Report)} == {
        "rise_step", "overflow_step", "growth", "first_growth", "growth_step", "pattern",
        "expected", "direction", "curvature", "at", "at_step", "limit", "sentence",
    }  # fmt: skip


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("surface", SURFACES)
def test_every_surface_and_optimizer_at_huge_rates(surface: str, optimizer: str) -> None:
    place, method = SURFACES[surface], OPTIMIZERS[optimizer]
    telling = method.factor * float(getattr(place.pace, method.pace))
    for share, steps in product((1.5, 8.0, 60.0, 1e4, 1e60, 1e180), (7, 60, 400)):
        run = simulate(place, method, lr=share * telling, steps=steps)
        found = report(run)
        assert (found is None) == (run.outcome.kind != "diverged")
        if found is not None:
            check(run, found)


@settings(SEARCH, max_examples=300)
@given(runs())
def test_every_report_is_true(run: Run) -> None:
    found = report(run)
    assert (found is None) == (run.outcome.kind != "diverged")
    assume(found is not None)
    assert found is not None
    check(run, found)


def test_the_growth_of_a_quadratic_is_what_the_rule_says() -> None:
    for optimizer, hypers in (
        ("gd", (0.0215,)),
        ("momentum", (0.04, 0.9, 1.0)),
        ("nesterov", (0.014, 0.9)),
    ):
        method = OPTIMIZERS[optimizer]
        names = [h.name for h in method.hypers]
        settings: dict[str, Any] = dict(zip(names, hypers, strict=True))
        found = blown_up("bowl", optimizer, steps=1000, **settings)
        assert found.growth == pytest.approx(growth_factor(method, hypers, 100.0), rel=1e-9)


def test_adam_without_scaling_is_not_said_to_divide_by_the_gradient() -> None:
    """Its steps grow with the slope, however long they happen to be."""
    for lr in (0.5, 1.0, 3.0):
        run = simulate(SURFACES["bowl"], OPTIMIZERS["adam"], steps=400, lr=lr, scaling=False)
        told = report(run)
        assert told is not None
        assert "divides by" not in told.sentence
